package compare

import (
	"slices"
	"strings"
	"testing"
)

// odd are values that have broken parsers elsewhere.
var odd = []string{
	"", " ", "\xff", "\xe4\xb8", "a\x00b", " | ", "|", "()", "（）", "(", "）", "（有限公司）", "有限公司", "银行", "分行", "支行", "中国", "市", "0", "-", "@", "a@", "@b", "http://", "://", ".",
	"1980-13-45", "00000000", "99999999999999999999", "民國", "+", "+86", "ext", "x", "#", "١٢٣", "ﬃ", "e\u0301\u0301", "\u202e", "𠮷野家", "한국전자", "ООО «Ромашка»", "الشركة", "台灣水泥股份有限公司",
	"Acme Ltd t/a Bolts", "n/a dba Best Bolts | Acme (formerly Bolts)", "n/a dba Best Bolts", "Acme Ltd / Bolts Ltd", "Sagare, Jacob (Jake) M.", "众行科技有限公司（原泰安众行科技有限公司）", "第309医院", "ソフト株式会社", "有限會社ソフト",
	"O'Brien-Smith, Dr. J. R.", "12-16, 康中广场, No.332", "一百二十三号", "十", "百", "廿一樓",
}

func FuzzCompare(f *testing.F) {
	for i, s := range odd {
		f.Add(uint8(i), s, odd[(i*7+3)%len(odd)])
	}
	types := Types()
	comparators := map[Type]Comparator{}
	for _, typ := range types {
		comparators[typ] = comparator(f, typ)
	}
	f.Fuzz(func(t *testing.T, n uint8, a, b string) {
		holds(t, comparators[types[int(n)%len(types)]], a, b)
	})
}

// holds checks what must hold of any two values.
func holds(t *testing.T, c Comparator, a, b string) {
	t.Helper()
	x, y := c.Prepare(a), c.Prepare(b)
	forward, back := c.Compare(x, y), c.Compare(y, x)
	if forward != back {
		t.Errorf("%s: %.80q and %.80q compare as %+v, the other way round as %+v", c.Type(), a, b, forward, back)
	}
	if forward.Level > Exact || forward.Bits < 0 {
		t.Errorf("%s: %.80q and %.80q compare as %+v", c.Type(), a, b, forward)
	}
	if x == nil {
		return
	}
	if o := c.Compare(x, c.Prepare(a)); o.Level != Exact {
		t.Errorf("%s: %.80q is on level %d with itself", c.Type(), a, o.Level)
	}
	if y != nil && x.Key() == y.Key() && forward.Level != Exact {
		t.Errorf("%s: %.80q and %.80q have one key %.80q and level %d", c.Type(), a, b, x.Key(), forward.Level)
	}
	var all []Key
	c.Keys(x, AllKeys, func(k Key) { all = append(all, k) })
	if len(all) == 0 || len(all) > 20*MaxRunes {
		t.Errorf("%s: %.80q has %d keys", c.Type(), a, len(all))
	}
	for _, want := range []KeyKinds{KindsOf(KeyExact), KindsOf(KeySound, KeyPinyin), KindsOf(KeyDeletion), KindsOf(KeyToken, KeyBigram), KindsOf(KeyPart, KeyInitials), AllKeys} {
		some := slices.DeleteFunc(slices.Clone(all), func(k Key) bool { return !want.Has(k.Kind) })
		var got []Key
		KeysOf(c, a, want, func(k Key) { got = append(got, k) })
		if !slices.Equal(got, some) {
			t.Errorf("%s: %.80q has of the kinds %b the keys %x, of all %x", c.Type(), a, want, got, some)
		}
	}
	c.Tokens(x, func(uint64) {})
}

func TestOddValues(t *testing.T) {
	for _, typ := range Types() {
		c := comparator(t, typ)
		for _, a := range odd {
			for _, b := range odd {
				holds(t, c, a, b)
			}
		}
	}
}

func TestHugeValues(t *testing.T) {
	size := 1 << 20
	if testing.Short() {
		size = 1 << 16
	}
	for _, typ := range Types() {
		c := comparator(t, typ)
		for _, piece := range []string{"a", "台灣水泥 ", "word ", "12 | ", "\xff", "号12", "( "} {
			huge := strings.Repeat(piece, size/len(piece))
			holds(t, c, huge, huge+"x")
			holds(t, c, huge, piece)
		}
	}
}

// TestEditDistances compares the bit-parallel algorithms with the definitions written out.
func TestEditDistances(t *testing.T) {
	words := []string{"a", "ab", "ba", "abc", "acb", "martha", "marhta", "dwayne", "duane", "dixon", "dicksonx", "kitten", "sitting", "ca", "abcdefghijklmnopqrst", "abcdefhgijklmnopqrs",
		"欧阳锋", "欧阳峰", "锋欧阳", "müller", "muller", strings.Repeat("ab", 32), strings.Repeat("ba", 32)}
	for _, a := range words {
		for _, b := range words {
			if got, want := edits(a, b), alignment([]rune(a), []rune(b)); got != want {
				t.Errorf("edits(%q, %q) = %d, want %d", a, b, got, want)
			}
		}
	}
}

// alignment is the optimal string alignment distance by its recurrence.
func alignment(a, b []rune) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		for j := range d[i] {
			switch {
			case i == 0 || j == 0:
				d[i][j] = i + j
				continue
			case a[i-1] == b[j-1]:
				d[i][j] = d[i-1][j-1]
			default:
				d[i][j] = 1 + min(d[i-1][j-1], d[i-1][j], d[i][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

// TestJaroWinkler has the examples of Winkler (1990) and of his later reports.
func TestJaroWinkler(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float32
	}{
		{"martha", "marhta", 0.9611}, {"dwayne", "duane", 0.84}, {"dixon", "dicksonx", 0.8133}, {"jones", "johnson", 0.8323}, {"abroms", "abrams", 0.9222}, {"abc", "xyz", 0},
	} {
		if got := jaroWinkler(c.a, c.b); got < c.want-0.0002 || got > c.want+0.0002 {
			t.Errorf("jaroWinkler(%q, %q) = %.4f, want %.4f", c.a, c.b, got, c.want)
		}
	}
}
