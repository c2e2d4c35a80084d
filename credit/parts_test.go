package credit_test

import (
	"errors"
	"testing"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/money"
)

// 1.00 USD booked at 7.1250 is 7.12 CNY (half to even), and paid by 1.00 USD at 7.0000, 7.00
// CNY: a loss of 0.12, in however many parts. Twenty of 0.05, each rounded by itself, would be
// 0.36 (0.35625) and 0.35: a loss of 0.20.
func TestPartsOfAnItemAreWorthTheWhole(t *testing.T) {
	for _, part := range []int64{33, 50, 5, 1} {
		b := newBook(t, credit.Options{Base: money.CNY})
		id := b.addCustomers(1)
		invoice := b.post(credit.Document{Key: "I", Customer: id, Kind: credit.Invoice, Date: day("2024-05-01"), Amount: usd(1_00), Rate: rate(t, "7.1250")})
		payment := b.post(credit.Document{Key: "P", Customer: id, Kind: credit.Payment, Date: day("2024-06-01"), Amount: usd(1_00), Rate: rate(t, "7.0000")})
		loss, last := int64(0), int64(1_00)
		for open := int64(1_00); open > 0; open -= last {
			last = part
			if open < 2*part {
				last = open
			}
			a := b.allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID, Amount: last, Date: day("2024-06-01")})
			loss += a.Difference.Minor
		}
		if loss != -12 {
			t.Errorf("in parts of %d: %d, want a loss of 12", part, loss)
		}
	}
}

// 1.00 USD booked at 7.013 is 7.01 CNY, its half 3.51 (3.5065), and so the other half 3.50; paid
// by 1.00 USD at 7.000, 3.50 each half: a loss of 0.01 in all. Of two halves the first is taken
// back, and settled again: still 0.01, though each of the halves by itself would lose that.
func TestPartsThatAreTakenBackAreWorthTheWhole(t *testing.T) {
	b := newBook(t, credit.Options{Base: money.CNY})
	id := b.addCustomers(1)
	invoice := b.post(credit.Document{Key: "I", Customer: id, Kind: credit.Invoice, Date: day("2024-05-01"), Amount: usd(1_00), Rate: rate(t, "7.013")})
	payment := b.post(credit.Document{Key: "P", Customer: id, Kind: credit.Payment, Date: day("2024-06-01"), Amount: usd(1_00), Rate: rate(t, "7.000")})
	half := credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID, Amount: 50, Date: day("2024-06-01")}
	first, second := b.allocate(half), b.allocate(half)
	var back *credit.Allocation
	b.update(func(tx tx) (err error) { back, err = tx.Deallocate(first.ID, credit.Undo{}); return err })
	again := b.allocate(half)
	total := int64(0)
	for n, a := range []*credit.Allocation{first, second, back, again} {
		if want := [4]int64{0, -1, 1, -1}[n]; a.Difference != cny(want) {
			t.Errorf("difference %d is %s, want %s", n, a.Difference, cny(want))
		}
		total += a.Difference.Minor
	}
	if total != -1 {
		t.Errorf("together %d, want -1", total)
	}
	b.update(func(tx tx) (err error) { back, err = tx.Deallocate(again.ID, credit.Undo{}); return err })
	if back.Difference != cny(1) {
		t.Errorf("taken back at once: %s, want 0.01 CNY", back.Difference)
	}
}

// Of an invoice of 100, 70 were settled from March 1st until that was taken back on April 1st.
// From February 1st on 30 can be settled, since more would leave less than nothing in March;
// from April 1st on the 70 that are left.
func TestAllocationsOfThePastTakeWhatWasOpenThen(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(1)
	invoice := b.owe("I", id, "2024-01-01", cny(100))
	payment := b.receive("P", id, "2024-01-01", cny(500))
	first := b.allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID, Amount: 70, Date: day("2024-03-01")})
	b.update(func(tx tx) error {
		_, err := tx.Deallocate(first.ID, credit.Undo{Date: day("2024-04-01")})
		return err
	})
	for _, c := range []struct {
		amount int64
		on     string
		want   error
	}{
		{31, "2024-02-01", credit.ErrOverAllocated}, {30, "2024-02-01", nil}, {1, "2024-03-31", credit.ErrOverAllocated}, {70, "2024-04-01", nil},
	} {
		err := b.try(func(tx tx) error {
			_, err := tx.Allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID, Amount: c.amount, Date: day(c.on)})
			return err
		})
		if !errors.Is(err, c.want) {
			t.Errorf("%d on %s: %v, want %v", c.amount, c.on, err, c.want)
		}
	}
	// 100; 30 settled; 70 more until April; then the other 70 at once.
	for on, want := range map[string]string{
		"2024-01-31": "1 CNY [0 100] -500 -400\n", "2024-02-01": "1 CNY [0 70] -470 -400\n",
		"2024-03-31": "1 CNY [0 0] -400 -400\n", "2024-04-01": "1 CNY [0 0] -400 -400\n",
	} {
		if got := b.rows(credit.AgingQuery{AsOf: day(on)}); got != want {
			t.Errorf("as of %s: %q, want %q", on, got, want)
		}
	}
}
