package customer

import (
	"errors"
	"reflect"
	"slices"
	"testing"
)

func maskOf(t *testing.T, fields ...string) Mask {
	t.Helper()
	m, err := NewMask(fields...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMasksHideFieldsAndWhatIsDerivedFromThem(t *testing.T) {
	m := maskOf(t, "address", "attr.margin", "limit")
	for field, want := range map[string]bool{"address": true, "city": true, "country": true, "limit": true, "attr.margin": true,
		"attr.size": false, "phone": false, "name": false, "status": false} {
		if m.Hides(field) != want {
			t.Errorf("Hides(%q) is %v", field, !want)
		}
	}
	if got := m.Fields(); !slices.Equal(got, []string{"address", "limit", "attr.margin"}) {
		t.Errorf("Fields are %q", got)
	}
	if all := maskOf(t, "attr.*", "attr.margin"); !all.Hides("attr.size") || !slices.Equal(all.Fields(), []string{"attr.*"}) {
		t.Errorf("attr.* hides %q", all.Fields())
	}
	if _, err := NewMask("phone", "salary"); !errors.Is(err, ErrInvalid) {
		t.Errorf("NewMask of an unknown field returns %v", err)
	}
	for field, want := range map[string]Data{"phone": Contacts, "city": Contacts, "limit": Credit, "tag": Tags, "item": Items, "note": Identity, "attr.x": Identity, "name": Identity} {
		if got := FieldData(field); got != want {
			t.Errorf("%s belongs to %s, want %s", field, got, want)
		}
	}
}

func TestMasksAreSets(t *testing.T) {
	a, b := maskOf(t, "phone", "note", "attr.x", "attr.y"), maskOf(t, "note", "limit", "attr.y", "attr.z")
	for what, c := range map[string]struct{ got, want Mask }{
		"or":          {a.Or(b), maskOf(t, "phone", "note", "limit", "attr.x", "attr.y", "attr.z")},
		"and":         {a.And(b), maskOf(t, "note", "attr.y")},
		"or all":      {a.Or(MaskOf(AllData()...)), MaskOf(AllData()...)},
		"and all":     {a.And(MaskOf(AllData()...)), a},
		"or nothing":  {a.Or(Mask{}), a},
		"and nothing": {a.And(Mask{}), Mask{}},
	} {
		if !c.got.Equal(c.want) {
			t.Errorf("%s is %q, want %q", what, c.got.Fields(), c.want.Fields())
		}
	}
	if !(Mask{}).Empty() || a.Empty() {
		t.Error("Empty is wrong")
	}
}

// Every field of a customer that a mask of everything leaves is one that can't be hidden.
func TestHiddenFieldsAreBlankAndCannotBeChanged(t *testing.T) {
	full := &Customer{ID: 7, Code: "C1", Name: "n", Aliases: []string{"a"}, Country: "CN", Identifiers: []Identifier{{Value: "i"}},
		Phones: []Phone{{Number: "p"}}, Emails: []Email{{Address: "e"}}, Addresses: []Address{{Text: "x"}}, Contacts: []Contact{{Name: "c"}},
		Website: "w", Note: "o", Owner: 3, Rep: "r", Attributes: []Attribute{{Name: "a"}, {Name: "b"}}, SourceKeys: []SourceKey{{Key: "k"}}, rest: "newer"}
	shown := MaskOf(AllData()...).Apply(full)
	want := &Customer{ID: 7, Code: "C1", Name: "n", Country: "CN", Owner: 3, Attributes: []Attribute{}}
	if len(shown.Attributes) == 0 {
		shown.Attributes = []Attribute{}
	}
	if !reflect.DeepEqual(shown, want) {
		t.Errorf("with everything hidden the customer is %+v", shown)
	}
	if full.Note != "o" || len(full.Attributes) != 2 {
		t.Error("Apply changed the stored customer")
	}
	if (Mask{}).Apply(full) != full {
		t.Error("the empty mask copies")
	}

	m := maskOf(t, "phone", "attr.a")
	edited := *m.Apply(full)
	edited.Note, edited.Phones, edited.Attributes = "new", []Phone{{Number: "guess"}}, []Attribute{{Name: "a"}, {Name: "c"}}
	kept := m.Keep(&edited, full)
	if kept.Note != "new" || kept.Phones[0].Number != "p" || kept.rest != "newer" {
		t.Errorf("kept is %+v", kept)
	}
	if len(kept.Attributes) != 2 || kept.Attributes[0].Name != "a" || kept.Attributes[1].Name != "c" {
		t.Errorf("the attributes kept are %+v", kept.Attributes)
	}
}
