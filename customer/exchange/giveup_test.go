package exchange_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

// fragile is CSV whose files fail at a row, and that counts the files that are open.
type fragile struct {
	tabular.CSV
	rows int // that can be written
	open *int
}

func (f fragile) Create(w io.Writer, o tabular.WriteOptions) (tabular.Writer, error) {
	to, err := f.CSV.Create(w, o)
	if err == nil {
		*f.open++
	}
	return &fragileWriter{to, f.rows, f.open}, err
}

type fragileWriter struct {
	tabular.Writer
	left int
	open *int
}

func (w *fragileWriter) Write(cells []tabular.Cell) error {
	if w.left--; w.left < 0 {
		return errDisk
	}
	return w.Writer.Write(cells)
}

func (w *fragileWriter) Close() error {
	*w.open--
	return w.Writer.Close()
}

// A file that is given up is closed, for what its format holds, and nothing more of it
// reaches its destination: it isn't a shorter file that looks complete.
func TestFilesThatAreGivenUp(t *testing.T) {
	b := newBook(t)
	b.imported(exchange.Import{File: file("a.csv", "code,name\nC1,One Ltd\nC2,Two Ltd\nC3,Three Ltd\n")})
	open := 0
	var out bytes.Buffer
	n, err := b.session().Export(t.Context(), &out, exchange.Export{Format: fragile{rows: 2, open: &open}})
	if n != 2 || !errors.Is(err, errDisk) || open != 0 || out.Len() > 0 {
		t.Errorf("export: %d rows, %v; %d files are open, %d bytes are written", n, err, open, out.Len())
	}
	n, err = b.session().Export(t.Context(), &out, exchange.Export{Format: fragile{rows: 3, open: &open}})
	if n != 3 || err != nil || open != 0 || strings.Count(out.String(), "\n") != 4 {
		t.Errorf("the whole export: %d rows, %v; %d files are open\n%s", n, err, open, out.String())
	}

	f := file("b.csv", "code,name,email\nC4,Four Ltd,x\nC5,Five Ltd,y\nC6,Six Ltd,z\n")
	in, err := b.session().Inspect(t.Context(), f, tabular.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, _ := b.imported(exchange.Import{File: f, Mapping: in.Mapping})
	out.Reset()
	n, err = b.session().Rejects(t.Context(), p.Job, f, &out, language.English, fragile{rows: 1, open: &open})
	if n != 1 || !errors.Is(err, errDisk) || open != 0 || out.Len() > 0 {
		t.Errorf("rejects: %d rows, %v; %d files are open, %d bytes are written", n, err, open, out.Len())
	}
	broken := &tabular.File{Name: f.Name, Content: &later{f.Content, 1}, Size: f.Size}
	n, err = b.session().Rejects(t.Context(), p.Job, broken, &out, language.English, fragile{rows: 9, open: &open})
	if n != 0 || !errors.Is(err, errDisk) || open != 0 || out.Len() > 0 {
		t.Errorf("rejects of a file that can't be read: %d rows, %v; %d files are open, %d bytes are written", n, err, open, out.Len())
	}
	n, err = b.session().Rejects(t.Context(), p.Job, f, &out, language.English, fragile{rows: 9, open: &open})
	if n != 3 || err != nil || open != 0 || strings.Count(out.String(), "\n") != 4 {
		t.Errorf("all rejects: %d rows, %v; %d files are open\n%s", n, err, open, out.String())
	}
}

// later is a file that can't be read any more after some reads.
type later struct {
	io.ReaderAt
	reads int
}

func (l *later) ReadAt(p []byte, at int64) (int, error) {
	if l.reads--; l.reads < 0 {
		return 0, errDisk
	}
	return l.ReaderAt.ReadAt(p, at)
}

// Refused rows of a stranger's list don't run as formulas when somebody opens them to mend
// them, and come back as they were.
func TestRejectsDontRunAsFormulas(t *testing.T) {
	b := newBook(t)
	const list = "code,name,phone,email\n" +
		"K1,\"=HYPERLINK(\"\"http://x.example\"\",\"\"pay\"\")\",+86-21-22011138,bad\n" +
		"K2,'@Home Ltd,-,bad\n" + // escaped by who made it
		"K3,\t=1+1 Ltd,＝2,bad\n"
	f := file("a.csv", list)
	in, err := b.session().Inspect(t.Context(), f, tabular.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, _ := b.imported(exchange.Import{File: f, Mapping: in.Mapping})
	var out bytes.Buffer
	if n, err := b.session().Rejects(t.Context(), p.Job, f, &out, language.English); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	for _, want := range []string{"\nK1,\"'=HYPERLINK(", ",'+86-21-22011138,bad,", "\nK2,'@Home Ltd,'-,bad,", "\nK3,'=1+1 Ltd,'＝2,bad,"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lacks %q:\n%s", want, out.String())
		}
	}
	mended := strings.ReplaceAll(strings.ReplaceAll(out.String(), ",bad,", ",,"), "'＝2", "")
	last, faults := b.imported(exchange.Import{File: file("b.csv", mended)})
	if last.Summary.Created != 3 {
		t.Fatalf("%+v, %v", last.Summary, faults)
	}
	got := b.all()
	want := []string{`K1 =HYPERLINK("http://x.example","pay") v1 :+86-21-22011138`, "K2 @Home Ltd v1", "K3 =1+1 Ltd v1"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// A sheet whose formulas no program has computed has its rows refused, not imported without
// the values.
func TestFormulasWithoutResultsAreRefused(t *testing.T) {
	book := excelize.NewFile()
	for cell, v := range map[string]string{"A1": "code", "B1": "name", "C1": "note", "A2": "F1", "B2": "One Ltd", "A3": "F2", "B3": "Two Ltd"} {
		if err := book.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := errors.Join(book.SetCellFormula("Sheet1", "C2", "C9"), book.Write(&out), book.Close()); err != nil {
		t.Fatal(err)
	}
	p, faults := newBook(t).imported(exchange.Import{File: bytesFile("a.xlsx", out.Bytes())})
	if want := (exchange.Summary{Read: 2, Created: 1, Refused: 1}); p.Summary != want || len(faults) != 1 || faults[0].Code != exchange.CodeFormula || faults[0].Value != "=C9" {
		t.Errorf("%+v, %v", p.Summary, faults)
	}
}

// A few rows of megabytes aren't all held in memory to guess what the columns are.
func TestInspectingLongRows(t *testing.T) {
	row := "K1,One Ltd," + strings.Repeat("x", 3<<20) + "\n"
	g := newGenerated("code,name,note\n", 90<<20, func(int64) string { return row })
	in, err := newBook(t).session().Inspect(t.Context(), &tabular.File{Name: "a.csv", Content: g, Size: g.size}, tabular.Options{Encoding: tabular.UTF8, Delimiter: ','})
	if err != nil || in.Rows < 2 || in.Rows > 10 { // of 3 MiB each in 24 MiB
		t.Fatalf("%d rows, %v", in.Rows, err)
	}
	if got, want := fieldsOf(in.Mapping), "code,name,note"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
