package dedupe

import (
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample"
)

// BenchmarkKeys makes the keys of the index of likenesses, as each customer that is stored
// costs them.
func BenchmarkKeys(b *testing.B) {
	k, err := newKeyer(DefaultFields(), "CN")
	if err != nil {
		b.Fatal(err)
	}
	var customers []*customer.Customer
	for i := range 2000 {
		d := sample.Customer(8, i).Draft()
		customers = append(customers, &customer.Customer{Name: d.Name, Aliases: d.Aliases, Phones: d.Phones, Emails: d.Emails, Addresses: d.Addresses, Contacts: d.Contacts, Identifiers: d.Identifiers, Party: d.Party})
	}
	keys, i := 0, 0
	b.ReportAllocs()
	for b.Loop() {
		keys += len(k.of(customers[i%len(customers)]))
		i++
	}
	b.ReportMetric(float64(keys)/float64(i), "keys/customer")
}
