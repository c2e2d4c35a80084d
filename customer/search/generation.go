package search

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/util"
	index "github.com/blevesearch/bleve_index_api"
	bolterrors "go.etcd.io/bbolt/errors"
)

// An index folder holds a file CURRENT with the name of the folder of the
// generation in force. Build and Compact prepare another generation beside it and
// then replace CURRENT, so that a crash leaves the old or the new one; what CURRENT
// doesn't name is removed on opening.
const (
	currentFile      = "CURRENT"
	generationPrefix = "gen-"
)

// generation is one Bleve index.
type generation struct {
	dir    string // empty in memory
	engine *scorch.Scorch
	queue  *index.AnalysisQueue
	keys   keyCache

	mu       sync.Mutex
	waiting  int           // documents and batches applied and not yet on disk
	progress chan struct{} // closed and replaced when waiting falls

	memory *memory // documents of an index in memory, else nil
	batch  batchMaker
}

// maxWaiting bounds the documents that are applied and not yet on disk.
const maxWaiting = 20_000

func readCurrent(dir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, currentFile))
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("search: %s: %w", dir, ErrMissing)
	}
	if err != nil {
		return "", fmt.Errorf("search: %w", err)
	}
	name := strings.TrimSpace(string(b))
	if _, ok := generationNumber(name); !ok {
		return "", fmt.Errorf("search: %s names %q: %w", currentFile, name, ErrCorrupt)
	}
	if _, err := os.Stat(filepath.Join(dir, name, "root.bolt")); err != nil {
		return "", fmt.Errorf("search: %w: %w", ErrCorrupt, err)
	}
	return name, nil
}

// writeCurrent lets the generation with the name take over.
func writeCurrent(dir, name string) error {
	temp := filepath.Join(dir, currentFile+".new")
	if err := writeSynced(temp, name+"\n"); err != nil {
		return err
	}
	if err := os.Rename(temp, filepath.Join(dir, currentFile)); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	return syncDir(dir)
}

func writeSynced(path, content string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	_, err = f.WriteString(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	return nil
}

func generationNumber(name string) (uint64, bool) {
	rest, ok := strings.CutPrefix(name, generationPrefix)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(rest, 10, 64)
	return n, err == nil
}

// nextGeneration returns a name that no folder in dir has.
func nextGeneration(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("search: %w", err)
	}
	last := uint64(0)
	for _, e := range entries {
		if n, ok := generationNumber(e.Name()); ok {
			last = max(last, n)
		}
	}
	return fmt.Sprintf("%s%06d", generationPrefix, last+1), nil
}

// removeOthers removes all generations but one: finished ones of the past, and
// half-built ones.
func removeOthers(dir, keep string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	for _, e := range entries {
		if _, ok := generationNumber(e.Name()); ok && e.Name() != keep {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return fmt.Errorf("search: %w", err)
			}
		}
	}
	return nil
}

// engineConfig tunes Bleve for our documents. Batches return before they are on
// disk, as the cursor in the same batch tells where to go on after a crash.
func engineConfig(path string) map[string]any {
	return map[string]any{
		"path":             path,
		"unsafe_batch":     true,
		"bolt_timeout":     "1s",
		"forceSegmentType": pluginType, "forceSegmentVersion": int(segments.Version()),
		"scorchMergePlanOptions": map[string]any{
			"MaxSegmentsPerTier": 8, "SegmentsPerMergeTask": 8, "TierGrowth": 8.0,
			"FloorSegmentSize": 5000, "MaxSegmentSize": 4_000_000,
		},
	}
}

// openEngine opens Bleve's index in path, or one in memory.
func openEngine(path string) (*scorch.Scorch, *index.AnalysisQueue, error) {
	queue := index.NewAnalysisQueue(1) // documents come analysed
	opened, err := scorch.NewScorch(scorch.Name, engineConfig(path), queue)
	if err == nil {
		err = openSafely(opened)
	}
	if err != nil {
		queue.Close()
		if errors.Is(err, bolterrors.ErrTimeout) {
			return nil, nil, fmt.Errorf("search: %s: %w", path, ErrLocked)
		}
		return nil, nil, fmt.Errorf("search: %s: %w: %w", path, ErrCorrupt, err)
	}
	return opened.(*scorch.Scorch), queue, nil
}

// openSafely turns a panic over a damaged file into an error, and lets go of the
// files, which Bleve does only after an error.
func openSafely(engine index.Index) (err error) {
	panicked := true
	defer func() {
		if panicked {
			err = errors.Join(err, engine.Close())
		}
	}()
	defer damaged(&err)()
	err = engine.Open()
	panicked = false
	return err
}

// damaged has a panic become an error: Bleve trusts its files, and reads beyond a slice
// when one is damaged. So does a page of a mapped file that can't be read, since the disk
// has failed there or the file was cut off, which would end the program otherwise.
// Use as defer damaged(&err)().
func damaged(err *error) func() {
	faults := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(faults)
		if panicked := recover(); panicked != nil {
			*err = fmt.Errorf("search: %w: %v", ErrCorrupt, panicked)
		}
	}
}

func openGeneration(path, identity string) (*generation, error) {
	engine, queue, err := openEngine(path)
	if err != nil {
		return nil, err
	}
	g := &generation{dir: path, engine: engine, queue: queue, progress: make(chan struct{})}
	if err := g.check(identity); err != nil {
		return nil, errors.Join(err, g.close())
	}
	return g, nil
}

func memoryGeneration(identity string) (*generation, error) {
	engine, queue, err := openEngine("")
	if err != nil {
		return nil, err
	}
	g := &generation{engine: engine, queue: queue, progress: make(chan struct{}), memory: newMemory()}
	batch := index.NewBatch()
	batch.InternalOps = internals(0, "", identity)
	return g, engine.Batch(batch)
}

// check refuses an index that Bleve opened without being able to read it: it then
// starts an empty one.
func (g *generation) check(identity string) error {
	v, err := g.view()
	if err != nil {
		return err
	}
	defer v.close()
	if _, err := v.cursor(); err != nil {
		return err
	}
	have, err := v.snapshot.GetInternal(identityKey)
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	if string(have) != identity {
		return fmt.Errorf("search: %s: made as %q, wanted %q: %w", g.dir, have, identity, ErrRebuild)
	}
	return nil
}

func (g *generation) close() error {
	err := g.engine.Close()
	g.queue.Close()
	g.mu.Lock()
	n := g.waiting
	g.mu.Unlock()
	g.add(-n) // nobody will write them now
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	return nil
}

// apply analyses and introduces a batch.
func (g *generation) apply(ctx context.Context, b *Batch, indexed func(string) bool) error {
	if err := g.waitBelow(ctx, maxWaiting); err != nil {
		return err
	}
	batch := g.batch.prepare(b, indexed)
	if g.memory != nil {
		g.batch.giveAway()
		g.memory.add(batch)
		return g.introduce(batch)
	}
	defer g.batch.release()
	n := 1 + len(batch.IndexOps)
	g.add(n)
	batch.SetPersistedCallback(func(error) { g.add(-n) })
	if err := g.introduce(batch); err != nil {
		g.add(-n)
		return err
	}
	return nil
}

func (g *generation) introduce(batch *index.Batch) error {
	if err := g.engine.Batch(batch); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	return nil
}

// add counts documents in, or out once they are on disk.
func (g *generation) add(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting += n
	close(g.progress)
	g.progress = make(chan struct{})
}

// flush waits until nothing is only in memory.
func (g *generation) flush(ctx context.Context) error {
	if g.memory != nil {
		return nil
	}
	return g.waitBelow(ctx, 1)
}

// waitBelow waits until fewer than limit documents are not yet on disk. When Bleve
// cannot write, it tries for ever and only counts the failures.
func (g *generation) waitBelow(ctx context.Context, limit int) error {
	failures := g.writeFailures()
	for {
		g.mu.Lock()
		waiting, progress := g.waiting, g.progress
		g.mu.Unlock()
		if waiting < limit {
			return nil
		}
		select {
		case <-progress:
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
			if n := g.writeFailures(); n > failures+3 {
				return fmt.Errorf("search: %s: writing the index failed %d times", g.dir, n)
			}
		}
	}
}

func (g *generation) writeFailures() uint64 {
	stats, ok := g.engine.Stats().(*scorch.Stats)
	if !ok {
		return 0
	}
	return atomic.LoadUint64(&stats.TotPersistLoopErr)
}

// writeGeneration makes a Bleve index in path of segment files that are there,
// with the internal values given. Bleve offers no way to add a finished segment, so
// an empty index is made first, and the segments are then entered into its root.
func writeGeneration(path string, internal map[string][]byte, segments []string) error {
	config := engineConfig(path)
	config["unsafe_batch"] = false
	queue := index.NewAnalysisQueue(1)
	defer queue.Close()
	engine, err := scorch.NewScorch(scorch.Name, config, queue)
	if err == nil {
		err = engine.Open()
	}
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	batch := index.NewBatch()
	batch.InternalOps = internal
	if err := errors.Join(engine.Batch(batch), engine.Close()); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	if err := enterSegments(path, segments); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	return syncDir(path)
}

// maxSegments is how many segments enterSegments can name: Bleve writes the ids up
// to 109 as one byte, counted from 136.
const maxSegments = 100

// enterSegments renames files in path to what Bleve calls its segments, and names
// them in the snapshot of the root.
func enterSegments(path string, files []string) error {
	if len(files) > maxSegments {
		return fmt.Errorf("%d segments, more than %d", len(files), maxSegments)
	}
	root, err := util.OpenBolt(filepath.Join(path, "root.bolt"), 0o600, nil)
	if err != nil {
		return err
	}
	err = root.Update(func(tx *util.BoltTxImpl) error {
		snapshots := tx.Bucket(util.BoltSnapshotsBucket)
		if snapshots == nil {
			return errors.New("root.bolt has no snapshots")
		}
		newest, _ := snapshots.Cursor().Last()
		snapshot := snapshots.GetBucket(newest)
		if snapshot == nil {
			return errors.New("root.bolt has no snapshot")
		}
		for i, file := range files {
			name := fmt.Sprintf("%012x.zap", i+1)
			if err := os.Rename(file, filepath.Join(path, name)); err != nil {
				return err
			}
			bucket, err := snapshot.CreateBucketIfNotExists([]byte{136 + byte(i+1)})
			if err != nil {
				return err
			}
			if err := bucket.Put(util.BoltPathKey, []byte(name), nil); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, root.Close())
}

// cursor returns the position stored in the snapshot.
func (v *view) cursor() (uint64, error) {
	b, err := v.snapshot.GetInternal(cursorKey)
	if err != nil || len(b) != 8 {
		return 0, fmt.Errorf("search: no cursor in the index: %w", errors.Join(ErrCorrupt, err))
	}
	return binary.BigEndian.Uint64(b), nil
}
