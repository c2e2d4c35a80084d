package text

import (
	"os"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// reference folds text the long way, by the definitions: golang.org/x/text for Unicode,
// OpenCC's lists for Chinese. It shares no table and no code with Fold.
type reference struct {
	chars   map[rune]rune
	phrases map[string]string
	longest int // runes of the longest phrase
}

func newReference(t testing.TB) *reference {
	ref := &reference{chars: map[rune]rune{}, phrases: map[string]string{}}
	for _, p := range readList(t, "data/opencc-characters.txt") {
		ref.chars[[]rune(p[0])[0]] = []rune(p[1])[0]
	}
	for _, p := range readList(t, "data/opencc-phrases.txt") {
		ref.phrases[p[0]] = p[1]
		if _, ok := ref.phrases[p[1]]; !ok {
			ref.phrases[p[1]] = p[1]
		}
		ref.longest = max(ref.longest, len([]rune(p[0])))
	}
	return ref
}

func readList(t testing.TB, name string) [][2]string {
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return listPairs(string(b))
}

var noSigns = strings.NewReplacer("™", " ", "℠", " ")

func (ref *reference) fold(s string) string {
	s = noSigns.Replace(strings.ToValidUTF8(s, " "))
	for range 10 {
		next := joinWords(bare(ref.simplify(foldCase(norm.NFKC.String(s)))))
		if next == s {
			break
		}
		s = next
	}
	return s
}

// foldCase is full case folding. x/text turns Cherokee capitals into small letters and
// back; Unicode folds it to capitals.
func foldCase(s string) string {
	var b strings.Builder

	for _, r := range s {
		if unicode.Is(unicode.Cherokee, r) {
			b.WriteRune(unicode.ToUpper(r))
		} else {
			b.WriteString(foldRune.String(string(r)))
		}
	}
	return norm.NFKC.String(b.String())
}

var foldRune = cases.Fold()

// bare drops what is ignorable, the marks on all but other scripts' letters, and
// apostrophes, and writes digits 0–9.
func bare(s string) string {
	var b strings.Builder
	other := false // the last rune was a letter of another script
	for _, r := range s {
		base := []rune(norm.NFD.String(string(r)))[0]
		switch {
		case unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point):
		case strings.ContainsRune("'’‘ʼʻʹʾʿ′`", r):
		case unicode.Is(unicode.M, r):
			if other {
				b.WriteRune(r)
			}
		case unicode.Is(unicode.Nd, r):
			zero := r
			for unicode.Is(unicode.Nd, zero-1) && r-zero < 9 {
				zero--
			}
			b.WriteRune('0' + r - zero)
			other = false
		case unicode.In(base, unicode.Latin, unicode.Greek) && unicode.IsLetter(base):
			b.WriteRune(base)
			other = false
		case r == 'ё':
			b.WriteRune('е')
			other = true
		default:
			b.WriteRune(r)
			other = unicode.IsLetter(r) && !unicode.Is(unicode.Han, r) || unicode.In(r, unicode.Co, unicode.Cn)
		}
	}
	return norm.NFKC.String(b.String())
}

func (ref *reference) simplify(s string) string {
	var b strings.Builder
	runes := []rune(s)
	for len(runes) > 0 {
		n := min(ref.longest, len(runes))
		for ; n > 1; n-- {
			if to, ok := ref.phrases[string(runes[:n])]; ok {
				b.WriteString(to)
				break
			}
		}
		if n <= 1 {
			n = 1
			r := runes[0]
			if to, ok := ref.chars[r]; ok {
				r = to
			}
			b.WriteRune(r)
		}
		runes = runes[n:]
	}
	return b.String()
}

// joinWords turns what is neither letter, mark nor number (nor unknown to this version of
// Unicode) into spaces and removes those beside Han.
func joinWords(s string) string {
	words := strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.Co, unicode.Cn)
	})
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			last := []rune(words[i-1])
			if !ideograph(last[len(last)-1]) && !ideograph([]rune(w)[0]) {
				b.WriteByte(' ')
			}
		}
		b.WriteString(w)
	}
	return b.String()
}

// ideograph tells the characters of the script, and what Unicode has yet to assign in
// its blocks.
func ideograph(r rune) bool { return unicode.Is(unicode.Han, r) || Han(r) }
