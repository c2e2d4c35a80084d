package stocktake

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
)

const (
	// minCompared is how many months or runs make a usual one.
	minCompared = 5
	// unusualScore is 3.5 in hundredths, as Iglewicz and Hoaglin (1993) recommend.
	unusualScore = 350
)

// movements are the terms that are looked at, by their JSON names.
func (r *Reconciliation) movements() map[string]int64 {
	return map[string]int64{
		termNew: r.New, termReactivated: r.Reactivated, termUnmerged: r.Unmerged, termEntered: r.Entered,
		termMerged: r.Merged, termArchived: r.Archived, termErased: r.Erased, termLeft: r.Left,
	}
}

// findUnusual compares each whole month with the others of the trend, and the period with
// earlier runs over periods as long.
func (c *count) findUnusual() error {
	whole := c.wholeMonths()
	for i, m := range whole {
		for term, value := range m.movements() {
			var others []int64
			for k := range whole {
				if k != i {
					others = append(others, whole[k].movements()[term])
				}
			}
			c.compareWith(term, m.Month, value, others)
		}
	}
	if c.def.Version > 0 && c.reader.mayRead() == nil {
		if err := c.compareWithRuns(); err != nil {
			return err
		}
	}
	slices.SortFunc(c.result.Unusual, func(a, b Unusual) int {
		return slices.Compare([]string{a.Month, a.Term}, []string{b.Month, b.Term})
	})
	return nil
}

// wholeMonths are the months of the trend that the period has from end to end.
func (c *count) wholeMonths() []Month {
	months := slices.Clone(c.result.Trend)
	if at := c.result.Opening.Time; len(months) > 0 && !at.Equal(c.monthOf(at)) && !c.clipped() {
		months = months[1:]
	}
	if at := c.result.Closing.Time; len(months) > 0 && !at.Equal(c.monthOf(at)) {
		months = months[:len(months)-1]
	}
	return months
}

// compareWithRuns looks at the runs of the definition that ended by this one's opening.
func (c *count) compareWithRuns() error {
	length := func(opening, closing time.Time) float64 { return closing.Sub(opening).Hours() }
	own := length(c.result.Opening.Time, c.result.Closing.Time)
	others := map[string][]int64{}
	for run, err := range c.reader.RunsOf(c.def.Name) {
		if err != nil {
			return err
		}
		if run.Closing.Position > c.result.Opening.Position || math.Abs(length(run.Opening.Time, run.Closing.Time)/own-1) > 0.1 {
			continue
		}
		for term, value := range run.Reconciliation.movements() {
			others[term] = append(others[term], value)
		}
	}
	for term, value := range c.result.Reconciliation.movements() {
		c.compareWith(term, "", value, others[term])
	}
	return nil
}

// compareWith adds a movement that is unusual among others.
func (c *count) compareWith(term, month string, value int64, others []int64) {
	if len(others) < minCompared {
		return
	}
	middle := median(others)
	deviations := make([]int64, len(others))
	for i, x := range others {
		deviations[i] = max(x-middle, middle-x)
	}
	mad := median(deviations)
	// Counts vary by chance alone by the root of their size (Poisson): a smaller deviation,
	// as among equal months, says nothing.
	spread := max(mad, int64(math.Round(0.6745*math.Sqrt(float64(middle)))), 1)
	score := rounded(6745*(value-middle), 100*spread)
	if max(score, -score) <= unusualScore {
		return
	}
	c.result.Unusual = append(c.result.Unusual, Unusual{
		Term: term, Month: month, Value: value, Median: middle, MAD: mad, Score: score, Compared: len(others),
		Explanation: explainUnusual(term, value, middle, spread, score, len(others), month != ""),
	})
}

// median is the middle value, the lower of two.
func median(values []int64) int64 {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return sorted[(len(sorted)-1)/2]
}

var termTitles = map[string]customer.Names{
	termNew: names("new", "新增"), termReactivated: names("reactivated", "重新启用"), termUnmerged: names("unmerged", "撤销合并"), termEntered: names("entered otherwise", "其他转入"),
	termMerged: names("merged", "合并"), termArchived: names("archived", "归档"), termErased: names("erased", "删除"), termLeft: names("left otherwise", "其他转出"),
}

func explainUnusual(term string, value, middle, spread, score int64, compared int, months bool) customer.Names {
	what, was := "earlier runs", "次历史盘点"
	if months {
		what, was = "other months", "个其他月份"
	}
	title := termTitles[term]
	return names(
		fmt.Sprintf("%d customers %s; the median of %d %s is %d with a usual deviation of %d, so this is %.1f robust standard deviations away", value, title["en"], compared, what, middle, spread, float64(score)/100),
		fmt.Sprintf("%s%d户；%d%s的中位数为%d，通常偏差为%d，本次偏离%.1f个稳健标准差", title["zh-Hans"], value, compared, was, middle, spread, float64(score)/100),
	)
}
