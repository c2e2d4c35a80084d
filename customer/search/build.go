package search

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
	segment "github.com/blevesearch/scorch_segment_api/v2"

	"github.com/clientele-go/clientele/customer"
)

const (
	// bytesPerDocument is what a document takes in memory until its segment is
	// written, garbage included. Measured with sample customers.
	bytesPerDocument = 3_000

	// maxPiece bounds the documents of a segment as it is made. Larger ones save work in
	// merging and lose it as the tables leave the processor's cache.
	maxPiece = 30_000

	// chunkSize is how many customers a worker gets at a time.
	chunkSize = 100

	// mergeFan is how many pieces become one segment. Merging all at once is the
	// least work; beyond some hundred, looking for the next term among all takes over.
	mergeFan = 128

	// splitFrom is the number of documents from which on the work of the last merge is
	// shared by the workers, which leaves several segments.
	splitFrom = 200_000
)

// Build makes the index anew from customers, each with another id, and lets it take
// over with the cursor in a book's journal. Until then the old one answers, also after a crash. It
// takes a third to a half of the time of Apply and uses Options.Workers goroutines, up to
// Options.BuildMemory, and on disk at most three times the finished index beside the old one.
//
// Batches may be applied meanwhile; they go to the old index, and since Build sets the
// cursor they must be applied again. customers is iterated by the calling goroutine;
// its first error ends the build. progress, if not nil, is called by that goroutine
// with the number of customers taken, now and then.
func (x *Index) Build(ctx context.Context, customers iter.Seq2[*customer.Customer, error], book string, cursor uint64, progress func(done int)) error {
	x.build.Lock()
	defer x.build.Unlock()
	if x.current() == nil {
		return ErrClosed
	}
	if x.dir == "" {
		return x.buildInMemory(ctx, customers, book, cursor, progress)
	}
	name, err := x.prepare(func(path string) (map[string][]byte, []string, error) {
		made, err := newBuilder(path, &x.options).run(ctx, customers, progress)
		return internals(cursor, book, x.options.identity()), made, err
	})
	if err != nil {
		return err
	}
	x.write.Lock()
	defer x.write.Unlock()
	return x.takeOver(name)
}

// prepare makes a generation and returns its name: fill puts segments into the folder
// and returns the internal values and the segments' paths.
func (x *Index) prepare(fill func(path string) (map[string][]byte, []string, error)) (name string, err error) {
	name, err = nextGeneration(x.dir)
	if err != nil {
		return "", err
	}
	path := filepath.Join(x.dir, name)
	if err := os.Mkdir(path, 0o700); err != nil {
		return "", fmt.Errorf("search: %w", err)
	}
	internal, made, err := fill(path)
	if err == nil {
		err = writeGeneration(path, internal, made)
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(path))
	}
	return name, nil
}

// takeOver makes the generation with the name the live one. The caller holds x.write.
func (x *Index) takeOver(name string) error {
	path := filepath.Join(x.dir, name)
	next, err := openGeneration(path, x.options.identity())
	if err != nil {
		return errors.Join(err, os.RemoveAll(path))
	}
	if err := writeCurrent(x.dir, name); err != nil {
		return errors.Join(err, next.close(), os.RemoveAll(path))
	}
	return errors.Join(x.swap(next).close(), removeOthers(x.dir, name))
}

// swap makes next the live generation and returns the one that was.
func (x *Index) swap(next *generation) *generation {
	x.mu.Lock()
	defer x.mu.Unlock()
	old := x.live
	x.live = next
	return old
}

// buildInMemory replaces an index without files, in batches.
func (x *Index) buildInMemory(ctx context.Context, customers iter.Seq2[*customer.Customer, error], book string, cursor uint64, progress func(int)) error {
	next, err := memoryGeneration(x.options.identity())
	if err != nil {
		return err
	}
	done := 0
	put := func(list []*customer.Customer, cursor uint64) error {
		done += len(list)
		if progress != nil {
			progress(done)
		}
		return next.apply(ctx, &Batch{Put: list, Cursor: cursor, Book: book}, x.options.indexed())
	}
	var list []*customer.Customer
	for c, err := range customers {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && len(list) == maxPiece {
			err = put(list, 0)
			list = list[:0]
		}
		if err != nil {
			return errors.Join(err, next.close())
		}
		list = append(list, c)
	}
	if err := put(list, cursor); err != nil {
		return errors.Join(err, next.close())
	}
	x.write.Lock()
	defer x.write.Unlock()
	return x.swap(next).close()
}

// builder turns customers into segments in a folder. The feeding goroutine hands
// them out in chunks; each worker analyses its chunks at once, so that no customer
// is kept, makes a segment of its documents when they are a piece, and merges
// segments when there are enough.
type builder struct {
	path    string
	workers int
	piece   int // documents to a piece
	fan     int // pieces to a merge
	indexed func(string) bool

	failed firstError
	cancel context.CancelFunc

	mu       sync.Mutex
	files    int      // made so far
	pieces   []string // segments not merged yet
	segments []string // finished
}

// firstError keeps the first error of several goroutines.
type firstError struct {
	mu  sync.Mutex
	err error
}

func (f *firstError) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func newBuilder(path string, o *Options) *builder {
	piece := o.BuildMemory / int64(o.Workers) / bytesPerDocument
	return &builder{
		path: path, workers: o.Workers, indexed: o.indexed(), fan: mergeFan,
		piece: int(min(max(100, piece), maxPiece)),
	}
}

// run returns the paths of the finished segments.
func (b *builder) run(ctx context.Context, customers iter.Seq2[*customer.Customer, error], progress func(int)) ([]string, error) {
	ctx, b.cancel = context.WithCancel(ctx)
	defer b.cancel()
	work := make(chan []*customer.Customer)
	var workers sync.WaitGroup
	for range b.workers {
		workers.Go(func() { b.fail(b.work(ctx, work)) })
	}
	n, err := b.feed(ctx, customers, work, progress)
	close(work)
	workers.Wait()
	b.fail(err)
	if b.failed.err != nil {
		return nil, b.failed.err
	}
	b.mergeRest(ctx, n)
	return b.segments, b.failed.err
}

// fail records an error and stops the workers.
func (b *builder) fail(err error) {
	if err != nil {
		b.failed.set(err)
		b.cancel()
	}
}

// feed hands the customers to the workers and returns their number.
func (b *builder) feed(ctx context.Context, customers iter.Seq2[*customer.Customer, error], work chan<- []*customer.Customer, progress func(int)) (int, error) {
	n := 0
	var chunk []*customer.Customer
	send := func() error {
		select {
		case work <- chunk:
		case <-ctx.Done():
			return ctx.Err()
		}
		n += len(chunk)
		if progress != nil {
			progress(n)
		}
		chunk = nil
		return nil
	}
	for c, err := range customers {
		if err != nil {
			return n, err
		}
		if chunk = append(chunk, c); len(chunk) == chunkSize {
			if err := send(); err != nil {
				return n, err
			}
		}
	}
	if len(chunk) == 0 {
		return n, nil
	}
	return n, send()
}

// work analyses customers, and makes a segment of each piece of them.
func (b *builder) work(ctx context.Context, work <-chan []*customer.Customer) error {
	a := analyser{indexed: b.indexed}
	p := newPiece()
	for chunk := range work {
		for _, c := range chunk {
			a.customer(c)
			p.add(c.ID, c.Version, &a.terms)
		}
		if len(p.ids) >= b.piece {
			if err := b.write(ctx, p); err != nil {
				return err
			}
		}
	}
	if len(p.ids) == 0 {
		return nil
	}
	return b.write(ctx, p)
}

// write makes a segment of a piece, and merges segments once there are enough.
func (b *builder) write(ctx context.Context, p *piece) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	path := b.newFile()
	made, err := p.segment(nil)
	if err == nil {
		err = made.Persist(path)
	}
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	p.reset()
	if full := b.addPiece(path); full != nil {
		return b.merge(ctx, full)
	}
	return nil
}

func (b *builder) newFile() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.files++
	return filepath.Join(b.path, fmt.Sprintf("piece-%06d", b.files))
}

// addPiece adds a segment and returns those to be merged once there are enough.
func (b *builder) addPiece(path string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pieces = append(b.pieces, path)
	if len(b.pieces) < b.fan {
		return nil
	}
	full := b.pieces
	b.pieces = nil
	return full
}

// mergeRest merges the segments that remain when all n documents have one.
func (b *builder) mergeRest(ctx context.Context, n int) {
	var workers sync.WaitGroup
	for _, part := range shares(b.pieces, mergeParts(n, b.workers)) {
		workers.Go(func() { b.fail(b.merge(ctx, part)) })
	}
	workers.Wait()
}

// mergeParts is into how many segments n documents are merged by so many workers.
func mergeParts(n, workers int) int {
	if n < splitFrom {
		return 1
	}
	return workers
}

// shares cuts a list into at most n parts of about the same length, none of them empty.
func shares[T any](list []T, n int) [][]T {
	n = min(n, len(list))
	parts := make([][]T, n)
	for i := range parts {
		parts[i] = list[len(list)*i/n : len(list)*(i+1)/n]
	}
	return parts
}

// merge makes a finished segment of several and removes those.
func (b *builder) merge(ctx context.Context, pieces []string) error {
	path := pieces[0]
	if len(pieces) > 1 {
		path = b.newFile()
		if err := mergeFiles(ctx, pieces, path); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.segments = append(b.segments, path)
	return nil
}

// mergeFiles merges segments into one and removes them.
func mergeFiles(ctx context.Context, paths []string, to string) (err error) {
	defer damaged(&err)()
	var opened []segment.Segment
	for _, path := range paths {
		s, openErr := segments.Open(path)
		if openErr != nil {
			err = openErr
			break
		}
		opened = append(opened, s)
	}
	if err == nil {
		err = mergeSegments(ctx, opened, make([]*roaring.Bitmap, len(opened)), to)
	}
	for _, s := range opened {
		err = errors.Join(err, s.Close())
	}
	for _, path := range paths {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// mergeSegments writes a segment of what the others have and drops don't name.
func mergeSegments(ctx context.Context, from []segment.Segment, drops []*roaring.Bitmap, to string) error {
	stop := make(chan struct{})
	defer context.AfterFunc(ctx, func() { close(stop) })()
	_, _, err := segments.Merge(from, drops, to, stop, nil)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	return nil
}
