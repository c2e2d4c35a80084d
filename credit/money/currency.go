package money

import "strings"

// Currency is a currency by its alphabetic code of ISO 4217, packed into a number whose
// order is that of the codes. 0 is no currency.
type Currency uint16

// Currencies that programs name often. Any other comes from ParseCurrency.
const (
	CNY Currency = 1 + ('C'-'A')*26*26 + ('N'-'A')*26 + ('Y' - 'A')
	EUR Currency = 1 + ('E'-'A')*26*26 + ('U'-'A')*26 + ('R' - 'A')
	GBP Currency = 1 + ('G'-'A')*26*26 + ('B'-'A')*26 + ('P' - 'A')
	HKD Currency = 1 + ('H'-'A')*26*26 + ('K'-'A')*26 + ('D' - 'A')
	JPY Currency = 1 + ('J'-'A')*26*26 + ('P'-'A')*26 + ('Y' - 'A')
	KWD Currency = 1 + ('K'-'A')*26*26 + ('W'-'A')*26 + ('D' - 'A')
	TWD Currency = 1 + ('T'-'A')*26*26 + ('W'-'A')*26 + ('D' - 'A')
	USD Currency = 1 + ('U'-'A')*26*26 + ('S'-'A')*26 + ('D' - 'A')
)

const lastCurrency Currency = 26 * 26 * 26 // ZZZ

// The codes by the digits of their minor unit: ISO 4217 List One as published on
// 2024-06-25, and XCG of its amendment 176. Codes without a minor unit (gold, bond
// units, test codes) are not money that one owes.
const (
	noDigits    = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
	threeDigits = "BHD IQD JOD KWD LYD OMR TND"
	fourDigits  = "CLF UYW"
	twoDigits   = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD " +
		"CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD " +
		"GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK " +
		"MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR " +
		"SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS " +
		"VED VES WST XCD XCG YER ZAR ZMW ZWG"

	// Withdrawn since 2007 (List Three), since old books are still read.
	withdrawnNoDigits  = "BYR"
	withdrawnTwoDigits = "CYP EEK GHC HRK LTL LVL MRO MTL SIT SKK SLL STD VEB VEF ZMK ZWL"
)

// digitsOf has for each Currency the digits of its minor unit and 1, 0 for unknown ones.
var digitsOf = currencyTable()

func currencyTable() *[lastCurrency + 1]uint8 {
	var table [lastCurrency + 1]uint8
	for digits, codes := range []string{
		noDigits + " " + withdrawnNoDigits, "", twoDigits + " " + withdrawnTwoDigits, threeDigits, fourDigits,
	} {
		for code := range strings.FieldsSeq(codes) {
			c, _ := pack(code)
			table[c] = uint8(digits) + 1
		}
	}
	return &table
}

// ParseCurrency returns the currency of a code such as "CNY": three capital letters. A
// code that ISO 4217 doesn't have, or has without a minor unit, is ErrCurrency.
func ParseCurrency[T ~string | ~[]byte](code T) (Currency, error) {
	if c, ok := pack(code); ok && c.Known() {
		return c, nil
	}
	return 0, &Error{Op: "parse currency", Value: shorten(code), Remedy: "use a code of ISO 4217 in capital letters, such as CNY", Err: ErrCurrency}
}

func pack[T ~string | ~[]byte](code T) (Currency, bool) {
	if len(code) != 3 {
		return 0, false
	}
	a, b, c := code[0]-'A', code[1]-'A', code[2]-'A'
	if a > 25 || b > 25 || c > 25 {
		return 0, false
	}
	return 1 + (Currency(a)*26+Currency(b))*26 + Currency(c), true
}

// Known says whether the currency has a minor unit in ISO 4217.
func (c Currency) Known() bool { return c <= lastCurrency && digitsOf[c] > 0 }

// Digits returns how many decimal digits the minor unit has: 2 for CNY, 0 for JPY, 3 for
// KWD. It is 0 for a currency that is not Known.
func (c Currency) Digits() int {
	if !c.Known() {
		return 0
	}
	return int(digitsOf[c]) - 1
}

// String returns the code, "" for no currency.
func (c Currency) String() string {
	if c == 0 || c > lastCurrency {
		return ""
	}
	n := c - 1
	return string([]byte{'A' + byte(n/(26*26)), 'A' + byte(n/26%26), 'A' + byte(n%26)})
}

// MarshalText returns the code.
func (c Currency) MarshalText() ([]byte, error) {
	if c != 0 && !c.Known() {
		return nil, &Error{Op: "write currency", Value: c.String(), Remedy: "use a currency that ParseCurrency returned", Err: ErrCurrency}
	}
	return []byte(c.String()), nil
}

// UnmarshalText reads a code; an empty text is no currency.
func (c *Currency) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*c = 0
		return nil
	}
	parsed, err := ParseCurrency(text)
	if err == nil {
		*c = parsed
	}
	return err
}
