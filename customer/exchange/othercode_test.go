package exchange_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/customer/exchange"
)

// Two branches with the tax number of their house are two rows of one file; the second doesn't take
// the first's place. A later file may give the customer another code: a new system's.
func TestRowsOfOneFileDoNotTakeEachOthersCodes(t *testing.T) {
	const branches = "客户编码,客户名称,统一社会信用代码\nB1,上汽一分公司,91310000132260250X\nB1,上汽第一分公司,91310000132260250X\nB2,上汽二分公司,91310000132260250X\n"
	for _, others := range []int{0, 300, 5000} { // written one by one, and loaded
		var rows strings.Builder
		rows.WriteString(branches)
		for i := range others {
			fmt.Fprintf(&rows, "X%d,第%d号客户,\n", i, i)
		}
		rows.WriteString("b2,上汽三分公司,91310000132260250X\n")
		for _, dry := range []bool{true, false} {
			if dry && others > 1000 {
				continue // a dry run takes each window back, and forgets it
			}
			b := newBook(t)
			p, faults := b.imported(exchange.Import{File: file("a.csv", rows.String()), DryRun: dry})
			if p.Summary.Created != 1+others || p.Summary.Updated != 1 || p.Summary.Refused != 2 {
				t.Errorf("%d others, dry %v: %+v", others, dry, p.Summary)
			}
			for i, row := range []int{4, 5 + others} {
				if f := faults[i]; f.Row != row || f.Column != 1 || f.Code != exchange.CodeAmbiguous || !strings.EqualFold(f.Value, "B2") || !strings.Contains(f.Detail, "is B1") {
					t.Errorf("%d others, dry %v: %+v", others, dry, f)
				}
			}
			if dry {
				continue
			}
			if p, faults := b.imported(exchange.Import{File: file("b.csv", "客户编码,客户名称,统一社会信用代码\nN7,上汽,91310000132260250X\n")}); p.Summary.Updated != 1 {
				t.Errorf("%+v, %v", p.Summary, faults)
			}
			if all := b.all(); !slices.ContainsFunc(all, func(s string) bool { return strings.HasPrefix(s, "N7 上汽 ") }) {
				t.Errorf("%q", all[:1])
			}
		}
	}
}

// So it is when the import was cut off between the rows.
func TestResumedImportsKnowTheCodesOfRowsBefore(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("客户编码,客户名称,统一社会信用代码\nB1,上汽一分公司,91310000132260250X\n")
	const others = 25_000
	for i := range others {
		fmt.Fprintf(&rows, "X%d,第%d号客户,\n", i, i)
	}
	rows.WriteString("B2,上汽二分公司,91310000132260250X\nb1,上汽第一分公司,91310000132260250X\n")
	b, im := newBook(t), exchange.Import{File: file("a.csv", rows.String()), Duplicates: exchange.AllowDuplicates}
	for p, err := range b.session().Run(t.Context(), im) {
		if err != nil || p.Row >= others {
			t.Fatalf("%+v, %v", p, err)
		}
		break
	}
	p, err := b.session().Import(t.Context(), im)
	if want := (exchange.Summary{Read: others + 3, Created: others + 1, Updated: 1, Refused: 1}); err != nil || !p.Resumed || p.Summary != want {
		t.Errorf("%+v, %v; want %+v", p, err, want)
	}
}
