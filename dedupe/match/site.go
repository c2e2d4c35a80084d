package match

import (
	"slices"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// The sites of one organisation (shops, branches, the homes of a care agency) share its
// telephone number, its website and most of its name, and stand at other addresses. Without
// a class of their own they pass as one customer that is written in other words and has
// moved, and teach that customers move often.

// noSites is the logarithm of the odds of two sites where there are none.
const noSites = -1e4

// fewSites is the least number of pairs of sites that is reckoned with, for each record: so
// few where training has found none.
const fewSites = 0.0005

// places reports whether a type tells one site from another.
func places(t compare.Type) bool {
	switch t {
	case compare.Address, compare.AddressNumber, compare.AddressStreet, compare.AddressBuilding:
		return true
	}
	return false
}

// shippedSite are the shares of the levels of an organisation's name among its sites: the
// same name, said of different places, is rather an organisation that has moved.
var shippedSite = [absent]float64{0.04, 0.08, 0.27, 0.28, 0.19, 0.08, 0.03, 0.02, 0.01}

// siteStart is what training starts from, and leans on, for the sites of an organisation.
func siteStart(t compare.Type) *[absent]float64 {
	if t == compare.OrganisationName {
		return &shippedSite
	}
	return shippedFor(t)
}

// siteShares is what two sites have in a column: of an address as little in common as
// strangers, or nearly so, and of the rest what was seen.
func siteShares(t compare.Type, seen, unrelated *[absent]float64) [absent]float64 {
	if !places(t) {
		return *seen
	}
	var b [absent]float64
	for s := range b {
		b[s] = 0.8*unrelated[s] + 0.2*shippedR[s]
	}
	return b
}

// organised reports whether a pair is of organisations: of people, who may have an
// employer, there are no sites.
func (s *scorer) organised(state []uint8) bool {
	told := func(column int) bool { return state[column] != absent }
	return slices.ContainsFunc(s.orgs, told) && !slices.ContainsFunc(s.people, told)
}
