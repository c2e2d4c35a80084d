package compare

import "strings"

// several is a comparator of fields that may hold several values, written "a | b", or as the type has
// it: two lists are as alike as their most alike values.
type several struct {
	Comparator
	parts func(value string) []string // of a value that is not listed, nil where it is one; or nil
}

// split returns the values that a field holds, nil for the usual one.
func (s *several) split(value string) []string {
	if listed(value) {
		return strings.SplitN(cut(value), separator, maxValues+1)
	}
	if s.parts != nil {
		return s.parts(value)
	}
	return nil
}

// listForm is the form of more than one value.
type listForm struct {
	key   string
	forms []Form
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
	values := s.split(value)
	if values == nil {
		return s.Comparator.Prepare(value)
	}
	list := &listForm{}
	var keys []string
	for _, v := range values {
		if f := s.Comparator.Prepare(v); f != nil && len(list.forms) < maxValues {
			list.forms = append(list.forms, f)
			keys = append(keys, f.Key())
		}
	}
	switch len(list.forms) {
	case 0:
		return nil
	case 1:
		return list.forms[0]
	}
	list.key = strings.Join(keys, separator)
	return list
}

func (s *several) Compare(a, b Form) Outcome {
	x, many := a.(*listForm)
	y, too := b.(*listForm)
	if !many && !too {
		return s.one(a, b)
	}
	best := Outcome{Mute: true}
	for _, f := range forms(x, a) {
		for _, g := range forms(y, b) {
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
	if !quick || want != KindsOf(KeyExact) || s.split(value) != nil {
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
