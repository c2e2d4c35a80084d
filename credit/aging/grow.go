package aging

import "slices"

// Grow makes room for so many accounts more, so that adding them copies nothing.
func (a *Accumulator) Grow(accounts int) {
	a.accounts = slices.Grow(a.accounts, accounts)
	a.sums = slices.Grow(a.sums, accounts*a.width)
}
