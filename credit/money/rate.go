package money

import (
	"math/bits"
	"strconv"
	"strings"
)

// Rate is an exact positive decimal, such as an exchange rate or a share: Coefficient
// divided by ten to the Scale. ParseRate makes one in lowest terms, so that equal rates
// compare with ==. The zero value is no rate.
type Rate struct {
	Coefficient uint64
	Scale       uint8 // at most MaxRateScale
}

// MaxRateScale is the most digits that a rate may have after its point.
const MaxRateScale = 30

// One is the rate that changes nothing.
func One() Rate { return Rate{Coefficient: 1} }

// ParseRate reads a positive decimal such as "7.1234": digits with one point, at most 19
// that count and MaxRateScale after the point. Zero and negative rates are ErrRate.
func ParseRate[T ~string | ~[]byte](text T) (Rate, error) {
	rate, err := parseRate(strings.TrimPrefix(string(text), "+"))
	if err == nil {
		return rate, nil
	}
	failure := &Error{Op: "parse rate", Value: shorten(text), Err: err}
	switch err {
	case ErrPrecision:
		failure.Remedy = "give at most 19 digits that count, " + strconv.Itoa(MaxRateScale) + " of them after the point"
	default:
		failure.Remedy = "write a positive decimal such as 7.1234"
	}
	return Rate{}, failure
}

func parseRate(text string) (Rate, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	fraction = strings.TrimRight(fraction, "0")
	digits := whole + fraction
	if text == "" || text == "." {
		return Rate{}, ErrSyntax
	}
	if negative := strings.TrimPrefix(digits, "-"); negative != digits && onlyDigits(negative) {
		return Rate{}, ErrRate
	}
	if !onlyDigits(digits) {
		return Rate{}, ErrSyntax
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return Rate{}, ErrRate
	}
	if len(digits) > 19 || len(fraction) > MaxRateScale {
		return Rate{}, ErrPrecision
	}
	coefficient, err := strconv.ParseUint(digits, 10, 64)
	return Rate{coefficient, uint8(len(fraction))}, err
}

func onlyDigits(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// IsZero says whether there is no rate.
func (r Rate) IsZero() bool { return r.Coefficient == 0 }

// String returns the rate as a decimal, "0" for no rate.
func (r Rate) String() string {
	digits := strconv.FormatUint(r.Coefficient, 10)
	if r.Scale == 0 {
		return digits
	}
	if missing := int(r.Scale) + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - int(r.Scale)
	return digits[:point] + "." + digits[point:]
}

// MarshalText returns the rate as a decimal.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what ParseRate reads, and "0" as no rate.
func (r *Rate) UnmarshalText(text []byte) error {
	if string(text) == "0" {
		*r = Rate{}
		return nil
	}
	parsed, err := ParseRate(text)
	if err == nil {
		*r = parsed
	}
	return err
}

// MulRate converts the amount into a currency by a rate, given in whole units of that
// currency for one whole unit of the amount's. The product is rounded once, half to even,
// to the digits of the result. In the amount's own currency it takes a share: 1000.00 CNY
// by 0.05 is 50.00 CNY. It fails with ErrRate, ErrCurrency or ErrOverflow.
func (a Amount) MulRate(rate Rate, to Currency) (Amount, error) {
	switch {
	case rate.IsZero() || rate.Scale > MaxRateScale:
		return Amount{}, &Error{Op: "convert", Value: a.String() + " × " + rate.String(), Remedy: "use a rate that ParseRate returned", Err: ErrRate}
	case !to.Known() || !a.Currency.Known():
		return Amount{}, &Error{Op: "convert", Value: a.String() + " to " + to.String(), Remedy: "use codes of ISO 4217", Err: ErrCurrency}
	}
	magnitude := uint64(a.Minor)
	if a.Minor < 0 {
		magnitude = -magnitude
	}
	hi, lo := bits.Mul64(magnitude, rate.Coefficient)
	result, ok := scale(hi, lo, to.Digits()-a.Currency.Digits()-int(rate.Scale))
	if !ok || result > 1<<63-1 {
		return Amount{}, overflow("convert", a.String()+" × "+rate.String()+" to "+to.String())
	}
	if a.Minor < 0 {
		return Amount{-int64(result), to}, nil
	}
	return Amount{int64(result), to}, nil
}

// scale returns a number of 128 bits times a power of ten, rounded half to even, and
// whether the result fits 64 bits.
func scale(hi, lo uint64, exponent int) (uint64, bool) {
	if exponent >= 0 {
		over, product := bits.Mul64(lo, powers[exponent])
		return product, hi == 0 && over == 0
	}
	lost := false // something was cut off by an earlier division
	for exponent < -19 {
		var remainder uint64
		hi, lo, remainder = divide(hi, lo, powers[19])
		lost = lost || remainder != 0
		exponent += 19
	}
	divisor := powers[-exponent]
	hi, quotient, remainder := divide(hi, lo, divisor)
	up := remainder > divisor/2 || remainder == divisor/2 && (lost || quotient&1 == 1)
	if up {
		quotient++
	}
	return quotient, hi == 0 && (quotient != 0 || !up)
}

// divide returns the quotient and remainder of a number of 128 bits by one of 64.
func divide(hi, lo, divisor uint64) (quotientHi, quotientLo, remainder uint64) {
	quotientLo, remainder = bits.Div64(hi%divisor, lo, divisor)
	return hi / divisor, quotientLo, remainder
}

// Convert converts the amount by way of a base currency: from and to are units of the base
// for one unit of the amount's currency and of the result's. It rounds once, half to even.
func (a Amount) Convert(from, to Rate, currency Currency) (Amount, error) {
	if to.IsZero() || from.IsZero() {
		return Amount{}, &Error{Op: "convert", Value: a.String() + " to " + currency.String(), Remedy: "give the rates of both currencies", Err: ErrRate}
	}
	if !currency.Known() || !a.Currency.Known() {
		return Amount{}, &Error{Op: "convert", Value: a.String() + " to " + currency.String(), Remedy: "use codes of ISO 4217", Err: ErrCurrency}
	}
	exponent := currency.Digits() - a.Currency.Digits() - int(from.Scale) + int(to.Scale)
	minor, ok := ratio(a.Minor, from.Coefficient, to.Coefficient, exponent)
	if !ok {
		return Amount{}, overflow("convert", a.String()+" to "+currency.String())
	}
	return Amount{minor, currency}, nil
}
