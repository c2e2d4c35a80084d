package dedupe

import (
	"cmp"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe/compare"
	"github.com/clientele-go/clientele/dedupe/match"
	"github.com/clientele-go/clientele/storage"
)

// Options set how duplicates are found and merged. The zero value works.
type Options struct {
	// Policy says what happens when a likely duplicate is created; the zero one doesn't
	// look. Bulk loads are never held up: run over the book after them.
	Policy Policy
	// Fields are what is compared; nil is [DefaultFields]. Other fields make the index of
	// likenesses anew when the book is opened.
	Fields []Field
	// Country is the ISO 3166-1 alpha-2 country of phones without a calling code; empty
	// is that of the book's customers, "CN" where they have none.
	Country string
	// Comparators replace comparators of package compare in runs and scores, or add types.
	Comparators map[compare.Type]func(compare.Type, compare.Options) (compare.Comparator, error)
	// WithoutCandidates keeps no index of likenesses: some nine entries of each
	// customer less, and Candidates finds nobody.
	WithoutCandidates bool
	// Worth places a pair in the review queue, from 0 to 1, the highest first; nil is its
	// probability. It depends on its arguments alone.
	Worth func(a, b *customer.Customer, probability float64) float64
	// Survivorship chooses the fields of a merge's survivor where a merge names no
	// rules of its own.
	Survivorship Survivorship
	// Participants are an embedder's own, by name: what keeps data of customers in
	// tables of its own, and so takes part in merges. The library's own names, "tags",
	// "places" and "credit", are taken.
	Participants map[string]Join
}

// Store describes how merges, decisions and models are kept. A program makes one for each
// book and hands it to the storage's schema; the root package does so. It is safe for
// concurrent use.
type Store struct {
	*tables
	opts          Options
	customerStore *customer.Store
	fields        []Field
	keyer         *keyer
	likeness      *storage.Index[*customer.Customer]
	latest        atomic.Pointer[loaded]
}

// New checks the options and adds the index of likenesses to the customers.
func New(opts Options, customers *customer.Store) (*Store, error) {
	opts.Country = cmp.Or(opts.Country, "CN")
	s := &Store{tables: newTables(), opts: opts, customerStore: customers, fields: opts.Fields}
	if s.fields == nil {
		s.fields = DefaultFields()
	}
	for name, join := range opts.Participants {
		if name == "" || join == nil {
			return nil, &Error{Op: "open", Field: "Participants", Value: name, Remedy: "give each a name and a function", Err: ErrInvalid}
		}
	}
	var err error
	if s.keyer, err = newKeyer(s.fields, &opts); err != nil {
		return nil, err
	}
	if err := s.checkFields(); err != nil {
		return nil, err
	}
	s.likeness = s.keyer.index(opts.Country, !opts.WithoutCandidates)
	customers.Derive(s.likeness)
	return s, nil
}

// checkFields reports fields by which no customer could be compared.
func (s *Store) checkFields() error {
	for _, f := range s.fields {
		if f.Values == nil {
			return &Error{Op: "describe fields", Field: "Values", Value: f.Name, Remedy: "give each field a function that returns its values", Err: ErrInvalid}
		}
	}
	if _, err := match.Starter(s.matchOptions()); err != nil {
		return &Error{Op: "describe fields", Err: err}
	}
	return nil
}

// AddTo adds the tables to a book's schema.
func (s *Store) AddTo(schema *storage.Schema) { s.tables.addTo(schema) }

// Reader reads merges, candidates and decisions in one consistent state. Use it as long
// as the storage's reader, and from one goroutine.
type Reader struct {
	store     *Store
	storage   *storage.Reader
	customers *customer.Reader // as the session sees them
	key       storage.Key      // scratch
}

// Reader returns the duplicates of a state.
func (s *Store) Reader(r *storage.Reader, customers *customer.Reader) *Reader {
	return &Reader{store: s, storage: r, customers: customers}
}

// all reads customers whoever may see them.
func (r *Reader) all() *customer.Reader { return customer.Unscoped(r.customers) }

// Tx finds, decides and merges within a transaction.
type Tx struct {
	Reader
	tx        *storage.Tx
	customers *customer.Tx
	members   []Member
	warnings  []Warning
	confirmed bool
}

// Tx returns the duplicates of a transaction. Members take part in merges beside the
// embedder's participants. An erased customer's merge is erased with it.
func (s *Store) Tx(tx *storage.Tx, customers *customer.Tx, members ...Member) *Tx {
	t := &Tx{Reader: Reader{store: s, storage: &tx.Reader, customers: &customers.Reader}, tx: tx, customers: customers, members: members}
	customers.OnErase(t.forget)
	if s.opts.Policy != Allow {
		customers.Guard(t.admit)
	}
	return t
}

// participants returns the members and the embedder's participants, in the order of names.
func (tx *Tx) participants() ([]Member, error) {
	all := append([]Member(nil), tx.members...)
	for name, join := range tx.store.opts.Participants {
		if slices.ContainsFunc(tx.members, func(m Member) bool { return m.Name == name }) {
			return nil, &Error{Op: "merge", Field: "Participants", Value: name, Remedy: "use another name: the library has a participant of that one", Err: ErrInvalid}
		}
		all = append(all, Member{name, join(tx.tx, tx.customers)})
	}
	return sortMembers(all), nil
}

// forget erases what is kept of a customer.
func (tx *Tx) forget(id customer.ID) error {
	if err := tx.store.merge.Forget(tx.tx, id, uint8(Forgot)); err != nil {
		return err
	}
	var pairs []pairKey
	for p, err := range tx.pairsOf(storage.Key(nil).Uint(uint64(id)), true) {
		if err != nil {
			return err
		}
		pairs = append(pairs, keyOf(p.A, p.B))
	}
	for _, k := range slices.Compact(pairs) {
		if err := tx.store.pair.Forget(tx.tx, k, uint8(Forgot)); err != nil {
			return err
		}
	}
	return tx.setCluster(id, 0)
}

func isNotFound(err error) bool { return errors.Is(err, storage.ErrNotFound) }
