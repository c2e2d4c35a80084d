package dedupe_test

import (
	"fmt"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
)

// scoreAfter is how a draft is scored against a customer like it once people decided
// a dozen pairs no less alike, and a run learned from them.
func scoreAfter(t *testing.T, v dedupe.Verdict) float64 {
	b := openFor(t)
	for i := range 12 {
		name := fmt.Sprintf("%c%c%c贸易有限公司", '甲'+rune(i*37), '丁'+rune(i*91), '山'+rune(i*53))
		phone := fmt.Sprintf("+8862%08d", 25310000+i*7177)
		x := b.create(customer.Draft{Name: name, Phones: []customer.Phone{{Number: phone}}})
		y := b.create(customer.Draft{Name: name, Phones: []customer.Phone{{Number: phone}}})
		if v == 0 {
			continue
		}
		b.update(func(tx *clientele.Tx) error { _, err := tx.Dedupe.Decide(x.ID, y.ID, v); return err })
	}
	b.create(cement)
	if _, err := b.Dedupe().Run(b.ctx, b.DedupeJob(), dedupe.RunOptions{}); err != nil {
		t.Fatal(err)
	}
	found := b.candidates(cementAgain)
	if len(found) == 0 {
		return -100
	}
	return found[0].Score.LogOdds
}

func TestRunsLearnFromDecisions(t *testing.T) {
	undecided, different, same := scoreAfter(t, 0), scoreAfter(t, dedupe.Different), scoreAfter(t, dedupe.Same)
	if different >= undecided || same <= different {
		t.Errorf("log-odds of a pair like those decided: %.2f undecided, %.2f once different, %.2f once the same", undecided, different, same)
	}
}
