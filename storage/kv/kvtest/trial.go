package kvtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

// trial is one run of one property. It remembers the steps taken, so that a failure
// can tell what led to it.
type trial struct {
	testing.TB
	harness Harness
	ctx     context.Context // ends with the trial

	mu      sync.Mutex
	steps   []string
	omitted int
}

// storySteps is how many of the last steps a failure tells.
const storySteps = 30

func (t *trial) note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.steps = append(t.steps, fmt.Sprintf(format, args...))
	if len(t.steps) > 2*storySteps {
		t.omitted += storySteps
		t.steps = append(t.steps[:0], t.steps[storySteps:]...)
	}
}

func (t *trial) story() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.steps) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\nafter these steps:")
	if t.omitted > 0 {
		fmt.Fprintf(&b, "\n  … %d steps before", t.omitted)
	}
	for _, step := range t.steps {
		b.WriteString("\n  " + step)
	}
	return b.String()
}

// Fatalf fails the trial and tells its steps.
func (t *trial) Fatalf(format string, args ...any) {
	t.Helper()
	t.TB.Fatal(fmt.Sprintf(format, args...) + t.story())
}

// times is n, made longer by the scale, or shorter by -short.
func (t *trial) times(n int) int {
	if testing.Short() {
		return max(1, n/4) * t.harness.Scale
	}
	return n * t.harness.Scale
}

// random returns a source that is the same in every run.
func (t *trial) random(stream int) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(t.harness.Scale), uint64(stream)))
}

func (t *trial) open() *subject {
	t.Helper()
	return t.adopt(t.harness.Open(t.TB))
}

func (t *trial) adopt(e kv.Engine) *subject {
	s := &subject{Engine: e, t: t}
	t.Cleanup(func() { s.closeOnce() })
	return s
}

// parallel runs n workers, ends them all when one fails, and fails with its error.
func (t *trial) parallel(n int, work func(ctx context.Context, i int) error) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := work(ctx, i); err != nil {
				cancel(fmt.Errorf("worker %d: %w", i, err))
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		t.Fatalf("%v", err)
	}
}

// within waits until done returns, or fails because it doesn't.
func (t *trial) within(what string, f func() error) error {
	t.Helper()
	result := make(chan error, 1)
	go func() { result <- f() }()
	select {
	case err := <-result:
		return err
	case <-time.After(t.harness.patience):
		t.Fatalf("%s: no answer for %v", what, t.harness.patience)
		return nil
	}
}

// eventually repeats f until it returns nil, or fails with its last error.
func (t *trial) eventually(what string, f func() error) {
	t.Helper()
	deadline := time.Now().Add(t.harness.patience)
	pause := 100 * time.Microsecond
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: still not after %v: %v", what, t.harness.patience, err)
		}
		time.Sleep(pause)
		pause = min(2*pause, 50*time.Millisecond)
	}
}

// subject is an engine under test. Its methods in lower case fail the trial when the
// engine answers otherwise than they say; they are for the trial's own goroutine.
type subject struct {
	kv.Engine
	t    *trial
	gone bool
}

// close closes the engine, which must succeed.
func (s *subject) close() {
	s.t.Helper()
	s.t.note("close")
	s.gone = true
	if err := s.Close(); err != nil {
		s.t.Fatalf("Close: %v", err)
	}
}

func (s *subject) closeOnce() {
	if s.gone {
		return
	}
	s.gone = true
	if err := s.Close(); err != nil {
		s.t.Errorf("Close at the end: %v%s", err, s.t.story())
	}
}

// reopen closes the engine and opens its data again.
func (s *subject) reopen() *subject {
	s.t.Helper()
	if s.t.harness.Reopen == nil {
		s.t.Skip("Harness.Reopen is nil")
	}
	s.close()
	s.t.note("reopen")
	return s.t.adopt(s.t.harness.Reopen(s.t.TB, s.Engine))
}

// crash opens what a loss of power leaves.
func (s *subject) crash() *subject {
	s.t.Helper()
	if s.t.harness.Crash == nil {
		s.t.Skip("Harness.Crash is nil")
	}
	s.t.note("crash and reopen")
	s.gone = true
	return s.t.adopt(s.t.harness.Crash(s.t.TB, s.Engine))
}

// needRanges skips the trial for an engine that doesn't check ranges.
func (s *subject) needRanges() {
	s.t.Helper()
	if !s.Limits().RangeReads {
		s.t.Skip("Limits().RangeReads is false")
	}
}

// try applies a batch made of edits.
func (s *subject) try(edits ...edit) (kv.Position, error) {
	b := newBatch(edits...)
	at, err := s.Apply(s.t.ctx, b)
	s.t.note("%s", outcome(describeBatch(b), at, err))
	return at, err
}

// apply applies a batch, which must succeed.
func (s *subject) apply(edits ...edit) kv.Position {
	s.t.Helper()
	at, err := s.try(edits...)
	if err != nil {
		s.t.Fatalf("Apply: %v, want success", err)
	}
	return at
}

// refuse applies a batch, which must fail with an error that wraps want.
func (s *subject) refuse(want error, edits ...edit) {
	s.t.Helper()
	at, err := s.try(edits...)
	if !errors.Is(err, want) {
		s.t.Fatalf("Apply returned (%d, %v), want an error that wraps %s", at, err, name(want))
	}
	if at != 0 {
		s.t.Fatalf("Apply returned position %d with its error, want 0", at)
	}
}

// settle applies what step makes of a new snapshot, again and again while the engine
// says conflict, as it may for a stamp that it can't judge. In a quiet engine
// it must succeed some time.
func (s *subject) settle(step func(v *view) []edit) kv.Position {
	s.t.Helper()
	var at kv.Position
	s.t.eventually("Apply from new snapshots with nothing against it", func() error {
		v := s.snapshot()
		defer v.Close()
		var err error
		if at, err = s.try(step(v)...); err != nil && !errors.Is(err, kv.ErrConflict) {
			s.t.Fatalf("Apply: %v, want success", err)
		}
		return err
	})
	return at
}

func (s *subject) tryIngest(l *kv.Load) (kv.Position, error) {
	at, err := s.Ingest(s.t.ctx, l)
	s.t.note("%s", outcome(describeLoad(l), at, err))
	return at, err
}

// ingest commits a load with the stamp of a new snapshot; it must succeed some time.
func (s *subject) ingest(l kv.Load) kv.Position {
	s.t.Helper()
	var at kv.Position
	s.t.eventually("Ingest from new snapshots with nothing against it", func() error {
		v := s.snapshot()
		defer v.Close()
		l.Since = v.Stamp()
		var err error
		if at, err = s.tryIngest(&l); err != nil && !errors.Is(err, kv.ErrConflict) {
			s.t.Fatalf("Ingest: %v, want success", err)
		}
		return err
	})
	return at
}

// refuseIngest ingests from a new snapshot; it must fail with an error that wraps want.
func (s *subject) refuseIngest(want error, l kv.Load) {
	s.t.Helper()
	v := s.snapshot()
	defer v.Close()
	l.Since = v.Stamp()
	at, err := s.tryIngest(&l)
	if !errors.Is(err, want) {
		s.t.Fatalf("Ingest returned (%d, %v), want an error that wraps %s", at, err, name(want))
	}
}

func (s *subject) snapshot() *view {
	s.t.Helper()
	snapshot, err := s.Snapshot(s.t.ctx)
	if err != nil {
		s.t.Fatalf("Snapshot: %v", err)
	}
	v := &view{Snapshot: snapshot, t: s.t}
	s.t.Cleanup(func() { snapshot.Close() })
	return v
}

// want checks one key in a new snapshot.
func (s *subject) want(key, value string) {
	s.t.Helper()
	v := s.snapshot()
	defer v.Close()
	v.want(key, value)
}

// wantAbsent checks that keys are absent in a new snapshot.
func (s *subject) wantAbsent(keys ...string) {
	s.t.Helper()
	v := s.snapshot()
	defer v.Close()
	for _, key := range keys {
		v.wantAbsent(key)
	}
}

// wantState checks all keys in a new snapshot.
func (s *subject) wantState(want model) {
	s.t.Helper()
	v := s.snapshot()
	defer v.Close()
	v.wantState(want)
}

// changes reads the journal after a position and checks that it is gapless.
func (s *subject) changes(after kv.Position) []kv.Change {
	s.t.Helper()
	changes, err := readChanges(s.t.ctx, s.Engine, after)
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	return changes
}

// wantJournal checks all payloads of the journal, once it is durable that far.
func (s *subject) wantJournal(want ...string) {
	s.t.Helper()
	late := s.waitUntilDurable(kv.Position(len(want)))
	var got []string
	for _, c := range s.changes(0) {
		got = append(got, string(c.Payload))
	}
	if late != nil || !slices.Equal(got, want) {
		s.t.Fatalf("the journal is %s (%v), want %s", describeStrings(got), late, describeStrings(want))
	}
}

// awaitDurable waits until position at is durable, which must not take long.
func (s *subject) awaitDurable(at kv.Position) {
	s.t.Helper()
	if err := s.waitUntilDurable(at); err != nil {
		s.t.Fatalf("%v", err)
	}
}

func (s *subject) waitUntilDurable(at kv.Position) error {
	if at == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.t.ctx, s.t.harness.patience)
	defer cancel()
	if err := s.WaitDurable(ctx, at-1); err != nil {
		return fmt.Errorf("WaitDurable(%d): %w; Durable() is %d, want it to reach %d", at-1, err, s.Durable(), at)
	}
	return nil
}

// readChanges collects the journal after a position and checks that it is gapless.
func readChanges(ctx context.Context, e kv.Engine, after kv.Position) ([]kv.Change, error) {
	var changes []kv.Change
	for c, err := range e.Changes(ctx, after) {
		if err != nil {
			return nil, fmt.Errorf("Changes(%d): %w", after, err)
		}
		if want := after + kv.Position(len(changes)) + 1; c.Position != want {
			return nil, fmt.Errorf("Changes(%d) yields position %d, want %d", after, c.Position, want)
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// shift keeps workers busy beside each other: each goes on until all have done their share.
type shift struct {
	workers  int32
	finished atomic.Int32
}

// more reports whether a worker that has done n pieces of work does another one. It is
// to be asked for each n from 0 on.
func (s *shift) more(ctx context.Context, n, share int) bool {
	if n == share {
		s.finished.Add(1)
	}
	return ctx.Err() == nil && (n < share || s.finished.Load() < s.workers)
}

// leave is for a worker that stops when it has done its share, rather than ask for more.
func (s *shift) leave() { s.finished.Add(1) }

// barrier lets goroutines go on together.
type barrier struct {
	mu      sync.Mutex
	parties int
	waiting int
	open    chan struct{}
}

func newBarrier(parties int) *barrier {
	return &barrier{parties: parties, open: make(chan struct{})}
}

// wait returns when all parties wait, or with an error when ctx ends.
func (b *barrier) wait(ctx context.Context) error {
	b.mu.Lock()
	open := b.open
	b.waiting++
	if b.waiting == b.parties {
		b.waiting, b.open = 0, make(chan struct{})
		close(open)
	}
	b.mu.Unlock()
	select {
	case <-open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
