package stocktake

import (
	"context"
	"iter"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// Beside is what a count asks of the packages beside customers, in one state of the book.
// Whoever is nil isn't there: definitions that need it are refused. All answers are of
// the whole book; the count narrows them to what its session sees.
type Beside struct {
	Tags        Tags
	Units       Units
	Receivables Receivables
	Suspects    Suspects
}

// Tags are the tags that customers hold, and the filters over tags and fields.
type Tags interface {
	// Table is the table, keyed by customer, whose changes are those of tags.
	Table() uint8
	// Expand returns a filter with its saved filters replaced by what they are, and the
	// names of the fields by which it selects, as in [customer.Mask.Hides]: "tag" for any
	// dimension. It fails for a filter that isn't one.
	Expand(filter string) (expanded string, fields []string, err error)
	// Set is the customers in whatever status that a filter matches in this state.
	Set(filter string) (*bitset.Set, error)
	// Match returns what tells whether an expanded filter matches a customer as it was.
	Match(filter string) (func(Past) (bool, error), error)
	// Dimension returns an axis by its code.
	Dimension(code string) (TagAxis, error)
}

// Past is a customer as it was at an instant: its record, and the version of its tags,
// 0 for none yet.
type Past struct {
	Customer *customer.Customer
	Tags     uint64
}

// TagAxis is a dimension of tags.
type TagAxis interface {
	Title() customer.Names
	// Many tells that a customer can hold several of its tags.
	Many() bool
	// Tags returns the tags' keys and labels in the order to show.
	Tags() ([]string, []customer.Names)
	// Add adds one chunk of a tag's holders, whatever is below the tag left out, to a set.
	Add(tag int, chunk uint64, to *bitset.Chunk) error
	// Of returns the places in Tags of what a customer held as it was.
	Of(p Past) ([]int, error)
}

// Units are the nodes of the organisation tree.
type Units interface {
	// Under returns some units and all that were below them on an instant.
	Under(units []customer.UnitID, at time.Time) ([]customer.UnitID, error)
	// Unit returns the unit that stands for one, itself if it wasn't merged, and its names.
	Unit(id customer.UnitID) (customer.UnitID, customer.Names, error)
}

// Receivables are what customers owed, at instants that have a position and a time in the
// definition's zone: as of its day, or the day before at midnight.
type Receivables interface {
	// Follow is told of every entry of the journal after the opening, in order, before
	// anything is asked; since is the time of the latest instant before the entry.
	Follow(entry *storage.Change, since time.Time) error
	// Owing are the customers with an open item or a balance, as far as it was recorded by
	// then, by whom it stood with then.
	Owing(at Instant) (*bitset.Set, error)
	// Aging sums up what some customers owed.
	Aging(at Instant, of bitset.Source) (*Aging, error)
	// EachMonth calls do, until it fails, for each month in which a customer had a document of
	// any kind dated, as far as it was recorded at an instant and by who held it then; i is
	// the place in at, months are counted from January of the year 0, up to that of the
	// instant. invoiced tells that an invoice was among them. Customers come in any order.
	EachMonth(at []Instant, do func(i int, id customer.ID, month int, invoiced bool) error) error
	// Invoiced calls add for what was invoiced in so many complete months before an instant
	// to some customers, which come ascending; i is the place in ids.
	Invoiced(at Instant, months int, ids []customer.ID, add func(i int, currency string, minor int64)) error
}

// Suspects are the customers in pairs that wait for somebody to decide whether they are
// one.
type Suspects interface {
	// Pairs are left out of which not both are among some customers; nil is everybody.
	Suspected(among *bitset.Set) (*bitset.Set, error)
}

// Linked is how a list was found to fit the book.
type Linked struct {
	Row      int // of the list, from 0
	Customer customer.ID
	Sure     bool // decided to be the same; otherwise somebody has to look
}

// Linker compares a list with the book, as package dedupe does. It returns the links in
// the order of rows.
type Linker func(ctx context.Context, rows iter.Seq2[customer.Draft, error]) ([]Linked, error)

// Options set how counts are made. The zero value works for a book of customers alone.
type Options struct {
	// Beside returns what other packages know in a state; nil for nothing.
	Beside func(r *storage.Reader, customers *customer.Reader) Beside
	// Workers is how many goroutines read records; 0 is one for each processor.
	Workers int
}
