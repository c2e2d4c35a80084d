package report

import (
	"fmt"

	"github.com/xuri/excelize/v2"

	"github.com/clientele-go/clientele/internal/chart"
)

// chartData is what charts need and no table has: the parts of a waterfall, and the
// largest rows of a long table.
type chartData struct {
	sheet string
	rows  [][]any
	// placed is how many charts stand beside the table of a sheet.
	placed map[string]int
}

const (
	chartWidth, chartHeight = 620, 300
	chartRows               = 17 // of a sheet, under a chart
)

// charts draws the plots of a part beside its table.
func (b *workbook) charts(sheet string, first, shift, columns int, p part) {
	for _, one := range p.plots {
		var series []excelize.ChartSeries
		rows := one.shown(p.table)
		switch {
		case len(rows) == 0:
			continue
		case one.shape == waterfall:
			series = b.waterfall(one, p.table)
		case len(rows) == len(p.table.rows):
			series = b.series(one, p.table, sheet, first, first+len(rows)-1, shift)
		default:
			series = b.copied(one, p.table, rows)
		}
		b.place(sheet, columns, one, p.table, series)
	}
}

// series are the columns of a table where it stands.
func (b *workbook) series(p plot, t *table, sheet string, first, last, shift int) (list []excelize.ChartSeries) {
	labels := b.area(sheet, 1+shift, first, 1+shift, last)
	for i, column := range p.values {
		list = append(list, excelize.ChartSeries{
			Name:       b.area(sheet, column+1+shift, headingRow, column+1+shift, headingRow),
			Categories: labels, Values: b.area(sheet, column+1+shift, first, column+1+shift, last),
			Fill: ink(chart.SeriesInk(i)), Line: lineOf(p, chart.SeriesInk(i)), Marker: excelize.ChartMarker{Symbol: "circle", Size: 5, Fill: ink(chart.SeriesInk(i))},
		})
	}
	return list
}

// lineOf is the line of a series, which bars have none of.
func lineOf(p plot, i chart.Ink) excelize.ChartLine {
	if p.shape != lines {
		return excelize.ChartLine{Type: excelize.ChartLineNone}
	}
	return excelize.ChartLine{Width: 2, Fill: ink(i)}
}

func ink(i chart.Ink) excelize.Fill {
	r, g, b := i.RGB()
	return excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{fmt.Sprintf("%02X%02X%02X", r, g, b)}}
}

// copied are the rows of a plot among the chart data.
func (b *workbook) copied(p plot, t *table, rows []row) []excelize.ChartSeries {
	heading := []any{p.title}
	for _, i := range p.values {
		heading = append(heading, t.columns[i].title)
	}
	var body [][]any
	for _, r := range rows {
		line := []any{r.cells[0].text}
		for _, i := range p.values {
			line = append(line, r.cells[i].float(t.columns[i]))
		}
		body = append(body, line)
	}
	inks := make([]chart.Ink, len(p.values))
	for i := range inks {
		inks[i] = chart.SeriesInk(i)
	}
	return b.keep(heading, body, inks)
}

// waterfall are its columns as stacked ones: what carries them is not seen.
func (b *workbook) waterfall(p plot, t *table) []excelize.ChartSeries {
	heading := []any{p.title, b.say("Carried", "垫底"), b.say("Total", "合计"), b.say("Gained", "增加"), b.say("Lost", "减少")}
	var body [][]any
	level := 0.0
	for _, r := range t.rows {
		n := r.cells[p.values[0]].float(t.columns[p.values[0]])
		line := []any{r.cells[0].text, 0.0, 0.0, 0.0, 0.0}
		switch {
		case r.total:
			line[2], level = n, n
		case n >= 0:
			line[1], line[3] = level, n
			level += n
		default:
			level += n
			line[1], line[4] = level, -n
		}
		body = append(body, line)
	}
	series := b.keep(heading, body, []chart.Ink{chart.Ground, chart.Total, chart.Rise, chart.Fall})
	series[0].Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"FFFFFF"}, Transparency: 100}
	return series
}

// keep puts rows among the chart data, and returns the series that they are.
func (b *workbook) keep(heading []any, body [][]any, inks []chart.Ink) (list []excelize.ChartSeries) {
	b.data.rows = append(b.data.rows, nil, heading)
	top := len(b.data.rows)
	b.data.rows = append(b.data.rows, body...)
	last := len(b.data.rows)
	for i, of := range inks {
		list = append(list, excelize.ChartSeries{
			Name: b.area(b.data.sheet, i+2, top, i+2, top), Categories: b.area(b.data.sheet, 1, top+1, 1, last), Values: b.area(b.data.sheet, i+2, top+1, i+2, last),
			Fill: ink(of), Line: excelize.ChartLine{Type: excelize.ChartLineNone},
		})
	}
	return list
}

// place adds a chart to the right of what stands on the sheet, under its other charts.
func (b *workbook) place(sheet string, columns int, p plot, t *table, series []excelize.ChartSeries) {
	if b.data.placed == nil {
		b.data.placed = map[string]int{}
	}
	n := b.data.placed[sheet]
	b.data.placed[sheet]++
	at, err := excelize.CoordinatesToCellName(columns+2, headingRow+1+n*chartRows)
	b.fail(err)
	gap, overlap, vary := uint(40), 100, false
	axis := excelize.Font{Color: "44566C", Size: 9}
	c := &excelize.Chart{
		Series: series, Title: []excelize.RichTextRun{{Text: p.title, Font: &excelize.Font{Bold: true, Size: 12}}},
		Dimension: excelize.ChartDimension{Width: chartWidth, Height: chartHeight}, Format: excelize.GraphicOptions{AltText: p.title + ". " + p.desc, Name: p.title},
		Legend: excelize.ChartLegend{Position: "bottom"}, GapWidth: &gap, VaryColors: &vary, ShowBlanksAs: "gap",
		XAxis: excelize.ChartAxis{Font: axis}, YAxis: excelize.ChartAxis{Font: axis, MajorGridLines: true, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "#,##0"}},
	}
	if len(series) == 1 {
		c.Legend.Position = "none"
	}
	switch p.shape {
	case waterfall:
		c.Type, c.Overlap = excelize.ColStacked, &overlap
		c.Legend.Position = "none"
		c.YAxis.Minimum = brokenAxis(p, t)
	case lines:
		c.Type = excelize.Line
		c.GapWidth = nil
	case shares:
		c.Type, c.Overlap = excelize.BarPercentStacked, &overlap
		c.XAxis.ReverseOrder, c.YAxis.TickLabelPosition = true, excelize.ChartTickLabelHigh
		c.YAxis.NumFmt.CustomNumFmt = "0%"
	default:
		c.Type = excelize.Bar
		// The first row is on top, and the values are below all the same.
		c.XAxis.ReverseOrder, c.YAxis.TickLabelPosition = true, excelize.ChartTickLabelHigh
		c.YAxis.Minimum = barAxis(p, t)
	}
	if b.err == nil {
		b.fail(b.file.AddChart(sheet, at, c))
	}
}

// brokenAxis is where the axis of a waterfall begins when its totals dwarf its changes;
// nil is at zero.
func brokenAxis(p plot, t *table) *float64 {
	var steps []chart.Step
	for _, r := range t.rows {
		steps = append(steps, chart.Step{Value: r.cells[p.values[0]].float(t.columns[p.values[0]]), Total: r.total})
	}
	if from := (chart.Waterfall{Steps: steps}).From(); from != 0 {
		return &from
	}
	return nil
}

// barAxis is where the axis of bars begins: at zero, which spreadsheets leave out when all
// are about as long; nil is for them to choose when some are negative.
func barAxis(p plot, t *table) *float64 {
	for _, r := range p.shown(t) {
		for _, i := range p.values {
			if r.cells[i].float(t.columns[i]) < 0 {
				return nil
			}
		}
	}
	return new(float64)
}

// writeChartData writes the sheet of what charts need besides.
func (b *workbook) writeChartData() {
	if len(b.data.rows) == 0 {
		return
	}
	_, err := b.file.NewSheet(b.data.sheet)
	b.fail(err)
	for y, line := range b.data.rows {
		for x, value := range line {
			if text, ok := value.(string); ok {
				b.set(b.data.sheet, x+1, y+1, text, b.style(styleKey{soft: true}))
				continue
			}
			name, err := excelize.CoordinatesToCellName(x+1, y+1)
			b.fail(err)
			if n := value.(float64); b.err == nil && n == n { // NaN is an empty cell
				b.fail(b.file.SetCellFloat(b.data.sheet, name, n, -1, 64))
			}
		}
	}
	b.fail(b.file.SetColWidth(b.data.sheet, "A", "E", 18))
	b.paper(b.data.sheet, "portrait")
}
