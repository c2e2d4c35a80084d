package match

import (
	"math"
	"testing"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// Of 10,000 random pairs 40 agree in a number; training takes 30 of these for one customer.
// Of unrelated pairs 10 in 9,970 agree, not 40 in 10,000.
func TestChanceLeavesOutThePairsOfOneCustomer(t *testing.T) {
	l, err := newLayout(&Options{Schema: []Field{{"number", compare.Identifier}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := chance{}
	c.count[1], c.count[compare.Exact] = 9960, 40
	var same, none [absent]float64
	same[compare.Exact] = 30
	tr := &trainer{layout: l, lesson: &lesson{scale: 1}, chance: []chance{c}, all: 10_000, drawn: 1,
		p: &parameters{Columns: make([]weights, 1)}}
	tr.setU(0, same, none, none)
	if got, want := tr.p.Columns[0].U[compare.Exact], 10/9970.0; math.Abs(got-want) > 1e-9 {
		t.Errorf("a share of %v of unrelated pairs agree; want %v", got, want)
	}
	// Where training takes all of them, a tenth is left: 4 in 9,964.
	same[compare.Exact] = 40
	tr.setU(0, same, none, none)
	if got, want := tr.p.Columns[0].U[compare.Exact], 4/9964.0; math.Abs(got-want) > 1e-9 {
		t.Errorf("a share of %v of unrelated pairs agree; want %v", got, want)
	}
}

// Unrelated pairs share less than those of one customer, which are most of the random pairs of a
// short list that agree: of ten that share 20 bits in the mean two are unrelated, as are the
// candidates that share 12 bits in the mean.
func TestMeanOfUnrelatedPairsLeavesOutThoseOfOneCustomer(t *testing.T) {
	if got, want := meanApart(20, 0.2, 36, 3), 0.2*20+0.8*12; math.Abs(got-want) > 1e-9 {
		t.Errorf("unrelated pairs share %v bits in the mean; want %v", got, want)
	}
	if got := meanApart(20, 0.2, 0, 0); got != 20 {
		t.Errorf("with no such candidate unrelated pairs share %v bits in the mean; want 20", got)
	}
	if got := meanApart(20, 0.2, 90, 3); got != 20 {
		t.Errorf("where candidates share more, unrelated pairs share %v bits in the mean; want 20", got)
	}
}

// Of pairs taken for one customer 60 in 100 have dates of birth that differ, 20 such that differ
// nearly, and 20 the same: they are relatives. Of one customer's no more than 20 in 100 differ.
func TestOneCustomersPairsAgreeInWhatTellsCustomersApart(t *testing.T) {
	m := [absent]float64{0: 0.6, 1: 0.2, compare.Exact: 0.2}
	hold(&m, compare.DateBirth)
	if want := [absent]float64{0: 0.15, 1: 0.05, compare.Exact: 0.8}; !near(m, want) {
		t.Errorf("dates of birth of one customer are held to %v; want %v", m, want)
	}
	m = [absent]float64{compare.Exact: 0.2, crossed: 0.8}
	hold(&m, compare.PersonFamily)
	if want := [absent]float64{compare.Exact: 0.75, crossed: 0.25}; !near(m, want) {
		t.Errorf("swapped names of one customer are held to %v; want %v", m, want)
	}
	moved := [absent]float64{0: 0.7, compare.Exact: 0.3}
	m = moved
	if hold(&m, compare.Phone); m != moved {
		t.Errorf("telephones of one customer are held to %v; they may change: want %v", m, moved)
	}
}

// Of pairs of one customer 40 in 100 have names that are equal and 20 that are swapped: half as
// many. Of unrelated ones 4 in 1,000 have equal names, so at least a twentieth of 2 in 1,000.
func TestNamesAreSwappedByChanceToo(t *testing.T) {
	var w weights
	w.M[compare.Exact], w.M[crossed], w.U[compare.Exact], w.U[crossed] = 0.4, 0.2, 0.004, 1e-7
	if w.holdSwapped(); math.Abs(w.U[crossed]-1e-4) > 1e-12 {
		t.Errorf("a share of %v of unrelated pairs are swapped; want 1e-4", w.U[crossed])
	}
}

func near(a, b [absent]float64) bool {
	for s := range a {
		if math.Abs(a[s]-b[s]) > 1e-9 {
			return false
		}
	}
	return true
}

// Of 10,000 random pairs 40 have names that differ in the legal form alone, 5 that are equal, 30 of
// which one may be short for the other, and 20 of which a part is the same. Where nothing but names
// tells, the first two stay those of one customer whatever training makes of them, and half of the
// third; where there are no other pairs, a tenth of their like among the candidates is left as well.
// Beside a telephone it is training that decides.
func TestNamesAloneKeepWhatIsPresumedOfThem(t *testing.T) {
	c := chance{}
	c.count[0], c.count[shortForm-1], c.count[shortForm], c.count[nearlyWhole], c.count[compare.Exact] = 9905, 20, 30, 40, 5
	was := [absent]float64{shortForm - 1: 20, shortForm: 20, nearlyWhole: 30}
	few := [absent]float64{shortForm - 1: 20, shortForm: 2, nearlyWhole: 3}
	for _, x := range []struct {
		beside      compare.Type
		drawn       float64
		same, other [absent]float64
	}{
		{compare.AddressCity, 1, [absent]float64{shortForm: 15, nearlyWhole: 50, compare.Exact: 5}, few},
		{compare.OrganisationName, 0.5, [absent]float64{shortForm: 30, nearlyWhole: 80, compare.Exact: 10}, was},
		{compare.Phone, 1, [absent]float64{nearlyWhole: 50, compare.Exact: 1}, was},
		{compare.PersonFamily, 1, [absent]float64{nearlyWhole: 50, compare.Exact: 1}, was},
	} {
		l, err := newLayout(&Options{Schema: []Field{{"name", compare.OrganisationName}, {"beside", x.beside}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		tr := &trainer{layout: l, lesson: &lesson{scale: 1}, chance: []chance{c, {}}, drawn: x.drawn}
		same, other := [absent]float64{nearlyWhole: 50, compare.Exact: 1}, was
		bits := other
		if l.names {
			tr.presume(0, &same, &other, &bits)
		}
		if !near(same, x.same) || !near(other, x.other) || !near(bits, x.other) {
			t.Errorf("beside %s of names %v are of one customer, %v and %v not; want %v and %v", x.beside, same, other, bits, x.same, x.other)
		}
	}
}

// Of a list of 1,200 names all pairs show how often unrelated ones agree, whatever the order of rows;
// beside a telephone a draw of them does.
func TestOfNamesAloneAllPairsAreDrawn(t *testing.T) {
	const rows = 1200
	for beside, want := range map[compare.Type]int{compare.AddressCity: rows * (rows - 1) / 2, compare.Phone: randomPairs} {
		l, err := newLayout(&Options{Schema: []Field{{"name", compare.OrganisationName}, {"beside", beside}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(drawPairs(&table{layout: l, source: make([]uint8, rows), ids: make([]string, rows)})); got != want {
			t.Errorf("beside %s %d pairs were drawn; want %d", beside, got, want)
		}
	}
}
