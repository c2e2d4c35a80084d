package compare

import "fmt"

// Names judges pairs of names with nothing known besides: no corpus, no other field. It
// is safe for concurrent use.
type Names struct {
	typ     Type
	persons person
	orgs    organisations
}

// NewNames returns a judge of names of a type: [Name], [PersonName] or [OrganisationName].
// Another type is a [*TypeError].
func NewNames(t Type) (*Names, error) {
	switch t {
	case Name, PersonName, OrganisationName:
		return &Names{typ: t, persons: person{typ: PersonName}}, nil
	}
	return nil, fmt.Errorf("compare: names of type %q can't be judged alone; use %q, %q or %q: %w", string(t), Name, PersonName, OrganisationName, &TypeError{t})
}

// Same is the probability that two names mean the same organisation or person where that
// is as likely as not beforehand, as in a list of pairs that somebody found worth asking
// about. Empty names mean nothing: 0.
func (n *Names) Same(a, b string) float64 {
	switch n.typ {
	case PersonName:
		return n.person(preparePerson(a, PersonName), preparePerson(b, PersonName))
	case OrganisationName:
		return n.organisation(prepareOrganisation(a, folded(a)), prepareOrganisation(b, folded(b)))
	}
	x, _ := (&names{}).Prepare(a).(*nameForm)
	y, _ := (&names{}).Prepare(b).(*nameForm)
	if x == nil || y == nil {
		return 0
	}
	return max(n.person(x.person, y.person), n.organisation(x.org, y.org))
}

func (n *Names) organisation(x, y *orgForm) float64 {
	if x == nil || y == nil {
		return 0
	}
	_, same, _ := n.orgs.compare(x, y)
	return float64(same)
}

// personSame and hanPersonSame are how likely two names of the same person are, by level.
// In Han a character that differs is a word that differs.
var (
	personSame    = [8]float64{0.01, 0.03, 0.2, 0.5, 0.7, 0.9, 0.95, 0.98}
	hanPersonSame = [8]float64{0.01, 0.02, 0.05, 0.2, 0.62, 0.85, 0.93, 0.98}
)

func (n *Names) person(x, y *personForm) float64 {
	if x == nil || y == nil {
		return 0
	}
	level := n.persons.compare(x, y).Level
	if x.han != nil && y.han != nil {
		return hanPersonSame[level]
	}
	return personSame[level]
}
