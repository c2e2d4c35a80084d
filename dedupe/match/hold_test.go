package match_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/clientele-go/clientele/dedupe/compare"
	"github.com/clientele-go/clientele/dedupe/match"
)

// namesakes are people of whom none stands twice, and of whom one in thirty stands with given
// and family name swapped.
func namesakes(n int) (list []match.Record) {
	rng := rand.New(rand.NewPCG(13, 13))
	name := func(ends string) string {
		return string("BDFGKLMNPRST"[rng.IntN(12)]) + string("aeiou"[rng.IntN(5)]) + string("lmnrst"[rng.IntN(6)]) + ends
	}
	for i := range n {
		a, b := name("ine"), name("berg")
		if rng.IntN(30) == 0 {
			a, b = b, a
		}
		born := fmt.Sprintf("%d-%02d-%02d", 1940+rng.IntN(60), 1+rng.IntN(12), 1+rng.IntN(28))
		list = append(list, match.Record{ID: fmt.Sprint(i), Values: []string{a, b, born}})
	}
	return list
}

// Namesakes of whom one is written with the names swapped are no likelier one person than others.
func TestSwappedNamesakesStayApart(t *testing.T) {
	result := run(t, match.Options{Schema: []match.Field{
		{Name: "given", Type: compare.PersonGiven}, {Name: "family", Type: compare.PersonFamily}, {Name: "born", Type: compare.DateBirth},
	}}, namesakes(4000))
	if n := len(result.Clusters); n > 60 {
		t.Errorf("%d groups of namesakes are taken for one person each; want few (120 where swapping was boundless)", n)
	}
}
