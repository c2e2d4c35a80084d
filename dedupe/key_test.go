package dedupe

import (
	"slices"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe/compare"
	"github.com/clientele-go/clientele/internal/sample"
)

// Of the few keys that a customer is kept under, one is that of its name whole but for what is
// written or left out at will: a common core alone doesn't tell it from the others that have it.
func TestLiveKeysBringNamesTogetherInSpiteOfDivisionsAndLegalForms(t *testing.T) {
	k, err := newKeyer(DefaultFields(), &Options{Country: "CN"})
	if err != nil {
		t.Fatal(err)
	}
	for _, names := range [][2]string{
		{"江阴市金阳设备租赁有限公司", "江阴金阳设备租赁有限公司"},
		{"兴业金融租赁有限公司", "兴业金融租赁有限责任公司"},
	} {
		a, b := k.of(&customer.Customer{Name: names[0]}), k.of(&customer.Customer{Name: names[1]})
		meet := func(x likeness) bool { return x.kind == compare.KeyExact && slices.Contains(b, x) }
		if !slices.ContainsFunc(a, meet) {
			t.Errorf("%s and %s have no exact key in common", names[0], names[1])
		}
	}
}

// BenchmarkKeys makes the keys of the index of likenesses, as each customer that is stored
// costs them.
func BenchmarkKeys(b *testing.B) {
	k, err := newKeyer(DefaultFields(), &Options{Country: "CN"})
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
