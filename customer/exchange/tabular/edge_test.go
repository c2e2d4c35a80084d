package tabular_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

// The reader's buffer holds 64 KiB.
func TestLastLineThatFillsTheBuffer(t *testing.T) {
	line := `{"a":"` + strings.Repeat("x", 64<<10-8) + `"}`
	content := `{"a":"1"}` + "\n" + line
	for _, text := range []string{line, content} {
		rows := 0
		for row, err := range (tabular.JSONLines{}).Read(t.Context(), &tabular.File{Name: "a.jsonl", Content: strings.NewReader(text), Size: int64(len(text))}, tabular.Options{}) {
			if err != nil || row.Err != nil {
				t.Fatal(err, row.Err)
			}
			rows++
		}
		if want := 2 + strings.Count(text, "\n"); rows != want {
			t.Errorf("%d rows with the heading, want %d", rows, want)
		}
	}
}

// Latin names may come first in a sorted list.
func TestEncodingOfAFileThatBeginsInASCII(t *testing.T) {
	var text strings.Builder
	text.WriteString("name,city\n")
	for i := 0; text.Len() < 600<<10; i++ {
		fmt.Fprintf(&text, "Customer %d,Berlin\n", i)
	}
	for range 50 {
		text.WriteString("上海汽车集团股份有限公司,上海\n")
	}
	content, err := simplifiedchinese.GB18030.NewEncoder().String(text.String())
	if err != nil {
		t.Fatal(err)
	}
	f := &tabular.File{Name: "a.csv", Content: strings.NewReader(content), Size: int64(len(content))}
	shape, err := (tabular.CSV{}).Inspect(t.Context(), f, tabular.Options{})
	if err != nil || shape.Encoding != tabular.GB18030 || shape.Delimiter != ',' {
		t.Errorf("%+v %v", shape, err)
	}
}

// Rows whose numbers repeat or go back, as careless programs write them, stay apart.
func TestRowNumbersGrow(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range map[string]string{
		"[Content_Types].xml":        `<Types/>`,
		"_rels/.rels":                `<Relationships><Relationship Id="1" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":            `<workbook><sheets><sheet name="A" r:id="1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="1" Type="x/worksheet" Target="a.xml"/></Relationships>`,
		"xl/a.xml": `<worksheet><sheetData><row r="3"><c t="str"><v>a</v></c></row><row r="3"><c t="str"><v>b</v></c></row><row r="1"><c t="str"><v>c</v></c></row>` +
			`<row r="9223372036854775807"><c t="str"><v>d</v></c></row><row><c t="str"><v>e</v></c></row></sheetData></worksheet>`,
	} {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	got := ""
	for row, err := range (tabular.XLSX{}).Read(t.Context(), &tabular.File{Name: "a.xlsx", Content: bytes.NewReader(b.Bytes()), Size: int64(b.Len())}, tabular.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		got += fmt.Sprintf("%d%s ", row.Number, row.Cells[0].Text)
	}
	if got != "3a 4b 5c 6d 7e " {
		t.Errorf("%q", got)
	}
}
