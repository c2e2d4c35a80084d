package customer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/customer"
)

func TestSchemaRulesValues(t *testing.T) {
	b := newBook(t, customer.Options{})
	b.update(func(tx *customer.Tx) error {
		return tx.SetSchema(&customer.Schema{
			Attributes: []customer.AttributeSpec{
				{Name: "level", Type: customer.Enum, Values: []string{"a", "b"}, Indexed: true},
				{Name: "credit_days", Type: customer.Number, Indexed: true},
				{Name: "since", Type: customer.Date},
			},
			Required: []customer.Requirement{{Parties: []customer.Party{customer.Organisation}, AnyOf: [][]string{{"Identifiers"}, {"Phones", "Attributes[level]"}}}},
		})
	})
	try := func(d customer.Draft) error {
		return b.try(func(tx *customer.Tx) error { _, err := tx.Create(d); return err })
	}
	level := func(v customer.Value) []customer.Attribute { return []customer.Attribute{{Name: "level", Value: v}} }
	phone := []customer.Phone{{Number: "1"}}
	for name, c := range map[string]struct {
		d    customer.Draft
		code customer.Code
	}{
		"first set":             {customer.Draft{Name: "x", Identifiers: []customer.Identifier{{Scheme: "tw.ubn", Value: "22099131"}}}, ""},
		"second set":            {customer.Draft{Name: "x", Phones: phone, Attributes: level(customer.TextValue("b"))}, ""},
		"half a set":            {customer.Draft{Name: "x", Phones: phone}, customer.CodeRequired},
		"a person needs none":   {customer.Draft{Name: "x", Party: customer.Person}, ""},
		"a value of another":    {customer.Draft{Name: "x", Party: customer.Person, Attributes: level(customer.EnumValue("c"))}, customer.CodeUnknown},
		"a value of wrong type": {customer.Draft{Name: "x", Party: customer.Person, Attributes: level(customer.NumberValue(1))}, customer.CodeMalformed},
	} {
		err := try(c.d)
		var invalid *customer.ValidationError
		if c.code == "" && err != nil || c.code != "" && (!errors.As(err, &invalid) || invalid.Problems[0].Code != c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.view(func(r *customer.Reader) error {
		if got := names(t, r.ByAttribute("level", customer.EnumValue("B"))); len(got) != 1 {
			t.Errorf("level b: %q", got)
		}
		return nil
	})
	for name, s := range map[string]customer.Schema{
		"dropped":      {Attributes: []customer.AttributeSpec{{Name: "credit_days", Type: customer.Number}, {Name: "since", Type: customer.Date}}},
		"type changed": {Attributes: []customer.AttributeSpec{{Name: "level", Type: customer.Text}, {Name: "credit_days", Type: customer.Number}, {Name: "since", Type: customer.Date}}},
		"bad name":     {Attributes: []customer.AttributeSpec{{Name: "Level"}}},
	} {
		if err := b.try(func(tx *customer.Tx) error { return tx.SetSchema(&s) }); !errors.Is(err, customer.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.verify()
}

// Values can be added to an enum and never removed: one that no customer can have would stay.
func TestEnumValuesAreThoseThatCanBeGiven(t *testing.T) {
	b := newBook(t, customer.Options{})
	set := func(values ...string) error {
		return b.try(func(tx *customer.Tx) error {
			return tx.SetSchema(&customer.Schema{Attributes: []customer.AttributeSpec{{Name: "level", Type: customer.Enum, Values: values}}})
		})
	}
	for _, values := range [][]string{{"a", ""}, {"a", "b", "a"}, {" a"}, {"a  b"}, {"a\x00"}, {"\xff"}, {"e\u0301"}, {strings.Repeat("a", customer.MaxText+1)}} {
		if err := set(values...); !errors.Is(err, customer.ErrInvalid) {
			t.Errorf("values %.20q: %v", values, err)
		}
	}
	if err := set("a b", "é", "鋼鐵"); err != nil {
		t.Error(err)
	}
	for _, value := range []string{"a b", "e\u0301", " 鋼鐵"} {
		b.create(customer.Draft{Name: "x", Attributes: []customer.Attribute{{Name: "level", Value: customer.EnumValue(value)}}})
	}
}

func TestReindexFollowsTheSchema(t *testing.T) {
	b := newBook(t, customer.Options{})
	spec := customer.AttributeSpec{Name: "level", Type: customer.Text}
	set := func() {
		b.update(func(tx *customer.Tx) error {
			return tx.SetSchema(&customer.Schema{Attributes: []customer.AttributeSpec{spec}})
		})
	}
	set()
	for i := range 450 { // more than two batches
		b.create(customer.Draft{Name: fmt.Sprint(i), Attributes: []customer.Attribute{{Name: "level", Value: customer.TextValue("x")}}})
	}
	spec.Indexed = true
	set()
	n, err := b.customers.Reindex(context.Background(), b.storage, clerk)
	if n != 450 || err != nil {
		t.Errorf("reindexed %d, %v", n, err)
	}
	b.view(func(r *customer.Reader) error {
		if got := names(t, r.ByAttribute("level", customer.TextValue("x"))); len(got) != 450 {
			t.Errorf("found %d", len(got))
		}
		return nil
	})
	if n, err = b.customers.Reindex(context.Background(), b.storage, clerk); n != 0 || err != nil {
		t.Errorf("second time %d, %v", n, err)
	}
}
