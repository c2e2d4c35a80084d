package main

import (
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample"
	"github.com/clientele-go/clientele/internal/text"
)

// check makes of a customer what may be stored, by Clientele's own functions: texts cleaned,
// check digits of identifiers verified, phones brought to E.164, addresses divided,
// attributes held to the schema.
type check func(*customer.Customer) (*customer.Customer, error)

func newCheck() (check, error) {
	customers, err := customer.New(customer.Options{})
	if err != nil {
		return nil, err
	}
	schema := sample.Schema()
	return func(c *customer.Customer) (*customer.Customer, error) {
		checked, err := customers.Check(draftOf(c), schema)
		if err == nil {
			checked.Version, checked.Created, checked.Recorded, checked.Actor = c.Version, c.Created, c.Recorded, c.Actor
		}
		return checked, err
	}, nil
}

// foldedCode is how codes are compared: without regard to letter case and width.
func foldedCode(c *customer.Customer) string { return text.Fold(c.Code) }

// nameOrder orders names by pinyin.
func nameOrder(c *customer.Customer) string {
	var buf [128]byte
	return string(text.AppendPinyin(buf[:0], c.Name))
}
