package credit

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

func randomItems(r *rand.Rand, n int) []openItem {
	list := make([]openItem, n)
	for i := range list {
		list[i] = openItem{
			customer: 32 + customer.ID(r.IntN(1<<blockBits)), item: ItemID(r.Uint64N(1 << 40)), due: date.First + date.Date(r.IntN(int(date.Last))),
			date: date.First + date.Date(r.IntN(int(date.Last))), amount: 1 + r.Int64N(1<<62), kind: Kind(1 + r.IntN(int(lastKind))),
			side: Debit + Side(r.IntN(2)), currency: []money.Currency{money.CNY, money.USD, money.JPY}[r.IntN(3)], contested: []int64{0, 0, wholly, 7}[r.IntN(4)],
		}
	}
	slices.SortFunc(list, func(a, b openItem) int { return a.place().compare(b.place()) })
	return list
}

func TestPagesKeepWhatTheyAreGiven(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		list := randomItems(r, r.IntN(300))
		key := firstPage(35)
		stored, err := appendOpenPage(nil, newOpenPage(key, r.IntN(2) == 0, list))
		if err != nil {
			t.Fatal(err)
		}
		p, err := decodeOpenPage(string(stored), key, storage.Meta{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.items()
		if err != nil || !slices.Equal(got, list) || p.count != len(list) {
			t.Fatalf("%d items, %v; want %d", len(got), err, len(list))
		}
	}
}

// A page without partial disputes has the bytes that pages had before there were any, and
// one with them a number more for each contested item: no flags, 2 items, 1 currency, CNY
// (C, N and Y in base 26 and 1 more: 1715, b3 0d); customer 3 of the block with 2 items in 11 bytes; an invoice (1) contested (32)
// due on day 200 (c8 01), item 5 (zigzag 10), 30 days after its date (60), 9 open; one that
// isn't, 1 day and 1 item (2) later. The partial one has flag 2, 12 bytes, and 4 after 9.
func TestPagesWithoutPartialDisputesAreAsEver(t *testing.T) {
	items := []openItem{
		{customer: 35, item: 5, due: 200, date: 170, amount: 9, currency: money.CNY, kind: Invoice, side: Debit, contested: wholly},
		{customer: 35, item: 6, due: 201, date: 171, amount: 9, currency: money.CNY, kind: Invoice, side: Debit},
	}
	encode := func() string {
		stored, err := appendOpenPage(nil, newOpenPage(firstPage(35), false, items))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("% x", stored)
	}
	if got, want := encode(), "00 02 01 b3 0d 03 02 0b 21 c8 01 0a 3c 09 01 01 02 3c 09"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	items[0].contested = 4
	if got, want := encode(), "02 02 01 b3 0d 03 02 0c 21 c8 01 0a 3c 09 04 01 01 02 3c 09"; got != want {
		t.Errorf("in part\ngot  %s\nwant %s", got, want)
	}
}

func TestLogPagesKeepWhatTheyAreGiven(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	month := (date.Unix + 20_000).Month()
	for range 100 {
		p := &logPage{key: logKey{logEffective, month, 0, 0}}
		var want []entry
		for _, o := range randomItems(r, r.IntN(100)) {
			o.contested = 0
			o.amount -= r.Int64N(1 << 62)
			e := entry{openItem: o, change: Change(r.IntN(3)), on: month.First() + date.Date(r.IntN(28)), recorded: date.First + date.Date(r.IntN(100_000))}
			if e.change != ItemPosted {
				e.allocation = AllocationID(1 + r.Uint64N(1<<40))
			}
			p.add(&e)
			want = append(want, e)
		}
		stored, err := appendLogPage(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := decodeLogPage(string(stored), p.key, storage.Meta{})
		if err != nil {
			t.Fatal(err)
		}
		var got []entry
		var reader logReader
		for reader.reset(decoded); reader.next(); {
			got = append(got, reader.entry)
		}
		if reader.err() != nil || !slices.Equal(got, want) {
			t.Fatalf("%d entries, %v; want %d", len(got), reader.err(), len(want))
		}
	}
}

// Loads of today put quiet pages into logs of their own, where the first tells the last; in
// older books they stand among the others, where the first is none.
func TestReportsPassOverQuietPages(t *testing.T) {
	report, fifo, movements := view{asOf: date.First, known: date.Last}, view{unswept: true}, view{entries: true}
	for _, c := range []struct {
		key   logKey
		quiet bool
		last  uint64
		want  bool
	}{
		{logKey{logEffective, 24_000, 0, 0}, false, 2, false},
		{logKey{logEffective, 24_000, 0, 1}, false, 0, false},
		{logKey{logEffective, 24_000, 0, 1}, true, 0, true},
		{logKey{logRecorded, 24_000, 0, 2}, true, 0, true},
		{logKey{logEffective + logQuiet, 24_000, 0, 0}, true, 2, true},
		{logKey{logRecorded + logQuiet, 24_000, 0, 1}, true, 0, true},
	} {
		stored, err := appendLogPage(nil, &logPage{key: c.key, quiet: c.quiet, last: c.last, on: date.Last})
		if err != nil {
			t.Fatal(err)
		}
		p, err := decodeLogPage(string(stored), c.key, storage.Meta{})
		if err != nil || p.quiet != c.want || p.last != c.last {
			t.Errorf("%v: quiet is %v, last %d, %v", c.key, p.quiet, p.last, err)
			continue
		}
		if report.passes(p) != c.want || fifo.passes(p) || movements.passes(p) {
			t.Errorf("%v: passed over is %v by a report, %v by FIFO, %v by movements", c.key, report.passes(p), fifo.passes(p), movements.passes(p))
		}
	}
}

// usualItems are of a few thousand yuan, and within weeks of one another, as most are.
func usualItems(r *rand.Rand, n int) []openItem {
	list := randomItems(r, n)
	for i := range list {
		o := &list[i]
		o.due, o.item, o.amount = 45_000+date.Date(r.IntN(200)), ItemID(7000+i+r.IntN(30)), 1+r.Int64N(1<<(10+r.IntN(30)))
		o.date = o.due - date.Date(30*r.IntN(4))
	}
	slices.SortFunc(list, func(a, b openItem) int { return a.place().compare(b.place()) })
	return list
}

func TestBriefItemsAreThoseOfThePage(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for n := range 200 {
		items := []func(*rand.Rand, int) []openItem{randomItems, usualItems}[n%2](r, r.IntN(300))
		p := newOpenPage(firstPage(35), false, items)
		var whole, other openReader
		whole.reset(p)
		for other.reset(p); whole.group() && other.group(); {
			due, at := date.Date(0), other.c.at
			for whole.next() {
				var i, aged briefItem
				behind := i.read(p.body, at, false)
				at = aged.read(p.body, at, true)
				if behind != at || i.age != 0 {
					t.Fatalf("an age not asked for is %d, and ends at %d, not %d", i.age, behind, at)
				}
				if p.parts && i.head>>headDisputed&1 != 0 {
					_, at = uvarintAt(p.body, at)
				}
				due += date.Date(i.due)
				got := [...]int64{int64(due), int64(i.head), int64(i.amount), int64(due) - unzigzag(aged.age), int64(at)}
				head := uint64(whole.item.kind) | uint64(whole.item.side-Debit)<<headSide | whole.currencies.number(whole.item.currency)<<headCurrency
				if whole.item.contested > 0 {
					head |= 1 << headDisputed
				}
				if want := [...]int64{int64(whole.item.due), int64(head), whole.item.amount, int64(whole.item.date), int64(whole.c.at)}; got != want {
					t.Fatalf("%v, want %v", got, want)
				}
			}
		}
	}
}

func TestBriefEntriesAreThoseOfThePage(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	month := (date.Unix + 20_000).Month()
	for n := range 200 {
		p := &logPage{key: logKey{logEffective, month, 0, 0}}
		for _, o := range []func(*rand.Rand, int) []openItem{randomItems, usualItems}[n%2](r, r.IntN(100)) {
			e := entry{openItem: o, change: Change(r.IntN(3)), on: month.First() + date.Date(r.IntN(31))}
			e.recorded = e.on + date.Date(r.IntN(1<<r.IntN(10)))
			if e.change != ItemPosted {
				e.amount, e.allocation = -e.amount, AllocationID(1+r.Uint64N(1<<(5+r.IntN(20))))
			}
			p.add(&e)
		}
		p.body, p.added = string(p.added), nil
		var whole logReader
		at, due := 0, date.Date(0)
		for whole.reset(p); whole.next(); {
			var e, aged briefEntry
			behind := e.read(p.body, at, false)
			at = aged.read(p.body, at, true)
			if behind != at || e.age != 0 {
				t.Fatalf("an age not asked for is %d, and ends at %d, not %d", e.age, behind, at)
			}
			due += date.Date(unzigzag(e.due))
			on, recorded := e.days(month.First())
			want := whole.entry
			want.item, want.allocation = 0, 0
			got := entry{change: e.change(), on: on, recorded: recorded}
			got.openItem = openItem{
				customer: e.customer(p.key.block), due: due, date: due - date.Date(unzigzag(aged.age)), amount: unzigzag(e.amount),
				currency: p.currencies.of(e.head >> logCurrency), kind: Kind(e.kind & 15), side: Debit + Side(e.kind>>headSide&1),
			}
			if got != want || at != whole.c.at {
				t.Fatalf("%+v to %d, want %+v to %d", got, at, want, whole.c.at)
			}
		}
	}
}

// Whatever the bytes, reading ends, with an error or without.
func FuzzPages(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	stored, err := appendOpenPage(nil, newOpenPage(firstPage(32), true, randomItems(r, 20)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(stored))
	log := &logPage{key: logKey{logEffective, 24_000, 0, 0}}
	for _, o := range randomItems(r, 20) {
		log.add(&entry{openItem: o, change: ItemSettled, allocation: 5, on: date.Unix, recorded: date.Unix})
	}
	if stored, err = appendLogPage(nil, log); err != nil {
		f.Fatal(err)
	}
	f.Add(string(stored))
	f.Fuzz(func(t *testing.T, stored string) {
		if p, err := decodeOpenPage(stored, firstPage(32), storage.Meta{}); err == nil {
			if items, err := p.items(); err == nil && len(items) > len(stored) {
				t.Errorf("%d items of %d bytes", len(items), len(stored))
			}
		}
		if p, err := decodeLogPage(stored, log.key, storage.Meta{}); err == nil {
			var reader logReader
			n := 0
			for reader.reset(p); reader.next(); {
				n++
			}
			if n > len(stored) {
				t.Errorf("%d entries of %d bytes", n, len(stored))
			}
		}
	})
}

// A page without items stays where its block has further pages. Its body is a list of no
// currencies.
func TestPageWithoutItemsIsRead(t *testing.T) {
	stored, err := appendOpenPage(nil, newOpenPage(firstPage(35), true, nil))
	if err != nil {
		t.Fatal(err)
	}
	p, err := decodeOpenPage(string(stored), firstPage(35), storage.Meta{})
	if err != nil {
		t.Fatal(err)
	}
	if items, err := p.items(); err != nil || len(items) > 0 || !p.more {
		t.Errorf("%v, %v, more is %v", items, err, p.more)
	}
}
