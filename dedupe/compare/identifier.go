package compare

import (
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/clientele-go/clientele/customer/identifier"
)

var identifierLevels = []Level{
	{"contradiction", "both numbers pass the same checksum and differ", "两个号码均通过校验且不同"},
	{"different", "the numbers differ", "号码不同"},
	{"part", "half of the number agrees", "号码一半一致"},
	{"three", "the numbers differ by three characters", "号码差三位"},
	{"two", "the numbers differ by two characters", "号码差两位"},
	{"typo", "the numbers differ by one character", "号码差一位"},
	{"confusable", "the numbers differ by characters that look alike", "仅易混字符不同（如 O 与 0）"},
	{"equal", "the numbers agree", "号码一致"},
}

type identifierForm struct {
	key            string
	scheme         uint8  // 1 + index in checksummed; 0 for none
	shape, checked uint64 // see checkDigit
}

func (f *identifierForm) Key() string { return f.key }

type identifiers struct {
	set    *identifier.Set
	corpus *Corpus
}

// checksummed are the schemes whose check makes a mistyped number unlikely to pass.
var checksummed = []string{"cn.uscc", "cn.resident", "lei"}

func newIdentifier(_ Type, o Options) Comparator {
	set, err := identifier.NewSet()
	if err != nil { // not with the built-in schemes alone
		set = nil
	}
	return &identifiers{set, o.Corpus}
}

func (c *identifiers) Type() Type      { return Identifier }
func (c *identifiers) Levels() []Level { return identifierLevels }

func (c *identifiers) Prepare(value string) Form {
	value = cut(value)
	if !hasDigit(value) && folded(value) == "" {
		return nil
	}
	key := alphanumeric(value)
	if key == "" || strings.Trim(key, key[:1]) == "" && len(key) > 3 { // 00000000
		return nil
	}
	f := &identifierForm{key: key}
	if c.set == nil {
		return f
	}
	f.shape, f.checked = checkDigit(c.set, key)
	if n := len(key); n != 15 && n != 18 && n != 20 {
		return f
	}
	for i, scheme := range checksummed {
		if canonical, err := c.set.Parse(scheme, key); err == nil {
			f.key, f.scheme = canonical, uint8(i+1)
			break
		}
	}
	return f
}

// alphanumeric keeps the letters and digits of a number, in upper case.
func alphanumeric(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') }) {
		return s
	}
	keep := func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r > 0xBF && r != 0xFFFD:
			return r
		}
		return -1
	}
	return strings.Map(keep, norm.NFKC.String(s))
}

func (c *identifiers) Compare(a, b Form) Outcome {
	x, ok := a.(*identifierForm)
	y, too := b.(*identifierForm)
	if !ok || !too {
		return Outcome{}
	}
	switch {
	case x.key == y.key:
		return Outcome{Level: Exact}
	case c.contradict(x, y):
		return Outcome{}
	}
	return Outcome{Level: identifierLevel(x, y)}
}

// identifierLevel places two numbers that differ.
func identifierLevel(x, y *identifierForm) uint8 {
	short, long := byLength(x.key, y.key)
	if len(short) == len(long) && lookAlike(short, long) {
		return 6
	}
	e := edits(short, long)
	switch {
	case e == 1 && len(short) >= 4:
		return 5
	case e == 2 && len(short) >= 6:
		return 4
	case e == 3 && len(short) >= 9:
		return 3
	case len(short) >= 4 && len(short) < len(long) && (strings.HasSuffix(long, short) || strings.HasPrefix(long, short)):
		return 4 // without its prefix, or cut short
	case 2*e <= len(long) && len(short) >= 12:
		return 2
	}
	return 1
}

// confusable gives characters that are misread for one another the same value.
var confusable = [256]byte{'O': '0', 'Q': '0', 'D': '0', 'I': '1', 'L': '1', 'S': '5', 'Z': '2', 'B': '8', 'G': '6'}

func lookAlike(x, y string) bool {
	for i := range len(x) {
		if shape(x[i]) != shape(y[i]) {
			return false
		}
	}
	return true
}

func shape(c byte) byte {
	if s := confusable[c]; s != 0 {
		return s
	}
	return c
}

// Tokens are the shapes of numbers, and those that pass a check.
func (*identifiers) Tokens(f Form, emit func(uint64)) {
	if p, ok := f.(*identifierForm); ok && p.shape != 0 {
		emit(p.shape)
		if p.checked != 0 {
			emit(p.checked)
		}
	}
}

func (c *identifiers) Keys(f Form, want KeyKinds, emit func(Key)) {
	p, ok := f.(*identifierForm)
	if !ok {
		return
	}
	e := emitter{want, emit}
	e.text(KeyExact, p.key)
	if n := len(p.key); n >= 4 && n <= 24 {
		e.deletions(p.key)
	}
}
