package credit

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// extremeEntries are of the least and most that an item may have, in random mixtures.
func extremeEntries(r *rand.Rand, block customer.ID, n int) []entry {
	days := []date.Date{date.First, date.First + 1, date.Unix, 45_000, date.Last - 1, date.Last}
	amounts := []int64{1, 63, 64, 127, 128, 1<<49 - 1, 1 << 49, 1<<56 - 1, 1 << 56, 1e15, math.MaxInt64 / 1024}
	ids := []uint64{1, 2, 127, 128, 1<<48 - 1, 1 << 55, 1 << 56, 1<<63 - 1}
	list := make([]entry, n)
	for i := range list {
		pick := func() date.Date { return days[r.IntN(len(days))] }
		e := &list[i]
		e.openItem = openItem{
			customer: block + customer.ID(r.IntN(1<<blockBits)), item: ItemID(ids[r.IntN(len(ids))]), due: pick(), date: pick(),
			amount: amounts[r.IntN(len(amounts))], kind: Kind(1 + r.IntN(int(lastKind))), side: Debit + Side(r.IntN(2)),
			currency: []money.Currency{money.CNY, money.KWD, money.JPY}[r.IntN(3)], contested: []int64{0, 0, wholly, 1 << 40}[r.IntN(4)],
		}
		e.on, e.recorded, e.change = pick(), pick(), Change(r.IntN(3))
		if e.change != ItemPosted {
			e.amount *= int64(1 - 2*r.IntN(2))
			e.allocation = AllocationID(ids[r.IntN(len(ids))])
		}
	}
	slices.SortFunc(list, func(a, b entry) int { return a.place().compare(b.place()) })
	return list
}

// storedOpen and storedLog are the bytes of a page of entries.
func storedOpen(t testing.TB, key openKey, list []entry) string {
	t.Helper()
	items := make([]openItem, len(list))
	for n := range list {
		items[n] = list[n].openItem
		items[n].amount = max(items[n].amount, -items[n].amount)
	}
	stored, err := appendOpenPage(nil, newOpenPage(key, false, items))
	if err != nil {
		t.Fatal(err)
	}
	return string(stored)
}

func storedLog(t testing.TB, key logKey, list []entry) string {
	t.Helper()
	p := &logPage{key: key}
	for n := range list {
		e := list[n]
		e.contested = 0
		p.add(&e)
	}
	stored, err := appendLogPage(nil, p)
	if err != nil {
		t.Fatal(err)
	}
	return string(stored)
}

// briefAger ages as known before all days, so that all entries of a log are undone.
func briefAger(basis aging.Basis) *ager {
	buckets, _ := aging.NewBuckets(-30, 30, 60, 90)
	a := &ager{view: view{asOf: 45_000, known: date.First - 1, unswept: true}, scheme: aging.Scheme{AsOf: 45_000, Basis: basis, Buckets: buckets}}
	a.columns.set(a.scheme)
	return a
}

// sumsOf are the sums as a caller sees them, or why there are none.
func sumsOf(sums *aging.Accumulator) (list []aging.Row, err error) {
	for row, err := range sums.Rows() {
		if err != nil {
			return nil, err
		}
		row.Buckets = slices.Clone(row.Buckets)
		list = append(list, row)
	}
	return list, nil
}

func sameRows(a, b []aging.Row) bool {
	return slices.EqualFunc(a, b, func(x, y aging.Row) bool {
		return x.Customer == y.Customer && x.Currency == y.Currency && slices.Equal(x.Buckets, y.Buckets) && x.Unapplied == y.Unapplied
	})
}

// checkOpen holds the sums of a stored page against those of its items read one by one.
func checkOpen(t *testing.T, stored string, key openKey) (readable bool) {
	t.Helper()
	p, err := decodeOpenPage(stored, key, storage.Meta{})
	if err != nil {
		return false
	}
	items, whole := p.items()
	for _, basis := range []aging.Basis{aging.ByDue, aging.ByDocument} {
		a := briefAger(basis)
		got, want := aging.NewAccumulator(a.scheme), aging.NewAccumulator(a.scheme)
		brief := a.addPage(got, &unit{}, p)
		if (brief == nil) != (whole == nil) {
			t.Fatalf("% x: %v for sums, %v for items", stored, brief, whole)
		}
		if whole != nil {
			continue
		}
		for n := range items {
			i := &items[n]
			want.Add(want.Account(uint64(i.customer), i.currency), a.column(i), negated(uint64(i.side-Debit), i.amount))
		}
		gotRows, err := sumsOf(got)
		wantRows, wantErr := sumsOf(want)
		if (err == nil) != (wantErr == nil) || !sameRows(gotRows, wantRows) {
			t.Fatalf("% x:\ngot  %v, %v\nwant %v, %v", stored, gotRows, err, wantRows, wantErr)
		}
	}
	return whole == nil
}

// checkLog does the same for a page of the log.
func checkLog(t *testing.T, stored string, key logKey) (readable bool) {
	t.Helper()
	p, err := decodeLogPage(stored, key, storage.Meta{})
	if err != nil {
		return false
	}
	var entries []entry
	var r logReader
	for r.reset(p); r.next(); {
		entries = append(entries, r.entry)
	}
	for _, basis := range []aging.Basis{aging.ByDue, aging.ByDocument} {
		a := briefAger(basis)
		got, want := aging.NewAccumulator(a.scheme), aging.NewAccumulator(a.scheme)
		brief := a.undoPage(got, &unit{}, p)
		if brief == nil && r.err() != nil && r.entry.currency != 0 { // sums don't look at the currency of what isn't undone
			t.Fatalf("% x: sums where entries are %v", stored, r.err())
		}
		if brief != nil || r.err() != nil {
			if r.err() == nil {
				t.Fatalf("% x: %v for sums of a sound page", stored, brief)
			}
			continue
		}
		for n := range entries {
			e := &entries[n]
			if !a.undoes(e.change, e.on, e.recorded) { // only in damaged pages
				continue
			}
			want.Add(want.Account(uint64(e.customer), e.currency), a.column(&e.openItem), negated(uint64(e.side-Debit)^1, e.amount))
		}
		gotRows, err := sumsOf(got)
		wantRows, wantErr := sumsOf(want)
		if (err == nil) != (wantErr == nil) || !sameRows(gotRows, wantRows) {
			t.Fatalf("% x:\ngot  %v, %v\nwant %v, %v", stored, gotRows, err, wantRows, wantErr)
		}
	}
	return r.err() == nil
}

var (
	briefOpenKey = firstPage(32)
	briefLogKey  = logKey{logEffective, 24_000, 0, 0}
)

func TestSumsOfExtremePages(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 500 {
		list := extremeEntries(r, 32, r.IntN(20))
		if !checkOpen(t, storedOpen(t, briefOpenKey, list), briefOpenKey) || !checkLog(t, storedLog(t, briefLogKey, list), briefLogKey) {
			t.Fatal("a page can't be read")
		}
	}
}

// A page that was cut short, or is followed by something, doesn't agree with the counts and
// lengths of its head and its groups.
func TestPagesCutAnywhereAreMalformed(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for range 20 {
		list := extremeEntries(r, 32, 1+r.IntN(12))
		open, log := storedOpen(t, briefOpenKey, list), storedLog(t, briefLogKey, list)
		for cut := range len(open) {
			if checkOpen(t, open[:cut], briefOpenKey) {
				t.Fatalf("cut to %d bytes, a page of open items is sound", cut)
			}
		}
		for cut := range len(log) {
			if checkLog(t, log[:cut], briefLogKey) {
				t.Fatalf("cut to %d bytes, a page of the log is sound", cut)
			}
		}
		if checkOpen(t, open+"\x01", briefOpenKey) || checkLog(t, log+"\x01", briefLogKey) {
			t.Fatal("followed by something, a page is sound")
		}
	}
}

// Whatever the bytes, sums are those of the items one by one, or both are refused.
func FuzzSums(f *testing.F) {
	r := rand.New(rand.NewPCG(15, 16))
	for n := range 8 {
		list := extremeEntries(r, 32, 1+n)
		f.Add(storedOpen(f, briefOpenKey, list))
		f.Add(storedLog(f, briefLogKey, list))
	}
	f.Fuzz(func(t *testing.T, stored string) {
		checkOpen(t, stored, briefOpenKey)
		checkLog(t, stored, briefLogKey)
	})
}
