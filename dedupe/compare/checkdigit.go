package compare

import (
	"math"
	"strings"

	"github.com/clientele-go/clientele/customer/identifier"
)

// oneDigit are the schemes with one check digit, by the lengths of their numbers. Any number passes
// one time in five to ten; that a column is of such a scheme shows when nearly all that have its shape
// pass. Then no slip makes one number of another, but for those the check misses.
var oneDigit = []struct {
	scheme      string
	least, most int
}{{"tw.ubn", 8, 8}, {"cn.org", 9, 9}, {"sg.uen", 9, 10}, {"tw.resident", 10, 10}, {"jp.corporate", 13, 13}, {"eu.vat", 8, 15}}

// checkDigit returns the hashes of a number's shape, and of its shape and scheme where it passes a
// scheme's check; 0 for none.
func checkDigit(set *identifier.Set, key string) (shape, checked uint64) {
	n := len(key)
	if n < 8 || n > 15 {
		return 0, 0
	}
	outline := shapeOf(key)
	shape = hashOf(KeyToken, outline)
	for _, s := range oneDigit {
		if n < s.least || n > s.most || s.scheme == "eu.vat" && !startsWithState(outline) {
			continue
		}
		if _, err := set.Parse(s.scheme, key); err == nil {
			return shape, hashOf(KeyToken, s.scheme+" "+outline)
		}
	}
	return shape, 0
}

// shapeOf writes 9 for each digit and A for each letter, but for the two letters of a state in front.
func shapeOf(key string) string {
	shape := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return '9'
		}
		return 'A'
	}, key)
	if startsWithState(shape) {
		return key[:2] + shape[2:]
	}
	return shape
}

// startsWithState reports whether two letters stand in front of digits.
func startsWithState(s string) bool {
	return len(s) > 3 && s[0] > '9' && s[1] > '9' && strings.Contains(s, "9")
}

// manyNumbers of a shape there are in a column of a scheme, of which nearly all pass.
const manyNumbers = 50

// contradict reports whether two numbers that differ are two of a scheme that the column is of. It
// counts in the steps of a stored corpus, which then says the same: nearly all are those whose
// information is a step more than the shape's at most, some 0.88 of it.
func (c *identifiers) contradict(x, y *identifierForm) bool {
	if x.scheme != 0 && x.scheme == y.scheme {
		return true
	}
	if x.checked == 0 || x.checked != y.checked || !c.corpus.ready() {
		return false
	}
	shaped, checked := c.corpus.steps(x.shape), c.corpus.steps(x.checked)
	return checked <= shaped+1 && float64(c.corpus.Values())*math.Exp2(-float64(shaped)/infoSteps) >= manyNumbers
}
