package exchange_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

// generated is a file that is made while it is read: rows of equal width behind a heading.
type generated struct {
	heading string
	row     func(i int64) string
	width   int64
	size    int64
}

func newGenerated(heading string, size int64, row func(i int64) string) *generated {
	width := int64(len(row(0)))
	rows := (size - int64(len(heading))) / width
	return &generated{heading, row, width, int64(len(heading)) + rows*width}
}

func (g *generated) ReadAt(p []byte, at int64) (n int, err error) {
	for n < len(p) && at < g.size {
		text := g.heading[min(at, int64(len(g.heading))):]
		if text == "" {
			i := (at - int64(len(g.heading))) / g.width
			text = g.row(i)[(at-int64(len(g.heading)))%g.width:]
		}
		k := copy(p[n:], text)
		n, at = n+k, at+int64(k)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// watched is a file that measures the memory in use while it is read.
type watched struct {
	io.ReaderAt
	most *uint64
	next int64
}

func (w *watched) ReadAt(p []byte, at int64) (int, error) {
	if at >= w.next || at == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		*w.most = max(*w.most, m.HeapInuse+m.StackInuse)
		w.next = at + 1<<20
	}
	return w.ReaderAt.ReadAt(p, at)
}

// A file of CLIENTELE_LARGE_FILE bytes, 8 MB without, is checked whole in a dry run and
// previewed, and the memory in use meanwhile stays below 200 MB whatever its size.
func TestLargeFilesTakeLittleMemory(t *testing.T) {
	size := int64(8 << 20)
	if testing.Short() {
		size = 2 << 20
	}
	if n, err := strconv.ParseInt(os.Getenv("CLIENTELE_LARGE_FILE"), 10, 64); err == nil {
		size = n
	}
	note := strings.Repeat("a note of the customer, ", 40)
	g := newGenerated("code,name,phone,note\n", size, func(i int64) string {
		return fmt.Sprintf("K%012d,第%012d有限公司,021-2%07d,%s\n", i, i, i%1e7, note)
	})
	most := uint64(0)
	f := &tabular.File{Name: "large.csv", Content: &watched{ReaderAt: g, most: &most}, Size: g.size}
	b := newBook(t)
	rows := 0
	for p, err := range b.session().Run(t.Context(), exchange.Import{File: f, DryRun: true}) {
		if err != nil {
			t.Fatal(err)
		}
		rows = p.Summary.Read
		if p.Summary.Created != p.Summary.Read {
			t.Fatalf("%+v", p.Summary)
		}
	}
	if want := int((g.size - int64(len(g.heading))) / g.width); rows != want {
		t.Errorf("%d rows, want %d", rows, want)
	}
	if most > 200<<20 {
		t.Errorf("%d MB in use for a file of %d MB", most>>20, g.size>>20)
	}
	t.Logf("%d MB, %d rows: at most %d MB in use", g.size>>20, rows, most>>20)
	most = 0
	p := b.preview(exchange.Import{File: f})
	if p.Rows != rows || p.Repeats.Groups > 0 || most > 200<<20 {
		t.Errorf("preview: %d rows, %+v, %d MB in use", p.Rows, p.Repeats, most>>20)
	}
	t.Logf("preview: at most %d MB in use", most>>20)
}

// A worksheet has 16,384 columns; one more keeps the row out.
func TestWidestFiles(t *testing.T) {
	line := func(first, second string, columns int) string {
		cells := make([]string, columns)
		cells[0], cells[1], cells[columns-1] = first, second, "x"
		return strings.Join(cells, ",") + "\n"
	}
	b := newBook(t)
	content := line("code", "name", 16384) + line("C1", "甲公司", 16384) + line("C2", "乙公司", 16385) + line("C3", "丙公司", 3)
	p, faults := b.imported(exchange.Import{File: file("wide.csv", content)})
	if want := (exchange.Summary{Read: 3, Created: 2, Refused: 1}); p.Summary != want || len(faults) != 1 || faults[0].Code != string(tabular.TooManyCells) {
		t.Errorf("%+v, %v", p.Summary, faults)
	}
	var out bytes.Buffer
	w, err := (tabular.XLSX{}).Create(&out, tabular.WriteOptions{Columns: make([]tabular.Column, 16384)})
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"code", "W1"} {
		cells := make([]tabular.Cell, 16384)
		cells[0].Text, cells[16383].Text = code, map[string]string{"code": "name", "W1": "宽公司"}[code]
		if err := w.Write(cells); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if p, faults := b.imported(exchange.Import{File: bytesFile("wide.xlsx", out.Bytes())}); p.Summary.Created != 1 {
		t.Errorf("the widest worksheet: %+v, %v", p.Summary, faults)
	}
}

func TestHeadingsThatRepeat(t *testing.T) {
	b := newBook(t)
	content := "客户名称,电话,电话,客户名称,客户编码,编码\n甲公司,021-22011138,021-22011139,甲,C1,X9\n"
	in, err := b.session().Inspect(t.Context(), file("x.csv", content), tabular.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fieldsOf(in.Mapping), "name,phone,phone,alias,code,"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	b.imported(exchange.Import{File: file("x.csv", content)})
	if got, want := b.all()[0], "C1 甲公司 v1 :021-22011138 :021-22011139"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestWhatPeopleWriteForNothing(t *testing.T) {
	b := newBook(t)
	content := "name,phone,email,tax id,address,website\n甲公司,无,-,00000000,暂无,N/A\n"
	p, faults := b.imported(exchange.Import{File: file("x.csv", content)})
	if got, want := b.all()[0], "C000001 甲公司 v1"; p.Summary.Created != 1 || len(faults) > 0 || got != want {
		t.Errorf("%+v, %v, %s", p.Summary, faults, got)
	}
}

// A file that turns out to be damaged behind its first rows leaves nothing behind that
// isn't settled: what was imported is counted, and the rest is imported with the mended file.
func TestDamagedFileLeavesNothingHalfWritten(t *testing.T) {
	b := newBook(t)
	content := []byte("code,name\nC1,甲公司\nC2,乙公司\n")
	broken := &tabular.File{Name: "x.csv", Content: failing{bytes.NewReader(content), 22}, Size: int64(len(content))}
	_, err := b.session().Import(t.Context(), exchange.Import{File: broken, Mapping: &exchange.Mapping{HeaderRow: 1, HeaderRows: 1, Columns: []exchange.Column{{Column: 1, Field: exchange.Code}, {Column: 2, Field: exchange.Name}}}})
	if !errors.Is(err, errDisk) || len(b.all()) != 0 {
		t.Errorf("%v, %q", err, b.all())
	}
}

var errDisk = errors.New("the disk has failed")

// failing is a file of which only the beginning can be read.
type failing struct {
	content *bytes.Reader
	until   int64
}

func (f failing) ReadAt(p []byte, at int64) (int, error) {
	if at+int64(len(p)) > f.until {
		return 0, errDisk
	}
	return f.content.ReadAt(p, at)
}

func TestMappingsCanUseAColumnTwice(t *testing.T) {
	b := newBook(t)
	m := &exchange.Mapping{HeaderRow: 1, HeaderRows: 1, Columns: []exchange.Column{
		{Column: 1, Field: exchange.Code, Prefix: "TW", Also: []exchange.Field{"source.twse"}}, {Column: 2, Field: exchange.Name},
	}}
	b.imported(exchange.Import{File: file("x.csv", "no,name\n1101,台泥\n"), Mapping: m})
	if got, want := b.all()[0], "TW1101 台泥 v1 twse/1101"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	p, _ := b.imported(exchange.Import{File: file("y.csv", "no,name\n1101,臺泥\n"), Mapping: m, FormerNames: true})
	if p.Summary.Updated != 1 {
		t.Errorf("%+v", p.Summary)
	}
	m.Columns[1].Also = []exchange.Field{exchange.Code}
	if _, err := b.session().Import(t.Context(), exchange.Import{File: file("z.csv", "no,name\n1,x\n"), Mapping: m}); !errors.Is(err, exchange.ErrMapping) {
		t.Errorf("a field of two columns: %v", err)
	}
}
