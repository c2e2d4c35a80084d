package chart_test

import (
	"encoding/xml"
	"io"
	"math"
	"strings"
	"testing"

	"golang.org/x/text/language"
	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/internal/chart"
)

// values are all that can come, with what breaks arithmetic.
func values() *rapid.Generator[float64] {
	odd := rapid.SampledFrom([]float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, 1e300, math.SmallestNonzeroFloat64, 1e18, 1})
	return rapid.OneOf(odd, rapid.Float64Range(-1e7, 1e7), rapid.Map(rapid.IntRange(0, 2000), func(n int) float64 { return float64(n) }))
}

func labels() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "新增", "内蒙古自治区呼和浩特市赛罕区市场监督管理局第三分局所属客户", `<script>"&'`, "Receivables\x00of\x1bsomebody"}))
}

func frames(t *rapid.T) chart.Frame {
	return chart.Frame{Title: labels().Draw(t, "title"), Desc: labels().Draw(t, "desc"), Language: rapid.SampledFrom([]language.Tag{language.English, language.SimplifiedChinese}).Draw(t, "language")}
}

func charts(t *rapid.T) chart.Chart {
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) chart.Step {
			return chart.Step{Label: labels().Draw(t, "label"), Value: values().Draw(t, "value"), Total: rapid.Bool().Draw(t, "total")}
		}), 0, 14).Draw(t, "steps")
		return chart.Waterfall{Frame: frames(t), Steps: steps}
	case 1:
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) chart.Row {
			return chart.Row{Label: labels().Draw(t, "label"), Values: rapid.SliceOfN(values(), 0, 10).Draw(t, "values")}
		}), 0, 6).Draw(t, "rows")
		return chart.Bars{Frame: frames(t), Names: rapid.SliceOfN(labels(), 0, 10).Draw(t, "names"), Rows: rows, Stacked: rapid.Bool().Draw(t, "stacked"), Share: rapid.Bool().Draw(t, "share")}
	case 2:
		return chart.Sparkline{Frame: frames(t), Values: rapid.SliceOfN(values(), 0, 30).Draw(t, "values")}
	}
	axes := func(name string) chart.Axis {
		return chart.Axis{Label: labels().Draw(t, name), Log: rapid.Bool().Draw(t, name+" log"), Zero: rapid.Bool().Draw(t, name+" zero")}
	}
	series := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) chart.Series {
		points := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) chart.Sample {
			return chart.Sample{X: values().Draw(t, "x"), Y: values().Draw(t, "y"), Low: values().Draw(t, "low"), High: values().Draw(t, "high")}
		}), 0, 12).Draw(t, "points")
		return chart.Series{Name: labels().Draw(t, "name"), Points: points, Plain: rapid.Bool().Draw(t, "plain")}
	}), 0, 4).Draw(t, "series")
	targets := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) chart.Target {
		return chart.Target{Name: labels().Draw(t, "target"), At: values().Draw(t, "at"), Vertical: rapid.Bool().Draw(t, "vertical")}
	}), 0, 2).Draw(t, "targets")
	return chart.Lines{Frame: frames(t), X: axes("x axis"), Y: axes("y axis"), Series: series, Targets: targets}
}

// Whatever the values, marks stand within their drawing, and SVG is well-formed and the
// same every time.
func TestChartsOfAnyValuesAreWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := charts(t)
		width := rapid.SampledFrom([]float64{chart.Wide, chart.Narrow, chart.Half, 0}).Draw(t, "width")
		d := c.Draw(width)
		if d.Height <= 0 || d.Height > 5000 {
			t.Fatalf("%T is %v high", c, d.Height)
		}
		for _, m := range d.Marks {
			for _, p := range m.Points {
				if !(p.X >= -1 && p.X <= d.Width+1 && p.Y >= -1 && p.Y <= d.Height+1) {
					t.Fatalf("%T, %v × %v: mark %+v stands outside", c, d.Width, d.Height, m)
				}
			}
		}
		text := string(d.SVG())
		if again := string(c.Draw(width).SVG()); again != text {
			t.Fatal("drawn twice, the chart differs")
		}
		wellFormed(t, text)
	})
}

func wellFormed(t interface{ Fatalf(string, ...any) }, text string) {
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if start, ok := token.(xml.StartElement); ok {
			if name := start.Name.Local; name == "script" || name == "image" || name == "use" || name == "foreignObject" {
				t.Fatalf("a chart has an element <%s>", name)
			}
			for _, a := range start.Attr {
				if a.Name.Local == "href" || strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Value, "url(") {
					t.Fatalf("<%s %s=%q>", start.Name.Local, a.Name.Local, a.Value)
				}
			}
		}
	}
}

func find(d chart.Drawing, shape chart.Shape, title string) (found []chart.Mark) {
	for _, m := range d.Marks {
		if m.Shape == shape && m.Title == title {
			found = append(found, m)
		}
	}
	return found
}

func texts(d chart.Drawing) (all string) {
	for _, m := range d.Marks {
		all += m.Text + "\n"
	}
	return all
}

// Opening 1,200 with 400 new and 100 archived: the columns are as high as their values,
// 400 is four times 100, and each hangs where the one before ended.
func TestWaterfallIsTrueToScale(t *testing.T) {
	w := chart.Waterfall{Frame: chart.Frame{Language: language.English}, Steps: []chart.Step{
		{Label: "Opening", Value: 1200, Total: true}, {Label: "New", Value: 400}, {Label: "Archived", Value: -100}, {Label: "Closing", Value: 1500, Total: true}}}
	d := w.Draw(chart.Wide)
	height := func(title string) (top, bottom float64, ink chart.Ink) {
		m := find(d, chart.Rect, title)
		if len(m) != 1 {
			t.Fatalf("%d marks say %q", len(m), title)
		}
		a, b := m[0].Points[0].Y, m[0].Points[1].Y
		return min(a, b), max(a, b), m[0].Ink
	}
	openTop, openBottom, ink := height("Opening: 1,200")
	newTop, newBottom, rise := height("New: +400")
	archivedTop, archivedBottom, fall := height("Archived: −100")
	closeTop, closeBottom, _ := height("Closing: 1,500")
	perCustomer := (openBottom - openTop) / 1200
	for name, c := range map[string][2]float64{
		"new":              {newBottom - newTop, 400 * perCustomer},
		"archived":         {archivedBottom - archivedTop, 100 * perCustomer},
		"closing":          {closeBottom - closeTop, 1500 * perCustomer},
		"new hangs on":     {newBottom, openTop},
		"archived hangs":   {archivedTop, newTop},
		"closing is level": {closeTop, archivedBottom},
	} {
		if math.Abs(c[0]-c[1]) > 1e-6 {
			t.Errorf("%s: %v, want %v", name, c[0], c[1])
		}
	}
	if ink != chart.Total || rise != chart.Rise || fall != chart.Fall {
		t.Errorf("inks are %v, %v, %v", ink, rise, fall)
	}
}

// Hundreds among a million can't be seen from zero: the axis is broken and says so.
func TestWaterfallConfessesABrokenAxis(t *testing.T) {
	steps := func(opening, change float64) []chart.Step {
		return []chart.Step{{Label: "Opening", Value: opening, Total: true}, {Label: "New", Value: change}, {Label: "Closing", Value: opening + change, Total: true}}
	}
	for _, width := range []float64{chart.Wide, chart.Narrow} {
		for _, c := range []struct {
			steps  []chart.Step
			broken bool
		}{{steps(1e6, 500), true}, {steps(1000, 500), false}, {steps(0, 500), false}, {steps(500, -500), false}, {steps(500, 0), false}} {
			d := chart.Waterfall{Frame: chart.Frame{Language: language.Chinese}, Steps: c.steps}.Draw(width)
			if says := strings.Contains(texts(d), "坐标轴不从 0 开始"); says != c.broken {
				t.Errorf("width %v, %+v: says that the axis is broken: %v", width, c.steps, says)
			}
		}
	}
}

func TestBarsAreTrueToScale(t *testing.T) {
	b := chart.Bars{Frame: chart.Frame{Language: language.English}, Rows: []chart.Row{{"a", []float64{300}}, {"b", []float64{100}}, {"c", []float64{-50}}, {"d", []float64{math.NaN()}}}}
	d := b.Draw(chart.Wide)
	span := func(title string) (from, to float64) {
		m := find(d, chart.Rect, title)
		if len(m) != 1 {
			t.Fatalf("%d bars say %q", len(m), title)
		}
		return m[0].Points[0].X, m[0].Points[1].X
	}
	a0, a1 := span("a: 300")
	b0, b1 := span("b: 100")
	c0, c1 := span("c: −50")
	if a0 != b0 || b0 != c0 {
		t.Errorf("bars begin at %v, %v and %v", a0, b0, c0)
	}
	if math.Abs((a1-a0)-3*(b1-b0)) > 1e-6 || math.Abs((b1-b0)+2*(c1-c0)) > 1e-6 {
		t.Errorf("300, 100 and −50 are %v, %v and %v long", a1-a0, b1-b0, c1-c0)
	}
	if strings.Contains(texts(d), "NaN") {
		t.Error("what is no number is written")
	}
}

// 30, 10 and 10 of 50 are 60 %, 20 % and 20 % of the row.
func TestSharesFillTheRow(t *testing.T) {
	b := chart.Bars{Frame: chart.Frame{Language: language.English}, Stacked: true, Share: true, Names: []string{"x", "y", "z"}, Rows: []chart.Row{{"row", []float64{30, 10, 10}}}}
	d := b.Draw(chart.Wide)
	x, y, z := find(d, chart.Rect, "row · x: 30")[0], find(d, chart.Rect, "row · y: 10")[0], find(d, chart.Rect, "row · z: 10")[0]
	length := z.Points[1].X - x.Points[0].X
	if got := (x.Points[1].X - x.Points[0].X) / length; math.Abs(got-0.6) > 1e-9 {
		t.Errorf("x takes %v of the row, want 0.6", got)
	}
	if x.Points[1].X != y.Points[0].X || y.Points[1].X != z.Points[0].X {
		t.Error("the pieces don't touch")
	}
	if !strings.Contains(texts(d), "60%") {
		t.Errorf("no share is written: %q", texts(d))
	}
}

func TestEmptyChartsSaySo(t *testing.T) {
	for _, c := range []chart.Chart{chart.Waterfall{}, chart.Bars{}, chart.Lines{}, chart.Lines{Series: []chart.Series{{Points: []chart.Sample{{X: 1, Y: math.NaN()}}}}},
		chart.Lines{Y: chart.Axis{Log: true}, Series: []chart.Series{{Points: []chart.Sample{{X: 1, Y: 0}}}}}, chart.Bars{Rows: []chart.Row{{Label: "a"}}}} {
		if got := texts(c.Draw(chart.Wide)); !strings.Contains(got, "No data") {
			t.Errorf("%T says %q", c, got)
		}
	}
}

// Labels of ticks never touch, and the last one is there.
func TestCrowdedTicksAreLeftOut(t *testing.T) {
	var ticks []chart.Tick
	var points []chart.Sample
	for i := range 36 {
		label := "2026-" + string(rune('A'+i%26)) + "1"
		ticks = append(ticks, chart.Tick{At: float64(i), Label: label})
		points = append(points, chart.Sample{X: float64(i), Y: float64(i)})
	}
	ticks[35].Label = "2029-00"
	d := chart.Lines{X: chart.Axis{Ticks: ticks}, Series: []chart.Series{{Points: points}}}.Draw(chart.Narrow)
	var at []float64
	last := false
	for _, m := range d.Marks {
		if m.Shape == chart.Letter && strings.HasPrefix(m.Text, "20") && strings.Contains(m.Text, "-") {
			at = append(at, m.Points[0].X)
			last = last || m.Text == "2029-00"
		}
	}
	if len(at) < 3 || !last {
		t.Errorf("%d labels, the last among them: %v", len(at), last)
	}
	for i := 1; i < len(at); i++ {
		if at[i-1]-at[i] < chart.TextWidth("2026-01", 12) {
			t.Errorf("labels at %v and %v touch", at[i-1], at[i])
		}
	}
}

// The widths are those of DejaVu Sans, in em: S 0.635, o 0.612, u 0.634 and so on. Less room
// would cut the labels off.
func TestTextHasRoomInAWideFont(t *testing.T) {
	for text, em := range map[string]float64{"South China": 6.082, "Warm milk": 5.414, "2025-12": 4.178} {
		if w := chart.TextWidth(text, 1); w < em || w > 1.15*em {
			t.Errorf("%q has room for %.3f em, and takes %.3f", text, w, em)
		}
	}
}
