package capacity

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/clientele-go/clientele/bench/stat"
)

// Machine is where the measurements were made, and what it can do by itself: no program
// does better. Sizes are bytes; 0 is not known.
type Machine struct {
	System    string `json:"system"` // operating system and architecture
	Processor string `json:"processor,omitempty"`
	GoVersion string `json:"go_version"`
	Cores     int    `json:"cores"` // that the process may use

	Memory      int64 `json:"memory_bytes"`       // installed
	MemoryLimit int64 `json:"memory_limit_bytes"` // of the container, or else what is installed
	DiskTotal   int64 `json:"disk_total_bytes"`   // of the folder's file system
	DiskFree    int64 `json:"disk_free_bytes"`    // at the start

	SyncsPerSecond float64 `json:"syncs_per_second"`        // of 4 KiB writes, one after another
	DiskWrite      float64 `json:"disk_write_bytes_per_s"`  // of one large file, synced
	CopyBytes      float64 `json:"memory_copy_bytes_per_s"` // read and written, by all cores
	HashBytes      float64 `json:"hash_bytes_per_s"`        // SHA-256, one core
	HashBytesAll   float64 `json:"hash_bytes_per_s_all"`    // SHA-256, all cores
}

// gauge measures a machine's limits.
type gauge struct {
	each   time.Duration // for each limit
	blocks int           // MiB of the large file
}

// measureMachine measures the machine with a file in a folder, which it removes.
func measureMachine(ctx context.Context, dir string, speed float64) (*Machine, error) {
	g := gauge{time.Duration(speed * float64(300*time.Millisecond)), max(1, int(64*speed))}
	m := &Machine{
		System: runtime.GOOS + "/" + runtime.GOARCH, Processor: processor(), GoVersion: runtime.Version(),
		Cores: runtime.GOMAXPROCS(0), Memory: installedMemory(),
	}
	m.MemoryLimit = memoryLimit(m.Memory)
	m.DiskTotal, m.DiskFree = diskSpace(dir)
	if need := int64(g.blocks)<<20 + syncBlocks*4096; m.DiskTotal > 0 && m.DiskFree < need {
		return nil, fmt.Errorf("%s has %s free, too little even to measure the disk: give a -dir with more", dir, bytesText(m.DiskFree))
	}
	probe := filepath.Join(dir, "machine.tmp")
	defer os.Remove(probe)
	var err error
	if m.SyncsPerSecond, err = g.syncRate(probe); err != nil {
		return nil, err
	}
	if m.DiskWrite, err = g.writeRate(probe); err != nil {
		return nil, err
	}
	m.CopyBytes = g.copyRate(m.Cores)
	m.HashBytes, m.HashBytesAll = g.hashRate(1), g.hashRate(m.Cores)
	return m, ctx.Err()
}

// syncBlocks are the blocks that syncRate writes, over and over: where a sync costs
// nothing, as in memory, it would otherwise fill the disk.
const syncBlocks = 1024

// syncRate is one over the median time of a small write and its sync.
func (g gauge) syncRate(path string) (float64, error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var took []float64
	block := make([]byte, 4096)
	for began := time.Now(); time.Since(began) < g.each || len(took) < 5; {
		one := time.Now()
		if _, err := f.WriteAt(block, int64(len(took)%syncBlocks*len(block))); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(one).Seconds())
	}
	return 1 / stat.Median(took), nil
}

// writeRate writes a file that no file system compresses.
func (g gauge) writeRate(path string) (float64, error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	const size = 1 << 20
	block := make([]byte, size)
	for i := 0; i < size; i += sha256.Size {
		sum := sha256.Sum256([]byte{byte(i >> 16), byte(i >> 8), byte(i)})
		copy(block[i:], sum[:])
	}
	began := time.Now()
	for range g.blocks {
		if _, err := f.Write(block); err != nil {
			return 0, err
		}
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	return float64(g.blocks*size) / time.Since(began).Seconds(), nil
}

// copyRate copies between areas that no cache holds.
func (g gauge) copyRate(cores int) float64 {
	const area = 64 << 20
	return 2 * g.together(cores, func() func() int {
		from, to := make([]byte, area), make([]byte, area)
		return func() int { return copy(to, from) }
	})
}

func (g gauge) hashRate(cores int) float64 {
	return g.together(cores, func() func() int {
		block := make([]byte, 64<<10)
		return func() int {
			sum := sha256.Sum256(block)
			block[0] = sum[0]
			return len(block)
		}
	})
}

// together runs work on some cores and returns the bytes per second that it says it did.
func (g gauge) together(cores int, work func() func() int) float64 {
	rates := make([]float64, cores)
	var ready, all sync.WaitGroup
	ready.Add(cores)
	for i := range cores {
		all.Go(func() {
			step := work()
			step() // touches the memory
			ready.Done()
			ready.Wait()
			done, began := 0, time.Now()
			for time.Since(began) < g.each {
				done += step()
			}
			rates[i] = float64(done) / time.Since(began).Seconds()
		})
	}
	all.Wait()
	sum := 0.0
	for _, r := range rates {
		sum += r
	}
	return sum
}
