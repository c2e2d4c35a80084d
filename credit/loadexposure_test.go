package credit_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/customer"
)

// owing is what is loaded of a customer that owes some yuan, of which some are paid, and has
// paid some in advance.
func owing(id customer.ID, owes, paid, advance int64) credit.LoadAccount {
	a := credit.LoadAccount{Customer: id}
	for n, i := range []credit.Item{{Kind: credit.Invoice, Amount: yuan(owes)}, {Kind: credit.Payment, Amount: yuan(paid)}, {Kind: credit.Advance, Amount: yuan(advance)}} {
		if i.Amount.Minor > 0 {
			i.Document, i.Date = fmt.Sprintf("%d/%d", id, n), day("2024-05-01")
			a.Items = append(a.Items, i)
		}
	}
	if paid > 0 {
		a.Allocations = []credit.LoadAllocation{{Debit: 0, Credit: 1, Amount: yuan(paid).Minor, Date: day("2024-05-01")}}
	}
	return a
}

func (d *desk) load(opts credit.LoadOptions, accounts func(yield func(credit.LoadAccount, error) bool)) {
	d.t.Helper()
	if _, err := d.credit.Load(d.t.Context(), d.job(), opts, accounts); err != nil {
		d.t.Fatal(err)
	}
}

// Of unit 1 the first customer owes 100 and the second 70 − 30 − 20; of unit 2 the third owes
// 9. The second and the third are a group.
func TestLoadCountsExposure(t *testing.T) {
	d := newDesk(t, credit.Options{})
	first, second, third := d.customer(1), d.customer(1), d.customer(2)
	group := d.group("G", second, third)
	d.load(credit.LoadOptions{}, func(yield func(credit.LoadAccount, error) bool) {
		_ = yield(owing(first, 100, 0, 0), nil) && yield(owing(second, 70, 30, 20), nil) && yield(owing(third, 9, 0, 0), nil)
	})
	d.wantUsed("loaded", credit.OfUnit(1), 120)
	d.wantUsed("loaded", credit.OfUnit(2), 9)
	d.wantUsed("loaded", credit.OfGroup(group), 29)
	d.verify()
}

// Customers change their units and groups while they are loaded, before and after their part
// is in, with one part or several. Wherever they are in the end, their exposure is there.
func TestLoadFollowsWhoMovesMeanwhile(t *testing.T) {
	for _, partBytes := range []int{0, 1 << 14} {
		loadWithMoves(t, partBytes)
	}
}

func loadWithMoves(t *testing.T, partBytes int) {
	t.Helper()
	d := newDesk(t, credit.Options{})
	const customers = 600
	for range customers {
		d.customer(1)
	}
	group := d.group("G")
	random := rand.New(rand.NewPCG(1, 2))
	moved, members := map[customer.ID]bool{}, map[customer.ID]bool{}
	move := func(id customer.ID) {
		if random.IntN(2) == 0 {
			d.do(func(tx deskTx) error { return tx.SetGroup(id, group) })
			members[id] = true
			return
		}
		d.do(func(tx deskTx) error { _, err := tx.customers.Assign(id, 2, ""); return err })
		moved[id] = true
	}
	d.load(credit.LoadOptions{PartBytes: partBytes}, func(yield func(credit.LoadAccount, error) bool) {
		for id := customer.ID(1); id <= customers; id++ {
			if !yield(owing(id, 10, 4, 0), nil) {
				return
			}
			if id%10 == 0 {
				move(customer.ID(1 + random.IntN(customers)))
			}
		}
	})
	d.verify()
	d.wantUsed("of those who moved", credit.OfUnit(2), 6*int64(len(moved)))
	d.wantUsed("of the others", credit.OfUnit(1), 6*int64(customers-len(moved)))
	d.wantUsed("of the members", credit.OfGroup(group), 6*int64(len(members)))
}
