// Package chart draws the small charts of reports: [Waterfall], [Bars], [Stacked],
// [Lines], [Sparkline].
//
// A chart is a value; Draw lays it out for a width and returns a [Drawing], a list of
// marks in points or pixels. [SVG] writes drawings as inline SVG, which needs nothing
// from elsewhere: no script, no style sheet, no font. Colours are CSS variables with
// fallbacks, so that a page can have a dark mode; title and desc are for readers who
// don't see. What isn't SVG (a PDF) draws the marks itself.
//
// Values are float64: counts are exact up to 2⁵³. Values that are no numbers (NaN, ±Inf)
// are left out; a chart without values says so. Draw never fails and is deterministic:
// equal charts give equal bytes. Everything is safe for concurrent use, nothing is kept.
//
//	chart.SVG(chart.Lines{
//		Frame:  chart.Frame{Title: "Latency", Language: language.English},
//		X:      chart.Axis{Label: "customers", Log: true},
//		Y:      chart.Axis{Label: "ms", Log: true},
//		Series: []chart.Series{{Name: "get", Points: points}},
//		Targets: []chart.Target{{Name: "≤ 1 ms", At: 1}},
//	})
package chart
