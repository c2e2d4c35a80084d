package stocktake_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/tagging"
)

// world is a book with a random history, and what a naive reading of it found at times.
type world struct {
	t    *rapid.T
	book *clientele.Book
	*clientele.Session
	now       *clock
	units     []customer.UnitID
	tags      []*tagging.Tag
	ids       []customer.ID
	snapshots []snapshot
	documents int
}

// snapshot is the customers as a reading of every record found them at an instant.
type snapshot struct {
	at        time.Time
	customers map[customer.ID]seen
}

type seen struct {
	at       time.Time
	status   customer.Status
	kind     customer.Kind
	owner    customer.UnitID
	province string
	levels   string // the tags' codes
	owes     bool
	last     int  // the last month that is over with an order or an invoice, 0 for none
	traded   bool // had an order in a month that is over, or a document
}

// number counts months.
func number(at time.Time) int { return 12*at.Year() + int(at.Month()) - 1 }

var provinces = []string{"广东省", "江苏省", ""}

func newWorld(t *rapid.T) *world {
	w := &world{t: t, now: newClock(time.Date(2025, 1, 5, 9, 0, 0, 0, time.UTC))}
	book, err := clientele.Open(context.Background(), "", clientele.Options{InMemory: true, WithoutSearch: true, TickEvery: -1, Clock: func() time.Time { return w.now.get() }})
	if err != nil {
		t.Fatal(err)
	}
	w.book, w.Session = book, book.System("test")
	w.update(func(tx *clientele.Tx) error {
		for _, code := range []string{"N", "S"} {
			u, err := tx.Org.CreateUnit(orgtree.Unit{Code: code, Names: customer.Names{"en": "Unit " + code}})
			if err != nil {
				return err
			}
			w.units = append(w.units, u.ID)
		}
		level, err := tx.Tags.CreateDimension(tagging.Dimension{Code: "level"})
		for _, code := range []string{"gold", "vip"} {
			if err != nil {
				return err
			}
			var tag *tagging.Tag
			tag, err = tx.Tags.CreateTag(tagging.Tag{Dimension: level.ID, Code: code})
			w.tags = append(w.tags, tag)
		}
		return err
	})
	return w
}

func (w *world) update(f func(tx *clientele.Tx) error) {
	if err := w.Update(context.Background(), f); err != nil {
		w.t.Fatal(err)
	}
}

// try makes a change that the customers' states may forbid.
func (w *world) try(f func(tx *clientele.Tx) error) { _ = w.Update(context.Background(), f) }

func pick[T any](w *world, label string, list []T) T {
	return list[rapid.IntRange(0, len(list)-1).Draw(w.t, label)]
}

// step makes a random change.
func (w *world) step() {
	w.now.set(w.now.get().Add(time.Duration(rapid.IntRange(0, 400).Draw(w.t, "hours")) * time.Hour))
	what := rapid.IntRange(0, 22).Draw(w.t, "what")
	if len(w.ids) < 2 || what < 3 {
		w.create()
		return
	}
	id, other := pick(w, "id", w.ids), pick(w, "other", w.ids)
	unit, tag := pick(w, "unit", w.units), pick(w, "tag", w.tags)
	w.try(func(tx *clientele.Tx) (err error) {
		switch what {
		case 3:
			_, err = tx.Customers.Archive(id)
		case 4:
			_, err = tx.Customers.Reactivate(id)
		case 5:
			_, err = tx.Customers.Suspend(id)
		case 6:
			_, err = tx.Customers.Resume(id)
		case 7:
			_, err = tx.Customers.Erase(id)
		case 8, 9:
			_, err = tx.Dedupe.Merge(dedupe.Merge{Survivor: id, Losers: []customer.ID{other}, Overrule: true})
		case 10, 11:
			_, _, err = tx.Dedupe.Unmerge(id)
		case 12:
			_, err = tx.Customers.Assign(id, unit, "")
		case 13:
			_, err = tx.Tags.Assign(id, tagging.Assignment{Tag: tag.ID})
		case 14:
			_, err = tx.Tags.Remove(id, tag.ID)
		case 15:
			var c *customer.Customer
			if c, err = tx.Customers.Exact(id); err == nil {
				c.Kind = pick(w, "kind", []customer.Kind{customer.Buyer, customer.Prospect, customer.Partner})
				c.Addresses = address(pick(w, "province", provinces))
				_, err = tx.Customers.Update(c)
			}
		case 16, 17:
			err = w.post(tx, id, credit.Invoice)
		case 18:
			err = w.post(tx, id, credit.Payment)
		case 19:
			_, err = tx.Credit.AllocateAutomatically(credit.Automatic{Customer: id, Method: credit.OldestFirst})
		case 20:
			err = undoOne(tx, id)
		case 21, 22:
			err = tx.Customers.Record(id, customer.Event{Type: rapid.SampledFrom([]string{"order", "visit"}).Draw(w.t, "event")})
		}
		return err
	})
}

// post posts a document of some day before.
func (w *world) post(tx *clientele.Tx, id customer.ID, kind credit.Kind) error {
	w.documents++
	ago := rapid.SampledFrom([]int{0, 0, 0, 5, 70}).Draw(w.t, "days ago")
	_, err := tx.Credit.Post(credit.Document{
		Key: fmt.Sprint("D", w.documents), Customer: id, Kind: kind, Date: date.Of(w.now.get()) - date.Date(ago),
		Amount: money.Amount{Minor: rapid.Int64Range(1, 9).Draw(w.t, "amount"), Currency: money.CNY},
		Note:   rapid.SampledFrom([]string{"", "by phone"}).Draw(w.t, "note"),
	})
	return err
}

// undoOne takes the first allocation of a customer's items back.
func undoOne(tx *clientele.Tx, id customer.ID) error {
	for i, err := range tx.Credit.Items(id) {
		if err != nil {
			return err
		}
		for a, err := range tx.Credit.Allocations(i.ID) {
			if err != nil {
				return err
			}
			_, err = tx.Credit.Deallocate(a.ID, credit.Undo{})
			return err
		}
	}
	return nil
}

func address(province string) []customer.Address {
	if province == "" {
		return nil
	}
	return []customer.Address{{Text: province + "某地", Country: "CN", Province: province}}
}

func (w *world) create() {
	w.update(func(tx *clientele.Tx) error {
		c, err := tx.Customers.Create(customer.Draft{
			Name: fmt.Sprint("Customer ", len(w.ids)), Kind: pick(w, "kind", []customer.Kind{customer.Buyer, customer.Prospect}),
			Owner: pick(w, "unit", append(w.units, 0)), Addresses: address(pick(w, "province", provinces)),
		})
		if err == nil {
			w.ids = append(w.ids, c.ID)
		}
		return err
	})
}

// look reads every record.
func (w *world) look() {
	w.now.set(w.now.get().Add(time.Minute))
	s := snapshot{w.now.get(), map[customer.ID]seen{}}
	err := w.View(context.Background(), func(tx *clientele.ReadTx) error {
		for _, id := range w.ids {
			c, err := tx.Customers.Exact(id)
			if err != nil {
				return err
			}
			x := seen{at: s.at, status: c.Status, kind: c.Kind, owner: c.Owner}
			if len(c.Addresses) > 0 {
				x.province = c.Addresses[0].Province
			}
			if c.Status != customer.Erased {
				held, err := tx.Tags.Of(id)
				if err != nil {
					return err
				}
				for _, tag := range w.tags {
					if held.Has(tag.ID) {
						x.levels += tag.Code + " "
					}
				}
				open, err := tx.Credit.Balances(id)
				if err != nil {
					return err
				}
				x.owes = len(open) > 0
				if err := x.readTrades(tx, id, s.at); err != nil {
					return err
				}
			}
			s.customers[id] = x
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.snapshots = append(w.snapshots, s)
	w.now.set(w.now.get().Add(time.Minute))
}

// readTrades reads all events and figures of a customer.
func (x *seen) readTrades(tx *clientele.ReadTx, id customer.ID, at time.Time) error {
	buy := func(month int) {
		if month < number(at) {
			x.last = max(x.last, month)
		}
	}
	for e, err := range tx.Customers.Events(id) {
		if err != nil {
			return err
		}
		if e.Type == "order" && number(e.Month) < number(at) {
			x.traded = true
			buy(number(e.Month))
		}
	}
	list, err := tx.Credit.Figures(id, date.First.Month(), date.Of(at).Month())
	for _, f := range list {
		x.traded = true
		if f.Invoices > 0 {
			buy(int(f.Month))
		}
	}
	return err
}

// class is the customer's at an instant, apart from new and returning ones.
func (x *seen) class(at time.Time, rule *stocktake.ActivityRule) stocktake.Class {
	ago := number(at) - 1 - x.last
	switch {
	case x.last == 0:
		return stocktake.ClassNever
	case ago < rule.Active:
		return stocktake.ClassActive
	case ago < rule.Lost:
		return stocktake.ClassDormant
	}
	return stocktake.ClassLost
}

// defined is a definition and the same in plain Go.
type defined struct {
	stocktake.Definition
	counts func(w *world, x seen) bool
	filter bool
}

// purchases are the types of events that are some; visits aren't.
var purchases = []string{"order", stocktake.EventInvoice}

var dimensions = []string{"status", "kind", "owner", "province", "tag.level"}

var definitions = []defined{
	{stocktake.Definition{
		Dimensions: dimensions, CrossTabs: [][2]string{{"kind", "owner"}}, Cohorts: true,
		Activity: &stocktake.ActivityRule{Types: purchases, Active: 1, Lost: 2}, Checks: []string{"inactive"},
	}, func(_ *world, x seen) bool { return x.status <= customer.Suspended }, false},
	{stocktake.Definition{Statuses: []customer.Status{customer.Active, customer.Archived}, Kinds: []customer.Kind{customer.Buyer}, Dimensions: dimensions}, func(_ *world, x seen) bool {
		return (x.status == customer.Active || x.status == customer.Archived) && x.kind == customer.Buyer
	}, false},
	{stocktake.Definition{Filter: "level:vip AND NOT province:江苏省", Dimensions: dimensions}, func(_ *world, x seen) bool {
		return x.status <= customer.Suspended && (x.levels == "vip " || x.levels == "gold vip ") && x.province != "江苏省"
	}, true},
	{stocktake.Definition{Units: []customer.UnitID{2}, Dimensions: dimensions}, func(w *world, x seen) bool {
		return x.status <= customer.Suspended && x.owner == w.units[1]
	}, false},
	{stocktake.Definition{Balance: stocktake.WithBalance, Aging: true, Revenue: &stocktake.Measure{}, Dimensions: dimensions}, func(_ *world, x seen) bool {
		return x.status <= customer.Suspended && x.owes
	}, false},
	{stocktake.Definition{Bought: &stocktake.Bought{Types: purchases, Months: 2}, Dimensions: dimensions}, func(w *world, x seen) bool {
		return x.status <= customer.Suspended && x.last > 0 && number(x.at)-1-x.last < 2
	}, false},
	{stocktake.Definition{Balance: stocktake.WithoutBalance, Aging: true, Revenue: &stocktake.Measure{}, Dimensions: dimensions, Zone: "Asia/Shanghai"}, func(_ *world, x seen) bool {
		return x.status <= customer.Suspended && !x.owes
	}, false},
}

// expect recounts two snapshots, customer by customer, as a count that is made at the
// instant of a third finds them: what was erased by then has no fields to filter by.
func (w *world) expect(d *defined, from, to, asked int) map[string][]customer.ID {
	terms := map[string][]customer.ID{}
	add := func(term string, id customer.ID) { terms[term] = append(terms[term], id) }
	counts := func(s int, id customer.ID) bool {
		x, there := w.snapshots[s].customers[id]
		if there && d.filter && w.snapshots[asked].customers[id].status == customer.Erased {
			return false
		}
		return there && d.counts(w, x)
	}
	in := func(s customer.Status) bool {
		return s == customer.Archived && slices.Contains(d.Statuses, s)
	}
	for _, id := range w.ids {
		then, existed := w.snapshots[from].customers[id]
		now, exists := w.snapshots[to].customers[id]
		before, after := counts(from, id), counts(to, id)
		if before {
			add("opening", id)
		}
		if after {
			add("closing", id)
		}
		switch {
		case before == after || !exists:
		case after && !existed:
			add("new", id)
		case after && then.status == customer.Archived && !in(then.status):
			add("reactivated", id)
		case after && then.status == customer.Merged:
			add("unmerged", id)
		case after:
			add("entered", id)
		case now.status == customer.Merged:
			add("merged", id)
		case now.status == customer.Archived && !in(now.status):
			add("archived", id)
		case now.status == customer.Erased:
			add("erased", id)
		default:
			add("left", id)
		}
	}
	return terms
}

func (w *world) check(d *defined, r *stocktake.Result, from, to, asked int) {
	if d.Bought != nil && w.erasedSince(from) > 0 {
		return // nobody can tell any more what they bought
	}
	want := w.expect(d, from, to, asked)
	n := func(term string) int64 { return int64(len(want[term])) }
	expected := stocktake.Reconciliation{
		Opening: n("opening"), New: n("new"), Reactivated: n("reactivated"), Unmerged: n("unmerged"), Entered: n("entered"),
		Merged: n("merged"), Archived: n("archived"), Erased: n("erased"), Left: n("left"), Closing: n("closing"),
	}
	if r.Reconciliation != expected || r.Reconciliation.Balance() != 0 {
		w.t.Fatalf("from %d to %d as of %d, %+v:\n got %+v\nwant %+v", from, to, asked, d.Definition, r.Reconciliation, expected)
	}
	last := r.Reconciliation.Opening
	for _, m := range r.Trend {
		if m.Balance() != 0 || m.Opening != last {
			w.t.Fatalf("month %+v after %d", m, last)
		}
		last = m.Closing
	}
	if last != r.Reconciliation.Closing {
		w.t.Fatalf("the trend ends at %d, not %d", last, r.Reconciliation.Closing)
	}
	if d.Activity != nil {
		w.checkActivity(d, r, want, from, to)
	}
	for _, dim := range r.Dimensions {
		w.checkRows(d, &dim, want, from, to, asked)
	}
}

// checkActivity compares the classes with the snapshots.
func (w *world) checkActivity(d *defined, r *stocktake.Result, want map[string][]customer.ID, from, to int) {
	if w.erasedSince(from) > 0 {
		return
	}
	opening, closing, never := map[stocktake.Class]int64{}, map[stocktake.Class]int64{}, int64(0)
	classAt := func(s int, id customer.ID) stocktake.Class {
		x := w.snapshots[s].customers[id]
		return x.class(x.at, d.Activity)
	}
	for _, id := range want["opening"] {
		opening[classAt(from, id)]++
	}
	for _, id := range want["closing"] {
		class := classAt(to, id)
		switch {
		case slices.Contains(want["new"], id):
			class = stocktake.ClassNew
		case class == stocktake.ClassActive && classAt(from, id) == stocktake.ClassLost:
			class = stocktake.ClassReturning
		}
		closing[class]++
		if !w.snapshots[to].customers[id].traded {
			never++
		}
	}
	for _, a := range r.Activity {
		if a.Opening != opening[a.Class] || a.Closing != closing[a.Class] {
			w.t.Fatalf("from %d to %d: %+v; want %d and %d", from, to, a, opening[a.Class], closing[a.Class])
		}
	}
	if c := checkOf(r, "inactive"); c.Count != never {
		w.t.Fatalf("from %d to %d: %d without any transaction; want %d", from, to, c.Count, never)
	}
}

// checkRows compares the rows of a dimension with the snapshots.
func (w *world) checkRows(d *defined, dim *stocktake.Dimension, want map[string][]customer.ID, from, to, asked int) {
	keysOf := func(s int, id customer.ID) []string {
		x := w.snapshots[s].customers[id]
		gone := w.snapshots[asked].customers[id].status == customer.Erased && x.status != customer.Erased
		switch dim.Code {
		case "status":
			return []string{x.status.String()}
		case "kind":
			return []string{x.kind.String()}
		case "owner":
			if x.owner == 0 {
				return []string{""}
			}
			return []string{strconv.FormatUint(uint64(x.owner), 10)}
		}
		switch {
		case gone:
			return []string{stocktake.KeyErased}
		case dim.Code == "province":
			return []string{x.province}
		case x.levels == "":
			return []string{""}
		}
		return map[string][]string{"gold ": {"gold"}, "vip ": {"vip"}, "gold vip ": {"gold", "vip"}}[x.levels]
	}
	opening, closing := map[string]int64{}, map[string]int64{}
	for _, id := range want["opening"] {
		for _, key := range keysOf(from, id) {
			opening[key]++
		}
	}
	for _, id := range want["closing"] {
		for _, key := range keysOf(to, id) {
			closing[key]++
		}
	}
	for _, row := range dim.Rows {
		if row.Opening != opening[row.Key] || row.Closing != closing[row.Key] {
			w.t.Fatalf("%s from %d to %d as of %d, %+v: row %+v; want %d and %d", dim.Code, from, to, asked, d.Definition, row, opening[row.Key], closing[row.Key])
		}
		if row.Opening+row.Gained+row.MovedIn-row.Lost-row.MovedOut != row.Closing {
			w.t.Fatalf("%s: row %+v does not balance", dim.Code, row)
		}
		delete(opening, row.Key)
		delete(closing, row.Key)
	}
	if len(opening)+len(closing) > 0 {
		w.t.Fatalf("%s lacks rows: %v %v", dim.Code, slices.Collect(maps.Keys(opening)), slices.Collect(maps.Keys(closing)))
	}
}

func (w *world) count(d *defined, from, to int) *stocktake.Result {
	ask := stocktake.Ask{Definition: d.Definition, Opening: stocktake.Instant{Time: w.snapshots[from].at}, Closing: stocktake.Instant{Time: w.snapshots[to].at}}
	r, err := w.Stocktake().Count(context.Background(), ask)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func bytesOf(t *rapid.T, r *stocktake.Result) string {
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Whatever happens to customers, a count of any period, made at any time after it, finds
// what a reading of every record found at its ends; and finds it again to the byte.
func TestCountsOfThePastAreThoseMadeThen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		defer w.book.Close()
		made := map[string]string{} // counts made at their closing, where nothing was erased
		for range 3 {
			for range rapid.IntRange(1, 25).Draw(t, "steps") {
				w.step()
			}
			w.look()
			to := len(w.snapshots) - 1
			for i := range definitions {
				for from := range to {
					r := w.count(&definitions[i], from, to)
					w.check(&definitions[i], r, from, to, to)
					made[fmt.Sprint(i, from, to)] = bytesOf(t, r)
				}
			}
		}
		last := len(w.snapshots) - 1
		for i := range definitions {
			for to := 1; to <= last; to++ {
				for from := range to {
					r := w.count(&definitions[i], from, to)
					w.check(&definitions[i], r, from, to, last)
					if again := bytesOf(t, r); w.erasedSince(to) == 0 && again != made[fmt.Sprint(i, from, to)] {
						t.Fatalf("from %d to %d, definition %d: then\n%s\nnow\n%s", from, to, i, made[fmt.Sprint(i, from, to)], again)
					}
				}
			}
		}
	})
}

// erasedSince counts the customers that were erased after a snapshot.
func (w *world) erasedSince(s int) (n int) {
	for id, x := range w.snapshots[len(w.snapshots)-1].customers {
		then, there := w.snapshots[s].customers[id]
		if x.status == customer.Erased && (!there || then.status != customer.Erased) {
			n++
		}
	}
	return n
}

// Every term of a stored run can be read, page by page, to the customer.
func TestTermsLeadToTheirCustomers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		defer w.book.Close()
		for range 2 {
			for range rapid.IntRange(5, 40).Draw(t, "steps") {
				w.step()
			}
			w.look()
		}
		d := definitions[0]
		d.Name = "all"
		w.update(func(tx *clientele.Tx) error {
			_, err := tx.Stocktake.SaveDefinition(d.Definition)
			return err
		})
		ask := stocktake.Ask{Name: "all", Opening: stocktake.Instant{Time: w.snapshots[0].at}, Closing: stocktake.Instant{Time: w.snapshots[1].at}}
		var digest string
		for range 2 {
			r, err := w.Stocktake().Run(context.Background(), ask)
			if err != nil {
				t.Fatal(err)
			}
			if digest != "" && digest != r.Filing.Digest {
				t.Fatalf("the same run twice gave %s and %s", digest, r.Filing.Digest)
			}
			digest = r.Filing.Digest
			w.checkTerms(r.Filing.Run, w.expect(&d, 0, 1, 1))
		}
	})
}

func (w *world) checkTerms(run stocktake.RunID, want map[string][]customer.ID) {
	err := w.View(context.Background(), func(tx *clientele.ReadTx) error {
		for _, term := range stocktake.Terms() {
			if term == "through" {
				continue
			}
			var ids []customer.ID
			for after, more := customer.ID(0), true; more; {
				var page []customer.ID
				var err error
				if page, more, err = tx.Stocktake.Customers(run, term, after, 3); err != nil {
					return err
				}
				if ids = append(ids, page...); len(page) > 0 {
					after = page[len(page)-1]
				}
			}
			if !slices.Equal(ids, want[term]) {
				w.t.Fatalf("%s: %v; want %v", term, ids, want[term])
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}
