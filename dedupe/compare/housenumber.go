package compare

import (
	"strings"

	"github.com/clientele-go/clientele/internal/phone"
)

var houseLevels = []Level{
	{"different", "the numbers differ", "门牌号不同"},
	{"end", "the numbers end alike", "门牌号末尾一致"},
	{"near", "the numbers are near one another", "门牌号相近"},
	{"two", "two digits differ", "门牌号差两位"},
	{"typo", "one digit differs", "门牌号差一位"},
	{"contained", "one names more than the other", "一个门牌号更详细"},
	{"suffix", "only the letter differs", "仅字母后缀不同"},
	{"equal", "the numbers agree", "门牌号一致"},
}

// houseForm is the number of a house, with its digits alone.
type houseForm struct {
	key    string
	digits string
	value  int
}

func (f *houseForm) Key() string { return f.key }

type houses struct{}

func newHouseNumber(Type, Options) Comparator { return houses{} }

func (houses) Type() Type      { return AddressNumber }
func (houses) Levels() []Level { return houseLevels }

func (houses) Prepare(value string) Form {
	s := strings.TrimPrefix(folded(digitNumerals(value)), "no ")
	s = strings.TrimSuffix(s, "号")
	if s == "" {
		return nil
	}
	f := &houseForm{key: s, digits: phone.Digits(s)}
	for i := 0; i < len(f.digits) && i < 9; i++ {
		f.value = f.value*10 + int(f.digits[i]-'0')
	}
	return f
}

func (houses) Compare(a, b Form) Outcome {
	x, ok := a.(*houseForm)
	y, too := b.(*houseForm)
	if !ok || !too {
		return Outcome{}
	}
	return Outcome{Level: houseLevel(x, y)}
}

func houseLevel(x, y *houseForm) uint8 {
	if x.key == y.key {
		return Exact
	}
	short, long := x, y
	if longer(short.key, long.key) {
		short, long = long, short
	}
	e := edits(x.digits, y.digits)
	switch {
	case x.digits == y.digits && x.digits != "":
		return 6
	case strings.Contains(" "+long.key+" ", " "+short.key+" "):
		return 5
	case e == 1 && max(len(x.digits), len(y.digits)) >= 2:
		return 4
	case e == 2 && max(len(x.digits), len(y.digits)) >= 3:
		return 3
	case x.digits != "" && y.digits != "" && near(x.value, y.value, 4):
		return 2
	case len(short.key) >= 2 && strings.HasSuffix(long.key, short.key):
		return 1
	}
	return 0
}

func (houses) Tokens(Form, func(uint64)) {}

func (houses) Keys(f Form, want KeyKinds, emit func(Key)) {
	if f != nil {
		emitter{want, emit}.text(KeyExact, f.Key())
	}
}
