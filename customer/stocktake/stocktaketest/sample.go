package stocktaketest

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/stocktake"
)

// Sample returns a result as a run over the year 2025 of a book with some number of
// customers would find it: every identity holds, every part is there. Equal arguments
// give equal results.
func Sample(seed uint64, customers int64) *stocktake.Result {
	s := &sample{Rand: rand.New(rand.NewPCG(seed, 20)), opening: max(0, customers)}
	r := &stocktake.Result{
		Format: stocktake.ResultFormat,
		Book:   "5a3c1e0f9b7d42688c4de2a1b0937f55",
		Definition: stocktake.Frozen{
			Name: "year-end", Version: 3,
			Title: names("Customers at the year's end", "年末客户盘点"),
			Rule:  names("Active and suspended customers of every kind; a merged record counts with the one that stands for it.", "所有类别的启用及暂停客户；已合并记录只计主记录一次。"),
		},
		Opening: stocktake.Instant{Time: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), Position: 48211},
		Closing: stocktake.Instant{Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Position: 61377},
	}
	s.trend(r)
	s.activity(r)
	s.dimensions(r)
	s.cohorts(r)
	s.money(r)
	s.findings(r)
	s.filing(r)
	return r
}

type sample struct {
	*rand.Rand
	opening int64
}

func names(en, zh string) customer.Names { return customer.Names{"en": en, "zh-Hans": zh} }

// about is a part of n, in thousandths, give or take a quarter.
func (s *sample) about(n int64, thousandths int64) int64 {
	part := n * thousandths / 1000
	if part < 4 {
		return min(n, s.Int64N(2))
	}
	return part*3/4 + s.Int64N(part/2)
}

func (s *sample) trend(r *stocktake.Result) {
	total := &r.Reconciliation
	total.Opening, total.Closing = s.opening, s.opening
	for month := range 12 {
		m := stocktake.Month{Month: fmt.Sprintf("2025-%02d", month+1)}
		n := total.Closing
		m.Opening = n
		m.New, m.Reactivated, m.Unmerged, m.Entered = s.about(n, 14), s.about(n, 2), s.about(n, 1)/2, s.about(n, 2)
		m.Merged, m.Archived, m.Erased, m.Left = s.about(n, 3), s.about(n, 5), s.about(n, 1)/3, s.about(n, 2)
		if month == 8 {
			m.Archived *= 6 // what the unusual movement is about
		}
		if lost := m.Lost(); lost > n {
			m.Merged, m.Archived, m.Erased, m.Left = 0, n, 0, 0
		}
		m.Closing = n + m.Gained() - m.Lost()
		total.New, total.Reactivated, total.Unmerged, total.Entered = total.New+m.New, total.Reactivated+m.Reactivated, total.Unmerged+m.Unmerged, total.Entered+m.Entered
		total.Merged, total.Archived, total.Erased, total.Left = total.Merged+m.Merged, total.Archived+m.Archived, total.Erased+m.Erased, total.Left+m.Left
		total.Closing = m.Closing
		r.Trend = append(r.Trend, m)
	}
	r.Through = total.New / 50
	r.Growth.Net = total.Closing - total.Opening
	if total.Opening > 0 {
		rate := r.Growth.Net * 10000 / total.Opening
		r.Growth.Rate = &rate
	}
}

// split shares n out by weights; the last takes what is left.
func split(n int64, weights ...int64) []int64 {
	var sum int64
	for _, w := range weights {
		sum += w
	}
	parts, left := make([]int64, len(weights)), n
	for i, w := range weights {
		parts[i] = n * w / sum
		left -= parts[i]
	}
	parts[len(parts)-1] += left
	return parts
}

func (s *sample) activity(r *stocktake.Result) {
	opening := split(r.Reconciliation.Opening, 0, 52, 0, 21, 15, 12)
	closing := split(r.Reconciliation.Closing-r.Reconciliation.New, 0, 50, 3, 21, 16, 10)
	closing[stocktake.ClassNew] = r.Reconciliation.New
	for class := stocktake.ClassNew; class <= stocktake.ClassNever; class++ {
		r.Activity = append(r.Activity, stocktake.Activity{Class: class, Opening: opening[class], Closing: closing[class]})
	}
}

// value is a value of a dimension and its weight.
type value struct {
	key, en, zh string
	weight      int64
}

var axes = []struct {
	code, en, zh string
	values       []value
}{
	{"owner", "Owner unit", "所属组织", []value{
		{"1", "Head office", "总部", 8}, {"2", "East China sales", "华东销售中心", 34}, {"3", "South China sales", "华南销售中心", 27},
		{"4", "Taiwan branch", "台湾分公司", 14}, {"5", "Key accounts", "大客户部", 9}, {"", "None", "无", 8},
	}},
	{"tag.level", "Level", "客户等级", []value{
		{"vip", "VIP", "贵宾", 4}, {"gold", "Gold", "黄金", 11}, {"silver", "Silver", "白银", 27}, {"standard", "Standard", "普通", 46}, {"", "None", "无", 12},
	}},
	{"province", "Province", "省份", []value{
		{"上海市", "上海市", "上海市", 21}, {"江苏省", "江苏省", "江苏省", 19}, {"浙江省", "浙江省", "浙江省", 16}, {"广东省", "广东省", "广东省", 25},
		{"台湾省", "台湾省", "台湾省", 12}, {"新疆维吾尔自治区", "新疆维吾尔自治区", "新疆维吾尔自治区", 1}, {"", "None", "无", 6},
	}},
	{"kind", "Kind", "类别", []value{{"buyer", "Buyer", "买方", 71}, {"prospect", "Prospect", "潜在客户", 22}, {"partner", "Partner", "合作伙伴", 7}}},
	{"rep", "Sales representative", "业务员", []value{
		{"wang.li", "wang.li", "wang.li", 31}, {"chen.yu", "chen.yu", "chen.yu", 28}, {"lin.mei-hua", "lin.mei-hua", "lin.mei-hua", 18},
		{"o'brien", "o'brien", "o'brien", 11}, {"=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0", 1}, {"", "None", "无", 11},
	}},
}

func (s *sample) dimensions(r *stocktake.Result) {
	t := &r.Reconciliation
	for _, axis := range axes {
		d := stocktake.Dimension{Code: axis.code, Title: names(axis.en, axis.zh)}
		weights := make([]int64, len(axis.values))
		for i, v := range axis.values {
			weights[i] = v.weight
		}
		opening, gained, lost := split(t.Opening, weights...), split(t.Gained(), weights...), split(t.Lost(), weights...)
		created := split(t.New, weights...)
		for i, v := range axis.values {
			row := stocktake.Row{Key: v.key, Label: names(v.en, v.zh), Opening: opening[i], Gained: gained[i], New: min(created[i], gained[i]), Lost: min(lost[i], opening[i])}
			d.Rows = append(d.Rows, row)
		}
		moved := d.Rows[0].Opening / 40
		d.Rows[0].MovedOut, d.Rows[1].MovedIn = moved, moved
		for i := range d.Rows {
			row := &d.Rows[i]
			row.Closing = row.Opening + row.Gained + row.MovedIn - row.Lost - row.MovedOut
			parts := split(row.Closing, 60+s.Int64N(15), 15+s.Int64N(5), 10)
			row.Active, row.Dormant, row.Gone = parts[0], parts[1], parts[2]
			row.Figures = s.figures(row.Active, 3+int64(len(d.Rows)-i))
		}
		r.Dimensions = append(r.Dimensions, d)
	}
	r.CrossTabs = []stocktake.CrossTab{crossTab(r.Dimensions[0], r.Dimensions[1]), crossTab(r.Dimensions[2], r.Dimensions[1])}
	r.Figures = s.figures(t.Closing*3/5, 5)
}

func (s *sample) figures(customers, level int64) []stocktake.Figure {
	if customers == 0 {
		return nil
	}
	revenue := customers * level * (80_000_00 + s.Int64N(40_000_00)) / 10
	dollars := customers/9 + 1
	return []stocktake.Figure{
		{Name: stocktake.FigureRevenue, Currency: "CNY", Amount: revenue, Customers: customers},
		{Name: stocktake.FigureRevenue, Currency: "USD", Amount: revenue / 50, Customers: dollars},
		{Name: stocktake.FigureProfit, Currency: "CNY", Amount: revenue*(5+s.Int64N(25))/100 - revenue/12, Customers: customers},
		{Name: stocktake.FigureProfit, Currency: "USD", Amount: -revenue / 2000, Customers: dollars},
	}
}

func crossTab(rows, columns stocktake.Dimension) stocktake.CrossTab {
	x := stocktake.CrossTab{Rows: rows.Code, Columns: columns.Code, RowTitle: rows.Title, ColumnTitle: columns.Title}
	var weights []int64
	for _, c := range columns.Rows {
		x.ColumnKeys, x.ColLabels = append(x.ColumnKeys, c.Key), append(x.ColLabels, c.Label)
		weights = append(weights, c.Closing+1)
	}
	for _, row := range rows.Rows {
		x.RowKeys, x.RowLabels = append(x.RowKeys, row.Key), append(x.RowLabels, row.Label)
		x.Cells = append(x.Cells, split(row.Closing, weights...))
	}
	return x
}

func (s *sample) cohorts(r *stocktake.Result) {
	r.Cohorts = &stocktake.Cohorts{}
	for i, m := range r.Trend {
		c := stocktake.Cohort{Month: m.Month, Created: m.New}
		for kept, after := m.New, i; after < len(r.Trend); after++ {
			c.Kept = append(c.Kept, kept)
			kept -= s.about(kept, 12)
		}
		r.Cohorts.Rows = append(r.Cohorts.Rows, c)
	}
}

func (s *sample) money(r *stocktake.Result) {
	r.Aging = &stocktake.Aging{Buckets: []customer.Names{
		names("Not due", "未到期"), names("1–30 days", "1–30天"), names("31–60 days", "31–60天"), names("61–90 days", "61–90天"), names("Over 90 days", "90天以上"),
	}}
	for i, currency := range []string{"CNY", "JPY", "USD"} {
		n := r.Reconciliation.Closing / int64(2+3*i)
		row := stocktake.AgingRow{Currency: currency, Buckets: split(n*(9_000_00+s.Int64N(3_000_00)), 64, 17, 9, 4, 6), Unapplied: -n * 123_45, Customers: n}
		row.Balance = row.Unapplied
		for _, b := range row.Buckets {
			row.Balance += b
		}
		r.Aging.Currencies = append(r.Aging.Currencies, row)
	}
}

func (s *sample) people(n int64, note string) []stocktake.Sample {
	given := []string{"宏远贸易有限公司", "Acme Trading Ltd", "台灣水泥股份有限公司", "=HYPERLINK(\"x\")", "李小龙", "Müller & Söhne GmbH <script>"}
	var list []stocktake.Sample
	for i := range min(n, stocktake.MaxSample) {
		list = append(list, stocktake.Sample{ID: customer.ID(100 + 37*i), Code: fmt.Sprintf("C%06d", 100+37*i), Name: given[s.IntN(len(given))], Note: note})
	}
	return list
}

func (s *sample) findings(r *stocktake.Result) {
	n := r.Reconciliation.Closing
	add := func(code, en, zh string, severity stocktake.Severity, count int64, note, why, grund string) {
		r.Checks = append(r.Checks, stocktake.Check{Code: code, Title: names(en, zh), Severity: severity, Count: count, Of: n, Sample: s.people(count, note), Explanation: names(why, grund)})
	}
	add("invalid", "Invalid fields", "字段无效", stocktake.Problem, n/90, "Identifiers[0].Value: the check digit is wrong", "Stored values that would be refused today.", "按现行规则会被拒绝的值。")
	add("no_place", "No address", "缺少地址", stocktake.Warning, n/17, "", "Customers without province and city.", "没有省市信息的客户。")
	add("suspects", "Suspected duplicates open", "疑似重复未处理", stocktake.Warning, n/60, "", "Pairs in the review queue that nobody has decided.", "审核队列中尚未判定的疑似重复。")
	add("no_rep", "No sales representative", "没有业务员", stocktake.Note, 0, "", "Customers that nobody looks after.", "无人负责的客户。")
	if m := r.Trend[8]; m.Archived > 0 {
		usual := m.Archived / 6
		r.Unusual = []stocktake.Unusual{{
			Term: "archived", Month: m.Month, Value: m.Archived, Median: usual, MAD: usual/10 + 1, Score: 6745 * (m.Archived - usual) / (usual/10 + 1) / 100, Compared: 11,
			Explanation: names("Six times as many were archived as in a usual month.", "归档数量约为平常月份的六倍。"),
		}}
	}
	r.Comparison = &stocktake.Comparison{
		Name: "ERP 2025-12-31", Rows: n + n/100, Matched: n - n/40, OnlyHere: n / 40, OnlyThere: n / 33, Doubtful: n / 200, Repeated: n/100 + n/40 - n/33 - n/200,
		Differing: []stocktake.Difference{
			{Field: "Phones", Count: n / 30, Sample: s.people(n/30, "021-58881234 ≠ 021-58881235")},
			{Field: "Name", Count: n / 80, Sample: s.people(n/80, "宏远贸易 ≠ 宏遠貿易")},
		},
		HereSample: s.people(n/40, ""), ThereSample: []string{"ERP-000817 恒通物流", "ERP-001204 @SUM(1)"},
	}
}

func (s *sample) filing(r *stocktake.Result) {
	at := func(day, hour int) time.Time { return time.Date(2026, 1, day, hour, 30, 0, 0, time.UTC) }
	r.Filing = &stocktake.Filing{
		Run: 7, State: stocktake.Signed, Made: at(2, 1), MadeBy: "chen.yu",
		Digest: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		History: []stocktake.Step{
			{To: stocktake.Review, At: at(2, 2), By: "chen.yu"},
			{To: stocktake.Approved, At: at(4, 8), By: "wang.li", Reason: "checked against the ERP list"},
			{To: stocktake.Signed, At: at(5, 3), By: "lin.mei-hua"},
		},
		Adjustments: []stocktake.Adjustment{{N: -2, Reason: "两家门店为同一法人 (two shops of one company)", By: "wang.li", At: at(3, 6)}},
		Adjusted:    r.Reconciliation.Closing - 2,
		Signatures: []stocktake.Signature{{
			By: "lin.mei-hua", Role: "CFO", At: at(5, 3), Digest: "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
			Position: 61402, Root: "qI0vB3yUq7zYl5mC4i7R2e8B4oZ3w0n1Vb9kQmXr1aE=",
		}},
	}
}
