package exchange_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
)

// Rows of later parts of a file that fills a book duplicate customers that were there
// before, that an earlier part brought, and that somebody else created or renamed meanwhile.
func TestDuplicatesOfALargeFile(t *testing.T) {
	b := newBook(t)
	b.create(customer.Draft{Name: "Company 20100 Ltd."}, customer.Draft{Name: "王力", Party: customer.Person, Phones: []customer.Phone{{Number: "13812345678"}}})
	var content strings.Builder
	content.WriteString("name,party,code,phone\n")
	const rows = 45000
	for i := range rows {
		switch i {
		case 25000:
			content.WriteString("王力,person,,+86 138 1234 5678\n") // of the book
		case 25001:
			content.WriteString("ＣＯＭＰＡＮＹ 7 LTD,,,\n") // of the first part
		case 25002:
			content.WriteString("Renamed Ltd.,,k8,\n") // the code is that of the first part's row 8
		case 44000:
			content.WriteString("Somebody else's Ltd.,,,\n")
		case 44001:
			content.WriteString("Renamed by others Ltd.,,,\n") // the first part's row 9, by then
		default:
			fmt.Fprintf(&content, "Company %d Ltd.,,K%d,\n", i, i)
		}
	}
	parts := 0
	var last exchange.Progress
	for p, err := range b.session().Run(t.Context(), exchange.Import{File: file("a.csv", content.String())}) {
		if err != nil {
			t.Fatal(err)
		}
		if parts++; parts == 2 {
			b.create(customer.Draft{Name: "Somebody else's Ltd."})
			b.update("K9", func(c *customer.Customer) { c.Name = "Renamed by others Ltd." })
		}
		last = p
	}
	if want := (exchange.Summary{Read: rows, Created: rows - 6, Updated: 1, Duplicates: 5}); last.Summary != want || parts < 4 {
		t.Errorf("%d parts: %+v, want %+v", parts, last.Summary, want)
	}
}

// What was added is never lacking, and what was not is nearly always: with ten bits a key
// and four marks, 1.2 % of the keys seem to be there, and so do 6 % of rows of five.
func TestSketchLacksNothingThatWasAdded(t *testing.T) {
	const rows = 50000
	lacking, wrong := exchange.SketchOf(rows, func(i int) *customer.Customer {
		return &customer.Customer{
			Code: fmt.Sprintf("K%d", i), Name: fmt.Sprintf("第%d有限公司", i), Phones: []customer.Phone{{E164: fmt.Sprintf("+8621%08d", i)}},
			Emails: []customer.Email{{Address: fmt.Sprintf("Info%d@acme.cn", i)}}, Identifiers: []customer.Identifier{{Scheme: "x", Value: fmt.Sprintf("%018d", i)}},
		}
	})
	if lacking > 0 || wrong > rows/10 {
		t.Errorf("of %d added %d are lacking, of as many others %d seem to be there", rows, lacking, wrong)
	}
}
