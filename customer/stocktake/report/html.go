package report

import (
	"io"

	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/internal/page"
)

// HTML writes a result as one page that needs nothing from elsewhere. Errors are the
// writer's, or an [*Error] for a result that can't be shown.
func HTML(w io.Writer, r *stocktake.Result, o Options) error {
	d, err := open("HTML", r, o)
	if err != nil {
		return err
	}
	return d.page().Write(w)
}

var tones = [...]page.Tone{neutral: page.Neutral, good: page.Good, warning: page.Warning, bad: page.Bad}

func (n *notice) block() *page.Notice {
	if n == nil {
		return nil
	}
	return &page.Notice{Tone: tones[n.tone], Text: n.text}
}

func (d *document) page() page.Page {
	p := page.Page{Language: d.tag, Title: d.title, Subtitle: d.subtitle, Notice: d.notice.block(), Footer: d.footer}
	for _, f := range d.figures {
		p.Figures = append(p.Figures, page.Figure{Label: f.label, Value: d.figure(f), Note: f.note, Tone: tones[f.value.tone], Trend: f.trend})
	}
	for _, s := range d.sections {
		p.Sections = append(p.Sections, d.section(s))
	}
	return p
}

// figure writes the value of a key figure.
func (d *document) figure(f figure) string {
	text := d.write(f.value, f.in)
	if f.change && f.value.n > 0 {
		return "+" + text
	}
	return text
}

func (d *document) section(s section) page.Section {
	made := page.Section{Title: s.title, Intro: s.intro}
	if s.notice != nil {
		made.Blocks = append(made.Blocks, *s.notice.block())
	}
	for _, p := range s.parts {
		made.Blocks = append(made.Blocks, d.charts(p)...)
		made.Blocks = append(made.Blocks, d.table(p.table))
	}
	return made
}

// charts are the plots of a part, halves beside one another.
func (d *document) charts(p part) (blocks []page.Block) {
	var beside page.Columns
	for _, one := range p.plots {
		c := page.Chart{Title: one.title, Chart: d.draw(one, p.table), Half: one.half}
		if one.half {
			beside = append(beside, c)
			continue
		}
		blocks = append(blocks, c)
	}
	if len(beside) > 0 {
		blocks = append(blocks, beside)
	}
	return blocks
}

func (d *document) table(t *table) page.Block {
	made := page.Table{Title: t.title, Note: t.note, Fold: t.fold, Plain: t.facts}
	for _, c := range t.columns {
		made.Columns = append(made.Columns, page.Column{Title: c.title, Number: c.kind.number()})
	}
	for _, r := range t.rows {
		row := page.Row{Total: r.total}
		for i, c := range r.cells {
			row.Cells = append(row.Cells, page.Cell{Text: d.write(c, t.columns[i]), Heat: c.heat, Tone: tones[c.tone]})
		}
		made.Rows = append(made.Rows, row)
	}
	return made
}
