package credit_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

func usd(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: money.USD} }

// owe posts an invoice that is due at once.
func (b *book) owe(key string, id customer.ID, on string, amount money.Amount) *credit.Item {
	b.t.Helper()
	return b.post(credit.Document{Key: key, Customer: id, Kind: credit.Invoice, Date: day(on), Amount: amount})
}

func (b *book) receive(key string, id customer.ID, on string, amount money.Amount) *credit.Item {
	b.t.Helper()
	return b.post(credit.Document{Key: key, Customer: id, Kind: credit.Payment, Date: day(on), Amount: amount})
}

func (b *book) open(id credit.ItemID) (open int64) {
	b.t.Helper()
	b.view(func(r *credit.Reader) (err error) {
		open, err = r.Open(id)
		return err
	})
	return open
}

func TestPostingTwiceIsPostingOnce(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(2)
	d := credit.Document{Key: "INV-1", Customer: id, Kind: credit.Invoice, Date: day("2024-05-01"), Amount: cny(100), Terms: terms(t, "2/10 NET30"), Rate: rate(t, "1"), Margin: 20}
	first, again := b.post(d), b.post(d)
	if first.ID != again.ID {
		t.Errorf("items %d and %d", first.ID, again.ID)
	}
	for _, change := range []func(*credit.Document){
		func(d *credit.Document) { d.Amount = cny(101) },
		func(d *credit.Document) { d.Customer++ },
		func(d *credit.Document) { d.Date++ },
		func(d *credit.Document) { d.Kind = credit.DebitNote },
		func(d *credit.Document) { d.Rate = rate(t, "1.1") },
		func(d *credit.Document) { d.Margin = 21 },
		func(d *credit.Document) { d.Terms = terms(t, "NET30") },
		func(d *credit.Document) { d.Terms = terms(t, "2/11 NET30") },
	} {
		other := d
		change(&other)
		err := b.try(func(tx tx) error { _, err := tx.Post(other); return err })
		if !errors.Is(err, credit.ErrDocument) {
			t.Errorf("%+v: %v", other, err)
		}
	}
	q := credit.AllocationRequest{Debit: first.ID, Credit: b.receive("P-1", id, "2024-05-02", cny(70)).ID, Amount: 30, Request: "r1"}
	if one, two := b.allocate(q), b.allocate(q); one.ID != two.ID || b.open(first.ID) != 70 {
		t.Errorf("allocations %d and %d, open %d", one.ID, two.ID, b.open(first.ID))
	}
	q.Amount = 40
	if err := b.try(func(tx tx) error { _, err := tx.Allocate(q); return err }); !errors.Is(err, credit.ErrExists) {
		t.Errorf("another allocation under the same request: %v", err)
	}
}

func TestAllocationsThatAreRefused(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(2)
	invoice, payment := b.owe("I", id, "2024-05-01", cny(100)), b.receive("P", id, "2024-05-01", cny(60))
	dollars, others := b.receive("D", id, "2024-05-01", usd(100)), b.receive("O", id+1, "2024-05-01", cny(100))
	for _, c := range []struct {
		name string
		q    credit.AllocationRequest
		want error
	}{
		{"more than the credit has", credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID, Amount: 61}, credit.ErrOverAllocated},
		{"more than the debit has", credit.AllocationRequest{Debit: invoice.ID, Credit: dollars.ID, Amount: 101, CreditAmount: 1}, credit.ErrOverAllocated},
		{"a negative amount", credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID, Amount: -1}, credit.ErrOverAllocated},
		{"sides exchanged", credit.AllocationRequest{Debit: payment.ID, Credit: invoice.ID}, credit.ErrSide},
		{"two debits", credit.AllocationRequest{Debit: invoice.ID, Credit: invoice.ID}, credit.ErrSide},
		{"another currency without its amount", credit.AllocationRequest{Debit: invoice.ID, Credit: dollars.ID, Amount: 10}, credit.ErrCurrency},
		{"two amounts of one currency", credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID, Amount: 10, CreditAmount: 9}, credit.ErrInvalid},
		{"another customer", credit.AllocationRequest{Debit: invoice.ID, Credit: others.ID, Amount: 10}, credit.ErrOtherCustomer},
		{"no such item", credit.AllocationRequest{Debit: invoice.ID, Credit: 999, Amount: 10}, credit.ErrNotFound},
	} {
		if err := b.try(func(tx tx) error { _, err := tx.Allocate(c.q); return err }); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if b.open(invoice.ID) != 100 || b.open(payment.ID) != 60 {
		t.Errorf("refusals left %d and %d open", b.open(invoice.ID), b.open(payment.ID))
	}
}

func TestCustomersOfAGroupSettleEachOthersItems(t *testing.T) {
	b := newBook(t, credit.Options{Related: func(_ *credit.Reader, a, c customer.ID) (bool, error) { return a+c == 3, nil }})
	id := b.addCustomers(3)
	invoice, payment := b.owe("I", id, "2024-05-01", cny(100)), b.receive("P", id+1, "2024-05-01", cny(60))
	b.allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID, Date: day("2024-05-02")})
	if got, want := b.rows(credit.AgingQuery{AsOf: day("2024-05-02")}), "1 CNY [0 40] 0 40\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := b.rows(credit.AgingQuery{AsOf: day("2024-05-01")}), "1 CNY [100 0] 0 100\n2 CNY [0 0] -60 -60\n"; got != want {
		t.Errorf("the day before: %q, want %q", got, want)
	}
	if found := b.differences(); len(found) > 0 {
		t.Error(found)
	}
}

// A payment of 98.00 within ten days settles an invoice of 100.00 at 2/10; one of 97.99
// does not, and one of 99.99 does by rounding when a fen is tolerated.
func TestDiscountAndRounding(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(1)
	terms, err := credit.ParseTerms("2/10 NET30")
	if err != nil {
		t.Fatal(err)
	}
	for n, c := range []struct {
		paid      int64
		on        string
		discount  bool
		tolerance int64
		left      int64
	}{
		{98_00, "2024-05-11", true, 0, 0},
		{98_00, "2024-05-12", true, 0, 2_00}, // a day too late
		{98_00, "2024-05-11", false, 0, 2_00},
		{97_99, "2024-05-11", true, 0, 2_01},
		{99_99, "2024-05-20", true, 1, 0},
		{99_98, "2024-05-20", true, 1, 2},
	} {
		invoice := b.post(credit.Document{Key: fmt.Sprint("I", n), Customer: id, Kind: credit.Invoice, Date: day("2024-05-01"), Amount: cny(100_00), Terms: terms})
		payment := b.receive(fmt.Sprint("P", n), id, c.on, cny(c.paid))
		b.allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID, Date: day(c.on), TakeDiscount: c.discount, Tolerance: c.tolerance})
		if got := b.open(invoice.ID); got != c.left {
			t.Errorf("%+v: %d are left", c, got)
		}
	}
	if found := b.differences(); len(found) > 0 {
		t.Error(found)
	}
}

// 1,000.00 USD booked at 7.10 are 7,100.00 CNY; paid by 1,000.00 USD booked at 7.05, worth
// 7,050.00 CNY: a loss of 50.00 CNY. 500.00 USD owed at 7.10, 3,550.00 CNY, and paid by
// 3,600.00 CNY: a gain of 50.00 CNY.
func TestDifferencesByExchange(t *testing.T) {
	b := newBook(t, credit.Options{Base: money.CNY})
	id := b.addCustomers(1)
	invoice := b.post(credit.Document{Key: "I", Customer: id, Kind: credit.Invoice, Date: day("2024-05-01"), Amount: usd(1500_00), Rate: rate(t, "7.10")})
	dollars := b.post(credit.Document{Key: "P1", Customer: id, Kind: credit.Payment, Date: day("2024-06-01"), Amount: usd(1000_00), Rate: rate(t, "7.05")})
	yuan := b.receive("P2", id, "2024-06-02", cny(3600_00))
	if a := b.allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: dollars.ID}); a.Difference != cny(-50_00) {
		t.Errorf("difference %s, want -50.00 CNY", a.Difference)
	}
	a := b.allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: yuan.ID, Amount: 500_00, CreditAmount: 3600_00, Date: day("2024-06-03")})
	if a.Difference != cny(50_00) {
		t.Errorf("difference %s, want 50.00 CNY", a.Difference)
	}
	if got := b.rows(credit.AgingQuery{AsOf: day("2024-06-03")}); got != "" {
		t.Errorf("still open: %q", got)
	}
	// The day before, 500.00 USD were owed (3,600.00 CNY at 7.20) and 3,600.00 CNY had come.
	b.view(func(r *credit.Reader) error {
		q := credit.AgingQuery{AsOf: day("2024-06-02")}
		rates := func(date.Date, money.Currency) (money.Rate, error) { return rate(t, "7.20"), nil }
		var worth, booked, revalued int64
		for v, err := range r.Revalue(q, credit.Valuation{Rates: rates}) {
			if err != nil {
				return err
			}
			worth, booked, revalued = worth+v.Worth.Balance, booked+v.Booked, revalued+v.Revalued
		}
		// Booked: 500 × 7.10 − 3,600 = −50; now 500 × 7.20 − 3,600 = 0.
		if worth != 0 || booked != -50_00 || revalued != 50_00 {
			t.Errorf("worth %d, booked %d, revalued %d", worth, booked, revalued)
		}
		return nil
	})
}

func TestReversal(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(1)
	b.setDay(day("2024-07-01"))
	invoice, payment := b.owe("I", id, "2024-05-01", cny(100)), b.receive("P", id, "2024-05-20", cny(100))
	b.allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID, Date: day("2024-05-20")})
	reverse := func(how credit.Reverse) error {
		return b.try(func(tx tx) error { _, err := tx.Reverse(invoice.ID, how); return err })
	}
	if err := reverse(credit.Reverse{Key: "R"}); !errors.Is(err, credit.ErrAllocated) {
		t.Errorf("of a settled invoice: %v", err)
	}
	how := credit.Reverse{Key: "R", Date: day("2024-06-10"), Deallocate: true}
	for range 2 { // again is the same
		if err := reverse(how); err != nil {
			t.Fatal(err)
		}
	}
	for asOf, want := range map[string]string{
		"2024-05-19": "1 CNY [0 100] 0 100\n",
		"2024-05-20": "",
		"2024-06-09": "",
		"2024-06-10": "1 CNY [0 0] -100 -100\n", // the payment is open again
	} {
		if got := b.rows(credit.AgingQuery{AsOf: day(asOf)}); got != want {
			t.Errorf("as of %s: %q, want %q", asOf, got, want)
		}
	}
	if err := reverse(credit.Reverse{Key: "R2"}); !errors.Is(err, credit.ErrReversed) {
		t.Errorf("a second time: %v", err)
	}
	if err := b.try(func(tx tx) error {
		_, err := tx.Allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID})
		return err
	}); !errors.Is(err, credit.ErrReversed) {
		t.Errorf("settling it: %v", err)
	}
}

func TestClosedPeriodsRefuseOrCarry(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(1)
	invoice, payment := b.owe("I", id, "2024-05-01", cny(100)), b.receive("P", id, "2024-05-20", cny(100))
	a := b.allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID, Amount: 40, Date: day("2024-05-20")})
	b.update(func(tx tx) error { _, err := tx.ClosePeriod(day("2024-05-31")); return err })
	late := credit.Document{Key: "L", Customer: id, Kind: credit.Invoice, Date: day("2024-05-31"), Amount: cny(10)}
	for name, try := range map[string]func(tx) error{
		"an invoice": func(tx tx) error { _, err := tx.Post(late); return err },
		"an allocation": func(tx tx) error {
			_, err := tx.Allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID, Date: day("2024-05-25")})
			return err
		},
		"an undoing": func(tx tx) error { _, err := tx.Deallocate(a.ID, credit.Undo{}); return err },
		"a reversal": func(tx tx) error {
			_, err := tx.Reverse(payment.ID, credit.Reverse{Key: "R", Date: day("2024-05-30"), Deallocate: true})
			return err
		},
	} {
		if err := b.try(try); !errors.Is(err, credit.ErrClosedPeriod) {
			t.Errorf("%s: %v", name, err)
		}
	}
	late.CarryLate = true
	item := b.post(late)
	if item.Date != day("2024-05-31") || item.Due != day("2024-05-31") || item.Effective != day("2024-06-01") {
		t.Errorf("carried: %+v", item)
	}
	b.update(func(tx tx) error { _, err := tx.Deallocate(a.ID, credit.Undo{CarryLate: true}); return err })
	if got, want := b.rows(credit.AgingQuery{AsOf: day("2024-05-31")}), "1 CNY [0 60] -60 0\n"; got != want {
		t.Errorf("of the closed period: %q, want %q", got, want)
	}
	if got, want := b.rows(credit.AgingQuery{AsOf: day("2024-06-01")}), "1 CNY [0 110] -100 10\n"; got != want {
		t.Errorf("after it: %q, want %q", got, want)
	}
	b.update(func(tx tx) error { _, err := tx.ClosePeriod(0); return err })
	b.owe("M", id, "2024-05-31", cny(1))
}

func TestAutomaticAllocation(t *testing.T) {
	for _, c := range []struct {
		name     string
		method   credit.Method
		payments map[string]int64 // by reference
		want     [4]int64         // left of the four invoices: 30, 50 (ref A), 20, 45
	}{
		{"oldest first", credit.OldestFirst, map[string]int64{"": 60}, [4]int64{0, 20, 20, 45}},
		{"by the document's key", credit.ByReference, map[string]int64{"I2": 15}, [4]int64{30, 50, 5, 45}},
		{"by a reference", credit.ByReference, map[string]int64{"A": 60}, [4]int64{30, 0, 20, 45}},
		{"by no reference", credit.ByReference, map[string]int64{"": 60}, [4]int64{30, 50, 20, 45}},
		{"one that fits", credit.BestFit, map[string]int64{"": 45}, [4]int64{30, 50, 20, 0}},
		{"two that fit", credit.BestFit, map[string]int64{"": 65}, [4]int64{30, 50, 0, 0}},
		{"none that fits", credit.BestFit, map[string]int64{"": 31}, [4]int64{30, 50, 20, 45}},
		{"all", credit.BestFit, map[string]int64{"": 145}, [4]int64{0, 0, 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBook(t, credit.Options{})
			id := b.addCustomers(1)
			var invoices []*credit.Item
			for n, amount := range []int64{30, 50, 20, 45} {
				d := credit.Document{Key: fmt.Sprint("I", n), Customer: id, Kind: credit.Invoice, Date: day("2024-05-01") + date.Date(n), Amount: cny(amount)}
				if n == 1 {
					d.Reference = "A"
				}
				invoices = append(invoices, b.post(d))
			}
			for reference, amount := range c.payments {
				b.post(credit.Document{Key: "P", Customer: id, Kind: credit.Payment, Date: day("2024-05-20"), Amount: cny(amount), Reference: reference})
			}
			b.post(credit.Document{Key: "D", Customer: id, Kind: credit.Deposit, Date: day("2024-01-01"), Amount: cny(1000)})
			for range 2 { // again changes nothing more
				b.update(func(tx tx) error {
					_, err := tx.AllocateAutomatically(credit.Automatic{Customer: id, Method: c.method, Date: day("2024-05-20")})
					return err
				})
			}
			for n, i := range invoices {
				if got := b.open(i.ID); got != c.want[n] {
					t.Errorf("of invoice %d are %d open, want %d", n, got, c.want[n])
				}
			}
		})
	}
}

// Of an invoice of 1,000.00, 300.00 are contested. A payment of 900.00 settles the other
// 700.00 and leaves 200.00; 300.00 stay open, all of them contested, so nothing is due.
// Once the dispute is over, they are due again and settled.
func TestAPartInDisputeIsNotSettledAutomatically(t *testing.T) {
	b := newBook(t, credit.Options{})
	b.setDay(day("2024-07-01"))
	id := b.addCustomers(1)
	i := b.post(credit.Document{Key: "I", Customer: id, Kind: credit.Invoice, Date: day("2024-05-01"), Amount: cny(1000_00)})
	dispute := func(d credit.Dispute) error {
		return b.try(func(tx tx) error { _, err := tx.SetDispute(i.ID, d); return err })
	}
	settle := func() {
		b.update(func(tx tx) error {
			_, err := tx.AllocateAutomatically(credit.Automatic{Customer: id, Method: credit.OldestFirst})
			return err
		})
	}
	disputed := func() (open, part int64, due bool) {
		b.view(func(r *credit.Reader) error {
			for o, err := range r.OpenItems(credit.AgingQuery{}) {
				if err != nil {
					return err
				}
				if o.Item == i.ID {
					open, part = o.Open.Minor, o.Disputed
				}
			}
			_, found, err := r.OldestDue(id)
			due = found
			return err
		})
		return open, part, due
	}
	for _, wrong := range []int64{-1, 1000_01} {
		if err := dispute(credit.Dispute{Amount: wrong}); !errors.Is(err, credit.ErrInvalid) {
			t.Errorf("%d contested: %v", wrong, err)
		}
	}
	if err := dispute(credit.Dispute{Amount: 300_00, Reason: "three boxes are missing"}); err != nil {
		t.Fatal(err)
	}
	if open, part, due := disputed(); open != 1000_00 || part != 300_00 || !due {
		t.Errorf("open %d, contested %d, due %t", open, part, due)
	}
	payment := b.receive("P", id, "2024-06-01", cny(900_00))
	settle()
	if open, part, due := disputed(); open != 300_00 || part != 300_00 || due || b.open(payment.ID) != 200_00 {
		t.Errorf("after the payment: open %d, contested %d, due %t, and %d of the payment are left", open, part, due, b.open(payment.ID))
	}
	if found := b.differences(); len(found) > 0 {
		t.Error(found)
	}
	if err := dispute(credit.Dispute{}); err != nil {
		t.Fatal(err)
	}
	settle()
	if open, part, due := disputed(); open != 100_00 || part != 0 || !due {
		t.Errorf("after the dispute: open %d, contested %d, due %t", open, part, due)
	}
}

// Of an invoice of 100.00 at 2/10, 2.00 are contested. A payment of 98.00 in time settles the
// rest; that the 2.00 are no more than the discount, and than what is tolerated, doesn't give
// them up, unless what is in dispute is to be settled too.
func TestWhatIsInDisputeIsNotRoundedAway(t *testing.T) {
	for _, c := range []struct {
		q    credit.Automatic
		left int64
	}{
		{credit.Automatic{Tolerance: 2_00}, 2_00},
		{credit.Automatic{TakeDiscount: true}, 2_00},
		{credit.Automatic{Tolerance: 2_00, WithDisputed: true}, 0},
		{credit.Automatic{TakeDiscount: true, WithDisputed: true}, 0},
	} {
		b := newBook(t, credit.Options{})
		id := b.addCustomers(1)
		i := b.post(credit.Document{Key: "I", Customer: id, Kind: credit.Invoice, Date: day("2024-05-01"), Amount: cny(100_00), Terms: terms(t, "2/10 NET30")})
		b.update(func(tx tx) error { _, err := tx.SetDispute(i.ID, credit.Dispute{Amount: 2_00}); return err })
		b.receive("P", id, "2024-05-05", cny(98_00))
		c.q.Customer, c.q.Method = id, credit.OldestFirst
		b.update(func(tx tx) error { _, err := tx.AllocateAutomatically(c.q); return err })
		if got := b.open(i.ID); got != c.left {
			t.Errorf("%+v: %d are left, want %d", c.q, got, c.left)
		}
	}
}

func TestDisputedItemsAreNotSettledAutomatically(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(1)
	first, second := b.owe("I1", id, "2024-05-01", cny(100)), b.owe("I2", id, "2024-05-02", cny(100))
	b.update(func(tx tx) error { _, err := tx.SetDispute(first.ID, credit.Dispute{Reason: "broken"}); return err })
	b.receive("P", id, "2024-05-03", cny(100))
	b.view(func(r *credit.Reader) error {
		due, found, err := r.OldestDue(id)
		if !found || due != day("2024-05-02") {
			t.Errorf("oldest due %s, %v", due, found)
		}
		return err
	})
	b.update(func(tx tx) error {
		_, err := tx.AllocateAutomatically(credit.Automatic{Customer: id, Method: credit.OldestFirst})
		return err
	})
	if b.open(first.ID) != 100 || b.open(second.ID) != 0 {
		t.Errorf("open %d and %d", b.open(first.ID), b.open(second.ID))
	}
	if found := b.differences(); len(found) > 0 {
		t.Error(found)
	}
}

// 10¹² yuan are 10¹⁴ fen; 92,233 such fit 64 bits, and a sum that doesn't is refused.
func TestAmountsAtTheirBounds(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(2)
	b.owe("I1", id, "1900-01-01", cny(1_000_000_000_000_00))
	b.owe("I2", id, "2200-12-31", money.Amount{Minor: 1_000, Currency: money.KWD})
	b.owe("I3", id, "2024-02-29", money.Amount{Minor: 7, Currency: money.JPY})
	want := "1 CNY [0 0 0 0 100000000000000] 0 100000000000000\n1 JPY [0 0 0 0 7] 0 7\n1 KWD [1000 0 0 0 0] 0 1000\n"
	if got := b.rows(credit.AgingQuery{AsOf: day("2200-12-31"), Buckets: aging.Standard()}); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	err := b.try(func(tx tx) error {
		_, err := tx.Post(credit.Document{Key: "I4", Customer: id, Kind: credit.Invoice, Date: day("2024-01-01"), Amount: cny(math.MaxInt64)})
		return err
	})
	if !errors.Is(err, credit.ErrOverflow) {
		t.Errorf("a balance beyond 64 bits: %v", err)
	}
	// The balances of several units may exceed together what one row can show: 3 × 4·10¹⁸
	// are more than 2⁶³.
	for unit := range customer.UnitID(3) {
		b.update(func(tx tx) error {
			c, err := tx.customers.Create(customer.Draft{Name: "n", Owner: unit + 1})
			if err != nil {
				return err
			}
			key := fmt.Sprint("I5-", unit)
			_, err = tx.Post(credit.Document{Key: key, Customer: c.ID, Kind: credit.Invoice, Date: day("2024-01-01") + date.Date(unit), Amount: cny(4e18)})
			return err
		})
	}
	b.view(func(r *credit.Reader) error {
		sums, err := r.AgingBy(credit.AgingQuery{AsOf: day("2200-12-31")}, func(customer.ID) (uint64, bool) { return 0, true })
		if err != nil {
			return err
		}
		overflow := false
		for _, err := range sums.Rows() {
			overflow = overflow || errors.Is(err, credit.ErrOverflow)
		}
		if !overflow {
			t.Error("a total beyond 64 bits was shown")
		}
		return nil
	})
}

func TestDocumentsThatMakeNoSense(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(1)
	good := credit.Document{Key: "I", Customer: id, Kind: credit.Invoice, Date: day("2024-05-01"), Amount: cny(100)}
	for name, change := range map[string]func(*credit.Document){
		"no key":            func(d *credit.Document) { d.Key = "" },
		"no kind":           func(d *credit.Document) { d.Kind = 0 },
		"a reversal":        func(d *credit.Document) { d.Kind = credit.Reversal },
		"no side":           func(d *credit.Document) { d.Kind = credit.Adjustment },
		"the wrong side":    func(d *credit.Document) { d.Side = credit.Credit },
		"no amount":         func(d *credit.Document) { d.Amount.Minor = 0 },
		"a negative amount": func(d *credit.Document) { d.Amount.Minor = -5 },
		"no currency":       func(d *credit.Document) { d.Amount.Currency = 0 },
		"no date":           func(d *credit.Document) { d.Date = 0 },
		"too late a date":   func(d *credit.Document) { d.Date = date.Last + 1 },
		"too little":        func(d *credit.Document) { d.Instalments = []credit.Instalment{{Due: d.Date, Amount: 99}} },
		"too much": func(d *credit.Document) {
			d.Instalments = []credit.Instalment{{Due: d.Date, Amount: 99}, {Due: d.Date, Amount: 2}}
		},
		"an empty part": func(d *credit.Document) {
			d.Instalments = []credit.Instalment{{Due: d.Date, Amount: 100}, {Due: d.Date}}
		},
		"a zero in a key": func(d *credit.Document) { d.Key = "a\x00b" },
		"too fine a rate": func(d *credit.Document) { d.Rate = money.Rate{Coefficient: 1, Scale: money.MaxRateScale + 1} },
	} {
		d := good
		change(&d)
		err := b.try(func(tx tx) error { _, err := tx.Post(d); return err })
		var structured *credit.Error
		if !errors.Is(err, credit.ErrInvalid) || !errors.As(err, &structured) || structured.Field == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	good.Customer = 999
	if err := b.try(func(tx tx) error { _, err := tx.Post(good); return err }); !errors.Is(err, credit.ErrNotFound) {
		t.Errorf("no such customer: %v", err)
	}
}

// Debits of 100 due May 1st, 100 due June 1st and 100 due July 1st, and credits of 150:
// the first debit and half of the second are settled, whatever was allocated.
func TestFIFOIgnoresAllocations(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(1)
	b.owe("I1", id, "2024-05-01", cny(100))
	b.owe("I2", id, "2024-06-01", cny(100))
	last := b.owe("I3", id, "2024-07-01", cny(100))
	payment := b.receive("P", id, "2024-07-02", cny(150))
	b.allocate(credit.AllocationRequest{Debit: last.ID, Credit: payment.ID, Date: day("2024-07-02")})
	q := credit.AgingQuery{AsOf: day("2024-07-15"), Buckets: aging.Standard()}
	// May 1st is 75 days before July 15th, June 1st 44, July 1st 14.
	if got, want := b.rows(q), "1 CNY [0 0 100 100 0] -50 150\n"; got != want {
		t.Errorf("by allocations %q, want %q", got, want)
	}
	q.FIFO = true
	if got, want := b.rows(q), "1 CNY [0 100 50 0 0] 0 150\n"; got != want {
		t.Errorf("by FIFO %q, want %q", got, want)
	}
	q.AsOf = day("2024-07-01") // before the payment: 61, 30 and 0 days
	if got, want := b.rows(q), "1 CNY [100 100 0 100 0] 0 300\n"; got != want {
		t.Errorf("by FIFO before %q, want %q", got, want)
	}
}

func TestReportsOfCurrenciesGroupsAndSets(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(4)
	b.owe("I1", id, "2024-05-01", cny(1))
	b.owe("I2", id+1, "2024-05-01", cny(20))
	b.owe("I3", id+1, "2024-05-01", usd(300))
	b.owe("I4", id+2, "2024-05-01", cny(4000))
	q := credit.AgingQuery{AsOf: day("2024-05-01"), Currency: money.CNY, Customers: bitset.Of(2, 3)}
	if got, want := b.rows(q), "2 CNY [20 0] 0 20\n3 CNY [4000 0] 0 4000\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	b.view(func(r *credit.Reader) error {
		sums, err := r.AgingBy(credit.AgingQuery{AsOf: day("2024-05-01")}, func(id customer.ID) (uint64, bool) { return uint64(id % 2), id != 4 })
		if got, want := text(sums), "0 CNY [20 0] 0 20\n0 USD [300 0] 0 300\n1 CNY [4001 0] 0 4001\n"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		return err
	})
}

// 300 are earned on 1000 sold in two instalments, 20 lost on 100 below cost, 90 given up with
// 250 returned, and the 45 of what is taken back: 300 − 20 − 90 = 190 in June, nothing in July.
func TestMarginOfTheMonth(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(2)
	b.setDay(day("2024-07-15"))
	post := func(key string, kind credit.Kind, amount, margin int64) *credit.Item {
		return b.post(credit.Document{Key: key, Customer: id, Kind: kind, Date: day("2024-06-10"), Amount: cny(amount), Margin: margin,
			Instalments: []credit.Instalment{{Due: day("2024-07-10"), Amount: amount / 2}, {Due: day("2024-08-10"), Amount: amount / 2}}})
	}
	post("sold", credit.Invoice, 1000, 300)
	post("below", credit.Invoice, 100, -20)
	post("returned", credit.CreditNote, 250, 90)
	wrong := b.post(credit.Document{Key: "wrong", Customer: id, Kind: credit.Invoice, Date: day("2024-06-11"), Amount: cny(150), Margin: 45})
	b.update(func(tx tx) error {
		_, err := tx.Reverse(wrong.ID, credit.Reverse{Key: "back", Date: day("2024-06-12")})
		return err
	})
	b.merge(id+1, id)
	b.view(func(r *credit.Reader) error {
		f, err := r.Facts(id+1, credit.FactsQuery{Currency: money.CNY})
		if err != nil || f.Period.Margin != 190 {
			t.Errorf("a margin of %d, %v; want 190", f.Period.Margin, err)
		}
		return nil
	})
	if found := b.differences(); len(found) > 0 {
		t.Error(found)
	}
	for _, d := range []credit.Document{{Kind: credit.Invoice, Margin: 101}, {Kind: credit.Payment, Margin: 1}} {
		d.Key, d.Customer, d.Date, d.Amount = "bad", id+1, day("2024-06-10"), cny(100)
		if err := b.try(func(tx tx) error { _, err := tx.Post(d); return err }); !errors.Is(err, credit.ErrInvalid) {
			t.Errorf("%s with a margin of %d: %v", d.Kind, d.Margin, err)
		}
	}
}

// An invoice of May 1st at 30 days was due on May 31st. 600 paid on June 10th are 10 days
// late and 40 days after the document; 400 on May 21st are 10 early and 20 after it.
func TestFiguresByMonth(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(1)
	b.setDay(day("2024-06-15"))
	terms, err := credit.ParseTerms("NET30")
	if err != nil {
		t.Fatal(err)
	}
	invoice := b.post(credit.Document{Key: "I", Customer: id, Kind: credit.Invoice, Date: day("2024-05-01"), Amount: cny(1000), Terms: terms})
	b.allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: b.receive("P1", id, "2024-05-21", cny(400)).ID, Date: day("2024-05-21")})
	late := b.allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: b.receive("P2", id, "2024-06-10", cny(600)).ID, Date: day("2024-06-10")})
	facts := func() (f credit.Facts) {
		b.view(func(r *credit.Reader) (err error) {
			f, err = r.Facts(id, credit.FactsQuery{Currency: money.CNY})
			return err
		})
		return f
	}
	f := facts()
	p := f.Period
	if p.Settlements != 2 || p.Settled != 1000 || p.Late != 1 || p.LateAmount != 600 || p.DaysLate != 0 || p.DaysToPay != 60 || p.Invoiced != 1000 || p.Paid != 1000 {
		t.Errorf("%+v", p)
	}
	// Weighted: (600 × 10 − 400 × 10) ÷ 1000 = 2 days late, (600 × 40 + 400 × 20) ÷ 1000 = 32 to pay.
	if late, toPay := p.AmountDaysLate.Per(p.Settled), p.AmountDaysToPay.Per(p.Settled); late != 2000 || toPay != 32000 {
		t.Errorf("%d and %d thousandths of a day", late, toPay)
	}
	if f.FirstInvoice != day("2024-05-01") || f.LastPayment != day("2024-06-10") || f.Invoices != 1 || f.Months != 1 || f.OldestDue != 0 {
		t.Errorf("%+v", f)
	}
	b.update(func(tx tx) error { _, err := tx.Deallocate(late.ID, credit.Undo{Date: day("2024-06-12")}); return err })
	if p = facts().Period; p.Settlements != 1 || p.Late != 0 || p.LateAmount != 0 || p.DaysLate != -10 || p.AmountDaysLate.Per(p.Settled) != -10_000 {
		t.Errorf("undone: %+v", p)
	}
	if found := b.differences(); len(found) > 0 {
		t.Error(found)
	}
}

func TestErasingACustomerRemovesTextsAndKeepsAmounts(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(1)
	item := b.post(credit.Document{Key: "I", Customer: id, Kind: credit.Invoice, Date: day("2024-05-01"), Amount: cny(100), Note: "for Mr Chen", Reference: "Chen"})
	b.update(func(tx tx) error { _, err := tx.SetDispute(item.ID, credit.Dispute{Reason: "Chen says"}); return err })
	b.update(func(tx tx) error { return tx.Forget(id) })
	b.view(func(r *credit.Reader) error {
		i, err := r.Item(item.ID)
		if err != nil {
			return err
		}
		if i.Note != "" || i.Reference != "" || i.Dispute.Reason != "" || i.Amount != cny(100) || !i.Disputed() {
			t.Errorf("%+v", i)
		}
		return nil
	})
	if found := b.differences(); len(found) > 0 {
		t.Error(found)
	}
}

// postUnrelated posts to three customers in an order.
func postUnrelated(t *testing.T, order []int) string {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(3)
	for _, n := range order {
		customer := id + customer.ID(n)
		invoice := b.owe(fmt.Sprint("I", n), customer, "2024-05-01", cny(100+int64(n)))
		payment := b.receive(fmt.Sprint("P", n), customer, "2024-05-03", cny(50))
		b.allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID, Date: day("2024-05-03")})
	}
	q := credit.AgingQuery{AsOf: day("2024-05-02"), Buckets: aging.Standard()}
	first, again := b.rows(q), b.rows(q)
	if first != again {
		t.Errorf("two equal requests give %q and %q", first, again)
	}
	return first
}

func TestTheOrderOfUnrelatedPostingsDoesNotMatter(t *testing.T) {
	want := postUnrelated(t, []int{0, 1, 2})
	for _, order := range [][]int{{2, 1, 0}, {1, 2, 0}} {
		if got := postUnrelated(t, order); got != want {
			t.Errorf("%v: %q, want %q", order, got, want)
		}
	}
}
