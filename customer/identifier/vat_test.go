package identifier_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/customer/identifier"
)

// The rare branches of national methods, each number calculated by hand.
func TestVATExceptionsOfNationalMethods(t *testing.T) {
	set := newSet(t)
	for _, number := range []string{
		"BG010000013",  // 1·2+1·8 = 10, so again with 3 to 10: 1·4+1·10 = 14 = 11+3
		"BG0041010018", // born 1 January 2000: 4·8+1·5+1·9+1·6 = 52 = 4·11+8
		"BG0021010013", // born 1 January 1800: 2·8+1·5+1·9+1·6 = 36 = 3·11+3
		"LT010000015",  // 1·2+1·8 = 10, so again with 3, 4, …, 9, 1: 1·4+1·1 = 5
		"CZ10000101",   // 1·8+1·3 = 11, whose check digit 11-11%11 = 11 is written 1
		"CZ530101123",  // a birth number before 1954 has no check digit
		"CZ0401011237", // born 2004: 040101123 = 3645556·11+7
		"IE8+79739I",   // the second character counts nothing
		"XIHA500",
	} {
		if got, err := set.Parse("eu.vat", number); err != nil || got != number {
			t.Errorf("Parse(%s) = %q, %v", number, got, err)
		}
	}
	for _, number := range []string{
		"BG010000010", "BG0041010015", "BG0013010015", "LT010000010", "CZ10000100", "CZ540101123", "CZ0413011237",
		"IE8-79739I", "XIHA499", "XIGD500", "LV31020012345", // no 31 February
	} {
		if got, err := set.Parse("eu.vat", number); err == nil {
			t.Errorf("Parse(%s) = %q", number, got)
		}
	}
}

func TestVATOfWrongFormIsAnsweredWithTheStatesOwn(t *testing.T) {
	set := newSet(t)
	states := map[string]bool{}
	for _, number := range published["eu.vat"] {
		states[number[:2]] = true
	}
	if len(states) != 28 { // 27 members and Northern Ireland
		t.Fatalf("%d states", len(states))
	}
	for state := range states {
		for _, wrong := range []string{"1A", "A1", "12345678901234", "ABCDEFGHI"} {
			_, err := set.Parse("eu.vat", state+wrong)
			bad, ok := errors.AsType[*identifier.Error](err)
			if !ok || !strings.HasPrefix(bad.Remedy, "give "+state+" and ") {
				t.Errorf("%s%s: %v", state, wrong, err)
			}
		}
	}
}
