package text

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"   ", ""},
		{"Acme Trading", "Acme Trading"},
		{"  Acme   Trading ", "Acme Trading"},
		{"Acme\tTrading\r\nLtd", "Acme Trading Ltd"},
		{"台灣　水泥", "台灣 水泥"},                    // ideographic space
		{"a\u00A0b\u2028c\u0085d", "a b c d"}, // no-break space, line separator, next line
		{"Cre\u0300me", "Crème"},              // NFC
		{"\u1100\u1161\u11A8", "각"},
		{"\u212B", "Å"}, // a singleton: the angstrom sign
		{"\uFEFF台灣", "台灣"},
		{"a\u200Bb\u00ADc\u200Ed\u202Ae\u202C", "abcde"},
		{"می\u200Cخواهم", "می\u200Cخواهم"}, // the non-joiner of Persian
		{"👩\u200D💻", "👩\u200D💻"},
		{"葛\U000E0100", "葛\U000E0100"}, // an ideographic variation
		{"\uE000", "\uE000"},           // private use, as in Big5 and GB 18030 files
		{"ＡＢＣ（１）", "ＡＢＣ（１）"},           // widths are kept
	} {
		got, err := Clean(c.in)
		if err != nil || got != c.want {
			t.Errorf("Clean(%q) = %q, %v; want %q", c.in, got, err, c.want)
		}
	}
}

func TestCleanRefuses(t *testing.T) {
	for _, c := range []struct {
		in     string
		offset int
		reason string
	}{
		{"ab\xFF", 2, "is not UTF-8"},
		{"台\xE7\x81", 3, "is not UTF-8"},    // cut short
		{"\xC0\x80", 0, "is not UTF-8"},     // an overlong NUL
		{"\xED\xA0\x80", 0, "is not UTF-8"}, // half a surrogate pair
		{"台\uFFFD", 3, "has U+FFFD, a character lost in an earlier conversion"},
		{" a\x00b", 2, "has the control character U+0000"},
		{"a\x7F", 1, "has the control character U+007F"},
		{"a\u0080", 1, "has the control character U+0080"},
		{"\x1B[31m", 0, "has the control character U+001B"},
		{"a\uFFFF", 1, "has U+FFFF, which Unicode reserves for internal use"},
		{"\U0001FFFE", 0, "has U+1FFFE, which Unicode reserves for internal use"},
	} {
		_, err := Clean(c.in)
		var e *Error
		if !errors.As(err, &e) || !errors.Is(err, ErrInvalid) {
			t.Errorf("Clean(%q): error %v", c.in, err)
			continue
		}
		if e.Offset != c.offset || e.Reason != c.reason || e.Value != c.in || e.Remedy == "" {
			t.Errorf("Clean(%q): %+v, want offset %d, %q", c.in, e, c.offset, c.reason)
		}
	}
}

func TestErrorQuotesOnlyTheBeginningOfLongText(t *testing.T) {
	_, err := Clean(strings.Repeat("台", 1000) + "\x00")
	want := `text "` + strings.Repeat("台", 40) + `"…, at byte 3000: has the control character U+0000; remove it`
	if err.Error() != want {
		t.Errorf("message %s\nwant    %s", err, want)
	}
}

func TestCleanDoesNotAllocateForCleanText(t *testing.T) {
	for _, s := range []string{"", "Acme Trading", "台灣水泥股份有限公司", "Société Générale", "トヨタ", "삼성전자", "（ＴＷ）"} {
		if n := testing.AllocsPerRun(100, func() { Clean(s) }); n != 0 {
			t.Errorf("Clean(%q) allocates %v times", s, n)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"Acme  Trading", "台灣　水泥", "e\u0301", "a\xFF", "a\u200Bb", "\u1100\u1161"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		clean, err := Clean(s)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Offset < 0 || e.Offset >= len(s) {
				t.Errorf("Clean(%q): error %#v", s, err)
			}
			return
		}
		if again, err := Clean(clean); err != nil || again != clean {
			t.Errorf("Clean(%q) = %q, again %q, %v", s, clean, again, err)
		}
		if !utf8.ValidString(s) || !norm.NFC.IsNormalString(clean) {
			t.Errorf("Clean(%q) = %q is not in normal form C", s, clean)
		}
		if strings.ContainsFunc(clean, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }) {
			t.Errorf("Clean(%q) = %q has a control character", s, clean)
		}
		if strings.TrimSpace(clean) != clean || strings.Contains(clean, "  ") {
			t.Errorf("Clean(%q) = %q has stray spaces", s, clean)
		}
	})
}

func BenchmarkClean(b *testing.B) {
	for _, c := range []struct{ name, in string }{
		{"Latin", "Acme Trading Co., Ltd."},
		{"Han12", "臺灣水泥股份有限公司北廠"},
		{"dirty", "  Acme\tTrading  "},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink, _ = Clean(c.in)
			}
		})
	}
}
