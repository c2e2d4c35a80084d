package clientele

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/search"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// Options set how a book is opened. The zero value works.
type Options struct {
	// InMemory makes a book that is gone when it is closed; the directory is ignored.
	InMemory bool
	// Customers sets identifier schemes, number ranges and the home country.
	Customers customer.Options
	// Search sets the search index.
	Search search.Options
	// WithoutSearch opens the book without its search index, which is then neither
	// read nor changed; Search and Pick return ErrNoSearch.
	WithoutSearch bool
	// CacheBytes bounds the memory in which stored blocks are kept; 0 follows the
	// machine's memory, see [pebblekv.Options].
	CacheBytes int64
	// Schema declares the embedder's own tables, sequences and counters, used through
	// Tx.Storage. Their ids are from 128 on; those below are the library's.
	Schema storage.Schema
	// Views are the embedder's own derived data, kept in step like the search index.
	Views []storage.DerivedView
	// Engine keeps the records instead of the embedded one, for instance in a shared
	// database; the book owns it. Use [kvtest] to prove one.
	//
	// [kvtest]: https://pkg.go.dev/github.com/clientele-go/clientele/storage/kv/kvtest
	Engine kv.Engine
	// Clock tells the time of changes; nil is time.Now.
	Clock func() time.Time
	// Metrics receives counts and durations; nil drops them. See
	// storage/slogmetrics and storage/prommetrics.
	Metrics storage.Metrics
	// Logger receives what an operator should know; nil is slog.Default().
	Logger *slog.Logger
}

// Book is one company group's data set. Its methods are safe for concurrent use.
type Book struct {
	store     *storage.Store
	customers *customer.Store
	search    *search.Index // nil without search
}

// Book's folders within its directory.
const (
	recordsFolder = "records"
	searchFolder  = "search"
)

// Open opens the book in a directory, and creates it there when there is none. Only
// one Book can have a directory open at a time, in all processes: the second gets an
// error that wraps ErrInUse. A damaged or missing search index is not an error: it is
// rebuilt while the book is in use.
func Open(ctx context.Context, dir string, opts Options) (*Book, error) {
	customers, err := customer.New(opts.Customers)
	if err != nil {
		return nil, err
	}
	schema := &storage.Schema{}
	customers.AddTo(schema)
	if err := schema.Extend(opts.Schema); err != nil {
		return nil, err
	}
	engine, err := openEngine(dir, opts)
	if err != nil {
		return nil, err
	}
	b := &Book{customers: customers}
	views, err := b.openViews(dir, opts)
	if err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	b.store, err = storage.Open(ctx, engine, schema, views, storage.Options{Clock: opts.Clock, Metrics: opts.Metrics, Logger: opts.Logger})
	if err != nil {
		for _, v := range views {
			err = errors.Join(err, v.Close())
		}
		return nil, err
	}
	return b, nil
}

func openEngine(dir string, opts Options) (kv.Engine, error) {
	if opts.Engine != nil {
		return opts.Engine, nil
	}
	if !opts.InMemory {
		if dir == "" {
			return nil, &storage.Error{Op: "open", Err: errors.New("the directory's name is empty; name one, or set Options.InMemory")}
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, &storage.Error{Op: "open", Key: dir, Err: err}
		}
	}
	engine, err := pebblekv.Open(filepath.Join(dir, recordsFolder), pebblekv.Options{
		InMemory: opts.InMemory, CacheBytes: opts.CacheBytes, Logger: opts.Logger,
	})
	if err != nil {
		return nil, &storage.Error{Op: "open", Key: dir, Err: err}
	}
	return engine, nil
}

// openViews opens the search index beside the embedder's views.
func (b *Book) openViews(dir string, opts Options) ([]storage.DerivedView, error) {
	views := opts.Views
	if opts.WithoutSearch {
		return views, nil
	}
	if dir == "" && !opts.InMemory {
		return nil, &storage.Error{Op: "open", Err: errors.New("the search index has no directory; name one, or set Options.InMemory or WithoutSearch")}
	}
	folder := ""
	if !opts.InMemory {
		folder = filepath.Join(dir, searchFolder)
	}
	view, err := search.OpenView(folder, b.customers, opts.Search)
	if err != nil {
		return nil, err
	}
	b.search = view.Index()
	return append([]storage.DerivedView{view}, views...), nil
}

// Close ends the book's background work and closes its files. Sessions must have
// ended their calls.
func (b *Book) Close() error { return b.store.Close() }

// ID returns the book's id, made at its creation: 32 hex digits.
func (b *Book) ID() string { return b.store.Book() }

// Store returns the storage below the book, for embedders that keep tables of their
// own or need the journal's proofs.
func (b *Book) Store() *storage.Store { return b.store }

// Customers returns how customers are kept: schemes, bulk load, reindexing.
func (b *Book) Customers() *customer.Store { return b.customers }

// Verify reads the whole book and compares everything that is stored twice; see
// [storage.Store.Verify].
func (b *Book) Verify(ctx context.Context, progress func(done, total int)) (*storage.Report, error) {
	return b.store.Verify(ctx, progress)
}

// Repair mends what Verify can find in derived data: indexes, counts, views. It
// returns how many index entries and counts it changed. Records are never touched.
func (b *Book) Repair(ctx context.Context) (int, error) { return b.store.Repair(ctx) }

// Backup writes a copy of the book into dir, which must not exist or be empty, while
// the book is in use, and verifies what it wrote. See [storage.Store.Backup].
func (b *Book) Backup(ctx context.Context, dir string, progress func(done, total int64)) (*storage.Manifest, error) {
	if _, err := b.Purge(ctx); err != nil {
		return nil, err
	}
	return b.store.Backup(ctx, dir, progress)
}

// Restore copies a backup into dir, which must not exist or be empty, for Open. A
// damaged backup is refused with an error that wraps ErrDamagedBackup. The search
// index is rebuilt when the book is opened.
func Restore(ctx context.Context, backup, dir string) (*storage.Manifest, error) {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, &storage.Error{Op: "restore to", Key: dir, Err: fmt.Errorf("%w: the folder is not empty; name a new one", storage.ErrExists)}
	}
	return storage.Restore(ctx, backup, filepath.Join(dir, recordsFolder))
}

// Purge makes the engine rewrite its files so that nothing of erased customers is left
// in them. Backup does it first.
func (b *Book) Purge(ctx context.Context) (int, error) {
	n, err := b.store.Erased(ctx)
	if err != nil {
		return 0, err
	}
	if n > 0 && b.search != nil { // first, since the store forgets then what was erased
		if err := b.store.Sync(ctx, search.ViewName); err != nil {
			return 0, err
		}
		if err := b.search.Compact(ctx); err != nil {
			return 0, err
		}
	}
	return b.store.Purge(ctx)
}

// Health reports the state of the book: journal, engine, views and their lag.
func (b *Book) Health(ctx context.Context) (storage.Health, error) { return b.store.Health(ctx) }

// Head returns the state of the journal, for signing and for proofs; see
// [storage.Head].
func (b *Book) Head(ctx context.Context) (storage.Head, error) { return b.store.Head(ctx) }

// Rebuild makes a view anew from the records while the book is in use; the search
// index is [search.ViewName].
func (b *Book) Rebuild(ctx context.Context, view string) error { return b.store.Rebuild(ctx, view) }
