package sample_test

import (
	"testing"

	"github.com/clientele-go/clientele/internal/phone"
	"github.com/clientele-go/clientele/internal/sample"
)

// Phones of the sample are real in form: the book understands each, and as the sample says.
func TestPhonesAreUnderstood(t *testing.T) {
	wrong := 0
	for c := range sample.Customers(5, 20000) {
		for _, p := range c.Phones {
			country := c.Country
			if country == "" {
				country = "CN"
			}
			n, err := phone.Parse(p.Number, country)
			if err != nil || n.E164 != p.E164 {
				if wrong++; wrong < 10 {
					t.Errorf("%s %q: %q, want %q (%v)", c.Country, p.Number, n.E164, p.E164, err)
				}
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d phones are wrong", wrong)
	}
}
