package scale

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/clientele-go/clientele/bench/capacity"
)

// Command is the command scale: it prints, as Markdown, what numbers of customers take by
// a report of capacity.
func Command(ctx context.Context, args []string, out io.Writer) error {
	a := Usual()
	f := flag.NewFlagSet("scale", flag.ContinueOnError)
	in := f.String("in", "", "the `report` that `go run ./bench capacity -json` wrote")
	sizes := f.String("customers", "1e7,1e8,1e9", "`numbers` of customers")
	seed := f.Uint64("seed", 1, "of the simulations")
	f.IntVar(&a.Copies, "copies", a.Copies, "of every byte on the engine")
	f.IntVar(&a.Cores, "cores", a.Cores, "of a node")
	f.Float64Var(&a.Share, "share", a.Share, "of a node that is used")
	f.Float64Var(&a.Writes, "writes", a.Writes, "of a customer in a day")
	f.Float64Var(&a.Searches, "searches", a.Searches, "for each customer in a day")
	f.Float64Var(&a.RoundTrip, "roundtrip", a.RoundTrip, "between two nodes and back, in seconds")
	f.Float64Var(&a.MatchCPU, "match-cpu", a.MatchCPU, "CPU seconds of a record in a batch for duplicates")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *in == "" || f.NArg() > 0 {
		return errors.New("usage: go run ./bench scale -in capacity.json; the report is made by: go run ./bench capacity -json capacity.json")
	}
	r, err := capacity.ReadReport(*in)
	if err != nil {
		return err
	}
	costs, err := CostsOf(r)
	if err != nil {
		return err
	}
	var plans []Plan
	for text := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			return fmt.Errorf("-customers: %q is no number; for instance 1e8,1e9", text)
		}
		p, err := PlanFor(n, costs, a)
		if err != nil {
			return err
		}
		plans = append(plans, p)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return write(out, costs, a, plans, *seed)
}

// write prints the assumptions, the plans and the simulations.
func write(out io.Writer, c Costs, a Assumptions, plans []Plan, seed uint64) error {
	t := &table{out: out}
	t.line("Measured at %s customers: %.0f bytes a customer on disk and %.0f in search; CPU of a load %s, a create %s, an update %s, a read %s, a search %s.",
		count(c.Customers), c.StoreBytes, c.IndexBytes, duration(c.Load), duration(c.Create), duration(c.Update), duration(c.Get), duration(c.Search))
	t.line("")
	t.line("Assumed: %d copies; nodes of %d cores, %s of memory and %s of disk, used to %.0f %%; rows of the engine %.1f times ours; a round trip of %s; for each customer and day %g reads, %g writes and %g searches within %.0f hours; matching %s of CPU a record.",
		a.Copies, a.Cores, size(float64(a.Memory)), size(float64(a.Disk)), a.Share*100, a.Overhead, duration(a.RoundTrip), a.Reads, a.Writes, a.Searches, a.Busy/hour, duration(a.MatchCPU))
	t.line("")
	row := func(name string, cell func(p Plan) string) {
		cells := []string{name}
		for _, p := range plans {
			cells = append(cells, cell(p))
		}
		t.line("| %s |", strings.Join(cells, " | "))
	}
	row("customers", func(p Plan) string { return count(p.Customers) })
	t.line("|%s", strings.Repeat("---|", len(plans)+1))
	row("engine, all copies", func(p Plan) string { return size(p.StoreBytes) })
	row("nodes for storage", func(p Plan) string { return count(float64(p.StoreNodes)) })
	row("nodes for the writes", func(p Plan) string { return count(float64(p.WriteNodes)) })
	row("nodes for the reads", func(p Plan) string { return count(float64(p.ReadNodes)) })
	row("search, one copy", func(p Plan) string { return size(p.IndexBytes) })
	row("parts of search", func(p Plan) string { return count(float64(p.SearchParts)) })
	row("nodes for search", func(p Plan) string { return count(float64(p.SearchNodes)) })
	row("CPU of a search in one part", func(p Plan) string { return duration(p.SearchTime) })
	row("load everything, cores × hours", func(p Plan) string { return count(p.LoadCores) })
	row("load on the storage nodes", func(p Plan) string { return duration(p.LoadHours * hour) })
	row("rebuild search", func(p Plan) string { return duration(p.RebuildHours * hour) })
	row("match everything, cores × hours", func(p Plan) string { return count(p.MatchCores) })
	row("match on the storage nodes' cores", func(p Plan) string { return duration(p.MatchHours * hour) })
	row("match, working data", func(p Plan) string { return size(p.MatchBytes) })
	row("restore a lost node", func(p Plan) string { return duration(p.RestoreHours * hour) })
	t.line("")
	if err := writeTails(t, c, a, seed); err != nil {
		return err
	}
	t.line("")
	if err := writeContention(t, a, plans, seed); err != nil {
		return err
	}
	return t.err
}

// rounds is how many searches or transactions a simulation plays.
const rounds = 20_000

func writeTails(t *table, c Costs, a Assumptions, seed uint64) error {
	t.line("| parts asked at once | half within | 99 %% within | 99 %% within, asked again | requests more |")
	t.line("|---|---|---|---|---|")
	for _, n := range []int{1, 4, 16, 64} {
		tail, err := FanOut(c.SearchTimes, n, rounds, a.RoundTrip, seed)
		if err != nil {
			return err
		}
		t.line("| %d | %s | %s | %s | %.0f %% |", n, duration(tail.P50), duration(tail.P99), duration(tail.HedgedP99), tail.Extra*100)
	}
	return nil
}

// tripsOfAWrite is how often a write asks the shared engine, one after another: what it
// reads, the batch, and the copies of the engine among themselves.
const tripsOfAWrite = 4

func writeContention(t *table, a Assumptions, plans []Plan, seed uint64) error {
	t.line("| customers | writes/s | skew | on the hottest | attempts undone | attempts a write |")
	t.line("|---|---|---|---|---|---|")
	for _, p := range plans {
		perSecond := p.Customers * a.Writes / a.Busy
		for _, skew := range []float64{1.01, 1.2} {
			c, err := Contend(p.Customers, perSecond, tripsOfAWrite*a.RoundTrip, skew, rounds, seed)
			if err != nil {
				return err
			}
			t.line("| %s | %s | %.2f | %.1f %% | %.2f %% | %.3f |", count(p.Customers), count(perSecond), skew, c.Hottest*100, c.Conflicts*100, c.Retries)
		}
	}
	return nil
}

// table writes lines until one fails.
type table struct {
	out io.Writer
	err error
}

func (t *table) line(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.out, format+"\n", args...)
	}
}

// count is a number with at most three digits that mean something.
func count(n float64) string {
	for _, u := range []struct {
		of   float64
		name string
	}{{1e9, " billion"}, {1e6, " million"}, {1e3, ",000"}} {
		if n >= u.of*0.9995 && (u.of > 1e3 || n >= 1e4) {
			return strconv.FormatFloat(n/u.of, 'g', 3, 64) + u.name
		}
	}
	return strconv.FormatFloat(n, 'g', 4, 64)
}

func size(bytes float64) string { return scaled(bytes, 1000, "B", "kB", "MB", "GB", "TB", "PB") }

func duration(seconds float64) string {
	switch {
	case seconds >= 2*hour:
		return fmt.Sprintf("%.3g h", seconds/hour)
	case seconds >= 120:
		return fmt.Sprintf("%.3g min", seconds/60)
	case seconds >= 1:
		return fmt.Sprintf("%.3g s", seconds)
	}
	return scaled(seconds*1e9, 1000, "ns", "µs", "ms")
}

// scaled writes a value with the unit that leaves it below the base.
func scaled(v, base float64, units ...string) string {
	i := 0
	for v >= base && i < len(units)-1 {
		v, i = v/base, i+1
	}
	return fmt.Sprintf("%.3g %s", v, units[i])
}
