package exchange

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// chinesePreview are the sentences of previews in Chinese.
var chinesePreview = map[string]string{
	"Rows: %d, with values that are not in order: %d":               "共%d行，其中%d行有不合规的值。",
	"column %d (%s), %s: %d filled, %d normalised, %d not in order": "第%d列（%s），%s：有值%d个，规范化%d个，不合规%d个",
	"row %d: %q → %q": "第%d行：“%s”→“%s”",
	"Rows that repeat earlier ones: %d, in %d groups": "%d行与前面的行重复，共%d组：",
	"rows %s have the same %s":                        "第%s行的%s相同",
	"rows %s have the same %s: %q":                    "第%s行的%s相同：“%s”",
	"rows %s have the same %s and like names: %q":     "第%s行名称相近且%s相同：“%s”",
	"Not valid as identifiers: %d":                    "%d个证照号码无效：",
	"Other values that are not in order: %d":          "%d个其他值不合规：",
	"Rows without content: %d":                        "%d行没有内容：",
	"Records that look like tests: %d":                "%d条疑似测试数据：",
	"… and %d more":                                   "……另有%d条",
	"%s, …":                                           "%s等",
}

// shownSamples is how many samples of a kind the text of a preview has.
const shownSamples = 10

// In is the preview as a text of several lines, in English or Chinese.
func (p *Preview) In(tag language.Tag) string {
	t := &previewText{printer: printer(tag), tag: tag}
	t.line(0, "Rows: %d, with values that are not in order: %d", p.Rows, p.Faulty)
	for _, c := range p.Columns {
		t.line(1, "column %d (%s), %s: %d filled, %d normalised, %d not in order", c.Column.Column, c.Heading, string(c.Field), c.Filled, c.Changed, c.Faulty)
		for _, s := range c.Samples {
			t.line(2, "row %d: %q → %q", s.Row, s.Before, s.After)
		}
	}
	if p.Repeats.Groups > 0 {
		t.line(0, "Rows that repeat earlier ones: %d, in %d groups", p.Repeats.Rows, p.Repeats.Groups)
		t.repeats(p.Repeats)
	}
	t.findings("Not valid as identifiers: %d", p.Invalid)
	t.findings("Other values that are not in order: %d", p.Unfit)
	t.findings("Rows without content: %d", p.Empty)
	t.findings("Records that look like tests: %d", p.Tests)
	return t.String()
}

// previewText writes a preview.
type previewText struct {
	strings.Builder
	printer *message.Printer
	tag     language.Tag
}

// line writes a sentence, indented. Numbers are written as in files, without separators.
func (t *previewText) line(indent int, sentence string, values ...any) {
	for i, v := range values {
		if n, ok := v.(int); ok {
			values[i] = plain(n)
		}
	}
	fmt.Fprintf(t, "%s%s\n", strings.Repeat("  ", indent), t.printer.Sprintf(sentence, values...))
}

// plain is a number that printers write as it is.
type plain int

// Format writes the number without separators between thousands.
func (n plain) Format(f fmt.State, _ rune) { fmt.Fprint(f, int(n)) }

func (t *previewText) findings(sentence string, f Findings) {
	if f.Count == 0 {
		return
	}
	t.line(0, sentence, f.Count)
	shown := f.Samples[:min(len(f.Samples), shownSamples)]
	for _, fault := range shown {
		fmt.Fprintf(t, "  %s\n", fault.In(t.tag))
	}
	t.more(f.Count - len(shown))
}

func (t *previewText) more(n int) {
	if n > 0 {
		t.line(1, "… and %d more", n)
	}
}

func (t *previewText) repeats(r Repeats) {
	shown := r.Samples[:min(len(r.Samples), shownSamples)]
	for _, g := range shown {
		numbers := strings.Trim(fmt.Sprint(g.Rows), "[]")
		if numbers = strings.ReplaceAll(numbers, " ", ", "); g.Count > len(g.Rows) {
			numbers = t.printer.Sprintf("%s, …", numbers)
		}
		switch {
		case g.By == Phone || g.By == Email:
			t.line(1, "rows %s have the same %s and like names: %q", numbers, t.name(g.By), g.Value)
		case g.Value == "":
			t.line(1, "rows %s have the same %s", numbers, t.name(g.By))
		default:
			t.line(1, "rows %s have the same %s: %q", numbers, t.name(g.By), g.Value)
		}
	}
	t.more(r.Groups - len(shown))
}

// name is what people call a field that every book has; other fields are called as in
// mappings.
func (t *previewText) name(f Field) string {
	i := slices.IndexFunc(plainFields, func(p plainField) bool { return p.field == f })
	if i < 0 {
		return string(f)
	}
	headings := plainFields[i].headings
	if !isChinese(t.tag) {
		return headings[0]
	}
	if i := slices.IndexFunc(headings, func(h string) bool { return h[0] >= 0x80 }); i >= 0 {
		return headings[i]
	}
	return string(f)
}
