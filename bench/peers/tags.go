package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging"
)

// tagSet is what all stores have: each customer has one of 34 regions, one of 20
// industries, each of five flags with a probability of 0.25 and each of five others with
// 0.03, which makes 3.4 tags.
//
// SQLite and PostgreSQL have a table of tag and customer, as dimensions are the user's to
// make, nothing but an index (WITHOUT ROWID), and the same the other way round. DuckDB has
// what suits it best, a table with a column for each dimension. None of them knows
// statuses, which Clientele looks at as well.
type tagSet struct {
	rows int
	ids  map[string]tagging.TagID // by dimension and code
}

const (
	regions    = 34
	industries = 20
	flags      = 10
)

// tagsOf yields each customer's region, industry and flags, from 0 on.
func (s *tagSet) tagsOf() iter.Seq2[customer.ID, customerTags] {
	return func(yield func(customer.ID, customerTags) bool) {
		random := rand.New(rand.NewPCG(1, 2))
		for i := range s.rows {
			t := customerTags{region: random.IntN(regions), industry: random.IntN(industries)}
			for f := range t.flags {
				t.flags[f] = random.Float64() < []float64{0.25, 0.03}[f/5]
			}
			if !yield(customer.ID(i+1), t) {
				return
			}
		}
	}
}

type customerTags struct {
	region, industry int
	flags            [flags]bool
}

// names are the tags as dimension and code.
func (t *customerTags) names() []string {
	all := []string{"region:r" + strconv.Itoa(t.region), "industry:i" + strconv.Itoa(t.industry)}
	for f, has := range t.flags {
		if has {
			all = append(all, "flag:f"+strconv.Itoa(f))
		}
	}
	return all
}

// tagQuestion is about a filter, or a table of two dimensions.
type tagQuestion struct {
	line *line
	book func(r *tagging.Reader, b *tagBook) (string, error)
	sql  string   // over the table of tag and customer
	tags []string // in the place of the question marks
	wide string   // over the table with a column a dimension
}

func (q tagQuestion) figure() *line { return q.line }

func (q tagQuestion) variants() int { return 1 }

// countOf asks a book for the number of customers that match.
func countOf(filter string) func(*tagging.Reader, *tagBook) (string, error) {
	return func(r *tagging.Reader, _ *tagBook) (string, error) {
		n, err := r.Count(tagging.Query{Filter: filter})
		return fmt.Sprint(n), err
	}
}

var tagQuestions = []tagQuestion{
	{
		line: &line{"count by one tag, µs", -1, 0},
		book: countOf("flag:f0"),
		sql:  "SELECT count(*) FROM tagged WHERE tag = ?",
		tags: []string{"flag:f0"},
		wide: "SELECT count(*) FROM tagged WHERE f0",
	},
	{
		line: &line{"count by five tags, all of them, µs", -1, 0},
		book: countOf("flag:f0 AND flag:f1 AND flag:f2 AND flag:f3 AND flag:f4"),
		sql: `SELECT count(*) FROM tagged a JOIN tagged b ON b.tag = ? AND b.customer = a.customer JOIN tagged c ON c.tag = ? AND c.customer = a.customer
			JOIN tagged d ON d.tag = ? AND d.customer = a.customer JOIN tagged e ON e.tag = ? AND e.customer = a.customer WHERE a.tag = ?`,
		tags: []string{"flag:f1", "flag:f2", "flag:f3", "flag:f4", "flag:f0"},
		wide: "SELECT count(*) FROM tagged WHERE f0 AND f1 AND f2 AND f3 AND f4",
	},
	{
		line: &line{"count by five terms, AND, OR, NOT, µs", -1, 0},
		book: countOf("(flag:f0 OR flag:f1) AND NOT flag:f2 AND (industry:i0 OR industry:i1)"),
		sql: `SELECT count(*) FROM (SELECT customer FROM tagged WHERE tag IN (?, ?) INTERSECT SELECT customer FROM tagged WHERE tag IN (?, ?)
			EXCEPT SELECT customer FROM tagged WHERE tag = ?) AS found`,
		tags: []string{"flag:f0", "flag:f1", "industry:i0", "industry:i1", "flag:f2"},
		wide: "SELECT count(*) FROM tagged WHERE (f0 OR f1) AND NOT f2 AND industry IN (0, 1)",
	},
	{
		line: &line{"first page of 50 by three terms, µs", -1, 0},
		book: func(r *tagging.Reader, _ *tagBook) (string, error) {
			ids, _, err := r.Page(tagging.Query{Filter: "flag:f0 AND NOT flag:f1 AND industry:i0"}, 0, 50)
			return linesOfIDs(ids), err
		},
		sql: `SELECT a.customer FROM tagged a JOIN tagged c ON c.tag = ? AND c.customer = a.customer WHERE a.tag = ?
			AND NOT EXISTS (SELECT 1 FROM tagged b WHERE b.tag = ? AND b.customer = a.customer) ORDER BY a.customer LIMIT 50`,
		tags: []string{"industry:i0", "flag:f0", "flag:f1"},
		wide: "SELECT customer FROM tagged WHERE f0 AND NOT f1 AND industry = 0 ORDER BY customer LIMIT 50",
	},
	{
		line: &line{"cross-tab of 20 × 34, µs", -1, 0},
		book: crossTab,
		sql: `SELECT i.tag, r.tag, count(*) FROM tagged i JOIN tagged r ON r.customer = i.customer AND r.tag BETWEEN ? AND ?
			WHERE i.tag BETWEEN ? AND ? GROUP BY i.tag, r.tag`,
		tags: []string{"region:r0", "region:r33", "industry:i0", "industry:i19"},
		wide: "SELECT industry_tag, region_tag, count(*) FROM tagged GROUP BY ALL",
	},
}

func crossTab(r *tagging.Reader, _ *tagBook) (string, error) {
	t, err := r.CrossTab(tagging.Query{}, tagging.Axis{Field: "industry"}, tagging.Axis{Field: "region"})
	if err != nil {
		return "", err
	}
	var cells []string
	for i, row := range t.Rows[:industries] {
		for j, column := range t.Columns[:regions] {
			if n := t.Cells[i][j]; n > 0 { // a group of nobody is none in SQL
				cells = append(cells, fmt.Sprint(row.Tag, " ", column.Tag, " ", n))
			}
		}
	}
	return sortedLines(cells), nil
}

func linesOfIDs(ids []customer.ID) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatUint(uint64(id), 10)
	}
	return sortedLines(texts)
}

// sortedLines makes answers of which the order doesn't count.
func sortedLines(texts []string) string {
	slices.Sort(texts)
	return strings.Join(texts, "\n")
}

// tagBook is Clientele with the tags.
type tagBook struct {
	ctx     context.Context
	book    *clientele.Book
	session *clientele.Session
}

func newTagBook(ctx context.Context, dir string, s *tagSet) (b *tagBook, err error) {
	book, err := clientele.Open(ctx, dir, clientele.Options{WithoutSearch: true, CacheBytes: cacheBytes, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	b = &tagBook{ctx: ctx, book: book, session: book.As(clientele.Actor{ID: "bench"})}
	if err := b.fill(s); err != nil {
		return nil, errors.Join(err, book.Close())
	}
	return b, nil
}

func (b *tagBook) fill(s *tagSet) error {
	for _, d := range []tagging.Dimension{{Code: "region", Exclusive: true}, {Code: "industry", Exclusive: true}, {Code: "flag"}} {
		if err := b.createDimension(s, d, map[string]int{"region": regions, "industry": industries, "flag": flags}[d.Code]); err != nil {
			return err
		}
	}
	_, err := b.session.Load(b.ctx, customer.LoadOptions{}, func(yield func(customer.Draft, error) bool) {
		for i := range s.rows {
			if !yield(customer.Draft{Name: "customer " + strconv.Itoa(i)}, nil) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	_, err = b.book.Tags().Load(b.ctx, b.session.Job(), func(yield func(tagging.LoadRow, error) bool) {
		row := tagging.LoadRow{}
		for id, tags := range s.tagsOf() {
			row.ID, row.Assignments = id, row.Assignments[:0]
			for _, name := range tags.names() {
				row.Assignments = append(row.Assignments, tagging.Assignment{Tag: s.ids[name]})
			}
			if !yield(row, nil) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return (&bookStore{ctx: b.ctx, book: b.book}).settle() // as the others are vacuumed
}

// createDimension makes a dimension with its tags, which get ascending ids.
func (b *tagBook) createDimension(s *tagSet, d tagging.Dimension, tags int) error {
	return b.session.Update(b.ctx, func(tx *clientele.Tx) error {
		made, err := tx.Tags.CreateDimension(d)
		for i := 0; i < tags && err == nil; i++ {
			var t *tagging.Tag
			if t, err = tx.Tags.CreateTag(tagging.Tag{Dimension: made.ID, Code: fmt.Sprint(d.Code[:1], i)}); err == nil {
				s.ids[d.Code+":"+t.Code] = t.ID
			}
		}
		return err
	})
}

func (b *tagBook) name() string { return clienteleName }

func (b *tagBook) close() error { return b.book.Close() }

func (b *tagBook) ask(q tagQuestion, _ int) (answer string, err error) {
	err = b.session.View(b.ctx, func(tx *clientele.ReadTx) error {
		answer, err = q.book(tx.Tags, b)
		return err
	})
	return answer, err
}

// tagPeer is an SQL engine with the tags.
type tagPeer struct {
	*sqlPeer
	set *tagSet
}

const (
	tagTable = `CREATE TABLE tagged (tag BIGINT NOT NULL, customer BIGINT NOT NULL, PRIMARY KEY (tag, customer))`
	tagIndex = `CREATE INDEX by_customer ON tagged (customer, tag)`
	tagWide  = `CREATE TABLE tagged (customer BIGINT, region INTEGER, region_tag BIGINT, industry INTEGER, industry_tag BIGINT,
		f0 BOOLEAN, f1 BOOLEAN, f2 BOOLEAN, f3 BOOLEAN, f4 BOOLEAN, f5 BOOLEAN, f6 BOOLEAN, f7 BOOLEAN, f8 BOOLEAN, f9 BOOLEAN)`
)

func newTagPeer(ctx context.Context, e *engine, dir string, s *tagSet) (*tagPeer, error) {
	setup, finish, rows := tagTable, tagIndex+";"+e.finish, s.pairs()
	switch e.dialect {
	case sqliteDialect:
		setup += " WITHOUT ROWID"
	case duckDialect:
		setup, finish, rows = tagWide, e.finish, s.wideRows()
	}
	peer, err := newSQLPeer(ctx, e, dir, setup)
	if err != nil {
		return nil, err
	}
	if err = e.fill(ctx, peer.db, "tagged", []string{"tag", "customer"}, rows); err == nil {
		err = peer.exec(finish)
	}
	if err != nil {
		return nil, errors.Join(err, peer.close())
	}
	return &tagPeer{peer, s}, nil
}

// pairs are the rows of the table of tag and customer.
func (s *tagSet) pairs() iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for id, tags := range s.tagsOf() {
			for _, name := range tags.names() {
				if !yield([]any{int64(s.ids[name]), int64(id)}, nil) {
					return
				}
			}
		}
	}
}

// wideRows are the rows of the table with a column for each dimension.
func (s *tagSet) wideRows() iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for id, tags := range s.tagsOf() {
			names := tags.names()
			row := []any{int64(id), int32(tags.region), int64(s.ids[names[0]]), int32(tags.industry), int64(s.ids[names[1]])}
			for _, has := range tags.flags {
				row = append(row, has)
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

func (p *tagPeer) ask(q tagQuestion, _ int) (string, error) {
	text, args := q.sql, make([]any, len(q.tags))
	for i, tag := range q.tags {
		args[i] = int64(p.set.ids[tag])
	}
	if p.dialect == duckDialect {
		text, args = q.wide, nil
	}
	var rows []string
	err := p.query(text, args, func(r *sql.Rows) error {
		row, err := rowText(r)
		rows = append(rows, row)
		return err
	})
	return sortedLines(rows), err
}

// rowText is a row of whole numbers.
func rowText(r *sql.Rows) (string, error) {
	names, err := r.Columns()
	if err != nil {
		return "", err
	}
	values, places := make([]int64, len(names)), make([]any, len(names))
	for i := range values {
		places[i] = &values[i]
	}
	err = r.Scan(places...)
	return strings.Trim(fmt.Sprint(values), "[]"), err
}

// runTags measures questions about tags.
func runTags(g *stage) (err error) {
	set := &tagSet{rows: g.rows, ids: map[string]tagging.TagID{}}
	z := &quiz[tagQuestion]{stage: g, questions: tagQuestions}
	defer func() { err = errors.Join(err, z.close()) }()
	fmt.Fprintln(g.log, "  filling: Clientele")
	book, err := newTagBook(g.ctx, filepath.Join(g.dir, "book"), set)
	if err != nil {
		return err
	}
	z.peers = append(z.peers, book)
	for _, e := range g.engines {
		fmt.Fprintln(g.log, "  filling:", e.name)
		dir := filepath.Join(g.dir, e.name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		peer, err := newTagPeer(g.ctx, e, dir, set)
		if err != nil {
			return err
		}
		z.peers = append(z.peers, peer)
	}
	return z.run()
}
