package compare

import (
	"fmt"
	"slices"
	"testing"

	"github.com/clientele-go/clientele/customer/identifier"
)

// issued returns n numbers that begin with some letters, of which those at every step pass a
// scheme's check, the others not.
func issued(t *testing.T, scheme, begin string, digits, n, step int) (list []string) {
	t.Helper()
	set, err := identifier.NewSet()
	if err != nil {
		t.Fatal(err)
	}
	for i := 10_340_001; len(list) < n; i += 97 {
		number := begin + fmt.Sprintf("%0*d", digits, i)
		if _, err := set.Parse(scheme, number); (err == nil) == (len(list)%step == 0) {
			list = append(list, number)
		}
	}
	return list
}

// Two numbers of which nearly all of a column pass one check are two customers', however alike;
// where as many pass as by chance, or too few are known, they may be one with a slip in it.
func TestNumbersOfACheckedColumnContradict(t *testing.T) {
	ubn := issued(t, "tw.ubn", "", 8, 300, 1)
	vat := append(issued(t, "eu.vat", "DE", 9, 200, 1), issued(t, "eu.vat", "BE", 10, 200, 1)...)
	for name, c := range map[string]struct {
		column []string
		a, b   string
		want   string
	}{
		"Taiwan's":          {ubn, "68919301", "68919702", "contradiction"}, // 臺南紡織 and 台南企業
		"one does not pass": {ubn, "68919301", "68919302", "typo"},
		"one in three":      {issued(t, "tw.ubn", "", 8, 300, 3), "68919301", "68919702", "two"},
		"too few":           {append(ubn[:40:40], issued(t, "eu.vat", "DE", 9, 260, 1)...), "68919301", "68919702", "two"},
		"Germany's":         {vat, vat[0], vat[1], "contradiction"},
		"of two states":     {vat, vat[0], vat[399], "different"}, // one firm may have both
	} {
		by, _ := learned(t, Identifier, c.column)
		for _, p := range [][2]string{{c.a, c.b}, {c.b, c.a}} {
			o := by.Compare(by.Prepare(p[0]), by.Prepare(p[1]))
			if got := by.Levels()[o.Level].Name; got != c.want {
				t.Errorf("%s: %s and %s: %s, want %s", name, p[0], p[1], got, c.want)
			}
		}
		if o := by.Compare(by.Prepare(c.a), by.Prepare(c.a)); o.Level != Exact {
			t.Errorf("%s: %s is on level %d of itself", name, c.a, o.Level)
		}
	}
}

// A stored corpus, which is rounded, says the same of a column's numbers as the one that learned
// them, however many of them pass.
func TestStoredCorporaKnowCheckedColumns(t *testing.T) {
	pass, fail := issued(t, "tw.ubn", "", 8, 1000, 1), issued(t, "tw.ubn", "", 8, 1200, 1200)[1:]
	others := issued(t, "eu.vat", "DE", 9, 60, 1)
	both := map[uint8]bool{}
	for passing := 600; passing <= 1000; passing += 5 {
		corpus := NewCorpus()
		by, err := New(Identifier, Options{Corpus: corpus})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range slices.Concat(pass[:passing], fail[:1000-passing], others) {
			corpus.Learn(by, by.Prepare(v), 1)
		}
		corpus.Seal()
		then := withStored(t, Identifier, corpus)
		now := by.Compare(by.Prepare("68919301"), by.Prepare("68919702"))
		if after := then.Compare(then.Prepare("68919301"), then.Prepare("68919702")); after != now {
			t.Errorf("of 1000 numbers %d pass: level %d, stored %d", passing, now.Level, after.Level)
		}
		both[now.Level] = true
	}
	if len(both) != 2 {
		t.Errorf("all are on one level: %v", both)
	}
}
