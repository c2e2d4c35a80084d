package capacity

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// installedMemory is the machine's memory in bytes, 0 for not known.
func installedMemory() int64 { return procField("/proc/meminfo", "MemTotal:") }

// memoryLimit is what the process may use of the installed memory.
func memoryLimit(installed int64) int64 {
	limit := installed
	for _, path := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err == nil && n > 0 && (limit == 0 || n < limit) { // "max", and a huge number, mean none
			limit = n
		}
	}
	return limit
}

// residentBytes is the memory of the process that is in use, as the system counts it, or
// where that is not known, what the Go runtime holds.
func residentBytes() int64 {
	if n := procField("/proc/self/status", "VmRSS:"); n > 0 {
		return n
	}
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64() - sample[1].Value.Uint64())
}

// liveHeap is what the Go heap held after the last collection.
func liveHeap() int64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// openFiles is how many file handles the process has, 0 for not known.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// busy is how much of the processors was in use at a moment, by all programs and by this
// one.
type busy struct {
	at       time.Time
	all, own time.Duration
}

func startBusy() busy { return busy{time.Now(), busyTime(), processorTime()} }

// others is how many cores other programs have kept busy since.
func (b busy) others() float64 {
	all, own := busyTime()-b.all, processorTime()-b.own
	if b.all == 0 || all < own {
		return 0
	}
	return (all - own).Seconds() / time.Since(b.at).Seconds()
}

// busyTime is for how long all cores together have worked for anybody since the machine
// started, 0 for not known. What a host gave to other guests (steal) counts.
func busyTime() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	sum := int64(0)
	for i, field := range strings.Fields(line) {
		const idle, wait, last = 4, 5, 8 // user nice system idle iowait irq softirq steal; then guests, which user has too
		n, err := strconv.ParseInt(field, 10, 64)
		if err == nil && i != idle && i != wait && i <= last {
			sum += n
		}
	}
	return time.Duration(sum) * (time.Second / 100) // USER_HZ
}

// procField reads a number of kB from a file of the proc file system, in bytes.
func procField(path, name string) int64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return n << 10
		}
	}
	return 0
}

// processor is the processor's name, empty for not known.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// folderBytes is what the files of a folder hold together; files that go meanwhile don't
// count.
func folderBytes(dir string) (sum int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry os.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
		return nil
	})
	return sum
}
