package dedupe_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/dedupe/match"
)

func html(t *testing.T, r *dedupe.Report) string {
	t.Helper()
	var page bytes.Buffer
	if err := r.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

// What stands in fields is shown as text, however long it is, and never in full length.
func TestReportOfHugeFieldsAndMarkup(t *testing.T) {
	huge := strings.Repeat("長", 1<<20)
	a := dedupe.ReportRecord{ID: "<script>1</script>", Values: []string{"</td><b>Acme</b>", huge, "\u202eabc", ""}}
	b := dedupe.ReportRecord{ID: huge, Values: []string{"<img src=x onerror=alert(1)>", huge + "x", "abc"}} // short of a value
	page := html(t, &dedupe.Report{
		Title: "<title>", Made: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC), Fields: []string{"<name>", "note", "way", "none"}, Possible: 1, Groups: 1,
		Pairs:    []dedupe.ReportPair{{A: a, B: b, Score: match.Score{Probability: 1}}},
		Clusters: []dedupe.ReportCluster{{ID: "1", Records: []dedupe.ReportRecord{a, b}}},
	})
	for _, tag := range []string{"<script>1", "<b>Acme", "<img", "<name>", "<title><"} {
		if strings.Contains(page, tag) {
			t.Errorf("%q stands on the page as markup", tag)
		}
	}
	if len(page) > 50_000 {
		t.Errorf("the page has %d bytes", len(page))
	}
	for _, want := range []string{"… (1048576)", "&gt;99.9 %", "2026-01-02 03:04"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestReportTellsWhatItLeavesOut(t *testing.T) {
	r := &dedupe.Report{Title: "T", Fields: []string{"name"}, Same: 7, Possible: 5, Groups: 3}
	if page := html(t, r); !strings.Contains(page, "None.") || !strings.Contains(page, "12 more are not shown") {
		t.Error("a page of no pairs doesn't say that there are twelve")
	}
	for i := range 12 {
		x := dedupe.ReportRecord{ID: fmt.Sprint(i), Values: []string{"A"}}
		r.Pairs = append(r.Pairs, dedupe.ReportPair{A: x, B: x})
	}
	r.Clusters = []dedupe.ReportCluster{{ID: "1", Records: []dedupe.ReportRecord{r.Pairs[0].A}}}
	if page := html(t, r); !strings.Contains(page, "The first 1; 2 more are not shown") || strings.Contains(page, "The first 12") {
		t.Error("a page of all pairs and one of three clusters tells otherwise")
	}
}

// The report of a book is its queue.
func TestReportOfTheQueue(t *testing.T) {
	b := openFor(t, withPolicy(dedupe.Warn))
	first, again := b.create(cement), b.create(cementAgain)
	b.view(func(tx *clientele.ReadTx) error {
		r, err := tx.Dedupe.Report("Queue", 10)
		if err != nil {
			return err
		}
		if len(r.Pairs) != 1 || r.Same+r.Possible != 1 || r.Pairs[0].A.ID != first.Code || r.Pairs[0].B.ID != again.Code {
			t.Errorf("the report is %+v", r)
		}
		if page := html(t, r); !strings.Contains(page, "<mark>灣</mark>") {
			t.Error("the page marks no difference")
		}
		return nil
	})
}
