package scale

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/bench/capacity"
	"github.com/clientele-go/clientele/bench/stat"
)

var costs = Costs{
	Customers: 1e6, StoreBytes: 1000, IndexBytes: 200, Load: 50e-6, Create: 200e-6, Update: 100e-6, Get: 10e-6, Search: 2e-3, Index: 36e-6,
	SearchGrowth: stat.Curve{Shape: stat.Linear, Slope: 1},
	SearchTimes:  Quantiles{{0, 1e-3}, {0.5, 2e-3}, {0.99, 10e-3}, {1, 40e-3}},
}

// Worked by hand: 10^8 customers × 1,000 B × 1.5 × 3 copies = 450 TB·10⁻³ = 450 GB, on
// 1 TB a node: the 3 nodes that three copies need at least. Writes: 10^8 × 0.1 / 36,000 s
// = 277.8/s × 150 µs × 3 = 0.125 cores of 8: 1 node. Search: 20 GB in 34.4 GB a node: 1
// part; a search costs 2 ms × 100 = 0.2 s; 10^8 × 0.2 / 36,000 s = 555.6/s × 0.2 s =
// 111.1 cores of 8: 14 nodes. Load: 10^8 × 50 µs = 5,000 s = 1.389 core hours, three copies
// on 24 cores: 625 s. Index: 10^8 × 36 µs / 8 cores = 450 s. Match: 10^8 × 100 µs ×
// ln 10^8 / ln 200,000 = 10,000 s × 1.50915 = 4.1921 core hours. Restore: 150 GB from two
// neighbours of 100 MB/s each: 750 s.
func TestPlanByHand(t *testing.T) {
	p, err := PlanFor(1e8, costs, Usual())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"bytes", p.StoreBytes, 450e9}, {"store nodes", float64(p.StoreNodes), 3}, {"write nodes", float64(p.WriteNodes), 1}, {"read nodes", float64(p.ReadNodes), 1},
		{"index", p.IndexBytes, 20e9}, {"parts", float64(p.SearchParts), 1}, {"search nodes", float64(p.SearchNodes), 14}, {"search time", p.SearchTime, 0.2},
		{"load cores", p.LoadCores, 5000.0 / 3600}, {"load", p.LoadHours, 625.0 / 3600}, {"rebuild", p.RebuildHours, 450.0 / 3600},
		{"match cores", p.MatchCores, 4.1921}, {"match bytes", p.MatchBytes, 450e9}, {"restore", p.RestoreHours, 750.0 / 3600},
	} {
		if math.Abs(c.got-c.want) > 1e-4*c.want {
			t.Errorf("%s is %g, by hand %g", c.name, c.got, c.want)
		}
	}
}

func TestSearchIsDividedWhenItsMemoryIsFull(t *testing.T) {
	p, err := PlanFor(1e9, costs, Usual())
	if err != nil {
		t.Fatal(err)
	}
	// 200 GB in halves of 64 GiB: 6 parts; 2 ms × 1000 / 6 = 0.3333 s; 5,556 searches/s ×
	// 0.3333 s / 8 cores = 231.5: 232 copies of each part.
	if p.SearchParts != 6 || p.SearchNodes != 6*232 {
		t.Errorf("%d parts, %d nodes; by hand 6 and 1,392", p.SearchParts, p.SearchNodes)
	}
}

func TestImpossibleAssumptionsAreNamed(t *testing.T) {
	for want, change := range map[string]func(*Assumptions){
		"copies": func(a *Assumptions) { a.Copies = 0 }, "share": func(a *Assumptions) { a.Share = 1.5 }, "matching": func(a *Assumptions) { a.MatchCPU = 0 },
	} {
		a := Usual()
		change(&a)
		if _, err := PlanFor(1e8, costs, a); !errors.Is(err, ErrAssumption) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := PlanFor(math.Inf(1), costs, Usual()); !errors.Is(err, ErrAssumption) {
		t.Errorf("infinitely many: %v", err)
	}
}

// The slowest of n independent answers is within a time with the n-th power of the
// probability of one: half of the answers of 64 nodes are within the time that one has at
// 0.5^(1/64) = 0.98923.
func TestFanOutIsThePowerOfOne(t *testing.T) {
	one, err := FanOut(costs.SearchTimes, 1, 200_000, 0, 7)
	if err != nil {
		t.Fatal(err)
	}
	many, err := FanOut(costs.SearchTimes, 64, 20_000, 0, 7)
	if err != nil {
		t.Fatal(err)
	}
	if want := costs.SearchTimes.At(0.5); math.Abs(one.P50-want) > 0.02*want {
		t.Errorf("one node: half within %g s, want %g", one.P50, want)
	}
	if want := costs.SearchTimes.At(math.Pow(0.5, 1.0/64)); math.Abs(many.P50-want) > 0.02*want {
		t.Errorf("64 nodes: half within %g s, want %g", many.P50, want)
	}
	if many.HedgedP99 >= many.P99 || math.Abs(many.Extra-0.05) > 0.005 {
		t.Errorf("asked again: 99 %% within %g s instead of %g, %g requests more; want less time for 0.05 more", many.HedgedP99, many.P99, many.Extra)
	}
}

// With every transaction on one of two customers, each open for far longer than the time
// between arrivals, nearly all meet another; with none open for any time, none does.
func TestContention(t *testing.T) {
	hot, err := Contend(2, 1000, 0.1, 1.5, 2000, 3)
	if err != nil {
		t.Fatal(err)
	}
	if hot.Conflicts < 0.9 {
		t.Errorf("two customers, a hundred open at once: %g of the attempts undone", hot.Conflicts)
	}
	none, err := Contend(2, 1000, 0, 1.5, 2000, 3)
	if err != nil {
		t.Fatal(err)
	}
	if none.Conflicts != 0 || none.Retries != 1 {
		t.Errorf("open for no time: %+v", none)
	}
	// A rare meeting can be counted: with m customers evenly chosen (a skew near 1 over many
	// is not even, so the hottest's share h is taken) a transaction on the hottest is undone
	// by those that committed on it while it was open: about rate × open × h of them.
	rare, err := Contend(1e6, 100, 0.002, 1.2, 50_000, 3)
	if err != nil {
		t.Fatal(err)
	}
	if upper := 100 * 0.002 * rare.Hottest; rare.Conflicts <= 0 || rare.Conflicts > upper {
		t.Errorf("%g of the attempts undone; on the hottest alone it would be %g", rare.Conflicts, upper)
	}
	again, err := Contend(1e6, 100, 0.002, 1.2, 50_000, 3)
	if err != nil || again != rare {
		t.Errorf("the same seed: %+v, then %+v (%v)", rare, again, err)
	}
}

func TestCommandExplainsItself(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.json")
	f, err := os.Create(empty)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(report(0).WriteJSON(f), f.Close()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "usage"}, {[]string{"-in", "absent.json"}, "absent.json"}, {[]string{"-in", empty}, "no size was measured"},
		{[]string{"-in", empty, "-customers", "many"}, "no size was measured"},
	} {
		var out bytes.Buffer
		if err := Command(context.Background(), c.args, &out); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want something of %q", c.args, err, c.want)
		}
	}
}

func TestCommandPrintsTheTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "capacity.json")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(report(1_000_000).WriteJSON(f), f.Close()); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Command(context.Background(), []string{"-in", path, "-customers", "1e8"}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| customers | 100 million |", "| engine, all copies | 450 GB |", "| nodes for search | 14 |", "| 64 |", "1.20"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

// report is what capacity would have written of the costs above.
func report(customers int) *capacity.Report {
	r := &capacity.Report{Schema: capacity.Schema, Machine: &capacity.Machine{Cores: 2}}
	if customers == 0 {
		return r
	}
	n := int64(customers)
	step := capacity.Step{Customers: customers, DiskBytes: 1200 * n, SearchBytes: 200 * n}
	for name, cpu := range map[string]float64{"import": costs.Load, "create": costs.Create, "update": costs.Update, "get": costs.Get} {
		step.Results = append(step.Results, &capacity.Result{Question: name, Value: 1, CPUSeconds: cpu})
	}
	step.Results = append(step.Results, &capacity.Result{Question: "import.search", Value: 2 / costs.Index},
		&capacity.Result{Question: "search", CPUSeconds: costs.Search, Value: 2e-3, P50: 2e-3, P90: 5e-3, P99: 10e-3, P999: 20e-3, Max: 40e-3})
	r.Steps = []capacity.Step{step}
	return r
}
