package tagging

import (
	"math"
	"slices"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// amount is what a customer has of a measure.
type amount struct {
	id   customer.ID
	unit string
	n    int64
}

func measureOf(name string, all ...amount) Measure {
	return Measure{Name: name, Load: func(_ *storage.Reader, ids []customer.ID, add func(int, string, int64)) error {
		for _, a := range all {
			if i, found := slices.BinarySearch(ids, a.id); found {
				add(i, a.unit, a.n)
			}
		}
		return nil
	}}
}

// sales is a book of five customers: gold 1 and 2, silver 3, none 4 and 5; flags a: 1, 3,
// b: 1.
func sales(t *testing.T) *book {
	b, silver, gold, _ := levels(t, 5, false)
	d := b.dimension(Dimension{Code: "flag"})
	fa, fb := b.tag(d, "a"), b.tag(d, "b")
	b.assign(1, Assignment{Tag: gold}, Assignment{Tag: fa}, Assignment{Tag: fb})
	b.assign(2, Assignment{Tag: gold})
	b.assign(3, Assignment{Tag: silver}, Assignment{Tag: fa})
	return b
}

// revenue: 1 has 100.00 + 50.00 RMB and 7.00 USD, 2 has 25.01 RMB, 3 has −10.00 RMB, 5
// has 1.00 USD; 4 has nothing.
var revenue = measureOf("revenue",
	amount{1, "CNY", 10000}, amount{1, "USD", 700}, amount{1, "CNY", 5000},
	amount{2, "CNY", 2501}, amount{3, "CNY", -1000}, amount{5, "USD", 100})

func figuresOf(b *book, by Axis, m ...Measure) (f *Figures) {
	b.t.Helper()
	b.view(func(r *Reader) (err error) {
		f, err = r.Figures(Query{}, by, m...)
		return err
	})
	return f
}

func TestFiguresAddUpByClass(t *testing.T) {
	b := sales(t)
	f := figuresOf(b, Axis{Field: "level"}, revenue, measureOf("visits", amount{3, "", 4}))
	want := map[string][2]Sums{
		"silver":   {{{Unit: "CNY", Amount: -1000, Customers: 1}}, {{Amount: 4, Customers: 1}}},
		"gold":     {{{Unit: "CNY", Amount: 17501, Customers: 2}, {Unit: "USD", Amount: 700, Customers: 1}}, nil},
		"platinum": {},
		"":         {{{Unit: "USD", Amount: 100, Customers: 1}}, nil},
	}
	if len(f.Groups) != len(want) {
		t.Fatalf("groups %+v", f.Groups)
	}
	for _, g := range f.Groups {
		for m, sums := range g.Sums {
			if !slices.Equal(sums, want[g.Value][m]) {
				t.Errorf("%s, measure %d: %+v, want %+v", g.Value, m, sums, want[g.Value][m])
			}
		}
	}
	total := f.Total.Sums[0]
	if f.Total.Count != 5 || total.In("CNY").Amount != 16501 || total.In("USD").Amount != 800 || total.In("EUR").Amount != 0 {
		t.Errorf("total %+v", f.Total)
	}
	gold := f.Groups[1].Sums[0].In("CNY")
	if gold.Mean() != 8751 { // 175.01 / 2 = 87.505
		t.Errorf("mean %d", gold.Mean())
	}
	if share := gold.Share(total.In("CNY")); math.Abs(share-17501.0/16501) > 1e-12 {
		t.Errorf("share %v", share)
	}
}

func TestMeansAreRounded(t *testing.T) {
	for _, test := range []struct{ amount, customers, want int64 }{
		{10, 3, 3}, {11, 3, 4}, {5, 2, 3}, {-5, 2, -3}, {-10, 3, -3}, {-11, 3, -4}, {0, 4, 0}, {7, 0, 0},
		{math.MaxInt64, 1, math.MaxInt64}, {math.MinInt64, 2, math.MinInt64 / 2},
	} {
		if got := (Sum{Amount: test.amount, Customers: test.customers}).Mean(); got != test.want {
			t.Errorf("%d / %d = %d, want %d", test.amount, test.customers, got, test.want)
		}
	}
}

func TestAMemberOfSeveralClassesCountsOnceInTheTotal(t *testing.T) {
	b := sales(t)
	f := figuresOf(b, Axis{Field: "flag"}, revenue)
	if a, both := f.Groups[0].Sums[0].In("CNY"), f.Groups[1].Sums[0].In("CNY"); a.Amount != 14000 || both.Amount != 15000 {
		t.Errorf("flags %+v, %+v", a, both)
	}
	if total := f.Total.Sums[0].In("CNY"); total.Amount != 16501 || total.Customers != 3 {
		t.Errorf("total %+v", total)
	}
	b.within = bitset.Of(2, 3)
	if total := figuresOf(b, Axis{Field: "flag"}, revenue).Total; total.Count != 2 || total.Sums[0].In("CNY").Amount != 1501 {
		t.Errorf("total in scope %+v", total)
	}
}

func TestFiguresByTwoAxes(t *testing.T) {
	b := sales(t)
	b.view(func(r *Reader) error {
		table, err := r.FigureTable(Query{Filter: "has:level"}, Axis{Field: "level"}, Axis{Field: "flag"}, revenue)
		if err != nil {
			return err
		}
		for i, row := range [][]int64{{-1000, 0, 0}, {15000, 15000, 2501}, {0, 0, 0}, {0, 0, 0}} {
			for j, want := range row {
				if got := table.Cells[i][j][0].In("CNY").Amount; got != want {
					t.Errorf("%s, %s: %d, want %d", table.Rows[i].Value, table.Columns[j].Value, got, want)
				}
			}
		}
		return nil
	})
}

func TestAttributesAreMeasures(t *testing.T) {
	b := sales(t)
	b.update(func(tx *Tx) error {
		customers := b.customers.Tx(tx.tx)
		err := customers.SetSchema(&customer.Schema{Attributes: []customer.AttributeSpec{
			{Name: "limit", Type: customer.Number, Decimals: 2}, {Name: "memo", Type: customer.Text},
		}})
		if err != nil {
			return err
		}
		for id, units := range map[customer.ID]int64{1: 1250, 2: 250} {
			c, err := customers.Get(id)
			if err != nil {
				return err
			}
			c.Attributes = []customer.Attribute{{Name: "limit", Value: customer.NumberValue(units)}}
			if _, err := customers.Update(c); err != nil {
				return err
			}
		}
		return nil
	})
	f := figuresOf(b, Axis{Field: "level"}, Measure{Name: "limit", Attribute: "limit"})
	if got := f.Groups[1].Sums[0]; !slices.Equal(got, Sums{{Decimals: 2, Amount: 1500, Customers: 2}}) {
		t.Errorf("gold %+v", got)
	}
	b.view(func(r *Reader) error {
		for what, m := range map[string]Measure{"text": {Attribute: "memo"}, "nothing": {Name: "x"}} {
			_, err := r.Figures(Query{}, Axis{Field: "level"}, m)
			wants(t, what, err, ErrInvalid)
		}
		_, err := r.Figures(Query{}, Axis{Field: "level"}, Measure{Attribute: "size"})
		wants(t, "not declared", err, ErrNotFound)
		_, err = r.Figures(Query{}, Axis{Field: "colour"}, revenue)
		wants(t, "unknown axis", err, ErrUnknownDimension)
		return nil
	})
}

func TestFiguresNeverOverflow(t *testing.T) {
	b := sales(t)
	b.view(func(r *Reader) error {
		for what, m := range map[string]Measure{
			"one customer": measureOf("x", amount{1, "", math.MaxInt64}, amount{1, "", 1}),
			"a group":      measureOf("x", amount{1, "", math.MinInt64}, amount{2, "", -1}),
		} {
			_, err := r.Figures(Query{}, Axis{Field: "level"}, m)
			wants(t, what, err, storage.ErrLimit)
		}
		return nil
	})
}
