package pebblekv

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/clientele-go/clientele/storage/kv"
)

// temporary is the directory, within the engine's own, of tables that are being
// built and of checkpoints that are being copied. Opening removes it.
const temporary = "tmp"

// A table is built of at most tableBytes of keys and values, and of less when
// there would not be work for every core, but not of less than leastTableBytes.
const (
	tableBytes      = 64 << 20
	leastTableBytes = 4 << 20
)

// Ingest implements [kv.Engine]. It sorts nothing: the runs become tables as they
// are, on all cores and without holding up other commits; those wait while the journal
// entries are written, which takes some 1 µs each, and the tables are added, which
// takes two syncs. Large sets among the merges are written as what they come to: who reads
// them then has nothing to fold. On disk the load takes its size once, and twice where the file
// system has no hard links.
func (e *Engine) Ingest(ctx context.Context, l *kv.Load) (kv.Position, error) {
	if err := e.enterWrite(ctx, "ingest"); err != nil {
		return 0, err
	}
	defer e.calls.leave()
	if err := e.throttle(ctx); err != nil {
		return 0, err
	}
	in, err := e.newIngestion(l)
	if err != nil {
		return 0, err
	}
	if in.bytes >= loadBytes {
		e.load.bulk()
		defer e.load.bulk()
	}
	position, err := in.run(ctx)
	if errors.Is(err, kv.ErrConflict) {
		e.count.conflicts.Add(1)
	}
	return position, errors.Join(err, in.cleanUp())
}

// ingestion is one load on its way.
type ingestion struct {
	e     *Engine
	load  *kv.Load
	runs  []kv.Run // those with keys, ascending
	bytes int64    // in runs
	reads *reads   // the load's condition
	seen  kv.Stamp // the last commit that the runs were checked against
	dir   string   // of tables

	merges []kv.Op  // the load's, ascending; large sets as what they come to
	folded kv.Stamp // the last commit before these were read

	mu     sync.Mutex
	made   int // tables
	tables []string
	merged []string // tables of merges
}

func (e *Engine) newIngestion(l *kv.Load) (*ingestion, error) {
	in := &ingestion{e: e, load: l, merges: slices.Clone(l.Merges), dir: e.temporaryName("ingest")}
	in.reads = e.window.reads(&kv.Batch{Since: l.Since, Reads: l.Reads})
	for _, run := range l.Runs {
		if run.Len() > 0 {
			in.runs = append(in.runs, run)
			in.bytes += sizeOf(run)
		}
	}
	slices.SortFunc(in.runs, func(a, b kv.Run) int { return bytes.Compare(a.Key(0), b.Key(0)) })
	for i := 1; i < len(in.runs); i++ {
		if bytes.Compare(lastKeyOf(in.runs[i-1]), in.runs[i].Key(0)) >= 0 {
			return nil, fmt.Errorf("pebblekv: ingest: %w: runs overlap at key %q", kv.ErrInvalid, in.runs[i].Key(0))
		}
	}
	return in, errors.Join(in.checkMerges(), in.checkJournal())
}

func lastKeyOf(run kv.Run) []byte { return run.Key(run.Len() - 1) }

func (in *ingestion) checkMerges() error {
	for i, op := range in.load.Merges {
		if op.Kind != kv.Merge {
			return fmt.Errorf("pebblekv: ingest: %w: key %q among the merges is not merged", kv.ErrInvalid, op.Key)
		}
		if err := checkOp(op); err != nil {
			return err
		}
		if i > 0 && bytes.Compare(in.load.Merges[i-1].Key, op.Key) >= 0 {
			return fmt.Errorf("pebblekv: ingest: %w: merged key %q is not above the one before", kv.ErrInvalid, op.Key)
		}
		if n := in.runAt(op.Key); n < len(in.runs) && bytes.Compare(in.runs[n].Key(0), op.Key) <= 0 {
			return fmt.Errorf("pebblekv: ingest: %w: merged key %q lies within a run", kv.ErrInvalid, op.Key)
		}
	}
	return nil
}

func (in *ingestion) checkJournal() error {
	for _, payload := range in.load.Journal {
		if err := checkValue("journal entry", payload); err != nil {
			return err
		}
	}
	return nil
}

// runAt returns the index of the first run that ends at or after key.
func (in *ingestion) runAt(key []byte) int {
	return sort.Search(len(in.runs), func(i int) bool { return bytes.Compare(lastKeyOf(in.runs[i]), key) >= 0 })
}

func (in *ingestion) run(ctx context.Context) (kv.Position, error) {
	if len(in.runs)+len(in.load.Merges)+len(in.load.Journal) == 0 {
		return 0, in.e.sync() // durable is what an empty load can be
	}
	if err := in.checkEarly(); err != nil {
		return 0, err
	}
	if err := in.foldSets(); err != nil {
		return 0, err
	}
	if err := in.e.fs.MkdirAll(in.dir, 0o755); err != nil {
		return 0, wrap("ingest", err)
	}
	if err := in.build(ctx, append(in.runPieces(), in.mergePieces()...)); err != nil {
		return 0, err
	}
	keys := make([][]byte, len(in.load.Merges))
	for i, op := range in.load.Merges {
		keys[i] = op.Key
	}
	if err := in.flush(ctx); err != nil {
		return 0, err
	}
	c := in.e.window.commit(keys)
	for _, run := range in.runs {
		c.spans = append(c.spans, kv.Range{Lower: bytes.Clone(run.Key(0)), Upper: append(bytes.Clone(lastKeyOf(run)), 0)})
	}
	return in.commit(ctx, c)
}

// checkEarly looks for a conflict before any work is done.
func (in *ingestion) checkEarly() error {
	in.e.commits.Lock()
	commits, err := in.e.window.after(in.load.Since)
	in.e.commits.Unlock()
	if err != nil || len(commits) == 0 {
		return err
	}
	in.seen = commits[len(commits)-1].stamp
	return in.conflict(commits)
}

// conflict looks for a key of the runs among those that the commits wrote.
func (in *ingestion) conflict(commits []*commit) error {
	for _, c := range commits {
		for _, run := range in.runs {
			span := kv.Range{Lower: run.Key(0), Upper: append(bytes.Clone(lastKeyOf(run)), 0)}
			for from, to := c.keys.within(span); from < to; from++ {
				if key := c.keys.at(from); holds(run, key) {
					return conflict(key)
				}
			}
			for _, loaded := range c.spans {
				if overlap(span, loaded) {
					return conflict(loaded.Lower)
				}
			}
		}
	}
	return nil
}

func holds(run kv.Run, key []byte) bool {
	i := sort.Search(run.Len(), func(i int) bool { return bytes.Compare(run.Key(i), key) >= 0 })
	return i < run.Len() && bytes.Equal(run.Key(i), key)
}

// flush writes out what is in memory, unless the last commit was a load and there can't
// be much. Where the load's keys lie among those in memory Pebble would do it, with
// everyone waiting.
func (in *ingestion) flush(ctx context.Context) error {
	if last := in.e.last.Load(); last.stamp == 0 || len(last.spans) > 0 {
		return nil
	}
	flushed, err := in.e.db.AsyncFlush()
	if err != nil {
		return wrap("ingest", err)
	}
	select {
	case <-flushed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// commit checks the load, gives it its place and adds its tables to Pebble.
func (in *ingestion) commit(ctx context.Context, c *commit) (kv.Position, error) {
	in.e.commits.Lock()
	defer in.e.commits.Unlock()
	commits, err := in.e.window.after(max(in.load.Since, in.seen))
	if err != nil {
		return 0, err
	}
	if err := errors.Join(in.e.window.check(in.reads, 0), in.conflict(commits)); err != nil {
		return 0, err
	}
	if err := in.unfold(ctx, commits); err != nil {
		return 0, err
	}
	last := in.e.last.Load()
	c.stamp = last.stamp + 1
	c.position = last.position + kv.Position(len(in.load.Journal))
	if err := in.build(ctx, in.journalPieces(last.position)); err != nil {
		return 0, err
	}
	// Tables are durable at once. Relaxed commits that they come after must not be
	// lost behind them.
	if err := in.e.sync(); err != nil {
		return 0, err
	}
	if err := in.e.writable("ingest"); err != nil {
		return 0, err
	}
	in.e.rows.forgetAll(c.stamp)
	if err := in.e.db.Ingest(ctx, append(in.tables, in.merged...)); err != nil {
		return 0, in.refused(err)
	}
	in.e.countMerges(in.merges)
	in.e.window.add(c)
	in.e.last.Store(c)
	in.e.snapshots.renew()
	if cause := in.e.fs.err(); cause != nil {
		return 0, stopped("ingest", kv.ErrUnknownOutcome, cause)
	}
	in.e.count.commits.Add(1)
	in.e.durable.advance(c)
	if len(in.load.Journal) == 0 {
		return 0, nil
	}
	return c.position, nil
}

func (in *ingestion) refused(err error) error {
	if cause := in.e.fs.err(); cause != nil {
		return stopped("ingest", kv.ErrUnknownOutcome, cause)
	}
	return wrap("ingest", err)
}

// piece is what becomes one table: n entries, in ascending order of keys.
type piece struct {
	n     int
	entry func(i int) (key, value []byte)
	ops   []kv.Op // the entries of a piece of merges
	own   bool    // the engine's own keys
}

// runPieces cuts the runs into pieces of about the same size, and where sections begin.
func (in *ingestion) runPieces() []piece {
	most := min(max(in.bytes/int64(2*runtime.GOMAXPROCS(0)), leastTableBytes), tableBytes)
	var pieces []piece
	for _, run := range in.runs {
		from := 0
		for _, end := range sectionEnds(run) {
			for from < end {
				to, size := from, int64(0)
				for ; to < end && size < most; to++ {
					size += int64(len(run.Key(to)) + len(run.Value(to)))
				}
				pieces = append(pieces, runPiece(run, from, to))
				from = to
			}
		}
	}
	return pieces
}

// leastSectionBytes is what sections have on average when each gets tables of its own.
const leastSectionBytes = 64 << 10

// sectionEnds returns the ends of a run's sections, or the run's own if they would make
// too many small tables. A table across sections overlaps those of every later load, and is
// merged with them; those of one section go to the last level and stay.
func sectionEnds(run kv.Run) (ends []int) {
	whole := []int{run.Len()}
	s, ok := run.(kv.Sectioned)
	if !ok {
		return whole
	}
	most := int(sizeOf(run) / leastSectionBytes)
	for at := 0; at < run.Len(); {
		section := bytes.Clone(run.Key(at)[:s.Section(at)])
		at += sort.Search(run.Len()-at, func(i int) bool { return !bytes.HasPrefix(run.Key(at+i), section) })
		if ends = append(ends, at); len(ends) > most {
			return whole
		}
	}
	return ends
}

func sizeOf(run kv.Run) int64 {
	size := int64(0)
	for i := range run.Len() {
		size += int64(len(run.Key(i)) + len(run.Value(i)))
	}
	return size
}

func runPiece(run kv.Run, from, to int) piece {
	return piece{n: to - from, entry: func(i int) ([]byte, []byte) { return run.Key(from + i), run.Value(from + i) }}
}

// journalPieces cuts the journal entries, which come after the given position.
func (in *ingestion) journalPieces(after kv.Position) []piece {
	var pieces []piece
	for journal := in.load.Journal; len(journal) > 0; {
		n, size := 0, int64(0)
		for ; n < len(journal) && size < leastTableBytes; n++ {
			size += int64(len(journal[n]))
		}
		part, first := journal[:n], after+1
		pieces = append(pieces, piece{n: n, own: true, entry: func(i int) ([]byte, []byte) {
			return journalKey(first + kv.Position(i)), part[i]
		}})
		journal, after = journal[n:], after+kv.Position(n)
	}
	return pieces
}

// build writes the pieces as tables, on all cores.
func (in *ingestion) build(ctx context.Context, pieces []piece) error {
	queue := make(chan piece, len(pieces))
	for _, p := range pieces {
		queue <- p
	}
	close(queue)
	workers := min(runtime.GOMAXPROCS(0), len(pieces))
	errs := make([]error, workers)
	var working sync.WaitGroup
	for i := range workers {
		working.Go(func() {
			for p := range queue {
				if errs[i] = in.buildTable(ctx, p); errs[i] != nil {
					return
				}
			}
		})
	}
	working.Wait()
	return cmp.Or(errs...)
}

func (in *ingestion) buildTable(ctx context.Context, p piece) error {
	name := in.newTable(p)
	file, err := in.e.fs.Create(name, "pebble-ingestion")
	if err != nil {
		return wrap("ingest", err)
	}
	file = vfs.NewSyncingFile(file, vfs.SyncingFileOptions{BytesPerSync: 1 << 20})
	w := sstable.NewWriter(objstorageprovider.NewFileWritable(file), in.e.tables)
	err = in.fill(ctx, w, p)
	if closeErr := w.Close(); err == nil { // closes the file too
		err = wrap("ingest", closeErr)
	}
	return err
}

func (in *ingestion) newTable(p piece) string {
	in.mu.Lock()
	defer in.mu.Unlock()
	name := in.e.fs.PathJoin(in.dir, strconv.Itoa(in.made)+".sst")
	in.made++
	if p.ops != nil {
		in.merged = append(in.merged, name)
	} else {
		in.tables = append(in.tables, name)
	}
	return name
}

func (in *ingestion) fill(ctx context.Context, w *sstable.Writer, p piece) error {
	var previous []byte
	for i := range p.n {
		if i%lookAround == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		key, value := p.entry(i)
		if err := p.check(key, value); err != nil {
			return err
		}
		if i > 0 && bytes.Compare(previous, key) >= 0 {
			return fmt.Errorf("pebblekv: ingest: %w: key %q is not above the one before", kv.ErrInvalid, key)
		}
		previous = append(previous[:0], key...)
		add := w.Set
		if p.ops != nil && p.ops[i].Kind == kv.Merge {
			add = w.Merge
		}
		if err := add(key, value); err != nil {
			return wrap("ingest", err)
		}
	}
	return nil
}

func (p *piece) check(key, value []byte) error {
	if p.own {
		return nil
	}
	if err := checkKey(key); err != nil {
		return err
	}
	return checkValue("value", value)
}

// cleanUp removes the tables that Pebble hasn't linked and removed itself.
func (in *ingestion) cleanUp() error {
	if in.made == 0 {
		return nil
	}
	return wrap("ingest: remove temporary files", in.e.fs.RemoveAll(in.dir))
}

func (e *Engine) temporaryName(what string) string {
	n := e.tempNames.Add(1)
	return e.fs.PathJoin(e.dir, temporary, what+"-"+strconv.FormatUint(n, 10))
}

// removeTemporary removes what a crash left behind.
func (e *Engine) removeTemporary() error {
	if e.options.ReadOnly {
		return nil
	}
	return e.fs.RemoveAll(e.fs.PathJoin(e.dir, temporary))
}

// newTableOptions returns what Pebble would use for the tables of the last level but
// one. A load's tables may end up higher, where they need bloom filters.
func newTableOptions(o *pebble.Options, db *pebble.DB) sstable.WriterOptions {
	o.EnsureDefaults()
	return o.MakeWriterOptions(len(o.Levels)-2, db.TableFormat())
}
