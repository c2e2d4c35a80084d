package dedupe

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"time"
	"unicode/utf8"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe/match"
)

// Report is a run's result as a page for people, of any records: those of a book by
// [Reader.Report], those of a file by package match alone.
type Report struct {
	Title   string
	Made    time.Time
	Fields  []string
	Records int // compared
	// Same, Possible and Groups are how many pairs and clusters were found in all.
	Same, Possible, Groups int
	// Pairs are shown side by side, in their order.
	Pairs []ReportPair
	// Clusters are shown as lists, in their order.
	Clusters []ReportCluster
}

// ReportRecord is one record of a report, with its values by field.
type ReportRecord struct {
	ID     string
	Values []string
}

// ReportPair is two records and how they were judged, explained field by field.
type ReportPair struct {
	A, B  ReportRecord
	Score match.Score
}

// ReportCluster is the records that are one customer.
type ReportCluster struct {
	ID      string
	Records []ReportRecord
}

//go:embed report.html
var reportFiles embed.FS

// WriteHTML writes the report as one page in English and Chinese, which needs nothing
// from elsewhere: records side by side, with what differs marked and what each field
// says. Values are escaped.
func (r *Report) WriteHTML(w io.Writer) error {
	page, err := template.New("report.html").ParseFS(reportFiles, "report.html")
	if err != nil {
		return fmt.Errorf("dedupe: report: %w", err)
	}
	return page.Execute(w, r.page())
}

// pageData is what the template shows.
type pageData struct {
	*Report
	// MorePairs and MoreClusters are not shown.
	MorePairs, MoreClusters int
	Cards                   []card
	Lists                   []ReportCluster
}

type card struct {
	A, B     string
	Percent  string
	Decision string
	Rows     []cardRow
}

type cardRow struct {
	Field    string
	A, B     []segment
	Bits     string
	Width    int    // of the bar, in percent
	Side     string // "for", "against" or "none"
	Sentence map[string]string
}

func (r *Report) page() *pageData {
	p := &pageData{Report: r, MorePairs: max(0, r.Same+r.Possible-len(r.Pairs)), MoreClusters: max(0, r.Groups-len(r.Clusters))}
	for i := range r.Pairs {
		p.Cards = append(p.Cards, r.card(&r.Pairs[i]))
	}
	for _, c := range r.Clusters {
		list := ReportCluster{ID: c.ID}
		for _, x := range c.Records {
			shown := ReportRecord{ID: clipped(x.ID, maxShown)}
			for i := range r.Fields {
				shown.Values = append(shown.Values, clipped(valueAt(x.Values, i), maxShown))
			}
			list.Records = append(list.Records, shown)
		}
		p.Lists = append(p.Lists, list)
	}
	return p
}

// maxShown bounds the characters of a value on the page: a page of such values can still be
// opened, and a person has seen enough.
const maxShown = 1000

// clipped is the beginning of a text of more characters than most, and how many it has.
func clipped(s string, most int) string {
	if len(s) <= most {
		return s
	}
	n := 0
	for at := range s {
		if n++; n > most {
			return fmt.Sprintf("%s… (%d)", s[:at], utf8.RuneCountInString(s))
		}
	}
	return s
}

func (r *Report) card(pair *ReportPair) card {
	c := card{A: clipped(pair.A.ID, maxShown), B: clipped(pair.B.ID, maxShown), Percent: percent(pair.Score.Probability), Decision: pair.Score.Decision.String()}
	explained := map[string]match.FieldScore{}
	for _, f := range pair.Score.Fields {
		explained[f.Field] = f
	}
	for i, name := range r.Fields {
		a, b := valueAt(pair.A.Values, i), valueAt(pair.B.Values, i)
		if a == "" && b == "" {
			continue
		}
		row := cardRow{Field: name, Side: "none"}
		row.A, row.B = marked(a, b)
		if f, found := explained[name]; found {
			row.weigh(f)
		}
		c.Rows = append(c.Rows, row)
	}
	return c
}

// fullBar is the evidence, in bits, that fills the bar.
const fullBar = 16

func (row *cardRow) weigh(f match.FieldScore) {
	row.Bits, row.Sentence = fmt.Sprintf("%+.1f", math.Round(10*f.Bits)/10+0), f.Sentence // + 0: no -0.0
	row.Width = int(min(math.Abs(f.Bits)/fullBar, 1) * 100)
	switch {
	case f.Bits > 0.05:
		row.Side = "for"
	case f.Bits < -0.05:
		row.Side = "against"
	}
}

func valueAt(values []string, i int) string {
	if i < len(values) {
		return values[i]
	}
	return ""
}

// percent never says 100 of what is not certain.
func percent(p float64) string {
	switch {
	case p >= 0.9995:
		return ">99.9 %"
	case p < 0.0005:
		return "<0.1 %"
	}
	return fmt.Sprintf("%.1f %%", 100*p)
}

// segment is a piece of a value that the other value has too, or has not.
type segment struct {
	Text    string
	Differs bool
}

// maxDiff bounds the characters of a value that are compared one by one.
const maxDiff = 400

// marked divides two values into what they have in common, in order (a longest common
// subsequence), and what differs. A missing value differs in nothing.
func marked(a, b string) (x, y []segment) {
	switch {
	case a == b || a == "" || b == "":
		return whole(clipped(a, maxShown), false), whole(clipped(b, maxShown), false)
	case utf8.RuneCountInString(a) > maxDiff || utf8.RuneCountInString(b) > maxDiff:
		return whole(clipped(a, maxShown), true), whole(clipped(b, maxShown), true)
	}
	s, t := []rune(a), []rune(b)
	length := make([][]int, len(s)+1)
	for i := range length {
		length[i] = make([]int, len(t)+1)
	}
	for i := len(s) - 1; i >= 0; i-- {
		for j := len(t) - 1; j >= 0; j-- {
			if s[i] == t[j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(s) || j < len(t) {
		switch {
		case i < len(s) && j < len(t) && s[i] == t[j]:
			x, y = grow(x, s[i], false), grow(y, t[j], false)
			i, j = i+1, j+1
		case j == len(t) || i < len(s) && length[i+1][j] >= length[i][j+1]:
			x = grow(x, s[i], true)
			i++
		default:
			y = grow(y, t[j], true)
			j++
		}
	}
	return x, y
}

func whole(s string, differs bool) []segment {
	if s == "" {
		return nil
	}
	return []segment{{s, differs}}
}

func grow(list []segment, r rune, differs bool) []segment {
	if n := len(list); n > 0 && list[n-1].Differs == differs {
		list[n-1].Text += string(r)
		return list
	}
	return append(list, segment{string(r), differs})
}

// Report returns the review queue as a page: the first pairs that wait for people, at most
// limit, with what the session sees of them. The caller sets when it was made. It needs
// the right to review.
func (r *Reader) Report(title string, limit int) (*Report, error) {
	model, err := r.model()
	if err != nil {
		return nil, err
	}
	report := &Report{Title: title}
	for _, f := range r.store.fields {
		report.Fields = append(report.Fields, f.Name)
	}
	for p, err := range r.Queue() {
		if err != nil {
			return nil, err
		}
		if p.LogOdds > 0 {
			report.Same++
		} else {
			report.Possible++
		}
		if len(report.Pairs) >= limit {
			continue
		}
		pair, err := r.reportPair(model, p)
		if err != nil {
			return nil, err
		}
		report.Pairs = append(report.Pairs, pair)
	}
	return report, nil
}

// reportPair explains a pair by what the session sees of both records.
func (r *Reader) reportPair(model *match.Model, p *Pair) (ReportPair, error) {
	a, x, err := r.reportRecord(model, p.A)
	if err != nil {
		return ReportPair{}, err
	}
	b, y, err := r.reportRecord(model, p.B)
	if err != nil {
		return ReportPair{}, err
	}
	return ReportPair{A: a, B: b, Score: model.Explain(x, y)}, nil
}

func (r *Reader) reportRecord(model *match.Model, id customer.ID) (ReportRecord, *match.Prepared, error) {
	c, err := r.customers.Exact(id)
	if err != nil {
		return ReportRecord{}, nil, err
	}
	shown := recordOf(r.store.fields, c)
	p, err := model.Prepare(shown)
	return ReportRecord{ID: c.Code, Values: shown.Values}, p, err
}
