package match

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/clientele-go/clientele/dedupe/compare"
)

func TestSortByKeyAgreesWithStandardLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 2, 100, 5000} {
		list := make([]hashed, n)
		for i := range list {
			list[i] = hashed{hash: rng.Uint64() >> uint(rng.IntN(64)), id: uint32(i)}
		}
		want := slices.Clone(list)
		slices.SortStableFunc(want, func(a, b hashed) int { return compareHash(a.hash, b.hash) })
		if sortByKey(list, make([]hashed, n), func(x hashed) uint64 { return x.hash }); !slices.Equal(list, want) {
			t.Errorf("%d: the orders differ", n)
		}
	}
}

// One wrong pair between two families does not join them: the mean between {0, 1} and
// {2, 3} is (8 - 8 - 8 - 8)/4 < 0.
func TestClustersDoNotChain(t *testing.T) {
	score := func(a, b uint32) float32 {
		if a/2 == b/2 || a == 1 && b == 2 || a == 2 && b == 1 {
			return 9
		}
		return -9
	}
	edges := []scored{{0, 1, 9}, {1, 2, 8}, {2, 3, 9}}
	got, err := clusters(context.Background(), 5, edges, score, func(_, _ []uint32, _ float32) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || !slices.Equal(got[0], []uint32{0, 1}) || !slices.Equal(got[1], []uint32{2, 3}) {
		t.Errorf("got %v; want [[0 1] [2 3]]", got)
	}
}

// Ratios M/U of 0.5, 4, 2, 8: the middle two violate the order and become
// (0.4+0.2)/(0.1+0.1) = 3 both.
func TestPoolMakesRatiosRise(t *testing.T) {
	w := weights{}
	for s := range w.M {
		w.M[s], w.U[s] = 0.8*math.Pow(1.01, float64(s)), 0.1
	}
	w.M[0], w.U[0] = 0.05, 0.1
	w.M[1], w.U[1] = 0.4, 0.1
	w.M[2], w.U[2] = 0.2, 0.1
	pool(&w)
	for s, want := range []float64{0.5, 3, 3, 0.8 * math.Pow(1.01, 3) / 0.1} {
		if got := w.M[s] / w.U[s]; math.Abs(got-want) > 1e-9 {
			t.Errorf("level %d: ratio %v; want %v", s, got, want)
		}
	}
}

// Two candidates of one record with equal odds have half of them each; the other side
// has no rivals.
func TestRivalsShareTheOdds(t *testing.T) {
	tab := &table{link: true, ids: make([]string, 3), names: []string{"a", "b"}, source: []uint8{0, 1, 1}}
	c := cardinality{single: []bool{true, true}}
	pairs := []pair{{0, 1}, {0, 2}}
	v := newRivals(tab, c)
	for _, p := range pairs {
		v.add(p, 3)
	}
	for i, p := range pairs {
		if s := v.share(i, p, 3); math.Abs(math.Exp(float64(s))-0.5) > 1e-6 {
			t.Errorf("pair %d has a share of %v; want a half", i, math.Exp(float64(s)))
		}
	}
	if x := withShare(0, float32(math.Log(0.5))); math.Abs(float64(x)-math.Log(0.25/0.75)) > 1e-6 {
		t.Errorf("half of even odds are %v; want log 1/3", x)
	}
}

// Of 100 records 50 have a partner at 10 with the next at 0, and 50 have none and 0 at
// best: at 10 the best is right, at 0 it is not.
func TestDecoysTellRightFromWrong(t *testing.T) {
	var top []topTwo
	weight := make([]float64, 200)
	for i := range 100 {
		jitter := float32(i) / 1000
		top = append(top, topTwo{best: 10 + jitter, second: jitter, mutual: true}, topTwo{best: jitter, second: -1})
		weight[2*i] = 1
	}
	d := newDecoys(top, false)
	k := d.curve(slices.Repeat([]int32{1}, len(top)), weight)
	if k.at(10.05) < 2 || k.at(0.05) > -1 {
		t.Errorf("log-odds at 10 are %.1f and at 0 %.1f", k.at(10.05), k.at(0.05))
	}
}

// Of 1,000 records 30 have a partner at 10, and all else is at 0: that no decoy of 30, each of
// which stands for 33, is at 10 doesn't make a pair there sure.
func TestFewDecoysMakeNoPairSure(t *testing.T) {
	top := slices.Repeat([]topTwo{{second: nothing}}, 1000)
	weight := make([]float64, len(top))
	for i := range 30 {
		top[i], weight[i] = topTwo{best: 10, mutual: true}, 1
	}
	k := newDecoys(top, false).curve(slices.Repeat([]int32{1}, len(top)), weight)
	// Half a decoy is 16.7 wrong pairs, for two steps: 30.5 to 8.33. Of the records a share of
	// 970.5 to 1000.5 has no partner.
	if want := math.Log(30.5/8.333/(970.5/1000.5) - 1); math.Abs(float64(k.at(10))-want) > 0.01 {
		t.Errorf("log-odds at 10 are %.2f; want %.2f", k.at(10), want)
	}
}

// Of 1,000 records some have a partner, at 8 and more, and no wrong pair is as good: however few
// they are, they are found, and where they are 300 no more than so many besides. Of fewer, wrong
// pairs, at up to 4, confirm one another: see the weaknesses in docs/matching.md.
func TestListsWithLittleInCommonKeepTheirLinks(t *testing.T) {
	for _, shared := range []int{50, 100, 300} {
		for seed := range uint64(5) {
			rng := rand.New(rand.NewPCG(seed, 4))
			var top []topTwo
			for i := range 1000 {
				a, b := rng.Float32()*10-6, rng.Float32()*10-6
				x := topTwo{best: max(a, b), second: min(a, b), mutual: i%2 == 0}
				if i < shared {
					x = topTwo{best: 8 + rng.Float32(), second: max(a, b), mutual: true}
				}
				top = append(top, x)
			}
			right, wrong := linksOf(top, shared, false)
			if right < shared*98/100 || shared == 300 && wrong > shared {
				t.Errorf("seed %d: of %d links %d were found, and %d that are none", seed, shared, right, wrong)
			}
		}
	}
}

// linksOf counts the links that the curve of records makes, of which the first shared are right.
func linksOf(top []topTwo, shared int, single bool) (right, wrong int) {
	c := decoyCurve(&table{source: make([]uint8, len(top))}, 0, single, top)
	for i, x := range top {
		switch {
		case !x.mutual || c.at(x.best) <= 0:
		case i < shared:
			right++
		default:
			wrong++
		}
	}
	return right, wrong
}

// Of 1,000 records few or none have a partner, at 8 and more; the others' bests are wrong, and
// what is likest a record in its own list is as like by chance. Without it, 137 to 350 wrong
// pairs were found beside 100 links.
func TestPairsWithinASourceShowWhatChanceDoes(t *testing.T) {
	for _, shared := range []int{0, 30, 100} {
		for seed := range uint64(5) {
			rng := rand.New(rand.NewPCG(seed, 5))
			byChance := func() (best, second float32) {
				a, b := rng.Float32()*10-6, rng.Float32()*10-6
				return max(a, b), min(a, b)
			}
			var top []topTwo
			for i := range 1000 {
				x := topTwo{mutual: i%2 == 0}
				x.best, x.second = byChance()
				x.own, _ = byChance()
				if i < shared {
					x.second, x.best, x.mutual = x.best, 8+rng.Float32(), true
				}
				top = append(top, x)
			}
			right, wrong := linksOf(top, shared, true)
			if right < shared || wrong > 20 {
				t.Errorf("seed %d: of %d links %d were found, and %d that are none", seed, shared, right, wrong)
			}
		}
	}
}

func TestClosureFindsTheThirdSide(t *testing.T) {
	pairs := []pair{{0, 1}, {1, 2}, {2, 3}}
	got, err := closure(context.Background(), 4, &pairList{memory: pairs, count: 3}, []scored{{0, 1, 5}, {1, 2, 5}, {2, 3, -1}})
	if want := []pair{{0, 2}}; !slices.Equal(got, want) || err != nil {
		t.Errorf("got %v, error %v; want %v", got, err, want)
	}
}

// Crosswise each of 200 columns of one kind would be compared with 199; 8 are enough.
func TestColumnsOfOneKindCrossWithFew(t *testing.T) {
	o := &Options{}
	for i := range maxFields {
		o.Schema = append(o.Schema, Field{itoa(i), compare.PersonGiven})
	}
	l, err := newLayout(o, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, others := range crossColumns(l) {
		if want := min(8, maxFields-1-i); len(others) != want || want > 0 && others[0] != i+1 {
			t.Errorf("column %d is compared crosswise with %v; want the next %d", i, others, want)
		}
	}
}
