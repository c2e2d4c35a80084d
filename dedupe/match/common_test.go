package match_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/dedupe/compare"
	"github.com/clientele-go/clientele/dedupe/match"
)

// A mistyped common name meets the right one, though every key of the right one is common and
// dates differ as well: what both have is among the keys that are joined.
func TestMistypedCommonNamesAreCompared(t *testing.T) {
	schema := []match.Field{{Name: "given", Type: compare.PersonGiven}, {Name: "family", Type: compare.PersonFamily}, {Name: "born", Type: compare.DateBirth}}
	given := strings.Fields("Brunhilde Ottokar Gundula Siegbert Walburga Leopold Kunigunde Theobald Irmtraud Wendelin Notburga Clemens Adelgund Balduin Mechthild Gisbert")
	family := strings.Fields("Altmann Bergner Dombrow Eichler Fahrner Gloeckner Hofstetter Kaltenbach Lindwurm Mosbacher Neuhaus Obermayr Pfisterer Rosenthal Schwabing Trautwein")
	rng := rand.New(rand.NewPCG(3, 9))
	var list []match.Record
	mistaken := map[string]bool{} // once each
	twins := map[[2]string]bool{}
	for i := range 4000 {
		g, f := given[rng.IntN(16)], family[rng.IntN(16)]
		year, month, day := 1930+rng.IntN(60), 1+rng.IntN(12), 1+rng.IntN(28)
		id := fmt.Sprint(i)
		list = append(list, match.Record{ID: id, Values: []string{g, f, fmt.Sprintf("%d-%02d-%02d", year, month, day)}})
		if !mistaken[f] {
			mistaken[f] = true
			at := 1 + rng.IntN(len(f)-2)
			mistyped := f[:at] + "x" + f[at+1:]
			list = append(list, match.Record{ID: id + " bis", Values: []string{g, mistyped, fmt.Sprintf("%d-%02d-%02d", year+11, month, day)}})
			twins[[2]string{id, id + " bis"}] = true
		}
	}
	r := run(t, match.Options{Schema: schema}, list)
	met := 0
	for p := range r.Candidates() {
		if twins[[2]string{r.IDs[p.A], r.IDs[p.B]}] || twins[[2]string{r.IDs[p.B], r.IDs[p.A]}] {
			met++
		}
	}
	if met < len(twins)*9/10 {
		t.Errorf("%d of %d mistyped twins are compared; want nine in ten", met, len(twins))
	}
}

// However often one customer was recorded, its copies meet, also where each of their keys and
// all of these together are common.
func TestAllCopiesOfACustomerMeet(t *testing.T) {
	others := 3000
	if testing.Short() {
		others = 600
	}
	for _, copies := range []int{30, 61, 300} {
		list := population(others)
		for i := range copies {
			list = append(list, match.Record{ID: fmt.Sprint("copy ", i), Values: []string{"Xaver", "Ypsilanti", "1961-02-03", "0891234567", "Bonn"}})
		}
		r := run(t, match.Options{Schema: people}, list)
		together := 0
		for _, c := range r.Clusters {
			of := 0
			for _, row := range c {
				if strings.HasPrefix(r.IDs[row], "copy ") {
					of++
				}
			}
			together = max(together, of)
		}
		if together != copies {
			t.Errorf("of %d copies %d were put together", copies, together)
		}
	}
}
