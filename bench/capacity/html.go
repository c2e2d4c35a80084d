package capacity

import (
	"fmt"
	"io"
	"math"
	"time"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/internal/chart"
	"github.com/clientele-go/clientele/internal/page"
)

// WriteHTML writes the report as one page that needs nothing from elsewhere, in the
// language that fits best, English or simplified Chinese.
func (r *Report) WriteHTML(w io.Writer, tag language.Tag) error {
	s := sheet{r, in(tag)}
	p := page.Page{
		Language: s.tag,
		Title:    s.text("How many customers does this machine hold?", "这台机器能容纳多少客户?"),
		Subtitle: s.format("%s, %d cores, %s of memory · measured on %s", "%s,%d 核,%s 内存 · 测量于 %s",
			r.Machine.Processor, r.Machine.Cores, bytesText(r.Machine.MemoryLimit), r.Started.Format(time.DateOnly)),
		Notice: s.notice(),
		Footer: s.format("go run ./bench · %s · seed %d, workload %d · every figure comes from an answer that was checked", "go run ./bench · %s · 种子 %d,负载版本 %d · 每个数字均来自已核对的应答",
			r.Schema, r.Settings.Seed, r.Settings.Workload),
	}
	if r.Verdict != nil {
		p.Figures = s.figures()
		p.Sections = append(p.Sections, s.answer(), s.times(), s.users(), s.resources(), s.staff(), s.growth(), s.everything())
	}
	if r.Verdict == nil && r.Unfinished != nil {
		p.Sections = append(p.Sections, s.everything())
	}
	if r.Verdict == nil && r.Soak != nil {
		p.Title = s.text("What creeps in a long run?", "长时间运行中什么在持续上升?")
	}
	if r.Soak != nil {
		p.Sections = append(p.Sections, s.soak())
	}
	p.Sections = append(p.Sections, s.machine())
	return p.Write(w)
}

// sheet writes one report in one language.
type sheet struct {
	*Report
	words
}

func (s sheet) last() *Step { return &s.Steps[len(s.Steps)-1] }

// notice says the answer in one sentence, or what stands in the way of one.
func (s sheet) notice() *page.Notice {
	v := s.Verdict
	switch {
	case v == nil:
		return &page.Notice{Tone: page.Neutral, Text: s.stop(s.Stopped)}
	case v.Customers == 0:
		return &page.Notice{Tone: page.Bad, Text: s.format("Already the smallest book breaks a service level: %s.", "最小的账套已突破服务水平:%s。", s.bound(v.First.name()))}
	case v.AtLeast:
		return &page.Notice{Tone: page.Good, Text: s.format("This machine holds at least %s customers within all service levels: nothing breaks as far as the measurements allow to look.",
			"这台机器在全部服务水平之内至少可容纳 %s 个客户:在测量所及范围内没有任何瓶颈。", s.number(float64(v.Customers)))}
	}
	return &page.Notice{Tone: page.Good, Text: s.format("This machine holds about %s customers within all service levels. The first thing to break is: %s.",
		"这台机器在全部服务水平之内约可容纳 %s 个客户。最先达到上限的是:%s。", s.number(float64(v.Customers)), s.bound(v.First.name()))}
}

func (s sheet) figures() []page.Figure {
	v := s.Verdict
	first := s.text("nothing in sight", "未见瓶颈")
	if v.First != nil {
		first = s.bound(v.First.name())
	}
	list := []page.Figure{
		{Label: s.text("customers", "客户数"), Value: chart.Compact(s.tag, float64(v.Customers)), Note: s.rangeNote(), Tone: page.Good},
		{Label: s.text("first to break", "最先达到上限"), Value: first},
		{Label: s.text("confidence", "可信度"), Value: s.confidenceWord(v.Confidence), Note: s.confidenceNote(v.Confidence)},
		{Label: s.text("largest size that held", "实测达标的最大规模"), Value: chart.Compact(s.tag, float64(v.Measured))},
		{Label: s.text("disk for a customer", "每客户磁盘"), Value: bytesText(int64(s.last().DiskPerCustomer()))},
	}
	if s.Plan != nil {
		list = append(list, page.Figure{Label: s.text("people at work at once", "可同时在线工作人数"), Value: chart.Compact(s.tag, float64(s.Plan.Users))})
	}
	return list
}

func (s sheet) rangeNote() string {
	v := s.Verdict
	if v.AtLeast {
		return s.text("at least", "至少")
	}
	if v.Low == v.High {
		return ""
	}
	return s.number(float64(v.Low)) + " – " + s.number(float64(v.High))
}

// answer explains what the number means and what would change it.
func (s sheet) answer() page.Section {
	x := page.Section{
		Title: s.text("The answer", "结论"),
		Intro: s.text("One book was grown step by step and asked at each size what its users would ask. The number is where the first service level, the disk or the memory would be exceeded; beyond the measured sizes it follows from how each cost grew.",
			"同一账套逐步增大,在每个规模下提出用户会提的问题。结论是首个服务水平、磁盘或内存被突破之处;超出实测规模的部分由各项成本的增长推算。"),
	}
	if busy := s.last().OtherCores; busy > float64(s.Machine.Cores)/10 {
		x.Blocks = append(x.Blocks, s.busyNotice(busy))
	}
	x.Blocks = append(x.Blocks, page.Text(s.stop(s.Stopped)), s.boundTable(), s.twiceTable())
	return x
}

// busyNotice warns of other programs.
func (s sheet) busyNotice(busy float64) page.Notice {
	return page.Notice{Tone: page.Warning, Text: s.format(
		"Other programs kept %[1]s of %[2]d cores busy meanwhile. Times, above all the slowest answers, are longer than on a machine of its own; measure again when it is quiet.",
		"测量期间其他程序占用了 %[2]d 个核心中的 %[1]s 个,用时(尤其最慢的应答)偏长;请在空闲时重新测量。", fmt.Sprintf("%.1f", busy), s.Machine.Cores)}
}

func (s sheet) boundTable() page.Table {
	t := page.Table{
		Title:   s.text("What would break, and where", "各项上限所在"),
		Columns: []page.Column{{Title: s.text("Bound", "上限")}, {Title: s.text("customers", "客户数"), Number: true}, {Title: s.text("8 times of 10", "八成范围"), Number: true}, {Title: s.text("How it is known", "依据")}},
		Fold:    12,
	}
	for i := range s.Verdict.Bounds {
		b := &s.Verdict.Bounds[i]
		how, between := s.text("computed", "推算"), ""
		if b.Broken {
			how = s.text("measured", "实测")
		}
		if b.Customers <= s.horizon() {
			between = s.customers(b.Low, s.horizon()) + "–" + s.customers(b.High, s.horizon())
		}
		t.Rows = append(t.Rows, page.Row{Cells: page.Cells(s.bound(b.name()), s.customers(b.Customers, s.horizon()), between, how)})
	}
	return t
}

func (s sheet) twiceTable() page.Table {
	t := page.Table{
		Title:   s.text("With a larger machine", "换用更大的机器"),
		Columns: []page.Column{{Title: s.text("Twice the", "加倍")}, {Title: s.text("customers", "客户数"), Number: true}, {Title: s.text("first to break then", "届时最先达到上限")}},
		Note: s.text("More cores are taken to serve more requests and faster imports, not to make a single answer faster.",
			"假定更多核心可服务更多请求并加快导入,但不会加快单次应答。"),
	}
	for _, x := range s.Verdict.Twice {
		n, first := chart.Compact(s.tag, float64(x.Customers)), s.bound(x.First)
		if x.AtLeast {
			n, first = "≥ "+n, "–"
		}
		t.Rows = append(t.Rows, page.Row{Cells: page.Cells(s.title(x.Of), n, first)})
	}
	return t
}

// lines draws questions over the number of customers.
func (s sheet) lines(title, note string, names ...string) page.Chart {
	first, _ := questionNamed(names[0])
	frame := chart.Frame{Title: title, Desc: note, Language: s.tag}
	c := chart.Lines{Frame: frame, X: s.sizes(), Y: chart.Axis{Log: true, Format: func(v float64) string { return s.value(v, first.unit) }}}
	for _, name := range names {
		one := chart.Series{Name: s.title(name)}
		for i := range s.Steps {
			if r, ok := s.Steps[i].Result(name); ok {
				one.Points = append(one.Points, chart.Sample{X: float64(s.Steps[i].Customers), Y: r.Value, Low: low10(r.Repetitions, r.Value), High: high90(r.Repetitions, r.Value)})
			}
		}
		c.Series = append(c.Series, one)
		if l, ok := s.levelOf(name); ok && len(names) == 1 {
			c.Targets = append(c.Targets, chart.Target{Name: s.text("service level", "服务水平"), At: math.Max(l.Most, l.Least)})
		}
	}
	return page.Chart{Title: title, Chart: c, Note: note, Half: true}
}

func (s sheet) levelOf(name string) (Level, bool) {
	for _, l := range s.Settings.Levels {
		if l.Probe == name {
			return l, true
		}
	}
	return Level{}, false
}

func (s sheet) sizes() chart.Axis {
	a := chart.Axis{Label: s.text("customers", "客户数"), Log: true}
	for i := range s.Steps {
		n := float64(s.Steps[i].Customers)
		a.Ticks = append(a.Ticks, chart.Tick{At: n, Label: chart.Compact(s.tag, n)})
	}
	return a
}

// times shows how long answers take.
func (s sheet) times() page.Section {
	return page.Section{
		Title: s.text("How long answers take", "应答时间"),
		Intro: s.text("Medians of repetitions over the number of customers; both axes are logarithmic. A level line means that a larger book answers as fast.",
			"随客户数变化的重复测量中位数,两轴均为对数。水平线表示账套变大但应答不变慢。"),
		Blocks: []page.Block{
			page.Columns{
				s.lines(s.text("One customer", "单个客户"), "", "get", "code", "aging.one", "candidates"),
				s.lines(s.text("Search", "检索"), "", "pick", "search"),
			},
			page.Columns{
				s.lines(s.text("Counts and stocktakes", "计数与盘点"), "", "filter", "facet", "crosstab", "stocktake"),
				s.lines(s.text("Receivables of all customers", "全部客户应收"), "", "aging.total", "aging", "aging.past"),
			},
			page.Columns{
				s.lines(s.text("Changes, each safe on disk when it returns", "修改(返回时已落盘)"), "", "create", "update", "reserve"),
				s.lines(s.text("Import", "导入"), s.text("Receivables are counted one by one, seven a customer.", "应收按条计,每客户七条。"), "import", "import.tags", "import.items", "import.search"),
			},
			page.Columns{
				s.lines(s.text("The whole book", "整个账套"), "", "backup", "open", "recovery"),
				s.lines(s.text("Customers written a second by sixteen people", "十六人同时写入的每秒客户数"), "", "writers"),
			},
		},
	}
}

// users shows what many people at once meet.
func (s sheet) users() page.Section {
	x := page.Section{
		Title: s.text("Many people at once", "多人同时使用"),
		Intro: s.format("Requests of all kinds come %s a second, whether or not earlier ones are answered. Times count from when a request was to begin, so waiting is included.",
			"各类请求以每秒 %s 个到达,不论先前的是否已应答。时间从请求应开始之时计,包含等待。", s.number(s.Settings.Rate)),
		Blocks: []page.Block{page.Columns{s.percentiles(), s.lines(s.text("Requests a second at full load", "满载时每秒请求数"), "", "throughput")}},
	}
	if m := s.last().Mixed; m != nil {
		x.Blocks = append(x.Blocks, s.mixedTable(m, s.format("At %s customers", "%s 个客户时", s.number(float64(s.last().Customers)))))
	}
	return x
}

func (s sheet) percentiles() page.Chart {
	title := s.text("Answers under mixed load", "混合负载下的应答")
	c := chart.Lines{Frame: chart.Frame{Title: title, Language: s.tag}, X: s.sizes(), Y: chart.Axis{Log: true, Format: func(v float64) string { return valueText(v, seconds) }}}
	for _, p := range []struct {
		name string
		of   func(*Result) float64
	}{
		{s.text("median", "中位数"), func(r *Result) float64 { return r.P50 }},
		{"99 %", func(r *Result) float64 { return r.P99 }},
		{s.text("slowest", "最慢"), func(r *Result) float64 { return r.Max }},
	} {
		one := chart.Series{Name: p.name}
		for i := range s.Steps {
			if m := s.Steps[i].Mixed; m != nil {
				one.Points = append(one.Points, chart.Sample{X: float64(s.Steps[i].Customers), Y: p.of(m.All)})
			}
		}
		c.Series = append(c.Series, one)
	}
	return page.Chart{Title: title, Chart: c, Half: true}
}

func (s sheet) mixedTable(m *Mixed, title string) page.Table {
	t := page.Table{Title: title, Columns: []page.Column{
		{Title: s.text("Request", "请求")}, {Title: s.text("answers", "应答数"), Number: true}, {Title: s.text("median", "中位数"), Number: true},
		{Title: "90 %", Number: true}, {Title: "99 %", Number: true}, {Title: "99.9 %", Number: true}, {Title: s.text("slowest", "最慢"), Number: true},
	}}
	row := func(r *Result, total bool) {
		cells := page.Cells(s.title(r.Question), s.number(float64(r.Answers)))
		for _, v := range []float64{r.P50, r.P90, r.P99, r.P999, r.Max} {
			cells = append(cells, page.Cell{Text: valueText(v, seconds)})
		}
		t.Rows = append(t.Rows, page.Row{Cells: cells, Total: total})
	}
	for _, k := range m.Kinds {
		row(k, false)
	}
	row(m.All, true)
	return t
}

// resources shows disk and memory.
func (s sheet) resources() page.Section {
	draw := func(title string, of func(*Step) float64) page.Chart {
		one := chart.Series{Name: title}
		for i := range s.Steps {
			one.Points = append(one.Points, chart.Sample{X: float64(s.Steps[i].Customers), Y: of(&s.Steps[i])})
		}
		axis := chart.Axis{Zero: true, Format: func(v float64) string { return bytesText(int64(v)) }}
		return page.Chart{Title: title, Half: true, Chart: chart.Lines{Frame: chart.Frame{Title: title, Language: s.tag}, X: s.sizes(), Y: axis, Series: []chart.Series{one}}}
	}
	return page.Section{
		Title: s.text("Disk and memory", "磁盘与内存"),
		Intro: s.text("Disk holds records, all indexes, the journal with its history, and the search index. Memory is the most that the process had in use, caches included, which use what there is.",
			"磁盘包括记录、全部索引、含历史的日志和检索索引。内存为进程占用峰值,含会充分利用可用内存的缓存。"),
		Blocks: []page.Block{page.Columns{
			draw(s.text("Disk for each customer", "每客户磁盘"), (*Step).DiskPerCustomer),
			draw(s.text("Memory in use", "占用内存"), func(x *Step) float64 { return float64(x.ResidentBytes) }),
		}},
	}
}

// staff divides the customers among people.
func (s sheet) staff() page.Section {
	p := s.Plan
	t := page.Table{
		Columns: []page.Column{
			{Title: s.text("customers a representative", "每名业务员客户数"), Number: true}, {Title: s.text("representatives", "业务员"), Number: true},
			{Title: s.text("customers a unit", "每单位客户数"), Number: true}, {Title: s.text("units", "单位"), Number: true}, {Title: s.text("Remark", "备注")},
		},
		Note: s.format("A unit has %d representatives.", "每单位 %d 名业务员。", RepsPerUnit),
	}
	for _, q := range p.Quotas {
		remark := ""
		if q.Short {
			remark = s.text("not all at the same time", "不能全部同时在线")
		}
		n := func(v int) string { return s.number(float64(v)) }
		t.Rows = append(t.Rows, page.Row{Cells: page.Cells(n(q.PerRep), n(q.Reps), n(q.PerUnit), n(q.Units), remark)})
	}
	return page.Section{
		Title: s.text("Who looks after them", "人员与配额"),
		Intro: s.format("At full load the machine answered %s requests a second. With half of that, and a request every %s seconds from each person, %s people can work at the same time.",
			"满载时每秒应答 %s 个请求。取其一半,每人每 %s 秒一个请求,可供 %s 人同时工作。", s.number(math.Round(p.RequestsPerSecond)), s.number(p.UserEvery), s.number(float64(p.Users))),
		Blocks: []page.Block{t},
	}
}

// growth shows how costs grow.
func (s sheet) growth() page.Section {
	t := page.Table{Columns: []page.Column{
		{Title: s.text("Question", "问题")}, {Title: s.text("Cost of an answer", "单次成本")}, {Title: s.text("for ten times the customers", "客户数增至十倍时"), Number: true},
		{Title: s.text("exponent (95 %)", "指数(95 %)"), Number: true}, {Title: s.text("error of the curve", "曲线误差"), Number: true},
	}, Fold: 30}
	for _, g := range s.Report.Growth {
		n := float64(s.last().Customers)
		exponent := fmt.Sprintf("%.2f", g.Exponent)
		if g.Low != nil {
			exponent += fmt.Sprintf(" (%.2f – %.2f)", *g.Low, *g.High)
		}
		t.Rows = append(t.Rows, page.Row{Cells: page.Cells(s.title(g.Question), s.shape(g.Curve.Shape.String()),
			fmt.Sprintf("× %.1f", g.Curve.At(10*n)/g.Curve.At(n)), exponent, chart.Percent(s.tag, math.Round(g.Curve.Residual*1000)/1000))})
	}
	return page.Section{
		Title: s.text("How costs grow", "成本如何增长"),
		Intro: s.text("Of five curves the one that fits the medians best. An exponent of 0 is a cost that stays, 1 one that grows as the book does.",
			"五种曲线中与中位数最吻合者。指数 0 表示成本不变,1 表示与账套同比增长。"),
		Blocks: []page.Block{t},
	}
}

// everything is the raw table.
func (s sheet) everything() page.Section {
	t := page.Table{Columns: []page.Column{
		{Title: s.text("customers", "客户数"), Number: true}, {Title: s.text("Question", "问题")}, {Title: s.text("median", "中位数"), Number: true}, {Title: "99 %", Number: true},
		{Title: s.text("slowest", "最慢"), Number: true}, {Title: s.text("processor", "处理器用时"), Number: true}, {Title: s.text("answers", "应答数"), Number: true}, {Title: s.text("Service level", "服务水平")},
	}, Fold: 10, Note: s.text("Service levels are compared with the 99th percentile of at least 100 answers, with the slowest of fewer, and with a rate as a whole. Processor time is that of all cores and threads.",
		"服务水平与至少 100 次应答的第 99 百分位比较,不足时与最慢一次比较;速率以总体计。处理器用时含所有核心与线程。")}
	for _, step := range s.allSteps() {
		for _, r := range step.Results {
			t.Rows = append(t.Rows, page.Row{Cells: s.cells(step.Customers, r)})
		}
	}
	return page.Section{Title: s.text("All measurements", "全部测量"), Blocks: []page.Block{t}}
}

func (s sheet) cells(customers int, r *Result) []page.Cell {
	q, _ := questionNamed(r.Question)
	cells := page.Cells(s.number(float64(customers)), s.title(r.Question), s.value(r.Value, q.unit), "", "", "", s.number(float64(r.Answers)), "")
	if !q.unit.rate() {
		cells[3].Text, cells[4].Text = valueText(r.P99, seconds), valueText(r.Max, seconds)
	}
	if r.CPUSeconds > 0 {
		cells[5].Text = valueText(r.CPUSeconds, seconds)
	}
	if l, ok := s.levelOf(r.Question); ok {
		cells[7] = page.Cell{Text: s.text("held", "达标"), Tone: page.Good}
		if l.brokenBy(r) {
			cells[7] = page.Cell{Text: s.text("broken", "突破"), Tone: page.Bad}
		}
	}
	return cells
}

// machine says where and how it was measured.
func (s sheet) machine() page.Section {
	m := s.Machine
	levels := ""
	for i, l := range s.Settings.Levels {
		if i > 0 {
			levels += ", "
		}
		levels += l.String()
	}
	rate := func(v float64) string { return bytesText(int64(v)) + s.text("/s", "/秒") }
	return page.Section{
		Title: s.text("The machine and the settings", "机器与设置"),
		Intro: s.text("What the machine can do by itself was measured first: no program does better.", "首先测量机器本身的极限:任何程序都无法更快。"),
		Blocks: []page.Block{page.Facts{
			{Name: s.text("Processor", "处理器"), Value: fmt.Sprintf("%s, %d × %s", m.Processor, m.Cores, m.System)},
			{Name: s.text("Memory, and what may be used", "内存及可用上限"), Value: bytesText(m.Memory) + ", " + bytesText(m.MemoryLimit)},
			{Name: s.text("Disk, free at the start", "磁盘及初始可用"), Value: bytesText(m.DiskTotal) + ", " + bytesText(m.DiskFree)},
			{Name: s.text("Left free", "预留"), Value: bytesText(s.Settings.DiskReserve)},
			{Name: s.text("Writes made safe, one by one", "逐次落盘写入"), Value: s.value(m.SyncsPerSecond, requests)},
			{Name: s.text("Disk writes", "磁盘写入"), Value: rate(m.DiskWrite)},
			{Name: s.text("Memory copies, all cores", "内存复制(全部核心)"), Value: rate(m.CopyBytes)},
			{Name: s.text("SHA-256, one core and all", "SHA-256(单核与全部)"), Value: rate(m.HashBytes) + ", " + rate(m.HashBytesAll)},
			{Name: "Go", Value: m.GoVersion},
			{Name: s.text("Service levels", "服务水平"), Value: levels},
			{Name: s.text("Time taken", "总用时"), Value: (time.Duration(s.Seconds) * time.Second).String()},
		}},
	}
}
