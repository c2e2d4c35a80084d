package chart

import (
	"math"
	"slices"
	"testing"

	"golang.org/x/text/language"
)

func TestLinearAxesHaveRoundSteps(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		n         int
		want      []float64
	}{
		{0, 100, 5, []float64{0, 20, 40, 60, 80, 100}},
		{0, 7, 4, []float64{0, 2, 4, 6, 8}},
		{-7, 5, 4, []float64{-10, -5, 0, 5}},
		{1001200, 1001723, 4, []float64{1001200, 1001400, 1001600, 1001800}},
		{0, 0, 4, []float64{0, 0.5, 1}},
		{3, 3, 3, []float64{0, 1, 2, 3}},
		{-3, -3, 3, []float64{-3, -2, -1, 0}},
	} {
		s, got := linear(c.low, c.high, c.n)
		if len(got) > 2*c.n+2 || got[0] != s.low || got[len(got)-1] != s.high {
			t.Errorf("linear(%v, %v) = %v for a scale from %v to %v", c.low, c.high, got, s.low, s.high)
		}
		if c.low != 0 || c.high != 0 {
			if !slices.Equal(got, c.want) {
				t.Errorf("linear(%v, %v, %d) = %v, want %v", c.low, c.high, c.n, got, c.want)
			}
		}
	}
}

func TestLogarithmicAxesHavePowersOfTen(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      []float64
	}{
		{1, 1000, []float64{1, 10, 100, 1000}},
		{0.3, 20, []float64{0.1, 1, 10, 100}},
		{10, 90, []float64{10, 20, 50, 100}},
		{10, 10, []float64{10, 20, 50, 100}},
		{1, 1e10, []float64{1, 100, 1e4, 1e6, 1e8, 1e10}},
	} {
		s, got := logarithmic(c.low, c.high, 5)
		if !slices.EqualFunc(got, c.want, func(a, b float64) bool { return math.Abs(a/b-1) < 1e-12 }) {
			t.Errorf("logarithmic(%v, %v) = %v, want %v", c.low, c.high, got, c.want)
		}
		if s.low > c.low || s.high < c.high {
			t.Errorf("the scale from %v to %v doesn't hold %v to %v", s.low, s.high, c.low, c.high)
		}
	}
}

// A hundred to a thousand takes as much room as ten to a hundred.
func TestLogarithmicDistancesAreRatios(t *testing.T) {
	s := scale{low: 10, high: 1000, from: 0, to: 200, log: true}
	for value, want := range map[float64]float64{10: 0, 100: 100, 1000: 200, math.Sqrt(1000): 50} {
		if got := s.at(value); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v stands at %v, want %v", value, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	en, zh := language.English, language.MustParse("zh-Hant-TW")
	for _, c := range []struct{ got, want string }{
		{Number(en, 1234567.891), "1,234,567.89"},
		{Number(en, -1234), "−1,234"},
		{Number(en, -0.001), "0"},
		{Number(en, 9007199254740992), "9,007,199,254,740,992"},
		{Number(language.German, 1234), "1,234"}, // the words are English then too
		{Percent(en, 0.125), "12.5%"},
		{Percent(en, -1), "−100%"},
		{Compact(en, 0), "0"},
		{Compact(en, 999), "999"},
		{Compact(en, 999.9), "1k"},
		{Compact(en, 1500), "1.5k"},
		{Compact(en, -1234567), "−1.23M"},
		{Compact(en, 999999), "1M"},
		{Compact(en, 2.5e9), "2.5 bn"},
		{Compact(en, 7.77e13), "77.7 tn"},
		{Compact(en, 1e18), "1e+18"},
		{Compact(en, 0.0123), "0.0123"},
		{Compact(en, 0.00001), "1e-05"},
		{Compact(zh, 9999), "9,999"},
		{Compact(zh, 15000), "1.5万"},
		{Compact(zh, 1.5e8), "1.5亿"},
		{Compact(zh, 3e12), "3万亿"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestTicksOfANarrowRangeDiffer(t *testing.T) {
	values := []float64{1001000, 1001200, 1001400}
	write := apartFrom(language.English, values)
	if got := []string{write(values[0]), write(values[1]), write(values[2])}; !slices.Equal(got, []string{"1.001M", "1.0012M", "1.0014M"}) {
		t.Errorf("got %q", got)
	}
}

func TestTextsAreWrappedAndShortened(t *testing.T) {
	for _, c := range []struct {
		text string
		room float64 // in characters of 10 pixels
		most int
		want []string
	}{
		{"重新激活的客户", 4, 2, []string{"重新激活", "的客户"}},
		{"重新激活的客户", 3, 2, []string{"重新激", "活的…"}},
		{"转入（其他原因）", 3, 3, []string{"转入（", "其他原", "因）"}},
		{"", 4, 2, []string{""}},
		{"New", 9, 2, []string{"New"}},
	} {
		if got := wrap(c.text, 10, 10*c.room, c.most); !slices.Equal(got, c.want) {
			t.Errorf("wrap(%q, %v) = %q, want %q", c.text, c.room, got, c.want)
		}
	}
}
