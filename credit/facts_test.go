package credit_test

import (
	"testing"

	"github.com/clientele-go/clientele/credit"
)

// By hand. Half at once and half after 30 days are 15 in the mean. To the end of the month
// are, in a common year of n days a month, Σ n(n−1)/2 = 7·465 + 4·435 + 378 = 5,373 days of
// 365 documents, 14.72; and 30 more 44.72.
func TestDaysOfTerms(t *testing.T) {
	for text, want := range map[string]int64{
		"CASH": 0, "NET30": 30, "2/10 NET30": 30, "50% CASH, 50% NET30": 15, "NET3660": 3660,
		"EOM": 15, "EOM+30": 45, "月结30天": 45,
	} {
		terms, err := credit.ParseTerms(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got, err := terms.Days(); err != nil || got != want {
			t.Errorf("%s: %d days, %v; want %d", text, got, err, want)
		}
	}
	if got, err := (credit.Terms{}).Days(); err != nil || got != 0 {
		t.Errorf("no terms: %d days, %v; want 0", got, err)
	}
	broken := credit.Terms{Parts: []credit.TermsPart{{Weight: 1, Rule: credit.DueRule{Days: -1}}}}
	if _, err := broken.Days(); err == nil {
		t.Error("a due day before the document's is no error")
	}
}
