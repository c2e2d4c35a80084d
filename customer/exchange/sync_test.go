package exchange_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
)

// erpList is a list of the ERP's customers from one number to another.
func erpList(from, to int) string {
	var s strings.Builder
	s.WriteString("id,name\n")
	for i := from; i <= to; i++ {
		fmt.Fprintf(&s, "%d,Customer %d Ltd.\n", i, i)
	}
	return s.String()
}

var erpMapping = &exchange.Mapping{HeaderRow: 1, HeaderRows: 1, Columns: []exchange.Column{{Column: 1, Field: "source.erp"}, {Column: 2, Field: exchange.Name}}}

func (b *book) archived() (n int) {
	for _, c := range b.all() {
		n += strings.Count(c, " archived ")
	}
	return n
}

// A list that lacks more than a fifth of the customers was likely cut off.
func TestShortListsArchiveNobody(t *testing.T) {
	for _, c := range []struct {
		what            string
		list            string
		percent         int
		missing, refuse int // of 50 customers
	}{
		{"a fifth", erpList(11, 50), 0, 10, 0},
		{"more than a fifth", erpList(12, 50), 0, 0, 11},
		{"more than a tenth", erpList(7, 50), 10, 0, 6},
		{"half, as told", erpList(26, 50), 50, 25, 0},
		{"all, as told", "id,name\n99,Other Ltd.\n", 100, 50, 0},
		{"no row at all", "id,name\n\n", 0, 0, 50},
		// New customers don't make up for those that are missing.
		{"many others", erpList(40, 1000), 0, 0, 39},
	} {
		b := newBook(t)
		b.imported(exchange.Import{File: file("a.csv", erpList(1, 50)), Mapping: erpMapping})
		im := exchange.Import{File: file("b.csv", c.list), Mapping: erpMapping, Sync: &exchange.Sync{System: "erp", Archive: true, MaxPercent: c.percent}}
		im.DryRun = true
		dry, dryErr := b.session().Import(t.Context(), im)
		im.DryRun = false
		p, err := b.session().Import(t.Context(), im)
		var short *exchange.ShortListError
		if c.refuse > 0 {
			if !errors.As(err, &short) || !errors.Is(err, exchange.ErrShortList) || short.Missing != c.refuse || short.Customers != 50 || !errors.Is(dryErr, exchange.ErrShortList) {
				t.Errorf("%s: %v; dry: %v", c.what, err, dryErr)
			}
		} else if err != nil || dryErr != nil || p.Summary.Missing != c.missing || dry.Summary.Missing != c.missing {
			t.Errorf("%s: %+v, %v; dry: %+v, %v", c.what, p.Summary, err, dry.Summary, dryErr)
		}
		if got := b.archived(); got != c.missing {
			t.Errorf("%s: %d archived, want %d", c.what, got, c.missing)
		}
	}
}

// Told that the list is right, the same import goes on where it was refused.
func TestShortListThatIsMeant(t *testing.T) {
	b := newBook(t)
	b.imported(exchange.Import{File: file("a.csv", erpList(1, 10)), Mapping: erpMapping})
	im := exchange.Import{File: file("b.csv", erpList(6, 11)), Mapping: erpMapping, Sync: &exchange.Sync{System: "erp", Archive: true}}
	if _, err := b.session().Import(t.Context(), im); !errors.Is(err, exchange.ErrShortList) {
		t.Fatal(err)
	}
	im.Sync.MaxPercent = 50
	p, err := b.session().Import(t.Context(), im)
	if want := (exchange.Summary{Read: 6, Created: 1, Unchanged: 5, Missing: 5}); err != nil || !p.Resumed || p.Summary != want || b.archived() != 5 {
		t.Errorf("%+v, %v, %d archived", p, err, b.archived())
	}
	for _, percent := range []int{-1, 101} {
		im.Sync.MaxPercent = percent
		if _, err := b.session().Import(t.Context(), im); !errors.Is(err, exchange.ErrMapping) {
			t.Errorf("%d %%: %v", percent, err)
		}
	}
}

// A customer that the system knows by two ids is missing once.
func TestCustomersOfTwoIdsAreMissingOnce(t *testing.T) {
	b := newBook(t)
	b.create(
		customer.Draft{Name: "甲公司", SourceKeys: []customer.SourceKey{{System: "erp", Key: "1"}, {System: "erp", Key: "2"}}},
		customer.Draft{Name: "乙公司", SourceKeys: []customer.SourceKey{{System: "erp", Key: "3"}}},
	)
	p, _ := b.imported(exchange.Import{File: file("a.csv", "id,name\n3,乙公司\n"), Mapping: erpMapping, Sync: &exchange.Sync{System: "erp", Archive: true, MaxPercent: 50}})
	missing, err := b.session().Missing(t.Context(), p.Job, "erp")
	if p.Summary.Missing != 1 || err != nil || len(missing) != 0 || b.archived() != 1 {
		t.Errorf("%+v, %v, %v: %q", p.Summary, missing, err, b.all())
	}
}
