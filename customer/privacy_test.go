package customer_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

func engineBook(t *testing.T) (*book, kv.Engine) {
	t.Helper()
	customers, err := customer.New(customer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	schema := &storage.Schema{}
	customers.AddTo(schema)
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true, CacheBytes: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	b := &book{t: t, customers: customers, now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	b.storage, err = storage.Open(context.Background(), engine, schema, nil, storage.Options{Clock: func() time.Time { return b.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.storage.Close() })
	return b, engine
}

func TestEraseLeavesNoHoldAndNoEvent(t *testing.T) {
	b, engine := engineBook(t)
	c := b.create(customer.Draft{Name: "Secretname Wang", Contacts: []customer.Contact{{Name: "Secretname"}}, Rep: "Secretname"})
	b.update(func(tx *customer.Tx) error {
		if err := tx.SetHold(c.ID, customer.Hold{Ground: "Secretname's divorce"}); err != nil {
			return err
		}
		return errors.Join(
			tx.Record(c.ID, customer.Event{Type: "Secretname visit"}),
			tx.Record(c.ID, customer.Event{Type: "order"}),
		)
	})
	b.update(func(tx *customer.Tx) error {
		return tx.Record(c.ID, customer.Event{Type: "Secretname visit", Count: -1})
	})
	b.update(func(tx *customer.Tx) error { return tx.ReleaseHold(c.ID) })
	b.update(func(tx *customer.Tx) error { _, err := tx.Erase(c.ID); return err })
	if _, err := b.storage.Purge(context.Background()); err != nil {
		t.Fatal(err)
	}
	snap, err := engine.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	for e, err := range snap.Scan(context.Background(), kv.Range{Lower: []byte{1}}, false) {
		if err != nil {
			t.Fatal(err)
		}
		if s := strings.ToLower(string(e.Key) + string(e.Value)); strings.Contains(s, "secretname") || strings.Contains(s, "order") {
			t.Errorf("left: %q = %q", e.Key, e.Value)
		}
	}
	b.view(func(r *customer.Reader) error {
		for _, typ := range []string{"Secretname visit", "order"} {
			if at, err := r.LastEvent(c.ID, typ); err != nil || !at.IsZero() {
				t.Errorf("last %s: %v %v", typ, at, err)
			}
		}
		return nil
	})
	if err := b.try(func(tx *customer.Tx) error { return tx.Record(c.ID, customer.Event{Type: "x"}) }); !errors.Is(err, customer.ErrStatus) {
		t.Errorf("an event of an erased customer: %v", err)
	}
	if err := b.try(func(tx *customer.Tx) error { return tx.SetHold(c.ID, customer.Hold{Ground: "x"}) }); !errors.Is(err, customer.ErrStatus) {
		t.Errorf("a hold of an erased customer: %v", err)
	}
	b.verify()
}

func TestExtensionGivenApartIsKept(t *testing.T) {
	b := newBook(t, customer.Options{Country: "TW"})
	c := b.create(customer.Draft{Name: "a", Phones: []customer.Phone{{Number: "02-25317099", Extension: "123"}, {Number: "02-25317099 ext 9"}}})
	if c.Phones[0].Extension != "123" || c.Phones[1].Extension != "9" {
		t.Errorf("%+v", c.Phones)
	}
}

func TestPhoneOfE164Alone(t *testing.T) {
	b := newBook(t, customer.Options{Country: "TW"})
	c := b.create(customer.Draft{Name: "a", Phones: []customer.Phone{{E164: "+886225317099"}}})
	if len(c.Phones) != 1 || c.Phones[0].Number == "" {
		t.Errorf("%+v", c.Phones)
	}
}

func TestUpdateWithABlankCodeKeepsTheCode(t *testing.T) {
	b := newBook(t, customer.Options{})
	c := b.create(customer.Draft{Name: "a"})
	code := c.Code
	c.Code, c.Name = "  ", "b"
	b.update(func(tx *customer.Tx) (err error) { c, err = tx.Update(c); return err })
	if c.Code != code {
		t.Errorf("code is %q, was %q", c.Code, code)
	}
}

func TestRequirementOfNothingIsRefused(t *testing.T) {
	for _, anyOf := range [][][]string{nil, {}, {{}}} {
		s := &customer.Schema{Required: []customer.Requirement{{AnyOf: anyOf}}}
		if err := s.Validate(); !errors.Is(err, customer.ErrInvalid) {
			t.Errorf("%v: %v", anyOf, err)
		}
	}
}

func TestRetiredAttributeTakesNoNewValue(t *testing.T) {
	b := newBook(t, customer.Options{})
	set := func(retired bool) {
		b.update(func(tx *customer.Tx) error {
			return tx.SetSchema(&customer.Schema{Attributes: []customer.AttributeSpec{{Name: "size", Retired: retired}}})
		})
	}
	set(false)
	with := func(v string) []customer.Attribute {
		return []customer.Attribute{{Name: "size", Value: customer.TextValue(v)}}
	}
	c := b.create(customer.Draft{Name: "a", Attributes: with("big")})
	set(true)
	err := b.try(func(tx *customer.Tx) error {
		_, err := tx.Create(customer.Draft{Name: "b", Attributes: with("big")})
		return err
	})
	if !errors.Is(err, customer.ErrInvalid) {
		t.Errorf("created: %v", err)
	}
	c.Name = "c"
	b.update(func(tx *customer.Tx) (err error) { c, err = tx.Update(c); return err })
	c.SetAttribute("size", customer.TextValue("small"))
	if err := b.try(func(tx *customer.Tx) error { _, err := tx.Update(c); return err }); !errors.Is(err, customer.ErrInvalid) {
		t.Errorf("changed: %v", err)
	}
}

func TestMessagesHideSensitiveNumbers(t *testing.T) {
	b := newBook(t, customer.Options{})
	const number = "11010519491231002X" // the example of GB 11643-1999
	d := customer.Draft{Name: "a", Party: customer.Person, Identifiers: []customer.Identifier{{Scheme: "cn.resident", Value: number}}}
	b.create(d)
	err := b.try(func(tx *customer.Tx) error { _, err := tx.Create(d); return err })
	if !errors.Is(err, customer.ErrDuplicate) || strings.Contains(err.Error(), number) {
		t.Errorf("duplicate: %v", err)
	}
	d.Identifiers = append(d.Identifiers, d.Identifiers[0])
	err = b.try(func(tx *customer.Tx) error { _, err := tx.Create(d); return err })
	if !errors.Is(err, customer.ErrInvalid) || strings.Contains(err.Error(), number) {
		t.Errorf("repeated: %v", err)
	}
	b.view(func(r *customer.Reader) error {
		_, err := r.ByIdentifier("cn.resident", "110105194912310038")
		if err == nil || strings.Contains(err.Error(), "110105194912310038") {
			t.Errorf("look up: %v", err)
		}
		return nil
	})
	b.update(func(tx *customer.Tx) error {
		return tx.SetSchema(&customer.Schema{Attributes: []customer.AttributeSpec{
			{Name: "illness", Type: customer.Enum, Values: []string{"none"}, Personal: true},
			{Name: "anamnesis", Type: customer.Text, Personal: true},
		}})
	})
	anamnesis := func(texts ...string) (list []customer.Attribute) {
		for _, text := range texts {
			list = append(list, customer.Attribute{Name: "anamnesis", Value: customer.TextValue(text)})
		}
		return list
	}
	for what, d := range map[string]customer.Draft{
		"no value of an enum":  {Attributes: []customer.Attribute{{Name: "illness", Value: customer.EnumValue("gout")}}},
		"twice":                {Attributes: anamnesis("gout", "gout")},
		"a control character":  {Attributes: anamnesis("gout\x01")},
		"no UTF-8":             {Attributes: anamnesis("gout\xff")},
		"too long":             {Attributes: anamnesis(strings.Repeat("gout", 1+customer.MaxText/4))},
		"much too long":        {Attributes: anamnesis(strings.Repeat("gout", 1+customer.MaxText))},
		"a number's character": {Identifiers: []customer.Identifier{{Scheme: "cn.resident", Value: "gout\x01"}}},
	} {
		d.Name = "b"
		err := b.try(func(tx *customer.Tx) error { _, err := tx.Create(d); return err })
		if !errors.Is(err, customer.ErrInvalid) || strings.Contains(err.Error(), "gout") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestTwoRangesOfOneOwnerAreRefused(t *testing.T) {
	_, err := customer.New(customer.Options{Codes: []customer.NumberRange{{Template: "A{seq:3}"}, {Template: "B{seq:3}"}}})
	if !errors.Is(err, customer.ErrInvalid) {
		t.Error(err)
	}
}
