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

// Where all numbers are of one scheme, those of unrelated customers contradict one another. A number
// of another kind, which is new to the list, differs from them all and speaks for none.
func TestANumberOfAKindThatNobodyHasSpeaksForNobody(t *testing.T) {
	var list []match.Record
	for i := range 400 {
		name := string([]rune{'甲' + rune(i), '乙' + rune(i%20)}) + "機械股份有限公司"
		list = append(list, match.Record{ID: name, Values: []string{name, legalEntity(uint64(i))}})
	}
	m := run(t, match.Options{Schema: []match.Field{
		{Name: "name", Type: compare.OrganisationName}, {Name: "number", Type: compare.Identifier},
	}}, list).Model
	first, second := list[0], list[1]
	for number, level := range map[string]string{second.Values[1]: "contradiction", "11913502": "different"} {
		other := match.Record{Values: []string{first.Values[0], number}}
		if f := m.Explain(prepare(t, m, first), prepare(t, m, other)).Fields[1]; f.Level != level || f.Bits > 0 {
			t.Errorf("%s and %s: %s, %.1f bits; want %s, and none for one customer", first.Values[1], number, f.Level, f.Bits, level)
		}
	}
}

// legalEntity is a legal entity identifier, whose last two digits make it 1 modulo 97 (ISO/IEC 7064).
func legalEntity(n uint64) string {
	n += 529900_100_000_000_000
	return fmt.Sprintf("%d%02d", n, 98-n%97*100%97)
}
