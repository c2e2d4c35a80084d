package classify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging"
)

// source is a FactSource, built in or not, as plans see it.
type source struct {
	name string
	// resolve returns the declaration of a fact and, for a built-in source, what reads
	// it; found is false when the source has no such fact.
	resolve func(b *binding, name string) (f fact, found bool, err error)
	changed func(op storage.Op) (customer.ID, bool) // nil for never
	given   *FactSource                             // nil for a built-in source
	docs    []FactSpec
}

// fact is a declared fact and how it is read.
type fact struct {
	FactSpec
	source int                             // among the sources
	get    func(l *loading) (Value, error) // of a built-in source
}

// binding is what names mean in a state of the book: attributes and dimensions.
type binding struct {
	schema    *customer.Schema
	customers *customer.Reader
	tags      *tagging.Reader
	// declared are dimensions that the rule sets being compiled bring along.
	declared map[string]DimensionSpec
	codes    map[tagging.TagID]string
}

// loading is one customer whose facts are being read, in one state of the book.
type loading struct {
	ctx       context.Context
	r         *storage.Reader
	customers *customer.Reader
	tags      *tagging.Reader
	record    *customer.Customer
	tagged    *tagging.Tagged
	clock     *clock
	past      bool
	activity  activity
}

func (l *loading) reset(record *customer.Customer, tagged *tagging.Tagged) {
	l.record, l.tagged = record, tagged
	l.activity.reset()
}

// The numbers of the built-in sources, which are bits of a plan's masks.
const (
	sourceCustomer = iota
	sourceAttribute
	sourceTag
	sourceActivity
	firstGivenSource
)

// maxSources bounds the sources, which are bits of one word.
const maxSources = 60

func (e *Rules) addSources(given []FactSource) error {
	e.sources = []source{
		{name: "customer", resolve: customerFact, changed: changedIn(customer.TableCustomer), docs: customerDocs()},
		{name: "attr", resolve: attributeFact, changed: changedIn(customer.TableCustomer), docs: []FactSpec{
			{"attr.*", Text, "a custom attribute; a number without fraction digits is an integer, a date an instant"}}},
		{name: "tag", resolve: tagFact, changed: changedIn(tagging.TableTagged), docs: []FactSpec{
			{"tag.*", Texts, "the codes of the tags held in a dimension; in an exclusive dimension a text"}}},
		{name: "activity", resolve: activityFact, docs: activityDocs()},
	}
	if len(given)+len(e.sources) > maxSources {
		return fmt.Errorf("classify: %w: %d sources of facts; at most %d", storage.ErrLimit, len(given), maxSources-len(e.sources))
	}
	for i := range given {
		if err := e.addSource(&given[i]); err != nil {
			return err
		}
	}
	return nil
}

func (e *Rules) addSource(s *FactSource) error {
	taken := func(other source) bool { return other.name == s.Name }
	if !wellFormedPart(s.Name) || slices.ContainsFunc(e.sources, taken) || s.Name == "param" || s.Load == nil {
		return fmt.Errorf("classify: source of facts %q: the name is malformed or taken, or there is no Load", s.Name)
	}
	for _, spec := range s.Facts {
		if !strings.HasPrefix(spec.Name, s.Name+".") || int(spec.Type) >= len(typeNames) {
			return fmt.Errorf("classify: source of facts %q: the fact %q must begin with %q and have a type", s.Name, spec.Name, s.Name+".")
		}
	}
	e.sources = append(e.sources, source{name: s.Name, resolve: s.resolve, changed: s.Changed, given: s, docs: s.Facts})
	return nil
}

// resolve finds the declaration of a fact.
func (s *FactSource) resolve(_ *binding, name string) (fact, bool, error) {
	for _, spec := range s.Facts {
		if matchesPattern(spec.Name, name) {
			return fact{FactSpec: FactSpec{name, spec.Type, spec.Doc}}, true, nil
		}
	}
	return fact{}, false, nil
}

// matchesPattern reports whether a name is of a pattern whose parts may be *.
func matchesPattern(pattern, name string) bool {
	for {
		p, patternRest, more := strings.Cut(pattern, ".")
		n, nameRest, moreName := strings.Cut(name, ".")
		if p != "*" && p != n || n == "" || more != moreName {
			return false
		}
		if !more {
			return true
		}
		pattern, name = patternRest, nameRest
	}
}

func wellFormedPart(s string) bool {
	for i, r := range s {
		if (r < 'a' || r > 'z') && (i == 0 || r != '_' && (r < '0' || r > '9')) {
			return false
		}
	}
	return s != "" && len(s) <= 100
}

// changedIn tells the customer of a changed record of a table that is keyed by customer.
func changedIn(table uint8) func(op storage.Op) (customer.ID, bool) {
	return func(op storage.Op) (customer.ID, bool) {
		if op.Table != table {
			return 0, false
		}
		id, _, err := op.Key.CutUint()
		return customer.ID(id), err == nil
	}
}

// FactDocs lists the facts that rules can read, with patterns where there are many.
func (e *Rules) FactDocs() []FactSpec {
	var docs []FactSpec
	for _, s := range e.sources {
		docs = append(docs, s.docs...)
	}
	return docs
}

// load reads the facts that a given source was asked for.
func (s *FactSource) load(l *loading, want []string) (values []Value, err error) {
	defer recoverAs(&err)
	q := Request{Customer: l.record.ID, Want: want, Now: l.clock.now, Past: l.past}
	values, until, err := s.Load(l.ctx, l.r, q)
	if err != nil {
		return nil, fmt.Errorf("classify: facts %s of customer %s: %w", s.Name, l.record.ID, err)
	}
	if len(values) != len(want) {
		return nil, fmt.Errorf("classify: facts %s of customer %s: %d values for %d facts", s.Name, l.record.ID, len(values), len(want))
	}
	l.clock.note(until)
	return values, nil
}

// recoverAs turns a panic into an error.
func recoverAs(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", ErrPanic, p)
	}
}
