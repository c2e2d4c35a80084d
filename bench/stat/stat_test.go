package stat

import (
	"math"
	"testing"
)

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance*math.Max(1, math.Abs(b)) }

func TestQuantileInterpolatesBetweenNeighbours(t *testing.T) {
	// Type 7 on 1, 2, 3, 4: h = 3p, so the median lies halfway between 2 and 3, and 0.9 at 2.7.
	values := []float64{4, 1, 3, 2}
	for share, want := range map[float64]float64{0: 1, 0.5: 2.5, 0.9: 3.7, 1: 4} {
		if got := Quantile(values, share); !near(got, want, 1e-12) {
			t.Errorf("Quantile(%v, %v) = %v; want %v", values, share, got, want)
		}
	}
	if values[0] != 4 {
		t.Error("the values were sorted in place")
	}
	if !math.IsNaN(Median(nil)) {
		t.Error("the median of nothing is a number")
	}
}

// points makes the points of a function at the usual sizes.
func points(f func(n float64) float64) (list []Point) {
	for _, n := range []float64{1e4, 3e4, 1e5, 3e5, 1e6} {
		list = append(list, Point{n, f(n)})
	}
	return list
}

func TestGrowFindsTheShapeThatMadeThePoints(t *testing.T) {
	for _, c := range []Curve{
		{Shape: Flat, Constant: 7},
		{Shape: Log, Constant: 2, Slope: 0.5},
		{Shape: Root, Constant: 4, Slope: 0.02},
		{Shape: Linear, Constant: 3, Slope: 0.001},
		{Shape: LogLinear, Constant: 1, Slope: 2e-5},
	} {
		got := Grow(points(c.At))
		if got.Shape != c.Shape || !near(got.Constant, c.Constant, 1e-6) || !near(got.Slope, c.Slope, 1e-9) || got.Residual > 1e-9 {
			t.Errorf("points of %+v gave %+v", c, got)
		}
	}
}

// 2 % of noise on a flat cost is no growth, nor is a cost that falls.
func TestGrowDoesNotSeeGrowthInNoise(t *testing.T) {
	noise := []float64{1.02, 0.98, 1.01, 0.99, 1.02}
	flat := points(func(float64) float64 { return 5 })
	falling := points(func(n float64) float64 { return 100 / math.Log(n) })
	for i := range flat {
		flat[i].Y *= noise[i]
	}
	for _, p := range [][]Point{flat, falling} {
		if got := Grow(p); got.Shape != Flat {
			t.Errorf("%v grows as %+v", p, got)
		}
	}
}

// By hand: two points (1,000, 2) and (10,000, 20) grow tenfold for tenfold, exponent 1, and
// the line through them is n/500.
func TestGrowOfTwoPointsGoesByTheExponent(t *testing.T) {
	got := Grow([]Point{{1000, 2}, {10_000, 20}})
	if got.Shape != Linear || !near(got.At(5000), 10, 1e-9) {
		t.Errorf("got %+v, %v at 5,000; want the line that gives 10", got, got.At(5000))
	}
	if got := Grow([]Point{{1000, 2}, {10_000, 2.1}}); got.Shape != Flat {
		t.Errorf("5 %% more for tenfold the size: %+v; want flat", got)
	}
}

// 3 + 0.001·n = 1,003 at a million.
func TestReachesIsWhereTheCurveMeetsTheBound(t *testing.T) {
	c := Curve{Shape: Linear, Constant: 3, Slope: 0.001}
	if got := c.Reaches(1003); !near(got, 1e6, 1e-6) {
		t.Errorf("reaches 1,003 at %v; want a million", got)
	}
	if got := c.Reaches(2); got != 0 {
		t.Errorf("a bound below the constant is reached at %v; want 0", got)
	}
	if got := (Curve{Shape: Flat, Constant: 3}).Reaches(4); !math.IsInf(got, 1) {
		t.Errorf("a flat cost reaches more at %v; want never", got)
	}
}

// y = 2·n^1.5 without error has no width; for e-folds of n and ln y = 0, 1, 1 the
// regression has slope 1/2, residuals −1/6, 1/3, −1/6, so s² = 1/6, and with
// t(1) = 12.706 and Sxx = 2 the half width is 12.706·√(1/12) = 3.668.
func TestPowerGivesExponentAndConfidence(t *testing.T) {
	p := Power(points(func(n float64) float64 { return 2 * math.Pow(n, 1.5) }))
	if !near(p.Exponent, 1.5, 1e-9) || !near(p.Factor, 2, 1e-6) || p.High-p.Low > 1e-6 {
		t.Errorf("got %+v; want 2·n^1.5", p)
	}
	p = Power([]Point{{1, 1}, {math.E, math.E}, {math.E * math.E, math.E}})
	if !near(p.Exponent, 0.5, 1e-9) || !near(p.High-p.Exponent, 3.668, 1e-3) {
		t.Errorf("got %+v; want 0.5 ± 3.668", p)
	}
}

// Exact: of the C(6,3) = 20 ways to deal six ranks out, one has U = 0 and one U = 9, so
// the two-sided probability of 1, 2, 3 against 4, 5, 6 is 2/20. With five against five
// it is 2/252; U = 1 adds one way on each side. With ties: 1, 2, 2, 3 have the ranks 1,
// 3, 3 and 6, so U = 13 − 10 = 3, the variance is 16/12·(9 − (24+24)/56) = 10.857, and
// z = (8 − 3 − ½)/√10.857.
func TestDifferIsTheTestOfMannAndWhitney(t *testing.T) {
	for _, c := range []struct {
		a, b []float64
		want float64
	}{
		{[]float64{1, 2, 3}, []float64{4, 5, 6}, 0.1},
		{[]float64{4, 5, 6}, []float64{1, 2, 3}, 0.1},
		{[]float64{1, 2, 3, 4, 5}, []float64{6, 7, 8, 9, 10}, 2.0 / 252},
		{[]float64{1, 2, 3, 4, 6}, []float64{5, 7, 8, 9, 10}, 4.0 / 252},
		{[]float64{1, 2, 2, 3}, []float64{2, 3, 3, 4}, math.Erfc(4.5 / math.Sqrt(10.857142857) / math.Sqrt2)},
		{[]float64{1, 1}, []float64{1, 1}, 1},
		{nil, []float64{1}, 1},
	} {
		if got := Differ(c.a, c.b); !near(got, c.want, 1e-6) {
			t.Errorf("Differ(%v, %v) = %v; want %v", c.a, c.b, got, c.want)
		}
	}
}

// The approximation meets the exact value where both are at home.
func TestDifferApproximatesTheExactProbability(t *testing.T) {
	for _, u := range []int{130, 180, 220, 260, 300} {
		if exactly, roughly := 2*exact(25, 25, u), approximate(25, 25, float64(u), 0); math.Abs(exactly-roughly) > 0.003 {
			t.Errorf("U = %d: exact %v, approximate %v", u, exactly, roughly)
		}
	}
}
