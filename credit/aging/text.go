package aging

import (
	"bufio"
	"html"
	"io"
	"strings"

	"golang.org/x/text/width"
)

// WriteText writes the table for people at a terminal, with the totals of each currency.
// It takes memory for all rows.
func (t Table) WriteText(w io.Writer) error {
	g, err := t.grid()
	if err != nil {
		return err
	}
	words := wordsIn(t.Language)
	out := bufio.NewWriter(w)
	for _, words := range t.languages() {
		write(out, words.title, " · ", strings.Join(words.heading(t), ", "), "\n")
	}
	if t.FIFO {
		write(out, words.fifo, "\n")
	}
	write(out, "\n")
	widths := g.widths()
	for _, headings := range g.headings {
		writeLine(out, widths, headings)
	}
	write(out, rule(widths), "\n")
	for _, row := range g.rows {
		writeLine(out, widths, row)
	}
	if len(g.rows) == 0 {
		write(out, words.none, "\n")
		return out.Flush()
	}
	write(out, rule(widths), "\n")
	for _, row := range g.totals {
		writeLine(out, widths, row)
	}
	return out.Flush()
}

// write leaves errors to Flush, as bufio does.
func write(out *bufio.Writer, texts ...string) {
	for _, text := range texts {
		_, _ = out.WriteString(text)
	}
}

func (g grid) widths() []int {
	widths := make([]int, len(g.headings[0]))
	for _, rows := range [][][]string{g.headings, g.rows, g.totals} {
		for _, row := range rows {
			for i, cell := range row {
				widths[i] = max(widths[i], columns(cell))
			}
		}
	}
	return widths
}

func rule(widths []int) string {
	total := 2 * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	return strings.Repeat("─", total)
}

// writeLine writes texts to the left and amounts to the right of their columns.
func writeLine(out *bufio.Writer, widths []int, cells []string) {
	for i, cell := range cells {
		blanks := strings.Repeat(" ", widths[i]-columns(cell))
		switch {
		case i == 0:
			write(out, cell, blanks)
		case i == 1:
			write(out, "  ", cell, blanks)
		default:
			write(out, "  ", blanks, cell)
		}
	}
	write(out, "\n")
}

// columns returns the columns of a terminal that a text takes: Chinese characters two.
func columns(text string) int {
	n := 0
	for _, r := range text {
		n++
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}

const style = `body{font:14px/1.5 system-ui,sans-serif;margin:2em;color:#222}
table{border-collapse:collapse}
th,td{padding:.3em .8em;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}
th{background:#f4f6f8;position:sticky;top:0}
th:nth-child(-n+2),td:nth-child(-n+2){text-align:left}
tfoot td{font-weight:600;border-top:2px solid #888}
.simulation{background:#fff3cd;padding:.5em 1em;display:inline-block}
`

// WriteHTML writes the table as a page of its own, with the totals of each currency, that
// needs nothing from elsewhere. It takes memory for all rows.
func (t Table) WriteHTML(w io.Writer) error {
	g, err := t.grid()
	if err != nil {
		return err
	}
	words := wordsIn(t.Language)
	out := bufio.NewWriter(w)
	write(out, "<!DOCTYPE html>\n<html lang=\"", words.language, "\">\n<meta charset=\"utf-8\">\n<title>", words.title,
		"</title>\n<style>\n", style, "</style>\n<h1>", words.title, "</h1>\n<p>",
		html.EscapeString(strings.Join(words.heading(t), ", ")), "</p>\n")
	if t.FIFO {
		write(out, "<p class=\"simulation\">", words.fifo, "</p>\n")
	}
	if len(g.rows) == 0 {
		write(out, "<p>", words.none, "</p>\n</html>\n")
		return out.Flush()
	}
	write(out, "<table>\n<thead>\n")
	for _, headings := range g.headings {
		writeCells(out, "th", headings)
	}
	write(out, "</thead>\n<tbody>\n")
	for _, row := range g.rows {
		writeCells(out, "td", row)
	}
	write(out, "</tbody>\n<tfoot>\n")
	for _, row := range g.totals {
		writeCells(out, "td", row)
	}
	write(out, "</tfoot>\n</table>\n</html>\n")
	return out.Flush()
}

func writeCells(out *bufio.Writer, tag string, cells []string) {
	write(out, "<tr>")
	for _, cell := range cells {
		write(out, "<", tag, ">", html.EscapeString(cell), "</", tag, ">")
	}
	write(out, "</tr>\n")
}
