package customer_test

import (
	"errors"
	"testing"

	"github.com/clientele-go/clientele/customer"
)

// The error shows the code as it was given, not the form in which codes are compared.
func TestDuplicateErrorShowsTheCodeAsGiven(t *testing.T) {
	b := newBook(t, customer.Options{})
	var second *customer.Customer
	b.update(func(tx *customer.Tx) error {
		if _, err := tx.Create(customer.Draft{Name: "First", Code: "Straße-Ａ1"}); err != nil {
			return err
		}
		c, err := tx.Create(customer.Draft{Name: "Second", Code: "B1"})
		second = c
		return err
	})
	for name, change := range map[string]func(tx *customer.Tx) error{
		"create": func(tx *customer.Tx) error {
			_, err := tx.Create(customer.Draft{Name: "Third", Code: "STRASSE-A1"})
			return err
		},
		"update": func(tx *customer.Tx) error {
			second.Code = "STRASSE-A1"
			_, err := tx.Update(second)
			return err
		},
	} {
		var duplicate *customer.DuplicateError
		if err := b.try(change); !errors.As(err, &duplicate) || duplicate.Value != "STRASSE-A1" || duplicate.Holder != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
