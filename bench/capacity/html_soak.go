package capacity

import (
	"fmt"
	"math"
	"strings"

	"github.com/clientele-go/clientele/bench/stat"
	"github.com/clientele-go/clientele/internal/chart"
	"github.com/clientele-go/clientele/internal/page"
)

// low10 and high90 bound the middle eight tenths of repetitions around a value.
func low10(repetitions []float64, value float64) float64 {
	if len(repetitions) < 3 {
		return 0
	}
	return min(value, stat.Quantile(repetitions, 0.1))
}

func high90(repetitions []float64, value float64) float64 {
	if len(repetitions) < 3 {
		return 0
	}
	return max(value, stat.Quantile(repetitions, 0.9))
}

// soak shows what a long load came to.
func (s sheet) soak() page.Section {
	x := page.Section{
		Title: s.text("A long run", "长时间运行"),
		Intro: s.format("%s customers, %s seconds of mixed load. What creeps up while the load stays the same would end a service some day.",
			"%s 个客户,混合负载 %s 秒。负载不变而持续上升的指标终将拖垮服务。", s.number(float64(s.Soak.Customers)), s.number(math.Round(s.Soak.Seconds))),
		Blocks: []page.Block{s.soakNotice()},
	}
	if busy := s.Soak.otherCores(); busy > 0.1*float64(s.Machine.Cores) {
		x.Blocks = append(x.Blocks, s.busyNotice(busy))
	}
	bytes := func(v float64) string { return bytesText(int64(v)) }
	plain := func(v float64) string { return chart.Compact(s.tag, v) }
	x.Blocks = append(x.Blocks,
		page.Columns{
			s.course(s.text("Memory", "内存"), bytes, quantity{"resident_bytes", func(x Sample) float64 { return float64(x.ResidentBytes) }}, quantity{"heap_bytes", func(x Sample) float64 { return float64(x.HeapBytes) }}),
			s.course(s.text("Answers", "应答"), func(v float64) string { return valueText(v, seconds) }, quantity{"p50", func(x Sample) float64 { return x.P50 }}, quantity{"p99", func(x Sample) float64 { return x.P99 }}),
		},
		page.Columns{
			s.course(s.text("Files and goroutines", "文件与协程"), plain, quantity{"open_files", func(x Sample) float64 { return float64(x.OpenFiles) }}, quantity{"goroutines", func(x Sample) float64 { return float64(x.Goroutines) }}),
			s.course(s.text("Search behind the journal, entries", "检索索引落后(条)"), plain, quantity{"view_lag_entries", func(x Sample) float64 { return float64(x.ViewLag) }}),
		},
		page.Columns{
			s.course(s.text("Compaction debt", "待合并数据"), bytes, quantity{"compaction_debt_bytes", func(x Sample) float64 { return float64(x.CompactionDebt) }}),
			s.course(s.text("Cores that other programs used", "其他程序占用的核心"), plain, quantity{"other_cores", func(x Sample) float64 { return x.OtherCores }}),
		},
	)
	if m := s.Soak.Mixed; m != nil {
		x.Blocks = append(x.Blocks, s.mixedTable(m, s.text("Answers by kind of request", "各类请求的应答")))
	}
	return x
}

func (s sheet) soakNotice() page.Notice {
	if len(s.Soak.Findings) == 0 {
		text := s.text("Nothing creeps.", "没有指标持续上升。")
		if s.Soak.Verified == "in order" {
			text += " " + s.text("The book was verified afterwards and is in order.", "随后校验账套,数据无误。")
		}
		return page.Notice{Tone: page.Good, Text: text}
	}
	text := s.text("These creep:", "以下指标持续上升:")
	for _, f := range s.Soak.Findings {
		text += fmt.Sprintf(" %s, %s → %s;", s.title(f.What), s.quantity(f.What, f.Before), s.quantity(f.What, f.After))
	}
	return page.Notice{Tone: page.Warning, Text: text[:len(text)-1] + s.text(".", "。")}
}

// quantity writes a value of something that samples have.
func (s sheet) quantity(what string, v float64) string {
	switch {
	case strings.HasSuffix(what, "_bytes"):
		return bytesText(int64(v))
	case what == "p50" || what == "p99":
		return valueText(v, seconds)
	}
	return s.number(v)
}

// quantity is something that samples have.
type quantity struct {
	name string
	of   func(Sample) float64
}

// course draws quantities over time.
func (s sheet) course(title string, format func(float64) string, list ...quantity) page.Chart {
	c := chart.Lines{
		Frame: chart.Frame{Title: title, Language: s.tag}, X: chart.Axis{Label: s.text("seconds", "秒")},
		Y: chart.Axis{Zero: true, Format: format},
	}
	for _, q := range list {
		one := chart.Series{Name: s.title(q.name)}
		for _, x := range s.Soak.Samples {
			one.Points = append(one.Points, chart.Sample{X: x.Second, Y: q.of(x)})
		}
		c.Series = append(c.Series, one)
	}
	return page.Chart{Title: title, Chart: c, Half: true}
}
