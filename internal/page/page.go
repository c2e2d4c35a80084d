package page

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/internal/chart"
)

// Page is a report.
type Page struct {
	// Language is that of the texts: it becomes the lang attribute, and the page's own
	// words are Chinese or else English.
	Language language.Tag
	Title    string
	// Subtitle stands under the title: of when, of what.
	Subtitle string
	// Notice stands above all: that this is a draft, that something is missing.
	Notice   *Notice
	Figures  []Figure
	Sections []Section
	// Footer says how the page was made.
	Footer string
}

// Section is a part of a page with a heading, to which the list of contents leads.
type Section struct {
	Title string
	// Intro says in a sentence or two what is shown and how to read it.
	Intro  string
	Blocks []Block
}

// Block is what a section is made of.
type Block interface{ block() string }

// Tone says what a figure or a notice means.
type Tone string

// Tones.
const (
	Neutral Tone = ""
	Good    Tone = "good"
	Warning Tone = "warning"
	Bad     Tone = "bad"
)

// Figure is a key figure, shown large.
type Figure struct {
	Label, Value string
	// Note is a remark under it: a change, a unit.
	Note string
	Tone Tone
	// Trend is drawn beside it, if it has values.
	Trend []float64
}

// Figures are key figures side by side.
type Figures []Figure

// Chart is a chart with its heading.
type Chart struct {
	Title string
	Chart chart.Chart
	// Note explains it below.
	Note string
	// Half draws it for half the width, as within [Columns].
	Half bool
}

// Columns are blocks beside one another where the screen is wide enough.
type Columns []Block

// Text is a paragraph.
type Text string

// Notice is a paragraph that stands out.
type Notice struct {
	Tone Tone
	Text string
}

// Facts are names with values, such as the settings of a run.
type Facts []Fact

// Fact is a name with its value.
type Fact struct{ Name, Value string }

// Table is a table, which scrolls sideways where the screen is too narrow.
type Table struct {
	Title   string
	Columns []Column
	Rows    []Row
	// Note explains it below.
	Note string
	// Fold folds a table of more rows, to be opened by a click; 0 never. Paper has it open.
	Fold int
	// Plain leaves the headings out, as for names with values.
	Plain bool
}

// Column is a column of a [Table].
type Column struct {
	Title string
	// Number sets the column to the right, in digits of equal width.
	Number bool
}

// Row is a row of a [Table].
type Row struct {
	Cells []Cell
	Total bool // set off, as a sum is
}

// Cell is a cell of a [Table].
type Cell struct {
	Text string
	// Heat colours the cell, from 0 (not at all) to 1.
	Heat float64
	Tone Tone
	// Trend is drawn in it, if it has values.
	Trend []float64
}

// Cells are cells without colour.
func Cells(texts ...string) []Cell {
	cells := make([]Cell, len(texts))
	for i, text := range texts {
		cells[i].Text = text
	}
	return cells
}

func (Figures) block() string { return "figures" }
func (Chart) block() string   { return "chart" }
func (Columns) block() string { return "columns" }
func (Text) block() string    { return "text" }
func (Notice) block() string  { return "notice" }
func (Facts) block() string   { return "facts" }
func (Table) block() string   { return "table" }

//go:embed page.html
var files embed.FS

// Write writes the page. The error is the writer's.
func (p Page) Write(w io.Writer) error {
	t, err := template.New("page.html").Funcs(p.funcs()).ParseFS(files, "page.html")
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return t.Execute(w, p)
}

// funcs are what the template calls.
func (p Page) funcs() template.FuncMap {
	return template.FuncMap{
		"kind":  func(b Block) string { return b.block() },
		"word":  p.word,
		"draw":  Chart.draw,
		"spark": p.spark,
		"lang":  p.lang,
		"heat":  Cell.heat,
		"folds": func(t Table) bool { return t.Fold > 0 && len(t.Rows) > t.Fold },
		"shape": shape,
		"style": Cell.style,
		"size":  Figure.size,
	}
}

// size returns the class of a value that is too long for large letters.
func (f Figure) size() string {
	switch w := chart.TextWidth(f.Value, 1); {
	case w > 7.3:
		return "longest"
	case w > 5.2:
		return "long"
	}
	return ""
}

// style returns the classes of a cell in a column.
func (c Cell) style(t Table, i int) string {
	classes := []string{shape(t, i), string(c.Tone)}
	if c.heat() > 0 {
		classes = append(classes, "heat")
	}
	if c.Heat > 0.55 {
		classes = append(classes, "full")
	}
	return strings.Join(slices.DeleteFunc(classes, func(class string) bool { return class == "" }), " ")
}

// shape returns the class of a column's cells.
func shape(t Table, i int) string {
	if i < len(t.Columns) && t.Columns[i].Number {
		return "number"
	}
	return ""
}

// lang is the page's language for the lang attribute, with the script of Chinese, by which
// browsers choose among the shapes of characters.
func (p Page) lang() string {
	base, _ := p.Language.Base()
	if base.String() != "zh" {
		return "en"
	}
	script, _ := p.Language.Script()
	return "zh-" + script.String()
}

func (c Chart) draw() template.HTML {
	switch {
	case c.Chart == nil:
		return ""
	case c.Half:
		return chart.Small(c.Chart)
	}
	return chart.SVG(c.Chart)
}

const sparkWidth = 96

func (p Page) spark(label string, values []float64) template.HTML {
	frame := chart.Frame{Title: label, Language: p.Language}
	return chart.Sparkline{Frame: frame, Values: values}.Draw(sparkWidth).SVG()
}

// heat is the share of the colour in a cell, in percent.
func (c Cell) heat() int { return int(100 * max(0, min(c.Heat, 1))) }

// own are the page's own words.
var own = map[string][2]string{
	"contents": {"Contents", "目录"},
	"rows":     {"Show %d rows", "显示 %d 行"},
	"none":     {"None.", "无。"},
}

func (p Page) word(name string, values ...any) string {
	pair := own[name]
	text := pair[0]
	if p.lang() != "en" {
		text = pair[1]
	}
	if len(values) > 0 {
		return fmt.Sprintf(text, values...)
	}
	return text
}
