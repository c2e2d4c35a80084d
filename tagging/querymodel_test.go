package tagging

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/accesstest"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
	"github.com/clientele-go/clientele/tagging/filter"
)

// shelf is a book for queries: customers whose ids lie in two chunks, and their tags.
type shelf struct {
	t         rapid.TB
	customers *customer.Store
	tags      *Store
	storage   *storage.Store
	now       time.Time
	ids       []customer.ID
	tagIDs    []TagID
}

// firstID is where a shelf's ids begin: its first customers are the last of chunk 0.
const firstID = bitset.ChunkSize - 8

func newShelf(t rapid.TB) *shelf {
	customers, err := customer.New(customer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &shelf{t: t, customers: customers, now: time.Date(2026, 3, 30, 9, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return s.now }
	s.tags = New(Options{Clock: clock})
	s.tags.sharing.least, s.tags.sharing.cores = 1, func() int { return 3 } // two chunks, several shares
	s.tags.sharing.window = 1
	schema := &storage.Schema{}
	customers.AddTo(schema)
	s.tags.AddTo(schema)
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true, CacheBytes: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	s.storage, err = storage.Open(context.Background(), engine, schema, nil, storage.Options{Clock: clock, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	startIDs(t, engine, firstID)
	return s
}

// startIDs makes the ids of customers begin at one.
func startIDs(t rapid.TB, engine kv.Engine, first uint64) {
	var b kv.Batch
	b.Set([]byte{0x05, 0x01}, binary.AppendUvarint(nil, first)) // the sequence of ids, see KEYS.md
	if _, err := engine.Apply(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
}

func (s *shelf) close() { s.storage.Close() }

var librarian = storage.Session{Actor: "lin", Reason: "test"}

func (s *shelf) try(f func(*customer.Tx, *Tx) error) error {
	_, err := s.storage.Update(context.Background(), librarian, func(tx *storage.Tx) error {
		customers := s.customers.Tx(tx)
		return f(customers, s.tags.Tx(tx, customers))
	})
	return err
}

func (s *shelf) update(f func(*customer.Tx, *Tx) error) {
	if err := s.try(f); err != nil {
		s.t.Fatal(err)
	}
}

// view runs f with what a scope shows, nil for everything.
func (s *shelf) view(scope *accesstest.Access, f func(*Reader)) {
	err := s.storage.View(context.Background(), func(r *storage.Reader) error {
		var access customer.Access
		if scope != nil {
			scope.All, access = s.customers.Reader(r), scope
		}
		f(s.tags.Reader(r, s.customers.ReaderWith(r, access)))
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// define declares attributes and dimensions: a tree, an exclusive and ordered one, and a
// plain one.
func (s *shelf) define() {
	s.update(func(c *customer.Tx, tx *Tx) error {
		err := c.SetSchema(&customer.Schema{Attributes: []customer.AttributeSpec{
			{Name: "grade", Type: customer.Enum, Values: []string{"C", "B", "A"}, Indexed: true},
			{Name: "vat", Type: customer.Boolean, Indexed: true},
			{Name: "days", Type: customer.Number, Decimals: 1, Indexed: true},
			{Name: "since", Type: customer.Date, Indexed: true},
			{Name: "memo", Type: customer.Text, Indexed: true},
			{Name: "weight", Type: customer.Number}, // in records only
		}})
		if err != nil {
			return err
		}
		for _, d := range []Dimension{{Code: "region", Tree: true}, {Code: "level", Exclusive: true, Ordered: true}, {Code: "flag"}} {
			if _, err := tx.CreateDimension(d); err != nil {
				return err
			}
		}
		return nil
	})
	tag := func(dimension, code, parent string, rank int) {
		s.update(func(_ *customer.Tx, tx *Tx) error {
			d, err := tx.Dimension(dimension)
			if err != nil {
				return err
			}
			t := Tag{Dimension: d.ID, Code: code, Rank: rank, Aliases: []string{code + "x"}}
			if parent != "" {
				above, err := tx.Tag(dimension, parent)
				if err != nil {
					return err
				}
				t.Parent = above.ID
			}
			made, err := tx.CreateTag(t)
			if err == nil {
				s.tagIDs = append(s.tagIDs, made.ID)
			}
			return err
		})
	}
	for _, t := range [][2]string{{"cn", ""}, {"cn-31", "cn"}, {"cn-32", "cn"}, {"cn-3201", "cn-32"}, {"tw", ""}} {
		tag("region", t[0], t[1], 0)
	}
	for i, code := range []string{"low", "mid", "high"} {
		tag("level", code, "", 10*i)
	}
	for _, code := range []string{"a", "b", "c"} {
		tag("flag", code, "", 0)
	}
}

var (
	reps   = []string{"", "wang", "li"}
	cities = []string{"", "上海市", "台北市", "南京市"}
)

// step changes the book at random.
func (s *shelf) step(t *rapid.T) {
	pick := func(label string, n int) int { return rapid.IntRange(0, n-1).Draw(t, label) }
	if len(s.ids) < 3 || pick("what", 4) == 0 {
		s.create(t)
		return
	}
	id := rapid.SampledFrom(s.ids).Draw(t, "id")
	tag := rapid.SampledFrom(s.tagIDs).Draw(t, "tag")
	// Refusals (a retired tag, a customer in another status) leave the book as it was.
	switch pick("action", 12) {
	case 0:
		s.try(func(c *customer.Tx, _ *Tx) error { _, err := c.Suspend(id); return err })
	case 1:
		s.try(func(c *customer.Tx, _ *Tx) error { _, err := c.Archive(id); return err })
	case 2:
		s.try(func(c *customer.Tx, _ *Tx) error { _, err := c.Reactivate(id); return err })
	case 3:
		s.try(func(_ *customer.Tx, tx *Tx) error { _, err := tx.Remove(id, tag); return err })
	case 4:
		s.try(func(_ *customer.Tx, tx *Tx) error { _, err := tx.Deny(id, tag); return err })
	case 5:
		s.now = s.now.Add(time.Duration(pick("days later", 4)) * 24 * time.Hour)
	case 6:
		if pick("merge", 6) == 0 {
			into := rapid.SampledFrom(s.tagIDs).Draw(t, "into")
			s.try(func(_ *customer.Tx, tx *Tx) error { _, err := tx.MergeTag(tag, into); return err })
		}
	default:
		a := Assignment{Tag: tag, Origin: Origin(pick("origin", 2))}
		if n := pick("from", 5); n > 2 {
			a.From = s.now.Add(time.Duration(n-2) * 24 * time.Hour)
		}
		if n := pick("until", 8); n > 4 {
			a.Until = s.now.Add(time.Duration(n-2) * 24 * time.Hour)
		}
		s.try(func(_ *customer.Tx, tx *Tx) error { _, err := tx.Replace(id, a); return err })
	}
}

func (s *shelf) create(t *rapid.T) {
	d := customer.Draft{
		Name: "n" + strconv.Itoa(rapid.IntRange(1, 3).Draw(t, "name")), Kind: customer.Kind(rapid.IntRange(0, 2).Draw(t, "kind")),
		Party: customer.Party(rapid.IntRange(0, 1).Draw(t, "party")), Owner: customer.UnitID(rapid.IntRange(0, 3).Draw(t, "owner")),
		Rep: rapid.SampledFrom(reps).Draw(t, "rep"),
	}
	if city := rapid.SampledFrom(cities).Draw(t, "city"); city != "" {
		d.Addresses = []customer.Address{{Country: "CN", City: city, Text: city}}
	}
	set := func(name string, v customer.Value) {
		if rapid.Bool().Draw(t, "has "+name) {
			d.Attributes = append(d.Attributes, customer.Attribute{Name: name, Value: v})
		}
	}
	set("grade", customer.EnumValue(rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "grade")))
	set("vat", customer.BooleanValue(rapid.Bool().Draw(t, "vat")))
	set("days", customer.NumberValue(rapid.Int64Range(-20, 20).Draw(t, "days")))
	set("since", customer.DateValue(time.Date(2026, 1, rapid.IntRange(1, 90).Draw(t, "since"), 0, 0, 0, 0, time.UTC)))
	set("memo", customer.TextValue(rapid.SampledFrom([]string{"x", "Y", "z"}).Draw(t, "memo")))
	set("weight", customer.NumberValue(rapid.Int64Range(0, 3).Draw(t, "weight")))
	s.update(func(c *customer.Tx, _ *Tx) error {
		made, err := c.Create(d)
		if err == nil {
			s.ids = append(s.ids, made.ID)
		}
		return err
	})
}

// drawFilter makes a random filter of the shelf's terms.
func drawFilter(t *rapid.T, depth int) filter.Expr {
	of := func(list ...string) string { return rapid.SampledFrom(list).Draw(t, "value") }
	switch kind := rapid.IntRange(0, 22).Draw(t, "term"); {
	case depth > 0 && kind < 5:
		var members []filter.Expr
		for range rapid.IntRange(0, 3).Draw(t, "members") {
			members = append(members, drawFilter(t, depth-1))
		}
		if kind < 3 {
			return filter.AllOf(members...)
		}
		return filter.AnyOf(members...)
	case depth > 0 && kind < 7:
		return filter.Except(drawFilter(t, depth-1))
	case kind < 9:
		return filter.Is("region", of("cn", "cn-31", "CN-32x", "cn-3201", "tw"))
	case kind < 10:
		return filter.Under("region", of("cn", "cn-31", "cn-32", "tw"), of("cn-3201", "tw"))
	case kind < 12:
		return filter.Is("flag", of("a", "b", "c"), of("a", "bx"))
	case kind < 13:
		return drawRange(t, "level", "low", "mid", "high")
	case kind < 14:
		return filter.Has(of("region", "level", "flag", "rep", "owner", "city", "attr.grade", "attr.vat", "attr.days", "attr.weight", "created"))
	case kind < 15:
		return filter.Missing(of("region", "level", "flag", "rep", "owner", "city", "attr.grade", "attr.memo", "attr.since", "phone"))
	case kind < 16:
		return filter.Is("status", of("active", "suspended", "archived"))
	case kind < 17:
		return filter.Is(of("rep", "city", "name"), of("wang", "li", "上海市", "N1", "n2"))
	case kind < 18:
		return filter.Is("kind", of("buyer", "prospect", "partner"))
	case kind < 19:
		return drawRange(t, "owner", "1", "2", "3")
	case kind < 20:
		return drawRange(t, "created", "2026-03-31", "2026-04", "2026-04-02")
	case kind < 21:
		return drawRange(t, "attr.days", "-1.5", "0", "0.7")
	case kind < 22:
		return drawRange(t, "attr.since", "2026-01-15", "2026-02", "2026-03-01")
	}
	return drawRange(t, of("attr.grade", "attr.grade", "attr.weight"), "A", "B", "C")
}

func drawRange(t *rapid.T, field string, values ...string) filter.Expr {
	if field == "attr.weight" {
		values = []string{"1", "2"}
	}
	bound := func(label string) filter.Bound {
		return filter.Bound{Value: rapid.SampledFrom(append(values, "")).Draw(t, label), Exclusive: rapid.Bool().Draw(t, label+" exclusive")}
	}
	from, to := bound("from"), bound("to")
	if from.Value == "" {
		from = filter.Bound{}
	}
	if to.Value == "" {
		to = filter.Bound{}
	}
	if from.IsOpen() && to.IsOpen() {
		return filter.Has(field)
	}
	return filter.Range(field, from, to)
}

// subject is a customer with its tags: what the naive evaluation looks at.
type subject struct {
	*customer.Customer
	tags *Tagged
}

// holds evaluates a filter on one customer, by the plainest reading of the language.
func (r *Reader) holds(t rapid.TB, e filter.Expr, x subject) bool {
	switch e := e.(type) {
	case filter.And:
		return !slices.ContainsFunc(e, func(m filter.Expr) bool { return !r.holds(t, m, x) })
	case filter.Or:
		return slices.ContainsFunc(e, func(m filter.Expr) bool { return r.holds(t, m, x) })
	case filter.Not:
		return !r.holds(t, e.X, x)
	}
	term := e.(filter.Term)
	if d, err := r.Dimension(term.Field); err == nil {
		return r.tagHolds(t, d, term, x)
	}
	return valueHolds(t, term, x.Customer)
}

func (r *Reader) tagHolds(t rapid.TB, d *Dimension, term filter.Term, x subject) bool {
	held := x.tags.In(d.ID)
	byID := func(id TagID) *Tag {
		tag, err := r.TagByID(id)
		if err != nil {
			t.Fatal(err)
		}
		return tag
	}
	named := func(code string) *Tag {
		tag, err := r.Tag(d.Code, code)
		if err != nil {
			t.Fatal(err)
		}
		return tag
	}
	switch term.Op {
	case filter.OpHas:
		return len(held) > 0
	case filter.OpMissing:
		return len(held) == 0
	}
	return slices.ContainsFunc(held, func(id TagID) bool {
		switch term.Op {
		case filter.OpRange:
			rank := byID(id).Rank
			return (term.From.IsOpen() || rank > named(term.From.Value).Rank || rank == named(term.From.Value).Rank && !term.From.Exclusive) &&
				(term.To.IsOpen() || rank < named(term.To.Value).Rank || rank == named(term.To.Value).Rank && !term.To.Exclusive)
		case filter.OpUnder:
			for ; id != 0; id = byID(id).Parent {
				if slices.ContainsFunc(term.Values, func(code string) bool { return named(code).ID == id }) {
					return true
				}
			}
			return false
		}
		return slices.ContainsFunc(term.Values, func(code string) bool { return named(code).ID == id })
	})
}

// valueHolds reads the typed record.
func valueHolds(t rapid.TB, term filter.Term, c *customer.Customer) bool {
	text, texts := "", []string{}
	number, numbered := int64(0), false
	switch name := term.Field; name {
	case "status":
		number, numbered = int64(c.Status), true
	case "kind":
		number, numbered = int64(c.Kind), true
	case "owner":
		number, numbered = int64(c.Owner), c.Owner != 0
	case "rep":
		text = c.Rep
	case "name":
		text = c.Name
	case "phone":
		if len(c.Phones) > 0 {
			text = c.Phones[0].Number
		}
	case "city":
		if len(c.Addresses) > 0 {
			text = c.Addresses[0].City
		}
	case "created":
		number, numbered = c.Created.Unix()/86400, true
	default:
		v, has := c.Attribute(name[len("attr."):])
		if !has {
			return term.Op == filter.OpMissing
		}
		switch v.Type() {
		case customer.Enum:
			number, numbered = int64(slices.Index([]string{"C", "B", "A"}, v.Text())), true
		case customer.Boolean:
			numbered = true
		case customer.Number:
			number, numbered = v.Units(), true
		case customer.Date:
			number, numbered = v.Time().Unix()/86400, true
		default:
			text = v.Text()
		}
	}
	if text != "" {
		texts = append(texts, text)
	}
	switch term.Op {
	case filter.OpHas:
		return numbered || len(texts) > 0
	case filter.OpMissing:
		return !numbered && len(texts) == 0
	case filter.OpIs:
		return slices.ContainsFunc(term.Values, func(v string) bool {
			if numbered {
				low, high := spanOf(t, term.Field, v)
				return low <= number && number <= high
			}
			return text != "" && (text == v || term.Field == "name" && v == "N1" && text == "n1")
		})
	}
	if !numbered {
		return false
	}
	if !term.From.IsOpen() {
		low, high := spanOf(t, term.Field, term.From.Value)
		if number < low || term.From.Exclusive && number <= high {
			return false
		}
	}
	if !term.To.IsOpen() {
		low, high := spanOf(t, term.Field, term.To.Value)
		if number > high || term.To.Exclusive && number >= low {
			return false
		}
	}
	return true
}

// spanOf is the first and the last number that a value of the shelf's filters means.
func spanOf(t rapid.TB, field, value string) (low, high int64) {
	one := map[string]int64{
		"active": 0, "suspended": 1, "archived": 2, "buyer": 0, "prospect": 1, "partner": 2, "C": 0, "B": 1, "A": 2,
		"1": 1, "2": 2, "3": 3, "-1.5": -15, "0": 0, "0.7": 7,
		// days since 1970-01-01: 20454 is 2026-01-01
		"2026-01-15": 20454 + 14, "2026-03-01": 20454 + 31 + 28, "2026-03-31": 20454 + 31 + 28 + 30, "2026-04-02": 20454 + 31 + 28 + 31 + 1,
	}
	if n, is := one[value]; is {
		return n, n
	}
	switch value {
	case "2026-02":
		return 20454 + 31, 20454 + 31 + 27
	case "2026-04":
		return 20454 + 31 + 28 + 31, 20454 + 31 + 28 + 31 + 29
	}
	t.Fatal(fmt.Sprintf("%s:%s is not in the test's table", field, value))
	return 0, 0
}
