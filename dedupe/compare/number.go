package compare

import (
	"math"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

var numberLevels = []Level{
	{"different", "the numbers differ", "数值不同"},
	{"far", "the numbers differ by less than half", "数值相差不到一半"},
	{"tenth", "the numbers differ by less than a tenth", "数值相差不到一成"},
	{"near", "the numbers differ by two", "数值差二"},
	{"next", "the numbers differ by one", "数值差一"},
	{"digit", "the numbers differ by one digit", "数值差一位数字"},
	{"swapped", "two digits are swapped", "两位数字互换"},
	{"equal", "the numbers agree", "数值一致"},
}

type numberForm struct {
	key   string
	value float64
}

func (f *numberForm) Key() string { return f.key }

type numbers struct{ typ Type }

func newNumber(t Type, _ Options) Comparator { return &numbers{t} }

func (c *numbers) Type() Type      { return c.typ }
func (c *numbers) Levels() []Level { return numberLevels }

func (c *numbers) Prepare(value string) Form {
	s := strings.TrimSpace(norm.NFKC.String(strings.ToValidUTF8(cut(value), "")))
	s = strings.TrimRight(strings.ReplaceAll(s, ",", ""), "年月日")
	if v, err := strconv.ParseFloat(s, 64); err == nil && !math.IsInf(v, 0) && !math.IsNaN(v) {
		return &numberForm{strconv.FormatFloat(v, 'f', -1, 64), v}
	}
	if m := monthOf(strings.ToLower(s)); m > 0 && c.typ == DateBirthMonth {
		return &numberForm{strconv.Itoa(m), float64(m)}
	}
	if key := folded(s); key != "" {
		return &numberForm{key, math.NaN()}
	}
	return nil
}

func (c *numbers) Compare(a, b Form) Outcome {
	x, ok := a.(*numberForm)
	y, too := b.(*numberForm)
	if !ok || !too {
		return Outcome{}
	}
	return Outcome{Level: numberLevel(x, y)}
}

func numberLevel(x, y *numberForm) uint8 {
	if x.key == y.key {
		return Exact
	}
	d := math.Abs(x.value - y.value) // NaN where one is no number
	largest := max(math.Abs(x.value), math.Abs(y.value))
	same := len(x.key) == len(y.key)
	switch {
	case same && transposed(x.key, y.key):
		return 6
	case edits(x.key, y.key) == 1 && max(len(x.key), len(y.key)) >= 2:
		return 5
	case d <= 1:
		return 4
	case d <= 2:
		return 3
	case d <= largest/10:
		return 2
	case d <= largest/2:
		return 1
	}
	return 0
}

// transposed reports whether two texts of the same length differ by two neighbours in the
// other order.
func transposed(x, y string) bool {
	if len(x) != len(y) {
		return false
	}
	i := 0
	for i < len(x) && x[i] == y[i] {
		i++
	}
	return i+1 < len(x) && x[i] == y[i+1] && x[i+1] == y[i] && x[i+2:] == y[i+2:]
}

func (*numbers) Tokens(Form, func(uint64)) {}

func (c *numbers) Keys(f Form, want KeyKinds, emit func(Key)) {
	if f != nil {
		emitter{want, emit}.text(KeyExact, f.Key())
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
