package retail

import (
	"context"
	"fmt"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging/classify"
)

// Visits is a classifier that says which shops are due for a visit: after EveryDays since
// the last one, or half of that for shops that ordered nothing this month and the two
// before. Shops that were never visited are due.
type Visits struct {
	EveryDays int // 0 is 30
}

// Name implements [classify.Classifier].
func (Visits) Name() string { return "retail-visits" }

// Version implements [classify.Classifier]. Another EveryDays gives other verdicts, so it
// is part of the version.
func (v Visits) Version() uint64 { return 1<<16 | uint64(v.days()) }

func (v Visits) days() int {
	if v.EveryDays > 0 {
		return v.EveryDays
	}
	return 30
}

// Dimensions implements [classify.Classifier].
func (Visits) Dimensions() []classify.DimensionSpec {
	return []classify.DimensionSpec{{
		Code: "visit", Names: customer.Names{"en": "Visit", "zh-Hans": "拜访", "zh-Hant": "拜訪"}, Exclusive: true,
		Tags: []classify.TagSpec{
			{Code: "done", Names: customer.Names{"en": "Visited", "zh-Hans": "已拜访", "zh-Hant": "已拜訪"}},
			{Code: "due", Colour: "#ef6c00", Names: customer.Names{"en": "Due", "zh-Hans": "待拜访", "zh-Hant": "待拜訪"}},
		},
	}}
}

// Facts implements [classify.Classifier].
func (Visits) Facts() []string { return []string{"activity.visit.last", "activity.order.count_3"} }

// Classify implements [classify.Classifier].
func (v Visits) Classify(_ context.Context, f classify.Facts) (classify.Verdict, error) {
	last := f.Value("activity.visit.last")
	if last.Missing() {
		return verdict("due", "never visited"), nil
	}
	days := v.days()
	if orders := f.Value("activity.order.count_3"); !orders.Missing() && orders.Integer() == 0 {
		days /= 2
	}
	due := last.Instant().AddDate(0, 0, days)
	if !f.Now().Before(due) {
		return verdict("due", fmt.Sprintf("last visit %s, due every %d days", last.Instant().Format("2 January 2006"), days)), nil
	}
	done := verdict("done", "")
	done.Until = due // the clock alone makes it due
	return done, nil
}

func verdict(tag, reason string) classify.Verdict {
	return classify.Verdict{Tags: []classify.TagRef{{Dimension: "visit", Tag: tag}}, Reason: reason}
}
