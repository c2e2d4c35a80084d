package customer

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// unknown holds the JSON fields that a newer program wrote, so that rewriting a schema
// doesn't lose them.
type unknown map[string]json.RawMessage

// unmarshalKeeping reads text into a struct and returns the fields that it hasn't.
func unmarshalKeeping(text []byte, into any) (unknown, error) {
	if err := json.Unmarshal(text, into); err != nil {
		return nil, err
	}
	var rest unknown
	if err := json.Unmarshal(text, &rest); err != nil {
		return nil, err
	}
	for _, field := range reflect.VisibleFields(reflect.TypeOf(into).Elem()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		delete(rest, name)
	}
	if len(rest) == 0 {
		return nil, nil
	}
	return rest, nil
}

// marshalKeeping writes a struct together with such fields.
func marshalKeeping(known any, rest unknown) ([]byte, error) {
	text, err := json.Marshal(known)
	if err != nil || len(rest) == 0 {
		return text, err
	}
	all := unknown{}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	return json.Marshal(all.with(rest))
}

// with returns the fields together with those of others that are not among them.
func (u unknown) with(others unknown) unknown {
	all := unknown{}
	for _, fields := range []unknown{others, u} {
		for name, value := range fields {
			all[name] = value
		}
	}
	return all
}

// keeping returns the schema together with what only a newer program understands of the
// older one that it replaces.
func (s *Schema) keeping(older *Schema) *Schema {
	next := *s
	next.rest = s.rest.with(older.rest)
	next.Attributes = slices.Clone(s.Attributes)
	for i := range next.Attributes {
		a := &next.Attributes[i]
		if was, found := older.Spec(a.Name); found {
			a.rest = a.rest.with(was.rest)
		}
	}
	return &next
}

// MarshalJSON writes the fields that this program doesn't know as they were read.
func (s Schema) MarshalJSON() ([]byte, error) {
	type plain Schema
	return marshalKeeping(plain(s), s.rest)
}

// UnmarshalJSON keeps fields that this program doesn't know.
func (s *Schema) UnmarshalJSON(text []byte) (err error) {
	type plain Schema
	s.rest, err = unmarshalKeeping(text, (*plain)(s))
	return err
}

// MarshalJSON is as that of [Schema].
func (a AttributeSpec) MarshalJSON() ([]byte, error) {
	type plain AttributeSpec
	return marshalKeeping(plain(a), a.rest)
}

// UnmarshalJSON is as that of [Schema].
func (a *AttributeSpec) UnmarshalJSON(text []byte) (err error) {
	type plain AttributeSpec
	a.rest, err = unmarshalKeeping(text, (*plain)(a))
	return err
}

// MarshalJSON is as that of [Schema].
func (r Requirement) MarshalJSON() ([]byte, error) {
	type plain Requirement
	return marshalKeeping(plain(r), r.rest)
}

// UnmarshalJSON is as that of [Schema].
func (r *Requirement) UnmarshalJSON(text []byte) (err error) {
	type plain Requirement
	r.rest, err = unmarshalKeeping(text, (*plain)(r))
	return err
}
