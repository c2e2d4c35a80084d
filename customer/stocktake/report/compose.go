package report

import (
	"errors"
	"math/bits"
	"slices"

	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer/stocktake"
)

// composer makes a document of a result.
type composer struct {
	tongue
	*stocktake.Result
}

// compose makes the document of a result.
func compose(op string, r *stocktake.Result, o Options) (*document, error) {
	c := &composer{newTongue(o, r), r}
	if err := c.check(op); err != nil {
		return nil, err
	}
	d := &document{tongue: c.tongue, title: c.name(r.Definition.Title, r.Definition.Name), footer: c.footer()}
	d.subtitle = c.sayf("Stocktake of customers · %s – %s", "客户盘点 · %s – %s", c.moment(r.Opening.Time), c.moment(r.Closing.Time))
	d.notice = c.standing()
	d.figures = c.key()
	d.sections = append(d.sections, c.reconciliation())
	for _, make := range []func() (section, bool){
		c.trend, c.activity, c.composition, c.dashboard, c.crossTabs, c.cohorts, c.quality, c.comparison, c.aging,
	} {
		if s, any := make(); any {
			d.sections = append(d.sections, s)
		}
	}
	d.sections = append(d.sections, c.filing())
	return d, nil
}

// check refuses currencies that are none and tables that are crooked.
func (c *composer) check(op string) error {
	var currencies []string
	see := func(figures []stocktake.Figure) {
		for _, f := range figures {
			currencies = append(currencies, f.Currency)
		}
	}
	see(c.Figures)
	for _, d := range c.Dimensions {
		for _, row := range d.Rows {
			see(row.Figures)
		}
	}
	if c.Aging != nil {
		for _, row := range c.Aging.Currencies {
			currencies = append(currencies, row.Currency)
			if len(row.Buckets) != len(c.Aging.Buckets) {
				return &Error{Op: op, Field: "Aging.Currencies", Value: row.Currency, Err: errCrooked, Remedy: "give one amount for each of Aging.Buckets"}
			}
		}
	}
	slices.Sort(currencies)
	for _, code := range slices.Compact(currencies) {
		if _, err := money.ParseCurrency(code); err != nil {
			return &Error{Op: op, Field: "Currency", Value: code, Err: err}
		}
	}
	for _, x := range c.CrossTabs {
		crooked := len(x.Cells) != len(x.RowKeys) || len(x.RowLabels) != len(x.RowKeys) || len(x.ColLabels) != len(x.ColumnKeys)
		for _, cells := range x.Cells {
			crooked = crooked || len(cells) != len(x.ColumnKeys)
		}
		if crooked {
			return &Error{Op: op, Field: "CrossTabs", Value: x.Rows + " × " + x.Columns, Err: errCrooked, Remedy: "give one cell for each of RowKeys and ColumnKeys"}
		}
	}
	return nil
}

var errCrooked = errors.New("rows and columns don't fit")

// standing says how far the run has come, and what one should know before reading on.
func (c *composer) standing() *notice {
	scoped := ""
	if c.Scoped {
		scoped = c.say(" The counts are of what one actor may see, not of the whole book.", "本表仅统计某一用户可见的客户，并非整个账簿。")
	}
	if c.Filing == nil {
		return &notice{warning, c.say("This count is not filed: nobody has reviewed it.", "本次盘点尚未建档，未经审核。") + scoped}
	}
	n := &notice{warning, c.sayf("Run %d: %s.", "第 %d 次盘点：%s。", c.Filing.Run, c.state(c.Filing.State)) + scoped}
	if c.Filing.State >= stocktake.Signed {
		n.tone = good
	}
	return n
}

func (t tongue) state(s stocktake.State) string {
	switch s {
	case stocktake.Draft:
		return t.say("draft", "草稿")
	case stocktake.Review:
		return t.say("in review", "审核中")
	case stocktake.Approved:
		return t.say("approved", "已批准")
	case stocktake.Signed:
		return t.say("signed", "已签字")
	case stocktake.Filed:
		return t.say("signed and archived", "已签字归档")
	}
	return s.String()
}

// customers is what key figures mostly count.
var customers = column{kind: count}

// key are the key figures on top.
func (c *composer) key() (list []figure) {
	r := &c.Reconciliation
	closing := figure{label: c.say("Closing", "期末客户数"), value: number(r.Closing), in: customers}
	for _, m := range c.Trend {
		closing.trend = append(closing.trend, float64(m.Closing))
	}
	growth := figure{label: c.say("Growth", "净增长"), value: number(c.Growth.Net), in: customers, change: true}
	if c.Growth.Rate != nil {
		growth.note = c.write(number(*c.Growth.Rate), column{kind: rate})
		if *c.Growth.Rate > 0 {
			growth.note = "+" + growth.note
		}
	}
	switch {
	case c.Growth.Net > 0:
		growth.value.tone = good
	case c.Growth.Net < 0:
		growth.value.tone = bad
	}
	list = []figure{
		{label: c.say("Opening", "期初客户数"), value: number(r.Opening), in: customers}, closing, growth,
		{label: c.say("Gained", "增加"), value: number(r.Gained()), in: customers, change: true, note: c.sayf("%s new", "其中新增 %s", counted(r.New))},
		{label: c.say("Lost", "减少"), value: number(-r.Lost()), in: customers, change: true, note: c.sayf("%s archived", "其中归档 %s", counted(r.Archived))},
	}
	if f := c.Filing; f != nil && len(f.Adjustments) > 0 {
		list = append(list, figure{label: c.say("Closing, adjusted", "调整后期末"), value: number(f.Adjusted), in: customers, note: signedCount(f.Adjusted - r.Closing)})
	}
	for _, f := range c.Figures {
		if f.Currency == c.Figures[0].Currency {
			list = append(list, figure{label: c.figureName(f.Name) + " " + f.Currency, value: number(f.Amount), in: column{kind: amount, unit: f.Currency}, note: c.sayf("of %s customers", "%s 位客户", counted(f.Customers))})
		}
	}
	return append(list, c.problems())
}

// problems counts the findings by how much they matter.
func (c *composer) problems() figure {
	var found [stocktake.Problem + 1]int64
	for _, check := range c.Checks {
		if check.Count > 0 && check.Severity <= stocktake.Problem {
			found[check.Severity]++
		}
	}
	f := figure{label: c.say("Data quality", "数据质量")}
	finding := c.sayf("%d problems, %d warnings", "%d 项问题，%d 项警告", found[stocktake.Problem], found[stocktake.Warning])
	switch {
	case len(c.Checks) == 0:
		f.value = text(c.say("not checked", "未检查"))
	case found[stocktake.Problem] > 0:
		f.value = text(finding).in(bad)
	case found[stocktake.Warning] > 0:
		f.value = text(finding).in(warning)
	case found[stocktake.Note] > 0:
		f.value = text(c.sayf("%d notes", "%d 项提示", found[stocktake.Note]))
	default:
		f.value = text(c.say("no findings", "无发现")).in(good)
	}
	return f
}

func (t tongue) figureName(name string) string {
	switch name {
	case stocktake.FigureRevenue:
		return t.say("Revenue", "收入")
	case stocktake.FigureProfit:
		return t.say("Profit", "毛利")
	}
	return name
}

func (c *composer) footer() string {
	return c.sayf("Definition %s, version %d. Book %s, journal position %d.", "盘点定义 %s，版本 %d。账簿 %s，日志位置 %d。", c.Definition.Name, c.Definition.Version, c.Book, c.Closing.Position)
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// mulDivRound is a·b/c, rounded half up, without overflow between; c is not 0. What
// doesn't fit is the largest that does.
func mulDivRound(a, b, c uint64) uint64 {
	const most = 1<<63 - 1
	high, low := bits.Mul64(a, b)
	low, carry := bits.Add64(low, c/2, 0)
	high += carry
	if high >= c {
		return most
	}
	quotient, _ := bits.Div64(high, low, c)
	return min(quotient, most)
}
