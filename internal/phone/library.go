package phone

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// maxRaw bounds a text that can hold a number, in bytes.
const maxRaw = 250

// parseByLibrary reads what the rules don't know: other countries, rare services, words
// around the number, several numbers in one text.
func parseByLibrary(raw, country string) (Number, error) {
	if err := check(raw, country); err != nil {
		return Number{}, err
	}
	head, ext := CutExtension(raw)
	if head != raw {
		if n, ok := parseOne(head, country); ok {
			n.Extension = ext
			return n, nil
		}
	}
	if n, ok := parseOne(raw, country); ok {
		return n, nil
	}
	if n, ok := parseFirst(raw, country); ok {
		return n, nil
	}
	return Number{}, explain(raw, country)
}

// check refuses what no reading would make a number.
func check(raw, country string) error {
	switch {
	case len(raw) > maxRaw:
		return &Error{raw, country, "is longer than any number", "give the number alone"}
	case !utf8.ValidString(raw):
		return &Error{raw, country, "is not UTF-8", "give the text in UTF-8"}
	case len(Digits(raw)) == 0:
		return &Error{raw, country, "has no digits", "give a number, such as +886 2 2531 7099"}
	case local(raw, country):
		return &Error{raw, country, "has no area code", "write it with its area code, such as " + example(country)}
	}
	return nil
}

// local tells numbers that can be dialled in one town only. Taiwan and mainland China are
// the countries where another town has the same number.
func local(raw, country string) bool {
	if country != "CN" && country != "TW" {
		return false
	}
	head, _ := CutExtension(raw)
	digits := Digits(head)
	return len(digits) < 9 && digits != "" && digits[0] != '0' && !strings.ContainsAny(head, "+＋")
}

func example(country string) string {
	switch country {
	case "CN":
		return "010-6255-1234 or 137-1502-2661"
	case "TW":
		return "02-2531-7099 or 0912-345-678"
	}
	return "+886 2 2531 7099"
}

// parseOne reads a text with one number, in national or international form.
func parseOne(raw, country string) (Number, bool) {
	if n, ok := parseByPlan(raw, country); ok {
		return n, true
	}
	if n, ok := validByLibrary(raw, country); ok {
		return n, true
	}
	if strings.ContainsAny(raw, "+＋") {
		return Number{}, false
	}
	digits := Digits(raw)
	if rest, ok := strings.CutPrefix(digits, "00"); ok {
		return validByLibrary("+"+rest, "")
	}
	for _, code := range [...]string{"86", "852", "853", "886"} {
		if strings.HasPrefix(digits, code) && len(digits) > 10 {
			return validByLibrary("+"+digits, "")
		}
	}
	return Number{}, false
}

// validByLibrary returns the number that libphonenumber finds in raw and holds valid,
// which is to say: of a known type.
func validByLibrary(raw, country string) (Number, bool) {
	if country == "" && !strings.ContainsAny(raw, "+＋") { // of no country, as the library says after a while
		return Number{}, false
	}
	p, err := phonenumbers.Parse(raw, country)
	if err != nil {
		return Number{}, false
	}
	kind := phonenumbers.GetNumberType(p)
	if kind == phonenumbers.UNKNOWN {
		return Number{}, false
	}
	return Number{
		E164:      "+" + strconv.Itoa(int(p.GetCountryCode())) + phonenumbers.GetNationalSignificantNumber(p),
		Extension: p.GetExtension(),
		Country:   phonenumbers.GetRegionCodeForNumber(p),
		Mobile:    kind == phonenumbers.MOBILE,
	}, true
}

// parseFirst reads the first number of a text with several, or a number with a hyphen
// before its extension.
func parseFirst(raw, country string) (Number, bool) {
	if i := strings.IndexAny(raw, "、,，;；/／或~～"); i > 0 {
		return parseOneWithTail(raw[:i], country)
	}
	return parseTail(raw, country)
}

func parseOneWithTail(raw, country string) (Number, bool) {
	head, ext := CutExtension(raw)
	if n, ok := parseOne(head, country); ok {
		n.Extension = ext
		return n, true
	}
	return parseTail(raw, country)
}

// parseTail reads "010-6255-1234-8001", with an extension of up to 6 digits, and
// "05-2211521-4", the first of the lines 2211521 to 2211524.
func parseTail(raw, country string) (Number, bool) {
	i := strings.LastIndexAny(raw, "-－–")
	if i <= 0 {
		return Number{}, false
	}
	tail := Digits(raw[i:])
	if len(tail) == 0 || len(tail) > 6 {
		return Number{}, false
	}
	n, ok := parseOne(raw[:i], country)
	if ok && len(tail) > 1 {
		n.Extension = tail
	}
	return n, ok
}

// explain says why nothing could be made of raw.
func explain(raw, country string) error {
	digits := Digits(raw)
	remedy := "write it as it is dialled, such as " + example(country) + ", or in international form"
	switch {
	case country == "":
		return &Error{raw, country, "has no country code", "write it in international form, such as +886 2 2531 7099"}
	case len(digits) > 15:
		return &Error{raw, country, "has " + strconv.Itoa(len(digits)) + " digits, more than any number", "give one number, and write its extension behind #"}
	case phonenumbers.GetCountryCodeForRegion(country) == 0:
		return &Error{raw, country, "has no country code, and the country is unknown", "give the country as in ISO 3166-1, such as TW"}
	}
	return &Error{raw, country, "fits no number range", remedy}
}
