package storage

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
)

// RowWork is what [LoadRows] does with each row. A row for which a step returns an error
// is left out, with whatever it had added.
type RowWork[T any] struct {
	// Prepare does what concerns the row alone, such as checking it, on any core and for
	// several rows at once. It may be nil.
	Prepare func(row *T) error
	// Place does what must be done for one row after another in their order, such as
	// drawing numbers, while all other rows wait. It may be nil.
	Place func(l *Loader, row *T) error
	// Add adds the row's records by [Table.Load] and counts by [Counter.Load], on any
	// core and for several rows at once.
	Add func(l *Loader, row *T) error
	// LeftOut is called from the goroutine that runs the load, in the order of rows, for
	// each row for which a step returned an error; returning an error ends the load.
	// Without it the first such row ends the load.
	LeftOut func(row int, err error) error
	// Batch is how many rows one goroutine works on at a time, at most 128; 0 is 128. Few
	// are right for rows that come to many records each.
	Batch int
}

// LoadRows is [Store.Load] with the work on the rows shared out among all cores. f
// fills one row after another:
//
//	*l.Row() = …
//	err := l.Next()
//
// A panic in a step ends the load with an error.
func LoadRows[T any](ctx context.Context, s *Store, session Session, opts LoadOptions, work RowWork[T], f func(*RowLoader[T]) error) (Loaded, error) {
	return s.load(ctx, session, opts, func(ld *load) error {
		l := &RowLoader[T]{load: ld, work: work, full: rowsPerBatch}
		if work.Batch > 0 {
			l.full = min(work.Batch, rowsPerBatch)
		}
		l.turn.passed.L = &l.turn.mu
		stop := l.start(runtime.GOMAXPROCS(0))
		defer stop()
		l.batch = l.newBatch()
		if err := f(l); err != nil {
			return err
		}
		return l.finish()
	})
}

// rowsPerBatch is how many rows one goroutine works on at a time, if need be.
const rowsPerBatch = 128

// RowLoader takes the rows of a load. It is not safe for concurrent use.
type RowLoader[T any] struct {
	load   *load
	work   RowWork[T]
	batch  *rowBatch[T]
	full   int // rows of a batch
	number int // of the batch
	queue  chan *rowBatch[T]
	atWork []*rowBatch[T] // in order
	most   int            // batches at work
	spare  []*rowBatch[T]
	turn   turn
}

// rowBatch is some rows on their way through the steps.
type rowBatch[T any] struct {
	number int
	rows   [rowsPerBatch]T
	n      int
	chunk  *loadChunk
	left   []leftRow
	failed error // of a panic
	done   chan struct{}
}

type leftRow struct {
	row int // in the batch
	err error
}

// Row returns where the next row goes. It holds what a former row left there, so that
// its memory can be used again, and belongs to the load from Next on.
func (l *RowLoader[T]) Row() *T { return &l.batch.rows[l.batch.n] }

// Number is the next row's number, from 0.
func (l *RowLoader[T]) Number() int { return l.batch.chunk.firstRow + l.batch.n }

// Next hands the row over.
func (l *RowLoader[T]) Next() error {
	if l.batch.n++; l.batch.n < l.full {
		return nil
	}
	return l.send()
}

func (l *RowLoader[T]) send() error {
	if len(l.atWork) == l.most {
		if err := l.collect(); err != nil {
			return err
		}
	}
	first := l.Number()
	l.queue <- l.batch
	l.atWork = append(l.atWork, l.batch)
	l.batch = l.newBatch()
	l.batch.chunk.firstRow = first
	return nil
}

func (l *RowLoader[T]) finish() error {
	if l.batch.n > 0 {
		if err := l.send(); err != nil {
			return err
		}
	}
	for len(l.atWork) > 0 {
		if err := l.collect(); err != nil {
			return err
		}
	}
	return nil
}

// collect takes the oldest batch, waiting for its end.
func (l *RowLoader[T]) collect() error {
	b := l.atWork[0]
	l.atWork = append(l.atWork[:0], l.atWork[1:]...)
	<-b.done
	if b.failed != nil {
		return b.failed
	}
	for _, left := range b.left {
		if l.work.LeftOut == nil {
			return left.err
		}
		if err := l.work.LeftOut(b.chunk.firstRow+left.row, left.err); err != nil {
			return err
		}
	}
	l.load.loaded.Refused += len(b.left)
	err := l.load.take(b.chunk)
	b.chunk = nil
	l.spare = append(l.spare, b)
	return err
}

func (l *RowLoader[T]) newBatch() *rowBatch[T] {
	b := &rowBatch[T]{done: make(chan struct{}, 1)}
	if last := len(l.spare) - 1; last >= 0 {
		b, l.spare = l.spare[last], l.spare[:last]
	}
	b.number, b.n, b.left = l.number, 0, b.left[:0]
	b.chunk = l.load.newChunk(0)
	l.number++
	return b
}

// start starts the workers. stop ends them, when they have done what was sent.
func (l *RowLoader[T]) start(workers int) (stop func()) {
	l.most = 3 * workers // enough that none waits for rows while others wait for their turn
	l.queue = make(chan *rowBatch[T], l.most)
	var working sync.WaitGroup
	for range workers {
		worker := l.load.newLoader()
		working.Go(func() {
			for b := range l.queue {
				l.run(worker, b)
				b.done <- struct{}{}
			}
		})
	}
	return func() {
		close(l.queue)
		working.Wait()
	}
}

// run takes a batch through the steps.
func (l *RowLoader[T]) run(w *Loader, b *rowBatch[T]) {
	if l.work.Place != nil {
		defer l.turn.pass(b.number) // also of a batch that didn't come so far
	}
	defer func() {
		if thrown := recover(); thrown != nil {
			b.failed = fmt.Errorf("panic in a load: %v\n%s", thrown, debug.Stack())
		}
	}()
	w.begin(b.chunk)
	defer b.chunk.close()
	var failed [rowsPerBatch]error
	if l.work.Prepare != nil {
		for i := range b.n {
			failed[i] = l.work.Prepare(&b.rows[i])
		}
	}
	if l.work.Place != nil {
		l.turn.await(b.number)
		for i := range b.n {
			if w.row = b.chunk.firstRow + i; failed[i] == nil {
				failed[i] = l.work.Place(w, &b.rows[i])
			}
		}
		l.turn.pass(b.number)
	}
	for i := range b.n {
		end := b.chunk.end()
		if w.row = b.chunk.firstRow + i; failed[i] == nil {
			failed[i] = l.work.Add(w, &b.rows[i])
		}
		if failed[i] != nil {
			b.chunk.rewind(end)
			b.chunk.left++
			b.left = append(b.left, leftRow{i, failed[i]})
		}
		b.chunk.rows++
	}
}

// turn lets batches through one after another, by number.
type turn struct {
	mu     sync.Mutex
	passed sync.Cond
	next   int
}

func (t *turn) await(number int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.next < number {
		t.passed.Wait()
	}
}

// pass ends the turn of a batch, waiting for it if need be; a second call does nothing.
func (t *turn) pass(number int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.next < number {
		t.passed.Wait()
	}
	if t.next == number {
		t.next++
		t.passed.Broadcast()
	}
}
