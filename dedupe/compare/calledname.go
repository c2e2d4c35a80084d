package compare

import (
	"strings"
	"unicode"

	"github.com/clientele-go/clientele/internal/text"
)

// calledNames takes the name of a person, or a part of it, apart that gives a second one in brackets or
// quotes: what somebody is called, or was before. Zachary (Zach) Kinney is Zachary Kinney and Zach
// Kinney. For all others it returns nil.
func calledNames(name string, t Type) []string {
	if !strings.ContainsAny(name, openMarks) {
		return nil
	}
	name = cut(name)
	open := strings.IndexAny(name, openMarks)
	if open < 1 {
		return nil
	}
	mark := firstRune(name[open:])
	rest := name[open+len(mark):]
	end := strings.Index(rest, closeMark[mark])
	if end < 0 || !isCalled(rest[:end]) {
		return nil
	}
	before, called, after := strings.TrimSpace(name[:open]), strings.TrimSpace(rest[:end]), strings.TrimSpace(rest[end+len(closeMark[mark]):])
	family, _, turned := strings.Cut(before, ",")
	switch {
	case t == PersonName && turned:
		return []string{before + " " + after, family + ", " + called + " " + after}
	case t == PersonName && after != "":
		return []string{before + " " + after, called + " " + after}
	case after == "" && t != PersonName:
		return []string{before, called}
	}
	return nil
}

const openMarks = "(（\"“"

var closeMark = map[string]string{"(": ")", "（": "）", "\"": "\"", "“": "”"}

// isCalled reports whether a remark is a name: one word of Latin letters that no remark has.
func isCalled(s string) bool {
	s = strings.TrimSpace(s)
	if runeCount(s) < 2 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.Is(unicode.Latin, r) }) {
		return false
	}
	w := text.Fold(s)
	return generations[w] == 0 && !remarks[w]
}

// remarks are words that stand in brackets behind a name without being one.
var remarks = wordsOf(`deceased dec minor twin self estate retired new old duplicate dup test unknown mr mrs ms dr husband wife son daughter father mother parent guardian spouse male female adult child`)
