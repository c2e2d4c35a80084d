package match_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/dedupe/compare"
	"github.com/clientele-go/clientele/dedupe/match"
)

// Of two people of one name at one address, each of whom has two records with a passport, the
// records stay two and two; where the second number of a person is a slip that stands in one
// record, they are one. People's word outweighs both.
func TestConfirmedNumbersKeepCustomersApart(t *testing.T) {
	schema := []match.Field{
		{Name: "name", Type: compare.PersonName}, {Name: "address", Type: compare.Address}, {Name: "passport", Type: compare.Identifier},
	}
	list := households(400)
	add := func(id, passport string) {
		list = append(list, match.Record{ID: id, Values: []string{"Veronika Lindqvist", "17 Harbour Lane, Malmö", passport}})
	}
	for _, c := range []struct {
		passports []string
		judged    []match.Judgement
		want      int // records of the largest cluster
	}{
		{[]string{"K4471902", "K4471902", "T9038815", "T9038815"}, nil, 2},
		{[]string{"K4471902", "K4471902", "K4471902", "T9038815"}, nil, 4},
		{[]string{"K4471902", "K4471902", "T9038815", "T9038815"}, []match.Judgement{{A: "own 0", B: "own 2", Same: true}, {A: "own 1", B: "own 3", Same: true}}, 4},
	} {
		list = list[:len(list):len(list)]
		before := list
		for i, p := range c.passports {
			add(fmt.Sprintf("own %d", i), p)
		}
		r := run(t, match.Options{Schema: schema, Judged: c.judged}, list)
		most := 0
		for _, cluster := range r.Clusters {
			n := 0
			for _, row := range cluster {
				if strings.HasPrefix(r.IDs[row], "own") {
					n++
				}
			}
			most = max(most, n)
		}
		if most != c.want {
			t.Errorf("passports %v, judged %v: %d of the four are one; want %d", c.passports, c.judged, most, c.want)
		}
		list = before
	}
}

// A record with a number of its own does not join those of another by way of records that have
// none: four of these have the name and the address, so that the mean of all pairs speaks for it.
func TestRecordsWithoutNumbersDoNotJoinOthersNumbers(t *testing.T) {
	schema := []match.Field{
		{Name: "name", Type: compare.PersonName}, {Name: "address", Type: compare.Address}, {Name: "passport", Type: compare.Identifier},
	}
	for last, want := range map[string]int{"T9038815": 6, "": 7, "K4471902": 7} {
		list := households(400)
		for i, passport := range []string{"K4471902", "K4471902", "", "", "", ""} {
			list = append(list, match.Record{ID: fmt.Sprintf("own %d", i), Values: []string{"Veronika Lindqvist", "17 Harbour Lane, Malmö", passport}})
		}
		list = append(list, match.Record{ID: "own last", Values: []string{"Veronika Lindqvist", "", last}})
		r := run(t, match.Options{Schema: schema}, list)
		most := 0
		for _, cluster := range r.Clusters {
			if strings.HasPrefix(r.IDs[cluster[0]], "own") {
				most = max(most, len(cluster))
			}
		}
		if most != want {
			t.Errorf("the last record has %q: %d of the seven are one; want %d", last, most, want)
		}
	}
}

// households are people, of whom every other stands twice with the same passport.
func households(n int) (list []match.Record) {
	rng := rand.New(rand.NewPCG(5, 5))
	word := func() string {
		b := make([]byte, 5+rng.IntN(4))
		for i := range b {
			b[i] = "bdfgklmnprstv"[rng.IntN(13)]
			if i%2 == 1 {
				b[i] = "aeiou"[rng.IntN(5)]
			}
		}
		return string(b)
	}
	for i := range n {
		v := []string{word() + " " + word(), fmt.Sprintf("%d %s Street", 1+rng.IntN(90), word()), fmt.Sprintf("P%07d", rng.IntN(10_000_000))}
		for j := range 1 + i%2 {
			list = append(list, match.Record{ID: fmt.Sprintf("%d.%d", i, j), Values: v})
		}
	}
	return list
}
