package exchange_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
	"github.com/clientele-go/clientele/storage"
)

// exported is a file of the book's customers.
func (b *book) exported(e exchange.Export) []byte {
	b.t.Helper()
	var out bytes.Buffer
	if _, err := b.session().Export(b.t.Context(), &out, e); err != nil {
		b.t.Fatal(err)
	}
	return out.Bytes()
}

// create adds customers.
func (b *book) create(drafts ...customer.Draft) {
	b.t.Helper()
	_, err := b.storage.Update(b.t.Context(), storage.Session{Actor: "test", Reason: "test"}, func(tx *storage.Tx) error {
		for _, d := range drafts {
			if _, err := b.customers.Tx(tx).Create(d); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// update changes the customer with a code.
func (b *book) update(code string, change func(c *customer.Customer)) {
	b.t.Helper()
	_, err := b.storage.Update(b.t.Context(), storage.Session{Actor: "test", Reason: "test"}, func(tx *storage.Tx) error {
		customers := b.customers.Tx(tx)
		c, err := customers.ByCode(code)
		if err == nil {
			change(c)
			_, err = customers.Update(c)
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// awkward are customers whose values files are known to spoil.
var awkward = []customer.Draft{
	{Code: "007", Name: "=SUM(A1:A2) 公司", Country: "CN", Phones: []customer.Phone{{Number: "+86 21 22011138"}, {Label: "mobile", Number: "13800138000"}}},
	{Code: "1E5", Name: "'quoted', \"Ltd.\"", Note: "two\nlines, and a comma; no more", Emails: []customer.Email{{Address: "a@b.cn"}, {Address: "c@d.cn"}}},
	{Code: "2026-01-02", Name: "上海汽车集团股份有限公司", Country: "CN", Identifiers: []customer.Identifier{{Scheme: "cn.uscc", Value: "91310000132260250X"}}, Website: "www.saicmotor.com"},
	{Code: "@x", Name: "王力", Party: customer.Person, Country: "CN", Identifiers: []customer.Identifier{{Scheme: "cn.resident", Value: "11010519491231002X"}}},
	{Code: "-1", Name: "-Minus GmbH", Aliases: []string{"Minus", "减号"}, Country: "DE", Contacts: []customer.Contact{{Name: "Änne", Role: "buyer", Phone: "030 1", Email: "e@f.de"}}},
}

func TestExportsComeBackAsTheyWere(t *testing.T) {
	from := newBook(t)
	from.create(awkward...)
	for _, format := range []tabular.Format{tabular.CSV{}, tabular.TSV{}, tabular.XLSX{}, tabular.JSONLines{}} {
		for _, headings := range []language.Tag{language.English, language.Chinese} {
			t.Run(format.Name()+" "+headings.String(), func(t *testing.T) {
				e := exchange.Export{Format: format, Headings: headings, Fields: []exchange.Field{
					exchange.Code, exchange.Name, exchange.Alias, exchange.PartyOf, exchange.Country, "identifier.cn.uscc", "identifier.cn.resident",
					exchange.Phone, "phone.mobile", exchange.Email, exchange.ContactName, exchange.ContactRole, exchange.ContactPhone, exchange.ContactEmail,
					exchange.Website, exchange.Note,
				}}
				first := from.exported(e)
				to := newBook(t)
				p, faults := to.imported(exchange.Import{File: bytesFile("list"+format.Extension(), first)})
				if want := (exchange.Summary{Read: len(awkward), Created: len(awkward)}); p.Summary != want || len(faults) > 0 {
					t.Fatalf("imported %+v, want %+v: %v", p.Summary, want, faults)
				}
				if got, want := to.all(), from.all(); !slices.Equal(got, want) {
					t.Errorf("got  %q\nwant %q", got, want)
				}
				if second := to.exported(e); !bytes.Equal(first, second) {
					t.Errorf("exported again: %d bytes, first %d\n%.2000s\n%.2000s", len(second), len(first), first, second)
				}
			})
		}
	}
}

// A spreadsheet runs what begins with =, +, -, @ or a tab as a formula (OWASP, CSV Injection).
func TestFormulasAreEscapedInDelimitedFiles(t *testing.T) {
	b := newBook(t)
	b.create(awkward...)
	got := string(b.exported(exchange.Export{Fields: []exchange.Field{exchange.Code, exchange.Name}}))
	for _, want := range []string{"\n007,'=SUM(A1:A2) 公司\n", "\n'@x,王力\n", "\n'-1,'-Minus GmbH\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
}

// The order of pinyin: 保 bǎo, 北 běi, 上 shàng, 王 wáng, 中 zhōng.
func TestExportsAreSortedByPinyinWhateverFitsIntoMemory(t *testing.T) {
	b := newBook(t)
	names := []string{"中国石油化工", "王府井百货", "上海汽车集团", "北京银行", "保利发展"}
	var drafts []customer.Draft
	for _, n := range names {
		drafts = append(drafts, customer.Draft{Name: n})
	}
	for i := range 300 { // enough for many runs
		drafts = append(drafts, customer.Draft{Name: fmt.Sprintf("%s分公司%03d", names[i%len(names)], i*7%300)})
	}
	b.create(drafts...)
	e := exchange.Export{Fields: []exchange.Field{exchange.Name}, Headings: language.Chinese, Sort: exchange.Name}
	whole := b.exported(e)
	var order []string
	for line := range strings.Lines(string(whole)) {
		if name := strings.TrimSpace(line); slices.Contains(names, name) {
			order = append(order, name)
		}
	}
	if want := []string{"保利发展", "北京银行", "上海汽车集团", "王府井百货", "中国石油化工"}; !slices.Equal(order, want) {
		t.Errorf("sorted as %q, want %q", order, want)
	}
	e.Memory = 500 // a few names at a time
	if spilled := b.exported(e); !bytes.Equal(whole, spilled) {
		t.Errorf("sorted with little memory:\n%.500s\nwith much:\n%.500s", spilled, whole)
	}
}

func TestHeadingsAreInTheLanguageAskedFor(t *testing.T) {
	b := newBook(t)
	fields := []exchange.Field{exchange.Code, exchange.Name, "identifier.cn.uscc", exchange.Phone}
	for want, e := range map[string]exchange.Export{
		"客户编码,客户名称,统一社会信用代码,电话\n":              {Headings: language.Chinese},
		"code,name,identifier.cn.uscc,phone\n": {FieldHeadings: true},
	} {
		e.Fields = fields
		if got := string(b.exported(e)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := string(b.exported(exchange.Export{Fields: fields, Headings: language.English})); strings.ContainsAny(got, "客户") || strings.Count(got, ",") != 3 {
		t.Errorf("in English %q", got)
	}
}

func TestExportOfAnUnknownFieldIsRefused(t *testing.T) {
	b := newBook(t)
	var out bytes.Buffer
	n, err := b.session().Export(t.Context(), &out, exchange.Export{Fields: []exchange.Field{exchange.Code, "attr.nothing"}})
	var e *exchange.MappingError
	if !errors.As(err, &e) || e.Field != "attr.nothing" || n != 0 || out.Len() != 0 {
		t.Errorf("%d rows, %d bytes, %v", n, out.Len(), err)
	}
}
