package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"
)

// The names of who takes part, in the order of the table's columns. All are compared
// with the first.
const (
	clienteleName = "Clientele"
	plainName     = "Clientele, no likenesses"
	sqliteName    = "SQLite"
	checkingName  = "SQLite, checking"
	moderncName   = "SQLite in Go"
	postgresName  = "PostgreSQL"
	duckName      = "DuckDB"
	boltName      = "bbolt"
	pebbleName    = "raw Pebble"
)

var columns = []string{clienteleName, plainName, sqliteName, checkingName, moderncName, postgresName, duckName, boltName, pebbleName}

// line is a line of the table: one figure for each store and round.
type line struct {
	name   string
	better int // 1: more is better, -1: less is better, 0: not compared
	digits int // after the point
}

// pair is the two lines of a kind of lookup.
type pair struct{ time, allocations *line }

// creation is the two lines of a number of writers.
type creation struct{ rate, processor *line }

var (
	loadRate       = &line{"bulk load, customers/s", 1, 0}
	loadProcessor  = &line{"bulk load and settling, processor µs/customer", -1, 1}
	diskSize       = &line{"on disk, B/customer", -1, 0}
	idInView       = pair{&line{"get by id, one view, ns", -1, 0}, &line{"  allocations", 0, 1}}
	idAlone        = pair{&line{"get by id, a view each, ns", -1, 0}, &line{"  allocations", 0, 1}}
	codeInView     = pair{&line{"get by code, one view, ns", -1, 0}, &line{"  allocations", 0, 1}}
	codeAlone      = pair{&line{"get by code, a view each, ns", -1, 0}, &line{"  allocations", 0, 1}}
	repeatedPhones = &line{"exact duplicates by phone, ms", -1, 1}
	repeatedEmails = &line{"exact duplicates by e-mail, ms", -1, 1}
	createAlone    = creation{&line{"durable creates/s, 1 writer", 1, 0}, &line{"  processor µs each", -1, 0}}
	createTogether = creation{&line{"durable creates/s, 16 writers", 1, 0}, &line{"  processor µs each", -1, 0}}
)

// section is a part of the table.
type section struct {
	name, title string
	lines       []*line
}

var sections = []*section{
	{"customers", "Customers", []*line{
		loadRate, loadProcessor, diskSize,
		idInView.time, idInView.allocations, idAlone.time, idAlone.allocations,
		codeInView.time, codeInView.allocations, codeAlone.time, codeAlone.allocations,
		repeatedPhones, repeatedEmails,
		createAlone.rate, createAlone.processor, createTogether.rate, createTogether.processor,
	}},
	{"search", "Search in names", linesOf(searchQuestions, searchBuild)},
	{"tags", "Tags", linesOf(tagQuestions)},
	{"aging", "Receivables", linesOf(receivableQuestions, agingLoad)},
}

// linesOf are some lines and those of questions.
func linesOf[Q interface{ figure() *line }](questions []Q, first ...*line) []*line {
	for _, q := range questions {
		first = append(first, q.figure())
	}
	return first
}

// table collects the figures.
type table struct {
	plan    plan
	began   time.Time
	figures map[*line]map[string][]float64 // by store, in the order of rounds
	absent  map[string]string              // who could not take part, and why
	load    string                         // the machine's load average at the beginning
}

func newTable(p plan) *table {
	return &table{plan: p, began: time.Now(), figures: map[*line]map[string][]float64{}, absent: map[string]string{}, load: loadAverage()}
}

func (t *table) add(l *line, store string, figure float64) {
	if t.figures[l] == nil {
		t.figures[l] = map[string][]float64{}
	}
	t.figures[l][store] = append(t.figures[l][store], figure)
}

// print writes a Markdown table for each section: medians, and how many times better the
// first store is than each other, as the median of the rounds' ratios with the least and
// the greatest.
func (t *table) print(out io.Writer) error {
	var b strings.Builder
	b.WriteString(t.title())
	for _, s := range sections {
		t.writeSection(&b, s)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (t *table) writeSection(b *strings.Builder, s *section) {
	var names []string
	for _, name := range columns {
		if slices.ContainsFunc(s.lines, func(l *line) bool { return len(t.figures[l][name]) > 0 }) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return
	}
	fmt.Fprintf(b, "\n**%s**\n\n| | %s |\n| --- |%s\n", s.title, strings.Join(names, " | "), strings.Repeat(" --: |", len(names)))
	for _, l := range s.lines {
		if t.figures[l] == nil {
			continue
		}
		cells := []string{l.name}
		for _, name := range names {
			cells = append(cells, t.cell(l, name))
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
	}
}

// cell is a median and, of a peer, how many times better Clientele is.
func (t *table) cell(l *line, name string) string {
	figures := t.figures[l][name]
	if len(figures) == 0 {
		return "–"
	}
	text := grouped(median(figures), l.digits)
	if name == clienteleName || l.better == 0 || len(t.figures[l][clienteleName]) == 0 {
		return text
	}
	return text + " · ×" + t.ratio(l, name)
}

func (t *table) ratio(l *line, peer string) string {
	ratios := t.ratios(l, peer)
	return fmt.Sprintf("%s (%s–%s)", factor(median(ratios)), factor(slices.Min(ratios)), factor(slices.Max(ratios)))
}

// ratios are how many times better Clientele is than a peer, by round.
func (t *table) ratios(l *line, peer string) []float64 {
	var ratios []float64
	for i, ours := range t.figures[l][clienteleName] {
		r := ours / t.figures[l][peer][i]
		if l.better < 0 {
			r = 1 / r
		}
		ratios = append(ratios, r)
	}
	return ratios
}

// factor writes a ratio with two or three significant digits.
func factor(x float64) string {
	switch {
	case x >= 100:
		return grouped(x, 0)
	case x >= 10:
		return grouped(x, 1)
	}
	return grouped(x, 2)
}

// title says what was run where.
func (t *table) title() string {
	version, _, _ := sqlite3.Version()
	text := fmt.Sprintf(`%s, %s customers, medians of %d rounds. After the point: × is how many times better Clientele is (least–greatest of the rounds).
%s, %s/%s, %d cores%s, %s of memory, the stores in %s; load average %s at the beginning, %s at the end.
SQLite %s (mattn), %s (modernc), PostgreSQL %s, DuckDB driver %s, bbolt %s, Pebble %s; %d MiB of cache each.
`,
		t.began.Format(time.DateOnly), grouped(float64(t.plan.rows), 0), t.plan.rounds,
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), processor(), memory(), fileSystem(t.plan.dir), t.load, loadAverage(),
		version, moderncVersion(), postgresVersion(), moduleVersion("github.com/duckdb/duckdb-go/v2"), moduleVersion("go.etcd.io/bbolt"),
		moduleVersion("github.com/cockroachdb/pebble/v2"), cacheBytes>>20)
	for _, name := range slices.Sorted(maps.Keys(t.absent)) {
		text += fmt.Sprintf("\n**%s did not take part: %s.**\n", name, t.absent[name])
	}
	return text
}

// result is the table for programs.
type result struct {
	Version   int               `json:"version"`
	Began     time.Time         `json:"began"`
	Customers int               `json:"customers"`
	Rounds    int               `json:"rounds"`
	Seed      uint64            `json:"seed"`
	Machine   string            `json:"machine"`
	Absent    map[string]string `json:"absent,omitempty"`
	Lines     []resultLine      `json:"lines"`
}

type resultLine struct {
	Section string               `json:"section"`
	Line    string               `json:"line"`
	Better  string               `json:"better,omitempty"` // "more" or "less"
	Figures map[string][]float64 `json:"figures"`          // by store, in the order of rounds
	Ratios  map[string]float64   `json:"ratios,omitempty"` // how many times better Clientele is
}

// writeJSON writes all figures of all rounds to a file.
func (t *table) writeJSON(name string) error {
	r := result{Version: 1, Began: t.began.UTC(), Customers: t.plan.rows, Rounds: t.plan.rounds, Seed: t.plan.seed, Machine: t.title(), Absent: t.absent}
	for _, s := range sections {
		for _, l := range s.lines {
			if t.figures[l] == nil {
				continue
			}
			x := resultLine{Section: s.name, Line: strings.TrimSpace(l.name), Figures: t.figures[l]}
			if l.better != 0 {
				x.Better, x.Ratios = map[int]string{1: "more", -1: "less"}[l.better], t.mediansOfRatios(l)
			}
			r.Lines = append(r.Lines, x)
		}
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(text, '\n'), 0o644)
}

func (t *table) mediansOfRatios(l *line) map[string]float64 {
	all := map[string]float64{}
	if len(t.figures[l][clienteleName]) == 0 {
		return nil
	}
	for name := range t.figures[l] {
		if name != clienteleName {
			all[name] = median(t.ratios(l, name))
		}
	}
	return all
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
