package clientele

import (
	"context"
	"errors"
	"iter"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/search"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/tagging"
)

// Actor is who works on a book, and why: both are kept with every version.
type Actor struct {
	ID     string // the principal's id; who has none may read, if access isn't enforced, and change nothing
	Reason string // free text, for instance a ticket; don't put personal data here
	// Relaxed lets Update return before its change survives a crash. A crash may take
	// back the last relaxed changes, newest first.
	Relaxed bool
}

// Session is an actor's access to a book: once access is enforced (tx.Org.Enforce), all
// that it returns and does is what the actor may see and do, as the book's state of that
// call has it; docs/access.md tells how. An actor to whom nothing was granted sees nothing.
// It is small, cheap and safe for concurrent use.
type Session struct {
	book     *Book
	session  storage.Session
	unscoped bool
}

// SystemActor is who the changes of [Book.System] are recorded for.
const SystemActor = "clientele.system"

// System returns a session of the program itself, which sees and may do everything,
// whatever was granted: for setting a book up, for work in the background, for what no
// person asked for. The reason is kept with every version.
func (b *Book) System(reason string) *Session {
	return &Session{book: b, session: storage.Session{Actor: SystemActor, Reason: reason}, unscoped: true}
}

// As returns a session of an actor.
func (b *Book) As(a Actor) *Session {
	s := storage.Session{Actor: a.ID, Reason: a.Reason}
	if a.Relaxed {
		s.Durability = kv.Relaxed
	}
	return &Session{book: b, session: s}
}

// Tx is one attempt of an Update. Use it only within the function that got it, and
// from one goroutine.
type Tx struct {
	Customers *customer.Tx
	Tags      *tagging.Tx
	Org       *orgtree.Tx
	Credit    *credit.Tx
	Dedupe    *dedupe.Tx
	Stocktake *stocktake.Tx
	Storage   *storage.Tx // for tables of the embedder's own
}

// ReadTx is the state that a View reads, under the same rules.
type ReadTx struct {
	Customers *customer.Reader
	Tags      *tagging.Reader
	Org       *orgtree.Reader
	Credit    *credit.Reader
	Dedupe    *dedupe.Reader
	Stocktake *stocktake.Reader
	Storage   *storage.Reader
}

// Update runs f in a transaction and commits it, durably unless the actor is relaxed.
// f may be run several times; see the package comment. An error from f is returned as
// it is, and nothing is written.
func (s *Session) Update(ctx context.Context, f func(*Tx) error) error {
	if f == nil {
		_, err := s.book.store.Update(ctx, s.session, nil)
		return err
	}
	_, err := s.book.store.Update(ctx, s.session, func(tx *storage.Tx) error {
		scoped, err := s.begin(tx)
		if err != nil {
			return err
		}
		return f(scoped)
	})
	return err
}

// access returns what the actor may see and do in a state, nil for everything.
func (s *Session) access(r *storage.Reader) (customer.Access, error) {
	return s.accessWith(r, s.book.customers.Reader(r))
}

// accessWith is access with an unscoped reader of the state.
func (s *Session) accessWith(r *storage.Reader, everybody *customer.Reader) (customer.Access, error) {
	if s.unscoped {
		return nil, nil
	}
	return s.book.org.Access(r, everybody, s.session.Actor)
}

// begin joins what the session may do within a transaction.
func (s *Session) begin(tx *storage.Tx) (*Tx, error) {
	access, err := s.access(&tx.Reader)
	if err != nil {
		return nil, err
	}
	return s.book.tx(tx, access), nil
}

// tx joins what the packages do within a transaction.
func (b *Book) tx(tx *storage.Tx, access customer.Access) *Tx {
	customers := b.customers.TxWith(tx, access)
	b.stocktakes.Keep(tx, customers)
	tags := b.tags.Tx(tx, customers)
	customers.OnErase(tags.Forget)
	customers.OnErase(func(id customer.ID) error { return b.imports.ForgetCustomer(tx, id) })
	org := b.org.Tx(tx, customers)
	receivables := b.credit.Tx(tx, customers)
	return &Tx{
		Customers: customers, Tags: tags, Org: org, Credit: receivables, Storage: tx,
		Dedupe: b.duplicates(tx, customers, tags, org, receivables), Stocktake: b.stocktakes.Tx(tx, customers),
	}
}

// View runs f on one consistent state of the book.
func (s *Session) View(ctx context.Context, f func(*ReadTx) error) error {
	if f == nil {
		return s.book.store.View(ctx, nil)
	}
	return s.book.store.View(ctx, func(r *storage.Reader) error {
		scoped, err := s.read(r)
		if err != nil {
			return err
		}
		return f(scoped)
	})
}

// state is a ReadTx and all that it points to, so that a View asks for memory once.
type state struct {
	ReadTx
	everybody customer.Reader
	customers customer.Reader
	tags      tagging.Reader
	org       orgtree.Reader
	credit    credit.Reader
	dedupe    dedupe.Reader
	stocktake stocktake.Reader
}

// read joins what the session may see in a state.
func (s *Session) read(r *storage.Reader) (*ReadTx, error) {
	b, x := s.book, new(state)
	x.everybody = *b.customers.Reader(r)
	access, err := s.accessWith(r, &x.everybody)
	if err != nil {
		return nil, err
	}
	x.customers = *b.customers.ReaderWith(r, access)
	x.tags = *b.tags.Reader(r, &x.customers)
	x.org = *b.org.Reader(r, &x.customers)
	x.credit = *b.credit.Reader(r, &x.customers)
	x.dedupe = *b.dedupe.Reader(r, &x.customers)
	x.stocktake = *b.stocktakes.Reader(r, &x.customers)
	x.ReadTx = ReadTx{
		Customers: &x.customers, Tags: &x.tags, Org: &x.org, Credit: &x.credit,
		Dedupe: &x.dedupe, Stocktake: &x.stocktake, Storage: r,
	}
	return &x.ReadTx, nil
}

// Job is the session as work on many customers needs it; see [tagging.Store].
func (s *Session) Job() tagging.Job {
	return tagging.Job{Storage: s.book.store, Customers: s.book.customers, Session: s.session, Access: s.access}
}

// Hygiene reports what could be tidied up in the book's tags, and which rules never gave
// anybody a tag; see [tagging.Reader.Hygiene].
func (s *Session) Hygiene(ctx context.Context, opts tagging.HygieneOptions) (report *tagging.Hygiene, err error) {
	if opts.Rules == nil {
		opts.Rules = func() ([]tagging.SilentRule, error) { return s.book.silentRules(ctx) }
	}
	err = s.View(ctx, func(tx *ReadTx) error {
		report, err = tx.Tags.Hygiene(opts)
		if err == nil && tx.Customers.Access() != nil {
			for i := range report.SilentRules { // counted over everybody
				report.SilentRules[i].Evaluated = 0
			}
		}
		return err
	})
	return report, err
}

// silentRules returns the active rules that never gave anybody a tag.
func (b *Book) silentRules(ctx context.Context) ([]tagging.SilentRule, error) {
	sets, err := b.rules.RuleSets(ctx)
	if err != nil {
		return nil, err
	}
	versions := map[string]uint64{}
	for _, set := range sets {
		versions[set.Name] = set.Version
	}
	rules, err := b.rules.Statistics(ctx)
	if err != nil {
		return nil, err
	}
	var silent []tagging.SilentRule
	for _, rule := range rules {
		if rule.Fired == 0 {
			silent = append(silent, tagging.SilentRule{RuleSet: rule.Set, Rule: rule.Rule, Version: versions[rule.Set], Evaluated: rule.Evaluated})
		}
	}
	return silent, nil
}

// OrgJob is the session as transfers of many customers need it; see [orgtree.Store].
func (s *Session) OrgJob() orgtree.Job {
	return orgtree.Job{
		Storage: s.book.store, Customers: s.book.customers, Session: s.session, Access: s.access,
		Follow: func(tx *storage.Tx, customers *customer.Tx) { s.book.credit.Tx(tx, customers) }, // exposure goes along
	}
}

// Load creates customers in bulk, some ten times faster than Update; see
// [customer.Store.Load]. A draft whose owner is not an open unit ends the load. While a unit
// or a representative may have only so many customers it fails with an error that wraps
// [orgtree.ErrQuota]: create them by Update, which counts.
func (s *Session) Load(ctx context.Context, opts customer.LoadOptions, drafts iter.Seq2[customer.Draft, error]) (storage.Loaded, error) {
	opts.Access = s.access
	return s.book.customers.Load(ctx, s.book.store, s.session, opts, drafts)
}

// ErrNoSearch: the book was opened without its search index.
var ErrNoSearch = errors.New("clientele: the book is open without search")

// Search finds customers; see [search.Query]. The index follows the journal some
// hundredths of a second behind, half a second while much is written: call Sync first to
// read your own writes.
//
// What the session may see is asked when the search begins, of the newest state.
func (s *Session) Search(ctx context.Context, q search.Query) (result search.Result, err error) {
	err = s.find(ctx, &q, func(x *search.Index) error {
		result, err = x.Search(ctx, q)
		return err
	})
	return result, err
}

// find runs a query on the search index as the session may see it.
func (s *Session) find(ctx context.Context, q *search.Query, run func(*search.Index) error) error {
	x := s.book.search
	if x == nil {
		return ErrNoSearch
	}
	return s.book.store.View(ctx, func(r *storage.Reader) (err error) {
		if q.Access, err = s.access(r); err != nil {
			return err
		}
		return run(x)
	})
}

// Pick returns the first hits of a query for a customer picker, quickly: the same
// and in the same order as Search, without a total, facets or a next page.
func (s *Session) Pick(ctx context.Context, q search.Query) (hits []search.Hit, err error) {
	err = s.find(ctx, &q, func(x *search.Index) error {
		hits, err = x.Pick(ctx, q)
		return err
	})
	return hits, err
}

// Sync returns when everything committed before the call can be found by Search.
func (s *Session) Sync(ctx context.Context) error {
	if s.book.search == nil {
		return ErrNoSearch
	}
	return s.book.store.Sync(ctx, search.ViewName)
}

// Changes yields the changes of customers after a cursor, in commit order, up to what
// is durable now. A reader that keeps the Cursor of each change it has handled, and
// resumes there, misses nothing and may meet a change twice: at-least-once delivery.
//
// Changes of customers that the session doesn't see when they come up are passed over,
// also those that brought them out of its sight.
func (s *Session) Changes(ctx context.Context, after uint64) iter.Seq2[customer.Change, error] {
	return s.customerChanges(ctx, s.book.store.Changes(ctx, kv.Position(after)))
}

// Follow is Changes that goes on: it waits for the next change until ctx is done,
// whose error comes last.
func (s *Session) Follow(ctx context.Context, after uint64) iter.Seq2[customer.Change, error] {
	return s.customerChanges(ctx, s.book.store.Follow(ctx, kv.Position(after)))
}

func (s *Session) customerChanges(ctx context.Context, journal iter.Seq2[storage.Change, error]) iter.Seq2[customer.Change, error] {
	return func(yield func(customer.Change, error) bool) {
		for entry, err := range journal {
			var changes []customer.Change
			if err == nil {
				changes, err = customer.Changes(entry)
			}
			if err == nil && len(changes) > 0 {
				changes, err = s.seen(ctx, changes)
			}
			if err != nil {
				yield(customer.Change{}, err)
				return
			}
			for _, c := range changes {
				if !yield(c, nil) {
					return
				}
			}
		}
	}
}

// seen leaves the changes of customers that the session sees now.
func (s *Session) seen(ctx context.Context, changes []customer.Change) (seen []customer.Change, err error) {
	if s.unscoped {
		return changes, nil
	}
	err = s.View(ctx, func(tx *ReadTx) error {
		if tx.Customers.Access() == nil {
			seen = changes
			return nil
		}
		for _, c := range changes {
			visible, err := tx.Customers.Visible(c.ID)
			if err != nil {
				return err
			}
			if visible {
				seen = append(seen, c)
			}
		}
		return nil
	})
	return seen, err
}
