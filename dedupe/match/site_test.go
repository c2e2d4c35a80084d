package match_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/clientele-go/clientele/dedupe/compare"
	"github.com/clientele-go/clientele/dedupe/match"
)

// agencies are organisations, each with one telephone number for all of its sites, which
// bear its name, a name of their own and an address of their own. Every site stands twice,
// the second time under a shorter name. The ids tell the site.
func agencies(n, sites int) (list []match.Record) {
	rng := rand.New(rand.NewPCG(11, 11))
	word := func() string {
		b := make([]byte, 6+rng.IntN(4))
		for i := range b {
			b[i] = "bcdfghklmnprstvz"[rng.IntN(16)]
			if i%2 == 1 {
				b[i] = "aeiou"[rng.IntN(5)]
			}
		}
		return string(b)
	}
	for i := range n {
		agency, phone := word()+" "+word(), fmt.Sprintf("312 555 %04d", i)
		for j := range sites {
			own, at := word(), fmt.Sprintf("%d %s Street", 1+rng.IntN(900), word())
			for k, name := range []string{agency + " Association " + own + " Center", agency + " " + own} {
				list = append(list, match.Record{ID: fmt.Sprintf("%d.%d %d", i, j, k), Values: []string{name, at, phone}})
			}
		}
	}
	return list
}

// The sites of an organisation are told apart by their addresses, though they share number
// and most of the name; the records of one site are joined.
func TestSitesOfOneOrganisationStayApart(t *testing.T) {
	list := agencies(150, 3)
	result := run(t, match.Options{Schema: []match.Field{
		{Name: "name", Type: compare.OrganisationName}, {Name: "address", Type: compare.Address}, {Name: "phone", Type: compare.Phone},
	}}, list)
	right, wrong := 0, 0
	for _, c := range result.Clusters {
		for i, a := range c {
			for _, b := range c[i+1:] {
				if a/2 == b/2 {
					right++
				} else {
					wrong++
				}
			}
		}
	}
	if right < 440 || wrong > 5 {
		t.Errorf("%d of 450 pairs of one site are joined, and %d of two", right, wrong)
	}
}
