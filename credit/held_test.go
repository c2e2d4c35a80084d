package credit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// position is the journal's end.
func (b *book) position() uint64 {
	b.t.Helper()
	p, err := b.storage.Position(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	return uint64(p)
}

// trail is what the journal tells.
func (b *book) trail(known date.Date) *credit.Trail {
	b.t.Helper()
	var trail credit.Trail
	for entry, err := range b.storage.Changes(context.Background(), 0) {
		if err == nil {
			err = trail.Add(&entry, known)
		}
		if err != nil {
			b.t.Fatal(err)
		}
	}
	return &trail
}

// held calls f with how receivables were held at a position.
func (b *book) held(position uint64, known date.Date, f func(h *credit.Holdings) error) {
	b.t.Helper()
	err := b.storage.View(context.Background(), func(r *storage.Reader) error {
		h, err := b.credit.Reader(r, b.customers.Reader(r)).HeldAt(position, known, b.trail(known))
		if err != nil {
			return err
		}
		return f(h)
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// heldRows is an aging as held at a position, a line for each row, the total last.
func (b *book) heldRows(position uint64, known string, q credit.AgingQuery) (text string) {
	b.t.Helper()
	b.held(position, day(known), func(h *credit.Holdings) error {
		for row, err := range h.Aging(q) {
			if err != nil {
				return err
			}
			text += line(row)
		}
		total, err := h.AgingTotal(q)
		if err != nil {
			return err
		}
		for row, err := range total.Rows() {
			if err != nil {
				return err
			}
			text += line(row)
		}
		return nil
	})
	return text
}

func (b *book) merge(survivor, loser customer.ID) (done *credit.Combination) {
	b.t.Helper()
	b.update(func(tx tx) (err error) {
		done, err = tx.MergeCustomers(survivor, loser)
		return err
	})
	return done
}

// On June 1 A owes 100 of May 1, and B 20 of May 2, of which 5 are paid: the first
// position. Later that day B is merged into A, who is invoiced 7 of May 20 and pays 40. On
// June 2 an invoice of A of 1000 of May 15 is found, and one of C of 50; then A is merged
// into C: the second position. On June 3 both merges are undone.
func TestReceivablesOfThePastStandWithWhoHeldThem(t *testing.T) {
	b := newBook(t, credit.Options{})
	a := b.addCustomers(3)
	c := a + 2
	owed := b.owe("I1", a, "2024-05-01", cny(100))
	invoice := b.owe("I2", a+1, "2024-05-02", cny(20))
	payment := b.receive("P2", a+1, "2024-05-10", cny(5))
	b.allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID, Date: day("2024-05-10")})
	first := b.position()
	merged := b.merge(a, a+1)
	b.owe("I3", a, "2024-05-20", cny(7))
	payment = b.receive("P3", a, "2024-06-01", cny(40))
	b.allocate(credit.AllocationRequest{Debit: owed.ID, Credit: payment.ID, Date: day("2024-06-01")})
	b.setDay(day("2024-06-02"))
	b.owe("I4", a, "2024-05-15", cny(1000))
	b.owe("I5", c, "2024-05-16", cny(50))
	again := b.merge(c, a)
	second := b.position()
	asOf := func(on string) credit.AgingQuery { return credit.AgingQuery{AsOf: day(on)} }

	// What is open at the first position: A 100, B 20 − 5 = 15.
	atFirst := "1 CNY [0 100] 0 100\n2 CNY [0 15] 0 15\n0 CNY [0 115] 0 115\n"
	if got := b.heldRows(first, "2024-06-01", asOf("2024-06-01")); got != atFirst {
		t.Errorf("at the first position:\n%swant\n%s", got, atFirst)
	}
	// On May 9 B's payment didn't count yet.
	if got, want := b.heldRows(first, "2024-06-01", asOf("2024-05-09")), "1 CNY [0 100] 0 100\n2 CNY [0 20] 0 20\n0 CNY [0 120] 0 120\n"; got != want {
		t.Errorf("at the first position, as of May 9:\n%swant\n%s", got, want)
	}
	b.setDay(day("2024-06-03"))
	b.update(func(tx tx) error { return tx.UnmergeCustomers(again) })
	b.update(func(tx tx) error { return tx.UnmergeCustomers(merged) })
	if got := b.heldRows(first, "2024-06-01", asOf("2024-06-01")); got != atFirst {
		t.Errorf("at the first position, unmerged since:\n%swant\n%s", got, atFirst)
	}
	// At the second C has all: 100 − 40 + 15 + 7 + 1000 + 50 = 1132.
	if got, want := b.heldRows(second, "2024-06-02", asOf("2024-06-02")), "3 CNY [0 1132] 0 1132\n0 CNY [0 1132] 0 1132\n"; got != want {
		t.Errorf("at the second position:\n%swant\n%s", got, want)
	}
	// Now nothing differs from a plain report: A 60 + 7 + 1000, B 15, C 50.
	now := "1 CNY [0 1067] 0 1067\n2 CNY [0 15] 0 15\n3 CNY [0 50] 0 50\n0 CNY [0 1132] 0 1132\n"
	if got := b.heldRows(b.position(), "2024-06-03", asOf("2024-06-03")); got != now {
		t.Errorf("now:\n%swant\n%s", got, now)
	}
	b.held(b.position(), day("2024-06-03"), func(h *credit.Holdings) error {
		if n := h.Differ().Len(); n != 0 {
			t.Errorf("%d customers differ from themselves", n)
		}
		return nil
	})
}

// Notes are erased with the customer, and with them all versions of its items: who held
// them is still known.
func TestErasedItemsStandWithWhoHeldThem(t *testing.T) {
	b := newBook(t, credit.Options{})
	a := b.addCustomers(3)
	for i := range customer.ID(3) {
		b.post(credit.Document{Key: fmt.Sprint("I", i), Customer: a + i, Kind: credit.Invoice, Date: day("2024-05-01"), Amount: cny(100 + int64(i)), Note: "by phone"})
	}
	first := b.position()
	b.merge(a+1, a)
	second := b.position()
	b.update(func(tx tx) error { return tx.Forget(a + 1) })
	b.merge(a+2, a+1)
	b.update(func(tx tx) error { return tx.Forget(a + 2) })
	q := credit.AgingQuery{AsOf: day("2024-06-01")}
	for position, want := range map[uint64]string{
		first:        "1 CNY [0 100] 0 100\n2 CNY [0 101] 0 101\n3 CNY [0 102] 0 102\n0 CNY [0 303] 0 303\n",
		second:       "2 CNY [0 201] 0 201\n3 CNY [0 102] 0 102\n0 CNY [0 303] 0 303\n",
		b.position(): "3 CNY [0 303] 0 303\n0 CNY [0 303] 0 303\n",
	} {
		if got := b.heldRows(position, "2024-06-01", q); got != want {
			t.Errorf("at %d:\n%swant\n%s", position, got, want)
		}
	}
}

// The figures of May, at the positions of the test above: what is posted afterwards isn't
// in them, whatever its date.
func TestFiguresOfThePastStandWithWhoHeldThem(t *testing.T) {
	b := newBook(t, credit.Options{})
	a := b.addCustomers(3)
	b.owe("I1", a, "2024-05-01", cny(100))
	b.owe("I2", a+1, "2024-05-02", cny(20))
	b.owe("I3", a+2, "2024-05-03", cny(3))
	position := b.position()
	b.setDay(day("2024-06-02"))
	b.merge(a, a+1)
	b.owe("I4", a+2, "2024-05-15", cny(1000)) // of a customer that was never merged
	b.held(position, day("2024-06-01"), func(h *credit.Holdings) error {
		for i, want := range []int64{100, 20, 3} {
			list, err := h.Figures(a+customer.ID(i), day("2024-05-01").Month(), day("2024-05-01").Month())
			if err != nil {
				return err
			}
			if len(list) != 1 || list[0].Invoices != 1 || list[0].Invoiced != want {
				t.Errorf("customer %d: %+v; want one invoice of %d", i+1, list, want)
			}
		}
		if differ := slices.Collect(h.Differ().All()); !slices.Equal(differ, []uint64{uint64(a), uint64(a + 1)}) {
			t.Errorf("%v differ; want the merged two", differ)
		}
		return nil
	})
}

// A report that asks for few, one currency, or by FIFO has of the moved what it asks for.
func TestReportsOfThePastAskAsThoseOfToday(t *testing.T) {
	b := newBook(t, credit.Options{})
	a := b.addCustomers(3)
	for i := range customer.ID(3) {
		b.owe(fmt.Sprint("I", i), a+i, "2024-05-01", cny(100+int64(i)))
		b.owe(fmt.Sprint("U", i), a+i, "2024-05-01", usd(10+int64(i)))
	}
	b.receive("P", a+1, "2024-05-02", cny(1))
	position := b.position()
	queries := []credit.AgingQuery{
		{AsOf: day("2024-06-01"), Currency: money.CNY},
		{AsOf: day("2024-06-01"), Customers: bitset.Of(uint64(a), uint64(a+1))},
		{AsOf: day("2024-06-01"), Customers: bitset.Of(uint64(a + 2))},
		{AsOf: day("2024-06-01"), FIFO: true},
		{AsOf: day("2024-06-01"), Basis: aging.ByDocument, Buckets: aging.Standard()},
	}
	var then []string
	for _, q := range queries {
		then = append(then, b.heldRows(position, "2024-06-01", q))
	}
	b.setDay(day("2024-06-02"))
	b.merge(a+2, a)
	for i, q := range queries {
		if got := b.heldRows(position, "2024-06-01", q); got != then[i] || got == "" {
			t.Errorf("%+v: got\n%sthen it was\n%s", q, got, then[i])
		}
	}
}

// Who sees one customer is told what that one owed then, and of nobody else.
func TestSessionsSeeWhatTheirCustomersHeld(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(3)
	for i := range customer.ID(3) {
		b.owe(fmt.Sprint("I", i), id+i, "2024-05-01", cny(100+int64(i)))
	}
	position := b.position()
	b.merge(id+1, id)
	trail := b.trail(day("2024-06-01"))
	q := credit.AgingQuery{AsOf: day("2024-06-01")}
	b.as(only(id), func(r *credit.Reader) {
		h, err := r.HeldAt(position, day("2024-06-01"), trail)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for row, err := range h.Aging(q) {
			if err != nil {
				t.Fatal(err)
			}
			got += line(row)
		}
		if want := "1 CNY [0 100] 0 100\n"; got != want || h.Differ().Len() != 1 {
			t.Errorf("rows %q of %d that differ, want %q of 1", got, h.Differ().Len(), want)
		}
		may := day("2024-05-01").Month()
		if list, err := h.Figures(id, may, may); err != nil || len(list) != 1 || list[0].Invoiced != 100 {
			t.Errorf("figures %+v, %v; want 100", list, err)
		}
		for _, other := range []customer.ID{id + 1, id + 2} {
			if list, err := h.Figures(other, may, may); !errors.Is(err, credit.ErrNotFound) || list != nil {
				t.Errorf("another's figures: %+v, %v", list, err)
			}
		}
	})
}

// moment is what was reported at a position.
type moment struct {
	position uint64
	known    date.Date
	rows     string
	figures  map[customer.ID][]credit.Figures
}

// momentOf reports of now, as known on the present day.
func (h *history) momentOf(today date.Date) moment {
	m := moment{position: h.position(), known: today, figures: map[customer.ID][]credit.Figures{}}
	h.view(func(r *credit.Reader) error {
		q := credit.AgingQuery{AsOf: today, KnownOn: today, Buckets: aging.Standard()}
		for row, err := range r.Aging(q) {
			if err != nil {
				return err
			}
			m.rows += line(row)
		}
		total, err := r.AgingTotal(q)
		m.rows += text(total)
		for n := 0; n < h.count && err == nil; n++ {
			id := h.first + customer.ID(n)
			m.figures[id], err = r.Figures(id, 0, date.Last.Month())
		}
		return err
	})
	return m
}

// again asks for the same later.
func (h *history) again(m *moment) {
	q := credit.AgingQuery{AsOf: m.known, Buckets: aging.Standard()}
	if got := h.heldRows(m.position, m.known.String(), q); got != m.rows {
		h.t.Fatalf("at %d on %s:\n%sthen it was\n%s", m.position, m.known, got, m.rows)
	}
	h.held(m.position, m.known, func(held *credit.Holdings) error {
		for id, then := range m.figures {
			now, err := held.Figures(id, 0, date.Last.Month())
			if err != nil {
				return err
			}
			if !slices.Equal(now, then) {
				h.t.Fatalf("at %d on %s, customer %d: %+v; then it was %+v", m.position, m.known, id, now, then)
			}
		}
		return nil
	})
}

// Whatever is posted, merged and unmerged afterwards, on the same day or later and with
// whatever date, a report of the past as items were held then is the one made then.
func TestReportsOfThePastAreThoseMadeThen(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := &history{book: newBook(t, credit.Options{}), t: rt, count: 6}
		defer h.close()
		h.credit.SmallPages()
		h.first = h.addCustomers(h.count)
		today := date.Of(start)
		var moments []moment
		rt.Repeat(map[string]func(*rapid.T){
			"post":     func(*rapid.T) { h.postSome() },
			"allocate": func(*rapid.T) { h.allocateSome() },
			"undo":     func(*rapid.T) { h.undoSome() },
			"reverse":  func(*rapid.T) { h.reverseSome() },
			"merge":    func(*rapid.T) { h.mergeSome() },
			"unmerge":  func(*rapid.T) { h.unmergeSome() },
			"days pass": func(*rapid.T) {
				today += date.Date(rapid.IntRange(1, 25).Draw(h.t, "days"))
				h.setDay(today)
			},
			"look": func(*rapid.T) {
				if len(moments) < 6 {
					moments = append(moments, h.momentOf(today))
				}
			},
		})
		for i := range moments {
			h.again(&moments[i])
		}
	})
}
