package credit_test

import (
	"testing"

	"github.com/clientele-go/clientele/credit"
)

// The survivor of unit 1 owes 100 and has no limit; the loser, of unit 2 and a group, owes
// 50, has ordered 30 and has a limit of 200.
func TestMergeMovesExposureAndKeepsLimits(t *testing.T) {
	d := newDesk(t, credit.Options{})
	survivor, loser := d.customer(1), d.customer(2)
	g := d.group("G", loser)
	d.limit(credit.OfCustomer(loser), 200)
	d.invoice("a", survivor, yuan(100), 30)
	d.invoice("b", loser, yuan(50), 30)
	if err := d.order("o", loser, 30); err != nil {
		t.Fatal(err)
	}
	want := func(what string, used map[credit.Scope]int64) {
		t.Helper()
		for s, n := range used {
			d.wantUsed(what, s, n)
		}
		d.verify()
	}
	before := map[credit.Scope]int64{
		credit.OfCustomer(survivor): 100, credit.OfCustomer(loser): 80, credit.OfUnit(1): 100, credit.OfUnit(2): 80, credit.OfGroup(g): 80,
	}
	want("before", before)
	var done *credit.Combination
	d.do(func(tx deskTx) (err error) { done, err = tx.MergeCustomers(survivor, loser); return err })
	want("merged", map[credit.Scope]int64{
		credit.OfCustomer(survivor): 180, credit.OfCustomer(loser): 0, credit.OfUnit(1): 180, credit.OfUnit(2): 0, credit.OfGroup(g): 180,
	})
	wantErr(t, "180 and 21 of the loser's 200", d.order("p", survivor, 21), credit.ErrRefused)
	kept, err := done.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var read credit.Combination
	if err := read.UnmarshalBinary(kept); err != nil || read != *done {
		t.Errorf("read back: %+v, %v; want %+v", read, err, *done)
	}
	d.do(func(tx deskTx) error { return tx.UnmergeCustomers(&read) })
	want("unmerged", before)
	if rooms := d.rooms(survivor, yuan(1)); len(rooms) != 0 {
		t.Errorf("the survivor keeps what it was lent: %+v", rooms)
	}
	if rooms := d.rooms(loser, yuan(1)); len(rooms) != 1 || rooms[0].Exposure != yuan(80) {
		t.Errorf("the loser has %+v", rooms)
	}
}
