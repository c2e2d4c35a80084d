package exchange_test

import (
	"archive/zip"
	"bufio"
	"encoding/xml"
	"fmt"
	"io"

	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

// spreadsheet writes workbooks as spreadsheet programs do (ECMA-376 part 1, 18.4): each text
// stands once in a table of the whole workbook, which cells refer to by number, where
// [tabular.XLSX] writes it into the cell.
type spreadsheet struct{ tabular.XLSX }

// Create begins a workbook. It keeps all texts in memory.
func (spreadsheet) Create(to io.Writer, o tabular.WriteOptions) (tabular.Writer, error) {
	w := &spreadsheetWriter{zip: zip.NewWriter(to), numbers: map[string]int{}}
	for _, part := range [][2]string{
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`},
		{"_rels/.rels", `<Relationships><Relationship Id="r1" Type="http://x/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", `<workbook xmlns:r="http://x"><sheets><sheet name="Sheet1" sheetId="1" r:id="r1"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="r1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`},
	} {
		out, err := w.zip.Create(part[0])
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(out, part[1]); err != nil {
			return nil, err
		}
	}
	sheet, err := w.zip.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		return nil, err
	}
	w.sheet = bufio.NewWriter(sheet)
	fmt.Fprint(w.sheet, `<worksheet><sheetData>`)
	headings := make([]tabular.Cell, len(o.Columns))
	for i, c := range o.Columns {
		headings[i].Text = c.Heading
	}
	return w, w.Write(headings)
}

type spreadsheetWriter struct {
	zip     *zip.Writer
	sheet   *bufio.Writer
	texts   []string
	numbers map[string]int
	rows    int
}

func (w *spreadsheetWriter) Write(cells []tabular.Cell) error {
	w.rows++
	fmt.Fprintf(w.sheet, `<row r="%d" spans="1:%d">`, w.rows, len(cells))
	for i, c := range cells {
		if c.Text == "" {
			continue
		}
		n, known := w.numbers[c.Text]
		if !known {
			n = len(w.texts)
			w.numbers[c.Text] = n
			w.texts = append(w.texts, c.Text)
		}
		fmt.Fprintf(w.sheet, `<c r="%c%d" t="s"><v>%d</v></c>`, 'A'+i, w.rows, n)
	}
	_, err := w.sheet.WriteString(`</row>`)
	return err
}

func (w *spreadsheetWriter) Close() error {
	fmt.Fprint(w.sheet, `</sheetData></worksheet>`)
	if err := w.sheet.Flush(); err != nil {
		return err
	}
	part, err := w.zip.Create("xl/sharedStrings.xml")
	if err != nil {
		return err
	}
	out := bufio.NewWriter(part)
	fmt.Fprintf(out, `<sst uniqueCount="%d">`, len(w.texts))
	for _, text := range w.texts {
		fmt.Fprint(out, `<si><t>`)
		if err := xml.EscapeText(out, []byte(text)); err != nil {
			return err
		}
		fmt.Fprint(out, `</t></si>`)
	}
	fmt.Fprint(out, `</sst>`)
	if err := out.Flush(); err != nil {
		return err
	}
	return w.zip.Close()
}
