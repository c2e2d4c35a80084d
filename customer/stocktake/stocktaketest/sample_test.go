package stocktaketest

import (
	"reflect"
	"testing"
)

func TestSamplesKeepTheIdentities(t *testing.T) {
	for _, n := range []int64{0, 1, 7, 900, 1_000_000} {
		r := Sample(3, n)
		if b := r.Reconciliation.Balance(); b != 0 {
			t.Errorf("%d customers: the identity lacks %d", n, b)
		}
		for _, d := range r.Dimensions {
			var opening, closing int64
			for _, row := range d.Rows {
				if row.Opening+row.Gained+row.MovedIn-row.Lost-row.MovedOut != row.Closing || row.Closing < 0 {
					t.Errorf("%d customers, %s: row %+v", n, d.Code, row)
				}
				opening, closing = opening+row.Opening, closing+row.Closing
			}
			if opening != r.Reconciliation.Opening {
				t.Errorf("%d customers: %s adds up to %d, not %d", n, d.Code, opening, r.Reconciliation.Opening)
			}
		}
		if !reflect.DeepEqual(r, Sample(3, n)) {
			t.Errorf("%d customers: two samples differ", n)
		}
	}
}
