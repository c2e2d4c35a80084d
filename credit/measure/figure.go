package measure

import (
	"math/big"
	"strconv"
)

// Days is a number of days in hundredths: 4525 is 45.25 days.
type Days int64

// String returns the days with two digits after the point.
func (d Days) String() string { return hundredths(int64(d)) }

// Share is a part of a whole in hundredths of a percent: 10000 is all of it.
type Share int64

// All is a share of 100 %.
const All Share = 10_000

// String returns the share in percent, "12.34%".
func (s Share) String() string { return hundredths(int64(s)) + "%" }

func hundredths(n int64) string {
	sign := ""
	magnitude := uint64(n)
	if n < 0 {
		sign, magnitude = "-", -magnitude
	}
	text := strconv.FormatUint(magnitude, 10)
	for len(text) < 3 {
		text = "0" + text
	}
	return sign + text[:len(text)-2] + "." + text[len(text)-2:]
}

// quotient returns over ÷ under × scale, rounded half to even; false when under is zero or
// the result doesn't fit.
func quotient(over, under *big.Int, scale int64) (int64, bool) {
	if under.Sign() == 0 {
		return 0, false
	}
	product := new(big.Int).Mul(over, big.NewInt(scale))
	under = new(big.Int).Set(under)
	if under.Sign() < 0 {
		product.Neg(product)
		under.Neg(under)
	}
	result, rest := new(big.Int).DivMod(product, under, new(big.Int)) // rounds down
	switch twice := rest.Lsh(rest, 1).Cmp(under); {
	case twice > 0, twice == 0 && result.Bit(0) == 1:
		result.Add(result, big.NewInt(1))
	}
	return result.Int64(), result.IsInt64()
}

func days(over, under *big.Int) (Days, bool) {
	n, ok := quotient(over, under, 100)
	return Days(n), ok
}

func share(over, under *big.Int) (Share, bool) {
	n, ok := quotient(over, under, int64(All))
	return Share(n), ok
}

// sum adds without overflow.
func sum(terms ...int64) *big.Int {
	total := new(big.Int)
	for _, t := range terms {
		total.Add(total, big.NewInt(t))
	}
	return total
}
