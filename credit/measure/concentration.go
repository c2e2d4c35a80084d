package measure

import (
	"math/big"
	"slices"
)

// Concentration says how unevenly receivables are spread over customers. Balances of zero
// and less are no receivables, and left out.
type Concentration struct {
	sorted []int64 // descending
	total  *big.Int
}

// NewConcentration takes the balances of customers in one currency; it copies and sorts
// them.
func NewConcentration(balances []int64) Concentration {
	c := Concentration{total: new(big.Int)}
	for _, b := range balances {
		if b > 0 {
			c.sorted = append(c.sorted, b)
			c.total.Add(c.total, big.NewInt(b))
		}
	}
	slices.SortFunc(c.sorted, func(a, b int64) int {
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	return c
}

// Customers returns how many customers owe something.
func (c Concentration) Customers() int { return len(c.sorted) }

// Top returns the share of the n customers who owe most.
func (c Concentration) Top(n int) (Share, bool) {
	if c.total == nil {
		return 0, false
	}
	return share(sum(c.sorted[:min(max(n, 0), len(c.sorted))]...), c.total)
}

// Gini returns the Gini coefficient in hundredths of a percent: 0 when all owe the same,
// towards All when one owes everything. With the balances x₁ ≤ … ≤ xₙ it is
//
//	2 Σ i xᵢ ÷ (n Σ xᵢ) − (n + 1) ÷ n.
func (c Concentration) Gini() (Share, bool) {
	if c.total == nil {
		return 0, false
	}
	n := int64(len(c.sorted))
	weighted := new(big.Int)
	for i, x := range c.sorted {
		weighted.Add(weighted, new(big.Int).Mul(big.NewInt(n-int64(i)), big.NewInt(x)))
	}
	over := weighted.Lsh(weighted, 1)
	over.Sub(over, new(big.Int).Mul(big.NewInt(n+1), c.total))
	return share(over, new(big.Int).Mul(big.NewInt(n), c.total))
}

// Herfindahl returns the Herfindahl–Hirschman index, Σ share², in hundredths of a percent:
// All when one owes everything, All ÷ n when n owe the same.
func (c Concentration) Herfindahl() (Share, bool) {
	if c.total == nil {
		return 0, false
	}
	squares := new(big.Int)
	for _, x := range c.sorted {
		b := big.NewInt(x)
		squares.Add(squares, b.Mul(b, b))
	}
	return share(squares, new(big.Int).Mul(c.total, c.total))
}
