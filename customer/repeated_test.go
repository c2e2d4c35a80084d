package customer_test

import (
	"reflect"
	"testing"

	"github.com/clientele-go/clientele/customer"
)

// Three have a phone in common, two an e-mail address in other letter case; one has the
// same phone twice, and one nothing that another has.
func TestRepeatedGroupsWhoHasTheSameKey(t *testing.T) {
	b := newBook(t, customer.Options{})
	phone := func(numbers ...string) (all []customer.Phone) {
		for _, n := range numbers {
			all = append(all, customer.Phone{Number: n})
		}
		return all
	}
	ids := []customer.ID{0}
	for _, d := range []customer.Draft{
		{Name: "one", Phones: phone("+8613800138001")},
		{Name: "two", Phones: phone("+8613800138002", "+8613800138001"), Emails: []customer.Email{{Address: "Sales@example.com"}}},
		{Name: "three", Phones: phone("+8613800138003")},
		{Name: "four", Phones: phone("+8613800138001"), Emails: []customer.Email{{Address: "sales@EXAMPLE.com"}}},
	} {
		ids = append(ids, b.create(d).ID)
	}
	for by, want := range map[customer.Common][][]customer.ID{
		customer.CommonPhone: {{ids[1], ids[2], ids[4]}},
		customer.CommonEmail: {{ids[2], ids[4]}},
	} {
		b.view(func(r *customer.Reader) error {
			var got [][]customer.ID
			for group, err := range r.Repeated(by) {
				if err != nil {
					return err
				}
				got = append(got, group)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("by %d: %v, want %v", by, got, want)
			}
			return nil
		})
	}
}

func TestRepeatedRefusesAnUnknownKey(t *testing.T) {
	b := newBook(t, customer.Options{})
	b.view(func(r *customer.Reader) error {
		for group, err := range r.Repeated(0) {
			if err == nil {
				t.Errorf("no key: %v", group)
			}
		}
		return nil
	})
}
