package identifier_test

import (
	"math/rand/v2"
	"strings"
	"testing"
)

const (
	digits  = "0123456789"
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	usccSet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
)

// TestEverySingleWrongCharacterIsFound holds for methods with a prime modulus, larger than
// any difference of two values, and weights that it doesn't divide, and for Luhn and MOD
// 11,10, which are made for it. By 97-10 a letter takes two digits and moves what stands
// before it, so it promises this among digits and among letters, not across.
func TestEverySingleWrongCharacterIsFound(t *testing.T) {
	set := newSet(t)
	for _, c := range []struct {
		scheme, number string
		alphabets      []string // a character is replaced by others of its own alphabet
		from           int
	}{
		{"cn.uscc", "91350100M000100Y43", []string{usccSet}, 0},
		{"cn.uscc", "91110000600037341L", []string{usccSet}, 0},
		{"cn.resident", "11010519491231002X", []string{digits + "X"}, 0},
		{"cn.resident", "440524188001010014", []string{digits + "X"}, 0},
		{"cn.org", "600037341", []string{digits}, 0}, // A and 0 differ by 10, B and 0 by 11: letters aren't covered
		{"lei", "5493001KJTIIGC8Y1R12", []string{digits, letters}, 0},
		{"lei", "529900T8BM49AURSDO55", []string{digits, letters}, 0},
		{"eu.vat", "ATU13585627", []string{digits}, 3},
		{"eu.vat", "BE0428759497", []string{digits}, 2},
		{"eu.vat", "DE136695976", []string{digits}, 2},
		{"eu.vat", "DK13585628", []string{digits}, 2},
		{"eu.vat", "EE100931558", []string{digits}, 2},
		{"eu.vat", "ESA13585625", []string{digits}, 3},
		{"eu.vat", "ES54362315K", []string{digits, letters}, 2},
		{"eu.vat", "FI20774740", []string{digits}, 2},
		{"eu.vat", "FR40303265045", []string{digits}, 2},
		{"eu.vat", "HR33392005961", []string{digits}, 2},
		{"eu.vat", "HU12892312", []string{digits}, 2},
		{"eu.vat", "IE6433435F", []string{digits, letters}, 2},
		{"eu.vat", "IT00743110157", []string{digits}, 2},
		{"eu.vat", "LU15027442", []string{digits}, 2},
		{"eu.vat", "MT11679112", []string{digits}, 2},
		{"eu.vat", "PL8567346215", []string{digits}, 2},
		{"eu.vat", "SK2022749619", []string{digits}, 2},
	} {
		for i := c.from; i < len(c.number); i++ {
			for _, alphabet := range c.alphabets {
				for _, other := range alphabet {
					wrong := c.number[:i] + string(other) + c.number[i+1:]
					if wrong == c.number || strings.IndexByte(alphabet, c.number[i]) < 0 {
						continue
					}
					if got, err := set.Parse(c.scheme, wrong); err == nil {
						t.Errorf("%s with character %d wrong passes as %s", c.number, i+1, got)
					}
				}
			}
		}
	}
}

// Weights that differ modulo a prime find it, as the powers of 2 modulo 11 and of 3
// modulo 31 do.
func TestTwoSwappedNeighboursAreFound(t *testing.T) {
	set := newSet(t)
	for _, c := range []struct{ scheme, number string }{
		{"cn.uscc", "91350100M000100Y43"}, {"cn.uscc", "91110000600037341L"},
		{"cn.resident", "11010519491231002X"}, {"cn.resident", "440524188001010014"},
		{"cn.org", "600037341"}, {"eu.vat", "BE0428759497"}, {"eu.vat", "PL8567346215"},
	} {
		for i := range len(c.number) - 1 {
			swapped := c.number[:i] + c.number[i+1:i+2] + c.number[i:i+1] + c.number[i+2:]
			if _, err := set.Parse(c.scheme, swapped); err == nil && swapped != c.number {
				t.Errorf("%s passes as %s", c.number, swapped)
			}
		}
	}
}

// TestUnifiedBusinessNumberAgreesWithTheMinistry holds the rule against the ministry's
// wording: where the seventh digit is 7, its product counts as 1 or as 0, and either sum
// may be divisible.
func TestUnifiedBusinessNumberAgreesWithTheMinistry(t *testing.T) {
	set := newSet(t)
	random := rand.New(rand.NewPCG(1, 2))
	passed, since2023 := 0, 0
	for range 20_000 {
		number, sums := make([]byte, 8), []int{0}
		for i, weight := range []int{1, 2, 1, 2, 1, 2, 4, 1} {
			d := random.IntN(10)
			number[i] = digits[d]
			if i == 6 && d == 7 {
				sums = []int{sums[0] + 1, sums[0]}
				continue
			}
			for s := range sums {
				sums[s] += d*weight/10 + d*weight%10
			}
		}
		by5, by10 := false, false
		for _, sum := range sums {
			by5, by10 = by5 || sum%5 == 0, by10 || sum%10 == 0
		}
		_, err := set.Parse("tw.ubn", string(number))
		if (err == nil) != by5 && strings.Trim(string(number), string(number[:1])) != "" {
			t.Errorf("Parse(%s): %v, sums %v", number, err, sums)
		}
		if err == nil {
			passed++
		}
		if by5 && !by10 {
			since2023++
		}
	}
	if passed == 0 || since2023 == 0 {
		t.Errorf("%d passed, %d by the rule of 2023 alone", passed, since2023)
	}
}
