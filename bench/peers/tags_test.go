package main

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging"
)

// tagContest asks Clientele and SQLite the same questions about the same tags: each
// customer has one of 34 regions, one of 20 industries, each of five flags with a
// probability of 0.25 and each of five others with 0.03, which makes 3.4 tags.
//
// SQLite has a table of tag and customer, which is nothing but an index (WITHOUT ROWID),
// the same the other way round as a second index, statistics, and everything in its cache.
// It knows no statuses, which Clientele looks at as well.
type tagContest struct {
	rows    int
	book    *clientele.Book
	session *clientele.Session
	sqlite  *sql.DB
	ids     map[string]tagging.TagID // by dimension and code
}

// contestRows is the number of customers; set CLIENTELE_BENCH_ROWS for others.
func contestRows() int {
	if n, err := strconv.Atoi(os.Getenv("CLIENTELE_BENCH_ROWS")); err == nil {
		return n
	}
	return 100_000
}

func newTagContest(b *testing.B) *tagContest {
	ctx, dir := context.Background(), b.TempDir()
	book, err := clientele.Open(ctx, filepath.Join(dir, "book"), clientele.Options{WithoutSearch: true, CacheBytes: cacheBytes, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { book.Close() })
	c := &tagContest{rows: contestRows(), book: book, session: book.As(clientele.Actor{ID: "bench"}), ids: map[string]tagging.TagID{}}
	for _, d := range []struct {
		code      string
		tags      int
		exclusive bool
	}{{"region", 34, true}, {"industry", 20, true}, {"flag", 10, false}} {
		c.must(b, c.session.Update(ctx, func(tx *clientele.Tx) error {
			made, err := tx.Tags.CreateDimension(tagging.Dimension{Code: d.code, Exclusive: d.exclusive})
			for i := 0; i < d.tags && err == nil; i++ {
				var t *tagging.Tag
				if t, err = tx.Tags.CreateTag(tagging.Tag{Dimension: made.ID, Code: fmt.Sprint(d.code[:1], i)}); err == nil {
					c.ids[d.code+":"+t.Code] = t.ID
				}
			}
			return err
		}))
	}
	_, err = c.session.Load(ctx, customer.LoadOptions{}, func(yield func(customer.Draft, error) bool) {
		for i := range c.rows {
			if !yield(customer.Draft{Name: "customer " + strconv.Itoa(i)}, nil) {
				return
			}
		}
	})
	c.must(b, err)
	_, err = book.Tags().Load(ctx, c.session.Job(), c.assignments())
	c.must(b, err)
	c.must(b, (&bookStore{ctx: ctx, book: book}).settle()) // as SQLite is vacuumed
	c.fillSQLite(b, filepath.Join(dir, "tags.sqlite"))
	return c
}

func (c *tagContest) must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// assignments are the same for both.
func (c *tagContest) assignments() iter.Seq2[tagging.LoadRow, error] {
	return func(yield func(tagging.LoadRow, error) bool) {
		random := rand.New(rand.NewPCG(1, 2))
		row := tagging.LoadRow{}
		for i := range c.rows {
			row.ID, row.Assignments = customer.ID(i+1), row.Assignments[:0]
			add := func(dimension string, n int) {
				row.Assignments = append(row.Assignments, tagging.Assignment{Tag: c.ids[dimension+":"+dimension[:1]+strconv.Itoa(n)]})
			}
			add("region", random.IntN(34))
			add("industry", random.IntN(20))
			for flag := range 10 {
				if random.Float64() < []float64{0.25, 0.03}[flag/5] {
					add("flag", flag)
				}
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

func (c *tagContest) fillSQLite(b *testing.B, path string) {
	db, err := sql.Open("sqlite3", path)
	c.must(b, err)
	b.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	c.sqlite = db
	exec := func(text string) { _, err := db.Exec(text); c.must(b, err) }
	exec(fmt.Sprintf("PRAGMA page_size = %d; PRAGMA cache_size = -%d; PRAGMA mmap_size = %d; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY", pageBytes, cacheBytes>>10, cacheBytes))
	exec("CREATE TABLE tagged (tag INTEGER NOT NULL, customer INTEGER NOT NULL, PRIMARY KEY (tag, customer)) WITHOUT ROWID")
	tx, err := db.Begin()
	c.must(b, err)
	insert, err := tx.Prepare("INSERT INTO tagged VALUES (?, ?)")
	c.must(b, err)
	for row, err := range c.assignments() {
		c.must(b, err)
		for _, a := range row.Assignments {
			_, err := insert.Exec(int64(a.Tag), int64(row.ID))
			c.must(b, err)
		}
	}
	c.must(b, tx.Commit())
	exec("CREATE INDEX by_customer ON tagged (customer, tag); ANALYZE; VACUUM")
}

// question is asked of both; the answers are texts to be compared.
type question struct {
	name   string
	ask    func(c *tagContest, r *tagging.Reader) (string, error)
	sql    string
	tags   []string // in the place of the question marks
	answer func(*sql.Rows) (string, error)
}

var tagQuestions = []question{
	{
		name: "FiveTags",
		ask: func(_ *tagContest, r *tagging.Reader) (string, error) {
			n, err := r.Count(tagging.Query{Filter: "flag:f0 AND flag:f1 AND flag:f2 AND flag:f3 AND flag:f4"})
			return fmt.Sprint(n), err
		},
		sql: `SELECT count(*) FROM tagged a JOIN tagged b ON b.tag = ? AND b.customer = a.customer JOIN tagged c ON c.tag = ? AND c.customer = a.customer
			JOIN tagged d ON d.tag = ? AND d.customer = a.customer JOIN tagged e ON e.tag = ? AND e.customer = a.customer WHERE a.tag = ?`,
		tags: []string{"flag:f1", "flag:f2", "flag:f3", "flag:f4", "flag:f0"}, answer: fields,
	},
	{
		name: "FiveTerms",
		ask: func(_ *tagContest, r *tagging.Reader) (string, error) {
			n, err := r.Count(tagging.Query{Filter: "(flag:f0 OR flag:f1) AND NOT flag:f2 AND (industry:i0 OR industry:i1)"})
			return fmt.Sprint(n), err
		},
		sql: `SELECT count(*) FROM (SELECT customer FROM tagged WHERE tag IN (?, ?) INTERSECT SELECT customer FROM tagged WHERE tag IN (?, ?)
			EXCEPT SELECT customer FROM tagged WHERE tag = ?)`,
		tags: []string{"flag:f0", "flag:f1", "industry:i0", "industry:i1", "flag:f2"}, answer: fields,
	},
	{
		name: "FirstPageOf50",
		ask: func(_ *tagContest, r *tagging.Reader) (string, error) {
			ids, _, err := r.Page(tagging.Query{Filter: "flag:f0 AND NOT flag:f1 AND industry:i0"}, 0, 50)
			return strings.ReplaceAll(strings.Trim(fmt.Sprint(ids), "[]"), " ", "\n"), err
		},
		sql: `SELECT a.customer FROM tagged a JOIN tagged c ON c.tag = ? AND c.customer = a.customer WHERE a.tag = ?
			AND NOT EXISTS (SELECT 1 FROM tagged b WHERE b.tag = ? AND b.customer = a.customer) ORDER BY a.customer LIMIT 50`,
		tags: []string{"industry:i0", "flag:f0", "flag:f1"}, answer: fields,
	},
	{
		name: "CrossTab20x34",
		ask: func(c *tagContest, r *tagging.Reader) (string, error) {
			t, err := r.CrossTab(tagging.Query{}, tagging.Axis{Field: "industry"}, tagging.Axis{Field: "region"})
			if err != nil {
				return "", err
			}
			var cells []string
			for i, row := range t.Rows[:20] {
				for j, column := range t.Columns[:34] {
					cells = append(cells, fmt.Sprint(row.Tag, " ", column.Tag, " ", t.Cells[i][j]))
				}
			}
			return strings.Join(cells, "\n"), nil
		},
		sql: `SELECT i.tag, r.tag, count(*) FROM tagged i JOIN tagged r ON r.customer = i.customer AND r.tag BETWEEN ? AND ?
			WHERE i.tag BETWEEN ? AND ? GROUP BY i.tag, r.tag ORDER BY i.tag, r.tag`,
		tags: []string{"region:r0", "region:r33", "industry:i0", "industry:i19"}, answer: fields,
	},
}

// fields are all rows, a line each.
func fields(rows *sql.Rows) (string, error) {
	names, err := rows.Columns()
	values, places := make([]string, len(names)), make([]any, len(names))
	for i := range values {
		places[i] = &values[i]
	}
	var all []string
	for err == nil && rows.Next() {
		err = rows.Scan(places...)
		all = append(all, strings.Join(values, " "))
	}
	if err == nil {
		err = rows.Err()
	}
	return strings.Join(all, "\n"), err
}

func (c *tagContest) askBook(q question) (answer string, err error) {
	err = c.session.View(context.Background(), func(tx *clientele.ReadTx) error {
		answer, err = q.ask(c, tx.Tags)
		return err
	})
	return answer, err
}

func (c *tagContest) askSQLite(q question) (string, error) {
	args := make([]any, len(q.tags))
	for i, tag := range q.tags {
		args[i] = int64(c.ids[tag])
	}
	rows, err := c.sqlite.Query(q.sql, args...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	return q.answer(rows)
}

// BenchmarkTags reports, for each question, the median times by the clock and of the
// processor of Clientele and of SQLite, which take turns; first with nobody writing, then
// with 5,000 tag changes a second written to Clientele, whose processor time is then in
// the figure too.
//
//	CLIENTELE_BENCH_ROWS=1000000 go test -run none -bench Tags -benchtime 9x .
func BenchmarkTags(b *testing.B) {
	c := newTagContest(b)
	for _, q := range tagQuestions {
		ours, err := c.askBook(q)
		c.must(b, err)
		theirs, err := c.askSQLite(q)
		c.must(b, err)
		if sorted(ours) != sorted(theirs) {
			b.Fatalf("%s: Clientele says %.200s, SQLite %.200s", q.name, ours, theirs)
		}
	}
	b.Run("rest", func(b *testing.B) { c.compare(b, true) })
	b.Run("written", func(b *testing.B) {
		stop, began := c.writeAlong(b), time.Now()
		time.Sleep(time.Second)
		c.compare(b, false)
		b.ReportMetric(float64(stop())/time.Since(began).Seconds(), "changes/s")
	})
}

// sorted makes answers comparable: Clientele gives tags in the order of their codes.
func sorted(answer string) string {
	lines := strings.Split(answer, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (c *tagContest) compare(b *testing.B, withSQLite bool) {
	for _, q := range tagQuestions {
		b.Run(q.name, func(b *testing.B) {
			var ours, theirs timings
			for b.Loop() {
				for range 20 {
					c.must(b, ours.take(func() error { _, err := c.askBook(q); return err }))
				}
				if withSQLite {
					c.must(b, theirs.take(func() error { _, err := c.askSQLite(q); return err }))
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(ours.clock), "µs-clientele")
			b.ReportMetric(median(ours.processor), "µs-processor-clientele")
			if withSQLite {
				b.ReportMetric(median(theirs.clock), "µs-sqlite")
				b.ReportMetric(median(theirs.processor), "µs-processor-sqlite")
				b.ReportMetric(median(theirs.processor)/median(ours.processor), "sqlite/clientele")
			}
		})
	}
}

// timings are what questions took, in microseconds.
type timings struct{ clock, processor []float64 }

func (t *timings) take(ask func() error) error {
	began, used := time.Now(), processorTime()
	err := ask()
	t.clock = append(t.clock, float64(time.Since(began).Microseconds()))
	t.processor = append(t.processor, float64((processorTime() - used).Microseconds()))
	return err
}

// writeAlong moves customers to other regions, 2,500 a second in transactions of 50: each
// is a change of two tags.
func (c *tagContest) writeAlong(b *testing.B) (stop func() int) {
	var quit atomic.Bool
	done, changes := make(chan bool), 0
	go func() {
		defer close(done)
		random := rand.New(rand.NewPCG(3, 4))
		for began := time.Now(); !quit.Load(); {
			if time.Since(began) < time.Duration(changes)*time.Second/5000 {
				time.Sleep(time.Millisecond)
				continue
			}
			err := c.session.Update(context.Background(), func(tx *clientele.Tx) error {
				for range 50 {
					id, tag := customer.ID(1+random.IntN(c.rows)), c.ids["region:r"+strconv.Itoa(random.IntN(34))]
					if _, err := tx.Tags.Replace(id, tagging.Assignment{Tag: tag}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Error(err)
				return
			}
			changes += 100
		}
	}()
	return func() int { quit.Store(true); <-done; return changes }
}
