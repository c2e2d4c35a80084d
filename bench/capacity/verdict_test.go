package capacity

import (
	"math"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/bench/stat"
)

// made is a report whose costs follow given curves: get stays at 1 ms, aging takes 1 µs a
// customer, imports come at 50,000 a second, a customer takes 4,000 bytes of disk and 100
// of memory.
func made(levels string, t *testing.T) *Report {
	t.Helper()
	list, err := ParseLevels(levels)
	if err != nil {
		t.Fatal(err)
	}
	r := &Report{
		Schema: Schema, Settings: Settings{Seed: 1, Workload: workloadVersion, Levels: list, DiskReserve: 10e9},
		Machine: &Machine{Cores: 2, MemoryLimit: 8e9, DiskFree: 50e9},
	}
	for _, n := range []int{10_000, 30_000, 100_000, 300_000} {
		latency := func(q string, v float64) *Result {
			return &Result{Question: q, Unit: "s", Repetitions: []float64{v, v, v}, Value: v, Judged: 2 * v, Answers: 300}
		}
		r.Steps = append(r.Steps, Step{
			Customers: n, DiskBytes: int64(n) * 4000, HeapBytes: int64(n) * 100, ResidentBytes: int64(n) * 100,
			Results: []*Result{
				{Question: "import", Unit: "customers/s", Repetitions: []float64{50_000}, Value: 50_000, Judged: 50_000, Answers: int64(n)},
				latency("get", 0.001), latency("aging", float64(n)*1e-6),
				{Question: "throughput", Unit: "requests/s", Repetitions: []float64{400}, Value: 400, Judged: 400},
			},
		})
	}
	r.conclude()
	return r
}

// Levels are compared with twice the median here. Aging of 2 s is reached where the
// median is 1 s: at a million. Disk would be at (50 − 10) GB / 4,000 B = 10 million,
// memory at 6.8 GB / 100 B = 68 million.
func TestVerdictFindsTheFirstBound(t *testing.T) {
	v := made("get=5ms,aging=2s,import=20000/s", t).Verdict
	if v.Customers != 1_000_000 || v.AtLeast || v.First == nil || v.First.Level != "aging=2s" || v.First.Broken {
		t.Fatalf("%+v, first %+v; want a million, then aging", v, v.First)
	}
	if v.Measured != 300_000 || math.Abs(v.Extrapolated-3.33) > 0.01 || v.Confidence != Fair {
		t.Errorf("measured %d, extrapolated %v, confidence %s; want 300,000, 3.33 and fair", v.Measured, v.Extrapolated, v.Confidence)
	}
	order := make([]string, len(v.Bounds))
	for i := range v.Bounds {
		order[i] = v.Bounds[i].name()
	}
	if got := strings.Join(order, " "); got != "aging=2s disk memory get=5ms import=20000/s" {
		t.Errorf("bounds in the order %s", got)
	}
	for i, want := range []float64{1e6, 1e7, 6.8e7, 1e15, 1e15} {
		if math.Abs(v.Bounds[i].Customers/want-1) > 0.001 {
			t.Errorf("%s is reached at %v; want %v", order[i], v.Bounds[i].Customers, want)
		}
	}
	if text := v.String(); text != "This machine holds about 1,000,000 customers within these service levels; the first thing to break is aging=2s. Confidence: fair, 3.33 times the largest size that was measured." {
		t.Errorf("in words: %s", text)
	}
}

// Without aging nothing breaks up to ten times what was measured; a disk of 11 GB ends at
// (11 − 10) GB / 4,000 B = 250,000, twice that disk at 3 million, the horizon.
func TestVerdictLooksNoFartherThanTenTimes(t *testing.T) {
	r := made("get=5ms", t)
	if v := r.Verdict; v.Customers != 3_000_000 || !v.AtLeast || v.First != nil {
		t.Errorf("%+v; want at least 3 million", v)
	}
	r.Machine.DiskFree = 11e9
	r.conclude()
	v := r.Verdict
	if v.Customers != 250_000 || v.First.Kind != "disk" || v.Confidence != Measured {
		t.Errorf("%+v; want 250,000 by the disk", v)
	}
	for _, twice := range v.Twice {
		want := Twice{Of: twice.Of, Customers: 250_000, First: "disk"}
		if twice.Of == "disk" {
			want = Twice{Of: "disk", Customers: 3_000_000, AtLeast: true} // (22 − 10) GB / 4,000 B, just the horizon
		}
		if twice != want {
			t.Errorf("with twice the %s: %+v; want %+v", twice.Of, twice, want)
		}
	}
}

// A level that was broken at 300,000 and held at 100,000 lies between, whatever the curve
// says.
func TestVerdictBelievesMeasurementsMoreThanCurves(t *testing.T) {
	r := made("get=5ms", t)
	broken, _ := r.Steps[3].Result("get")
	broken.Judged = 0.006
	r.conclude()
	v := r.Verdict
	if v.Customers < 100_000 || v.Customers > 300_000 || v.First == nil || !v.First.Broken || v.Measured != 100_000 || v.Confidence != Measured {
		t.Errorf("%+v, first %+v; want between 100,000 and 300,000, measured", v, v.First)
	}
}

// Between 2 ms at 100,000 and 6 ms at 300,000 the straight line in logarithms has slope 1:
// 5 ms is at 250,000. Twice the cores make no answer faster.
func TestVerdictLiesOnTheLineBetweenHeldAndBroken(t *testing.T) {
	r := made("get=5ms", t)
	broken, _ := r.Steps[3].Result("get")
	broken.Judged = 0.006
	r.conclude()
	if v := r.Verdict; v.Customers != 250_000 || v.Twice[2].Customers != 250_000 {
		t.Errorf("%d, with twice the cores %d; want 250,000", v.Customers, v.Twice[2].Customers)
	}
}

// A load of a few customers is hardly more than its beginning and end.
func TestRateOfAFewCustomersIsNotJudged(t *testing.T) {
	l := Level{Probe: "import", Least: 5000}
	for n, broken := range map[int64]bool{300: false, 10_000: true} {
		if got := l.brokenBy(&Result{Question: "import", Judged: 4000, Answers: n}); got != broken {
			t.Errorf("4,000 a second of %d customers: broken %t; want %t", n, got, broken)
		}
	}
}

// An import that came to 10,000 a second at 300,000 customers and to 50,000 below breaks a
// level of 20,000: its costs, 20 µs and 100 µs, lie on a line of exponent ln 5 ÷ ln 3, which
// is at 50 µs at 300,000 · (50/100)^(ln 3 ÷ ln 5) = 186,911. With twice the cores it is not
// less.
func TestVerdictOfARateWithTwiceTheCores(t *testing.T) {
	r := made("import=20000/s", t)
	slow, _ := r.Steps[3].Result("import")
	slow.Value, slow.Judged = 10_000, 10_000
	r.conclude()
	v := r.Verdict
	if v.Customers != 180_000 || v.First == nil || !v.First.Broken {
		t.Errorf("%+v; want 180,000", v)
	}
	if twice := v.Twice[2]; twice.Of != "cores" || twice.Customers < v.Customers {
		t.Errorf("%+v; want no less than %d", twice, v.Customers)
	}
}

func TestNothingIsPromisedWhenTheSmallestBookBreaks(t *testing.T) {
	for want, x := range map[string]Twice{
		"With twice the cores: the smallest book still breaks reserve=50ms.": {Of: "cores", First: "reserve=50ms"},
		"With twice the disk: about 20,000, then memory.":                    {Of: "disk", Customers: 20_000, First: "memory"},
	} {
		if got := x.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Aging is reached at a million for certain, the disk at 1.1 million within ± 50 %: what
// comes first may come at 550,000, and not later than aging.
func TestRangeOfAVerdictIsThatOfAllBounds(t *testing.T) {
	r := made("get=5ms,aging=2s", t)
	v := &Verdict{Customers: 1_000_000, Bounds: []Bound{
		{Level: "aging=2s", Customers: 1e6, Low: 1e6, High: 1e6}, {Kind: "disk", Customers: 1.1e6, Low: 0.55e6, High: 1.65e6},
	}}
	if low, high := r.between(v); low != 550_000 || high != 1_000_000 {
		t.Errorf("%d to %d; want 550,000 to a million", low, high)
	}
}

// 1 µs a customer is a line without a constant, exponent 1.
func TestGrowthOfAQuestion(t *testing.T) {
	r := made("get=5ms", t)
	for _, g := range r.Growth {
		switch g.Question {
		case "aging":
			if g.Curve.Shape != stat.Linear || math.Abs(g.Curve.Slope-1e-6) > 1e-12 || math.Abs(g.Exponent-1) > 1e-9 || *g.High-*g.Low > 1e-6 {
				t.Errorf("aging grows as %+v", g)
			}
		case "get", "import":
			if g.Curve.Shape != stat.Flat || math.Abs(g.Exponent) > 1e-9 {
				t.Errorf("%s grows as %+v", g.Question, g)
			}
		}
	}
}

// 3 million customers at 200 each are 15,000 representatives in 1,875 units of eight; 400
// requests a second, half of them kept, are 2,000 people who ask every ten seconds.
func TestPlanDividesTheCustomers(t *testing.T) {
	p := made("get=5ms", t).Plan
	if p.Users != 2000 || p.RequestsPerSecond != 400 {
		t.Errorf("%d users at %v requests/s; want 2,000 at 400", p.Users, p.RequestsPerSecond)
	}
	for _, q := range p.Quotas {
		if q.PerRep == 200 && (q != Quota{PerRep: 200, Reps: 15_000, PerUnit: 1600, Units: 1875, Short: true}) {
			t.Errorf("at 200 a representative: %+v", q)
		}
		if q.PerRep == 2000 && (q.Reps != 1500 || q.Short) {
			t.Errorf("at 2,000 a representative: %+v", q)
		}
	}
}

// Five repetitions that are all slower than five others differ by chance with p = 2/252.
func TestCompareTellsDifferencesFromNoise(t *testing.T) {
	old, new := made("get=5ms", t), made("get=5ms", t)
	set := func(r *Report, question string, values ...float64) {
		x, _ := r.Steps[3].Result(question)
		x.Repetitions, x.Value = values, stat.Median(values)
	}
	set(old, "get", 1, 1.1, 1.2, 1.3, 1.4)
	set(new, "get", 2, 2.1, 2.2, 2.3, 2.4)
	set(old, "aging", 1, 2, 3, 4, 5)
	set(new, "aging", 1.5, 2.5, 2.9, 4.5, 4.9)
	list, err := Compare(old, new)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		switch {
		case d.Customers != 300_000:
		case d.Question == "get" && (!d.Significant || math.Abs(d.P-2.0/252) > 1e-9 || math.Abs(d.Worse-2.2/1.2+1) > 1e-9):
			t.Errorf("get: %+v", d)
		case d.Question == "aging" && d.Significant:
			t.Errorf("aging: %+v", d)
		}
	}
	var b strings.Builder
	if err := writeDifferences(&b, old, new, list); err != nil || !strings.Contains(b.String(), "+83.3 %  0.008 worse") {
		t.Errorf("%v\n%s", err, b.String())
	}
	new.Settings.Seed = 2
	if _, err := Compare(old, new); err == nil {
		t.Error("reports of other seeds were compared")
	}
}

// Sixty samples of a heap that grows from 100 to 159 MiB creep; files that stay do not.
func TestSoakFindsWhatCreeps(t *testing.T) {
	var samples []Sample
	for i := range 60 {
		samples = append(samples, Sample{HeapBytes: int64(100+i) << 20, OpenFiles: 40 + i%3, Goroutines: 50, P99: 0.02})
	}
	found := creeping(samples)
	if len(found) != 1 || found[0].What != "heap_bytes" || found[0].P > 0.001 {
		t.Errorf("found %+v; want the heap alone", found)
	}
	if found := creeping(samples[:3]); len(found) != 0 {
		t.Errorf("three samples show %+v", found)
	}
}
