package report

import (
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

// styleKey is what a cell looks like; equal ones share a style.
type styleKey struct {
	bold, soft, link, wrap, top, right bool
	size                               float64
	fill, color, format                string
}

func (b *workbook) style(k styleKey) int {
	if id, ok := b.styles[k]; ok {
		return id
	}
	s := &excelize.Style{Font: &excelize.Font{Bold: k.bold, Size: max(k.size, 11), Color: k.color}, Alignment: &excelize.Alignment{Vertical: "top", WrapText: k.wrap}}
	if k.right {
		s.Alignment.Horizontal = "right"
	}
	if k.soft {
		s.Font.Color = "5C6B7A"
	}
	if k.link {
		s.Font.Color, s.Font.Underline = "2F6FB7", "single"
	}
	if k.fill != "" {
		s.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{k.fill}}
	}
	if k.top {
		s.Border = []excelize.Border{{Type: "top", Color: "5C6B7A", Style: 1}}
	}
	if k.format != "" {
		s.CustomNumFmt = &k.format
	}
	id, err := b.file.NewStyle(s)
	b.fail(err)
	if b.styles == nil {
		b.styles = map[styleKey]int{}
	}
	b.styles[k] = id
	return id
}

// set writes a text. It is stored as one, so that it never runs as a formula.
func (b *workbook) set(sheet string, x, y int, text string, style int) {
	name, err := excelize.CoordinatesToCellName(x, y)
	b.fail(err)
	if b.err != nil {
		return
	}
	if text != "" {
		b.fail(b.file.SetCellStr(sheet, name, text))
	}
	b.fail(b.file.SetCellStyle(sheet, name, name, style))
}

var toneColors = [...]string{neutral: "", good: "2E8B57", warning: "B7791F", bad: "C0392B"}

// cell writes a cell of a table with its type.
func (b *workbook) cell(sheet string, x, y int, c cell, in column, total bool) {
	k := styleKey{bold: total, top: total, color: toneColors[c.tone]}
	if !c.set {
		k.wrap = !in.kind.number() && wide(c.text) > widest
		b.set(sheet, x, y, c.text, b.style(k))
		return
	}
	value, exact := c.spreadsheet(in)
	if !exact {
		b.set(sheet, x, y, decimal(c.n, in), b.style(k))
		return
	}
	k.format = in.format()
	name, err := excelize.CoordinatesToCellName(x, y)
	b.fail(err)
	if b.err == nil {
		b.fail(b.file.SetCellFloat(sheet, name, value, -1, 64))
		b.fail(b.file.SetCellStyle(sheet, name, name, b.style(k)))
	}
}

// exactDigits is how many decimal digits a spreadsheet keeps.
const exactDigits = 1e15

// spreadsheet is a cell's number as a spreadsheet has it: shares as fractions.
func (c cell) spreadsheet(in column) (value float64, exact bool) {
	if magnitude(c.n) >= exactDigits {
		return 0, false
	}
	text := decimal(c.n, in)
	if in.kind == rate {
		text = decimal(c.n, column{kind: rate}) + "e-2"
	}
	value, err := strconv.ParseFloat(text, 64)
	return value, err == nil
}

// format is how a spreadsheet shows the numbers of a column.
func (c column) format() string {
	if c.kind == rate {
		return "0.00%"
	}
	if digits := c.digits(); digits > 0 {
		return "#,##0." + strings.Repeat("0", digits)
	}
	return "#,##0"
}

// heat colours the numbers of a table by their size, if it is a heat map.
func (b *workbook) heat(sheet string, first, last, shift int, t *table) {
	from, to := -1, -1
	for _, r := range t.rows {
		for i, c := range r.cells {
			if c.heat > 0 && !r.total {
				if from < 0 || i < from {
					from = i
				}
				to = max(to, i)
			}
		}
	}
	if from < 0 {
		return
	}
	if t.rows[len(t.rows)-1].total {
		last--
	}
	b.fail(b.file.SetConditionalFormat(sheet, b.area("", from+1+shift, first, to+1+shift, last), []excelize.ConditionalFormatOptions{{
		Type: "2_color_scale", Criteria: "=", MinType: "min", MinColor: "#FFFFFF", MaxType: "max", MaxColor: "#2F6FB7"}}))
}
