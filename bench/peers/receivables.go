package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample/receivable"
	"github.com/clientele-go/clientele/storage/bitset"
)

// ledgerSet is what all stores have: as many open items as the run has customers, a tenth
// as many debtors, and as many items again that were settled in the half year before.
type ledgerSet struct{ receivable.Book }

// reportDay is the day of the reports.
var reportDay = date.Of(time.Date(2024, 8, 15, 0, 0, 0, 0, time.UTC))

// monthBefore is the past day of the reports.
const monthBefore = 30

func newLedgerSet(rows int) *ledgerSet {
	debtors := max(20, rows/10)
	return &ledgerSet{receivable.Book{Seed: 1, Customers: debtors, Open: rows, Settled: rows, Months: 6, AsOf: reportDay}}
}

// receivableQuestion is about all debtors, each by itself or together, or about one.
type receivableQuestion struct {
	line     *line
	daysAgo  int
	one      bool // a debtor that depends on the variant
	together bool
}

func (q receivableQuestion) figure() *line { return q.line }

func (q receivableQuestion) variants() int {
	if q.one {
		return 20
	}
	return 1
}

// debtor is whom a variant is about.
func (q receivableQuestion) debtor(s *ledgerSet, variant int) customer.ID {
	return customer.ID(1 + variant*(s.Customers/q.variants()))
}

var agingLoad = &line{"load of items and allocations, items/s", 1, 0}

var receivableQuestions = []receivableQuestion{
	{line: &line{"aging of all, a row for each, µs", -1, 0}},
	{line: &line{"  the same as of a month ago, µs", -1, 0}, daysAgo: monthBefore},
	{line: &line{"aging of all together, µs", -1, 0}, together: true},
	{line: &line{"  the same as of a month ago, µs", -1, 0}, together: true, daysAgo: monthBefore},
	{line: &line{"aging of one, µs", -1, 0}, one: true},
	{line: &line{"  the same as of a month ago, µs", -1, 0}, one: true, daysAgo: monthBefore},
}

// agingColumns are the report's: five buckets, what is unapplied.
const agingColumns = 6

// digest makes one text of a report whose rows come in any order.
type digest struct {
	rows int
	sum  uint64
}

// add takes a row: customer, currency, buckets, unapplied.
func (d *digest) add(figures []int64) {
	h := fnv.New64a()
	var buf [8]byte
	for _, f := range figures {
		for i := range buf {
			buf[i] = byte(f >> (8 * i))
		}
		_, _ = h.Write(buf[:]) // never fails
	}
	d.rows, d.sum = d.rows+1, d.sum+h.Sum64()
}

func (d *digest) String() string { return fmt.Sprintf("%d rows, digest %x", d.rows, d.sum) }

// ledgerBook is Clientele with the items.
type ledgerBook struct {
	ctx     context.Context
	set     *ledgerSet
	book    *clientele.Book
	session *clientele.Session
}

func newLedgerBook(ctx context.Context, dir string, s *ledgerSet) (*ledgerBook, error) {
	book, err := clientele.Open(ctx, dir, clientele.Options{
		WithoutSearch: true, CacheBytes: cacheBytes, Logger: slog.New(slog.DiscardHandler),
		Clock: func() time.Time { return time.Date(2024, 8, 15, 12, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		return nil, err
	}
	b := &ledgerBook{ctx: ctx, set: s, book: book, session: book.As(clientele.Actor{ID: "bench"})}
	_, err = b.session.Load(ctx, customer.LoadOptions{}, func(yield func(customer.Draft, error) bool) {
		for i := range s.Customers {
			if !yield(customer.Draft{Name: fmt.Sprint("debtor ", i)}, nil) {
				return
			}
		}
	})
	if err != nil {
		return nil, errors.Join(err, book.Close())
	}
	return b, nil
}

func (b *ledgerBook) fill() error {
	_, err := b.book.Credit().Load(b.ctx, b.session.CreditJob(), credit.LoadOptions{}, b.set.accounts())
	return err
}

func (b *ledgerBook) settle() error { return (&bookStore{ctx: b.ctx, book: b.book}).settle() }

// accounts are what a book loads.
func (s *ledgerSet) accounts() iter.Seq2[credit.LoadAccount, error] {
	return func(yield func(credit.LoadAccount, error) bool) {
		var from receivable.Account
		var to credit.LoadAccount
		for n := range s.Customers {
			s.Fill(n, &from)
			to.Customer, to.Items, to.Allocations = customer.ID(n+1), to.Items[:0], to.Allocations[:0]
			for _, i := range from.Items {
				kind := credit.Invoice
				if i.Payment {
					kind = credit.Payment
				}
				to.Items = append(to.Items, credit.Item{Kind: kind, Document: i.Key, Date: i.Date, Due: i.Due, Known: i.Date, Amount: money.Amount{Minor: i.Amount, Currency: i.Currency}})
			}
			for _, a := range from.Allocations {
				to.Allocations = append(to.Allocations, credit.LoadAllocation{Debit: a.Debit, Credit: a.Credit, Amount: a.Amount, Date: a.Date, Known: a.Date})
			}
			if !yield(to, nil) {
				return
			}
		}
	}
}

func (b *ledgerBook) name() string { return clienteleName }

func (b *ledgerBook) close() error { return b.book.Close() }

func (b *ledgerBook) ask(q receivableQuestion, variant int) (string, error) {
	var d digest
	query := credit.AgingQuery{AsOf: reportDay - date.Date(q.daysAgo), Buckets: aging.Standard()}
	if q.one {
		query.Customers = bitset.Of(uint64(q.debtor(b.set, variant)))
	}
	err := b.session.View(b.ctx, func(tx *clientele.ReadTx) error {
		rows := tx.Credit.Aging(query)
		if q.together {
			sums, err := tx.Credit.AgingTotal(query)
			if err != nil {
				return err
			}
			rows = sums.Rows()
		}
		figures := make([]int64, 2+agingColumns)
		for r, err := range rows {
			if err != nil {
				return err
			}
			figures[0], figures[1] = int64(r.Customer), int64(r.Currency)
			if q.together {
				figures[0] = 0
			}
			copy(figures[2:], r.Buckets)
			figures[len(figures)-1] = r.Unapplied
			d.add(figures)
		}
		return nil
	})
	return d.String(), err
}

// ledgerPeer is an SQL engine with the items. What is open today stands in the items, as in
// every ledger; what was open on a past day is that and the allocations since. It is told
// what is open, and checks of what it takes only that no document comes twice.
type ledgerPeer struct {
	*sqlPeer
	dir string
	set *ledgerSet
}

const ledgerTables = `CREATE TABLE item (id BIGINT NOT NULL PRIMARY KEY, customer BIGINT NOT NULL, currency INTEGER NOT NULL, credit INTEGER NOT NULL,
		day INTEGER NOT NULL, due INTEGER NOT NULL, minor BIGINT NOT NULL, open BIGINT NOT NULL, document TEXT NOT NULL, known INTEGER NOT NULL);
	CREATE TABLE allocation (debit BIGINT NOT NULL, credit BIGINT NOT NULL, customer BIGINT NOT NULL, day INTEGER NOT NULL, minor BIGINT NOT NULL, known INTEGER NOT NULL)`

// ledgerIndexes cover the questions, with what is open alone in them, refuse a document
// that comes again, and find what settled an item, as in every ledger.
const ledgerIndexes = `CREATE INDEX item_open ON item (customer, currency, credit, due, day, open) WHERE open <> 0;
	CREATE INDEX item_customer ON item (customer);
	CREATE UNIQUE INDEX item_document ON item (document);
	CREATE INDEX allocation_day ON allocation (day, customer, debit, credit, minor);
	CREATE INDEX allocation_customer ON allocation (customer, day, debit, credit, minor);
	CREATE INDEX allocation_debit ON allocation (debit);
	CREATE INDEX allocation_credit ON allocation (credit)`

func newLedgerPeer(ctx context.Context, e *engine, dir string, s *ledgerSet) (*ledgerPeer, error) {
	setup := ledgerTables
	if e.dialect == duckDialect {
		setup = `CREATE TABLE item (id BIGINT, customer BIGINT, currency INTEGER, credit INTEGER, day INTEGER, due INTEGER, minor BIGINT, open BIGINT, document TEXT, known INTEGER);
			CREATE TABLE allocation (debit BIGINT, credit BIGINT, customer BIGINT, day INTEGER, minor BIGINT, known INTEGER)` // an index would only be in its way
	}
	peer, err := newSQLPeer(ctx, e, dir, setup)
	if err != nil {
		return nil, err
	}
	return &ledgerPeer{peer, dir, s}, nil
}

func (p *ledgerPeer) fill() error {
	err := p.engine.fill(p.ctx, p.db, "item", []string{"id", "customer", "currency", "credit", "day", "due", "minor", "open", "document", "known"}, p.set.itemRows())
	if err == nil {
		err = p.engine.fill(p.ctx, p.db, "allocation", []string{"debit", "credit", "customer", "day", "minor", "known"}, p.set.allocationRows())
	}
	if err == nil && p.dialect != duckDialect {
		err = p.exec(ledgerIndexes)
	}
	if err == nil && p.dialect == sqliteDialect {
		err = syncFile(filepath.Join(p.dir, fileName)) // it fills without; the others are durable, as Clientele is
	}
	return err
}

func (p *ledgerPeer) settle() error { return p.exec(p.finish) }

// each calls do with each account and the id of its first item.
func (s *ledgerSet) each(do func(n int, first int64, a *receivable.Account) bool) {
	var a receivable.Account
	first := int64(1)
	for n := range s.Customers {
		s.Fill(n, &a)
		if !do(n, first, &a) {
			return
		}
		first += int64(len(a.Items))
	}
}

func (s *ledgerSet) itemRows() iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		s.each(func(n int, first int64, a *receivable.Account) bool {
			settled := make([]int64, len(a.Items))
			for _, x := range a.Allocations {
				settled[x.Debit] += x.Amount
				settled[x.Credit] += x.Amount
			}
			for i, x := range a.Items {
				isCredit := int32(0)
				if x.Payment {
					isCredit = 1
				}
				row := []any{first + int64(i), int64(n + 1), int32(x.Currency), isCredit, int32(x.Date), int32(x.Due), x.Amount, x.Amount - settled[i], x.Key, int32(x.Date)}
				if !yield(row, nil) {
					return false
				}
			}
			return true
		})
	}
}

func (s *ledgerSet) allocationRows() iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		s.each(func(n int, first int64, a *receivable.Account) bool {
			for _, x := range a.Allocations {
				if !yield([]any{first + int64(x.Debit), first + int64(x.Credit), int64(n + 1), int32(x.Date), x.Amount, int32(x.Date)}, nil) {
					return false
				}
			}
			return true
		})
	}
}

// What is open today, and what was open on a past day: the items dated by then as they are
// today, and what was allocated to them since. Sums are linear, so it needs no grouping by item.
const (
	openToday = "SELECT customer, currency, credit, due, open FROM item WHERE open <> 0%[1]s"
	openThen  = `SELECT customer, currency, credit, due, open FROM item WHERE open <> 0 AND day <= %[1]d%[2]s
		UNION ALL SELECT i.customer, i.currency, 0, i.due, a.minor FROM allocation a JOIN item i ON i.id = a.debit WHERE a.day > %[1]d AND i.day <= %[1]d%[3]s
		UNION ALL SELECT i.customer, i.currency, 1, i.due, a.minor FROM allocation a JOIN item i ON i.id = a.credit WHERE a.day > %[1]d AND i.day <= %[1]d%[3]s`
)

// statement is the report as of a day, with a question mark for each time that it names a debtor.
func (q receivableQuestion) statement(asOf int64) string {
	key, group := "customer", "customer, currency"
	if q.together {
		key, group = "0", "currency"
	}
	one, oneAllocation := "", ""
	if q.one {
		one, oneAllocation = " AND customer = ?", " AND a.customer = ?"
	}
	text := "SELECT " + key + ", currency"
	edges := []int64{asOf, asOf - 30, asOf - 60, asOf - 90} // the earliest due days of the first four buckets
	for i := range agingColumns - 1 {
		within := "credit = 0"
		if i < len(edges) {
			within += fmt.Sprintf(" AND due >= %d", edges[i])
		}
		if i > 0 {
			within += fmt.Sprintf(" AND due < %d", edges[i-1])
		}
		text += ", CAST(SUM(CASE WHEN " + within + " THEN open ELSE 0 END) AS BIGINT)"
	}
	text += ", CAST(-SUM(CASE WHEN credit = 1 THEN open ELSE 0 END) AS BIGINT) FROM ("
	items := fmt.Sprintf(openToday, one)
	if q.daysAgo > 0 {
		items = fmt.Sprintf(openThen, asOf, one, oneAllocation)
	}
	return text + items + ") AS items GROUP BY " + group
}

func (p *ledgerPeer) ask(q receivableQuestion, variant int) (string, error) {
	text := q.statement(int64(reportDay) - int64(q.daysAgo))
	args := make([]any, strings.Count(text, "?"))
	for i := range args {
		args[i] = int64(q.debtor(p.set, variant))
	}
	var d digest
	figures, places := make([]int64, 2+agingColumns), make([]any, 2+agingColumns)
	for i := range figures {
		places[i] = &figures[i]
	}
	err := p.query(text, args, func(r *sql.Rows) error {
		if err := r.Scan(places...); err != nil {
			return err
		}
		for _, f := range figures[2:] {
			if f != 0 {
				d.add(figures)
				break
			}
		}
		return nil
	})
	return d.String(), err
}

// runAging measures questions about receivables.
func runAging(g *stage) (err error) {
	set := newLedgerSet(g.rows)
	z := &quiz[receivableQuestion]{stage: g, questions: receivableQuestions}
	defer func() { err = errors.Join(err, z.close()) }()
	book, err := newLedgerBook(g.ctx, filepath.Join(g.dir, "book"), set)
	if err != nil {
		return err
	}
	z.peers = append(z.peers, book)
	for _, e := range g.engines {
		dir := filepath.Join(g.dir, e.name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		peer, err := newLedgerPeer(g.ctx, e, dir, set)
		if err != nil {
			return err
		}
		z.peers = append(z.peers, peer)
	}
	for _, peer := range z.peers {
		if err := g.loadLedger(peer.(filling)); err != nil {
			return err
		}
	}
	return z.run()
}

// filling is a store before it has items.
type filling interface {
	name() string
	fill() error
	settle() error
}

// loadLedger loads once: the questions are what this section is about.
func (g *stage) loadLedger(l filling) error {
	fmt.Fprintln(g.log, "  filling:", l.name())
	began := time.Now()
	if err := l.fill(); err != nil {
		return fmt.Errorf("%s: load of items: %w", l.name(), err)
	}
	g.table.add(agingLoad, l.name(), float64(g.rows)*3/time.Since(began).Seconds())
	return l.settle()
}
