package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/search"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/tagging"
)

// BenchmarkScope asks for a page of 50, a count and a search, each as a user who sees the
// whole book and as one who sees part of it: of this book by grants, of SQLite by a join
// with the units that a user may see, which it has indexes for. It reports medians, and by
// how much the narrowed question costs more on either side. The answers must be the same.
//
//	CLIENTELE_BENCH_ROWS=1000000 go test -tags sqlite_fts5 -run none -bench Scope -benchtime 50x .
func BenchmarkScope(b *testing.B) {
	c := newScopeContest(b)
	questions := []scopeQuestion{
		{"page by id", c.page(customer.ByID), c.sqlPage("id")},
		{"page by name", c.page(customer.ByName), c.sqlPage("name")},
		{"count", c.count, c.sqlCount},
	}
	if hasFTS5 {
		questions = append(questions, scopeQuestion{"search", c.search, c.sqlSearch})
	}
	for _, q := range questions {
		for _, who := range []string{"half", "region", "clerk"} {
			b.Run(q.name+"/"+who, func(b *testing.B) {
				times := map[string][]float64{}
				for b.Loop() {
					c.compare(q, "everybody", times)
					c.compare(q, who, times)
				}
				ours, theirs := median(times["book "+who]), median(times["sqlite "+who])
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(ours, "µs")
				b.ReportMetric(ours/median(times["book everybody"]), "times-whole")
				b.ReportMetric(theirs, "sqlite-µs")
				b.ReportMetric(theirs/median(times["sqlite everybody"]), "sqlite-times-whole")
			})
		}
	}
}

type scopeQuestion struct {
	name   string
	book   func(who string) (string, error)
	sqlite func(who string) (string, error)
}

// scopeContest is the same customers, units and grants in a book and in SQLite: 1,000
// branches below 20 regions. "half" sees ten regions, "region" one, "clerk" three branches.
type scopeContest struct {
	*testing.B
	ctx  context.Context
	book *clientele.Book
	db   *sql.DB
}

// compare asks both sides and notes the times in microseconds.
func (c *scopeContest) compare(q scopeQuestion, who string, times map[string][]float64) {
	answers := map[string]string{}
	for side, ask := range map[string]func(string) (string, error){"book ": q.book, "sqlite ": q.sqlite} {
		start := time.Now()
		answer, err := ask(who)
		times[side+who] = append(times[side+who], float64(time.Since(start).Nanoseconds())/1e3)
		c.must(err)
		answers[answer] = side
	}
	if len(answers) != 1 {
		c.Fatalf("%s as %s: %v", q.name, who, answers)
	}
}

func (c *scopeContest) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

const (
	scopeRegions  = 20
	scopeBranches = 1000
)

// scopeGrants are the units that each user sees with all below: regions are 1 to 20, the
// branches of region r are 20 + r, 40 + r and so on.
func scopeGrants() map[string][]int {
	grants := map[string][]int{"region": {4}, "clerk": {21, 333, 777}}
	for r := range scopeRegions / 2 {
		grants["half"] = append(grants["half"], r+1)
	}
	return grants
}

func newScopeContest(b *testing.B) *scopeContest {
	c := &scopeContest{B: b, ctx: context.Background()}
	var err error
	c.book, err = clientele.Open(c.ctx, filepath.Join(b.TempDir(), "book"), clientele.Options{TickEvery: -1})
	c.must(err)
	b.Cleanup(func() { c.book.Close() })
	c.db, err = sql.Open("sqlite3", filepath.Join(b.TempDir(), "scope.db"))
	c.must(err)
	c.db.SetMaxOpenConns(1)
	b.Cleanup(func() { c.db.Close() })
	c.fillBook(contestRows())
	c.fillSQLite(contestRows())
	return c
}

// scopeDraft is the i-th customer: names in no order, each of 97 first words equally often.
func scopeDraft(i, rows int) customer.Draft {
	return customer.Draft{
		Name: fmt.Sprintf("%s %07d trading", scopeWord(i%97), i*7919%rows), Kind: customer.Kind(i % 3),
		Owner: customer.UnitID(scopeRegions + 1 + i*31%scopeBranches),
	}
}

func scopeWord(n int) string {
	return string([]byte{'a' + byte(n/26), "bdfgklmnprst"[n%12], 'o', 'a' + byte(n%26), 'x'})
}

func (c *scopeContest) fillBook(rows int) {
	system := c.book.System("contest")
	c.must(system.Update(c.ctx, func(tx *clientele.Tx) error {
		for i := range scopeRegions + scopeBranches {
			u := orgtree.Unit{Code: fmt.Sprintf("U%04d", i+1)}
			if i >= scopeRegions {
				u.Parent = customer.UnitID(i%scopeRegions + 1)
			}
			made, err := tx.Org.CreateUnit(u)
			if err != nil {
				return err
			}
			if made.ID != customer.UnitID(i+1) {
				return fmt.Errorf("unit %d is %d", i+1, made.ID)
			}
		}
		return nil
	}))
	_, err := system.Load(c.ctx, customer.LoadOptions{}, func(yield func(customer.Draft, error) bool) {
		for i := range rows {
			if !yield(scopeDraft(i, rows), nil) {
				return
			}
		}
	})
	c.must(err)
	c.must(system.Sync(c.ctx))
	c.must(system.Update(c.ctx, c.grant))
}

func (c *scopeContest) grant(tx *clientele.Tx) error {
	_, err := tx.Org.SetRole(orgtree.Role{Name: "reader", Permissions: []orgtree.Permission{{Right: customer.RightRead}}})
	if err != nil {
		return err
	}
	if _, err := tx.Org.SetRole(orgtree.Role{Name: "root", Permissions: []orgtree.Permission{{Right: orgtree.AnyRight}}}); err != nil {
		return err
	}
	give := func(who, role string, scope orgtree.Scope) error {
		_, known := tx.Org.SetPrincipal(orgtree.Principal{ID: who})
		_, err := tx.Org.Give(orgtree.Grant{Principal: who, Role: role, Scope: scope})
		return errors.Join(known, err)
	}
	if err := errors.Join(give("root", "root", orgtree.Scope{All: true}), give("everybody", "reader", orgtree.Scope{All: true})); err != nil {
		return err
	}
	for who, units := range scopeGrants() {
		for _, unit := range units {
			if err := give(who, "reader", orgtree.Scope{Unit: customer.UnitID(unit)}); err != nil {
				return err
			}
		}
	}
	return tx.Org.Enforce(true)
}

func (c *scopeContest) fillSQLite(rows int) {
	for _, statement := range strings.Split(`PRAGMA journal_mode = wal
CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind INTEGER NOT NULL, owner INTEGER NOT NULL)
CREATE TABLE below (above INTEGER, unit INTEGER, PRIMARY KEY (above, unit)) WITHOUT ROWID
CREATE TABLE permission (principal TEXT, unit INTEGER, PRIMARY KEY (principal, unit)) WITHOUT ROWID
BEGIN`, "\n") {
		c.exec(statement)
	}
	insert, err := c.db.Prepare("INSERT INTO customer VALUES (?, ?, ?, ?)")
	c.must(err)
	for i := range rows {
		d := scopeDraft(i, rows)
		_, err := insert.Exec(i+1, d.Name, d.Kind, d.Owner)
		c.must(err)
	}
	for unit := 1; unit <= scopeRegions+scopeBranches; unit++ {
		c.exec("INSERT INTO below VALUES (?, ?)", unit, unit)
		if unit > scopeRegions {
			c.exec("INSERT INTO below VALUES (?, ?)", (unit-1)%scopeRegions+1, unit)
		}
	}
	for who, units := range scopeGrants() {
		for _, unit := range units {
			c.exec("INSERT INTO permission VALUES (?, ?)", who, unit)
		}
	}
	for _, columns := range []string{"name", "owner, name", "kind, owner"} {
		c.exec(fmt.Sprintf("CREATE INDEX %q ON customer (%s)", "by "+columns, columns))
	}
	if hasFTS5 {
		c.exec("CREATE VIRTUAL TABLE words USING fts5(name, content='')")
		c.exec("INSERT INTO words (rowid, name) SELECT id, name FROM customer")
	}
	c.exec("COMMIT")
	c.exec("ANALYZE")
}

func (c *scopeContest) exec(statement string, args ...any) {
	_, err := c.db.Exec(statement, args...)
	c.must(err)
}

// narrowed ends a WHERE with the units that a user may see.
func narrowed(who string) (string, []any) {
	if who == "everybody" {
		return "", nil
	}
	return " AND owner IN (SELECT b.unit FROM permission p JOIN below b ON b.above = p.unit WHERE p.principal = ?)", []any{who}
}

func (c *scopeContest) page(order customer.Order) func(string) (string, error) {
	return func(who string) (string, error) {
		ids := make([]customer.ID, 0, 50)
		err := c.view(who, func(tx *clientele.ReadTx) error {
			for x, err := range tx.Customers.List(customer.List{Order: order}) {
				if err != nil {
					return err
				}
				if ids = append(ids, x.ID); len(ids) == cap(ids) {
					break
				}
			}
			return nil
		})
		return fmt.Sprint(ids), err
	}
}

func (c *scopeContest) view(who string, f func(*clientele.ReadTx) error) error {
	return c.book.As(clientele.Actor{ID: who}).View(c.ctx, f)
}

func (c *scopeContest) sqlPage(order string) func(string) (string, error) {
	return func(who string) (string, error) {
		where, args := narrowed(who)
		rows, err := c.db.Query("SELECT id, name, kind, owner FROM customer WHERE true"+where+" ORDER BY "+order+" LIMIT 50", args...)
		if err != nil {
			return "", err
		}
		defer rows.Close()
		var ids []customer.ID
		for rows.Next() {
			var x customer.Customer
			if err := rows.Scan(&x.ID, &x.Name, &x.Kind, &x.Owner); err != nil {
				return "", err
			}
			ids = append(ids, x.ID)
		}
		return fmt.Sprint(ids), rows.Err()
	}
}

func (c *scopeContest) count(who string) (string, error) {
	n := int64(0)
	err := c.view(who, func(tx *clientele.ReadTx) (err error) {
		n, err = tx.Tags.Count(tagging.Query{Filter: "kind:buyer"})
		return err
	})
	return fmt.Sprint(n), err
}

func (c *scopeContest) sqlCount(who string) (string, error) {
	where, args := narrowed(who)
	n := int64(0)
	err := c.db.QueryRow("SELECT count(*) FROM customer WHERE kind = 0"+where, args...).Scan(&n)
	return fmt.Sprint(n), err
}

// search finds the customers of one word, ranked, and how many there are in all.
func (c *scopeContest) search(who string) (string, error) {
	r, err := c.book.As(clientele.Actor{ID: who}).Search(c.ctx, search.Query{Text: scopeWord(17), Exact: true})
	return fmt.Sprint(r.Total), err
}

// sqlSearch finds them without ranking.
func (c *scopeContest) sqlSearch(who string) (string, error) {
	where, args := narrowed(who)
	rows, err := c.db.Query("SELECT c.id, c.name FROM words w JOIN customer c ON c.id = w.rowid WHERE words MATCH ?"+where, slices.Concat([]any{scopeWord(17)}, args)...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		n++
	}
	return fmt.Sprint(n), rows.Err()
}
