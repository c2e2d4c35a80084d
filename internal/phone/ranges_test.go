package phone

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

// sameAsLibrary fails unless libphonenumber makes the same of a number that the ranges
// accept.
func sameAsLibrary(t testing.TB, raw, country string) (accepted bool) {
	t.Helper()
	got, ok := parseByRanges(raw, country)
	if !ok {
		return false
	}
	p, err := phonenumbers.Parse(raw, country)
	if err != nil {
		t.Errorf("%q for %s: ranges give %+v, libphonenumber %v", raw, country, got, err)
		return true
	}
	want := Number{
		E164: phonenumbers.Format(p, phonenumbers.E164), Extension: p.GetExtension(),
		Country: phonenumbers.GetRegionCodeForNumber(p), Mobile: phonenumbers.GetNumberType(p) == phonenumbers.MOBILE,
	}
	if got != want || !phonenumbers.IsValidNumber(p) {
		t.Errorf("%q for %s: ranges give %+v, libphonenumber %+v, valid %v", raw, country, got, want, phonenumbers.IsValidNumber(p))
	}
	return true
}

// written are the ways in which a number is commonly written.
func written(p *phonenumbers.PhoneNumber) []string {
	return []string{
		phonenumbers.Format(p, phonenumbers.E164), phonenumbers.Format(p, phonenumbers.INTERNATIONAL),
		phonenumbers.Format(p, phonenumbers.NATIONAL), phonenumbers.GetNationalSignificantNumber(p),
	}
}

// Every kind of number of every country, written in the common ways and with some digits
// changed.
func TestRangesAgreeWithLibphonenumber(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	given, accepted := 0, 0
	for _, region := range slices.Sorted(keysOf(phonenumbers.GetSupportedRegions())) {
		for kind := phonenumbers.FIXED_LINE; kind <= phonenumbers.VOICEMAIL; kind++ {
			p := phonenumbers.GetExampleNumberForType(region, kind)
			if p == nil {
				continue
			}
			for _, raw := range written(p) {
				given++
				if sameAsLibrary(t, raw, region) {
					accepted++
				}
				for range 8 {
					sameAsLibrary(t, changed(random, raw), region)
				}
			}
		}
	}
	// The rest is unusual: carrier codes, prefixes that are replaced, numbers that begin
	// like their calling code.
	if given < 4000 || accepted < given*3/4 {
		t.Errorf("of %d numbers the ranges accepted %d", given, accepted)
	}
}

func keysOf(set map[string]bool) func(func(string) bool) {
	return func(yield func(string) bool) {
		for key := range set {
			if !yield(key) {
				return
			}
		}
	}
}

// changed replaces, removes or adds a digit or two.
func changed(random *rand.Rand, raw string) string {
	b := []byte(raw)
	for range 1 + random.IntN(2) {
		at := random.IntN(len(b))
		digit := byte('0' + random.IntN(10))
		switch random.IntN(4) {
		case 0:
			b = slices.Insert(b, at, digit)
		case 1:
			b = slices.Delete(b, at, at+1)
		default:
			b[at] = digit
		}
		if len(b) == 0 {
			return ""
		}
	}
	return string(b)
}

func FuzzRangesAgreeWithLibphonenumber(f *testing.F) {
	for _, seed := range []string{"+1 212-555-0123", "(020) 7946 0018", "0412 345 678", "011 44 20 7946 0018", "+39 06 698", "00"} {
		f.Add(seed, "US")
		f.Add(seed, "AU")
	}
	f.Fuzz(func(t *testing.T, raw, country string) {
		if phonenumbers.GetSupportedRegions()[country] && !strings.Contains(raw, "*") {
			sameAsLibrary(t, raw, country)
		}
	})
}

func TestAutomatonStaysSmall(t *testing.T) {
	most, total := 0, 0
	for region := range phonenumbers.GetSupportedRegions() {
		r := regionRanges(region)
		if r == nil {
			t.Errorf("%s has no ranges", region)
			continue
		}
		most, total = max(most, len(r.states)), total+len(r.states)
	}
	if most > maxStates/10 {
		t.Errorf("an automaton has %d states", most)
	}
	t.Logf("%d states in all, at most %d", total, most)
}

func BenchmarkParseByRanges(b *testing.B) {
	for _, raw := range []string{"+1 212-555-0123", "(212) 555-0123"} {
		b.Run(raw, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(raw, "US"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
