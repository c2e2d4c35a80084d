package customer_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// found returns the customers that a field's source has under some keys.
func found(t *testing.T, sr *storage.Reader, r *customer.Reader, f *customer.Field, keys customer.Keys) []customer.ID {
	t.Helper()
	var ids []customer.ID
	add := func(id customer.ID) { ids = append(ids, id) }
	var err error
	switch f.Source {
	case customer.FromMarks:
		set := &bitset.Set{}
		into := func(_ storage.Key, chunk uint64, stored []byte) error { return set.Own(chunk).OrStored(stored) }
		if len(keys.Exact) == 0 {
			err = r.Marks().Scan(sr, keys.Range, into)
		}
		for _, key := range keys.Exact {
			err = errors.Join(err, r.Marks().Chunks(sr, key, 0, 10, func(chunk uint64, stored []byte) error { return into(nil, chunk, stored) }))
		}
		for id := range set.All() {
			add(customer.ID(id))
		}
	case customer.FromIndex:
		err = r.Entries(f, keys, func(id customer.ID, _ storage.Key) error { add(id); return nil })
	case customer.FromRecords:
		for c, err := range r.List(customer.List{}) {
			if err != nil {
				t.Fatal(err)
			}
			if f.Match(c, keys) {
				add(c.ID)
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	return ids
}

// fieldBook holds customer 1 (wang, Shanghai, created 2026-11-22) and customer 2 (no
// representative, Taipei, created a day later).
func fieldBook(t *testing.T) *book {
	b := newBook(t, customer.Options{})
	b.update(func(tx *customer.Tx) error {
		return tx.SetSchema(&customer.Schema{Attributes: []customer.AttributeSpec{
			{Name: "grade", Type: customer.Enum, Values: []string{"C", "B", "A"}, Indexed: true},
			{Name: "vat", Type: customer.Boolean, Indexed: true},
			{Name: "days", Type: customer.Number, Decimals: 2, Indexed: true},
			{Name: "since", Type: customer.Date, Indexed: true},
			{Name: "memo", Type: customer.Text, Indexed: true},
			{Name: "weight", Type: customer.Number, Decimals: 1},
		}})
	})
	attributes := func(grade string, vat bool, days int64, since time.Time, memo string, weight int64) []customer.Attribute {
		return []customer.Attribute{
			{Name: "grade", Value: customer.EnumValue(grade)}, {Name: "vat", Value: customer.BooleanValue(vat)},
			{Name: "days", Value: customer.NumberValue(days)}, {Name: "since", Value: customer.DateValue(since)},
			{Name: "memo", Value: customer.TextValue(memo)}, {Name: "weight", Value: customer.NumberValue(weight)},
		}
	}
	b.create(customer.Draft{
		Name: "a", Rep: "wang", Owner: 3, Addresses: []customer.Address{{Country: "CN", City: "上海市", Text: "x"}},
		Attributes: attributes("B", true, -150, time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), "Gold", 15),
	})
	b.now = b.now.AddDate(0, 0, 1)
	b.create(customer.Draft{
		Name: "b", Kind: customer.Partner, Addresses: []customer.Address{{Country: "TW", City: "台北市", Text: "x"}},
		Attributes: attributes("A", false, 1250, time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC), "silver", 20),
	})
	return b
}

func TestFieldsFindByValueAndRange(t *testing.T) {
	b := fieldBook(t)
	for _, test := range []struct {
		field    string
		from, to string // ( before a value: it is outside
		want     string
	}{
		{"status", "active", "active", "[1 2]"},
		{"kind", "prospect", "", "[2]"},
		{"party", "", "organisation", "[1 2]"},
		{"owner", "3", "3", "[1]"},
		{"owner", "(3", "", "[]"},
		{"rep", "wang", "wang", "[1]"},
		{"rep", "", "", "[1]"},
		{"country", "tw", "tw", "[2]"},
		{"city", "上海市", "上海市", "[1]"},
		{"created", "2026-11-22", "2026-11-22", "[1]"},
		{"created", "2026-11", "2026-11", "[1 2]"},
		{"created", "(2026-11-22", "2027", "[2]"},
		{"created", "", "(2026", "[]"},
		{"attr.grade", "B", "", "[1 2]"},
		{"attr.grade", "(b", "", "[2]"},
		{"attr.grade", "", "(A", "[1]"},
		{"attr.vat", "true", "true", "[1]"},
		{"attr.vat", "false", "true", "[1 2]"},
		{"attr.days", "-1.5", "-1.50", "[1]"},
		{"attr.days", "(-1.5", "12.5", "[2]"},
		{"attr.days", "", "(12.5", "[1]"},
		{"attr.since", "2024-02", "2024-02", "[1]"},
		{"attr.since", "2024-03-01", "", "[2]"},
		{"attr.memo", "GOLD", "gold", "[1]"},
		{"attr.memo", "(gold", "", "[2]"},
		{"attr.memo", "", "silver", "[1 2]"},
		{"attr.weight", "1.5", "1.5", "[1]"},
		{"attr.weight", "(1.5", "", "[2]"},
		{"name", "A", "a", "[1]"},
		{"phone", "", "", "[]"},
	} {
		bound := func(s string) customer.Bound {
			if s != "" && s[0] == '(' {
				return customer.Bound{Value: s[1:], Exclusive: true}
			}
			return customer.Bound{Value: s}
		}
		err := b.storage.View(t.Context(), func(sr *storage.Reader) error {
			r := b.customers.Reader(sr)
			f, err := r.Field(test.field)
			if err != nil {
				return err
			}
			keys, err := f.Between(bound(test.from), bound(test.to))
			if err != nil {
				return err
			}
			if got := fmt.Sprint(found(t, sr, r, &f, keys)); got != test.want && !(keys.Empty() && test.want == "[]") {
				t.Errorf("%s from %s to %s: %s, want %s", test.field, test.from, test.to, got, test.want)
			}
			for _, id := range []customer.ID{1, 2} {
				c, err := r.Get(id)
				if err != nil {
					return err
				}
				if has := slices.Contains(found(t, sr, r, &f, keys), id); f.Match(c, keys) != has {
					t.Errorf("%s from %s to %s: Match of customer %d is %v", test.field, test.from, test.to, id, !has)
				}
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s from %s to %s: %v", test.field, test.from, test.to, err)
		}
	}
}

// What Value makes of a key, Is reads back to the same key.
func TestFieldValuesAreReadBack(t *testing.T) {
	b := fieldBook(t)
	want := map[string][]string{
		"status": {"active"}, "kind": {"buyer", "partner"}, "owner": {"3"}, "rep": {"wang"}, "created": {"2026-11-22", "2026-11-23"},
		"city": {"上海市", "台北市"}, "attr.grade": {"A", "B"}, "attr.vat": {"false", "true"},
		"attr.days": {"-1.50", "12.50"}, "attr.since": {"2024-02-29", "2024-03-01"}, "attr.memo": {"gold", "silver"},
	}
	err := b.storage.View(t.Context(), func(sr *storage.Reader) error {
		r := b.customers.Reader(sr)
		for name, want := range want {
			f, err := r.Field(name)
			if err != nil {
				return err
			}
			var values []string
			read := func(key storage.Key) error {
				value, err := f.Value(key)
				if err != nil {
					return err
				}
				if again, err := f.Is(value); err != nil || len(again.Exact) != 1 || string(again.Exact[0]) != string(key) {
					t.Errorf("%s:%s is read as %v, %v, not % x", name, value, again, err, []byte(key))
				}
				values = append(values, value)
				return nil
			}
			if f.Source == customer.FromIndex {
				err = r.Entries(&f, f.All(), func(_ customer.ID, key storage.Key) error { return read(key) })
			} else {
				err = r.Marks().Scan(sr, f.All().Range, func(key storage.Key, _ uint64, _ []byte) error { return read(key) })
			}
			if err != nil {
				return err
			}
			if !slices.Equal(values, want) {
				t.Errorf("%s has %q, want %q", name, values, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b.verify()
}

func TestFieldsRefuseWhatIsNoValue(t *testing.T) {
	b := fieldBook(t)
	b.view(func(r *customer.Reader) error {
		for field, values := range map[string][]string{
			"status": {"gone", "0"}, "owner": {"north", "1.5", "99999999999999999999"}, "created": {"yesterday", "2026-02-30", "2026-1"},
			"attr.vat": {"yes"}, "attr.days": {"1.234", "1e3", ".5", "5.", "--1", "1,5", "92233720368547758.08"}, "attr.grade": {"D"},
		} {
			f, err := r.Field(field)
			if err != nil {
				return err
			}
			for _, value := range values {
				var invalid *customer.ValidationError
				if _, err := f.Is(value); !errors.As(err, &invalid) || invalid.Problems[0].Remedy == "" {
					t.Errorf("%s:%s: %v", field, value, err)
				}
			}
		}
		if _, err := r.Field("attr.colour"); !errors.Is(err, customer.ErrInvalid) {
			t.Errorf("an undeclared attribute: %v", err)
		}
		return nil
	})
}
