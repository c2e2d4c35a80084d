package clientele_test

import (
	"context"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
)

// TestExposureMovesWithAMerge merges a customer of one unit and group into one of another.
// It owes 300.00 and has ordered 600.00; the survivor owes 50.00 and has reserved 70.00.
// Merged, they count 1,020.00 where the survivor does and nothing where the loser did.
func TestExposureMovesWithAMerge(t *testing.T) {
	m := newMerging(t)
	survivor, loser := m.first.ID, m.other.ID
	amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: money.CNY} }
	var groups [2]credit.GroupID
	m.update(func(tx *clientele.Tx) error {
		for i, id := range []customer.ID{survivor, loser} {
			g, err := tx.Credit.CreateGroup([]string{"A", "B"}[i], customer.Names{"en": "Group"})
			if err != nil {
				return err
			}
			if groups[i] = g.ID; tx.Credit.SetGroup(id, g.ID) != nil {
				t.Fatal("no group")
			}
		}
		if _, err := tx.Credit.Reserve(credit.Request{Key: "O1", Customer: loser, Amount: amount(60000), Stage: credit.Ordered}); err != nil {
			return err
		}
		if _, err := tx.Credit.Reserve(credit.Request{Key: "R1", Customer: survivor, Amount: amount(7000)}); err != nil {
			return err
		}
		day, err := date.New(2024, 5, 1)
		if err != nil {
			return err
		}
		for _, d := range []credit.Document{
			{Key: "I1", Customer: loser, Kind: credit.Invoice, Date: day, Amount: amount(30000)},
			{Key: "I2", Customer: survivor, Kind: credit.Invoice, Date: day, Amount: amount(5000)},
		} {
			if _, err = tx.Credit.Post(d); err != nil {
				return err
			}
		}
		return nil
	})
	check := func(when string, want map[credit.Scope]int64) {
		t.Helper()
		err := m.View(context.Background(), func(tx *clientele.ReadTx) error {
			for s, want := range want {
				list, err := tx.Credit.Exposure(s)
				if err != nil {
					return err
				}
				total := int64(0)
				for _, e := range list {
					for p := credit.Debits; p <= credit.Deliveries; p++ {
						total += e.Of(p)
					}
				}
				if total != want {
					t.Errorf("%s: the exposure of %v is %d, want %d", when, s, total, want)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if report, err := m.book.Verify(context.Background(), nil); err != nil || !report.OK() {
			t.Errorf("%s: %v, %v", when, report.Differences, err)
		}
	}
	apart := map[credit.Scope]int64{
		credit.OfCustomer(survivor): 12000, credit.OfUnit(m.north): 12000, credit.OfGroup(groups[0]): 12000,
		credit.OfCustomer(loser): 90000, credit.OfUnit(m.south): 90000, credit.OfGroup(groups[1]): 90000,
	}
	check("apart", apart)
	m.update(func(tx *clientele.Tx) error {
		_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: survivor, Losers: []customer.ID{loser}})
		return err
	})
	check("merged", map[credit.Scope]int64{
		credit.OfCustomer(survivor): 102000, credit.OfUnit(m.north): 102000, credit.OfGroup(groups[0]): 102000,
		credit.OfUnit(m.south): 0, credit.OfGroup(groups[1]): 0,
	})
	m.update(func(tx *clientele.Tx) error { _, _, err := tx.Dedupe.Unmerge(loser); return err })
	check("undone", apart)
}
