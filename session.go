package clientele

import (
	"context"
	"errors"
	"iter"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/search"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/tagging"
)

// Actor is who works on a book, and why: both are kept with every version.
type Actor struct {
	ID     string // the principal's id
	Reason string // free text, for instance a ticket; don't put personal data here
	// Relaxed lets Update return before its change survives a crash. A crash may take
	// back the last relaxed changes, newest first.
	Relaxed bool
}

// Session is an actor's access to a book. It is small, cheap and safe for concurrent
// use.
type Session struct {
	book    *Book
	session storage.Session
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
	Dedupe    *dedupe.Tx
	Storage   *storage.Tx // for tables of the embedder's own
}

// ReadTx is the state that a View reads, under the same rules.
type ReadTx struct {
	Customers *customer.Reader
	Tags      *tagging.Reader
	Org       *orgtree.Reader
	Dedupe    *dedupe.Reader
	Storage   *storage.Reader
}

// Update runs f in a transaction and commits it, durably unless the actor is relaxed.
// f may be run several times; see the package comment. An error from f is returned as
// it is, and nothing is written.
func (s *Session) Update(ctx context.Context, f func(*Tx) error) error {
	_, err := s.book.store.Update(ctx, s.session, func(tx *storage.Tx) error {
		return f(s.book.tx(tx))
	})
	return err
}

// tx joins what the packages do within a transaction.
func (b *Book) tx(tx *storage.Tx) *Tx {
	customers := b.customers.Tx(tx)
	tags := b.tags.Tx(tx, customers)
	customers.OnErase(tags.Forget)
	org := b.org.Tx(tx, customers)
	return &Tx{Customers: customers, Tags: tags, Org: org, Dedupe: b.duplicates(tx, customers, tags, org), Storage: tx}
}

// View runs f on one consistent state of the book.
func (s *Session) View(ctx context.Context, f func(*ReadTx) error) error {
	return s.book.store.View(ctx, func(r *storage.Reader) error {
		customers := s.book.customers.Reader(r)
		return f(&ReadTx{Customers: customers, Tags: s.book.tags.Reader(r, customers), Org: s.book.org.Reader(r, customers), Dedupe: s.book.dedupe.Reader(r, customers), Storage: r})
	})
}

// Job is the session as work on many customers needs it; see [tagging.Store].
func (s *Session) Job() tagging.Job {
	return tagging.Job{Storage: s.book.store, Customers: s.book.customers, Session: s.session}
}

// Hygiene reports what could be tidied up in the book's tags, and which rules never gave
// anybody a tag; see [tagging.Reader.Hygiene].
func (s *Session) Hygiene(ctx context.Context, opts tagging.HygieneOptions) (report *tagging.Hygiene, err error) {
	if opts.Rules == nil {
		opts.Rules = func() ([]tagging.SilentRule, error) { return s.book.silentRules(ctx) }
	}
	err = s.View(ctx, func(tx *ReadTx) error {
		report, err = tx.Tags.Hygiene(opts)
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
	return orgtree.Job{Storage: s.book.store, Customers: s.book.customers, Session: s.session}
}

// Load creates customers in bulk, some ten times faster than Update; see
// [customer.Store.Load].
func (s *Session) Load(ctx context.Context, opts customer.LoadOptions, drafts iter.Seq2[customer.Draft, error]) (storage.Loaded, error) {
	return s.book.customers.Load(ctx, s.book.store, s.session, opts, drafts)
}

// ErrNoSearch: the book was opened without its search index.
var ErrNoSearch = errors.New("clientele: the book is open without search")

// Search finds customers; see [search.Query]. The index follows the journal some
// hundredths of a second behind: call Sync first to read your own writes.
func (s *Session) Search(ctx context.Context, q search.Query) (search.Result, error) {
	if s.book.search == nil {
		return search.Result{}, ErrNoSearch
	}
	return s.book.search.Search(ctx, q)
}

// Pick returns the first hits of a query for a customer picker, quickly: the same
// and in the same order as Search, without a total, facets or a next page.
func (s *Session) Pick(ctx context.Context, q search.Query) ([]search.Hit, error) {
	if s.book.search == nil {
		return nil, ErrNoSearch
	}
	return s.book.search.Pick(ctx, q)
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
func (s *Session) Changes(ctx context.Context, after uint64) iter.Seq2[customer.Change, error] {
	return customerChanges(s.book.store.Changes(ctx, kv.Position(after)))
}

// Follow is Changes that goes on: it waits for the next change until ctx is done,
// whose error comes last.
func (s *Session) Follow(ctx context.Context, after uint64) iter.Seq2[customer.Change, error] {
	return customerChanges(s.book.store.Follow(ctx, kv.Position(after)))
}

func customerChanges(journal iter.Seq2[storage.Change, error]) iter.Seq2[customer.Change, error] {
	return func(yield func(customer.Change, error) bool) {
		for entry, err := range journal {
			var changes []customer.Change
			if err == nil {
				changes, err = customer.Changes(entry)
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
