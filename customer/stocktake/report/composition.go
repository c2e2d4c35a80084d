package report

import (
	"slices"
	"strings"

	"github.com/clientele-go/clientele/customer/stocktake"
)

// drawn is how many rows of a dimension a plot shows.
const drawn = 15

// composition is the customers by each dimension.
func (c *composer) composition() (section, bool) {
	s := section{
		code: "composition", title: c.say("Composition", "构成"), sheet: c.say("Composition", "构成"),
		intro: c.say("Customers at the closing by each dimension, and how each row came from its opening count.", "期末客户按各维度的构成，以及各行由期初到期末的变动。"),
	}
	for i := range c.Dimensions {
		s.parts = append(s.parts, c.dimension(&c.Dimensions[i]))
	}
	return s, len(s.parts) > 0
}

func (c *composer) dimension(d *stocktake.Dimension) part {
	title := c.name(d.Title, d.Code)
	t := &table{name: "dimension." + d.Code, title: title, fold: drawn, columns: []column{
		{code: "label", title: title},
		{code: "opening", title: c.say("Opening", "期初"), kind: count}, {code: "gained", title: c.say("Gained", "增加"), kind: count}, {code: "moved_in", title: c.say("Moved in", "移入"), kind: count},
		{code: "lost", title: c.say("Lost", "减少"), kind: count}, {code: "moved_out", title: c.say("Moved out", "移出"), kind: count}, {code: "closing", title: c.say("Closing", "期末"), kind: count},
		{code: "share", title: c.say("Share", "占比"), kind: rate}, {code: "new", title: c.say("New", "新增"), kind: count},
		{code: "active", title: c.say("Active", "活跃"), kind: count}, {code: "dormant", title: c.say("Dormant", "休眠"), kind: count}, {code: "gone", title: c.say("Lost or never", "流失或从未交易"), kind: count},
	}}
	for i := range d.Rows {
		t.rows = append(t.rows, c.dimensionRow(&d.Rows[i], c.rowName(&d.Rows[i])))
	}
	if d.Rest != nil {
		t.rows = append(t.rows, c.dimensionRow(d.Rest, c.say("All others", "其余合计")))
	}
	if d.Many {
		t.note = c.say("A customer can be in several rows, so that they add up to more than the total.", "一位客户可计入多行，故各行之和可大于总数。")
	}
	plots := []plot{
		{shape: bars, title: c.sayf("Customers by %s", "%s构成", title), desc: c.say("Customers at the closing.", "期末客户数。"), values: []int{6}, most: drawn, half: true},
		{shape: shares, title: c.sayf("Activity by %s", "%s的活跃度", title), desc: c.say("Shares of active, dormant and lost customers.", "活跃、休眠与流失客户的占比。"), values: []int{9, 10, 11}, most: drawn, half: true},
	}
	if len(c.Activity) == 0 {
		plots = plots[:1]
	}
	return part{table: t, plots: plots}
}

// rowName is the label of a row, with words for those that have no value.
func (c *composer) rowName(r *stocktake.Row) string {
	if len(r.Label) == 0 {
		switch r.Key {
		case stocktake.KeyErased:
			return c.say("(erased)", "（已删除）")
		case stocktake.KeyHidden:
			return c.say("(hidden)", "（不可见）")
		}
	}
	return c.name(r.Label, r.Key)
}

func (c *composer) dimensionRow(r *stocktake.Row, label string) row {
	return row{key: r.Key, cells: []cell{
		text(label), number(r.Opening), number(r.Gained), number(r.MovedIn), number(r.Lost), number(r.MovedOut), number(r.Closing), share(r.Closing, c.Reconciliation.Closing),
		number(r.New), number(r.Active), number(r.Dormant), number(r.Gone),
	}}
}

// money is a figure's name and currency, a column of the dashboard.
type figureKey struct{ name, currency string }

// dashboard is revenue and profit by class: tags first, then the other dimensions that
// have figures.
func (c *composer) dashboard() (section, bool) {
	s := section{
		code: "dashboard", title: c.say("Revenue and profit by class", "各类客户的收入与毛利"), sheet: c.say("Revenue", "收入与毛利"),
		intro: c.say("Who the customers are, and what they bring. Margin is profit of revenue in the same currency.", "客户的标签构成及其贡献。毛利率为同币种毛利占收入的比例。"),
	}
	byTags := slices.Clone(c.Dimensions)
	slices.SortStableFunc(byTags, func(a, b stocktake.Dimension) int { return rank(a) - rank(b) })
	for i := range byTags {
		if p, any := c.classes(&byTags[i]); any {
			s.parts = append(s.parts, p)
		}
	}
	return s, len(s.parts) > 0
}

func rank(d stocktake.Dimension) int {
	if strings.HasPrefix(d.Code, "tag.") {
		return 0
	}
	return 1
}

// classes is one dimension with its figures.
func (c *composer) classes(d *stocktake.Dimension) (part, bool) {
	var keys []figureKey
	rows := slices.Clone(d.Rows)
	if d.Rest != nil {
		rest := *d.Rest
		rest.Label = map[string]string{"en": "All others", "zh-Hans": "其余合计"}
		rows = append(rows, rest)
	}
	for _, r := range rows {
		for _, f := range r.Figures {
			if key := (figureKey{f.Name, f.Currency}); !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	if len(keys) == 0 {
		return part{}, false
	}
	title := c.name(d.Title, d.Code)
	t := &table{name: "figures." + d.Code, title: title, fold: drawn, columns: []column{
		{code: "label", title: title}, {code: "customers", title: c.say("Customers", "客户数"), kind: count}, {code: "share", title: c.say("Share", "占比"), kind: rate},
	}}
	for _, k := range keys {
		t.columns = append(t.columns, column{code: k.name, title: c.figureName(k.name) + " " + k.currency, kind: amount, unit: k.currency})
	}
	first := keys[0].currency
	t.columns = append(t.columns, column{code: "margin", title: c.say("Margin", "毛利率") + " " + first, kind: rate})
	for i := range rows {
		t.rows = append(t.rows, c.classRow(&rows[i], keys, first))
	}
	p := part{table: t, plots: []plot{{shape: bars, title: c.sayf("Customers by %s", "%s构成", title), desc: c.say("Customers at the closing.", "期末客户数。"), values: []int{1}, most: drawn, half: true}}}
	money := plot{shape: bars, title: c.sayf("Revenue and profit, %s", "收入与毛利，%s", first), desc: c.sayf("By %s.", "按%s。", title), most: drawn, half: true}
	for i, k := range keys {
		if k.currency == first {
			money.values = append(money.values, 3+i)
		}
	}
	p.plots = append(p.plots, money)
	return p, true
}

func (c *composer) classRow(r *stocktake.Row, keys []figureKey, first string) row {
	cells := []cell{text(c.rowName(r)), number(r.Closing), share(r.Closing, c.Reconciliation.Closing)}
	amounts := map[figureKey]int64{}
	for _, f := range r.Figures {
		amounts[figureKey{f.Name, f.Currency}] = f.Amount
	}
	for _, k := range keys {
		n, any := amounts[k]
		one := number(n)
		if !any {
			one = cell{}
		}
		if any && n < 0 {
			one.tone = bad
		}
		cells = append(cells, one)
	}
	profit, any := amounts[figureKey{stocktake.FigureProfit, first}]
	margin := cell{}
	if any {
		margin = share(profit, amounts[figureKey{stocktake.FigureRevenue, first}])
	}
	return row{key: r.Key, cells: append(cells, margin)}
}

// crossTabs are two dimensions at once, as heat maps.
func (c *composer) crossTabs() (section, bool) {
	s := section{
		code: "crosstabs", title: c.say("Two dimensions at once", "交叉表"), sheet: c.say("Cross-tabs", "交叉表"),
		intro: c.say("Customers at the closing. The darker a cell, the more customers.", "期末客户数。颜色越深，客户越多。"),
	}
	for i := range c.CrossTabs {
		s.parts = append(s.parts, part{table: c.crossTab(&c.CrossTabs[i])})
	}
	return s, len(s.parts) > 0
}

// many tells whether a customer can be in several rows of a dimension, or whether that
// isn't known.
func (c *composer) many(code string) bool {
	for i := range c.Dimensions {
		if c.Dimensions[i].Code == code {
			return c.Dimensions[i].Many
		}
	}
	return true
}

func (c *composer) crossTab(x *stocktake.CrossTab) *table {
	rows, columns := c.name(x.RowTitle, x.Rows), c.name(x.ColumnTitle, x.Columns)
	t := &table{name: "crosstab." + x.Rows + "." + x.Columns, title: rows + " × " + columns, columns: []column{{code: "label", title: rows}}}
	for j, key := range x.ColumnKeys {
		t.columns = append(t.columns, column{code: key, title: c.rowName(&stocktake.Row{Key: key, Label: x.ColLabels[j]}), kind: count})
	}
	// Sums are true only where nobody is counted twice.
	sums := !c.many(x.Rows) && !c.many(x.Columns)
	if sums {
		t.columns = append(t.columns, column{code: "total", title: c.say("Total", "合计"), kind: count})
	}
	var most int64
	for _, cells := range x.Cells {
		most = max(most, slices.Max(append([]int64{0}, cells...)))
	}
	totals := make([]int64, len(x.ColumnKeys)+1)
	for i, cells := range x.Cells {
		r := row{key: x.RowKeys[i], cells: []cell{text(c.rowName(&stocktake.Row{Key: x.RowKeys[i], Label: x.RowLabels[i]}))}}
		var sum int64
		for j, n := range cells {
			one := number(n)
			one.heat = heat(n, most)
			r.cells = append(r.cells, one)
			sum, totals[j] = sum+n, totals[j]+n
		}
		totals[len(cells)] += sum
		if sums {
			r.cells = append(r.cells, number(sum))
		}
		t.rows = append(t.rows, r)
	}
	if sums {
		r := row{key: "total", total: true, cells: []cell{text(c.say("Total", "合计"))}}
		for _, n := range totals {
			r.cells = append(r.cells, number(n))
		}
		t.rows = append(t.rows, r)
	}
	return t
}
