package match

import (
	"context"
	"math/rand/v2"
)

// randomPairs is how many pairs show how often unrelated records agree, and randomNames how many do
// where names are all that tells: of lists of up to 1,500 all, so that no draw decides.
const (
	randomPairs = 200_000
	randomNames = 1_200_000
)

// drawPairs draws pairs of rows that may be compared, all of them where they are few.
// The draw is seeded, so that a run repeats itself.
func drawPairs(t *table) []pair {
	n := t.rows()
	if n < 2 {
		return nil
	}
	enough := randomPairs
	if t.layout.names {
		enough = randomNames
	}
	if all := float64(n) * float64(n-1) / 2; all <= float64(enough) {
		return everyPair(t)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	pairs := make([]pair, 0, enough)
	for tries := 0; len(pairs) < enough && tries < 20*enough; tries++ {
		a, b := uint32(rng.IntN(n)), uint32(rng.IntN(n))
		if a != b && !(t.link && t.source[a] == t.source[b]) {
			pairs = append(pairs, pair{min(a, b), max(a, b)})
		}
	}
	return pairs
}

func everyPair(t *table) []pair {
	var pairs []pair
	for a := range t.rows() {
		for b := a + 1; b < t.rows(); b++ {
			if !t.link || t.source[a] != t.source[b] {
				pairs = append(pairs, pair{uint32(a), uint32(b)})
			}
		}
	}
	return pairs
}

// comparablePairs is how many pairs the mode allows.
func (t *table) comparablePairs() float64 {
	n := float64(t.rows())
	all := n * (n - 1) / 2
	if !t.link {
		return all
	}
	count := make([]float64, len(t.names))
	for _, s := range t.source {
		count[s]++
	}
	for _, c := range count {
		all -= c * (c - 1) / 2
	}
	return all
}

// chance is how often unrelated records agree by chance, column by column.
type chance struct {
	count [states]float64
	bits  [states]float64 // sums
}

func measureChance(ctx context.Context, o *Options, t *table) ([]chance, error) {
	pairs := drawPairs(t)
	e, err := compareAll(ctx, o, t, pairs)
	if err != nil {
		return nil, err
	}
	by := make([]chance, e.columns)
	for p := range pairs {
		state, bits := e.of(p)
		for i, s := range state {
			by[i].count[s]++
			by[i].bits[s] += float64(bits[i]) / 4
		}
	}
	return by, nil
}
