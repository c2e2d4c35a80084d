package match

import (
	"math"
	"testing"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// nameScorer weighs a whole name, its parts and an employer, whose levels add what is given.
func nameScorer(t *testing.T, add map[int]float32) (*scorer, []uint8) {
	t.Helper()
	l, err := newLayout(&Options{Schema: []Field{
		{"name", compare.PersonName}, {"given", compare.PersonGiven}, {"family", compare.PersonFamily}, {"employer", compare.OrganisationName},
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &parameters{Columns: make([]weights, len(l.columns)), Site: noSites}
	for i := range p.Columns {
		for s := range p.Columns[i].M {
			p.Columns[i].M[s], p.Columns[i].U[s], p.Columns[i].R[s] = 0.1, 0.1, 0.1
		}
	}
	s := newScorer(l, p)
	state := make([]uint8, len(l.columns))
	for i := range state {
		state[i] = absent
		if x, told := add[i]; told {
			state[i] = compare.Exact
			s.same[i][compare.Exact][0] = x
		}
	}
	return s, state
}

// A whole name says again what its parts say; an employer's name is no part of it.
func TestWholeNameSaysNothingTwice(t *testing.T) {
	for _, c := range []struct {
		what string
		add  map[int]float32
		want []float32
	}{
		{"whole and parts", map[int]float32{0: 6, 1: 4, 2: 3}, []float32{0, 4, 3, 0}},
		{"both against", map[int]float32{0: -6, 1: -4, 2: 3}, []float32{0, -4, 3, 0}},
		{"they disagree", map[int]float32{0: 6, 1: -4, 2: 3}, []float32{6, -4, 3, 0}},
		{"whole alone", map[int]float32{0: 6}, []float32{6, 0, 0, 0}},
		{"whole and employer", map[int]float32{0: 6, 3: 2}, []float32{6, 0, 0, 2}},
	} {
		s, state := nameScorer(t, c.add)
		for i, got := range s.parts(state, make([]uint8, len(state))) {
			if got != c.want[i] {
				t.Errorf("%s: column %d counts %v; want %v", c.what, i, got, c.want[i])
			}
		}
	}
}

// However rare what two records share, they are no likelier relatives for the bound of evidence:
// at no number of bits is the lead of one customer over relatives less than without any.
func TestRareValuesSpeakForRelativesNoMoreThanForOneCustomer(t *testing.T) {
	const state = compare.Exact - 1
	w := &weights{}
	w.M[state], w.R[state], w.U[state], w.Mean[state] = 0.1, 0.005, 0.00003, 16
	lead := math.Log(0.1 / 0.005)
	for bits := range 256 {
		if got := w.of(&w.M, state, uint8(bits)) - w.of(&w.R, state, uint8(bits)); got < lead-1e-9 {
			t.Fatalf("with %d quarters of a bit one customer leads relatives by %.2f; want %.2f", bits, got, lead)
		}
	}
}

// Neither given nor family name is alike: together they speak against one customer as one case in a
// hundred does. Where one of them is alike, missing or the only one told, each says its own.
func TestNobodyHasTwoOtherNames(t *testing.T) {
	schema := []Field{{"given", compare.PersonGiven}, {"family", compare.PersonFamily}, {"birth", compare.DateBirth}}
	l, err := newLayout(&Options{Schema: schema}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &parameters{Columns: make([]weights, 3), Site: noSites}
	for i := range p.Columns {
		for s := range absent {
			p.Columns[i].M[s], p.Columns[i].U[s], p.Columns[i].R[s] = 0.2, 0.8, 0.2
		}
	}
	s, each, together := newScorer(l, p), float32(math.Log(0.25)), float32(math.Log(0.01)/2)
	for _, x := range []struct{ state, want string }{
		{"001", "ttx"}, {"011", "ttx"}, {"040", "xxx"}, {"400", "xxx"}, {"0-0", "x-x"}, {"--0", "--x"},
	} {
		state := make([]uint8, 3)
		for i, c := range x.state {
			switch c {
			case '-':
				state[i] = absent
			default:
				state[i] = uint8(c - '0')
			}
		}
		for i, got := range s.parts(state, make([]uint8, 3)) {
			want := map[byte]float32{'t': together, 'x': each, '-': 0}[x.want[i]]
			if math.Abs(float64(got-want)) > 1e-5 {
				t.Errorf("levels %s: column %d says %v; want %v", x.state, i, got, want)
			}
		}
	}
}
