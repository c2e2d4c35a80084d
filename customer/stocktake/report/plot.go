package report

import (
	"math"

	"github.com/clientele-go/clientele/internal/chart"
)

// draw makes the chart of a plot, for HTML and PDF.
func (d *document) draw(p plot, t *table) chart.Chart {
	frame := chart.Frame{Title: p.title, Desc: p.desc, Language: d.tag}
	unit := t.columns[p.values[0]]
	if unit.kind == amount {
		frame.Format = func(v float64) string { return chart.Compact(d.tag, v) }
	}
	rows := p.shown(t)
	switch p.shape {
	case waterfall:
		w := chart.Waterfall{Frame: frame}
		for _, r := range rows {
			w.Steps = append(w.Steps, chart.Step{Label: r.cells[0].text, Value: r.cells[p.values[0]].float(unit), Total: r.total})
		}
		return w
	case lines:
		return p.lines(frame, t, rows)
	}
	b := chart.Bars{Frame: frame, Stacked: p.shape == shares, Share: p.shape == shares}
	for _, i := range p.values {
		b.Names = append(b.Names, t.columns[i].title)
	}
	for _, r := range rows {
		values := make([]float64, len(p.values))
		for j, i := range p.values {
			values[j] = r.cells[i].float(t.columns[i])
		}
		b.Rows = append(b.Rows, chart.Row{Label: r.cells[0].text, Values: values})
	}
	return b
}

func (p plot) lines(frame chart.Frame, t *table, rows []row) chart.Chart {
	l := chart.Lines{Frame: frame}
	for i, r := range rows {
		l.X.Ticks = append(l.X.Ticks, chart.Tick{At: float64(i), Label: r.cells[0].text})
	}
	for _, i := range p.values {
		s := chart.Series{}
		if len(p.values) > 1 {
			s.Name = t.columns[i].title
		}
		for j, r := range rows {
			s.Points = append(s.Points, chart.Sample{X: float64(j), Y: r.cells[i].float(t.columns[i])})
		}
		l.Series = append(l.Series, s)
	}
	return l
}

// float is a cell's number for drawing: of amounts in major units; NaN if there is none.
func (c cell) float(in column) float64 {
	if !c.set {
		return math.NaN()
	}
	return float64(c.n) / math.Pow10(in.digits())
}
