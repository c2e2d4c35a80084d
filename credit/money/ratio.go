package money

import (
	"math/big"
	"math/bits"
)

// MulDiv returns a × numerator ÷ denominator in the same currency, rounded half to even:
// a share of the amount. It fails with ErrRate for a denominator of 0, or ErrOverflow.
func (a Amount) MulDiv(numerator, denominator uint64) (Amount, error) {
	if denominator == 0 {
		return Amount{}, &Error{Op: "take a share", Value: a.String(), Problem: "a share of nothing", Remedy: "divide by a positive number", Err: ErrRate}
	}
	minor, ok := ratio(a.Minor, numerator, denominator, 0)
	if !ok {
		return Amount{}, overflow("take a share", a.String())
	}
	return Amount{minor, a.Currency}, nil
}

// ratio returns minor × numerator ÷ denominator × 10^exponent, rounded half to even.
func ratio(minor int64, numerator, denominator uint64, exponent int) (int64, bool) {
	over := new(big.Int).Mul(big.NewInt(minor), new(big.Int).SetUint64(numerator))
	under := new(big.Int).SetUint64(denominator)
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(exponent, -exponent))), nil)
	if exponent >= 0 {
		over.Mul(over, power)
	} else {
		under.Mul(under, power)
	}
	quotient, remainder := over.QuoRem(over, under, new(big.Int))
	sign := int64(remainder.Sign())
	half := remainder.Abs(remainder).Lsh(remainder, 1).Cmp(under)
	if half > 0 || half == 0 && quotient.Bit(0) == 1 {
		quotient.Add(quotient, big.NewInt(sign))
	}
	return quotient.Int64(), quotient.IsInt64()
}

// Split divides the amount in proportion to weights, as instalments of an invoice: the
// parts add up to the amount exactly. Each part is cut toward zero, and the units that
// remain go one each to the first parts of positive weight. The weights must have a
// positive sum that fits 63 bits.
func (a Amount) Split(weights ...uint64) ([]Amount, error) {
	var total uint64
	for _, w := range weights {
		sum, carry := bits.Add64(total, w, 0)
		if carry != 0 || sum > 1<<63-1 {
			return nil, overflow("split", a.String())
		}
		total = sum
	}
	if total == 0 {
		return nil, &Error{Op: "split", Value: a.String(), Problem: "the weights add up to nothing", Remedy: "give at least one positive weight", Err: ErrRate}
	}
	return a.split(weights, total), nil
}

func (a Amount) split(weights []uint64, total uint64) []Amount {
	magnitude, unit := uint64(a.Minor), int64(1)
	if a.Minor < 0 {
		magnitude, unit = -magnitude, -1
	}
	parts := make([]Amount, len(weights))
	rest := magnitude
	for i, w := range weights {
		hi, lo := bits.Mul64(magnitude, w)
		part, _ := bits.Div64(hi, lo, total) // hi < total, since w ≤ total < 2⁶³ and magnitude ≤ 2⁶³
		parts[i] = Amount{unit * int64(part), a.Currency}
		rest -= part
	}
	for i := 0; rest > 0; i++ {
		if weights[i] > 0 {
			parts[i].Minor += unit
			rest--
		}
	}
	return parts
}
