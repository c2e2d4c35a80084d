package kvtest

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

// reference is an engine made to be obviously right: one mutex, and a whole new version of
// everything for each commit.
type reference struct {
	mu        sync.Mutex
	closed    bool
	reopened  bool
	lazy      bool // relaxed commits never become durable by themselves
	now       *version
	durable   *version // what a crash leaves
	advanced  chan struct{}
	stamp     kv.Stamp
	written   map[string]kv.Stamp // the commit that wrote a key last, since opening
	snapshots int
	commits   int64
	conflicts int64
}

// version is one state. It never changes.
type version struct {
	Keys    map[string][]byte
	Journal [][]byte
	IDs     map[kv.BatchID]kv.Position
}

func newReference(from *version) *reference {
	return &reference{now: from, durable: from, advanced: make(chan struct{}), written: map[string]kv.Stamp{}}
}

func emptyVersion() *version {
	return &version{Keys: map[string][]byte{}, IDs: map[kv.BatchID]kv.Position{}}
}

func (v *version) clone() *version {
	return &version{maps.Clone(v.Keys), slices.Clip(v.Journal), maps.Clone(v.IDs)}
}

func (v *version) last() kv.Position { return kv.Position(len(v.Journal)) }

// referenceHarness opens references. They persist from one to the next by being kept.
func referenceHarness() Harness {
	return Harness{
		Open: func(testing.TB) kv.Engine { return newReference(emptyVersion()) },
		Reopen: func(_ testing.TB, e kv.Engine) kv.Engine {
			opened := newReference(e.(*reference).now)
			opened.reopened = true
			return opened
		},
		Crash: func(_ testing.TB, e kv.Engine) kv.Engine { return newReference(e.(*reference).left()) },
		OpenBackup: func(t testing.TB, dir string) kv.Engine {
			v, err := readVersion(filepath.Join(dir, "version"))
			if err != nil {
				t.Fatal(err)
			}
			return newReference(v)
		},
		Files: func(t testing.TB, e kv.Engine) fs.FS {
			content, err := encodeVersion(e.(*reference).now)
			if err != nil {
				t.Fatal(err)
			}
			return fstest.MapFS{"version": &fstest.MapFile{Data: content}}
		},
	}
}

var referenceLimits = kv.Limits{KeyBytes: 1 << 10, ValueBytes: 1 << 20, BatchBytes: 4 << 20, RangeReads: true}

// left is what a crash leaves.
func (e *reference) left() *version {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.durable
}

func (e *reference) Snapshot(context.Context) (kv.Snapshot, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, kv.ErrClosed
	}
	e.snapshots++
	return &referenceSnapshot{engine: e, version: e.now, stamp: e.stamp}, nil
}

func (e *reference) Apply(_ context.Context, b *kv.Batch) (kv.Position, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return 0, kv.ErrClosed
	}
	if err := checkBatch(b); err != nil {
		return 0, err
	}
	if at, found := e.now.IDs[b.ID]; found {
		if b.Durability == kv.Synced {
			e.sync()
		}
		return at, nil
	}
	if key, conflict := e.conflict(b.Since, b.Reads); conflict {
		return 0, fmt.Errorf("%q was written: %w", key, kv.ErrConflict)
	}
	next := e.now.clone()
	if err := next.do(b.Ops()); err != nil {
		return 0, err
	}
	at := kv.Position(0)
	if b.Journal != nil {
		next.Journal = append(next.Journal, bytes.Clone(b.Journal))
		at = next.last()
	}
	if b.ID != (kv.BatchID{}) {
		next.IDs[b.ID] = at
	}
	e.commit(next, b.Ops(), b.Durability)
	return at, nil
}

func (e *reference) conflict(since kv.Stamp, reads []kv.Range) (string, bool) {
	for _, r := range reads {
		if string(r.Upper) == string(r.Lower)+"\x00" { // a point; the same, but quicker
			if e.written[string(r.Lower)] > since {
				e.conflicts++
				return string(r.Lower), true
			}
			continue
		}
		for key, at := range e.written {
			if at > since && r.Contains([]byte(key)) {
				e.conflicts++
				return key, true
			}
		}
	}
	return "", false
}

func (v *version) do(list []kv.Op) error {
	for _, o := range list {
		switch key := string(o.Key); o.Kind {
		case kv.Set:
			v.Keys[key] = append([]byte{}, o.Value...)
		case kv.Delete:
			delete(v.Keys, key)
		case kv.Merge:
			value, err := kv.Fold(v.Keys[key], o.Value, true)
			if err != nil {
				return err
			}
			v.Keys[key] = value
		}
	}
	return nil
}

func (e *reference) commit(next *version, list []kv.Op, durability kv.Durability) {
	e.now = next
	e.stamp++
	e.commits++
	for _, o := range list {
		e.written[string(o.Key)] = e.stamp
	}
	if durability == kv.Synced {
		e.sync()
		return
	}
	if e.lazy {
		return
	}
	time.AfterFunc(2*time.Millisecond, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.sync()
	})
}

func (e *reference) sync() {
	e.durable = e.now
	close(e.advanced)
	e.advanced = make(chan struct{})
}

func checkBatch(b *kv.Batch) error {
	if b.Bytes() > referenceLimits.BatchBytes || len(b.Journal) > referenceLimits.ValueBytes {
		return fmt.Errorf("a batch of %d bytes: %w", b.Bytes(), kv.ErrLimit)
	}
	for _, o := range b.Ops() {
		if err := checkOp(o); err != nil {
			return err
		}
	}
	return nil
}

func checkOp(o kv.Op) error {
	if len(o.Key) == 0 || o.Key[0] == 0 || len(o.Key) > referenceLimits.KeyBytes || len(o.Value) > referenceLimits.ValueBytes {
		return fmt.Errorf("key %q: %w", o.Key, kv.ErrLimit)
	}
	if o.Kind == kv.Merge {
		return kv.CheckDelta(o.Value)
	}
	return nil
}

func (e *reference) Ingest(_ context.Context, l *kv.Load) (kv.Position, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return 0, kv.ErrClosed
	}
	sets, err := checkLoad(l)
	if err != nil {
		return 0, err
	}
	for _, o := range sets {
		if e.written[string(o.Key)] > l.Since {
			e.conflicts++
			return 0, fmt.Errorf("%q was written: %w", o.Key, kv.ErrConflict)
		}
	}
	if key, found := e.conflict(l.Since, l.Reads); found {
		return 0, fmt.Errorf("%q was written: %w", key, kv.ErrConflict)
	}
	next := e.now.clone()
	list := append(sets, l.Merges...)
	if err := next.do(list); err != nil {
		return 0, err
	}
	at := kv.Position(0)
	for _, payload := range l.Journal {
		next.Journal = append(next.Journal, append([]byte{}, payload...))
		at = next.last()
	}
	e.commit(next, list, kv.Synced)
	return at, nil
}

// checkLoad checks a load and returns its runs as sets.
func checkLoad(l *kv.Load) ([]kv.Op, error) {
	var sets []kv.Op
	type span struct{ first, last []byte }
	var spans []span
	for _, r := range l.Runs {
		for i := range r.Len() {
			if i > 0 && bytes.Compare(r.Key(i-1), r.Key(i)) >= 0 {
				return nil, fmt.Errorf("run descends at %q: %w", r.Key(i), kv.ErrInvalid)
			}
			sets = append(sets, kv.Op{Kind: kv.Set, Key: r.Key(i), Value: r.Value(i)})
		}
		if n := r.Len(); n > 0 {
			spans = append(spans, span{r.Key(0), r.Key(n - 1)})
		}
	}
	for i, m := range l.Merges {
		if m.Kind != kv.Merge || i > 0 && bytes.Compare(l.Merges[i-1].Key, m.Key) >= 0 {
			return nil, fmt.Errorf("merges out of order at %q: %w", m.Key, kv.ErrInvalid)
		}
		spans = append(spans, span{m.Key, m.Key})
	}
	slices.SortFunc(spans, func(a, b span) int { return bytes.Compare(a.first, b.first) })
	for i := 1; i < len(spans); i++ {
		if bytes.Compare(spans[i-1].last, spans[i].first) >= 0 {
			return nil, fmt.Errorf("ranges overlap at %q: %w", spans[i].first, kv.ErrInvalid)
		}
	}
	for _, payload := range l.Journal {
		if len(payload) > referenceLimits.ValueBytes {
			return nil, fmt.Errorf("an entry of %d bytes: %w", len(payload), kv.ErrLimit)
		}
	}
	for _, o := range append(slices.Clip(sets), l.Merges...) {
		if err := checkOp(o); err != nil {
			return nil, err
		}
	}
	return sets, nil
}

func (e *reference) Changes(_ context.Context, after kv.Position) iter.Seq2[kv.Change, error] {
	e.mu.Lock()
	defer e.mu.Unlock()
	journal, closed := e.durable.Journal, e.closed
	return func(yield func(kv.Change, error) bool) {
		if closed {
			yield(kv.Change{}, kv.ErrClosed)
			return
		}
		for i := int(after); i < len(journal); i++ {
			if !yield(kv.Change{Position: kv.Position(i + 1), Payload: bytes.Clone(journal[i])}, nil) {
				return
			}
		}
	}
}

func (e *reference) Durable() kv.Position { return e.left().last() }

func (e *reference) WaitDurable(ctx context.Context, after kv.Position) error {
	for {
		e.mu.Lock()
		durable, advanced, closed := e.durable.last(), e.advanced, e.closed
		e.mu.Unlock()
		if closed {
			return kv.ErrClosed
		}
		if durable > after {
			return nil
		}
		select {
		case <-advanced:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (e *reference) Backup(_ context.Context, dir string, progress func(done, total int64)) error {
	e.mu.Lock()
	v, closed := e.now, e.closed
	e.mu.Unlock()
	if closed {
		return kv.ErrClosed
	}
	return writeBackup(v, dir, progress)
}

func writeBackup(v *version, dir string, progress func(done, total int64)) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		return fmt.Errorf("%s is not empty (%w)", dir, errors.Join(err, kv.ErrInvalid))
	}
	content, err := encodeVersion(v)
	if err != nil {
		return err
	}
	progress(0, int64(len(content)))
	defer progress(int64(len(content)), int64(len(content)))
	return os.WriteFile(filepath.Join(dir, "version"), content, 0o600)
}

func encodeVersion(v *version) ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(v)
	return b.Bytes(), err
}

func readVersion(name string) (*version, error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	v := emptyVersion()
	return v, gob.NewDecoder(bytes.NewReader(content)).Decode(v)
}

// Purge has nothing to do: no file of a reference holds more than the present.
func (e *reference) Purge(context.Context, []kv.Range) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return kv.ErrClosed
	}
	return nil
}

func (e *reference) Limits() kv.Limits { return referenceLimits }

func (e *reference) Stats() kv.Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return kv.Stats{OpenSnapshots: e.snapshots, Commits: e.commits, Conflicts: e.conflicts}
}

func (e *reference) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	return nil
}

type referenceSnapshot struct {
	engine  *reference
	version *version
	stamp   kv.Stamp
	sorting sync.Once
	sorted  []string

	mu     sync.Mutex
	closed bool
}

func (s *referenceSnapshot) check() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return kv.ErrClosed
	}
	return nil
}

func (s *referenceSnapshot) Get(_ context.Context, key, dst []byte) ([]byte, bool, error) {
	if err := s.check(); err != nil {
		return dst, false, err
	}
	value, found := s.version.Keys[string(key)]
	return append(dst, value...), found, nil
}

func (s *referenceSnapshot) Scan(ctx context.Context, r kv.Range, reverse bool) iter.Seq2[kv.Entry, error] {
	return func(yield func(kv.Entry, error) bool) {
		if err := s.check(); err != nil {
			yield(kv.Entry{}, err)
			return
		}
		s.sorting.Do(func() { s.sorted = slices.Sorted(maps.Keys(s.version.Keys)) })
		for i := range s.sorted {
			if err := ctx.Err(); err != nil {
				yield(kv.Entry{}, err)
				return
			}
			if reverse {
				i = len(s.sorted) - 1 - i
			}
			key := []byte(s.sorted[i])
			if r.Contains(key) && !yield(kv.Entry{Key: key, Value: s.version.Keys[s.sorted[i]]}, nil) {
				return
			}
		}
	}
}

func (s *referenceSnapshot) Stamp() kv.Stamp { return s.stamp }

func (s *referenceSnapshot) Position(context.Context) (kv.Position, error) {
	return s.version.last(), s.check()
}

func (s *referenceSnapshot) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	s.engine.snapshots--
	return nil
}
