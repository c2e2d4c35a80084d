package clientele_test

import (
	"fmt"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
)

// BenchmarkAccessRatioAfterWrites is BenchmarkAccessRatio in a book that is written to:
// before each call somebody is renamed.
func BenchmarkAccessRatioAfterWrites(b *testing.B) {
	book := benchGroup(b)
	system := book.System("benchmark")
	must(b, system.Update(b.Context(), func(tx *clientele.Tx) error { return tx.Org.Enforce(true) }))
	n := 0
	write := func() {
		n++
		must(b, system.Update(b.Context(), func(tx *clientele.Tx) error {
			c, err := tx.Customers.Get(customer.ID(1 + n%1000))
			if err != nil {
				return err
			}
			c.Name = fmt.Sprint("Renamed ", n)
			_, err = tx.Customers.Update(c)
			return err
		}))
	}
	accessRatios(b, book, write)
}
