package credit_test

import (
	"errors"
	"testing"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/customer"
)

func TestMergedCustomersOweTogetherAndUnmergedApart(t *testing.T) {
	b := newBook(t, credit.Options{})
	id := b.addCustomers(3)
	survivor, loser, third := id, id+1, id+2
	b.owe("I1", survivor, "2024-05-01", cny(100))
	invoice := b.owe("I2", loser, "2024-05-02", cny(20))
	payment := b.receive("P2", loser, "2024-05-10", cny(5))
	b.allocate(credit.AllocationRequest{Debit: invoice.ID, Credit: payment.ID, Date: day("2024-05-10")})
	merge := func(survivor, loser customer.ID) (stored []byte) {
		b.update(func(tx tx) error {
			done, err := tx.MergeCustomers(survivor, loser)
			if err != nil {
				return err
			}
			stored, err = done.MarshalBinary()
			return err
		})
		return stored
	}
	unmerge := func(stored []byte) {
		b.update(func(tx tx) error {
			var done credit.Combination
			if err := done.UnmarshalBinary(stored); err != nil {
				return err
			}
			return tx.UnmergeCustomers(&done)
		})
	}
	check := func(when, asOf, want string) {
		t.Helper()
		if got := b.rows(credit.AgingQuery{AsOf: day(asOf)}); got != want {
			t.Errorf("%s, as of %s: %q, want %q", when, asOf, got, want)
		}
		if found := b.differences(); len(found) > 0 {
			t.Errorf("%s: %v", when, found)
		}
	}
	first := merge(survivor, loser)
	check("merged", "2024-05-09", "1 CNY [0 120] 0 120\n") // also of the past
	check("merged", "2024-05-10", "1 CNY [0 115] 0 115\n")
	second := merge(third, survivor)
	b.owe("I3", third, "2024-05-11", cny(3000))
	check("merged twice", "2024-05-11", "3 CNY [3000 115] 0 3115\n")
	unmerge(second)
	check("unmerged once", "2024-05-11", "1 CNY [0 115] 0 115\n3 CNY [3000 0] 0 3000\n")
	unmerge(first)
	check("unmerged", "2024-05-10", "1 CNY [0 100] 0 100\n2 CNY [0 15] 0 15\n")

	if err := b.try(func(tx tx) error { _, err := tx.MergeCustomers(id, id); return err }); !errors.Is(err, credit.ErrInvalid) {
		t.Errorf("with itself: %v", err)
	}
	if err := b.try(func(tx tx) error { _, err := tx.MergeCustomers(id, 999); return err }); !errors.Is(err, credit.ErrNotFound) {
		t.Errorf("with nobody: %v", err)
	}
	if err := new(credit.Combination).UnmarshalBinary(nil); err == nil {
		t.Error("no bytes are a Combination")
	}
}
