package report

import (
	"io"
	"slices"
	"sort"
	"strings"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/unicode/norm"

	"github.com/clientele-go/clientele/customer/stocktake"
)

// XLSX writes a result as a workbook: a summary with links, a sheet for each table with
// its charts beside it, and the data that charts need besides. Tables of the same columns
// share a sheet, with a column that tells them apart. Counts, amounts and shares are
// numbers; those of more than 15 digits, which spreadsheets would round, are texts.
func XLSX(w io.Writer, r *stocktake.Result, o Options) error {
	d, err := open("XLSX", r, o)
	if err != nil {
		return err
	}
	b := &workbook{document: d, file: excelize.NewFile()}
	defer b.file.Close()
	b.fill(r)
	if b.err != nil {
		return &Error{Op: "XLSX", Err: b.err}
	}
	b.order()
	return b.file.Write(w)
}

// order sorts what excelize lists in the order of a map, so that equal results give equal
// bytes.
func (b *workbook) order() {
	list := b.file.ContentTypes.Defaults
	sort.Slice(list, func(i, j int) bool { return list[i].Extension < list[j].Extension })
}

// workbook is a document as it is written to a file. The first error stays.
type workbook struct {
	*document
	file   *excelize.File
	styles map[styleKey]int
	links  []link
	used   []string // names of sheets, folded
	data   chartData
	err    error
}

// link leads from the summary to a sheet.
type link struct{ sheet, title string }

func (b *workbook) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *workbook) fill(r *stocktake.Result) {
	summary := b.sheetName(b.say("Summary", "概要"))
	b.fail(b.file.SetSheetName("Sheet1", summary))
	b.data.sheet = b.sheetName(b.say("Chart data", "图表数据"))
	for _, s := range b.sections {
		for i, group := range groups(s.parts) {
			title := s.title
			name := s.sheet
			if i > 0 {
				title = b.groupTitle(group)
				name = title
			}
			b.grid(b.sheetName(name), title, s, group)
		}
	}
	b.summary(summary)
	b.writeChartData()
	index, err := b.file.GetSheetIndex(summary)
	b.fail(err)
	b.file.SetActiveSheet(index)
	// The dates are the result's, not the clock's: equal results give equal bytes.
	made := r.Closing.Time.UTC().Format("2006-01-02T15:04:05Z")
	b.fail(b.file.SetDocProps(&excelize.DocProperties{Title: b.title, Subject: b.subtitle, Creator: "Clientele", LastModifiedBy: "Clientele", Created: made, Modified: made, Language: b.tag.String()}))
}

// groups divides the parts of a section into those whose tables have the same columns but
// for the first one's title.
func groups(parts []part) (list [][]part) {
	alike := func(a, b *table) bool {
		return !a.facts && !b.facts && slices.EqualFunc(a.columns[1:], b.columns[1:], func(x, y column) bool { return x == y })
	}
	for _, p := range parts {
		i := slices.IndexFunc(list, func(g []part) bool { return alike(g[0].table, p.table) })
		if i < 0 {
			list = append(list, []part{p})
			continue
		}
		list[i] = append(list[i], p)
	}
	return list
}

func (b *workbook) groupTitle(group []part) string {
	if len(group) > 1 {
		return b.say("Examples", "示例")
	}
	return group[0].table.title
}

// sheetName makes a name that a sheet may have and none has yet.
func (b *workbook) sheetName(title string) string {
	const most = 31 // characters
	clean := strings.Trim(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`[]:*?/\`, r) || r < ' ' {
			return ' '
		}
		return r
	}, norm.NFC.String(title)), "' ")
	for n := 1; ; n++ {
		suffix := ""
		if n > 1 {
			suffix = " " + counted(int64(n))
		}
		runes := []rune(clean)
		name := strings.TrimRight(string(runes[:min(len(runes), most-len(suffix))]), "' ") + suffix
		if name == "" {
			name = "-"
		}
		if folded := strings.ToLower(name); !slices.Contains(b.used, folded) {
			b.used = append(b.used, folded)
			return name
		}
	}
}

// headingRow is where the headings of a sheet's table stand; what is above is its title.
const headingRow = 3

// grid writes the tables of a group onto a sheet of their own.
func (b *workbook) grid(sheet, title string, s section, group []part) {
	_, err := b.file.NewSheet(sheet)
	b.fail(err)
	b.links = append(b.links, link{sheet, title})
	b.set(sheet, 1, 1, title, b.style(styleKey{bold: true, size: 15}))
	about := s.intro
	for _, p := range group {
		about = strings.TrimSpace(about + " " + p.table.note)
	}
	b.set(sheet, 1, 2, about, b.style(styleKey{soft: true}))
	b.fail(b.file.SetRowHeight(sheet, 1, 24))
	shift := 0
	if len(group) > 1 {
		shift = 1
	}
	columns := group[0].table.columns
	widths := make([]float64, len(columns)+shift)
	heading := b.style(styleKey{bold: true, fill: "E7ECF3", wrap: true})
	if shift > 0 {
		b.set(sheet, 1, headingRow, b.say("Table", "表"), heading)
		widths[0] = 10
	}
	for i, c := range columns {
		text := c.title
		if i == 0 && shift > 0 {
			text = b.say("Value", "取值")
		}
		k := styleKey{bold: true, fill: "E7ECF3", wrap: true, right: c.kind.number()}
		b.set(sheet, i+1+shift, headingRow, text, b.style(k))
		widths[i+shift] = min(wide(text), 16)
	}
	at := headingRow
	for _, p := range group {
		first := at + 1
		for _, r := range p.table.rows {
			at++
			b.row(sheet, at, shift, p.table, r, widths)
		}
		b.heat(sheet, first, at, shift, p.table)
		b.charts(sheet, first, shift, len(columns)+shift, p)
	}
	b.finish(sheet, at, widths)
}

// row writes a row, and widens the columns for what is in it.
func (b *workbook) row(sheet string, at, shift int, t *table, r row, widths []float64) {
	if shift > 0 {
		b.set(sheet, 1, at, t.title, b.style(styleKey{}))
		widths[0] = min(40, max(widths[0], wide(t.title)))
	}
	for i, c := range r.cells {
		in := t.columns[i]
		b.cell(sheet, i+1+shift, at, c, in, r.total)
		widths[i+shift] = min(widest, max(widths[i+shift], wide(b.write(c, in))))
	}
}

// widest is the most that a column of text takes; longer ones are wrapped.
const widest = 60

// wide is how many characters of a column a text takes: a Chinese one takes two.
func wide(text string) float64 {
	n := 2.0
	for _, r := range text {
		n++
		if r >= 0x1100 {
			n++
		}
	}
	return n
}

// finish freezes the headings and sets widths, filter and paper.
func (b *workbook) finish(sheet string, last int, widths []float64) {
	for i, w := range widths {
		name, err := excelize.ColumnNumberToName(i + 1)
		b.fail(err)
		b.fail(b.file.SetColWidth(sheet, name, name, max(w, 8)))
	}
	top, err := excelize.CoordinatesToCellName(1, headingRow+1)
	b.fail(err)
	b.fail(b.file.SetPanes(sheet, &excelize.Panes{Freeze: true, YSplit: headingRow, TopLeftCell: top, ActivePane: "bottomLeft"}))
	if last > headingRow {
		b.fail(b.file.AutoFilter(sheet, b.area("", 1, headingRow, len(widths), last), nil))
	}
	b.paper(sheet, "landscape")
	b.fail(b.file.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: quoted(sheet) + "!$3:$3", Scope: sheet}))
}

// paper has a sheet printed as wide as a page of A4, on as many as it takes.
func (b *workbook) paper(sheet, orientation string) {
	size, wide, pages, yes := 9, 1, 0, true
	b.fail(b.file.SetPageLayout(sheet, &excelize.PageLayoutOptions{Size: &size, Orientation: &orientation, FitToWidth: &wide, FitToHeight: &pages}))
	b.fail(b.file.SetSheetProps(sheet, &excelize.SheetPropsOptions{FitToPage: &yes}))
}

// summary is the first sheet: key figures and links to the others.
func (b *workbook) summary(sheet string) {
	b.set(sheet, 1, 1, b.title, b.style(styleKey{bold: true, size: 18}))
	b.fail(b.file.SetRowHeight(sheet, 1, 28))
	b.set(sheet, 1, 2, b.subtitle, b.style(styleKey{soft: true}))
	at := 3
	if b.notice != nil {
		b.set(sheet, 1, at, b.notice.text, b.style(styleKey{bold: true}))
		at++
	}
	for _, f := range b.figures {
		at++
		b.set(sheet, 1, at, f.label, b.style(styleKey{}))
		b.cell(sheet, 2, at, f.value, f.in, true)
		b.set(sheet, 3, at, f.note, b.style(styleKey{soft: true}))
	}
	at++
	for _, l := range b.links {
		at++
		b.set(sheet, 1, at, l.title, b.style(styleKey{link: true}))
		name, err := excelize.CoordinatesToCellName(1, at)
		b.fail(err)
		b.fail(b.file.SetCellHyperLink(sheet, name, quoted(l.sheet)+"!A1", "Location"))
	}
	b.set(sheet, 1, at+2, b.footer, b.style(styleKey{soft: true}))
	for name, w := range map[string]float64{"A": 34, "B": 24, "C": 34} {
		b.fail(b.file.SetColWidth(sheet, name, name, w))
	}
	b.paper(sheet, "portrait")
}

// quoted is a sheet's name in a reference.
func quoted(sheet string) string { return "'" + strings.ReplaceAll(sheet, "'", "''") + "'" }

// area is a range of cells, of the same sheet if sheet is empty.
func (b *workbook) area(sheet string, x0, y0, x1, y1 int) string {
	absolute := sheet != ""
	from, err := excelize.CoordinatesToCellName(x0, y0, absolute)
	b.fail(err)
	to, err := excelize.CoordinatesToCellName(x1, y1, absolute)
	b.fail(err)
	if !absolute {
		return from + ":" + to
	}
	if from == to {
		return quoted(sheet) + "!" + from
	}
	return quoted(sheet) + "!" + from + ":" + to
}
