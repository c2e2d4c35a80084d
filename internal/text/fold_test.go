package text

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestFold(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"Acme Trading", "acme trading"},
		{"  ACME--trading, INC. ", "acme trading inc"},
		{"ＡＣＭＥ　１２３", "acme 123"},                     // full width
		{"O'Brien, O’Brien", "obrien obrien"},        // apostrophes
		{"AT&T", "at t"},                             // a sign between words
		{"Acme™ ℠", "acme"},                          // not "acmetm"
		{"Crème Brûlée", "creme brulee"},             // diacritics
		{"Cre\u0300me", "creme"},                     // the same, decomposed
		{"Straße", "strasse"},                        // full case folding
		{"İstanbul Iğdır", "istanbul igdir"},         // Turkish i
		{"Łódź Ærø Þór Đặng", "lodz aero thor dang"}, // letters without decomposition
		{"ŒUVRE ĳsland", "oeuvre ijsland"},
		{"ﬁne ﬂow", "fine flow"}, // ligatures
		{"Ελλάς ΟΔΟΣ", "ελλασ οδοσ"},
		{"Йод, Ёлка", "йод елка"}, // й is a letter of its own, ё is written е
		{"台灣水泥", "台湾水泥"},
		{"臺灣 水泥(股)", "台湾水泥股"},
		{"IBM 中國", "ibm中国"},
		{"中國 IBM Asia 公司", "中国ibm asia公司"},
		{"中山北路２段１１３號", "中山北路2段113号"},
		{"ｶﾞﾗｽ", "ガラス"}, // half width with its own voicing mark
		{"㈱日立", "株日立"},
		{"①号 ½", "1号1 2"},
		{"٣٫٥ ۴", "3 5 4"},           // digits of other scripts
		{"\U0002F800\uF900", "丽岂"},   // compatibility ideographs, then simplified
		{"葛\U000E0100城", "葛城"},       // an ideographic variation
		{"ab\u200Bc\u00ADd", "abcd"}, // invisible
		{"각각", "각각"},
		{"\u1100\u1161\u11A8", "각"}, // the same, in jamo
		{"a\xFFb", "a b"},           // not UTF-8
		{"a\uFFFDb", "a b"},
		{"!!!", ""},
		{"ｸﾞﾛｰﾊﾞﾙ・ﾜｰｸｽ", "グローバル ワークス"},
	} {
		if got := Fold(c.in); got != c.want {
			t.Errorf("Fold(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// The words of OpenCC's own test cases and of its phrase list.
func TestFoldConvertsByWord(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"乾燥", "干燥"},
		{"乾坤", "乾坤"},
		{"乾隆", "乾隆"},
		{"沈船", "沉船"},
		{"沈陽", "沈阳"},
		{"瀋陽", "沈阳"},
		{"瞭望", "瞭望"},
		{"瞭解", "了解"},
		{"答覆", "答复"},
		{"覆蓋", "覆盖"},
		{"慰藉", "慰藉"},
		{"藉口", "借口"},
		{"拉鍊", "拉链"},
		{"鍊金", "炼金"},
		{"後來太后", "后来太后"},
		{"頭髮發展", "头发发展"},
	} {
		if got := Fold(c.in); got != c.want {
			t.Errorf("Fold(%q) = %q, want %q", c.in, got, c.want)
		}
		if got := Simplify(c.in); got != c.want {
			t.Errorf("Simplify(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// special are the letters that Fold spells out by a list; TestFold names examples.
const special = "æœøđðħıĸłŋŧþƀɓƈɖɗəǝɛƒɠǥɨƙƚɲɔɵƥɽʈƭʉʋɏƴƶȥ"

func TestFoldAgreesWithReferenceRuneByRune(t *testing.T) {
	ref := newReference(t)
	bad := 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if r == 0x32400 {
			r = 0xDFF00 // the planes between are empty
		}
		if r == 0xF0100 {
			break // private use, all alike
		}
		uniform := r >= 0xAC00 && r <= 0xD7A3 || r >= 0xD800 && r <= 0xF8FF || r >= 0x20000
		if uniform && r%8 != 0 || !utf8.ValidRune(r) {
			continue // hangul, private use, ideographs: a sample does
		}
		s := string(r)
		if strings.ContainsAny(norm.NFKD.String(foldCase(norm.NFKC.String(s))), special) {
			continue
		}
		got, want := Fold(s), ref.fold(s)
		if got != want {
			if bad++; bad < 20 {
				t.Errorf("Fold(%U %q) = %q, reference %q", r, s, got, want)
			}
		}
	}
	if bad >= 20 {
		t.Errorf("%d runes differ", bad)
	}
}

func TestFoldAgreesWithReferenceOnRandomText(t *testing.T) {
	ref := newReference(t)
	gen := newTextGenerator(t)
	for range 20000 {
		s := gen.next()
		if got, want := Fold(s), ref.fold(s); got != want {
			t.Fatalf("Fold(%q) = %q, reference %q", s, got, want)
		}
		if got, want := Fold(Fold(s)), Fold(s); got != want {
			t.Fatalf("Fold(%q) = %q, folded again %q", s, want, got)
		}
	}
}

// textGenerator makes text of pieces that are likely to interact.
type textGenerator struct {
	rnd    *rand.Rand
	pieces []string
}

func newTextGenerator(t testing.TB) *textGenerator {
	g := &textGenerator{rnd: rand.New(rand.NewPCG(1, 2))}
	for _, p := range readList(t, "data/opencc-phrases.txt") {
		g.pieces = append(g.pieces, p[0], p[1])
		for _, r := range p[0] {
			g.pieces = append(g.pieces, string(r))
		}
	}
	n := len(g.pieces)
	for i, p := range readList(t, "data/opencc-characters.txt") {
		if i%4 == 0 {
			g.pieces = append(g.pieces, p[0])
		}
	}
	for _, s := range []string{
		"abcXYZ019 -.&'", "éÉïñŻşŢ", "\u0300\u0301\u0306\u0308\u0327", "ΆέΣςϊ", "ЁйїҐ", "がガｶﾞﾟ゛", "가각\u1100\u1161\u11A8ㄱㅏ",
		"กำไร", "שׁלוֹם", "السلاםﷺ", "हिन्दी", "①½㈱™№…", "\u200B\u200D\uFEFF\uFE0F\u00AD", "　\u00A0\t", "ＡＢ１（）", "\U0002F800\uF900",
	} {
		for range n / 100 {
			for _, r := range s {
				g.pieces = append(g.pieces, string(r))
			}
		}
	}
	return g
}

func (g *textGenerator) next() string {
	var b strings.Builder
	for range 1 + g.rnd.IntN(8) {
		b.WriteString(g.pieces[g.rnd.IntN(len(g.pieces))])
	}
	return b.String()
}

func TestFoldDoesNotAllocateForFoldedText(t *testing.T) {
	for _, s := range []string{"", "acme trading", "台湾水泥股份有限公司", "ibm中国"} {
		if n := testing.AllocsPerRun(100, func() { Fold(s) }); n != 0 {
			t.Errorf("Fold(%q) allocates %v times", s, n)
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"Acme Café", "台灣 水泥", "乾坤沈船", "e\u0301", "ｶﾞ", "\u1100\u1161", "a\xFF", "゛", "ﷺ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		folded := Fold(s)
		if again := Fold(folded); again != folded {
			t.Errorf("Fold(%q) = %q, folded again %q", s, folded, again)
		}
		if got := string(AppendFold([]byte("x"), s)); got != "x"+folded {
			t.Errorf("AppendFold(%q) = %q, Fold %q", s, got, folded)
		}
		if !utf8.ValidString(folded) || strings.Contains(folded, "  ") || strings.TrimSpace(folded) != folded {
			t.Errorf("Fold(%q) = %q is not clean", s, folded)
		}
		if utf8.ValidString(s) && !strings.ContainsAny(s, "™℠") {
			if got := Fold(norm.NFD.String(s)); got != folded {
				t.Errorf("Fold(%q) = %q, decomposed %q", s, folded, got)
			}
		}
	})
}

func FuzzSimplify(f *testing.F) {
	for _, s := range []string{"台灣水泥", "乾坤乾燥", "沈船", "abc", "\xFF灣"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := Simplify(s)
		if again := Simplify(once); again != once {
			t.Errorf("Simplify(%q) = %q, again %q", s, once, again)
		}
		if utf8.ValidString(s) && Fold(once) != Fold(s) {
			t.Errorf("Fold(Simplify(%q)) = %q, Fold %q", s, Fold(once), Fold(s))
		}
	})
}

func TestSimplifyLeavesTheRestAlone(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"Acme É ｱ １", "Acme É ｱ １"},
		{"台湾", "台湾"},
		{"台灣（ＴＷ）", "台湾（ＴＷ）"},
		{"a\xFF灣", "a\xFF湾"},
		{"乾a\xFF", "干a\xFF"},
		{"㈱⽇立", "㈱日立"}, // a radical is a compatibility form of its ideograph
	} {
		if got := Simplify(c.in); got != c.want {
			t.Errorf("Simplify(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestHan(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		want := unicode.Is(unicode.Han, r) && unicode.In(r, unicode.Lo, unicode.Nl) || r == '々'
		switch {
		case r >= 0x3038 && r <= 0x303A: // numerals that are compatibility forms of 十, 廿, 卅
			want = false
		case r >= 0x3400 && r <= 0x4DBF || r >= 0x4E00 && r <= 0x9FFF || r >= 0xF900 && r <= 0xFAFF || r >= 0x20000 && r <= 0x323AF:
			want = true // blocks reserved for ideographs, whether or not Unicode has assigned all
		}
		if got := Han(r); got != want {
			t.Errorf("Han(%U) = %v", r, got)
		}
	}
}

var sink string

func BenchmarkFold(b *testing.B) {
	for _, c := range []struct{ name, in string }{
		{"ascii", "acme trading co ltd"},
		{"Latin", "Acme Trading Co., Ltd."},
		{"accents", "Société Générale"},
		{"Han12simplified", "台湾水泥股份有限公司北厂"},
		{"Han12traditional", "臺灣水泥股份有限公司北廠"},
		{"HanByWord", "瀋陽鋼鐵股份有限公司"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink = Fold(c.in)
			}
		})
	}
}

func BenchmarkSimplify(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		sink = Simplify("臺灣水泥股份有限公司北廠")
	}
}
