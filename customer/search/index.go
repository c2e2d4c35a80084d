package search

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/clientele-go/clientele/customer"
)

// Why an index cannot be opened or read. The first three call for [Create] and then
// [Index.Build].
var (
	ErrMissing = errors.New("search index is missing")
	ErrCorrupt = errors.New("search index is damaged")
	ErrRebuild = errors.New("search index has another format or other attributes")
	ErrLocked  = errors.New("search index is open elsewhere")
)

var (
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("search index is closed")
	// ErrStale is returned by Apply for a batch that doesn't follow the cursor.
	ErrStale = errors.New("batch does not follow the cursor of the search index")
)

// Options set up an index. The zero value works.
type Options struct {
	// Attributes are the names of the custom attributes that filters and facets may
	// use. An index that was made with others is refused with ErrRebuild.
	Attributes []string

	// Workers is how many goroutines Build uses; 0 means one for each processor, at least two.
	Workers int

	// BuildMemory bounds what Build holds in memory, in bytes; 0 means 256 MiB.
	// Less memory makes more and smaller pieces and a little more work.
	BuildMemory int64
}

func (o *Options) defaults() {
	if o.Workers <= 0 {
		o.Workers = max(2, runtime.GOMAXPROCS(0))
	}
	if o.BuildMemory <= 0 {
		o.BuildMemory = 256 << 20
	}
	o.Attributes = slices.Clone(o.Attributes)
	slices.Sort(o.Attributes)
}

// An Index finds customers. Its methods may be called by several goroutines at the
// same time; batches are applied one after the other.
type Index struct {
	dir     string
	options Options

	write sync.Mutex // held while documents change or a generation takes over
	build sync.Mutex // held by Build and Compact, which prepare a generation

	mu   sync.RWMutex // guards live
	live *generation  // nil once closed
}

// Open opens the index in dir. It returns an error matching ErrMissing, ErrCorrupt or
// ErrRebuild when there is none that can be used, and ErrLocked when somebody else
// has it. An empty dir means a new index in memory.
func Open(dir string, options Options) (*Index, error) {
	x := &Index{dir: dir, options: options}
	x.options.defaults()
	if dir == "" {
		return x, x.start("", 0)
	}
	name, err := readCurrent(dir)
	if err != nil {
		return nil, err
	}
	g, err := openGeneration(filepath.Join(dir, name), x.options.identity())
	if err != nil {
		return nil, err
	}
	x.live = g
	return x, removeOthers(dir, name)
}

// Create makes an empty index with the cursor 0 in dir and removes what was there
// of an older one, which nobody may have open. An empty dir means an index in memory.
func Create(dir string, options Options) (*Index, error) {
	x := &Index{dir: dir, options: options}
	x.options.defaults()
	if err := x.start(dir, 0); err != nil {
		return nil, err
	}
	return x, nil
}

// start makes an empty generation and lets it take over.
func (x *Index) start(dir string, cursor uint64) error {
	if dir == "" {
		g, err := memoryGeneration(x.options.identity())
		x.live = g
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	name, err := nextGeneration(dir)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, name)
	if err := writeGeneration(path, internals(cursor, "", x.options.identity()), nil); err != nil {
		return err
	}
	if err := writeCurrent(dir, name); err != nil {
		return err
	}
	if err := removeOthers(dir, name); err != nil {
		return err
	}
	x.live, err = openGeneration(path, x.options.identity())
	return err
}

// identity names what documents depend on apart from the customers.
func (o *Options) identity() string {
	return fmt.Sprintf("%d\n%s", formatVersion, strings.Join(o.Attributes, "\n"))
}

// formatVersion counts up whenever what a document has changes.
const formatVersion = 3

// Close writes what is in memory and ends all goroutines of the index. It waits for
// a Build or Compact under way, whose context ends them.
func (x *Index) Close() error {
	x.build.Lock()
	defer x.build.Unlock()
	x.write.Lock()
	defer x.write.Unlock()
	g := x.current()
	if g == nil {
		return nil
	}
	err := g.flush(context.Background())
	x.swap(nil)
	return errors.Join(err, g.close())
}

// current returns the live generation, nil once the index is closed.
func (x *Index) current() *generation {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.live
}

// view returns the newest state of the index. The caller closes it.
func (x *Index) view() (*view, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.live == nil {
		return nil, ErrClosed
	}
	return x.live.view()
}

// Cursor returns the position of the last batch applied or built; 0 in a new index.
func (x *Index) Cursor() (uint64, error) {
	v, err := x.view()
	if err != nil {
		return 0, err
	}
	defer v.close()
	return v.cursor()
}

// place returns the cursor and the book that it is of.
func (x *Index) place() (cursor uint64, book string, err error) {
	v, err := x.view()
	if err != nil {
		return 0, "", err
	}
	defer v.close()
	if cursor, err = v.cursor(); err != nil {
		return 0, "", err
	}
	name, err := v.snapshot.GetInternal(bookKey)
	return cursor, string(name), err
}

// Batch is a set of changes that become visible together and with the cursor.
type Batch struct {
	Put    []*customer.Customer // new or changed; of several with an id the last counts
	Remove []customer.ID        // unknown ones and those that are put are ignored
	After  uint64               // the cursor that the batch follows
	Cursor uint64               // the cursor from then on
	Book   string               // the book whose journal the cursor is a place in
}

// Apply applies a batch: all of it and its cursor, or nothing, also through a
// crash. When it returns, searches see the changes; that they survive a crash may
// take a little longer, so feed the index again from [Index.Cursor] after one.
//
// It returns an error matching [ErrStale] unless b.After is the cursor, which keeps
// a feeder from skipping changes when a rebuilt index took over. Customers are
// read until Apply returns. A batch of one takes about 1 ms; large ones cost less for
// each customer, 20 to 60 µs from a thousand on, and 2 KB of memory.
func (x *Index) Apply(ctx context.Context, b Batch) error {
	x.write.Lock()
	defer x.write.Unlock()
	g := x.current()
	if g == nil {
		return ErrClosed
	}
	cursor, err := x.Cursor()
	if err != nil {
		return err
	}
	if cursor != b.After {
		return fmt.Errorf("search: batch follows %d: %w, which is %d", b.After, ErrStale, cursor)
	}
	return g.apply(ctx, &b, x.options.indexed())
}

// Flush waits until all batches applied so far would survive a crash.
func (x *Index) Flush(ctx context.Context) error {
	g := x.current()
	if g == nil {
		return ErrClosed
	}
	return g.flush(ctx)
}

// indexed reports for an attribute's name whether it has terms.
func (o *Options) indexed() func(string) bool {
	return func(name string) bool {
		_, ok := slices.BinarySearch(o.Attributes, name)
		return ok
	}
}

// The values that Bleve stores with each batch.
var (
	cursorKey   = []byte("cursor")
	bookKey     = []byte("book")
	identityKey = []byte("identity")
)

func internals(cursor uint64, book, identity string) map[string][]byte {
	return map[string][]byte{
		string(cursorKey):   binary.BigEndian.AppendUint64(nil, cursor),
		string(bookKey):     []byte(book),
		string(identityKey): []byte(identity),
	}
}
