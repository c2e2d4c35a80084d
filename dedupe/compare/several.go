package compare

import "strings"

// several is a comparator of fields that may hold several values, written "a | b", each of which may
// give two names, as the type has it: two lists are as alike as their most alike values. A second name
// that both have says nothing, as it may be that of a brand, a place or a department.
type several struct {
	Comparator
	parts func(value string) []string // the two names that a value gives, nil where it is one; or nil
}

// split returns the values that a field holds and the second names that they give, nil for the usual
// one.
func (s *several) split(value string) (values, second []string) {
	if !listed(value) {
		return s.apart(value)
	}
	for _, v := range strings.SplitN(cut(value), separator, maxValues+1) {
		if first, other := s.apart(v); other != nil {
			values, second = append(values, first...), append(second, other...)
		} else {
			values = append(values, v)
		}
	}
	return values, second
}

// apart takes a value apart that gives two names; for all others it returns nil.
func (s *several) apart(value string) (first, second []string) {
	if s.parts == nil {
		return nil, nil
	}
	if both := s.parts(value); both != nil {
		return both[:1], both[1:]
	}
	return nil, nil
}

// listForm is the form of more than one value.
type listForm struct {
	key   string
	forms []Form
	first int // how many forms there are before the second names
}

func (f *listForm) Key() string { return f.key }

const separator = " | "

// listed reports whether a value is a list; most have no bar at all.
func listed(value string) bool {
	return strings.IndexByte(value, '|') >= 0 && strings.Contains(value, separator)
}

// maxValues is how many values of a list are looked at.
const maxValues = 16

func (s *several) Prepare(value string) Form {
	values, second := s.split(value)
	if values == nil {
		return s.Comparator.Prepare(value)
	}
	list := &listForm{}
	s.add(list, values, separator)
	list.first = len(list.forms)
	s.add(list, second, " / ") // as a list that is compared otherwise has another key
	if list.first == 0 {
		list.first = len(list.forms) // second to nothing
	}
	switch len(list.forms) {
	case 0:
		return nil
	case 1:
		return list.forms[0]
	}
	return list
}

func (s *several) add(list *listForm, values []string, before string) {
	for _, v := range values {
		if f := s.Comparator.Prepare(v); f != nil && len(list.forms) < maxValues {
			if len(list.forms) > 0 {
				list.key += before
			}
			list.forms, list.key = append(list.forms, f), list.key+f.Key()
		}
	}
}

func (s *several) Compare(a, b Form) Outcome {
	x, many := a.(*listForm)
	y, too := b.(*listForm)
	if !many && !too {
		return s.one(a, b)
	}
	best := Outcome{Mute: true}
	for i, f := range forms(x, a) {
		for j, g := range forms(y, b) {
			if many && too && i >= x.first && j >= y.first {
				continue
			}
			if o := s.one(f, g); !o.Mute && (best.Mute || o.Level > best.Level || o.Level == best.Level && o.Bits > best.Bits) {
				best = o
			}
		}
	}
	return best
}

func (s *several) one(a, b Form) Outcome {
	if a == nil || b == nil {
		return Outcome{}
	}
	return s.Comparator.Compare(a, b)
}

func forms(list *listForm, f Form) []Form {
	if list != nil {
		return list.forms
	}
	return []Form{f}
}

func (s *several) Keys(f Form, want KeyKinds, emit func(Key)) {
	if f == nil {
		return
	}
	list, _ := f.(*listForm)
	for _, f := range forms(list, f) {
		s.Comparator.Keys(f, want, emit)
	}
}

// keysOf emits the keys of a value, without preparing it for comparison where its exact key
// is all that is wanted.
func (s *several) keysOf(value string, want KeyKinds, emit func(Key)) {
	by, quick := s.Comparator.(interface{ exact(value string) string })
	if values, _ := s.split(value); !quick || want != KindsOf(KeyExact) || values != nil {
		s.Keys(s.Prepare(value), want, emit)
		return
	}
	emitter{want, emit}.text(KeyExact, by.exact(value))
}

// settler is a comparator of words whose forms can note what these tell.
type settler interface{ settle(f Form) }

// Settle notes in a form that c made what its words tell, so that comparing many forms needn't
// look it up: what Compare says is the same. The corpus of c must be sealed, and nobody else may
// use the form meanwhile. Forms of comparators that [New] did not make stay as they are.
func Settle(c Comparator, f Form) {
	s, ok := c.(*several)
	if !ok || f == nil {
		return
	}
	by, weighs := s.Comparator.(settler)
	if !weighs {
		return
	}
	list, _ := f.(*listForm)
	for _, f := range forms(list, f) {
		by.settle(f)
	}
}

func (s *several) Tokens(f Form, emit func(uint64)) {
	if f == nil {
		return
	}
	list, _ := f.(*listForm)
	for _, f := range forms(list, f) {
		s.Comparator.Tokens(f, emit)
	}
}
