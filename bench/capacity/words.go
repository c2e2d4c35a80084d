package capacity

import (
	"fmt"
	"math"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/internal/chart"
)

// words writes for people in one of the page's two languages.
type words struct{ tag language.Tag }

// in returns the words of the language that fits best, English or simplified Chinese.
func in(tag language.Tag) words {
	matched, _, _ := language.NewMatcher([]language.Tag{language.English, language.SimplifiedChinese}).Match(tag)
	base, _ := matched.Base()
	if base.String() == "zh" {
		return words{language.SimplifiedChinese}
	}
	return words{language.English}
}

// text chooses one of two texts.
func (w words) text(english, chinese string) string {
	if w.tag == language.SimplifiedChinese {
		return chinese
	}
	return english
}

func (w words) format(english, chinese string, args ...any) string {
	return fmt.Sprintf(w.text(english, chinese), args...)
}

func (w words) number(v float64) string { return chart.Number(w.tag, v) }

// titles are what questions are called.
var titles = map[string][2]string{
	"import":        {"Import of customers", "导入客户"},
	"import.tags":   {"Import of tags", "导入标签"},
	"import.items":  {"Import of receivables", "导入应收项目"},
	"import.search": {"Import until all can be searched", "导入直至可检索"},
	"get":           {"One customer by number", "按编号读取客户"},
	"code":          {"One customer by code", "按编码读取客户"},
	"pick":          {"Picker while typing", "输入时联想"},
	"search":        {"Search with counts", "全文检索并计数"},
	"filter":        {"Count by a filter of tags", "按标签条件计数"},
	"facet":         {"Counts by region", "按地区计数"},
	"crosstab":      {"Table of two dimensions", "两维度交叉表"},
	"stocktake":     {"Stocktake with opening and closing", "客户盘点(期初至期末)"},
	"candidates":    {"Likely duplicates of a new customer", "新客户查重"},
	"create":        {"Create a customer", "新建客户"},
	"update":        {"Change a customer", "修改客户"},
	"tag":           {"Tag a customer", "给客户贴标签"},
	"reserve":       {"Reserve credit for an order", "订单占用信用额度"},
	"writers":       {"Sixteen writers at once", "十六人同时写入"},
	"aging.one":     {"Aging of one customer", "单个客户账龄"},
	"aging.total":   {"Aging, total", "账龄合计"},
	"aging":         {"Aging of all customers", "全部客户账龄"},
	"aging.past":    {"Aging of all as of a past day", "全部客户历史账龄"},
	"mixed":         {"Everything at once", "混合负载"},
	"throughput":    {"Requests answered at full load", "满载时每秒应答"},
	"backup":        {"Backup, verified", "备份并校验"},
	"open":          {"Open the book", "打开账套"},
	"recovery":      {"Open after a crash", "崩溃后恢复"},
	"disk":          {"Disk", "磁盘"},
	"memory":        {"Memory", "内存"},
	"cores":         {"Cores", "处理器核心"},

	"resident_bytes":        {"Memory in use", "占用内存"},
	"heap_bytes":            {"Heap", "堆内存"},
	"open_files":            {"Open files", "打开的文件"},
	"goroutines":            {"Goroutines", "协程"},
	"compaction_debt_bytes": {"Compaction debt", "待合并数据"},
	"view_lag_entries":      {"Search behind the journal", "检索索引落后"},
	"other_cores":           {"Other programs", "其他程序"},
	"p50":                   {"Median answer", "应答中位数"},
	"p99":                   {"99th percentile", "第 99 百分位"},
}

// title names a question, a resource or a quantity.
func (w words) title(name string) string {
	t, ok := titles[name]
	if !ok {
		return name
	}
	return w.text(t[0], t[1])
}

// level writes a service level for people.
func (w words) level(l Level) string {
	if l.Least > 0 {
		return w.format("%s: at least %s a second", "%s:每秒至少 %s", w.title(l.Probe), w.number(l.Least))
	}
	return w.format("%s: at most %s", "%s:最多 %s", w.title(l.Probe), valueText(l.Most, seconds))
}

// bound names a bound.
func (w words) bound(name string) string {
	if l, err := ParseLevels(name); err == nil && len(l) == 1 {
		return w.level(l[0])
	}
	return w.title(name)
}

// customers writes a number of customers, short enough for a telephone, or that it is out
// of sight.
func (w words) customers(n, horizon float64) string {
	if n > horizon || math.IsInf(n, 1) {
		return "> " + chart.Compact(w.tag, float64(significant(horizon)))
	}
	return chart.Compact(w.tag, float64(significant(n)))
}

// value writes a measured value.
func (w words) value(v float64, u unit) string {
	if !u.rate() {
		return valueText(v, u)
	}
	return w.format("%s/s", "%s/秒", w.number(math.Round(v)))
}

func (w words) confidenceWord(c Confidence) string {
	switch c {
	case Measured:
		return w.text("measured", "实测")
	case Good:
		return w.text("good", "较高")
	case Fair:
		return w.text("fair", "一般")
	}
	return w.text("poor", "较低")
}

// confidenceNote says what a confidence means.
func (w words) confidenceNote(c Confidence) string {
	switch c {
	case Measured:
		return w.text("the limit was met while measuring", "测量过程中已触及上限")
	case Good:
		return w.text("at most three times what was measured", "不超过实测规模的三倍")
	case Fair:
		return w.text("up to ten times what was measured", "最多为实测规模的十倍")
	}
	return w.text("too few sizes were measured", "实测规模过少")
}

func (w words) shape(name string) string {
	switch name {
	case "flat":
		return w.text("stays the same", "不变")
	case "log":
		return w.text("by the logarithm", "对数增长")
	case "root":
		return w.text("by the square root", "按平方根增长")
	case "linear":
		return w.text("in proportion", "线性增长")
	}
	return w.text("a little more than in proportion", "略快于线性")
}

func (w words) stop(s Stop) string {
	switch s.Why {
	case StoppedCustomers:
		return w.text("Everything that was asked for is measured.", "已完成全部测量。")
	case StoppedLevel:
		return w.format("A service level was broken: %s.", "服务水平被突破:%s。", w.bound(s.Level))
	case StoppedDisk:
		return w.text("The disk's reserve would have been used.", "将动用磁盘预留空间。")
	case StoppedMemory:
		return w.text("The memory would not have done.", "内存不足。")
	case StoppedBudget:
		return w.text("The time was used up.", "时间预算已用完。")
	case StoppedInterrupted:
		return w.text("Somebody stopped it; it can go on from here.", "被人为中断,可继续。")
	}
	return w.text("Something failed.", "出现错误。")
}
