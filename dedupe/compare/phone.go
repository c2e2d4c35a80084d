package compare

import (
	"strings"

	"github.com/clientele-go/clientele/internal/phone"
)

var phoneLevels = []Level{
	{"different", "the numbers differ", "号码不同"},
	{"distant", "the numbers share a part by chance", "号码略有相似"},
	{"end", "the last six digits agree", "号码末六位一致"},
	{"three", "the numbers differ by three digits", "号码差三位"},
	{"two", "the numbers differ by two digits", "号码差两位"},
	{"typo", "the numbers differ by one digit", "号码差一位"},
	{"local", "the numbers agree but for area code or extension", "除区号或分机外号码一致"},
	{"equal", "the numbers agree", "号码一致"},
}

type phoneForm struct {
	national  string // digits without country code and trunk prefix
	extension string
}

func (f *phoneForm) Key() string {
	if f.extension == "" {
		return f.national
	}
	return f.national + "x" + f.extension
}

type phones struct{ country string }

func newPhone(_ Type, o Options) Comparator { return &phones{o.Country} }

func (c *phones) Type() Type      { return Phone }
func (c *phones) Levels() []Level { return phoneLevels }

// callingCodes of the countries whose numbers come without them most often, the longest
// first, with the least length of what follows.
var callingCodes = []struct {
	code  string
	least int
}{{"886", 8}, {"852", 8}, {"853", 8}, {"86", 10}, {"44", 9}, {"49", 8}, {"33", 9}, {"81", 9}, {"82", 8}, {"61", 9}, {"7", 10}, {"1", 10}}

func (c *phones) Prepare(value string) Form {
	value = cut(value)
	country := c.country
	n, err := phone.Parse(value, country)
	if err != nil && country == "" && len(phone.Digits(value)) > 12 { // perhaps with an extension: 010-62551234-8001
		n, err = phone.Parse(value, "CN")
	}
	if err == nil {
		return &phoneForm{withoutCode(strings.TrimPrefix(n.E164, "+"), true), n.Extension}
	}
	main, extension := splitExtension(value)
	digits := phone.Digits(main)
	if len(strings.Trim(digits, "0")) < 3 {
		return nil
	}
	plus := strings.HasPrefix(strings.TrimSpace(value), "+") || strings.HasPrefix(digits, "00")
	digits = strings.TrimLeft(digits, "0")
	if plus || len(digits) > 10 {
		digits = withoutCode(digits, plus)
	}
	return &phoneForm{strings.TrimLeft(digits, "0"), phone.Digits(extension)}
}

// withoutCode cuts a calling code, where sure, or where enough is left for a number. A 1 in
// front may also begin a mobile number of China.
func withoutCode(digits string, sure bool) string {
	for _, cc := range callingCodes {
		rest, ok := strings.CutPrefix(digits, cc.code)
		if ok && (len(rest) >= cc.least && cc.code != "1" || sure && len(rest) >= 7) {
			return strings.TrimLeft(rest, "0")
		}
	}
	return digits
}

// splitExtension cuts what follows the marks of an extension.
func splitExtension(s string) (number, extension string) {
	low := strings.ToLower(s)
	for _, mark := range []string{"ext", "分机", "分機", "转", "轉", "内线", "內線", "#", "x"} {
		if i := strings.Index(low, mark); i > 0 && len(phone.Digits(low[:i])) >= 5 && i+len(mark) <= len(s) {
			return s[:i], s[i+len(mark):]
		}
	}
	return s, ""
}

func (c *phones) Compare(a, b Form) Outcome {
	x, ok := a.(*phoneForm)
	y, too := b.(*phoneForm)
	if !ok || !too {
		return Outcome{}
	}
	return Outcome{Level: phoneLevel(x, y)}
}

func phoneLevel(x, y *phoneForm) uint8 {
	if x.national == y.national {
		if x.extension == y.extension {
			return Exact
		}
		return 6
	}
	short, long := byLength(x.national, y.national)
	if len(short) >= 6 && len(short) < len(long) && strings.HasSuffix(long, short) {
		return 6
	}
	if len(short) < 6 {
		return 0
	}
	// The last digits are the subscriber's; an area code shared is no evidence.
	if len(short) <= 8 && len(long) > len(short)+1 {
		long = long[len(long)-len(short):]
	}
	switch e := edits(short, long); {
	case e == 1:
		return 5
	case e == 2 && len(short) >= 7:
		return 4
	case strings.HasSuffix(long, short[len(short)-6:]):
		return 2
	case e == 3 && len(short) >= 10:
		return 3
	case e <= 4 && len(short) >= 10:
		return 1
	}
	return 0
}

func (*phones) Tokens(Form, func(uint64)) {}

func (c *phones) Keys(f Form, want KeyKinds, emit func(Key)) {
	p, ok := f.(*phoneForm)
	if !ok {
		return
	}
	e := emitter{want, emit}
	e.text(KeyExact, p.national)
	if n := len(p.national); n >= 7 {
		e.text(KeyPart, p.national[n-7:])
		e.deletions(p.national)
	}
}
