package tabular_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

// A cell whose quotation mark is never closed costs its line, and the error says where
// the mark is; the rows before and behind it are whole.
func TestOpenQuoteIsNamed(t *testing.T) {
	for content, want := range map[string]string{
		"a,b\n1,2\n3,\"4\n5,6\n7,8\n":            "row 3 line 3 column 2",
		"a,b\n1,\"two\nlines\"\n\"3,4\n5,6\n":    "row 3 line 4 column 1",
		"a,b,c\n1,\"x\"\"\",\"never closed\n5,6": "row 2 line 2 column 3",
	} {
		var got []string
		rows := 0
		for row, err := range (tabular.CSV{}).Read(t.Context(), &tabular.File{Name: "a.csv", Content: strings.NewReader(content), Size: int64(len(content))}, tabular.Options{}) {
			if err != nil {
				t.Fatal(err)
			}
			rows++
			if e := row.Err; e != nil {
				got = append(got, fmt.Sprintf("row %d line %d column %d", e.Row, e.Line, e.Column))
				if e.Code != tabular.OpenQuote || !errors.Is(e, tabular.ErrFormat) {
					t.Errorf("%q: %v", content, e)
				}
			} else if len(row.Cells) < 2 {
				t.Errorf("%q: row %d is %v", content, row.Number, row.Cells)
			}
		}
		if len(got) != 1 || got[0] != want {
			t.Errorf("%q: %v, want %s", content, got, want)
		}
	}
}

// A table that fills a worksheet, whose 1,048,576 rows begin with the heading, goes on in
// a second one, and is read as one table again.
func TestTablesBeyondOneSheet(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: a million rows take some seconds")
	}
	const rows = 1<<20 + 3
	f, err := os.CreateTemp(t.TempDir(), "*.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := (tabular.XLSX{}).Create(f, tabular.WriteOptions{Sheet: "客户", Columns: []tabular.Column{{Heading: "no", Kind: tabular.Number}}})
	if err != nil {
		t.Fatal(err)
	}
	cells := []tabular.Cell{{Kind: tabular.Number}}
	for i := range rows {
		cells[0].Text = fmt.Sprint(i)
		if err := w.Write(cells); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		t.Fatal(err)
	}
	file := &tabular.File{Name: "x.xlsx", Content: f, Size: size}
	shape, err := (tabular.XLSX{}).Inspect(t.Context(), file, tabular.Options{})
	if err != nil || strings.Join(shape.Sheets, "|") != "客户|客户 (2)" || shape.Sheet != "客户" {
		t.Fatalf("%+v, %v", shape, err)
	}
	n, last := -1, 0 // the heading comes first
	for row, err := range (tabular.XLSX{}).Read(t.Context(), file, shape.Options()) {
		if err != nil {
			t.Fatal(err)
		}
		if row.Number <= last {
			t.Fatalf("row %d comes behind row %d", row.Number, last)
		}
		if want := fmt.Sprint(n); n >= 0 && row.Cells[0].Text != want {
			t.Fatalf("row %d is %s, want %s", row.Number, row.Cells[0].Text, want)
		}
		last = row.Number
		n++
	}
	if n != rows {
		t.Errorf("%d rows, want %d", n, rows)
	}
	// The second sheet alone, its heading first: rows 1,048,575 to 1,048,578 of the table.
	got := rowsOf(t, file, tabular.Options{Sheet: "客户 (2)"})
	if len(got) != 5 || got[0] != "1|no" || got[1] != "2|1048575<1>" {
		t.Errorf("%q", got)
	}
}

// A text of which only the number is kept takes nothing but the index, which is bounded.
func TestSharedTextsBeyondTheIndex(t *testing.T) {
	texts := strings.Repeat("<si/>", 16*(64<<10)/8+100)
	f := workbookOf(t, map[string]string{"xl/sharedStrings.xml": "<sst>" + texts + "</sst>", "xl/worksheets/s.xml": "<sheetData/>"})
	_, err := read(t.Context(), f, tabular.Options{Limits: tabular.Limits{Memory: 1000}})
	var e *tabular.Error
	if !errors.As(err, &e) || e.Code != tabular.Inflates || !errors.Is(err, tabular.ErrLimit) {
		t.Errorf("%v", err)
	}
	if _, err := read(t.Context(), f, tabular.Options{}); err != nil {
		t.Errorf("within the default: %v", err)
	}
}

func TestMergedRangesAreBounded(t *testing.T) {
	ranges := strings.Repeat(`<mergeCell ref="A1:B2"/>`, 1<<19+1)
	f := workbookOf(t, map[string]string{"xl/worksheets/s.xml": "<worksheet><sheetData><row><c><v>1</v></c></row></sheetData><mergeCells>" + ranges + "</mergeCells></worksheet>"})
	_, err := read(t.Context(), f, tabular.Options{})
	var e *tabular.Error
	if !errors.As(err, &e) || e.Code != tabular.TooManyMerged {
		t.Errorf("%v", err)
	}
}

// A double has 15 digits that are sure and 17 that tell it from others: numbers of more
// digits can't have come from a spreadsheet whole, and aren't rounded unsaid.
func TestNumbersOfMoreDigitsThanAWorksheetKeeps(t *testing.T) {
	for stored, want := range map[string]string{
		"123456789012345":            "123456789012345<1>",        // 15
		"1234567890123456":           "1234567890123456<6>",       // 16, the last of which a spreadsheet makes 0
		"110101199003074012":         "110101199003074012<6>",     // 18, as written; a double has multiples of 16 there
		"1.10101199003074E+17":       "110101199003074000<6>",     // as Excel stores it
		"3703.6800000000003":         "3703.68<1>",                // 3 × 1234.56 in binary
		"0.33333333333333331":        "0.333333333333333<1>",      // 1/3
		"1234567.8901234567890":      "1234567.8901234567890<6>",  // 19 digits, of which a double keeps 17
		"1234567890123456.75":        "1234567890123456.75<6>",    // whole digits are lost already
		"1000000000000000000000":     "1000000000000000000000<6>", // may have been anything
		"0.000000000000000000000001": "0.000000000000000000000001<1>",
	} {
		f := workbookOf(t, map[string]string{"xl/worksheets/s.xml": "<sheetData><row><c><v>" + stored + "</v></c></row></sheetData>"})
		if got := rowsOf(t, f, tabular.Options{}); len(got) != 1 || got[0] != "1|"+want {
			t.Errorf("%s: %q, want %s", stored, got, want)
		}
	}
}

// The texts that are far apart in the file are found, whichever is asked for first.
func TestSharedTextsOfAllLengths(t *testing.T) {
	var texts, rows strings.Builder
	want := []string{}
	for i := range 3000 {
		fmt.Fprintf(&texts, "<si><t>%s%d</t></si>", strings.Repeat("长", i%150), i)
	}
	for i := range 3000 {
		k := i * 7919 % 3000
		fmt.Fprintf(&rows, `<row><c t="s"><v>%d</v></c></row>`, k)
		want = append(want, fmt.Sprintf("%d|%s%d", i+1, strings.Repeat("长", k%150), k))
	}
	f := workbookOf(t, map[string]string{
		"xl/sharedStrings.xml": "<sst>" + texts.String() + "</sst>", "xl/worksheets/s.xml": "<sheetData>" + rows.String() + "</sheetData>",
	})
	for _, memory := range []int{1, 100_000, 0} {
		if got := rowsOf(t, f, tabular.Options{Limits: tabular.Limits{Memory: memory}}); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("memory %d: other texts", memory)
		}
	}
}
