package report

import (
	"slices"
	"strconv"

	"github.com/clientele-go/clientele/customer/stocktake"
)

func (t tongue) severity(s stocktake.Severity) string {
	switch s {
	case stocktake.Note:
		return t.say("note", "提示")
	case stocktake.Warning:
		return t.say("warning", "警告")
	case stocktake.Problem:
		return t.say("problem", "问题")
	}
	return s.String()
}

// quality are the checks with samples, and what was unusual.
func (c *composer) quality() (section, bool) {
	s := section{
		code: "quality", title: c.say("Data quality", "数据质量"), sheet: c.say("Quality", "数据质量"),
		intro: c.say("What the checks found among the counted customers, and movements that differ from what was usual.", "对计入客户的检查结果，以及异常变动。"),
	}
	if len(c.Checks) > 0 {
		s.parts = append(s.parts, part{table: c.checks()})
	}
	if len(c.Unusual) > 0 {
		s.parts = append(s.parts, part{table: c.unusual()})
	}
	for i := range c.Checks {
		if check := &c.Checks[i]; len(check.Sample) > 0 {
			t := c.sample("checks."+check.Code, c.sayf("%s: examples", "%s：示例", c.name(check.Title, check.Code)), check.Sample)
			s.parts = append(s.parts, part{table: t})
		}
	}
	return s, len(s.parts) > 0
}

func (c *composer) checks() *table {
	t := &table{name: "checks", title: c.say("Checks", "检查"), columns: []column{
		{code: "label", title: c.say("Check", "检查项")}, {code: "severity", title: c.say("Severity", "程度")}, {code: "found", title: c.say("Found", "发现"), kind: count},
		{code: "of", title: c.say("Of", "检查数"), kind: count}, {code: "share", title: c.say("Share", "占比"), kind: rate}, {code: "explanation", title: c.say("Explanation", "说明")},
	}}
	for _, check := range c.Checks {
		severity := text(c.severity(check.Severity))
		switch {
		case check.Count == 0:
			severity = text(c.say("fine", "正常")).in(good)
		case check.Severity == stocktake.Problem:
			severity.tone = bad
		case check.Severity == stocktake.Warning:
			severity.tone = warning
		}
		t.rows = append(t.rows, row{key: check.Code, cells: []cell{text(c.name(check.Title, check.Code)), severity, number(check.Count), number(check.Of), share(check.Count, check.Of), text(check.Explanation.In(c.tag))}})
	}
	return t
}

func (c *composer) unusual() *table {
	t := &table{name: "unusual", title: c.say("Unusual movements", "异常变动"),
		note: c.say("Modified z-score, 0.6745·(value − median)/MAD (Iglewicz and Hoaglin 1993): beyond ±3.5 is unusual.", "修正 z 分数 0.6745·(数值 − 中位数)/MAD（Iglewicz 与 Hoaglin，1993）：超出 ±3.5 为异常。"),
		columns: []column{
			{code: "label", title: c.say("Movement", "变动")}, {code: "month", title: c.say("Month", "月份")}, {code: "value", title: c.say("Value", "数值"), kind: count}, {code: "median", title: c.say("Median", "中位数"), kind: count},
			{code: "mad", title: "MAD", kind: count}, {code: "score", title: c.say("Score", "分数"), kind: score}, {code: "compared", title: c.say("Compared", "比较数"), kind: count}, {code: "explanation", title: c.say("Explanation", "说明")},
		}}
	for _, u := range c.Unusual {
		month := u.Month
		if month == "" {
			month = c.say("whole period", "整个期间")
		}
		t.rows = append(t.rows, row{key: u.Term + "." + u.Month, cells: []cell{
			text(c.term(u.Term)), text(month), number(u.Value).in(warning), number(u.Median), number(u.MAD), number(u.Score), number(int64(u.Compared)), text(u.Explanation.In(c.tag)),
		}})
	}
	return t
}

// sample is a list of customers.
func (c *composer) sample(name, title string, list []stocktake.Sample) *table {
	t := &table{name: name, title: title, fold: 5, columns: []column{{code: "code", title: c.say("Code", "编码")}, {code: "name", title: c.say("Name", "名称")}}}
	noted := false
	for _, one := range list {
		noted = noted || one.Note != ""
	}
	if noted {
		t.columns = append(t.columns, column{code: "note", title: c.say("What", "说明")})
	}
	for _, one := range list {
		cells := []cell{text(one.Code), text(one.Name), text(one.Note)}
		t.rows = append(t.rows, row{key: strconv.FormatUint(uint64(one.ID), 10), cells: cells[:len(t.columns)]})
	}
	return t
}

// comparison is the counted customers beside another list.
func (c *composer) comparison() (section, bool) {
	x := c.Comparison
	if x == nil {
		return section{}, false
	}
	s := section{
		code: "comparison", title: c.sayf("Compared with %s", "与 %s 比较", x.Name), sheet: c.say("Comparison", "比较"),
		intro: c.sayf("The counted customers beside the %s rows of another list.", "计入的客户与另一清单的 %s 行相比。", counted(x.Rows)),
	}
	t := &table{name: "comparison", columns: []column{{code: "label", title: c.say("Result", "结果")}, {code: "count", title: c.say("Count", "数量"), kind: count}}}
	for _, line := range []struct {
		code, en, zh string
		n            int64
	}{
		{"rows", "Rows of the other list", "另一清单的行数", x.Rows}, {"matched", "Customers in both", "两边都有的客户", x.Matched}, {"only_here", "Only here", "仅本账簿有", x.OnlyHere},
		{"only_there", "Only there", "仅另一清单有", x.OnlyThere}, {"doubtful", "Doubtful rows, for people to look at", "存疑，待人工判断", x.Doubtful}, {"repeated", "Further rows of a matched customer", "同一客户的重复行", x.Repeated},
	} {
		t.rows = append(t.rows, row{key: line.code, cells: []cell{text(c.say(line.en, line.zh)), number(line.n)}})
	}
	s.parts = append(s.parts, part{table: t, plots: []plot{{shape: bars, title: c.say("Both lists", "两份清单"), desc: c.say("Matched, only here, only there.", "匹配、仅此、仅彼。"), values: []int{1}}}})
	if len(x.Differing) > 0 {
		s.parts = append(s.parts, part{table: c.differing(x.Differing)})
	}
	for _, d := range x.Differing {
		if len(d.Sample) > 0 {
			s.parts = append(s.parts, part{table: c.sample("comparison.fields."+d.Field, c.sayf("Differing %s: examples", "%s 不同：示例", d.Field), d.Sample)})
		}
	}
	if len(x.HereSample) > 0 {
		s.parts = append(s.parts, part{table: c.sample("comparison.here", c.say("Only here: examples", "仅本账簿有：示例"), x.HereSample)})
	}
	if len(x.ThereSample) > 0 {
		t := &table{name: "comparison.there", title: c.say("Only there: examples", "仅另一清单有：示例"), fold: 5, columns: []column{{code: "label", title: c.say("Row", "行")}}}
		for i, line := range x.ThereSample {
			t.rows = append(t.rows, row{key: strconv.Itoa(i + 1), cells: []cell{text(line)}})
		}
		s.parts = append(s.parts, part{table: t})
	}
	return s, true
}

func (c *composer) differing(list []stocktake.Difference) *table {
	t := &table{name: "comparison.fields", title: c.say("Fields in which matched customers differ", "匹配客户的不同字段"), columns: []column{
		{code: "label", title: c.say("Field", "字段")}, {code: "count", title: c.say("Customers", "客户数"), kind: count}, {code: "share", title: c.say("Of matched", "占匹配"), kind: rate}}}
	for _, d := range list {
		t.rows = append(t.rows, row{key: d.Field, cells: []cell{text(d.Field), number(d.Count), share(d.Count, c.Comparison.Matched)}})
	}
	return t
}

// aging is the counted customers' receivables, two columns for each currency.
func (c *composer) aging() (section, bool) {
	if c.Aging == nil || len(c.Aging.Currencies) == 0 {
		return section{}, false
	}
	t := &table{name: "aging", columns: []column{{code: "label", title: c.say("Age", "账龄")}}}
	p := part{table: t}
	for i := range c.Aging.Buckets {
		t.rows = append(t.rows, row{key: "bucket_" + strconv.Itoa(i), cells: []cell{text(c.name(c.Aging.Buckets[i], strconv.Itoa(i+1)))}})
	}
	t.rows = append(t.rows,
		row{key: "unapplied", cells: []cell{text(c.say("Unapplied", "未核销"))}},
		row{key: "balance", total: true, cells: []cell{text(c.say("Balance", "余额"))}})
	owing := &table{name: "aging.customers", title: c.say("Customers with receivables", "有应收账款的客户"), columns: []column{{code: "label", title: c.say("Currency", "币种")}, {code: "customers", title: c.say("Customers", "客户数"), kind: count}}}
	for _, r := range c.Aging.Currencies {
		title := c.sayf("Receivables, %s", "应收账款，%s", r.Currency)
		p.plots = append(p.plots, plot{shape: bars, title: title, desc: c.say("By age.", "按账龄。"), values: []int{len(t.columns)}, half: true})
		t.columns = append(t.columns, column{code: "amount", title: r.Currency, kind: amount, unit: r.Currency}, column{code: "share_" + r.Currency, title: c.say("Share", "占比"), kind: rate})
		for i, n := range append(slices.Clone(r.Buckets), r.Unapplied, r.Balance) {
			t.rows[i].cells = append(t.rows[i].cells, number(n), share(n, r.Balance))
		}
		owing.rows = append(owing.rows, row{key: r.Currency, cells: []cell{text(r.Currency), number(r.Customers)}})
	}
	return section{
		code: "aging", title: c.say("Receivables by age", "应收账款账龄"), sheet: c.say("Aging", "账龄"),
		intro: c.say("Receivables of the counted customers at the closing, in each currency.", "计入客户在期末的应收账款，按币种列示。"), parts: []part{p, {table: owing}},
	}, true
}

// filing is what people decided, and what the count was made from.
func (c *composer) filing() section {
	s := section{code: "filing", title: c.say("Signatures and evidence", "签字与依据"), sheet: c.say("Signatures", "签字")}
	if f := c.Filing; f != nil {
		s.parts = append(s.parts, c.signatures(f)...)
	}
	s.parts = append(s.parts, part{table: c.definition()})
	return s
}

func (c *composer) signatures(f *stocktake.Filing) (parts []part) {
	if len(f.Signatures) > 0 {
		t := &table{name: "signatures", title: c.say("Signatures", "签字"), columns: []column{
			{code: "by", title: c.say("Who", "签字人")}, {code: "role", title: c.say("Role", "职务")}, {code: "at", title: c.say("When", "时间")}, {code: "position", title: c.say("Journal position", "日志位置"), kind: count},
			{code: "root", title: c.say("Journal root", "日志根")}, {code: "digest", title: c.say("Digest of what was signed", "所签内容摘要")}}}
		for i, one := range f.Signatures {
			t.rows = append(t.rows, row{key: strconv.Itoa(i + 1), cells: []cell{text(one.By), text(one.Role), text(c.moment(one.At)), number(int64(one.Position)), text(one.Root), text(one.Digest)}})
		}
		parts = append(parts, part{table: t})
	}
	if len(f.Adjustments) > 0 {
		t := &table{name: "adjustments", title: c.say("Adjustments", "调整"), columns: []column{
			{code: "reason", title: c.say("Reason", "理由")}, {code: "customers", title: c.say("Customers", "客户数"), kind: count}, {code: "by", title: c.say("Who", "经办人")}, {code: "at", title: c.say("When", "时间")}}}
		for i, a := range f.Adjustments {
			t.rows = append(t.rows, row{key: strconv.Itoa(i + 1), cells: []cell{text(a.Reason), number(a.N), text(a.By), text(c.moment(a.At))}})
		}
		t.rows = append(t.rows, row{key: "adjusted", total: true, cells: []cell{text(c.say("Closing, adjusted", "调整后期末")), number(f.Adjusted), {}, {}}})
		parts = append(parts, part{table: t})
	}
	if len(f.History) > 0 {
		t := &table{name: "history", title: c.say("Course", "流程"), columns: []column{
			{code: "state", title: c.say("State", "状态")}, {code: "by", title: c.say("Who", "经办人")}, {code: "at", title: c.say("When", "时间")}, {code: "reason", title: c.say("Reason", "理由")}}}
		for i, step := range f.History {
			t.rows = append(t.rows, row{key: strconv.Itoa(i + 1), cells: []cell{text(c.state(step.To)), text(step.By), text(c.moment(step.At)), text(step.Reason)}})
		}
		parts = append(parts, part{table: t})
	}
	return parts
}

// definition is what was counted and from what.
func (c *composer) definition() *table {
	t := &table{name: "definition", title: c.say("Definition and evidence", "定义与依据"), facts: true, columns: []column{{code: "label", title: c.say("Name", "项目")}, {code: "value", title: c.say("Value", "内容")}}}
	add := func(key, en, zh, value string) {
		t.rows = append(t.rows, row{key: key, cells: []cell{text(c.say(en, zh)), text(value)}})
	}
	add("rule", "Who counts", "计入范围", c.name(c.Definition.Rule, ""))
	add("definition", "Definition", "盘点定义", c.sayf("%s, version %d", "%s，版本 %d", c.Definition.Name, c.Definition.Version))
	if len(c.Definition.Figures) > 0 {
		add("figures", "Figures", "金额来源", c.name(c.Definition.Figures, ""))
	}
	if zone := c.Definition.Zone; zone != "" {
		add("zone", "Months and years of", "年月时区", zone)
	}
	add("opening", "Opening", "期初", c.sayf("%s, journal position %d", "%s，日志位置 %d", c.moment(c.Opening.Time), c.Opening.Position))
	add("closing", "Closing", "期末", c.sayf("%s, journal position %d", "%s，日志位置 %d", c.moment(c.Closing.Time), c.Closing.Position))
	add("book", "Book", "账簿", c.Book)
	if f := c.Filing; f != nil {
		add("made", "Counted", "盘点时间", c.sayf("%s by %s", "%s，%s", c.moment(f.Made), f.MadeBy))
		add("digest", "Digest of the result", "结果摘要", f.Digest)
	}
	return t
}
