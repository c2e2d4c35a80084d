package tabular_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

const benchRows = 20000

var benchColumns = []tabular.Column{
	{Heading: "code"}, {Heading: "name"}, {Heading: "tax id"}, {Heading: "phone"}, {Heading: "e-mail"}, {Heading: "address"},
	{Heading: "city"}, {Heading: "rep"}, {Heading: "limit", Kind: tabular.Number}, {Heading: "since", Kind: tabular.Date},
}

func writeBench(b *testing.B, to io.Writer, format tabular.Format) {
	w, err := format.Create(to, tabular.WriteOptions{Columns: benchColumns})
	if err != nil {
		b.Fatal(err)
	}
	cells := make([]tabular.Cell, 10)
	for i := range benchRows {
		for j, text := range []string{fmt.Sprint("C", i), "上海汽车集团股份有限公司", "91310000132260250X", "021-22011138", "info@example.com",
			"上海市静安区威海路489号", "上海", "wang.li", "1250000.50", "2024-08-15"} {
			cells[j] = tabular.Cell{Text: text, Kind: benchColumns[j].Kind}
		}
		if err := w.Write(cells); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, format := range tabular.Formats() {
		b.Run(format.Name(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				writeBench(b, io.Discard, format)
			}
			b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for _, format := range tabular.Formats() {
		b.Run(format.Name(), func(b *testing.B) {
			var out bytes.Buffer
			writeBench(b, &out, format)
			f := &tabular.File{Name: "x" + format.Extension(), Content: bytes.NewReader(out.Bytes()), Size: int64(out.Len())}
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				for row, err := range format.Read(b.Context(), f, tabular.Options{}) {
					if err != nil || row.Err != nil {
						b.Fatal(err, row.Err)
					}
					n++
				}
				if n != benchRows+1 {
					b.Fatal(n, "rows")
				}
			}
			b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
