// Package page writes reports as one HTML file that needs nothing from elsewhere: no
// script, no font, no picture, no request. It reads on a telephone, prints, has a dark
// mode, and says its language.
//
// A [Page] has a title, key figures and sections; a [Section] has blocks: [Figures],
// [Chart], [Table], [Facts], [Text], [Notice], beside one another in [Columns]. Texts are
// given in the page's language by the caller and are escaped; the page's own words come
// in Chinese, or else in English.
//
//	page.Page{
//		Language: language.English,
//		Title:    "Capacity",
//		Figures:  []page.Figure{{Label: "customers", Value: "1.2M", Tone: page.Good}},
//		Sections: []page.Section{{Title: "Latency", Blocks: []page.Block{
//			page.Chart{Title: "get by id", Chart: chart.Lines{…}},
//			page.Table{Columns: []page.Column{{Title: "customers", Number: true}}, Rows: rows},
//		}}},
//	}.Write(w)
//
// Equal pages give equal bytes. Everything is safe for concurrent use.
package page
