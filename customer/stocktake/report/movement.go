package report

import (
	"fmt"

	"github.com/clientele-go/clientele/customer/stocktake"
)

// term is a line of the reconciliation.
type term struct {
	code             string
	english, chinese string
	of               func(*stocktake.Reconciliation) int64
	sign             int64 // 0: a total
}

// terms are the lines of the reconciliation, in their order.
var terms = []term{
	{"opening", "Opening", "期初", func(r *stocktake.Reconciliation) int64 { return r.Opening }, 0},
	{"new", "New", "新增", func(r *stocktake.Reconciliation) int64 { return r.New }, 1},
	{"reactivated", "Reactivated", "重新启用", func(r *stocktake.Reconciliation) int64 { return r.Reactivated }, 1},
	{"unmerged", "Unmerged", "撤销合并", func(r *stocktake.Reconciliation) int64 { return r.Unmerged }, 1},
	{"entered", "Entered", "转入", func(r *stocktake.Reconciliation) int64 { return r.Entered }, 1},
	{"merged", "Merged", "被合并", func(r *stocktake.Reconciliation) int64 { return r.Merged }, -1},
	{"archived", "Archived", "归档", func(r *stocktake.Reconciliation) int64 { return r.Archived }, -1},
	{"erased", "Erased", "删除", func(r *stocktake.Reconciliation) int64 { return r.Erased }, -1},
	{"left", "Left", "转出", func(r *stocktake.Reconciliation) int64 { return r.Left }, -1},
	{"closing", "Closing", "期末", func(r *stocktake.Reconciliation) int64 { return r.Closing }, 0},
}

func (t tongue) term(code string) string {
	for _, term := range terms {
		if term.code == code {
			return t.say(term.english, term.chinese)
		}
	}
	return code
}

// reconciliation is the identity as a waterfall and a table.
func (c *composer) reconciliation() section {
	s := section{
		code: "reconciliation", title: c.say("Reconciliation", "变动核对"), sheet: c.say("Reconciliation", "变动核对"),
		intro: c.say("How the closing count came from the opening count. Each customer is in one line at most: the one that says why it counts at one end of the period and not at the other.",
			"期末客户数如何由期初客户数变动而来。每位客户至多计入一行，即说明其仅在期初或仅在期末计入的那一行。"),
	}
	t := &table{name: "reconciliation", columns: []column{{code: "label", title: c.say("Term", "项目")}, {code: "customers", title: c.say("Customers", "客户数"), kind: count}, {code: "of_opening", title: c.say("Of opening", "占期初"), kind: rate}}}
	for _, term := range terms {
		n := term.of(&c.Reconciliation)
		if term.sign != 0 {
			n *= term.sign
		}
		t.rows = append(t.rows, row{key: term.code, total: term.sign == 0, cells: []cell{text(c.say(term.english, term.chinese)), number(n), c.ofOpening(n)}})
	}
	if c.Through > 0 {
		t.note = c.sayf("Besides, %s customers counted at the end of a month in the period and at neither of its ends; they are in no line.", "另有 %s 位客户仅在期内某月末计入，期初、期末均未计入，不计入任何一行。", counted(c.Through))
	}
	if lacks := c.Reconciliation.Balance(); lacks != 0 {
		s.notice = &notice{bad, c.sayf("The terms don't add up: %s customers are missing. Verify the book.", "各项不平，相差 %s 位客户，请校验账簿。", counted(lacks))}
	}
	desc := c.sayf("From %s to %s customers.", "由 %s 变为 %s 位客户。", counted(c.Reconciliation.Opening), counted(c.Reconciliation.Closing))
	s.parts = []part{{table: t, plots: []plot{{shape: waterfall, title: c.say("From opening to closing", "由期初到期末"), desc: desc, values: []int{1}}}}}
	return s
}

// ofOpening is a share of the opening count.
func (c *composer) ofOpening(n int64) cell { return share(n, c.Reconciliation.Opening) }

// share is n of a whole in hundredths of a percent, rounded half away from zero, or
// nothing of nothing.
func share(n, whole int64) cell {
	if whole == 0 {
		return cell{}
	}
	sign := int64(1)
	if (n < 0) != (whole < 0) {
		sign = -1
	}
	a, b := magnitude(n), magnitude(whole)
	return number(sign * int64(mulDivRound(a, 10000, b)))
}

// trend is the closing count and the movements month by month.
func (c *composer) trend() (section, bool) {
	if len(c.Trend) == 0 {
		return section{}, false
	}
	t := &table{name: "trend", fold: 24, columns: []column{{code: "label", title: c.say("Month", "月份")}}}
	for _, term := range terms {
		t.columns = append(t.columns, column{code: term.code, title: c.say(term.english, term.chinese), kind: count})
	}
	t.columns = append(t.columns, column{code: "gained", title: c.say("Gained", "增加"), kind: count}, column{code: "lost", title: c.say("Lost", "减少"), kind: count})
	for _, m := range c.Trend {
		cells := []cell{text(m.Month)}
		for _, term := range terms {
			cells = append(cells, number(term.of(&m.Reconciliation)))
		}
		cells = append(cells, number(m.Gained()), number(m.Lost()))
		t.rows = append(t.rows, row{key: m.Month, cells: cells})
	}
	first, last := &c.Trend[0], &c.Trend[len(c.Trend)-1]
	desc := c.sayf("From %s in %s to %s in %s.", "由 %[2]s 的 %[1]s 变为 %[4]s 的 %[3]s。", counted(first.Closing), first.Month, counted(last.Closing), last.Month)
	return section{
		code: "trend", title: c.say("Trend", "趋势"), sheet: c.say("Trend", "趋势"),
		intro: c.say("Customers at the end of each month, and how many came and went in it.", "各月月末客户数，以及当月增减。"),
		parts: []part{{table: t, plots: []plot{
			{shape: lines, title: c.say("Customers at the end of the month", "月末客户数"), desc: desc, values: []int{10}},
			{shape: lines, title: c.say("Gained and lost in the month", "当月增加与减少"), desc: c.say("A line each.", "各一条线。"), values: []int{11, 12}},
		}}},
	}, true
}

// classes are the words for classes of activity, and what they mean.
var classes = map[stocktake.Class][4]string{
	stocktake.ClassNew:       {"New", "新客户", "created in the period", "本期新建"},
	stocktake.ClassActive:    {"Active", "活跃", "with recent business", "近期有业务"},
	stocktake.ClassReturning: {"Returning", "回流", "active again after being lost", "流失后重新活跃"},
	stocktake.ClassDormant:   {"Dormant", "休眠", "no business for a while", "一段时间没有业务"},
	stocktake.ClassLost:      {"Lost", "流失", "no business for long", "长期没有业务"},
	stocktake.ClassNever:     {"Never active", "从未交易", "no business ever", "从无业务"},
}

// activity is how customers take part in business.
func (c *composer) activity() (section, bool) {
	if len(c.Activity) == 0 {
		return section{}, false
	}
	t := &table{name: "activity", columns: []column{
		{code: "label", title: c.say("Class", "类别")}, {code: "opening", title: c.say("Opening", "期初"), kind: count}, {code: "closing", title: c.say("Closing", "期末"), kind: count},
		{code: "change", title: c.say("Change", "变动"), kind: count}, {code: "share", title: c.say("Of closing", "占期末"), kind: rate}, {code: "meaning", title: c.say("Meaning", "含义")},
	}}
	for _, a := range c.Activity {
		w := classes[a.Class]
		label := c.say(w[0], w[1])
		if label == "" {
			label = a.Class.String()
		}
		t.rows = append(t.rows, row{key: a.Class.String(), cells: []cell{text(label), number(a.Opening), number(a.Closing), number(a.Closing - a.Opening), share(a.Closing, c.Reconciliation.Closing), text(c.say(w[2], w[3]))}})
	}
	return section{
		code: "activity", title: c.say("Activity", "活跃度"), sheet: c.say("Activity", "活跃度"),
		intro: c.say("How customers take part in business, at the opening and at the closing.", "期初与期末客户的业务活跃情况。"),
		parts: []part{{table: t, plots: []plot{{shape: bars, title: c.say("Customers by activity", "按活跃度的客户数"), desc: c.say("Opening and closing by class.", "各类别的期初与期末。"), values: []int{1, 2}}}}},
	}, true
}

// cohorts is the share of each month's new customers that stayed.
func (c *composer) cohorts() (section, bool) {
	if c.Cohorts == nil || len(c.Cohorts.Rows) == 0 {
		return section{}, false
	}
	longest := 0
	for _, k := range c.Cohorts.Rows {
		longest = max(longest, len(k.Kept))
	}
	kept := &table{name: "cohorts", columns: []column{{code: "label", title: c.say("Created in", "新建月份")}, {code: "created", title: c.say("Created", "新建"), kind: count}},
		note: c.say("Columns are months after the creation.", "各列为新建后的月数。")}
	for i := 1; i < longest; i++ {
		kept.columns = append(kept.columns, column{code: fmt.Sprintf("month_%d", i), title: fmt.Sprintf("+%d", i), kind: rate})
	}
	least := int64(10000)
	for _, k := range c.Cohorts.Rows {
		cells := []cell{text(k.Month), number(k.Created)}
		for i := 1; i < longest; i++ {
			var one cell
			if i < len(k.Kept) {
				one = share(k.Kept[i], k.Created)
				least = min(least, one.n)
			}
			cells = append(cells, one)
		}
		kept.rows = append(kept.rows, row{key: k.Month, cells: cells})
	}
	// The range of retention is coloured, from light to dark: most of it is far from zero.
	for _, r := range kept.rows {
		for i := range r.cells[2:] {
			if one := &r.cells[2+i]; one.set {
				one.heat = 0.05 + 0.95*heat(one.n-least, 10000-least)
			}
		}
	}
	return section{
		code: "cohorts", title: c.say("Retention by cohort", "同期群留存"), sheet: c.say("Retention", "留存"),
		intro: c.say("Of the customers created in a month, the share that still counted at the ends of the months after.", "某月新建的客户在其后各月月末仍计入的比例。"),
		parts: []part{{table: kept}},
	}, true
}

// heat is the share of a whole for a colour.
func heat(n, whole int64) float64 {
	if whole <= 0 || n <= 0 {
		return 0
	}
	return min(1, float64(n)/float64(whole))
}
