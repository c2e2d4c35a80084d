package main

import (
	"bytes"
	"database/sql"
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/internal/sample"
)

var (
	yearDimensions = []string{"kind", "party", "status", "rep", "province"}
	yearFields     = []exchange.Field{exchange.KindOf, exchange.PartyOf, exchange.StatusOf, exchange.Rep, exchange.Province}
	yearOpening    = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	yearClosing    = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
)

// year is a year's count in SQL, over exports of both ends: tables of small numbers by the
// customer's, each with an index by dimension, so that compositions are read off indexes,
// and movements are looked for among those customers only that differ.
type year struct {
	*counted
	numbers map[string]int // of customers by code, and of values by dimension and value
}

// BenchmarkStocktakeYear counts CLIENTELE_BENCH_ROWS customers by five dimensions over a
// year in which a tenth came, one of fifty was archived, one changed its representative and
// one its province; and the same in SQL over exports of both ends: the totals, and by
// dimension and value opening, gained, moved in, lost, moved out and closing. SQLite is in
// memory, indexed and analysed. The count has the twelve months, the terms with their
// customers and checks besides.
func BenchmarkStocktakeYear(b *testing.B) {
	rows := 20_000
	if n, err := strconv.Atoi(os.Getenv("CLIENTELE_BENCH_ROWS")); err == nil && n > 0 {
		rows = n
	}
	y := &year{newCounted(b, 1), map[string]int{"": 0}}
	y.makeHistory(rows)
	y.compare()
	b.Run("Clientele", func(b *testing.B) {
		for b.Loop() {
			y.count()
		}
	})
	b.Run("SQLite", func(b *testing.B) {
		for b.Loop() {
			y.countSQL()
		}
	})
}

func (y *year) makeHistory(n int) {
	y.now = yearOpening.AddDate(0, -6, 0)
	y.must(y.me.Update(y.ctx, func(tx *clientele.Tx) error { return tx.Customers.SetSchema(sample.Schema()) }))
	old := n - n/10
	y.load(0, old)
	y.now = yearOpening
	y.export("opened")
	for month := range 12 {
		y.now = yearOpening.AddDate(0, month, 9)
		y.load(old+month*(n-old)/12, old+(month+1)*(n-old)/12)
		const batch = 1000
		end := (month + 1) * old / 12
		for from := month * old / 12; from < end; from += batch {
			y.must(y.me.Update(y.ctx, func(tx *clientele.Tx) error { return changeYear(tx, from, min(from+batch, end)) }))
		}
	}
	y.now = yearClosing
	y.export("closed")
	_, err := y.db.Exec(`ANALYZE`)
	y.must(err)
}

func (y *year) load(from, to int) {
	_, err := y.me.Load(y.ctx, customer.LoadOptions{}, func(yield func(customer.Draft, error) bool) {
		for i := from; i < to; i++ {
			d := sample.Customer(1, i).Draft()
			d.Rep = fmt.Sprintf("rep%02d", i%40)
			if !yield(d, nil) {
				return
			}
		}
	})
	y.must(err)
}

func changeYear(tx *clientele.Tx, from, to int) error {
	for i := from; i < to; i++ {
		id := customer.ID(i + 1)
		var err error
		switch i % 50 {
		case 0:
			_, err = tx.Customers.Archive(id)
		case 1:
			_, err = tx.Customers.Assign(id, 0, "rep99")
		case 2:
			var c *customer.Customer
			if c, err = tx.Customers.Get(id); err == nil {
				c.Note, c.Addresses = "moved", []customer.Address{{Country: "CN", Province: "广东省", Text: "广东省某地"}}
				_, err = tx.Customers.Update(c)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// number is a small number for a text.
func (y *year) number(text string) int {
	n, found := y.numbers[text]
	if !found {
		n = len(y.numbers)
		y.numbers[text] = n
	}
	return n
}

// value is the number of a dimension's value, 0 for none.
func (y *year) value(dimension, text string) int {
	if text == "" {
		return 0
	}
	return y.number(dimension + " " + text)
}

// export writes the present customers to a table.
func (y *year) export(table string) {
	var file bytes.Buffer
	_, err := y.me.Exchange().Export(y.ctx, &file, exchange.Export{Fields: append([]exchange.Field{exchange.Code}, yearFields...), FieldHeadings: true})
	y.must(err)
	rows := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file.Bytes(), []byte("\ufeff"))))
	_, err = rows.Read()
	y.must(err)
	y.exec(`CREATE TABLE ` + table + ` (id INTEGER PRIMARY KEY, ` + strings.Join(yearDimensions, ` INTEGER, `) + ` INTEGER)`)
	tx, err := y.db.Begin()
	y.must(err)
	insert, err := tx.Prepare(`INSERT INTO ` + table + ` VALUES (?, ?, ?, ?, ?, ?)`)
	y.must(err)
	for row, err := rows.Read(); err == nil; row, err = rows.Read() {
		values := []any{y.number(row[0])}
		for i, d := range yearDimensions {
			values = append(values, y.value(d, row[i+1]))
		}
		_, err = insert.Exec(values...)
		y.must(err)
	}
	y.must(tx.Commit())
	for _, d := range yearDimensions {
		y.exec(`CREATE INDEX ` + table + `_` + d + ` ON ` + table + ` (` + d + `)`)
	}
}

func (y *year) exec(query string) {
	y.Helper()
	_, err := y.db.Exec(query)
	y.must(err)
}

func (y *year) count() *stocktake.Result {
	y.Helper()
	r, err := y.me.Stocktake().Count(y.ctx, stocktake.Ask{
		Definition: stocktake.Definition{Name: "year", Dimensions: yearDimensions},
		Opening:    stocktake.Instant{Time: yearOpening}, Closing: stocktake.Instant{Time: yearClosing},
	})
	y.must(err)
	return r
}

// sums are a value's row: opening, closing, gained, moved in, lost, moved out.
type sums [6]int64

// yearSums are the rows by number of a value, one map for each dimension; that of the
// totals is the last.
type yearSums []map[int]sums

// countSQL counts both ends and what is between them.
func (y *year) countSQL() yearSums {
	y.exec(`CREATE TEMP TABLE moved AS
		SELECT o.id, ` + columnsOf("o", "_o") + `, c.id IS NOT NULL AS stays, 1 AS was, ` + columnsOf("c", "_c") + `
			FROM opened o LEFT JOIN closed c ON c.id = o.id WHERE c.id IS NULL OR (` + differ() + `)
		UNION ALL SELECT c.id, ` + strings.Repeat(`NULL, `, len(yearDimensions)) + `1, 0, ` + columnsOf("c", "_c") + `
			FROM closed c WHERE NOT EXISTS (SELECT 1 FROM opened o WHERE o.id = c.id)`)
	all := yearSums{}
	for _, d := range yearDimensions {
		rows := map[int]sums{}
		y.fill(rows, []int{0}, `SELECT `+d+`, count(*) FROM opened GROUP BY 1`)
		y.fill(rows, []int{1}, `SELECT `+d+`, count(*) FROM closed GROUP BY 1`)
		y.fill(rows, []int{2, 3}, `SELECT `+d+`_c, sum(NOT was), sum(was) FROM moved WHERE stays AND `+d+`_c IS NOT `+d+`_o GROUP BY 1`)
		y.fill(rows, []int{4, 5}, `SELECT `+d+`_o, sum(NOT stays), sum(stays) FROM moved WHERE was AND `+d+`_c IS NOT `+d+`_o GROUP BY 1`)
		all = append(all, rows)
	}
	total := map[int]sums{}
	y.fill(total, []int{0, 1, 2, 4}, `SELECT 0, (SELECT count(*) FROM opened), (SELECT count(*) FROM closed), sum(NOT was), sum(NOT stays) FROM moved`)
	y.exec(`DROP TABLE moved`)
	return append(all, total)
}

// columns are a table's dimensions under names of their own.
func columnsOf(table, suffix string) string {
	var list []string
	for _, d := range yearDimensions {
		list = append(list, table+"."+d+" AS "+d+suffix)
	}
	return strings.Join(list, ", ")
}

func differ() string {
	var list []string
	for _, d := range yearDimensions {
		list = append(list, "o."+d+" <> c."+d)
	}
	return strings.Join(list, " OR ")
}

// fill reads rows of a value's number and the sums at some places.
func (y *year) fill(into map[int]sums, at []int, query string) {
	y.Helper()
	rows, err := y.db.Query(query)
	y.must(err)
	defer rows.Close()
	for rows.Next() {
		var key int
		found := make([]sql.NullInt64, len(at))
		scanned := []any{&key}
		for i := range found {
			scanned = append(scanned, &found[i])
		}
		y.must(rows.Scan(scanned...))
		sum := into[key]
		for i, place := range at {
			sum[place] = found[i].Int64
		}
		into[key] = sum
	}
	y.must(rows.Err())
}

// compare has both say the same.
func (y *year) compare() {
	r, all := y.count(), y.countSQL()
	x := &r.Reconciliation
	total := sums{x.Opening, x.Closing, x.Gained(), 0, x.Lost(), 0}
	if want := all[len(yearDimensions)][0]; total != want || x.Lost() == 0 || x.Gained() == 0 {
		y.Fatalf("the count is %v, in SQL %v", total, want)
	}
	for i, d := range r.Dimensions {
		for _, row := range d.Rows {
			label := row.Key
			if d.Code == "province" && label != "" {
				label = row.Label["en"]
			}
			got := sums{row.Opening, row.Closing, row.Gained, row.MovedIn, row.Lost, row.MovedOut}
			if want := all[i][y.value(d.Code, label)]; got != want {
				y.Errorf("%s %q: %v, in SQL %v", d.Code, label, got, want)
			}
		}
		if len(d.Rows) != len(all[i]) || d.Code != yearDimensions[i] {
			y.Errorf("%s has %d rows, in SQL %s %d", d.Code, len(d.Rows), yearDimensions[i], len(all[i]))
		}
		if moved := slices.IndexFunc(d.Rows, func(row stocktake.Row) bool { return row.MovedIn > 0 }) >= 0; moved != (d.Code == "rep" || d.Code == "province") {
			y.Errorf("who moved by %s: %v", d.Code, moved)
		}
	}
}

// The year's count says what SQL says of the exports.
func TestStocktakeOfAYearAgreesWithSQL(t *testing.T) {
	y := &year{newCounted(t, 1), map[string]int{"": 0}}
	y.makeHistory(2000)
	y.compare()
}
