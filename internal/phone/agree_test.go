package phone

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

// library reads a number as libphonenumber does.
func library(t testing.TB, raw, country string) (n Number, valid bool) {
	t.Helper()
	p, err := phonenumbers.Parse(raw, country)
	if err != nil {
		return Number{}, false
	}
	return Number{
		E164:   phonenumbers.Format(p, phonenumbers.E164),
		Mobile: phonenumbers.GetNumberType(p) == phonenumbers.MOBILE,
	}, phonenumbers.IsValidNumber(p)
}

// agree fails unless the library gives the same number, valid, for what the rules accept.
// It needn't hold a mobile number of mainland China valid: its metadata lags.
func agree(t testing.TB, raw, country string) (accepted bool) {
	t.Helper()
	got, ok := parseByPlan(raw, country)
	if !ok {
		return false
	}
	want, valid := library(t, raw, country)
	if got.Country != country && !valid { // 8613715022661 in a list of Taiwan
		head, _ := CutExtension(raw)
		want, valid = library(t, "+"+strings.TrimPrefix(Digits(head), "00"), "")
	}
	newRange := got.Country == "CN" && got.Mobile && !valid
	if want.E164 != got.E164 || !newRange && (!valid || want.Mobile != got.Mobile) {
		t.Errorf("%q for %s: rules give %+v, libphonenumber %+v, valid %v", raw, country, got, want, valid)
	}
	return true
}

// Every prefix of three digits with random tails, in national and international form. Set
// CLIENTELE_LONG for prefixes of five digits.
func TestRulesAgreeWithLibphonenumberOnEveryPrefix(t *testing.T) {
	width := 3
	if os.Getenv("CLIENTELE_LONG") != "" {
		width = 5
	}
	limit := 1
	for range width {
		limit *= 10
	}
	random := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for _, c := range []struct {
		country, code string
		digits        int
	}{{"TW", "+886", 8}, {"TW", "+886", 9}, {"CN", "+86", 10}, {"CN", "+86", 11}} {
		for i := range 3 * limit * 9 / 10 {
			prefix := limit/10 + i/3
			national := fmt.Sprint(prefix)
			for len(national) < c.digits {
				national += string(rune('0' + random.IntN(10)))
			}
			if agree(t, "0"+national, c.country) {
				accepted++
				if i%7 == 0 {
					agree(t, c.code+national, "")
					agree(t, national, c.country)
				}
			}
		}
	}
	if accepted < limit/4 {
		t.Errorf("the rules accepted only %d numbers", accepted)
	}
}

// What the library holds valid among the numbers that the rules are for must not be lost
// on the way: Parse gives the same.
func TestParseKeepsWhatLibphonenumberHoldsValid(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	valid := 0
	for range 1000 {
		country := [...]string{"TW", "CN"}[random.IntN(2)]
		raw := "0"
		for range 8 + random.IntN(4) {
			raw += string(rune('0' + random.IntN(10)))
		}
		want, ok := library(t, raw, country)
		if !ok {
			continue
		}
		valid++
		got, err := Parse(raw, country)
		if err != nil || got.E164 != want.E164 || got.Mobile != want.Mobile {
			t.Errorf("Parse(%q, %s) = %+v, %v, libphonenumber %+v", raw, country, got, err, want)
		}
	}
	if valid < 40 {
		t.Errorf("only %d of the random numbers were valid", valid)
	}
}

// The numbers of testdata are real; see its SOURCE.md.
func TestRegisterOfListedCompanies(t *testing.T) {
	file, err := os.Open("testdata/tw_listed.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	total, local, refused := 0, 0, 0
	for lines := bufio.NewScanner(file); lines.Scan(); total++ {
		raw := lines.Text()
		agree(t, raw, "TW")
		if _, err := Parse(raw, "TW"); err != nil {
			if strings.Contains(err.Error(), "area code;") {
				local++
			} else {
				refused++
			}
		}
	}
	// 109 lines have fewer than nine digits before # and don't begin with 0. Two numbers of the
	// mainland without its calling code and one of Singapore in brackets fit nowhere.
	if total != 1057 || local != 109 || refused != 3 {
		t.Errorf("%d numbers, %d without an area code, %d refused", total, local, refused)
	}
}
