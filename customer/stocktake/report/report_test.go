package report_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"html"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/customer/stocktake/report"
	"github.com/clientele-go/clientele/customer/stocktake/stocktaketest"
)

var languages = []language.Tag{language.English, language.SimplifiedChinese}

// million is the sample that most tests read: a year of a book with a million customers.
var million = sync.OnceValue(func() *stocktake.Result { return stocktaketest.Sample(1, 1_000_000) })

type writer = func(io.Writer, *stocktake.Result, report.Options) error

// writers are all four. PDF has a font of boxes, as machines of tests have none.
func writers(t *testing.T) map[string]writer {
	boxes := boxFont(t)
	return map[string]writer{"HTML": report.HTML, "XLSX": report.XLSX, "CSV": report.CSV, "PDF": func(w io.Writer, r *stocktake.Result, o report.Options) error {
		o.Fonts, o.NoSystemFonts = []string{boxes}, true
		return report.PDF(w, r, o)
	}}
}

func write(t *testing.T, to writer, r *stocktake.Result, o report.Options) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := to(&out, r, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestEqualResultsAreEqualBytesAndSmall(t *testing.T) {
	for name, to := range writers(t) {
		o := report.Options{Language: language.SimplifiedChinese}
		first := write(t, to, million(), o)
		if again := write(t, to, stocktaketest.Sample(1, 1_000_000), o); !bytes.Equal(first, again) {
			t.Errorf("%s: written twice, the bytes differ", name)
		}
		if len(first) > 5<<20 {
			t.Errorf("%s: %d bytes", name, len(first))
		}
	}
	if fresh := stocktaketest.Sample(1, 1_000_000); !reflect.DeepEqual(million(), fresh) {
		t.Error("a writer changed the result")
	}
}

func TestWritersRunAtTheSameTime(t *testing.T) {
	r := stocktaketest.Sample(5, 300)
	var wait sync.WaitGroup
	for name, to := range writers(t) {
		want := write(t, to, r, report.Options{})
		for range 2 {
			wait.Go(func() {
				var out bytes.Buffer
				if err := to(&out, r, report.Options{}); err != nil || !bytes.Equal(out.Bytes(), want) {
					t.Errorf("%s: at the same time as others the bytes differ; error: %v", name, err)
				}
			})
		}
	}
	wait.Wait()
}

// A result as large as results get: ten years, ten dimensions of 200 rows each, and
// cross-tabs of 40 by 40.
func TestTheLargestResultsStayUnderFiveMegabytes(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: takes seconds; run without -short")
	}
	r := stocktaketest.Sample(2, 1_000_000)
	for i := range 108 {
		m := r.Trend[i%12]
		m.Month = fmt.Sprintf("%d-%02d", 2026+i/12, 1+i%12)
		r.Trend = append(r.Trend, m)
	}
	d := r.Dimensions[1]
	r.Dimensions = nil
	for i := range 10 {
		large := stocktake.Dimension{Code: fmt.Sprintf("tag.d%d", i), Title: customer.Names{"en": fmt.Sprintf("Dimension %d", i)}}
		for j := range stocktake.MaxRows {
			row := d.Rows[j%len(d.Rows)]
			row.Key, row.Label = fmt.Sprint(j), customer.Names{"en": fmt.Sprintf("a value with a name of some length %d", j)}
			large.Rows = append(large.Rows, row)
		}
		r.Dimensions = append(r.Dimensions, large)
	}
	r.CrossTabs = nil
	for range 10 {
		x := stocktake.CrossTab{Rows: "tag.d0", Columns: "tag.d1", RowTitle: d.Title, ColumnTitle: d.Title}
		for j := range 40 {
			x.RowKeys, x.ColumnKeys = append(x.RowKeys, fmt.Sprint(j)), append(x.ColumnKeys, fmt.Sprint(j))
			x.RowLabels, x.ColLabels = append(x.RowLabels, nil), append(x.ColLabels, nil)
			x.Cells = append(x.Cells, make([]int64, 40))
			x.Cells[j][j] = int64(j) * 1_000_003
		}
		r.CrossTabs = append(r.CrossTabs, x)
	}
	for name, to := range writers(t) {
		size := len(write(t, to, r, report.Options{}))
		t.Logf("%s: %d bytes", name, size)
		if size > 5<<20 {
			t.Errorf("%s: %d bytes", name, size)
		}
	}
}

// Small, empty and partial results have reports too.
func TestPartialResultsHaveReports(t *testing.T) {
	bare := &stocktake.Result{}
	scoped := stocktaketest.Sample(3, 40)
	scoped.Scoped, scoped.Filing, scoped.Aging, scoped.Comparison, scoped.Activity = true, nil, nil, nil, nil
	hidden := &stocktake.Result{Dimensions: []stocktake.Dimension{{Code: "rep", Rows: []stocktake.Row{{Key: stocktake.KeyHidden, Closing: 3}, {Key: stocktake.KeyErased, Opening: 1, Lost: 1}, {Closing: 2}}, Rest: &stocktake.Row{Closing: 9}}}}
	huge := &stocktake.Result{Reconciliation: stocktake.Reconciliation{Opening: 1<<63 - 1, Closing: 1<<63 - 1}, Dimensions: []stocktake.Dimension{{Code: "d", Rows: []stocktake.Row{{Key: "k", Closing: 1<<63 - 1,
		Figures: []stocktake.Figure{{Name: stocktake.FigureRevenue, Currency: "CNY", Amount: -1 << 63}, {Name: stocktake.FigureProfit, Currency: "CNY", Amount: 1<<63 - 1}}}}}}}
	for name, to := range writers(t) {
		for what, r := range map[string]*stocktake.Result{"bare": bare, "none": stocktaketest.Sample(1, 0), "one": stocktaketest.Sample(1, 1), "scoped": scoped, "hidden": hidden, "huge": huge} {
			if len(write(t, to, r, report.Options{Language: language.Chinese})) == 0 {
				t.Errorf("%s of %s is empty", name, what)
			}
		}
	}
	for want, r := range map[string]*stocktake.Result{"nobody has reviewed it": bare, "what one actor may see": scoped, "(hidden)": hidden, "(erased)": hidden, "All others": hidden, "−92,233,720,368,547,758.08": huge, "9,223,372,036,854,775,807": huge} {
		if !strings.Contains(string(write(t, report.HTML, r, report.Options{})), want) {
			t.Errorf("no page says %q", want)
		}
	}
}

func TestWhatCannotBeShownIsRefused(t *testing.T) {
	coin := stocktaketest.Sample(1, 100)
	coin.Figures[0].Currency = "coin"
	crooked := stocktaketest.Sample(1, 100)
	crooked.CrossTabs[0].Cells[0] = crooked.CrossTabs[0].Cells[0][1:]
	short := stocktaketest.Sample(1, 100)
	short.Aging.Currencies[0].Buckets = nil
	for name, to := range writers(t) {
		if err := to(io.Discard, nil, report.Options{}); !errors.Is(err, report.ErrNoResult) {
			t.Errorf("%s of nil: %v", name, err)
		}
		for field, r := range map[string]*stocktake.Result{"Currency": coin, "CrossTabs": crooked, "Aging.Currencies": short} {
			err := to(io.Discard, r, report.Options{})
			if one, ok := errors.AsType[*report.Error](err); !ok || one.Field != field || one.Op != name {
				t.Errorf("%s: got %v, want an error about %s", name, err, field)
			}
		}
	}
}

type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestErrorsOfTheWriterAreReturned(t *testing.T) {
	for name, to := range writers(t) {
		if err := to(full{}, million(), report.Options{}); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestInstantsAreShownInTheLocation(t *testing.T) {
	shanghai := time.FixedZone("CST", 8*3600)
	text := string(write(t, report.HTML, million(), report.Options{Location: shanghai}))
	if !strings.Contains(text, "2025-01-01 08:00 CST") || strings.Contains(text, "UTC") {
		t.Error("the opening, 2025-01-01 00:00 UTC, is not shown as 08:00 CST")
	}
}

func TestInstantsAreShownInTheDefinitionsZone(t *testing.T) {
	r := million()
	r.Definition.Zone = "Asia/Shanghai"
	page := string(write(t, report.HTML, r, report.Options{}))
	if !strings.Contains(page, "2025-01-01 08:00 CST") || !strings.Contains(page, "Asia/Shanghai") {
		t.Error("the opening, 2025-01-01 00:00 UTC, is not shown as in Shanghai")
	}
}

// rows are the rows of an HTML page's tables, as texts.
func rows(page string) (list [][]string) {
	cell := regexp.MustCompile(`(?s)<t[dh][^>]*>(.*?)</t[dh]>`)
	for _, tr := range regexp.MustCompile(`(?s)<tr[^>]*>(.*?)</tr>`).FindAllStringSubmatch(page, -1) {
		var cells []string
		for _, m := range cell.FindAllStringSubmatch(tr[1], -1) {
			cells = append(cells, html.UnescapeString(m[1]))
		}
		list = append(list, cells)
	}
	return list
}

// Every number of the Result stands in a row with its label.
func TestHTMLShowsTheResult(t *testing.T) {
	for _, tag := range languages {
		byLabel := map[string][][]string{}
		for _, cells := range rows(string(write(t, report.HTML, million(), report.Options{Language: tag}))) {
			byLabel[cells[0]] = append(byLabel[cells[0]], cells)
		}
		all := facts(million(), tag)
		for _, f := range all {
			if !slices.ContainsFunc(byLabel[f.label], func(cells []string) bool { return slices.Contains(cells[1:], f.shown()) }) {
				t.Errorf("%v: no row %q has %s (%s.%s.%s)", tag, f.label, f.shown(), f.table, f.row, f.column)
			}
		}
		if len(all) < 500 {
			t.Errorf("only %d facts", len(all))
		}
	}
}

// The page loads nothing, runs nothing, and shows texts as texts.
func TestHTMLNeedsNothingFromElsewhere(t *testing.T) {
	text := string(write(t, report.HTML, million(), report.Options{}))
	for _, bad := range []string{"<script", "<img", "<link", "<iframe", "<object", "http:", "https:", "url(", "@import", " src=", "ZgotmplZ", "javascript:"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	for _, href := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(href[1], "#") {
			t.Errorf("the page leads to %s", href[1])
		}
	}
	if !strings.Contains(text, "Söhne GmbH &lt;script&gt;") {
		t.Error("a customer's name with a tag in it is not shown as text")
	}
	for _, want := range []string{`name="viewport"`, "@media print", "prefers-color-scheme: dark", `<html lang="en">`, "<svg"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

// The CSV holds each number under its codes, whatever the language.
func TestCSVHoldsTheResult(t *testing.T) {
	for _, tag := range languages {
		data := write(t, report.CSV, million(), report.Options{Language: tag})
		text, marked := strings.CutPrefix(string(data), "\uFEFF")
		if !marked {
			t.Error("no byte order mark")
		}
		lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"table", "row", "label", "column", "value", "unit"}; !slices.Equal(lines[0], want) {
			t.Errorf("headings are %q", lines[0])
		}
		has := map[fact]bool{}
		for _, l := range lines[1:] {
			has[fact{l[0], strings.TrimPrefix(l[1], "'"), strings.TrimPrefix(l[2], "'"), l[3], l[4], l[5]}] = true
		}
		for _, f := range facts(million(), tag) {
			if !has[f] {
				t.Errorf("%v: the table lacks %+v", tag, f)
			}
		}
	}
}

// Texts that a spreadsheet program would run have an apostrophe before them.
func TestCSVRunsNoFormulas(t *testing.T) {
	data := write(t, report.CSV, million(), report.Options{})
	lines, err := csv.NewReader(bytes.NewReader(data[3:])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	number := regexp.MustCompile(`^-?\d+(\.\d+)?$`)
	escaped := 0
	for _, l := range lines {
		for _, cell := range l {
			if strings.HasPrefix(cell, "'=") {
				escaped++
			}
			if strings.ContainsAny(cell[:min(len(cell), 1)], "=+-@\t\r") && !number.MatchString(cell) {
				t.Errorf("the cell %q would run", cell)
			}
		}
	}
	if escaped == 0 {
		t.Error("the sample's formulas are not there")
	}
}
