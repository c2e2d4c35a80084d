package match

import (
	"math"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// weights turn a column's state into evidence.
type weights struct {
	// M and U are the shares of the states among pairs of one customer and among
	// unrelated pairs, where neither value is missing.
	M, U [absent]float64
	// R are the shares among pairs of two customers that have to do with one another: a
	// household, the businesses of one house, an office and its branch.
	R [absent]float64
	// B are the shares among the sites of one organisation.
	B [absent]float64
	// Mean is the mean information, in bits, that unrelated pairs in the state share, or
	// 0 where it is unknown: a pair that shares more is better evidence.
	Mean [absent]float64
	// Translated says that bits are those of a translation.
	Translated bool
}

// parameters are what training finds.
type parameters struct {
	Columns []weights
	// Prior is the logarithm of the odds that a pair drawn blindly is one customer.
	Prior float64
	// Related is the same of a pair of two customers that have to do with one another.
	Related float64
	// Site is the same of two sites of one organisation; noSites where there can't be any.
	Site float64
	// Shift is added to all log-odds: what people's judgements taught.
	Shift float64
}

// Bounds of one column's evidence, in natural logarithms.
const (
	mostFor     = 16.0
	mostAgainst = -6.0
)

// of is the log-likelihood ratio of a state among pairs with the given shares.
func (w *weights) of(share *[absent]float64, state, bits uint8) float64 {
	if state == absent {
		return 0
	}
	rarer := 0.0
	if w.Translated && state < crossed {
		rarer = math.Ln2 * (float64(bits) - translated) / 4
	} else if w.Mean[state] > 0 && bits > 0 {
		rarer = math.Ln2 * telling[state] * max(float64(bits)/4-w.Mean[state], leastTelling)
	}
	// What is rarer than the bound for one customer can't speak for relatives alone.
	rarer = min(rarer, max(mostFor-math.Log(w.M[state]/w.U[state]), 0))
	return min(max(math.Log(share[state]/w.U[state])+rarer, mostAgainst), mostFor)
}

// leastTelling is how many bits less than the mean a pair may share and have it held
// against it: the mean of a column of long texts says little about a short one.
const leastTelling = -4

// telling is how much of the information shared counts in each state: in a loose one
// the words that agree are not independent of one another.
var telling = [absent]float64{0, 0, 0, 0, 0.3, 0.5, 1, 1, 1}

// lookup is the log-likelihood ratios of a column for all states and bits.
type lookup [states][256]float32

func (w *weights) lookup(share *[absent]float64) *lookup {
	var t lookup
	for s := range absent {
		for b := range 256 {
			t[s][b] = float32(w.of(share, uint8(s), uint8(b)))
		}
	}
	return &t
}

// scorer adds up the evidence of the columns.
type scorer struct {
	prior, kin float32
	site       float32
	shift      float32
	same       []*lookup // one customer against unrelated ones
	related    []*lookup // related customers against unrelated ones
	sites      []*lookup // sites of one organisation against unrelated ones, nil for none
	groups     []group
	whole      []bool
	email      []bool
	orgs       []int // columns of organisations' names
	people     []int // columns of people's given and family names
}

func newScorer(l *layout, p *parameters) *scorer {
	s := &scorer{prior: float32(p.Prior), kin: float32(p.Related), site: float32(p.Site), shift: float32(p.Shift)}
	for i := range l.columns {
		w := &p.Columns[i]
		s.same = append(s.same, w.lookup(&w.M))
		s.related = append(s.related, w.lookup(&w.R))
		if p.Site > noSites {
			s.sites = append(s.sites, w.lookup(&w.B))
		}
		s.groups = append(s.groups, l.columns[i].group)
		s.whole = append(s.whole, l.columns[i].whole >= 0)
		s.email = append(s.email, l.columns[i].typ == compare.Email)
		switch l.columns[i].typ {
		case compare.OrganisationName:
			s.orgs = append(s.orgs, i)
		case compare.PersonGiven, compare.PersonFamily:
			s.people = append(s.people, i)
		}
	}
	return s
}

// score is the logarithm of the posterior odds of one customer against two, related or not.
func (s *scorer) score(state, bits []uint8) float32 {
	same, related, site := s.classes(state, bits)
	return same - softplus2(related, site) + s.shift
}

// classes are the logarithms of the odds of one customer, of two related ones, and of two
// sites of an organisation, against two that are not.
func (s *scorer) classes(state, bits []uint8) (same, related, site float32) {
	var room [64]float32
	same, related, site = s.prior+total(s.asOne(state, bits, room[:0])), s.kin+total(s.weigh(s.related, state, bits, room[:0])), noSites
	if s.sites != nil && s.organised(state) {
		site = s.site + total(s.weigh(s.sites, state, bits, room[:0]))
	}
	return same, related, site
}

func total(parts []float32) (sum float32) {
	for _, w := range parts {
		sum += w
	}
	return sum
}

// softplus2 is log(1 + exp(x) + exp(y)).
func softplus2(x, y float32) float32 {
	first := softplus(x)
	if y <= noSites {
		return first
	}
	return first + softplus(y-first)
}

// softplus is log(1 + exp(x)).
func softplus(x float32) float32 {
	switch {
	case x > 20:
		return x
	case x < -25: // less than anything it is added to can show
		return 0
	}
	return float32(math.Log1p(math.Exp(float64(x))))
}

// parts are the columns' shares of a score.
func (s *scorer) parts(state, bits []uint8) []float32 {
	return s.asOne(state, bits, nil)
}

// asOne appends the evidence of each column for one customer.
func (s *scorer) asOne(state, bits []uint8, to []float32) []float32 {
	to = s.weigh(s.same, state, bits, to)
	s.holdRenamed(to, state)
	return to
}

// holdRenamed has given and family names of which nothing is alike speak against one customer
// together as much as [mostRenamed] asks. One of them alone may be another, a married name or the one
// somebody goes by; as independent of one another, both would be so far too often.
func (s *scorer) holdRenamed(w []float32, state []uint8) {
	var told [maxParts]int
	n, sum := 0, float32(0)
	for _, i := range s.people {
		switch {
		case state[i] == absent || n == maxParts:
		case state[i] > 1:
			return
		default:
			told[n] = i
			n++
			sum += w[i]
		}
	}
	if n < 2 || sum <= asRenamed {
		return
	}
	for _, i := range told[:n] {
		w[i] += (asRenamed - sum) / float32(n)
	}
}

var asRenamed = float32(math.Log(mostRenamed))

// weigh appends the evidence of each column, less for what was said already.
func (s *scorer) weigh(columns []*lookup, state, bits []uint8, to []float32) []float32 {
	var named, parts float32 // what names say, and of this what given and family names do
	for i, st := range state {
		to = append(to, columns[i][st][bits[i]])
		if s.groups[i] == nameGroup {
			named += to[i]
		}
	}
	for _, i := range s.people {
		parts += to[i]
	}
	for i, g := range s.groups {
		if g == nameGroup && s.whole[i] && parts != 0 && (to[i] > 0) == (parts > 0) {
			to[i] = 0 // a whole name says again what its parts say
		}
	}
	if named > 0 {
		for i, st := range state {
			if s.email[i] && st < compare.Exact-1 && to[i] > 0 {
				to[i] *= spelled
			}
		}
	}
	s.dampen(to, 1)
	s.dampen(to, -1)
	return to
}

// spelled is the share that counts of e-mail addresses being alike, but not the same,
// where the names are alike too: people spell their names in them.
const spelled = 0.2

// dampen lets the parts of an address count less the more of them say the same: who
// moves house changes them all, and neighbours share them all. The strongest counts in
// full, the next half, and so on.
func (s *scorer) dampen(w []float32, sign float32) {
	var order [maxParts]int
	n := 0
	for i, g := range s.groups {
		if g != addressGroup || w[i]*sign <= 0 || n == maxParts {
			continue
		}
		at := n
		for ; at > 0 && w[order[at-1]]*sign < w[i]*sign; at-- {
			order[at] = order[at-1]
		}
		order[at] = i
		n++
	}
	share := float32(1)
	for _, i := range order[:n] {
		w[i] *= share
		share *= damping
	}
}

// maxParts is how many parts of an address are looked at.
const maxParts = 16

// damping is how much less each further part of an address counts.
const damping = 0.5

// What training starts from, and leans on where there is little to learn: the shares of
// the levels, and of a crossing, among pairs of one customer. A person has one date of
// birth and one tax number, but moves house and changes telephones.
var (
	shippedM       = [absent]float64{0.08, 0.03, 0.04, 0.05, 0.07, 0.08, 0.12, 0.52, 0.01}
	shippedName    = [absent]float64{0.03, 0.03, 0.04, 0.05, 0.07, 0.10, 0.14, 0.53, 0.01}
	shippedBirth   = [absent]float64{0.02, 0.015, 0.03, 0.03, 0.04, 0.09, 0.06, 0.71, 0.005}
	shippedNumber  = [absent]float64{0.004, 0.03, 0.01, 0.01, 0.02, 0.04, 0.03, 0.85, 0.006}
	shippedContact = [absent]float64{0.22, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.44, 0.01}
)

func shippedFor(t compare.Type) *[absent]float64 {
	switch t {
	case compare.Name, compare.PersonName, compare.PersonGiven, compare.OrganisationName:
		return &shippedName
	case compare.DateBirth:
		return &shippedBirth
	case compare.Identifier:
		return &shippedNumber
	case compare.Phone, compare.Email, compare.Website, compare.Address, compare.AddressNumber, compare.AddressStreet,
		compare.AddressBuilding, compare.AddressLocality, compare.AddressPostcode:
		return &shippedContact
	}
	return &shippedM
}

// shippedR is the same for related customers, in what tells one customer from another …
var shippedR = [absent]float64{0.55, 0.2, 0.1, 0.05, 0.03, 0.03, 0.02, 0.02, 0.005}

// tells reports whether related customers are told apart by a type of field. They share
// the others: an address, a phone, a family name.
func tells(t compare.Type) bool {
	switch t {
	case compare.Name, compare.PersonName, compare.PersonGiven, compare.OrganisationName, compare.DateBirth, compare.Date,
		compare.Identifier, compare.Text, compare.Number:
		return true
	}
	return false
}

// relatedShares is what related customers have in a column: in what tells customers
// apart, a little more in common than unrelated ones; of the rest, what the same have.
func relatedShares(t compare.Type, same, unrelated *[absent]float64) [absent]float64 {
	if !tells(t) {
		return *same
	}
	var r [absent]float64
	for s := range r {
		r[s] = 0.8*unrelated[s] + 0.2*shippedR[s]
	}
	return r
}
