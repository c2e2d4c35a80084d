package compare

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// addressesAlike are addresses of few words, so that many pairs share some, with slips.
func addressesAlike(rng *rand.Rand, n int) []string {
	lists := [][][]string{
		{{"人民路", "解放路", "北京路", "长江路", "科技园路"}, {"12号", "120号", "7号", "77号"}, {"新世界广场", "新世纪广场", "松雪花园", "益科技园", ""}, {"402室", "1133室", ""}},
		{{"12", "120", "7", "77"}, {"High", "Hihg", "Market", "Church Hill", "Churchhill", "Springfield"}, {"St", "Street", "Lane", "Rd"}, {"London", "Londn", "Singapore", "San Francisco"}, {"EC1A 1BB", "048616", ""}},
	}
	list := make([]string, n)
	for i := range list {
		kind := rng.IntN(len(lists))
		var words []string
		for _, from := range lists[kind] {
			words = append(words, from[rng.IntN(len(from))])
		}
		list[i] = strings.Join(words, []string{"", " "}[kind])
		if kind == 0 && rng.IntN(2) == 0 {
			list[i] = []string{"福州市鼓楼区", "杭州市西湖区", "深圳市南山区"}[rng.IntN(3)] + list[i]
		}
	}
	return list
}

func TestOutlinesTellOnlyWhatComparingSays(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	corpus := NewCorpus()
	c, err := New(Address, Options{Corpus: corpus})
	if err != nil {
		t.Fatal(err)
	}
	var forms []Form
	for _, v := range addressesAlike(rng, 600) {
		f := c.Prepare(v)
		forms = append(forms, f)
		corpus.Learn(c, f, 1+rng.IntN(9))
	}
	corpus.Seal()
	by := OutlinerOf(c)
	outlines := make([][]uint64, len(forms))
	for i, f := range forms {
		Settle(c, f)
		outlines[i] = by.Outline(f, nil)
	}
	var told, pairs [Exact + 1]int
	for i, f := range forms {
		for j, g := range forms[:i] {
			if f.Key() == g.Key() || len(outlines[i]) == 0 || len(outlines[j]) == 0 {
				continue
			}
			level, most := c.Compare(f, g).Level, by.AtMost(outlines[i], outlines[j])
			if level > most {
				t.Fatalf("%q and %q are on level %d, by their outlines at most on %d", f.Key(), g.Key(), level, most)
			}
			if most != by.AtMost(outlines[j], outlines[i]) {
				t.Fatalf("%q and %q are in the other order at most on another level than %d", f.Key(), g.Key(), most)
			}
			pairs[level]++
			if most == level {
				told[level]++
			}
		}
	}
	for level := range 2 {
		if told[level]*10 < pairs[level] {
			t.Errorf("outlines tell %d of %d pairs on level %d; want a tenth", told[level], pairs[level], level)
		}
	}
}

func TestSketchesOfDatesTellWhatComparingSays(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	c, err := New(DateBirth, Options{})
	if err != nil {
		t.Fatal(err)
	}
	by := SketcherOf(c)
	digits := []byte("0123456789")
	var forms []Form
	for range 400 {
		v := []byte("1980-04-03")
		for range rng.IntN(4) {
			v[[]int{2, 3, 5, 6, 8, 9}[rng.IntN(6)]] = digits[rng.IntN(10)]
		}
		if rng.IntN(4) == 0 {
			v = []byte(string(v[8:]) + "/" + string(v[5:7]) + "/" + string(v[:4]))
		}
		if f := c.Prepare(string(v)); f != nil && by.Sketch(f) != 0 {
			forms = append(forms, f)
		}
	}
	if len(forms) < 300 {
		t.Fatalf("%d of 400 dates have a sketch", len(forms))
	}
	for _, f := range forms {
		for _, g := range forms {
			if f.Key() == g.Key() {
				continue
			}
			if level, told := by.Sketched(by.Sketch(f), by.Sketch(g)); !told || level != c.Compare(f, g).Level {
				t.Fatalf("%s and %s are on level %d, by their sketches on %d (%v)", f.Key(), g.Key(), c.Compare(f, g).Level, level, told)
			}
		}
	}
}
