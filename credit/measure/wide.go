package measure

import (
	"math/big"
	"math/bits"
)

// Wide is a sum of products in 128 bits, so that nothing overflows: 2⁶³ minor units times
// 110,000 days leave room for 10¹³ settlements.
type Wide struct {
	High int64
	Low  uint64
}

// AddProduct adds a × b.
func (w *Wide) AddProduct(a, b int64) {
	high, low := bits.Mul64(magnitude(a), magnitude(b))
	if (a < 0) == (b < 0) {
		w.Add(Wide{int64(high), low})
		return
	}
	var borrow uint64
	w.Low, borrow = bits.Sub64(w.Low, low, 0)
	w.High -= int64(high) + int64(borrow)
}

// Add adds another sum.
func (w *Wide) Add(o Wide) {
	var carry uint64
	w.Low, carry = bits.Add64(w.Low, o.Low, 0)
	w.High += o.High + int64(carry)
}

// Per returns the sum divided by n, which is positive, in thousandths, rounded toward
// zero: an average number of days. It is 0 for an n of 0 or less, and where the average
// leaves 64 bits.
func (w Wide) Per(n int64) int64 {
	if n <= 0 {
		return 0
	}
	over := w.big()
	over.Quo(over.Mul(over, big.NewInt(1000)), big.NewInt(n))
	if !over.IsInt64() {
		return 0
	}
	return over.Int64()
}

func (w Wide) big() *big.Int {
	n := big.NewInt(w.High)
	return n.Add(n.Lsh(n, 64), new(big.Int).SetUint64(w.Low))
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}
