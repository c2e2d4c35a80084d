package clientele_test

import (
	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/stocktake"
)

// reviewed says who reads stored counts, which are of the whole book.
const reviewed = "needs the right to review and a session that sees everything: TestScopesNarrowCounts in customer/stocktake"

// counted tells all that a count of what a session sees tells.
func counted(k *kit, s *clientele.Session) (any, error) {
	r, err := s.Stocktake().Count(k.t.Context(), stocktake.Ask{Definition: stocktake.Definition{
		Dimensions: []string{"status", "kind", "owner", "rep", "country", "province", "city", "created", "tag.level"},
		CrossTabs:  [][2]string{{"rep", "city"}}, Cohorts: true, Aging: true, Activity: &stocktake.ActivityRule{},
		Revenue: &stocktake.Measure{Attribute: "turnover", Currency: "CNY"}, Checks: stocktake.CheckCodes(),
	}})
	return r, err
}

var stocktakeRows = map[string]row{
	"clientele.Session.Stocktake": {open: handle},
	"stocktake.Session.Count":     {session: counted},
	"stocktake.Session.Run":       {open: reviewed},
	"stocktake.Session.Sign":      {open: reviewed},
	"stocktake.Session.Verify":    {open: reviewed},

	"stocktake.Reader.Definition":        {open: definition},
	"stocktake.Reader.DefinitionVersion": {open: definition},
	"stocktake.Reader.Definitions":       {open: definition},
	"stocktake.Reader.Due": guarded(func(k *kit, tx *clientele.Tx) error {
		_, err := tx.Stocktake.Due(k.begun)
		return err
	}),
	"stocktake.Reader.Runs":   guarded(func(k *kit, tx *clientele.Tx) error { _, err := all(tx.Stocktake.Runs()); return err }),
	"stocktake.Reader.RunsOf": guarded(func(k *kit, tx *clientele.Tx) error { _, err := all(tx.Stocktake.RunsOf("all")); return err }),
	"stocktake.Reader.Run":    guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Stocktake.Run(1); return err }),
	"stocktake.Reader.Result": guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Stocktake.Result(1); return err }),
	"stocktake.Reader.Stored": guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Stocktake.Stored(1); return err }),
	"stocktake.Reader.Customers": guarded(func(k *kit, tx *clientele.Tx) error {
		_, _, err := tx.Stocktake.Customers(1, "closing", 0, 10)
		return err
	}),
	"stocktake.Reader.Compare": guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Stocktake.Compare(1, 2); return err }),

	"stocktake.Tx.SaveDefinition": guarded(func(k *kit, tx *clientele.Tx) error {
		_, err := tx.Stocktake.SaveDefinition(stocktake.Definition{Name: "all"})
		return err
	}),
	"stocktake.Tx.Submit":  guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Stocktake.Submit(1, ""); return err }),
	"stocktake.Tx.Return":  guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Stocktake.Return(1, "why"); return err }),
	"stocktake.Tx.Adjust":  guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Stocktake.Adjust(1, 1, "why"); return err }),
	"stocktake.Tx.Approve": guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Stocktake.Approve(1, ""); return err }),
	"stocktake.Tx.File":    guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Stocktake.File(1, ""); return err }),

	"credit.Reader.EachFigures": numbered(1, 2, func(k *kit, tx *clientele.Tx) (int64, error) {
		whose := map[customer.ID]bool{}
		err := tx.Credit.EachFigures(k.day.Month()-3, k.day.Month(), func(id customer.ID, _ *credit.Figures) error {
			whose[id] = true
			return nil
		})
		return int64(len(whose)), err
	}),
	"customer.Reader.EachEvent": read(func(k *kit, tx *clientele.Tx, _ customer.ID) (any, error) {
		var list []any
		err := tx.Customers.EachEvent(func(id customer.ID, e customer.MonthCount) error {
			c, err := tx.Customers.Exact(id)
			list = append(list, c, e)
			return err
		})
		return list, err
	}),
}
