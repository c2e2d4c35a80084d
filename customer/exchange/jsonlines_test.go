package exchange_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/customer/exchange"
)

// A mapping that was made for a spreadsheet with titles, or for objects with their keys in
// another order, brings every object in, each value where it belongs.
func TestJSONLinesByAMappingOfAnotherFile(t *testing.T) {
	columns := []exchange.Column{{Column: 1, Heading: "code", Field: "code"}, {Column: 2, Heading: "name", Field: "name"}, {Column: 3, Heading: "tel", Field: "phone"}}
	content := `{"name":"甲公司","code":"C1"}` + "\n" + `{"code":"C2","name":"乙公司","more":1}` + "\n"
	for _, m := range []exchange.Mapping{
		{HeaderRow: 3, HeaderRows: 2, Columns: columns}, {HeaderRow: 0, Columns: columns}, {HeaderRow: 1, HeaderRows: 1, Columns: columns},
	} {
		b := newBook(t)
		p, faults := b.imported(exchange.Import{File: file("a.jsonl", content), Mapping: &m})
		if got := b.all(); p.Summary.Created != 2 || len(got) != 2 || got[0] != "C1 甲公司 v1" || got[1] != "C2 乙公司 v1" {
			t.Errorf("headings in row %d: %+v %v %q", m.HeaderRow, p.Summary, faults, got)
		}
	}
	b := newBook(t)
	m := &exchange.Mapping{Columns: []exchange.Column{{Column: 1, Heading: "编码", Field: "code"}, {Column: 2, Heading: "名称", Field: "name"}}}
	if _, err := b.session().Import(t.Context(), exchange.Import{File: file("a.jsonl", content), Mapping: m}); !errors.Is(err, exchange.ErrMapping) {
		t.Errorf("none of the keys: %v", err)
	}
}

// The mended rows of objects come back with the same mapping, although the first of them
// lacks keys that the file had first.
func TestMendedObjects(t *testing.T) {
	b := newBook(t)
	content := `{"uscc":"","name":"甲公司","code":"C1"}` + "\n" + `{"name":"","code":"C2"}` + "\n" + `{"uscc":"1","name":"丙公司","code":"C3"}` + "\n"
	f := file("a.jsonl", content)
	m := &exchange.Mapping{Columns: []exchange.Column{{Heading: "uscc", Column: 1, Field: "identifier.cn.uscc"}, {Heading: "name", Column: 2, Field: "name"}, {Heading: "code", Column: 3, Field: "code"}}}
	p, _ := b.imported(exchange.Import{File: f, Mapping: m})
	mended := strings.NewReplacer(`{"code":"C2"`, `{"name":"乙公司","code":"C2"`, `"uscc":"1",`, "").Replace(b.rejects(p, f, 2))
	p, faults := b.imported(exchange.Import{File: file("b.jsonl", mended), Mapping: m})
	if want := (exchange.Summary{Read: 2, Created: 2}); p.Summary != want {
		t.Errorf("%+v %v of\n%s", p.Summary, faults, mended)
	}
}
