package exchange_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

// rejects returns the file of an import's refused rows.
func (b *book) rejects(p exchange.Progress, f *tabular.File, rows int) string {
	b.t.Helper()
	var out bytes.Buffer
	n, err := b.session().Rejects(b.t.Context(), p.Job, f, &out, language.Chinese)
	if err != nil || n != rows {
		b.t.Fatalf("%d refused rows, want %d: %v\n%s", n, rows, err, out.String())
	}
	return out.String()
}

// With titles above the headings, the mended rows begin where the mapping says.
func TestMendedRowsAreReadWithTheSameMapping(t *testing.T) {
	b := newBook(t)
	const content = "客户台账\n制表：王丽\n\n客户名称,统一社会信用代码\n甲公司,1\n乙公司,\n丙公司,2\n"
	f := file("a.csv", content)
	m := &exchange.Mapping{HeaderRow: 4, HeaderRows: 1, Columns: []exchange.Column{{Column: 1, Field: "name"}, {Column: 2, Field: "identifier.cn.uscc"}}}
	p, _ := b.imported(exchange.Import{File: f, Mapping: m})
	mended := strings.NewReplacer(",1,", ",,", ",2,", ",,").Replace(b.rejects(p, f, 2))
	p, _ = b.imported(exchange.Import{File: file("b.csv", mended), Mapping: m})
	if want := (exchange.Summary{Read: 2, Created: 2}); p.Summary != want {
		t.Errorf("%+v of\n%s", p.Summary, mended)
	}
}

// A mapping need not name every column, nor any heading.
func TestRefusedRowsKeepAllTheirColumns(t *testing.T) {
	for name, content := range map[string]string{
		"a.csv":   "name,uscc,city,more\nAcme,1,Berlin,kept\n",
		"a.jsonl": `{"name":"Acme","uscc":"1","city":"Berlin","more":"kept"}` + "\n",
	} {
		b := newBook(t)
		f := file(name, content)
		m := &exchange.Mapping{HeaderRow: 1, HeaderRows: 1, Columns: []exchange.Column{{Column: 1, Field: "name"}, {Column: 2, Field: "identifier.cn.uscc"}}}
		p, _ := b.imported(exchange.Import{File: f, Mapping: m})
		got := b.rejects(p, f, 1)
		for _, want := range []string{"name", "uscc", "city", "more", "kept", "error"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: lacks %q:\n%s", name, want, got)
			}
		}
	}
}

func TestRefusedRowsInBig5(t *testing.T) {
	b := newBook(t)
	text, err := traditionalchinese.Big5.NewEncoder().String("公司名稱,營利事業統一編號,地址\n台灣水泥股份有限公司,1,台北市中山北路二段\n臺灣積體電路製造股份有限公司,,新竹市\n")
	if err != nil {
		t.Fatal(err)
	}
	f := file("a.csv", text)
	m := &exchange.Mapping{Encoding: tabular.Big5, HeaderRow: 1, HeaderRows: 1, Columns: []exchange.Column{{Column: 1, Field: "name"}, {Column: 2, Field: "identifier.tw.ubn"}}}
	p, faults := b.imported(exchange.Import{File: f, Mapping: m})
	if len(faults) != 1 {
		t.Fatal(faults)
	}
	got, err := traditionalchinese.Big5.NewDecoder().String(b.rejects(p, f, 1))
	if err != nil || !strings.Contains(got, "台灣水泥股份有限公司,1,") || !strings.Contains(got, "2列") {
		t.Errorf("%q %v", got, err)
	}
}

func TestProgressTellsHowMuchOfTheFileIsRead(t *testing.T) {
	b := newBook(t)
	var rows strings.Builder
	rows.WriteString("name\n")
	for i := range 6000 {
		fmt.Fprintf(&rows, "Customer %d\n", i)
	}
	f := file("a.csv", rows.String())
	var seen []int64
	for p, err := range b.session().Run(t.Context(), exchange.Import{File: f, DryRun: true}) {
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, p.Bytes)
	}
	if len(seen) < 4 || !slices.IsSorted(seen) || seen[0] == 0 || seen[0] > f.Size*2/3 || seen[len(seen)-1] != f.Size {
		t.Errorf("%d of %d bytes", seen, f.Size)
	}
}

// Somebody who starts the same import twice has each row once.
func TestTheSameImportTwiceAtOnce(t *testing.T) {
	for _, rows := range []int{300, 3000} {
		b := newBook(t)
		var text strings.Builder
		text.WriteString("name\n")
		for i := range rows {
			fmt.Fprintf(&text, "Customer %d\n", i)
		}
		var group sync.WaitGroup
		errs := make([]error, 3)
		for i := range errs {
			group.Go(func() {
				_, errs[i] = b.session().Import(t.Context(), exchange.Import{File: file("a.csv", text.String()), Duplicates: exchange.AllowDuplicates})
			})
		}
		group.Wait()
		if got := len(b.all()); got != rows {
			t.Errorf("%d customers of %d rows", got, rows)
		}
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
			} else if !errors.Is(err, exchange.ErrRunning) && !errors.Is(err, exchange.ErrImported) {
				t.Error(err)
			}
		}
		if done != 1 {
			t.Errorf("%d were done: %v", done, errs)
		}
	}
}

func TestErrorsOfSpreadsheetsInTextFiles(t *testing.T) {
	b := newBook(t)
	p, faults := b.imported(exchange.Import{File: file("a.csv", "name,code\n#REF!,1\n甲公司,#N/A\n#1 Auto,2\n")})
	if p.Summary.Created != 1 || p.Summary.Refused != 2 || faults[0].Code != exchange.CodeFormula {
		t.Errorf("%+v %v", p.Summary, faults)
	}
}

// A row that is refused is on the list all the same: its customer isn't archived.
func TestListedCustomersAreNotArchivedForARefusedRow(t *testing.T) {
	b := newBook(t)
	b.create(
		customer.Draft{Name: "甲公司", SourceKeys: []customer.SourceKey{{System: "erp", Key: "1"}}},
		customer.Draft{Name: "乙公司", Code: "C2", SourceKeys: []customer.SourceKey{{System: "erp", Key: "2"}}},
	)
	m := &exchange.Mapping{HeaderRow: 1, HeaderRows: 1, Columns: []exchange.Column{{Column: 1, Field: "source.erp"}, {Column: 2, Field: "code"}, {Column: 3, Field: "name"}}}
	p, faults := b.imported(exchange.Import{File: file("a.csv", "erp,code,name\n1,C2,甲公司\n2,,乙公司\n"), Mapping: m, Sync: &exchange.Sync{System: "erp", Archive: true}})
	if p.Summary.Missing != 0 || p.Summary.Refused != 1 {
		t.Errorf("%+v %v %q", p.Summary, faults, b.all())
	}
}

func TestNobodyIsArchivedByAListWithRowsThatCannotBeRead(t *testing.T) {
	for _, row := range []string{"\"1,甲公司\n", "\uFFFD,甲公司\n"} {
		b := newBook(t)
		b.create(customer.Draft{Name: "甲公司", SourceKeys: []customer.SourceKey{{System: "erp", Key: "1"}}})
		m := &exchange.Mapping{Encoding: tabular.UTF8, HeaderRow: 1, HeaderRows: 1, Columns: []exchange.Column{{Column: 1, Field: "source.erp"}, {Column: 2, Field: "name"}}}
		_, err := b.session().Import(t.Context(), exchange.Import{File: file("a.csv", "erp,name\n2,乙公司\n"+row), Mapping: m, Sync: &exchange.Sync{System: "erp", Archive: true}})
		if !errors.Is(err, exchange.ErrUnreadable) || strings.Contains(b.all()[0], "archived") {
			t.Errorf("%q: %v %q", row, err, b.all())
		}
	}
}

func TestTheTimeOfDayMakesNoOtherImport(t *testing.T) {
	b := newBook(t)
	im := exchange.Import{File: file("a.csv", "name\n甲公司\n"), Day: time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC)}
	b.imported(im)
	im.Day = im.Day.Add(time.Hour)
	if _, err := b.session().Import(t.Context(), im); !errors.Is(err, exchange.ErrImported) {
		t.Error(err)
	}
}

// ownFormat is CSV under another name, of files that nothing else takes.
type ownFormat struct{ tabular.CSV }

func (ownFormat) Name() string             { return "own" }
func (ownFormat) Fits(string, []byte) bool { return true }

func TestTheFormatGivenIsUsed(t *testing.T) {
	b := newBook(t)
	p, _ := b.imported(exchange.Import{File: file("a.bin", "name,note\n甲公司,\x01\x02\x03\x04\x05\n"), Format: ownFormat{}})
	if p.Summary.Read != 1 {
		t.Errorf("%+v", p.Summary)
	}
}

func TestPercentInAMessage(t *testing.T) {
	f := exchange.Fault{Row: 2, Code: "posted", Detail: "document 50%off is reversed"}
	if got, want := f.String(), "row 2: document 50%off is reversed"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Commas that don't part thousands may be decimal ones: 12,50 isn't 1250.
func TestNumbersAreReadAsMeantOrRefused(t *testing.T) {
	for text, want := range map[string]string{
		"1234": "1234", "1,234": "1234", "1，234": "1234", "1,234,567": "1234567", "12,34,567": "1234567", "¥1,234": "1234", "-5": "-5", "1 234": "1234", "１２": "12",
		"12,50": "", "1.234,5": "", "1234,567": "", "0,500": "", ",5": "", "1,2,3": "", ".+5": "", "+-5": "", "1e3": "", "--5": "",
	} {
		got := ""
		if units, ok := exchange.ParseUnits(text, 0); ok {
			got = fmt.Sprint(units)
		}
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestDaysAsSpreadsheetsShowThem(t *testing.T) {
	for _, text := range []string{"2024-01-31", "2024/1/31", "2024年1月31日", "20240131", "2024/1/31 0:00", "2024/1/31 9:05:00", "2024-1-31 23:59", "2024-01-31T08:00:00"} {
		if day, ok := exchange.ParseDay(text); !ok || day.Format("2006-01-02") != "2024-01-31" {
			t.Errorf("%q is %v %v", text, day, ok)
		}
	}
	for _, text := range []string{"2024-02-30", "1/2/2024", "45322", "1900-02-29"} {
		if day, ok := exchange.ParseDay(text); ok {
			t.Errorf("%q is %v", text, day)
		}
	}
}

func TestRateIsOfThisRun(t *testing.T) {
	b := newBook(t)
	f := file("a.csv", "name\n"+strings.Repeat("甲公司\n", 25000))
	im := exchange.Import{File: f}
	for p, err := range b.session().Run(t.Context(), im) {
		if err != nil || p.Summary.Read != 20000 {
			t.Fatal(p, err)
		}
		break
	}
	for p, err := range b.session().Run(t.Context(), im) {
		if err != nil || !p.Resumed {
			t.Fatal(p, err)
		}
		if most := 5000 / p.Elapsed.Seconds(); p.Rate(exchange.Progress{}) > most {
			t.Errorf("%.0f rows a second, at most %.0f", p.Rate(exchange.Progress{}), most)
		}
	}
}

// Each refused row of a dry run had all rows before it tried again: 43 s for these.
func TestDryRunOfManyRefusedRowsIsQuick(t *testing.T) {
	b := newBook(t)
	var some, all strings.Builder
	some.WriteString("name,code\n")
	all.WriteString("name,code,uscc\n")
	for i := range 2000 {
		fmt.Fprintf(&all, "Customer %d Ltd,C%d,\n", i, i)
		if i%2 == 0 {
			fmt.Fprintf(&some, "Customer %d Ltd,C%d\n", i, i)
		}
	}
	b.imported(exchange.Import{File: file("a.csv", some.String())})
	byUSCC := &exchange.Mapping{HeaderRow: 1, HeaderRows: 1, Columns: []exchange.Column{{Column: 1, Field: "name"}, {Column: 2, Field: "code"}, {Column: 3, Field: "identifier.cn.uscc"}}}
	for what, im := range map[string]exchange.Import{
		"present":   {Mode: exchange.CreateOnly},
		"duplicate": {Mapping: byUSCC, Match: []exchange.Field{"identifier.cn.uscc"}, Duplicates: exchange.AllowDuplicates},
	} {
		im.File, im.DryRun = file("b.csv", all.String()), true
		p, _ := b.imported(im)
		if want := (exchange.Summary{Read: 2000, Created: 1000, Refused: 1000}); p.Summary != want || p.Elapsed > 10*time.Second {
			t.Errorf("%s: %+v in %s", what, p.Summary, p.Elapsed)
		}
	}
}
