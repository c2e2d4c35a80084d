package text

import (
	_ "embed"
	"iter"
	"strings"
	"sync"
	"unicode/utf8"
)

// Pinyin returns the pinyin of s: a toneless syllable for each Han character, ü written v
// (女 nv), and each word of another script as one item, folded. A character with several
// readings gets the one that it has in a known word (银行 yin hang, 重庆 chong qing), or
// else its most frequent one. A Han character of unknown reading stands for itself.
//
//	Pinyin("IBM 中国银行") == ["ibm" "zhong" "guo" "yin" "hang"]
func Pinyin(s string) []string { return PinyinOf(s, false) }

// PinyinOf is Pinyin for a name of which is known whether it is a person's. If so, its first
// character reads as a family name: 曾 zeng, 单 shan, 尉迟 yu chi.
func PinyinOf(name string, person bool) []string {
	var out []string
	for item := range syllables(Fold(name), person) {
		out = append(out, item.text)
	}
	return out
}

// AppendPinyin appends the items of Pinyin(s) to dst, a space behind each: the order of names
// as a Chinese reader expects it. Where s is folded already it allocates nothing.
func AppendPinyin(dst []byte, s string) []byte {
	for s = trimSpaces(Fold(s)); s != ""; s = trimSpaces(s) {
		pinyin, n, _ := next(s)
		dst = append(append(dst, pinyin...), ' ')
		s = s[n:]
	}
	return dst
}

// PinyinWord is Pinyin(s) written as one word: zhongguoyinhang.
func PinyinWord(s string) string {
	var buf [128]byte
	out := buf[:0]
	for s = trimSpaces(Fold(s)); s != ""; s = trimSpaces(s) {
		pinyin, n, _ := next(s)
		for s = s[n:]; pinyin != ""; {
			var p string
			p, pinyin, _ = strings.Cut(pinyin, " ")
			out = append(out, p...)
		}
	}
	return string(out)
}

// Initials returns what is typed to find s in an input field (助记码): the first letter of
// each Han character's pinyin, and the Latin letters and digits between them. In a name
// without Han characters it is the first letter of each word, and numbers whole.
//
//	Initials("台灣水泥") == "twsn"    Initials("TCL集团") == "tcljt"
//	Initials("Acme Trading") == "at"
func Initials(s string) string {
	s = Fold(s)
	han := strings.ContainsFunc(s, Han)
	var buf [64]byte
	out := buf[:0]
	for item := range syllables(s, false) {
		text := item.text
		if item.han && text[0] < utf8.RuneSelf {
			text = text[:1]
		} else if !han && (text[0] < '0' || text[0] > '9') {
			_, n := utf8.DecodeRuneInString(text)
			text = text[:n]
		}
		out = append(out, text...)
	}
	return string(out)
}

// Readings returns the toneless readings of a Han character that are in use today, the
// most frequent first, and nil for any other rune. The slice is shared: don't change it.
func Readings(r rune) []string {
	return readingLists()[pinyinTable.at(r)&^startsWord]
}

// syllable is an item of a name's pinyin.
type syllable struct {
	text string
	han  bool
}

// syllables goes through the pinyin of folded text.
func syllables(s string, person bool) iter.Seq[syllable] {
	return func(yield func(syllable) bool) {
		if person {
			key, value := surnameAt(s)
			if !yieldFields(value, yield) {
				return
			}
			s = s[len(key):]
		}
		for s = trimSpaces(s); s != ""; s = trimSpaces(s) {
			pinyin, n, han := next(s)
			if !han && !yield(syllable{text: pinyin}) || han && !yieldFields(pinyin, yield) {
				return
			}
			s = s[n:]
		}
	}
}

func trimSpaces(s string) string {
	for s != "" && s[0] == ' ' {
		s = s[1:]
	}
	return s
}

// next returns the pinyin of the word or the Han character that s begins with, syllables with
// spaces between them, and how many bytes of s that is.
func next(s string) (pinyin string, n int, han bool) {
	r, n := utf8.DecodeRuneInString(s)
	if !Han(r) {
		n = wordLength(s)
		return s[:n], n, false
	}
	v := pinyinTable.at(r)
	if v&startsWord != 0 {
		if key, value := pairAt(pinyinWords()[r], s); key != "" {
			return value, len(key), true
		}
	}
	list := readingLists()[v&^startsWord]
	if len(list) == 0 {
		return s[:n], n, true
	}
	return list[0], n, true
}

func yieldFields(value string, yield func(syllable) bool) bool {
	for len(value) > 0 {
		var p string
		p, value, _ = strings.Cut(value, " ")
		if !yield(syllable{p, true}) {
			return false
		}
	}
	return true
}

// wordLength is how far the word at the start of folded text goes.
func wordLength(s string) int {
	for i, r := range s {
		if r == ' ' || Han(r) {
			return i
		}
	}
	return len(s)
}

// startsWord marks in a value of the pinyin trie that a word of pinyinWords starts with
// the rune. The rest of the value is the number of a list.
const startsWord = 1 << 15

var (
	//go:embed data/pinyin.bin
	pinyinBin string
	//go:embed data/pinyin-phrases.txt
	pinyinWordText string
	//go:embed data/pinyin-surnames.txt
	surnameText string
)

var (
	pinyinTable trie
	readingText string
)

func init() {
	part := sections(pinyinBin, 3)
	pinyinTable, readingText = trie{part[0], part[1]}, part[2]
}

// readingLists are the lists of readings by number.
var readingLists = sync.OnceValue(func() [][]string {
	lines := strings.Split(readingText, "\n")
	lists := make([][]string, len(lines))
	for i, line := range lines[1:] {
		lists[i+1] = strings.Fields(line)
	}
	return lists
})

var (
	pinyinWords = sync.OnceValue(func() map[rune][][2]string { return byFirstRune(listPairs(pinyinWordText)) })
	surnames    = sync.OnceValue(func() map[rune][][2]string { return byFirstRune(listPairs(surnameText)) })
)

// surnameAt returns the family name that folded text begins with and its reading, if
// it is one that reads otherwise than its characters do elsewhere.
func surnameAt(s string) (key, value string) {
	r, _ := utf8.DecodeRuneInString(s)
	return pairAt(surnames()[r], s)
}
