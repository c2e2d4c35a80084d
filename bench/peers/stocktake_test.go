package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/dedupe"
)

// counted is a book with a random history, and its exports in a database.
type counted struct {
	testing.TB
	*rand.Rand
	ctx  context.Context
	me   *clientele.Session
	db   *sql.DB
	now  time.Time
	step int // the most seconds between changes
	ids  []customer.ID
	last int
}

// A stocktake of a random history must have the totals, and by kind, party and province
// the rows, that SQLite counts in exports made at the opening and at the closing.
func TestStocktakeAgreesWithSQLOverExports(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			c := newCounted(t, seed)
			c.live(60)
			opening := c.export("opening")
			for range 6 {
				c.live(25)
			}
			closing := c.export("closing")
			c.live(30) // what comes after the closing must not count
			c.compare(opening, closing)
		})
	}
}

func newCounted(t testing.TB, seed uint64) *counted {
	c := &counted{TB: t, Rand: rand.New(rand.NewPCG(seed, 8)), ctx: context.Background(), now: time.Date(2025, 1, 1, 8, 0, 0, 0, time.UTC), step: 3600}
	book, err := clientele.Open(c.ctx, "", clientele.Options{InMemory: true, WithoutSearch: true, TickEvery: -1, Clock: func() time.Time { return c.now }})
	c.must(err)
	t.Cleanup(func() { book.Close() })
	c.me = book.As(clientele.Actor{ID: "auditor", Relaxed: true})
	c.db, err = sql.Open("sqlite3", ":memory:")
	c.must(err)
	c.db.SetMaxOpenConns(1)
	t.Cleanup(func() { c.db.Close() })
	return c
}

func (c *counted) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// live makes a number of random changes, each in a transaction of its own.
func (c *counted) live(changes int) {
	for range changes {
		c.now = c.now.Add(time.Duration(1+c.IntN(c.step)) * time.Second)
		err := c.me.Update(c.ctx, c.change)
		if err != nil && !errors.Is(err, customer.ErrStatus) && !errors.Is(err, customer.ErrNotFound) && !errors.Is(err, dedupe.ErrInvalid) {
			c.Fatal(err)
		}
	}
}

var (
	countedKinds     = []customer.Kind{customer.Buyer, customer.Prospect, customer.Partner}
	countedProvinces = []string{"上海市", "广东省", "浙江省", ""}
)

func (c *counted) change(tx *clientele.Tx) error {
	if len(c.ids) < 5 || c.IntN(3) == 0 {
		made, err := tx.Customers.Create(c.draft())
		if err == nil {
			c.ids = append(c.ids, made.ID)
		}
		return err
	}
	id, other := c.ids[c.IntN(len(c.ids))], c.ids[c.IntN(len(c.ids))]
	switch c.IntN(8) {
	case 0, 1:
		_, err := tx.Customers.Archive(id)
		return err
	case 2:
		_, err := tx.Customers.Reactivate(id)
		return err
	case 3:
		_, err := tx.Customers.Erase(id)
		return err
	case 4, 5:
		if id == other {
			return nil
		}
		_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: id, Losers: []customer.ID{other}})
		return err
	case 6:
		_, _, err := tx.Dedupe.Unmerge(id)
		return err
	}
	present, err := tx.Customers.Get(id)
	if err != nil {
		return err
	}
	present.Kind = countedKinds[c.IntN(3)]
	_, err = tx.Customers.Update(present)
	return err
}

func (c *counted) draft() customer.Draft {
	c.last++
	d := customer.Draft{Name: fmt.Sprintf("客户 %d", c.last), Kind: countedKinds[c.IntN(3)], Party: customer.Party(c.IntN(2))}
	if p := countedProvinces[c.IntN(4)]; p != "" {
		d.Addresses = []customer.Address{{Country: "CN", Province: p, Text: p + "某路 1 号"}}
	}
	return d
}

// export writes the present customers to a table and returns the instant.
func (c *counted) export(table string) time.Time {
	c.now = c.now.Add(time.Second)
	var file bytes.Buffer
	_, err := c.me.Exchange().Export(c.ctx, &file, exchange.Export{
		Fields: []exchange.Field{exchange.Code, exchange.KindOf, exchange.PartyOf, exchange.Province}, FieldHeadings: true,
	})
	c.must(err)
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file.Bytes(), []byte("\ufeff")))).ReadAll()
	c.must(err)
	_, err = c.db.Exec(`CREATE TABLE ` + table + ` (code TEXT PRIMARY KEY, kind TEXT, party TEXT, province TEXT) WITHOUT ROWID`)
	c.must(err)
	for _, row := range rows[1:] {
		_, err := c.db.Exec(`INSERT INTO `+table+` VALUES (?, ?, ?, ?)`, row[0], row[1], row[2], row[3])
		c.must(err)
	}
	at := c.now
	c.now = c.now.Add(time.Second)
	return at
}

func (c *counted) one(query string) (n int64) {
	c.Helper()
	c.must(c.db.QueryRow(query).Scan(&n))
	return n
}

var countedDimensions = []string{"kind", "party", "province"}

// The totals in SQL.
const (
	countOpening = `SELECT count(*) FROM opening`
	countClosing = `SELECT count(*) FROM closing`
	countGained  = `SELECT count(*) FROM closing WHERE NOT EXISTS (SELECT 1 FROM opening WHERE opening.code = closing.code)`
	countLost    = `SELECT count(*) FROM opening WHERE NOT EXISTS (SELECT 1 FROM closing WHERE opening.code = closing.code)`
)

func (c *counted) count(opening, closing time.Time) *stocktake.Result {
	c.Helper()
	r, err := c.me.Stocktake().Count(c.ctx, stocktake.Ask{
		Definition: stocktake.Definition{Name: "all", Dimensions: countedDimensions},
		Opening:    stocktake.Instant{Time: opening}, Closing: stocktake.Instant{Time: closing},
	})
	c.must(err)
	return r
}

// BenchmarkStocktake counts CLIENTELE_BENCH_ROWS customers, of which a sixth changed in the
// period, and the same in SQL over exports of both ends. SQLite has the totals and the rows
// by three dimensions, in memory and without indexes but the key; the count has the terms of
// the reconciliation, the months, activity and checks besides, and the history to make any
// other instant's.
func BenchmarkStocktake(b *testing.B) {
	rows := 20_000
	if n, err := strconv.Atoi(os.Getenv("CLIENTELE_BENCH_ROWS")); err == nil && n > 0 {
		rows = n
	}
	c := newCounted(b, 1)
	c.step = 100
	_, err := c.me.Load(c.ctx, customer.LoadOptions{}, func(yield func(customer.Draft, error) bool) {
		for range rows {
			if !yield(c.draft(), nil) {
				return
			}
		}
	})
	c.must(err)
	for id := range rows {
		c.ids = append(c.ids, customer.ID(id+1))
	}
	opening := c.export("opening")
	c.live(rows / 6)
	closing := c.export("closing")
	c.compare(opening, closing)
	b.Run("Clientele", func(b *testing.B) {
		for b.Loop() {
			c.count(opening, closing)
		}
	})
	b.Run("SQLite", func(b *testing.B) {
		for b.Loop() {
			for _, query := range []string{countOpening, countClosing, countGained, countLost} {
				c.one(query)
			}
			for _, dimension := range countedDimensions {
				for _, table := range []string{"opening", "closing"} {
					c.one(`SELECT count(*) FROM (SELECT count(*) FROM ` + table + ` GROUP BY ` + dimension + `)`)
				}
			}
		}
	})
}

func (c *counted) compare(opening, closing time.Time) {
	c.Helper()
	r := c.count(opening, closing)
	x := r.Reconciliation
	for _, f := range []struct {
		what  string
		got   int64
		query string
	}{
		{"opening", x.Opening, countOpening},
		{"closing", x.Closing, countClosing},
		{"gained", x.Gained(), countGained},
		{"lost", x.Lost(), countLost},
	} {
		if want := c.one(f.query); f.got != want {
			c.Errorf("%s is %d, SQL counts %d", f.what, f.got, want)
		}
	}
	if x.Opening == 0 || x.Lost() == 0 || x.Gained() == 0 {
		c.Errorf("the history is too tame to tell: %+v", x)
	}
	for _, d := range r.Dimensions {
		for table, total := range map[string]int64{"opening": x.Opening, "closing": x.Closing} {
			c.compareRows(&d, table, total)
		}
	}
}

// compareRows compares the rows of a dimension at one end of the period. Whoever was erased
// since has lost its address, but neither kind nor party: it stands in a row of its own.
func (c *counted) compareRows(d *stocktake.Dimension, table string, total int64) {
	var sum, erased, known int64
	for _, row := range d.Rows {
		got := row.Opening
		if table == "closing" {
			got = row.Closing
		}
		sum += got
		if row.Key == stocktake.KeyErased {
			erased = got
			continue
		}
		label := row.Key
		if d.Code == "province" && label != "" {
			label = row.Label["en"]
		}
		var want int64
		c.must(c.db.QueryRow(`SELECT count(*) FROM `+table+` WHERE `+d.Code+` = ?`, label).Scan(&want))
		if got > want || got < want && d.Code != "province" {
			c.Errorf("%s %q at the %s: %d, SQL counts %d", d.Code, label, table, got, want)
		}
		known += want - got
	}
	if sum != total {
		c.Errorf("rows by %s at the %s add up to %d, the total is %d", d.Code, table, sum, total)
	}
	if d.Code == "province" && known > erased {
		c.Errorf("%d customers have a province at the %s that SQL knows and the stocktake doesn't; only %d were erased", known, table, erased)
	}
}
