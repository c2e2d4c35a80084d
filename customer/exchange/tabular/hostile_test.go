package tabular_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/clientele-go/clientele/customer/exchange/tabular"
	"github.com/clientele-go/clientele/internal/sample"
)

// within fails the test if work takes longer than anything but a fault can.
func within(t *testing.T, work func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		work()
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("it takes more than a minute")
	}
}

// A tag is read once, however many of its characters might end it: a megabyte of > in an
// attribute took hours when each of them had the tag searched from its beginning.
func TestMarksWithinAttributes(t *testing.T) {
	long := strings.Repeat(">", 1<<20)
	f := workbookOf(t, map[string]string{"xl/worksheets/s.xml": `<sheetData note="` + long + `' /"><row note='">"'><c><v>1</v></c></row></sheetData>`})
	within(t, func() {
		if got := rowsOf(t, f, tabular.Options{}); !slices.Equal(got, []string{"1|1<1>"}) {
			t.Errorf("%.100q", got)
		}
	})
}

// Ranges that lie upon one another don't make each row cost as much as all of them.
func TestMergedRangesThatOverlap(t *testing.T) {
	const rows = 400
	sheet := "<worksheet><sheetData><row><c t=\"str\"><v>x</v></c></row>" + strings.Repeat("<row/>", rows-1) + "</sheetData><mergeCells>" +
		strings.Repeat(fmt.Sprintf(`<mergeCell ref="A1:XFD%d"/>`, rows), 16384) + "</mergeCells></worksheet>"
	f := workbookOf(t, map[string]string{"xl/worksheets/s.xml": sheet})
	within(t, func() {
		n := 0
		for row, err := range (tabular.XLSX{}).Read(t.Context(), f, tabular.Options{}) {
			if err != nil {
				t.Error(err)
				return
			}
			if n++; len(row.Cells) != 16384 || row.Cells[16383].Text != "x" {
				t.Errorf("row %d has %d cells", row.Number, len(row.Cells))
			}
		}
		if n != rows {
			t.Errorf("%d rows, want %d", n, rows)
		}
	})
}

// Neighbours that fill the row, and ranges beyond the last column that is read.
func TestMergedRangesSideBySide(t *testing.T) {
	f := workbookOf(t, map[string]string{"xl/worksheets/s.xml": `<worksheet><sheetData><row><c r="A1"><v>1</v></c><c r="C1"><v>2</v></c></row><row/></sheetData>` +
		`<mergeCells><mergeCell ref="A1:B2"/><mergeCell ref="C1:XFD2"/></mergeCells></worksheet>`})
	if got, want := rowsOf(t, f, tabular.Options{Limits: tabular.Limits{Columns: 4}}), []string{"1|1<1>|1<1>|2<1>|2<1>", "2|1<1>|1<1>|2<1>|2<1>"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A formula whose result the file hasn't, as programs write them that don't compute, is no
// empty cell. One that came to an empty text is.
func TestFormulasThatNobodyComputed(t *testing.T) {
	f := workbookOf(t, map[string]string{"xl/worksheets/s.xml": `<sheetData><row>` +
		`<c><f>B1*&quot;2&quot;</f><v></v></c><c><f>1+1</f></c><c><f t="shared" si="0"/><v/></c><c t="str"><f>A1</f></c>` + // never computed
		`<c t="str"><f>""</f><v></v></c><c><f>1+1</f><v>2</v></c><c/></row></sheetData>`})
	want := []string{`1|=B1*"2"<4>|=1+1<4>|=<4>|=A1<4>||2<1>`}
	if got := rowsOf(t, f, tabular.Options{}); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

var errDisk = errors.New("the disk has failed")

// failing is a file that can't be read from a place on.
type failing struct {
	*bytes.Reader
	from int64
}

func (f failing) ReadAt(p []byte, at int64) (int, error) {
	if at+int64(len(p)) > f.from {
		return 0, errDisk
	}
	return f.Reader.ReadAt(p, at)
}

// A disk that fails is told as such, wherever it does, and not as a damaged workbook that
// is to be saved once more.
func TestFailingDisksAreNoDamagedFiles(t *testing.T) {
	var sheet strings.Builder
	for i := range 20000 { // varied, so that it stays some hundred kilobytes
		fmt.Fprintf(&sheet, "<row><c><v>%d</v></c></row>", i*7919%1000003)
	}
	whole := workbookOf(t, map[string]string{"xl/worksheets/s.xml": "<sheetData>" + sheet.String() + "</sheetData>"})
	content := make([]byte, whole.Size)
	if _, err := whole.Content.ReadAt(content, 0); err != nil {
		t.Fatal(err)
	}
	told := map[bool]int{}
	for from := int64(4096); from <= whole.Size; from += whole.Size / 8 {
		f := &tabular.File{Name: "x.xlsx", Content: failing{bytes.NewReader(content), from}, Size: whole.Size}
		var failed error
		for _, err := range (tabular.XLSX{}).Read(t.Context(), f, tabular.Options{}) {
			failed = err
		}
		told[failed != nil]++
		if failed != nil && (!errors.Is(failed, errDisk) || errors.Is(failed, tabular.ErrFormat)) {
			t.Errorf("failing from %d on: %v", from, failed)
		}
	}
	if told[true] < 7 {
		t.Errorf("only %d of the files failed", told[true])
	}
}

// cancelling ends a context once so many bytes of a file were read.
type cancelling struct {
	io.ReaderAt
	left   *int
	cancel context.CancelFunc
}

func (c cancelling) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, at)
	if *c.left -= n; *c.left < 0 {
		c.cancel()
	}
	return n, err
}

// A workbook of long shared texts is given up while they are read, before any row.
func TestReadingWorkbooksEndsWithTheContext(t *testing.T) {
	var texts strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&texts, "<si><t>text %d</t></si>", i*7919%1000003)
	}
	whole := workbookOf(t, map[string]string{"xl/sharedStrings.xml": "<sst>" + texts.String() + "</sst>", "xl/worksheets/s.xml": "<sheetData><row/></sheetData>"})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	left := int(whole.Size / 4)
	f := &tabular.File{Name: "x.xlsx", Content: cancelling{whole.Content, &left, cancel}, Size: whole.Size}
	rows := 0
	var failed error
	for row, err := range (tabular.XLSX{}).Read(ctx, f, tabular.Options{}) {
		if failed = err; row != nil {
			rows++
		}
	}
	if rows > 0 || !errors.Is(failed, context.Canceled) || errors.Is(failed, tabular.ErrFormat) {
		t.Errorf("%d rows, %v", rows, failed)
	}
	if left < -int(whole.Size/2) {
		t.Errorf("%d bytes more were read", -left)
	}
}

// Rows of UTF-8 in a file of GB18030, as it comes of putting two files together, are told:
// of an even number of characters others come that are not wrong as such.
func TestRowsInAnotherEncoding(t *testing.T) {
	encoded := func(e encoding.Encoding, text string) string {
		s, err := e.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	const names = "上海汽车集团股份有限公司,北京市\n中国石油化工股份有限公司,王力\n"
	content := strings.Repeat(encoded(simplifiedchinese.GB18030, names), 20) + "上海汽车集团股份有限公司,C1\n" + encoded(simplifiedchinese.GB18030, names)
	got := rowsOf(t, file("x.csv", content), tabular.Options{})
	for i, row := range got {
		if wrong := strings.Contains(row, "<7>"); wrong != (i == 40) {
			t.Errorf("%s", row)
		}
	}
	if last := got[40]; len(got) != 43 || !strings.HasSuffix(last, "|C1") {
		t.Errorf("%d rows, %s", len(got), last)
	}
	content = strings.Repeat(encoded(charmap.Windows1252, "Müller GmbH,Köln\n"), 20) + "Société Générale,Paris\n"
	got = rowsOf(t, file("y.csv", content), tabular.Options{})
	if len(got) != 21 || strings.Contains(strings.Join(got[:20], ""), "<7>") || !strings.HasSuffix(got[20], "<7>|Paris") {
		t.Errorf("%q", got)
	}
}

// Names and addresses as they are aren't taken for another encoding's.
func TestNamesInTheFilesEncoding(t *testing.T) {
	content, err := os.ReadFile("../../search/testdata/tw_listed.csv")
	if err != nil {
		t.Fatal(err)
	}
	list := bytes.NewBuffer(content)
	for i := range 20_000 {
		c := sample.Customer(1, i)
		fmt.Fprintf(list, "%s,%s\n", c.Name, c.Addresses[0].Text)
	}
	for _, e := range []struct {
		name tabular.Encoding
		encoding.Encoding
	}{{tabular.GB18030, simplifiedchinese.GB18030}, {tabular.GB18030, simplifiedchinese.GBK}} {
		content, err := encoding.ReplaceUnsupported(e.NewEncoder()).Bytes(list.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		rows := rowsOf(t, file("x.csv", string(content)), tabular.Options{Encoding: e.name})
		for _, row := range rows {
			if strings.Contains(row, "<7>") {
				t.Errorf("%s", row)
			}
		}
		if len(rows) < 20_000 {
			t.Errorf("only %d rows", len(rows))
		}
	}
}

// Keys of objects, which are a row as well, take no more than one.
func TestKeysAreBounded(t *testing.T) {
	var content strings.Builder
	for i := range 50 {
		fmt.Fprintf(&content, `{"%s%d":1}`+"\n", strings.Repeat("k", 1000), i)
	}
	f := file("x.jsonl", content.String())
	for row, err := range (tabular.JSONLines{}).Read(t.Context(), f, tabular.Options{Limits: tabular.Limits{RowBytes: 5000}}) {
		if err != nil {
			t.Fatal(err)
		}
		if row.Number == 1 && len(row.Cells) != 4 { // of 1,001 bytes each
			t.Errorf("%d keys", len(row.Cells))
		}
		if known := row.Err == nil; known != (row.Number <= 5) {
			t.Errorf("row %d: %v", row.Number, row.Err)
		}
	}
}

// Closing a workbook whose destination fails leaves no temporary file behind.
func TestWorkbooksGivenUpLeaveNothing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	to := &refusing{}
	w, err := (tabular.XLSX{}).Create(to, tabular.WriteOptions{Columns: []tabular.Column{{Heading: "note"}}})
	if err != nil {
		t.Fatal(err)
	}
	note := strings.Repeat("x", 30_000)
	for range 700 { // 21 MB, of which excelize keeps 16 in memory
		if err := w.Write([]tabular.Cell{{Text: note}}); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) == 0 {
		t.Fatalf("nothing waits in a file: %v", err)
	}
	if err := w.Close(); !errors.Is(err, errDisk) {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v are left, %v", left, err)
	}
}

type refusing struct{}

func (refusing) Write([]byte) (int, error) { return 0, errDisk }
