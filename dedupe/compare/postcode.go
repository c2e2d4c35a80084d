package compare

import "strings"

var postcodeLevels = []Level{
	{"different", "the codes differ", "邮编不同"},
	{"region", "the first character or two agree", "前一两位一致"},
	{"district", "the first half agrees", "前半部分一致"},
	{"two", "the codes differ by two characters", "邮编差两位"},
	{"area", "all but the end agrees", "除末位外一致"},
	{"typo", "the codes differ by one character", "邮编差一位"},
	{"short", "one code is the other without its end", "一个邮编缺少后段"},
	{"equal", "the codes agree", "邮编一致"},
}

type postcodes struct{}

// postcodeForm is the letters and digits of a postcode.
type postcodeForm string

func (f postcodeForm) Key() string { return string(f) }

func newPostcode(Type, Options) Comparator { return &postcodes{} }

func (c *postcodes) Type() Type      { return AddressPostcode }
func (c *postcodes) Levels() []Level { return postcodeLevels }

func (c *postcodes) Prepare(value string) Form {
	if folded(value) == "" {
		return nil
	}
	s := alphanumeric(cut(value))
	if strings.Trim(s, "0") == "" {
		return nil
	}
	return postcodeForm(s)
}

func (c *postcodes) Compare(a, b Form) Outcome {
	x, ok := a.(postcodeForm)
	y, too := b.(postcodeForm)
	if !ok || !too {
		return Outcome{}
	}
	return Outcome{Level: postcodeLevel(string(x), string(y))}
}

func postcodeLevel(x, y string) uint8 {
	if x == y {
		return Exact
	}
	short, long := byLength(x, y)
	prefix := 0
	for prefix < len(short) && short[prefix] == long[prefix] {
		prefix++
	}
	e := edits(x, y)
	switch {
	case prefix == len(short) && prefix >= 3 && len(long) > prefix+1:
		return 6
	case e == 1 && len(short) >= 4:
		return 5
	case prefix >= 3 && prefix >= len(long)-3 && len(long) >= 6:
		return 4
	case e == 2 && len(short) >= 5:
		return 3
	case 2*prefix >= len(long):
		return 2
	case prefix >= 2 || prefix == 1 && len(long) <= 4:
		return 1
	}
	return 0
}

func (*postcodes) Tokens(Form, func(uint64)) {}

func (c *postcodes) Keys(f Form, want KeyKinds, emit func(Key)) {
	p, ok := f.(postcodeForm)
	if !ok {
		return
	}
	e := emitter{want, emit}
	e.text(KeyExact, string(p))
	if len(p) >= 5 && len(p) <= 12 {
		e.deletions(string(p))
	}
}
