package clientele

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/search"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
	"github.com/clientele-go/clientele/tagging"
	"github.com/clientele-go/clientele/tagging/classify"
)

// Options set how a book is opened. The zero value works.
type Options struct {
	// InMemory makes a book that is gone when it is closed; the directory is ignored.
	InMemory bool
	// Customers sets identifier schemes, number ranges and the home country.
	Customers customer.Options
	// Tags sets how customers are classified.
	Tags tagging.Options
	// Rules sets how rules classify customers.
	Rules classify.Options
	// Org sets how the organisation is kept.
	Org orgtree.Options
	// Credit sets how receivables and credit limits are kept.
	Credit credit.Options
	// Dedupe sets how duplicates are found and merged.
	Dedupe dedupe.Options
	// Search sets the search index.
	Search search.Options
	// WithoutSearch opens the book without its search index, which is then neither
	// read nor changed, though Purge may remove it; Search and Pick return ErrNoSearch.
	WithoutSearch bool
	// CacheBytes bounds the memory in which what is stored is kept; 0 follows the
	// machine's memory, see [pebblekv.Options].
	CacheBytes int64
	// Schema declares the embedder's own tables, sequences and counters, used through
	// Tx.Storage. Their ids are from 128 on; those below are the library's.
	Schema storage.Schema
	// Views are the embedder's own derived data, kept in step like the search index. The
	// book owns and closes them.
	Views []storage.DerivedView
	// Engine keeps the records instead of the embedded one, for instance in a shared
	// database; the book owns it. Use [kvtest] to prove one.
	//
	// [kvtest]: https://pkg.go.dev/github.com/clientele-go/clientele/storage/kv/kvtest
	Engine kv.Engine
	// Clock tells the time of changes; nil is time.Now. It is called from several
	// goroutines at a time.
	Clock func() time.Time
	// TickEvery is how often the book writes in the background what follows from time or
	// from changed definitions: tags and assignments to units that begin or end, merged
	// tags, and what rules say by the clock. Queries are right without it, but slower the
	// more there is to write. 0 is a minute, negative is never: then call the Tick and
	// Settle of Tags, and the Tick of Org and Rules. Health tells what fails.
	TickEvery time.Duration
	// Metrics receives counts and durations; nil drops them. See
	// storage/slogmetrics and storage/prommetrics.
	Metrics storage.Metrics
	// Logger receives what an operator should know; nil is slog.Default().
	Logger *slog.Logger
}

// Book is one company group's data set. Its methods are safe for concurrent use.
type Book struct {
	store      *storage.Store
	customers  *customer.Store
	tags       *tagging.Store
	rules      *classify.Rules
	org        *orgtree.Store
	credit     *credit.Store
	dedupe     *dedupe.Store
	imports    *exchange.Store
	stocktakes *stocktake.Store
	country    string         // of phones and addresses that name none
	currency   money.Currency // of imported amounts that name none
	likely     bool           // likely duplicates are looked for when customers are created one by one
	search     *search.Index  // nil without search
	searchDir  string         // of the search index, also without search; empty in memory
	clock      *clock         // nil when it never ticks
}

// Book's folders within its directory.
const (
	recordsFolder = "records"
	searchFolder  = "search"
)

// Open opens the book in a directory, and creates it there when there is none. Only
// one Book can have a directory open at a time, in all processes: the second gets an
// error that wraps ErrInUse. A damaged or missing search index is not an error: it is
// rebuilt while the book is in use. Indexes that an earlier version of the program made
// otherwise are made anew before Open returns. When Open fails it closes Options.Engine
// and Options.Views.
func Open(ctx context.Context, dir string, opts Options) (*Book, error) {
	b, schema, err := describe(opts)
	if err != nil {
		return nil, errors.Join(err, closeGiven(opts.Engine, opts.Views))
	}
	engine, err := openEngine(dir, opts)
	if err != nil {
		return nil, errors.Join(err, closeGiven(nil, opts.Views))
	}
	if !opts.InMemory && dir != "" {
		b.searchDir = filepath.Join(dir, searchFolder)
	}
	views, err := b.openViews(dir, opts)
	if err != nil {
		return nil, errors.Join(err, closeGiven(engine, opts.Views))
	}
	b.store, err = storage.Open(ctx, engine, schema, views, storage.Options{Clock: opts.Clock, Metrics: opts.Metrics, Logger: opts.Logger})
	if err != nil {
		return nil, err
	}
	if err := b.rules.Start(b.store); err != nil {
		return nil, errors.Join(err, b.store.Close())
	}
	b.startClock(opts)
	return b, nil
}

// describe makes a book that is not open yet, and the schema of all that it holds.
func describe(opts Options) (*Book, *storage.Schema, error) {
	customers, err := customer.New(opts.Customers)
	if err != nil {
		return nil, nil, err
	}
	if opts.Tags.Clock == nil {
		opts.Tags.Clock = opts.Clock
	}
	if opts.Org.Clock == nil {
		opts.Org.Clock = opts.Clock
	}
	opts.Rules.TickEvery = cmp.Or(opts.Rules.TickEvery, opts.TickEvery)
	b := &Book{customers: customers, tags: tagging.New(opts.Tags), imports: exchange.New(), country: cmp.Or(opts.Customers.Country, "CN"), currency: base(opts.Credit), likely: opts.Dedupe.Policy != dedupe.Allow}
	if opts.Org.Filters == nil {
		opts.Org.Filters = filters{b.tags}
	}
	if opts.Org.CheckOverlay == nil {
		opts.Org.CheckOverlay = checkOverlay
	}
	b.org = orgtree.New(opts.Org)
	b.customers.Elsewhere(b.org.Elsewhere)
	b.customers.Placing(b.org.LoadCheck)
	b.describeCredit(&opts)
	opts.Dedupe.Country = cmp.Or(opts.Dedupe.Country, b.country)
	if b.dedupe, err = dedupe.New(opts.Dedupe, customers); err != nil {
		return nil, nil, err
	}
	if b.rules, err = classify.New(opts.Rules, customers, b.tags); err != nil {
		return nil, nil, err
	}
	b.stocktakes = stocktake.New(stocktake.Options{Beside: b.beside})
	schema := &storage.Schema{}
	b.customers.AddTo(schema)
	b.tags.AddTo(schema)
	b.rules.AddTo(schema)
	b.org.AddTo(schema)
	b.credit.AddTo(schema)
	b.dedupe.AddTo(schema)
	b.imports.AddTo(schema)
	b.stocktakes.AddTo(schema)
	return b, schema, schema.Extend(opts.Schema)
}

// closeGiven closes what Open was given and can't use.
func closeGiven(engine kv.Engine, views []storage.DerivedView) error {
	var errs []error
	for _, v := range views {
		errs = append(errs, v.Close())
	}
	if engine != nil {
		errs = append(errs, engine.Close())
	}
	return errors.Join(errs...)
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

// openViews opens the search index and the rules beside the embedder's views.
func (b *Book) openViews(dir string, opts Options) ([]storage.DerivedView, error) {
	views := append([]storage.DerivedView{b.rules.View()}, opts.Views...)
	if opts.WithoutSearch {
		return views, nil
	}
	if dir == "" && !opts.InMemory {
		return nil, &storage.Error{Op: "open", Err: errors.New("the search index has no directory; name one, or set Options.InMemory or WithoutSearch")}
	}
	view, err := search.OpenView(b.searchDir, b.customers, opts.Search)
	if err != nil {
		return nil, err
	}
	b.search = view.Index()
	return append([]storage.DerivedView{view}, views...), nil
}

// Close ends the book's background work and closes its files. Sessions must have
// ended their calls.
func (b *Book) Close() error {
	b.clock.end()
	return b.store.Close()
}

// ID returns the book's id, made at its creation: 32 hex digits.
func (b *Book) ID() string { return b.store.Book() }

// Store returns the storage below the book, for embedders that keep tables of their
// own or need the journal's proofs.
func (b *Book) Store() *storage.Store { return b.store }

// Customers returns how customers are kept: schemes, bulk load, reindexing.
func (b *Book) Customers() *customer.Store { return b.customers }

// Tags returns how tags are kept: bulk load and changes, the clock's work, settling. A
// job on many customers comes from [Session.Job].
func (b *Book) Tags() *tagging.Store { return b.tags }

// Rules returns the rules that classify customers: rule sets, dry runs, explanations,
// bulk evaluation, quarantine. They follow changes some hundredths of a second behind,
// half a second while much is written;
// see [classify.Rules.Sync].
func (b *Book) Rules() *classify.Rules { return b.rules }

// Org returns how the organisation is kept: transfers of many customers, merged units'
// records, the clock's work. A job on many customers comes from [Session.OrgJob].
func (b *Book) Org() *orgtree.Store { return b.org }

// Dedupe returns how duplicates are found and merged: runs over the book, links with other
// lists, merges of large clusters. A job on them comes from [Session.DedupeJob].
func (b *Book) Dedupe() *dedupe.Store { return b.dedupe }

// Credit returns the store of receivables and limits, for bulk loads, queues and repairs,
// all with [Session.CreditJob].
func (b *Book) Credit() *credit.Store { return b.credit }

// Verify reads the whole book and compares everything that is stored twice; see
// [storage.Store.Verify] and [credit.Store.Verify].
func (b *Book) Verify(ctx context.Context, progress func(done, total int)) (*storage.Report, error) {
	return b.store.Verify(ctx, progress, b.credit.Verify(b.customers))
}

// Repair mends what Verify can find in derived data: indexes, counts, views, pages of
// open items, exposure. It returns how many index entries, counts, accounts and sums it
// changed. Records are never touched.
func (b *Book) Repair(ctx context.Context) (int, error) {
	n, err := b.store.Repair(ctx)
	if err != nil {
		return n, err
	}
	mended, err := b.repairCredit(ctx)
	return n + mended, err
}

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
	if dir == "" {
		return nil, &storage.Error{Op: "restore", Err: fmt.Errorf("%w: the directory's name is empty; name one", storage.ErrInvalid)}
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, &storage.Error{Op: "restore to", Key: dir, Err: fmt.Errorf("%w: the folder is not empty; name a new one", storage.ErrExists)}
	}
	return storage.Restore(ctx, backup, filepath.Join(dir, recordsFolder))
}

// Purge makes the engine rewrite its files so that nothing of erased customers is left
// in them. Backup does it first. In a book that is open without search it removes the
// search index, which can't be cleaned then and is rebuilt when it is wanted again.
func (b *Book) Purge(ctx context.Context) (int, error) {
	n, err := b.store.Erased(ctx)
	if err != nil {
		return 0, err
	}
	if n > 0 { // first, since the store forgets then what was erased
		if err := b.purgeSearch(ctx); err != nil {
			return 0, err
		}
	}
	return b.store.Purge(ctx)
}

func (b *Book) purgeSearch(ctx context.Context) error {
	if b.search == nil {
		if b.searchDir == "" {
			return nil
		}
		if err := os.RemoveAll(b.searchDir); err != nil {
			return &storage.Error{Op: "purge", Key: b.searchDir, Err: err}
		}
		return nil
	}
	if err := b.store.Sync(ctx, search.ViewName); err != nil {
		return err
	}
	return b.search.Compact(ctx)
}

// Health reports the state of the book: journal, engine, views and their lag, and work in
// the background that failed when it was last tried.
func (b *Book) Health(ctx context.Context) (storage.Health, error) {
	health, err := b.store.Health(ctx)
	if err != nil {
		return health, err
	}
	for _, failed := range []error{b.clock.problem(), b.rules.Err()} {
		if failed != nil {
			health.Problems = append(health.Problems, failed.Error())
		}
	}
	return health, nil
}

// Head returns the state of the journal, for signing and for proofs; see
// [storage.Head].
func (b *Book) Head(ctx context.Context) (storage.Head, error) { return b.store.Head(ctx) }

// Rebuild makes a view anew from the records while the book is in use; the search
// index is [search.ViewName].
func (b *Book) Rebuild(ctx context.Context, view string) error { return b.store.Rebuild(ctx, view) }
