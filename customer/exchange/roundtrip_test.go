package exchange_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"
	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
	"github.com/clientele-go/clientele/tagging"
)

// define gives a book attributes of every type and a dimension of tags.
func (b *book) define() {
	b.t.Helper()
	_, err := b.storage.Update(b.t.Context(), storage.Session{Actor: "test"}, func(tx *storage.Tx) error {
		customers := b.customers.Tx(tx)
		err := customers.SetSchema(&customer.Schema{Attributes: []customer.AttributeSpec{
			{Name: "remark", Type: customer.Text}, {Name: "credit_days", Type: customer.Number}, {Name: "share", Type: customer.Number, Decimals: 3},
			{Name: "since", Type: customer.Date}, {Name: "vip", Type: customer.Boolean}, {Name: "size", Type: customer.Enum, Values: []string{"small", "none", "大"}},
		}})
		if err != nil {
			return err
		}
		tags := b.tags.Tx(tx, customers)
		d, err := tags.CreateDimension(tagging.Dimension{Code: "interest", Names: customer.Names{"en": "Interest", "zh-Hans": "兴趣"}})
		for _, code := range []string{"steel", "cars", "tea"} {
			if err == nil {
				_, err = tags.CreateTag(tagging.Tag{Dimension: d.ID, Code: code})
			}
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// words are texts made of what files are known to spoil: formulas, quotes, delimiters,
// line ends, apostrophes, numbers with zeros before them, scripts.
func words(without string) *rapid.Generator[string] {
	parts := []string{"=", "+", "-", "@", "'", "\"", ",", "\t", "\n", "\r\n", ";", "|", "007", "1E5", "2026-01-02", "TRUE", "台灣", "水泥", "Ä", "é", "naïve", " ", "A1", "SUM(1)", "𠀀", "㈱", "无", "sep=", "'="}
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for range rapid.IntRange(1, 5).Draw(t, "parts") {
			b.WriteString(rapid.SampledFrom(parts).Draw(t, "part"))
		}
		return strings.Map(func(r rune) rune {
			if strings.ContainsRune(without, r) {
				return 'x'
			}
			return r
		}, b.String())
	})
}

func drafts(t *rapid.T) (list []customer.Draft) {
	n := rapid.IntRange(1, 6).Draw(t, "customers")
	for i := range n {
		// Names and codes differ, so that nobody is a duplicate.
		d := customer.Draft{
			Name: fmt.Sprintf("%s n%d", words("\r\n\t").Draw(t, "name"), i), Code: fmt.Sprintf("%s%d", rapid.SampledFrom([]string{"0", "=", "-", "@", "C", "+", "'", "1E"}).Draw(t, "code"), i),
			Country: "CN", Party: customer.Party(rapid.IntRange(0, 1).Draw(t, "party")), Kind: customer.Kind(rapid.IntRange(0, 2).Draw(t, "kind")),
		}
		maybe := func(what string) bool { return rapid.Bool().Draw(t, what) }
		if maybe("alias") {
			d.Aliases = []string{words(";；\n\r").Draw(t, "alias1")}
		}
		if maybe("phones") {
			d.Phones = []customer.Phone{{Number: "+86 21 2201113" + fmt.Sprint(i)}, {Label: "mobile", Number: "1380013800" + fmt.Sprint(i)}, {Label: "fax", Number: "021-2201 114" + fmt.Sprint(i)}}
		}
		if maybe("email") {
			d.Emails = []customer.Email{{Address: fmt.Sprintf("a%d@b.cn", i)}, {Address: fmt.Sprintf("c%d@d.cn", i)}}
		}
		if maybe("note") {
			d.Note = words("").Draw(t, "text of note")
		}
		if maybe("rep") {
			d.Rep = "wang.li"
		}
		if maybe("contact") {
			d.Contacts = []customer.Contact{{Name: "王" + words("\r\n\t").Draw(t, "contact's name"), Role: "buyer", Phone: "030 1"}}
		}
		if maybe("address") {
			d.Addresses = []customer.Address{{Text: "上海市静安区威海路489号" + words("\r\n\t").Draw(t, "room")}}
		}
		if maybe("attributes") {
			d.Attributes = []customer.Attribute{
				{Name: "remark", Value: customer.TextValue("r" + words("\r\n\t").Draw(t, "remark"))}, {Name: "credit_days", Value: customer.NumberValue(rapid.Int64Range(-1e12, 1e12).Draw(t, "days"))},
				{Name: "share", Value: customer.NumberValue(rapid.Int64Range(-1e15, 1e15).Draw(t, "share"))},
				{Name: "since", Value: customer.DateValue(time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 90000).Draw(t, "since")))},
				{Name: "vip", Value: customer.BooleanValue(maybe("vip"))}, {Name: "size", Value: customer.EnumValue(rapid.SampledFrom([]string{"small", "none", "大"}).Draw(t, "size"))},
			}
		}
		list = append(list, d)
	}
	return list
}

// What is exported with the usual columns and imported into an empty book is exported from
// there with the same bytes.
func TestExportImportExportGivesTheSameBytes(t *testing.T) {
	formats := []tabular.Format{tabular.CSV{}, tabular.TSV{}, tabular.XLSX{}, tabular.JSONLines{}}
	rapid.Check(t, func(rt *rapid.T) {
		list := drafts(rt)
		from, to := scratchBook(t), scratchBook(t)
		defer from.close()
		defer to.close()
		from.define()
		to.define()
		from.create(list...)
		from.tagAll(rt, len(list))
		e := exchange.Export{Format: rapid.SampledFrom(formats).Draw(rt, "format"), Headings: rapid.SampledFrom([]language.Tag{language.English, language.Chinese}).Draw(rt, "headings")}
		first := from.exported(e)
		var faults []string
		_, err := to.session().Import(t.Context(), exchange.Import{
			File: bytesFile("list"+e.Format.Extension(), first), Duplicates: exchange.AllowDuplicates, Faults: func(f exchange.Fault) { faults = append(faults, f.String()) },
		})
		if err != nil || len(faults) > 0 {
			rt.Fatalf("import: %v, %q of\n%s", err, faults, first)
		}
		if second := to.exported(e); !bytes.Equal(first, second) {
			rt.Fatalf("%s:\n%q\nthen\n%q", e.Format.Name(), first, second)
		}
	})
}

// scratchBook returns a book in memory that the caller closes.
func scratchBook(t *testing.T) *book {
	b, err := openBook(t, "", pebblekv.Options{InMemory: true, CacheBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tagAll gives customers tags at random.
func (b *book) tagAll(rt *rapid.T, n int) {
	_, err := b.storage.Update(b.t.Context(), storage.Session{Actor: "test"}, func(tx *storage.Tx) error {
		tags := b.tags.Tx(tx, b.customers.Tx(tx))
		for id := range n {
			for _, code := range []string{"steel", "cars", "tea"} {
				if rapid.Bool().Draw(rt, code) {
					tag, err := tags.Tag("interest", code)
					if err != nil {
						return err
					}
					if _, err := tags.Assign(customer.ID(id+1), tagging.Assignment{Tag: tag.ID}); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}
