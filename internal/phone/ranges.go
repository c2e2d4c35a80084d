package phone

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// parseByRanges reads plainly written numbers of all countries with libphonenumber's data but
// without its regular expressions, which take twenty times as long. What it recognises is
// what libphonenumber makes of it; everything unusual it leaves to parseByLibrary.
func parseByRanges(raw, country string) (Number, bool) {
	var buf [maxDigits]byte
	digits, plus, ok := plainDigits(buf[:0], raw)
	if !ok || len(raw) > maxRaw {
		return Number{}, false
	}
	if plus {
		code, rest := callingCode(digits)
		return nationalByRanges(rest, code, regionRanges(phonenumbers.GetRegionCodeForCountryCode(code)))
	}
	if country == "CN" || country == "TW" { // where a number may have no area code
		return Number{}, false
	}
	r := regionRanges(country)
	if r == nil || strings.HasPrefix(string(digits), r.prefixCode) || r.match(digits)&matchesDialOut != 0 {
		return Number{}, false
	}
	return nationalByRanges(digits, r.code, r)
}

// plainDigits appends the digits of a text in which nothing else stands but the usual
// separators, and a plus in front.
func plainDigits(dst []byte, raw string) (digits []byte, plus, ok bool) {
	for i := range len(raw) {
		switch c := raw[i]; {
		case c-'0' < 10:
			if len(dst) == cap(dst) {
				return nil, false, false
			}
			dst = append(dst, c)
		case c == ' ' || c == '-' || c == '(' || c == ')' || c == '.':
		case c == '+' && i == 0:
			plus = true
		default:
			return nil, false, false
		}
	}
	return dst, plus, len(dst) >= 5
}

// callingCode splits the digits behind a plus; the code is 0 if there is none.
func callingCode(digits []byte) (code int, rest []byte) {
	if digits[0] == '0' {
		return 0, nil
	}
	for i := range 3 {
		code = 10*code + int(digits[i]-'0')
		if phonenumbers.GetRegionCodeForCountryCode(code) != phonenumbers.UNKNOWN_REGION {
			return code, digits[i+1:]
		}
	}
	return 0, nil
}

// nationalByRanges reads the digits behind the calling code by the rules of its main region.
func nationalByRanges(digits []byte, code int, r *ranges) (Number, bool) {
	if r == nil {
		return Number{}, false
	}
	digits, ok := r.trimPrefix(digits)
	if !ok || len(digits) > 17 || r.lengths&(1<<len(digits)) == 0 {
		return Number{}, false
	}
	for _, region := range phonenumbers.GetRegionCodesForCountryCode(code) {
		own := regionRanges(region)
		if own == nil {
			return Number{}, false
		}
		kind := own.kind(digits)
		if own.leading && own.match(digits)&matchesLeading == 0 || !own.leading && kind == phonenumbers.UNKNOWN {
			continue
		}
		if kind == phonenumbers.UNKNOWN {
			return Number{}, false
		}
		var e164 [24]byte
		number := append(strconv.AppendInt(append(e164[:0], '+'), int64(code), 10), digits...)
		return Number{E164: string(number), Country: region, Mobile: kind == phonenumbers.MOBILE}, true
	}
	return Number{}, false
}

// ranges is a region's numbering plan as libphonenumber knows it.
type ranges struct {
	*automaton
	code       int
	prefixCode string // the same, as digits
	prefix     string // the trunk prefix, if it is always the same
	prefixRule *regexp.Regexp
	transforms bool   // the rule may replace the prefix
	lengths    uint32 // possible lengths of a number, as bits
	kinds      [len(kinds)]uint32
	same       bool // mobile and landline numbers are alike
	leading    bool // the region is known by its first digits
}

// The patterns of the automaton: those of kinds, from matchesGeneral on the others.
const (
	matchesGeneral = 1 << (len(kinds) + iota)
	matchesLeading
	matchesDialOut // an international prefix comes first
	matchesPrefix  // a trunk prefix comes first
)

// kinds are the kinds of numbers in the order in which libphonenumber looks for them, and
// where it describes them.
var kinds = [...]struct {
	kind phonenumbers.PhoneNumberType
	of   func(*phonenumbers.PhoneMetadata) *phonenumbers.PhoneNumberDesc
}{
	{phonenumbers.PREMIUM_RATE, (*phonenumbers.PhoneMetadata).GetPremiumRate},
	{phonenumbers.TOLL_FREE, (*phonenumbers.PhoneMetadata).GetTollFree},
	{phonenumbers.SHARED_COST, (*phonenumbers.PhoneMetadata).GetSharedCost},
	{phonenumbers.VOIP, (*phonenumbers.PhoneMetadata).GetVoip},
	{phonenumbers.PERSONAL_NUMBER, (*phonenumbers.PhoneMetadata).GetPersonalNumber},
	{phonenumbers.PAGER, (*phonenumbers.PhoneMetadata).GetPager},
	{phonenumbers.UAN, (*phonenumbers.PhoneMetadata).GetUan},
	{phonenumbers.VOICEMAIL, (*phonenumbers.PhoneMetadata).GetVoicemail},
	{phonenumbers.FIXED_LINE, (*phonenumbers.PhoneMetadata).GetFixedLine},
	{phonenumbers.MOBILE, (*phonenumbers.PhoneMetadata).GetMobile},
}

// regions are the plans by region, each made on first use in a millisecond or two.
var regions sync.Map // string → func() *ranges

// regionRanges returns a region's plan, nil where there is none.
func regionRanges(region string) *ranges {
	if plan, found := regions.Load(region); found {
		return plan.(func() *ranges)()
	}
	known := metadata()[region]
	if known == nil {
		return nil
	}
	plan, _ := regions.LoadOrStore(region, sync.OnceValue(func() *ranges { return newRanges(known) }))
	return plan.(func() *ranges)()
}

// metadata is libphonenumber's description of each region.
var metadata = sync.OnceValue(func() map[string]*phonenumbers.PhoneMetadata {
	all := map[string]*phonenumbers.PhoneMetadata{}
	if c, err := phonenumbers.MetadataCollection(); err == nil {
		for _, m := range c.GetMetadata() {
			if m.GetId() != "001" { // of no region
				all[m.GetId()] = m
			}
		}
	}
	return all
})

func newRanges(m *phonenumbers.PhoneMetadata) *ranges {
	r := &ranges{
		code: int(m.GetCountryCode()), same: m.GetSameMobileAndFixedLinePattern(), leading: m.GetLeadingDigits() != "",
		transforms: m.GetNationalPrefixTransformRule() != "",
	}
	r.prefixCode = strconv.Itoa(r.code)
	general := m.GetGeneralDesc()
	r.lengths = bitsOf(general.GetPossibleLength()) &^ bitsOf(general.GetPossibleLengthLocalOnly())
	var patterns []string
	for i := range kinds {
		desc := kinds[i].of(m)
		patterns = append(patterns, desc.GetNationalNumberPattern())
		if r.kinds[i] = bitsOf(desc.GetPossibleLength()); r.kinds[i] == 0 {
			r.kinds[i] = bitsOf(general.GetPossibleLength())
		}
	}
	prefix := m.GetNationalPrefixForParsing()
	patterns = append(patterns, general.GetNationalNumberPattern(), beginning(m.GetLeadingDigits()), beginning(m.GetInternationalPrefix()), beginning(prefix))
	var err error
	if r.automaton, err = newAutomaton(patterns); err != nil {
		return nil
	}
	if r.prefix = prefix; !allDigits(prefix) || r.transforms {
		if r.prefixRule, err = regexp.Compile("^(?:" + prefix + ")"); err != nil {
			return nil
		}
	}
	return r
}

// beginning is a pattern of the numbers that a pattern matches the first digits of.
func beginning(pattern string) string {
	if pattern == "" {
		return ""
	}
	return "(?:" + pattern + `)\d*`
}

func bitsOf(lengths []int32) (bits uint32) {
	for _, n := range lengths {
		if n > 0 && n < 32 {
			bits |= 1 << n
		}
	}
	return bits
}

// trimPrefix removes the trunk prefix, unless that makes a number of a viable one none.
func (r *ranges) trimPrefix(digits []byte) (rest []byte, ok bool) {
	matches := r.match(digits)
	if matches&matchesPrefix == 0 {
		return digits, true
	}
	end := len(r.prefix)
	if r.prefixRule != nil {
		groups := r.prefixRule.FindSubmatchIndex(digits)
		if r.transforms && groups[len(groups)-2] >= 0 {
			return nil, false
		}
		end = groups[1]
	}
	if matches&matchesGeneral != 0 && r.match(digits[end:])&matchesGeneral == 0 {
		return digits, true
	}
	return digits[end:], true
}

// kind is what kind of a number it is in the region, UNKNOWN if it is none.
func (r *ranges) kind(digits []byte) phonenumbers.PhoneNumberType {
	matches := r.match(digits)
	if matches&matchesGeneral == 0 || r.lengths&(1<<len(digits)) == 0 {
		return phonenumbers.UNKNOWN
	}
	is := func(i int) bool { return matches&(1<<i) != 0 && r.kinds[i]&(1<<len(digits)) != 0 }
	const fixed, mobile = len(kinds) - 2, len(kinds) - 1
	for i := range fixed {
		if is(i) {
			return kinds[i].kind
		}
	}
	switch {
	case is(fixed) && (r.same || is(mobile)):
		return phonenumbers.FIXED_LINE_OR_MOBILE
	case is(fixed):
		return phonenumbers.FIXED_LINE
	case !r.same && is(mobile):
		return phonenumbers.MOBILE
	}
	return phonenumbers.UNKNOWN
}
