package exchange_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
	"github.com/clientele-go/clientele/internal/sample"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// benchRows is how many customers benchmarks import and export: CLIENTELE_BENCH_ROWS,
// otherwise 20,000.
func benchRows() int {
	if n, err := strconv.Atoi(os.Getenv("CLIENTELE_BENCH_ROWS")); err == nil {
		return n
	}
	return 20_000
}

var benchFields = []exchange.Field{
	exchange.Code, exchange.Name, exchange.PartyOf, exchange.Country, "identifier.cn.uscc", "identifier.cn.resident", "identifier.tw.ubn",
	exchange.Phone, "phone.mobile", exchange.Email, exchange.Address, exchange.ContactName,
}

// benchFile writes sample customers as a file and returns its name.
func benchFile(b *testing.B, format tabular.Format) string {
	b.Helper()
	name := filepath.Join(b.TempDir(), "list"+format.Extension())
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	columns := make([]tabular.Column, len(benchFields))
	for i, field := range benchFields {
		columns[i].Heading = string(field)
	}
	w, err := format.Create(f, tabular.WriteOptions{Columns: columns})
	if err != nil {
		b.Fatal(err)
	}
	cells := make([]tabular.Cell, len(columns))
	for c := range sample.Customers(1, benchRows()) {
		clear(cells)
		cells[0].Text, cells[1].Text, cells[2].Text, cells[3].Text = c.Code, c.Name, c.Party.String(), c.Country
		for _, x := range c.Identifiers {
			for i, field := range benchFields {
				if string(field) == "identifier."+x.Scheme {
					cells[i].Text = x.Value
				}
			}
		}
		for i, p := range c.Phones[:min(len(c.Phones), 2)] {
			cells[7+i].Text = p.Number
		}
		if len(c.Emails) > 0 {
			cells[9].Text = c.Emails[0].Address
		}
		if len(c.Addresses) > 0 {
			cells[10].Text = c.Addresses[0].Text
		}
		if len(c.Contacts) > 0 {
			cells[11].Text = c.Contacts[0].Name
		}
		if err := w.Write(cells); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return name
}

func benchMapping() *exchange.Mapping {
	m := &exchange.Mapping{HeaderRow: 1, HeaderRows: 1}
	for i, f := range benchFields {
		m.Columns = append(m.Columns, exchange.Column{Column: i + 1, Field: f})
	}
	return m
}

// rates reports rows a second, of time and of all processors' time.
func rates(b *testing.B, rows int, cpu time.Duration) {
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	if cpu > 0 {
		b.ReportMetric(float64(rows)*float64(b.N)/cpu.Seconds(), "rows/cpu-s")
	}
}

// BenchmarkImport brings sample customers into a new book on disk, each validated,
// normalised and in the journal, with and without looking for duplicates, of files of text,
// workbooks of ours and those of spreadsheet programs. Peak-MiB is what the program needs,
// with the runs before it.
func BenchmarkImport(b *testing.B) {
	for _, c := range []struct {
		name   string
		format tabular.Format
		policy exchange.DuplicatePolicy
	}{
		{"csv", tabular.CSV{}, exchange.SkipDuplicates}, {"csv unchecked", tabular.CSV{}, exchange.AllowDuplicates},
		{"xlsx", tabular.XLSX{}, exchange.SkipDuplicates}, {"xlsx unchecked", tabular.XLSX{}, exchange.AllowDuplicates},
		{"spreadsheet", spreadsheet{}, exchange.SkipDuplicates}, {"spreadsheet unchecked", spreadsheet{}, exchange.AllowDuplicates},
	} {
		b.Run(c.name, func(b *testing.B) {
			name := benchFile(b, c.format)
			rows := 0
			debug.FreeOSMemory() // what making the file took
			resetPeak()
			start := cpuTime()
			for b.Loop() {
				rows = benchImport(b, name, c.policy)
			}
			rates(b, rows, cpuTime()-start)
			b.ReportMetric(float64(peakMemory())/(1<<20), "peak-MiB")
		})
	}
}

func benchImport(b *testing.B, name string, policy exchange.DuplicatePolicy) int {
	to, err := openBook(b, b.TempDir(), pebblekv.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer to.close()
	f, closer, err := tabular.Open(name)
	if err != nil {
		b.Fatal(err)
	}
	defer closer.Close()
	p, err := to.session().Import(context.Background(), exchange.Import{File: f, Mapping: benchMapping(), Duplicates: policy})
	if err != nil || p.Summary.Refused > p.Summary.Read/100 {
		b.Fatalf("%+v, %v", p.Summary, err)
	}
	return p.Summary.Read
}

// BenchmarkExport writes a book's customers in the order of creation.
func BenchmarkExport(b *testing.B) {
	from, err := openBook(b, b.TempDir(), pebblekv.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer from.close()
	f, closer, err := tabular.Open(benchFile(b, tabular.CSV{}))
	if err != nil {
		b.Fatal(err)
	}
	defer closer.Close()
	if _, err := from.session().Import(context.Background(), exchange.Import{File: f, Mapping: benchMapping(), Duplicates: exchange.AllowDuplicates}); err != nil {
		b.Fatal(err)
	}
	for _, format := range []tabular.Format{tabular.CSV{}, tabular.XLSX{}, tabular.JSONLines{}} {
		b.Run(format.Name(), func(b *testing.B) {
			rows := 0
			start := cpuTime()
			for b.Loop() {
				if rows, err = from.session().Export(context.Background(), io.Discard, exchange.Export{Format: format, Fields: benchFields}); err != nil {
					b.Fatal(err)
				}
			}
			rates(b, rows, cpuTime()-start)
		})
	}
}

// BenchmarkInspect recognises a list by its first rows.
func BenchmarkInspect(b *testing.B) {
	book := newBook(b)
	var list bytes.Buffer
	list.WriteString("客户编码,客户名称,联系电话\n")
	for i := range 1000 {
		fmt.Fprintf(&list, "C%d,第%d有限公司,021-2%07d\n", i, i, i)
	}
	for b.Loop() {
		if _, err := book.session().Inspect(context.Background(), bytesFile("x.csv", list.Bytes()), tabular.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
