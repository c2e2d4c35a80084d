package page_test

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/internal/chart"
	"github.com/clientele-go/clientele/internal/page"
)

// every has each kind of block, and texts that would break out of a page that doesn't
// escape them.
func every(tag language.Tag) page.Page {
	const evil = `</style><script>alert(1)</script>"'<img src=http://x.example/>`
	bars := chart.Bars{Frame: chart.Frame{Title: evil, Desc: evil, Language: tag}, Rows: []chart.Row{{Label: evil, Values: []float64{1}}}}
	blocks := []page.Block{
		page.Text(evil), page.Notice{Tone: page.Bad, Text: evil}, page.Facts{{Name: evil, Value: evil}},
		page.Figures{{Label: evil, Value: evil, Note: evil, Trend: []float64{1, 2}}},
		page.Columns{page.Chart{Title: evil, Chart: bars, Half: true, Note: evil}, page.Chart{Chart: bars}, page.Chart{Title: "nothing"}},
		page.Table{Title: evil, Note: evil, Fold: 1, Columns: []page.Column{{Title: evil}, {Title: "n", Number: true}}, Rows: []page.Row{
			{Cells: []page.Cell{{Text: evil, Tone: page.Good}, {Text: "12", Heat: 0.5}}},
			{Cells: []page.Cell{{Text: evil, Trend: []float64{1, 2}}, {Text: "34", Heat: 7}}},
			{Total: true, Cells: page.Cells(evil, "46", "one more cell than columns")},
		}},
		page.Table{Title: "without rows"},
	}
	sections := []page.Section{{Title: evil, Intro: evil, Blocks: blocks}, {Title: "b"}, {Title: "c"}, {Title: "d"}}
	return page.Page{Language: tag, Title: evil, Subtitle: evil, Notice: &page.Notice{Text: evil}, Figures: page.Figures{{Label: "a", Value: "1"}}, Sections: sections, Footer: evil}
}

func write(t *testing.T, p page.Page) string {
	t.Helper()
	var out bytes.Buffer
	if err := p.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// elements matches the opening tags that a page has.
var elements = regexp.MustCompile(`<([a-z0-9]+)((?:\s[^<>]*)?)>`)

// quoted matches the values of attributes.
var quoted = regexp.MustCompile(`"[^"]*"`)

func TestPagesNeedNothingFromElsewhere(t *testing.T) {
	text := write(t, every(language.English))
	if strings.Contains(text, "ZgotmplZ") || strings.Contains(text, "url(") {
		t.Error("the template refused a value, or the page loads something")
	}
	for _, tag := range elements.FindAllStringSubmatch(text, -1) {
		name, attributes := tag[1], tag[2]
		switch name {
		case "script", "img", "link", "iframe", "object", "embed", "base", "form":
			t.Errorf("the page has an element %s", tag[0])
		}
		if names := quoted.ReplaceAllString(attributes, ""); strings.Contains(names, " src=") || strings.Contains(names, " on") {
			t.Errorf("the page has %s", tag[0])
		}
		if href := regexp.MustCompile(` href="([^"]*)"`).FindStringSubmatch(attributes); href != nil && !strings.HasPrefix(href[1], "#") {
			t.Errorf("the page leads to %s", href[1])
		}
	}
	style := text[strings.Index(text, "<style>"):strings.Index(text, "</style>")]
	if strings.Contains(style, "url(") || strings.Contains(style, "@import") || strings.Contains(style, "http") {
		t.Error("the style sheet loads something")
	}
}

func TestPagesSayTheirLanguage(t *testing.T) {
	for tag, want := range map[language.Tag][]string{
		language.English:            {`<html lang="en">`, "None.", "Show 3 rows", `aria-label="Contents"`},
		language.French:             {`<html lang="en">`},
		language.SimplifiedChinese:  {`<html lang="zh-Hans">`, "无。", "显示 3 行", `aria-label="目录"`},
		language.MustParse("zh-CN"): {`<html lang="zh-Hans">`},
		language.MustParse("zh-TW"): {`<html lang="zh-Hant">`},
	} {
		text := write(t, every(tag))
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%v: the page lacks %s", tag, part)
			}
		}
	}
}

func TestCellsAreColouredByHeat(t *testing.T) {
	text := write(t, every(language.English))
	for _, part := range []string{
		`<td class="number heat" style="--share: 50%">12</td>`,
		`<td class="number heat full" style="--share: 100%">34</td>`,
		`<td class="number">46</td>`,
	} {
		if !strings.Contains(text, part) {
			t.Errorf("the page lacks %s", part)
		}
	}
}

func TestEqualPagesAreEqualBytes(t *testing.T) {
	first := write(t, every(language.Chinese))
	if again := write(t, every(language.Chinese)); again != first {
		t.Error("written twice, the page differs")
	}
}

type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteReturnsTheWritersError(t *testing.T) {
	if err := every(language.English).Write(full{}); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}
