package stocktake_test

import (
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/stocktake"
)

// A count right after relaxed changes, which are not durable yet, counts them.
func TestCountSeesRelaxedChanges(t *testing.T) {
	b := newBook(t, clientele.Options{})
	clerk := b.book.As(clientele.Actor{ID: "clerk", Relaxed: true})
	for range 20 {
		b.now.set(b.now.get().Add(time.Hour))
		err := clerk.Update(t.Context(), func(tx *clientele.Tx) error {
			_, err := tx.Customers.Create(customer.Draft{Name: "Acme"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	r := b.count(stocktake.Ask{Opening: instant(2025, 1, 1), Closing: stocktake.Instant{Time: day(2025, 1, 1).Add(10 * time.Hour)}})
	if x := r.Reconciliation; x.New != 10 || x.Closing != 10 {
		t.Errorf("%d new, %d at the closing; ten were created by then", x.New, x.Closing)
	}
}
