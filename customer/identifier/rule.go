package identifier

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// rule is a built-in scheme. All have the same steps: compact, refuse placeholders, check.
type rule struct {
	name, country     string
	en, zh            string
	sensitive, shared bool
	// serial numbers count up behind a prefix, so that there a repeated digit other than 0
	// is a real number.
	serial bool
	// form describes the numbers, as the remedy for what doesn't look like one.
	form string
	// dummies are numbers that pass the check and that people type for want of the real one.
	dummies []string
	// check returns the canonical form of a compact number.
	check func(number string) (string, *fault)
}

// fault is what is wrong with a number.
type fault struct{ reason, remedy string }

var (
	malformed   = &fault{reason: "doesn't have the form of such a number"} // the rule's form is the remedy
	miscopied   = &fault{"fails its check digit", "compare it with the document: a character is mistyped, or two are swapped"}
	placeholder = &fault{"is a placeholder", "leave the identifier out where the number isn't known"}
	noDate      = &fault{"has no valid date of birth", "compare it with the document"}
)

// Builtin returns the built-in schemes, strictest first: by how unlikely it is that
// another number passes. The slice is the caller's.
func Builtin() []Scheme {
	rules := []rule{
		residentRule(), usccRule(), leiRule(), vatRule(), taiwanResidentRule(), uenRule(), corporateRule(),
		organisationRule(), ubnRule(), einRule(), companyRule(), hongKongRule(), dunsRule(),
	}
	schemes := make([]Scheme, len(rules))
	for i := range rules {
		schemes[i] = rules[i].scheme()
	}
	return schemes
}

func (r *rule) scheme() Scheme {
	return Scheme{
		Name: r.name, Title: map[string]string{"en": r.en, "zh": r.zh}, Country: r.country,
		Sensitive: r.sensitive, Unique: !r.shared, Parse: r.parse,
	}
}

func (r *rule) parse(raw string) (string, error) {
	number, bad := r.canonical(raw)
	if bad == nil {
		return number, nil
	}
	remedy := bad.remedy
	if bad == malformed {
		remedy = r.form
	}
	return "", &Error{Scheme: r.name, Value: raw, Reason: bad.reason, Remedy: remedy, sensitive: r.sensitive}
}

func (r *rule) canonical(raw string) (string, *fault) {
	number, bad := compact(raw)
	if bad != nil {
		return "", bad
	}
	canonical, bad := r.check(number)
	if r.standsIn(number) || canonical != number && r.standsIn(canonical) {
		return "", placeholder
	}
	return canonical, bad
}

// standsIn recognises placeholders: one repeated digit, whatever letters stand
// around it (DE000000000, 00000000T), and the rule's own.
func (r *rule) standsIn(number string) bool {
	if slices.Contains(r.dummies, number) {
		return true
	}
	digits := trimLetters(number)
	if len(digits) < 5 { // so few may well be real
		return false
	}
	for i := range len(digits) {
		if digits[i] != digits[0] {
			return false
		}
	}
	return !r.serial || digits[0] == '0' || digits == number
}

// trimLetters removes the letters at both ends.
func trimLetters(s string) string {
	for s != "" && isLetter(s[0]) {
		s = s[1:]
	}
	for s != "" && isLetter(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// maxRaw is far beyond what any number with its separators takes, in bytes.
const maxRaw = 200

// compact returns a number in upper case and half width without separators; raw itself
// where it is so.
func compact(raw string) (string, *fault) {
	if raw != "" && len(raw) <= maxRaw && all(raw, isAlphanumeric) {
		return raw, nil
	}
	if len(raw) > maxRaw {
		return "", &fault{fmt.Sprintf("is %d bytes long", len(raw)), "give the number alone"}
	}
	out := make([]byte, 0, len(raw))
	for _, c := range raw {
		if c >= '！' && c <= '～' { // the full-width forms of ASCII
			c -= '！' - '!'
		}
		switch {
		case separates(c):
		case c >= 'a' && c <= 'z':
			out = append(out, byte(c)-'a'+'A')
		case c > ' ' && c < 0x7F:
			out = append(out, byte(c))
		default:
			return "", &fault{fmt.Sprintf("has the character %q", c), "use digits and Latin letters"}
		}
	}
	if len(out) == 0 {
		return "", &fault{"is empty", "give the number, or leave the identifier out"}
	}
	return string(out), nil
}

// separates tells what people and programs put between the parts of a number.
func separates(c rune) bool {
	if c < 0x80 {
		return strings.IndexByte(" \t\r\n-./:()", byte(c)) >= 0
	}
	return c == '·' || unicode.In(c, unicode.White_Space, unicode.Pd, unicode.Cf) || c == '\u2212' // minus
}
