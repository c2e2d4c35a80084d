package match

import (
	"math"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// starterRows is how many records a model expects that has seen none.
const starterRows = 2000

// starterU are the shares of the levels among unrelated pairs before any were seen, those
// of a name, and what equality has instead in fields of other types.
var (
	starterU     = [absent]float64{0.945, 0.02, 0.012, 0.01, 0.006, 0.003, 0.0012, 0.0008, 0.002}
	starterExact = map[compare.Type]float64{
		compare.Phone: 2e-5, compare.Email: 2e-5, compare.Identifier: 1e-5, compare.Website: 1e-4, compare.Address: 3e-4,
		compare.AddressPostcode: 0.01, compare.AddressCity: 0.05, compare.AddressRegion: 0.1, compare.AddressLocality: 0.05,
		compare.Category: 0.2, compare.DateBirth: 1e-3, compare.DateBirthYear: 0.02, compare.DateBirthMonth: 0.08,
		compare.DateBirthDay: 0.03, compare.Number: 0.05,
	}
)

// Starter returns a model that has learned nothing yet, for a book with too few records
// to learn from: shipped shares for every field, and the duplicates of a small book. Of
// the options it uses Schema, Mode, Country and Comparators.
func Starter(o Options) (*Model, error) {
	l, err := newLayout(&o, nil)
	if err != nil {
		return nil, err
	}
	for i := range l.columns {
		l.columns[i].corpus.Seal()
	}
	return newModel(l, starterParameters(l)), nil
}

// starterParameters are those before anything was learned.
func starterParameters(l *layout) *parameters {
	p := &parameters{Columns: make([]weights, len(l.columns)), Prior: math.Log(0.4 / starterRows), Related: math.Log(0.1 / starterRows), Site: noSites}
	if l.sites {
		p.Site = p.Related
	}
	for i := range p.Columns {
		w, t := &p.Columns[i], l.columns[i].typ
		w.M, w.U = *shippedFor(t), starterShares(t)
		pool(w)
		w.R = relatedShares(t, &w.M, &w.U)
		w.B = siteShares(t, siteStart(t), &w.U)
	}
	return p
}

// starterShares are a type's shares among unrelated pairs.
func starterShares(t compare.Type) [absent]float64 {
	shares := starterU
	if t == compare.Identifier { // the lowest level is of numbers with one checksum only
		shares[0], shares[1] = shares[1], shares[0]
	}
	if u, found := starterExact[t]; found {
		shares[compare.Exact] = u
		shares[compare.Exact-1] = max(4*u, starterU[compare.Exact-1])
	}
	return shares
}
