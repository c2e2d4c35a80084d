package exchange_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
	"github.com/clientele-go/clientele/storage"
)

func fieldsOf(m *exchange.Mapping) string {
	var list []string
	for _, c := range m.Columns {
		list = append(list, string(c.Field))
	}
	return strings.Join(list, ",")
}

func TestHeadingsAreRecognised(t *testing.T) {
	b := newBook(t)
	for content, want := range map[string]string{
		"客户编码,客户名称,统一社会信用代码,联系电话,手机,地址,联系人,备注\nC1,甲公司,91310000132260250X,021-22011138,13800138000,上海市静安区威海路489号,王力,x\n":                                                      "code,name,identifier.cn.uscc,phone,phone.mobile,address,contact.name,note",
		"往来单位,简称,税号,邮箱,邮编,业务员\n甲公司,甲,91310000132260250X,a@b.cn,200041,li\n":                                                                                                  "name,alias,identifier.cn.uscc,email,address.postcode,rep",
		"Customer No.,Customer Name,VAT number,Phone,E-mail,Street Address,City,Zip Code\nC1,Acme GmbH,DE136695976,+49 30 123456,a@b.de,X 1,Berlin,10115\n":                  "code,name,identifier.eu.vat,phone,email,address,address.city,address.postcode",
		"公司代號,公司名稱,公司簡稱,地址,營利事業統一編號,董事長,總機電話,電子郵件信箱,網址\n1101,台灣水泥股份有限公司,台泥,台北市中山北路2段113號,11913502,張安平,(02)2531-7099,finance@taiwancement.com,https://www.taiwancement.com\n": "code,name,alias,address,identifier.tw.ubn,contact.name,phone,email,website",
		// Without headings that are known, the values tell.
		"a,b,c\n上海汽车集团股份有限公司,info@saicmotor.com,91310000132260250X\n中国石油化工股份有限公司,ir@sinopec.com,91110000710926094P\n": "name,email,identifier.cn.uscc",
		// Amounts are valid as numbers without a check digit, which so many tell nothing.
		"客户编号,名称,信用额度\nA1,甲公司,50000\nA2,乙公司,120000\nA3,丙公司,50000\n":                                                "code,name,",
		"name,tax id,since,credit limit\nAcme Ltd,00445790,20190101,1234.56\nBar Ltd,SC095237,20200101,88123.00\n": "name,identifier.gb.company,,",
		"公司名稱,統一編號\n甲公司,12345670\n乙公司,12345671\n":                                                                  "name,identifier.tw.ubn",
		"客户名称（必填）,*联系电话,无关的列\n甲公司,021-22011138,x\n":                                                                "name,phone,",
	} {
		in, err := b.session().Inspect(t.Context(), file("x.csv", content), tabular.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := fieldsOf(in.Mapping); got != want {
			t.Errorf("%.60q:\ngot  %s\nwant %s", content, got, want)
		}
	}
}

const list = `客户编码,客户名称,统一社会信用代码,联系电话,邮箱
C1,上海汽车集团股份有限公司,91310000132260250X,021-22011138,info@saicmotor.com
C2,中国石油化工股份有限公司,91110000710926094P,010-59960028,
C3,甲公司,91310000132260250Z,021-1,
C4,,,,x
,,,,
C5,乙公司,,,b@b.cn
`

func TestRowsAreImportedOrExplained(t *testing.T) {
	b := newBook(t)
	p, faults := b.imported(exchange.Import{File: file("a.csv", list)})
	if want := (exchange.Summary{Read: 5, Created: 3, Refused: 2}); p.Summary != want || !p.Done || p.Row != 7 {
		t.Errorf("%+v at row %d, want %+v", p.Summary, p.Row, want)
	}
	want := []string{
		"C1 上海汽车集团股份有限公司 v1 cn.uscc=91310000132260250X :021-22011138 info@saicmotor.com",
		"C2 中国石油化工股份有限公司 v1 cn.uscc=91110000710926094P :010-59960028", "C5 乙公司 v1 b@b.cn",
	}
	if got := b.all(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	var where []string
	for _, f := range faults {
		where = append(where, fmt.Sprintf("%d/%d %s %s %s %q", f.Row, f.Column, f.Heading, f.Field, f.Code, f.Value))
	}
	wantFaults := []string{
		`4/3 统一社会信用代码 identifier.cn.uscc malformed "91310000132260250Z"`, `5/2 客户名称 name required ""`, `5/5 邮箱 email malformed "x"`,
	}
	if !slices.Equal(where, wantFaults) {
		t.Errorf("faults %q\nwant   %q", where, wantFaults)
	}
	if zh := faults[0].In(language.Chinese); !strings.HasPrefix(zh, "第4行第3列（统一社会信用代码）：格式不正确：") {
		t.Errorf("in Chinese: %s", zh)
	}
	if en := faults[0].In(language.English); !strings.HasPrefix(en, "row 4, column 3 (统一社会信用代码): ") || !strings.Contains(en, "; ") {
		t.Errorf("in English: %s", en)
	}
}

func TestTheSameFileIsNotImportedTwice(t *testing.T) {
	b := newBook(t)
	im := exchange.Import{File: file("a.csv", list)}
	b.imported(im)
	before := b.all()
	if _, err := b.session().Import(t.Context(), im); !errors.Is(err, exchange.ErrImported) {
		t.Errorf("a second time: %v", err)
	}
	im.Again = true
	p, _ := b.imported(im)
	if want := (exchange.Summary{Read: 5, Unchanged: 3, Refused: 2}); p.Summary != want {
		t.Errorf("again: %+v, want %+v", p.Summary, want)
	}
	if after := b.all(); !slices.Equal(before, after) {
		t.Errorf("again made %q of %q", after, before)
	}
}

func TestModes(t *testing.T) {
	changed := "code,name,phone\nC1,New name Ltd.,020-11112222\nC9,Ninth Ltd.,\n"
	for mode, want := range map[exchange.Mode]exchange.Summary{
		exchange.Upsert:     {Read: 2, Updated: 1, Created: 1},
		exchange.CreateOnly: {Read: 2, Refused: 1, Created: 1},
		exchange.UpdateOnly: {Read: 2, Updated: 1, Refused: 1},
	} {
		b := newBook(t)
		b.imported(exchange.Import{File: file("a.csv", list)})
		p, faults := b.imported(exchange.Import{File: file("b.csv", changed), Mode: mode})
		if p.Summary != want {
			t.Errorf("mode %d: %+v, want %+v (%v)", mode, p.Summary, want, faults)
		}
		for _, f := range faults {
			if f.Code != exchange.CodeDuplicate && f.Code != exchange.CodeNotFound {
				t.Errorf("mode %d: %v", mode, f)
			}
		}
		if mode != exchange.CreateOnly && b.all()[0] != "C1 New name Ltd. v2 cn.uscc=91310000132260250X :020-11112222 info@saicmotor.com" {
			t.Errorf("mode %d: %s", mode, b.all()[0])
		}
	}
}

func TestDuplicatePolicies(t *testing.T) {
	// The same company without its code and number, and a namesake person without
	// anything that agrees.
	again := "客户名称,party,联系电话,邮箱\n上海汽车集团股份有限公司,,021-33334444,\n王力,个人,,\n王力,个人,,\n"
	for policy, want := range map[exchange.DuplicatePolicy]exchange.Summary{
		exchange.SkipDuplicates:  {Read: 3, Created: 2, Duplicates: 1},
		exchange.MergeDuplicates: {Read: 3, Created: 2, Updated: 1},
		exchange.FlagDuplicates:  {Read: 3, Created: 3},
		exchange.AllowDuplicates: {Read: 3, Created: 3},
	} {
		b := newBook(t)
		b.imported(exchange.Import{File: file("a.csv", list)})
		s := b.session()
		flagged := 0
		begin := s.Begin
		s.Begin = func(st *storage.Tx) (*exchange.Tx, error) {
			tx, err := begin(st)
			tx.Flag = func(added, twin customer.ID) error {
				flagged++
				if twin != 1 || added < 4 {
					t.Errorf("flagged %d as a duplicate of %d", added, twin)
				}
				return nil
			}
			return tx, err
		}
		p, err := s.Import(t.Context(), exchange.Import{File: file("b.csv", again), Duplicates: policy})
		if err != nil || p.Summary != want {
			t.Errorf("policy %d: %+v, %v; want %+v", policy, p.Summary, err, want)
		}
		if (flagged > 0) != (policy == exchange.FlagDuplicates) {
			t.Errorf("policy %d: %d flagged", policy, flagged)
		}
		if policy == exchange.MergeDuplicates && b.all()[0] != "C1 上海汽车集团股份有限公司 v2 cn.uscc=91310000132260250X :021-22011138 :021-33334444 info@saicmotor.com" {
			t.Errorf("merged: %s", b.all()[0])
		}
	}
}

func TestDuplicatesWithinAFile(t *testing.T) {
	b := newBook(t)
	var content strings.Builder
	content.WriteString("name,code,phone\n")
	for i := range 1000 { // enough that new customers are loaded in bulk
		fmt.Fprintf(&content, "Company %d Ltd.,K%d,021-2201%04d\n", i%900, i%950, i)
	}
	p, _ := b.imported(exchange.Import{File: file("a.csv", content.String())})
	// Rows 900 to 949 have new codes and the names of rows 0 to 49, rows 950 to 999 the
	// codes of rows 0 to 49, whose names and phones they change.
	if want := (exchange.Summary{Read: 1000, Created: 900, Duplicates: 50, Updated: 50}); p.Summary != want {
		t.Errorf("%+v, want %+v", p.Summary, want)
	}
	if got := b.all(); len(got) != 900 || got[3] != "K3 Company 53 Ltd. v2 :021-22010953" {
		t.Errorf("%d customers, the fourth %q", len(got), got[3])
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	b := newBook(t)
	b.imported(exchange.Import{File: file("a.csv", list)})
	before := b.all()
	content := "code,name\nC1,Changed\nC7,New\nC2,中国石油化工股份有限公司\n,\nC8,\n"
	p, faults := b.imported(exchange.Import{File: file("b.csv", content), DryRun: true})
	if want := (exchange.Summary{Read: 4, Created: 1, Updated: 1, Unchanged: 1, Refused: 1}); p.Summary != want || len(faults) != 1 {
		t.Errorf("%+v, want %+v; %v", p.Summary, want, faults)
	}
	if after := b.all(); !slices.Equal(before, after) {
		t.Errorf("a dry run made %q of %q", after, before)
	}
	jobs, err := b.session().Jobs(t.Context())
	if err != nil || len(jobs) != 1 {
		t.Errorf("%d imports, %v", len(jobs), err)
	}
}

func TestBadValuesGoToTheNote(t *testing.T) {
	b := newBook(t)
	p, faults := b.imported(exchange.Import{File: file("a.csv", list), ToNote: true})
	if want := (exchange.Summary{Read: 5, Created: 4, Refused: 1, Kept: 1}); p.Summary != want {
		t.Errorf("%+v, want %+v", p.Summary, want)
	}
	if got := b.all()[2]; got != "C3 甲公司 v1 :021-1 (统一社会信用代码: 91310000132260250Z)" {
		t.Errorf("%s", got)
	}
	if !faults[0].Kept || faults[0].Row != 4 {
		t.Errorf("%+v", faults[0])
	}
}

func TestRejectsCanBeMendedAndImported(t *testing.T) {
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(list)
	if err != nil {
		t.Fatal(err)
	}
	b := newBook(t)
	f := file("a.csv", gbk)
	p, _ := b.imported(exchange.Import{File: f})
	var out strings.Builder
	n, err := b.session().Rejects(t.Context(), p.Job, f, &out, language.Chinese)
	if err != nil || n != 2 {
		t.Fatal(n, err)
	}
	text, err := simplifiedchinese.GBK.NewDecoder().String(out.String())
	if err != nil || !strings.HasPrefix(text, "客户编码,客户名称,统一社会信用代码,联系电话,邮箱,错误 · error\nC3,甲公司,91310000132260250Z,021-1,,第4行第3列") {
		t.Fatalf("%v: %s", err, text)
	}
	mended := strings.ReplaceAll(text, "91310000132260250Z", "")
	mended = strings.ReplaceAll(mended, "C4,,,,x", "C4,丙公司,,,x@x.cn")
	p, faults := b.imported(exchange.Import{File: file("mended.csv", mended)})
	if want := (exchange.Summary{Read: 2, Created: 2}); p.Summary != want || len(faults) > 0 {
		t.Errorf("mended: %+v, %v", p.Summary, faults)
	}
	if _, err := b.session().Rejects(t.Context(), p.Job, f, &out, language.English); !errors.Is(err, exchange.ErrChanged) {
		t.Errorf("the rejects of another file: %v", err)
	}
}

func TestWorkbookWithTitleAndGroupedHeadings(t *testing.T) {
	f := excelize.NewFile()
	for cell, v := range map[string]any{
		"A1": "某某公司客户档案", "A2": "编码", "B2": "客户", "D2": "联系人", "B3": "客户名称", "C3": "税号", "D3": "姓名", "E3": "电话",
		"A4": "C1", "B4": "上海汽车集团股份有限公司", "C4": "91310000132260250X", "D4": "王力", "E4": "021-22011138",
		"A6": "C2", "B6": "乙公司", "C6": 110101199003074000.0, "E6": "x",
	} {
		if err := f.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range [][2]string{{"A1", "E1"}, {"A2", "A3"}, {"B2", "C2"}, {"D2", "E2"}} {
		if err := f.MergeCell("Sheet1", r[0], r[1]); err != nil {
			t.Fatal(err)
		}
	}
	buffer, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	b := newBook(t)
	book := bytesFile("档案.xlsx", buffer.Bytes())
	in, err := b.session().Inspect(t.Context(), book, tabular.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fieldsOf(in.Mapping), "code,name,identifier,contact.name,contact.phone"; got != want || in.Mapping.HeaderRow != 2 || in.Mapping.HeaderRows != 2 {
		t.Errorf("got %s at %d+%d, want %s", got, in.Mapping.HeaderRow, in.Mapping.HeaderRows, want)
	}
	p, faults := b.imported(exchange.Import{File: book})
	if want := (exchange.Summary{Read: 2, Created: 1, Refused: 1}); p.Summary != want || len(faults) != 1 || faults[0].Code != exchange.CodeInexact || faults[0].Row != 6 {
		t.Errorf("%+v, %v", p.Summary, faults)
	}
}

func TestUndo(t *testing.T) {
	b := newBook(t)
	b.imported(exchange.Import{File: file("a.csv", list)})
	before := b.all()
	second := "code,name,phone\nC1,Renamed Ltd.,\nC1,Renamed again Ltd.,\nC7,Seventh Ltd.,\nC7,Seventh and last Ltd.,\n"
	p, _ := b.imported(exchange.Import{File: file("b.csv", second)})
	if want := (exchange.Summary{Read: 4, Created: 1, Updated: 3}); p.Summary != want {
		t.Fatalf("%+v, want %+v", p.Summary, want)
	}
	s := b.session()
	if err := s.Undo(t.Context(), p.Job); err != nil {
		t.Fatal(err)
	}
	after := b.all()
	if !strings.HasPrefix(after[0], "C1 上海汽车集团股份有限公司 v5 cn.uscc=91310000132260250X :021-22011138") || !slices.Equal(after[1:3], before[1:3]) || !strings.Contains(after[3], "erased") {
		t.Errorf("undone: %q", after)
	}
	if err := s.Undo(t.Context(), p.Job); !errors.Is(err, customer.ErrStatus) {
		t.Errorf("undone twice: %v", err)
	}
	// Its code is free again.
	p, _ = b.imported(exchange.Import{File: file("b.csv", second)})
	if want := (exchange.Summary{Read: 4, Created: 1, Updated: 3}); p.Summary != want {
		t.Errorf("after undoing: %+v", p.Summary)
	}
	// A later change depends on it.
	b.imported(exchange.Import{File: file("c.csv", "code,name\nC7,Eighth Ltd.\n")})
	unchanged := b.all()
	var depended *exchange.DependentsError
	if err := s.Undo(t.Context(), p.Job); !errors.As(err, &depended) || !errors.Is(err, exchange.ErrDepended) || len(depended.Dependents) != 1 || depended.Dependents[0].Row != 5 {
		t.Errorf("changed since: %v", err)
	}
	if got := b.all(); !slices.Equal(got, unchanged) {
		t.Errorf("a refused undo changed %q to %q", unchanged, got)
	}
}

func TestSynchronisedLists(t *testing.T) {
	b := newBook(t)
	m := &exchange.Mapping{HeaderRow: 1, HeaderRows: 1, Columns: []exchange.Column{{Column: 1, Field: "source.erp"}, {Column: 2, Field: exchange.Name}}}
	first := "id,name\n1,One Ltd.\n2,Two Ltd.\n3,Three Ltd.\n"
	b.imported(exchange.Import{File: file("a.csv", first), Mapping: m, Sync: &exchange.Sync{System: "erp"}})
	second := "id,name\n1,One Ltd.\n3,Third Ltd.\n"
	p, _ := b.imported(exchange.Import{File: file("b.csv", second), Mapping: m, Sync: &exchange.Sync{System: "erp", Archive: true, MaxPercent: 34}})
	if want := (exchange.Summary{Read: 2, Unchanged: 1, Updated: 1, Missing: 1}); p.Summary != want {
		t.Errorf("%+v, want %+v", p.Summary, want)
	}
	if got := b.all()[1]; got != "C000002 Two Ltd. v2 archived erp/2" {
		t.Errorf("missing from the list: %s", got)
	}
	if err := b.session().Undo(t.Context(), p.Job); err != nil {
		t.Fatal(err)
	}
	if got := b.all(); got[1] != "C000002 Two Ltd. v3 erp/2" || got[2] != "C000003 Three Ltd. v3 erp/3" {
		t.Errorf("undone: %q", got)
	}
}

func TestMappingsAreChecked(t *testing.T) {
	b := newBook(t)
	for _, columns := range [][]exchange.Column{
		nil, {{Column: 0, Field: "name"}}, {{Column: 1, Field: "nam"}}, {{Column: 1, Field: "name"}, {Column: 2, Field: "name"}},
		{{Column: 1, Field: "name"}, {Column: 1, Field: "code"}}, {{Column: 1, Field: "attr.nothing"}}, {{Column: 1, Field: "tag.nothing"}}, {{Column: 1, Field: "status"}},
		{{Column: 4, Field: "phone"}, {Column: 5, Field: "email"}}, // of nobody
	} {
		_, err := b.session().Import(t.Context(), exchange.Import{File: file("a.csv", list), Mapping: &exchange.Mapping{HeaderRow: 1, HeaderRows: 1, Columns: columns}})
		var e *exchange.MappingError
		if !errors.As(err, &e) || !errors.Is(err, exchange.ErrMapping) {
			t.Errorf("%v: %v", columns, err)
		}
	}
	if _, err := exchange.ParseMapping([]byte(`{"columnz":[]}`)); !errors.Is(err, exchange.ErrMapping) {
		t.Errorf("a name that mappings have not: %v", err)
	}
	if len(b.all()) > 0 {
		t.Error("something was imported")
	}
}

func TestTooManyRefusedStops(t *testing.T) {
	b := newBook(t)
	p, err := b.session().Import(t.Context(), exchange.Import{File: file("a.csv", list), MaxRefused: 1})
	if !errors.Is(err, exchange.ErrTooManyFaults) || p.Summary.Refused != 2 {
		t.Errorf("%+v, %v", p.Summary, err)
	}
}
