package tabular_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

// made is a workbook that excelize made.
func made(t testing.TB, f *excelize.File) *tabular.File {
	t.Helper()
	var out bytes.Buffer
	if err := errors.Join(f.Write(&out), f.Close()); err != nil {
		t.Fatal(err)
	}
	return &tabular.File{Name: "x.xlsx", Content: bytes.NewReader(out.Bytes()), Size: int64(out.Len())}
}

func set(t testing.TB, f *excelize.File, sheet string, values map[string]any) {
	t.Helper()
	for cell, v := range values {
		if err := f.SetCellValue(sheet, cell, v); err != nil {
			t.Fatal(err)
		}
	}
}

// style gives a cell a number format.
func style(t testing.TB, f *excelize.File, cell, format string) {
	t.Helper()
	id, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
	if err == nil {
		err = f.SetCellStyle("Sheet1", cell, cell, id)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestWorkbookCells(t *testing.T) {
	f := excelize.NewFile()
	set(t, f, "Sheet1", map[string]any{
		"A1": "客户名称", "C1": "x & <y> \"z\"", "D1": " padded ", "E1": "two\nlines",
		"A3": 1234.5, "B3": true, "C3": 0.1, "D3": 110101199003074000.0, "E3": -42,
		"A4": 45519.0, "B4": 45519.75, "C4": 0.5, "D4": 60.0, "E4": 59.0, "F4": 61.0, "G4": 45519.0, "H4": 45519.0,
	})
	for cell, format := range map[string]string{
		"A4": `yyyy"年"m"月"d"日"`, "B4": "yyyy/m/d h:mm", "C4": "hh:mm", "D4": "d-mmm-yy", "E4": "yyyy-mm-dd", "F4": "yyyy-mm-dd",
		"G4": `#,##0.00"days"`, "H4": "[Red]0.00",
	} {
		style(t, f, cell, format)
	}
	if err := f.SetCellFormula("Sheet1", "F3", "1/0"); err != nil {
		t.Fatal(err)
	}
	got := rowsOf(t, made(t, f), tabular.Options{})
	// 45519 days after 30 December 1899 is 15 August 2024.
	want := []string{
		"1|客户名称||x & <y> \"z\"| padded |two\nlines",
		"3|1234.5<1>|true<3>|0.1<1>|110101199003074000<6>|-42<1>|=1/0<4>",
		"4|2024-08-15<2>|2024-08-15 18:00:00<2>|12:00:00<2>|1900-02-29<2>|1900-02-28<2>|1900-03-01<2>|45519<1>|45519<1>",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestDatesFrom1904(t *testing.T) {
	f := excelize.NewFile()
	yes := true
	if err := f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &yes}); err != nil {
		t.Fatal(err)
	}
	// The same day has a number 1,462 lower where days count from 1904.
	set(t, f, "Sheet1", map[string]any{"A1": 45519.0 - 1462, "B1": 0.0})
	style(t, f, "A1", "yyyy-mm-dd")
	style(t, f, "B1", "yyyy-mm-dd")
	if got := rowsOf(t, made(t, f), tabular.Options{}); !slices.Equal(got, []string{"1|2024-08-15<2>|1904-01-01<2>"}) {
		t.Errorf("%q", got)
	}
}

func TestMergedCellsShareTheirText(t *testing.T) {
	f := excelize.NewFile()
	set(t, f, "Sheet1", map[string]any{
		"A1": "客户名单", "A2": "客户", "B2": "联系方式", "B3": "电话", "C3": "邮箱",
		"A4": "华东", "B4": "1", "B5": "2", "B6": "3", "A7": "华北", "B7": "4",
	})
	for _, r := range [][2]string{{"A1", "C1"}, {"A2", "A3"}, {"B2", "C2"}, {"A4", "A6"}} {
		if err := f.MergeCell("Sheet1", r[0], r[1]); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"1|客户名单|客户名单|客户名单", "2|客户|联系方式|联系方式", "3|客户|电话|邮箱", "4|华东|1", "5|华东|2", "6|华东|3", "7|华北|4"}
	if got := rowsOf(t, made(t, f), tabular.Options{}); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestSheets(t *testing.T) {
	f := excelize.NewFile()
	if _, err := f.NewSheet("客户"); err != nil {
		t.Fatal(err)
	}
	set(t, f, "Sheet1", map[string]any{"A1": "hidden"})
	set(t, f, "客户", map[string]any{"A1": "shown"})
	f.SetActiveSheet(1)
	if err := f.SetSheetVisible("Sheet1", false); err != nil {
		t.Fatal(err)
	}
	book := made(t, f)
	if got := rowsOf(t, book, tabular.Options{}); !slices.Equal(got, []string{"1|shown"}) {
		t.Errorf("first visible sheet: %q", got)
	}
	if got := rowsOf(t, book, tabular.Options{Sheet: "Sheet1"}); !slices.Equal(got, []string{"1|hidden"}) {
		t.Errorf("the sheet asked for: %q", got)
	}
	_, err := read(t.Context(), book, tabular.Options{Sheet: "nil"})
	var e *tabular.Error
	if !errors.As(err, &e) || e.Code != tabular.NoSheet || e.Value != "nil" {
		t.Errorf("unknown sheet: %v", err)
	}
}

// workbookOf is a workbook of hand-made parts.
func workbookOf(t testing.TB, parts map[string]string) *tabular.File {
	t.Helper()
	all := map[string]string{
		"[Content_Types].xml":        `<Types/>`,
		"_rels/.rels":                `<Relationships><Relationship Id="r1" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":            `<workbook><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="r1" Type="x/worksheet" Target="/xl/worksheets/s.xml"/></Relationships>`,
	}
	for name, content := range parts {
		all[name] = content
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, content := range all {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return &tabular.File{Name: "x.xlsx", Content: bytes.NewReader(out.Bytes()), Size: int64(out.Len())}
}

func TestWorkbookMarkup(t *testing.T) {
	f := workbookOf(t, map[string]string{
		"xl/sharedStrings.xml": `<?xml version="1.0"?><sst><si><t>台<!-- no -->灣</t><rPh sb="0"><t>taiwan</t></rPh></si><si><r><t>a&#x4E2D;</t></r><r><t xml:space="preserve"> b&amp;&unknown;</t></r></si><si/></sst>`,
		"xl/worksheets/s.xml": `<x:worksheet><x:sheetData><x:row><x:c t="s"><x:v>0</x:v></x:c><x:c t='s'><x:v>1</x:v></x:c><x:c t="s"><x:v>2</x:v></x:c><x:c t="inlineStr"><x:is><x:t><![CDATA[<in>]]> line_x000D_</x:t></x:is></x:c></x:row>` +
			`<x:row r="7" note="a>b"><x:c r="B7" t="e"><x:v>#REF!</x:v></x:c><x:c r="C7" t="d"><x:v>2024-08-15T00:00:00</x:v></x:c><x:c r="D7"><x:f>A1</x:f><x:v>1E3</x:v></x:c></x:row><x:row/></x:sheetData>` +
			`<x:mergeCells><x:mergeCell ref="B7:B9"/></x:mergeCells></x:worksheet>`,
	})
	got := rowsOf(t, f, tabular.Options{})
	want := []string{"1|台灣|a中 b&&unknown;||<in> line\r", "7||#REF!<4>|2024-08-15<2>|1000<1>", "8||#REF!<4>"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestDamagedWorkbooks(t *testing.T) {
	for name, parts := range map[string]map[string]string{
		"cut off":                {"xl/worksheets/s.xml": `<sheetData><row><c><v>1`},
		"a document type":        {"xl/worksheets/s.xml": `<!DOCTYPE x [<!ENTITY a "b">]><sheetData><row/></sheetData>`},
		"no such shared text":    {"xl/worksheets/s.xml": `<sheetData><row><c t="s"><v>3</v></c></row></sheetData>`},
		"no sheet":               {"xl/workbook.xml": `<workbook/>`},
		"a sheet without a part": {},
	} {
		_, err := read(t.Context(), workbookOf(t, parts), tabular.Options{})
		var e *tabular.Error
		if !errors.As(err, &e) || e.Code != tabular.Damaged || !errors.Is(err, tabular.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestArchiveBombsAreRefused(t *testing.T) {
	bomb := `<sheetData><row><c t="str"><v>` + strings.Repeat("0", 64<<20) + `</v></c></row></sheetData>`
	_, err := read(t.Context(), workbookOf(t, map[string]string{"xl/worksheets/s.xml": bomb}), tabular.Options{})
	var e *tabular.Error
	if !errors.As(err, &e) || e.Code != tabular.Inflates || !errors.Is(err, tabular.ErrLimit) {
		t.Errorf("a part that unpacks to a thousand times its size: %v", err)
	}
	rows := `<sheetData>` + strings.Repeat(`<row><c><v>1</v></c></row>`, 10000) + `</sheetData>`
	_, err = read(t.Context(), workbookOf(t, map[string]string{"xl/worksheets/s.xml": rows}), tabular.Options{Limits: tabular.Limits{Unpacked: 300_000}})
	if !errors.As(err, &e) || e.Code != tabular.TooLarge {
		t.Errorf("parts that unpack to more than the limit in all: %v", err)
	}
}

func TestSharedTextsBeyondMemory(t *testing.T) {
	var texts, rows strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&texts, "<si><t>text %d</t></si>", i)
		fmt.Fprintf(&rows, `<row><c t="s"><v>%d</v></c></row>`, 4999-i)
	}
	f := workbookOf(t, map[string]string{
		"xl/sharedStrings.xml": "<sst>" + texts.String() + "</sst>", "xl/worksheets/s.xml": "<sheetData>" + rows.String() + "</sheetData>",
	})
	got := rowsOf(t, f, tabular.Options{Limits: tabular.Limits{Memory: 1000}})
	for i, row := range got {
		if want := fmt.Sprintf("%d|text %d", i+1, 4999-i); row != want {
			t.Fatalf("got %q, want %q", row, want)
		}
	}
	if len(got) != 5000 {
		t.Errorf("%d rows", len(got))
	}
}

func TestWorkbookComesBack(t *testing.T) {
	columns := []tabular.Column{{Heading: "编码"}, {Heading: "Amount", Kind: tabular.Number}, {Heading: "Date", Kind: tabular.Date}, {Heading: "VIP", Kind: tabular.Bool}}
	var out bytes.Buffer
	w, err := (tabular.XLSX{}).Create(&out, tabular.WriteOptions{Sheet: "客户", Columns: columns})
	if err != nil {
		t.Fatal(err)
	}
	rows := [][]tabular.Cell{
		{{Text: "=1+1"}, {Text: "-1234.56", Kind: tabular.Number}, {Text: "2024-02-29", Kind: tabular.Date}, {Text: "true", Kind: tabular.Bool}},
		{{Text: "110101199003074012"}, {Text: "12345678901234567.89", Kind: tabular.Number}, {Text: "1850-01-01", Kind: tabular.Date}, {}},
		{{Text: " _x0041_ \t<&> 台灣"}, {}, {Text: "2024-08-15 18:30:15", Kind: tabular.Date}, {Text: "false", Kind: tabular.Bool}},
	}
	for _, cells := range rows {
		if err := w.Write(cells); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := rowsOf(t, &tabular.File{Name: "x.xlsx", Content: bytes.NewReader(out.Bytes()), Size: int64(out.Len())}, tabular.Options{})
	want := []string{
		"1|编码|Amount|Date|VIP", "2|=1+1|-1234.56<1>|2024-02-29<2>|true<3>", "3|110101199003074012|12345678901234567.89|1850-01-01",
		"4| _x0041_ \t<&> 台灣||2024-08-15 18:30:15<2>|false<3>",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	w, err = (tabular.XLSX{}).Create(&out, tabular.WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var e *tabular.Error
	if err := w.Write([]tabular.Cell{{Text: strings.Repeat("长", 32768)}}); !errors.As(err, &e) || e.Code != tabular.CellTooLong {
		t.Errorf("a text over a cell's limit: %v", err)
	}
	if err := w.Write([]tabular.Cell{{Text: "bell\a"}}); !errors.As(err, &e) || e.Code != tabular.Unencodable {
		t.Errorf("a character that XML has not: %v", err)
	}
}
