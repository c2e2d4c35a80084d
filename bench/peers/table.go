package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/mattn/go-sqlite3"
)

// line is a line of the table: one figure for each store and round.
type line struct {
	name   string
	better int // 1: more is better, -1: less is better, 0: not compared
	digits int // after the point
}

// pair is the two lines of a kind of lookup.
type pair struct{ time, allocations *line }

var (
	loadRate       = &line{"bulk load, customers/s", 1, 0}
	loadProcessor  = &line{"bulk load and settling, processor µs/customer", -1, 1}
	diskSize       = &line{"on disk, B/customer", -1, 0}
	idInView       = pair{&line{"get by id, one view, ns", -1, 0}, &line{"  allocations", 0, 1}}
	idAlone        = pair{&line{"get by id, a view each, ns", -1, 0}, &line{"  allocations", 0, 1}}
	codeInView     = pair{&line{"get by code, one view, ns", -1, 0}, &line{"  allocations", 0, 1}}
	codeAlone      = pair{&line{"get by code, a view each, ns", -1, 0}, &line{"  allocations", 0, 1}}
	createAlone    = &line{"durable creates/s, 1 writer", 1, 0}
	createTogether = &line{"durable creates/s, 16 writers", 1, 0}
)

// lines are all, from the table's top.
var lines = []*line{
	loadRate, loadProcessor, diskSize,
	idInView.time, idInView.allocations, idAlone.time, idAlone.allocations,
	codeInView.time, codeInView.allocations, codeAlone.time, codeAlone.allocations,
	createAlone, createTogether,
}

// table collects the figures.
type table struct {
	plan    plan
	figures map[*line]map[string][]float64 // by store, in the order of rounds
	load    string                         // the machine's load average at the beginning
}

func newTable(p plan) *table {
	return &table{plan: p, figures: map[*line]map[string][]float64{}, load: loadAverage()}
}

func (t *table) add(l *line, store string, figure float64) {
	if t.figures[l] == nil {
		t.figures[l] = map[string][]float64{}
	}
	t.figures[l][store] = append(t.figures[l][store], figure)
}

// print writes a Markdown table of medians, and how many times better the first store is than each other:
// the median of the rounds' ratios, with the least and the greatest.
func (t *table) print(out io.Writer) error {
	fmt.Fprintln(out, t.title())
	rows := [][]string{{""}, {"---"}}
	for _, c := range contestants {
		rows[0], rows[1] = append(rows[0], c.name), append(rows[1], "--:")
	}
	for _, c := range contestants[1:] {
		rows[0], rows[1] = append(rows[0], contestants[0].name+" × "+c.name), append(rows[1], "--:")
	}
	for _, l := range lines {
		if t.figures[l] != nil {
			rows = append(rows, t.cells(l))
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, "| "+strings.Join(row, "\t| ")+"\t|")
	}
	return w.Flush()
}

func (t *table) cells(l *line) []string {
	cells := []string{l.name}
	for _, c := range contestants {
		cells = append(cells, grouped(median(t.figures[l][c.name]), l.digits))
	}
	for _, c := range contestants[1:] {
		cells = append(cells, t.ratio(l, c.name))
	}
	return cells
}

func (t *table) ratio(l *line, peer string) string {
	if l.better == 0 {
		return ""
	}
	var ratios []float64
	for i, ours := range t.figures[l][contestants[0].name] {
		r := ours / t.figures[l][peer][i]
		if l.better < 0 {
			r = 1 / r
		}
		ratios = append(ratios, r)
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", median(ratios), slices.Min(ratios), slices.Max(ratios))
}

// title says what was run where.
func (t *table) title() string {
	version, _, _ := sqlite3.Version()
	return fmt.Sprintf(`
%s customers, medians of %d rounds; × is how many times faster or smaller (least–greatest of the rounds).
Clientele and "SQLite, checking" check and normalise customers within the clock; SQLite and raw Pebble take prepared ones.
%s, %s/%s, %d cores%s; SQLite %s, Pebble %s; load average %s at the beginning, %s at the end.
`,
		grouped(float64(t.plan.rows), 0), t.plan.rounds, runtime.Version(), runtime.GOOS, runtime.GOARCH,
		runtime.GOMAXPROCS(0), processor(), version, moduleVersion("github.com/cockroachdb/pebble/v2"), t.load, loadAverage())
}

// median returns the middle of the figures, the mean of the middle two of an even number.
func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// grouped writes a number with commas between groups of three digits.
func grouped(x float64, digits int) string {
	s := strconv.FormatFloat(x, 'f', digits, 64)
	whole, fraction, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		return whole + "." + fraction
	}
	return whole
}

func moduleVersion(path string) string {
	info, _ := debug.ReadBuildInfo()
	for _, m := range info.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return "of an unknown version"
}

// processor returns the processor's name after a comma, where Linux tells it.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for text := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(text, ":"); strings.TrimSpace(name) == "model name" {
			return ", " + strings.TrimSpace(value)
		}
	}
	return ""
}

// loadAverage returns how many processes were running or waiting over the last minute.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
