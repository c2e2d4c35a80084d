package money

import (
	"bytes"
	"cmp"
	"math"
	"strconv"
)

// Amount is a sum of money in minor units of a currency: {123450, CNY} is 1234.50 CNY.
// Amounts are values and compare with ==.
type Amount struct {
	Minor    int64
	Currency Currency
}

const withinRange = "it must be within ±9223372036854775807 minor units"

// powers are those of ten that fit 64 bits.
var powers = [20]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// ParseAmount reads a decimal such as "1234.5" or "-0.01" as an amount of a currency. It
// takes a sign, digits and one point; no exponent and no separators of thousands. A
// fraction finer than the currency's minor unit is ErrPrecision unless what is too fine is
// zeros: "5.00" is 5 yen and "5.01" is none.
func ParseAmount[T ~string | ~[]byte](text T, currency Currency) (Amount, error) {
	if !currency.Known() {
		return Amount{}, &Error{Op: "parse amount", Value: shorten(text), Problem: "unknown currency " + strconv.Quote(currency.String()), Remedy: "use a code of ISO 4217", Err: ErrCurrency}
	}
	minor, err := parseDecimal(text, currency.Digits())
	if err == nil {
		return Amount{minor, currency}, nil
	}
	failure := &Error{Op: "parse amount", Value: shorten(text), Err: err}
	switch err {
	case ErrSyntax:
		failure.Remedy = "write digits, with one point before the fraction and nothing between thousands"
	case ErrPrecision:
		failure.Remedy = currency.String() + " has " + strconv.Itoa(currency.Digits()) + " decimal digits"
	default:
		failure.Remedy = withinRange
	}
	return Amount{}, failure
}

// parseDecimal returns a decimal times a power of ten, exactly.
func parseDecimal[T ~string | ~[]byte](text T, digits int) (int64, error) {
	var value uint64
	i, negative, some, places := 0, false, false, -1
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		i, negative = 1, text[0] == '-'
	}
	overflow, fine := false, false
	for ; i < len(text); i++ {
		c := text[i]
		if c == '.' && places < 0 {
			places = 0
			continue
		}
		if c < '0' || c > '9' {
			return 0, ErrSyntax
		}
		some = true
		if places == digits {
			fine = fine || c != '0'
			continue
		}
		if places >= 0 {
			places++
		}
		overflow = overflow || value > math.MaxInt64/10
		value = value*10 + uint64(c-'0')
	}
	switch missing := powers[digits-max(places, 0)]; {
	case !some:
		return 0, ErrSyntax
	case fine:
		return 0, ErrPrecision
	case overflow || value > math.MaxInt64/missing:
		return 0, ErrOverflow
	default:
		value *= missing
	}
	if negative {
		return -int64(value), nil
	}
	return int64(value), nil
}

// Add returns a + b. Amounts of different currencies are ErrMismatch.
func (a Amount) Add(b Amount) (Amount, error) {
	if err := a.same("add", b); err != nil {
		return Amount{}, err
	}
	sum, ok := AddMinor(a.Minor, b.Minor)
	if !ok {
		return Amount{}, overflow("add", a.String()+" + "+b.String())
	}
	return Amount{sum, a.Currency}, nil
}

// Sub returns a - b. Amounts of different currencies are ErrMismatch.
func (a Amount) Sub(b Amount) (Amount, error) {
	if err := a.same("subtract", b); err != nil {
		return Amount{}, err
	}
	difference := a.Minor - b.Minor
	if (a.Minor >= 0) != (b.Minor >= 0) && (difference >= 0) != (a.Minor >= 0) {
		return Amount{}, overflow("subtract", a.String()+" - "+b.String())
	}
	return Amount{difference, a.Currency}, nil
}

// Neg returns -a; it fails for the one number without an opposite, -2⁶³.
func (a Amount) Neg() (Amount, error) {
	if a.Minor == math.MinInt64 {
		return Amount{}, overflow("negate", a.String())
	}
	return Amount{-a.Minor, a.Currency}, nil
}

// Cmp returns -1, 0 or 1 as a is less than, equal to or more than b. Amounts of different
// currencies are ErrMismatch.
func (a Amount) Cmp(b Amount) (int, error) {
	return cmp.Compare(a.Minor, b.Minor), a.same("compare", b)
}

// Sign returns -1, 0 or 1 as the amount is negative, zero or positive.
func (a Amount) Sign() int { return cmp.Compare(a.Minor, 0) }

// IsZero says whether the amount is zero, in whichever currency.
func (a Amount) IsZero() bool { return a.Minor == 0 }

// AddMinor returns a + b and whether that fits, for sums kept in plain minor units.
func AddMinor(a, b int64) (sum int64, ok bool) {
	sum = a + b
	return sum, (a^sum)&(b^sum) >= 0 // it has the sign of one of them
}

func (a Amount) same(op string, b Amount) error {
	if a.Currency == b.Currency {
		return nil
	}
	return &Error{Op: op, Value: a.String() + ", " + b.String(), Remedy: "convert one by a rate first", Err: ErrMismatch}
}

func overflow(op, value string) error {
	return &Error{Op: op, Value: value, Remedy: withinRange, Err: ErrOverflow}
}

// Decimal returns the amount's number with exactly its currency's digits: "1234.50".
func (a Amount) Decimal() string {
	var buffer [24]byte
	return string(a.Currency.AppendDecimal(buffer[:0], a.Minor))
}

// AppendDecimal appends an amount of minor units as Amount.Decimal writes it.
func (c Currency) AppendDecimal(to []byte, minor int64) []byte {
	value := uint64(minor)
	if minor < 0 {
		to = append(to, '-')
		value = -value
	}
	digits := c.Digits()
	if digits == 0 {
		return strconv.AppendUint(to, value, 10)
	}
	unit := powers[digits]
	to = append(strconv.AppendUint(to, value/unit, 10), '.')
	for fraction := value % unit; unit > 1; fraction %= unit {
		unit /= 10
		to = append(to, '0'+byte(fraction/unit))
	}
	return to
}

// String returns the number and the currency: "1234.50 CNY".
func (a Amount) String() string {
	if a.Currency == 0 {
		return a.Decimal()
	}
	return a.Decimal() + " " + a.Currency.String()
}

// MarshalText returns the amount as String does.
func (a Amount) MarshalText() ([]byte, error) {
	if a.Currency != 0 && !a.Currency.Known() {
		return nil, &Error{Op: "write amount", Value: a.String(), Remedy: "use a currency that ParseCurrency returned", Err: ErrCurrency}
	}
	return []byte(a.String()), nil
}

// UnmarshalText reads "1234.50 CNY", and "0" as no amount of no currency.
func (a *Amount) UnmarshalText(text []byte) error {
	if string(text) == "0" {
		*a = Amount{}
		return nil
	}
	number, code, _ := bytes.Cut(text, []byte(" "))
	currency, err := ParseCurrency(code)
	if err != nil {
		return err
	}
	parsed, err := ParseAmount(number, currency)
	if err == nil {
		*a = parsed
	}
	return err
}
