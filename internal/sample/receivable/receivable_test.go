package receivable_test

import (
	"reflect"
	"testing"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/internal/sample/receivable"
)

func TestBooksAreAsLargeAsAskedAndTheSameEachTime(t *testing.T) {
	asOf, err := date.Parse("2024-08-15")
	if err != nil {
		t.Fatal(err)
	}
	b := receivable.Book{Seed: 1, Customers: 7, Open: 100, Settled: 50, AsOf: asOf}
	items, settled := 0, 0
	for n := range b.Customers {
		var a, again receivable.Account
		b.Fill(n, &a)
		b.Fill(n, &again)
		if !reflect.DeepEqual(a, again) {
			t.Fatalf("customer %d differs", n)
		}
		items += len(a.Items)
		settled += len(a.Allocations)
		for _, i := range a.Items {
			if i.Date > asOf || i.Due < i.Date || i.Amount <= 0 {
				t.Fatalf("customer %d: %+v", n, i)
			}
		}
	}
	if items != 200 || settled != 50 { // 100 open, 50 invoices and their 50 payments
		t.Errorf("%d items, %d settled", items, settled)
	}
}
