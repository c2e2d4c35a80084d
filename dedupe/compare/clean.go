package compare

import (
	"strings"
	"unicode/utf8"

	"github.com/clientele-go/clientele/internal/text"
)

// placeholders are what people type where they know nothing.
var placeholders = map[string]bool{
	"na": true, "n a": true, "nan": true, "null": true, "nil": true, "none": true, "unknown": true, "not available": true, "not known": true,
	"无": true, "不详": true, "未知": true, "暂无": true, "没有": true, "未填": true, "待补": true, "空": true,
}

// folded is the folded beginning of a value, empty where it says nothing.
func folded(value string) string {
	s := text.Fold(cut(value))
	if placeholders[s] {
		return ""
	}
	return s
}

// cut returns the first MaxRunes runes of a value, at most.
func cut(s string) string {
	if len(s) <= MaxRunes {
		return s
	}
	n := 0
	for i := range s {
		if n == MaxRunes {
			return s[:i]
		}
		n++
	}
	return s
}

func hasHan(s string) bool { return strings.ContainsFunc(s, text.Han) }

func runeCount(s string) int { return utf8.RuneCountInString(s) }

// firstRune is the first rune of s as a text.
func firstRune(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return s[:n]
}

// byLength returns two texts, the shorter first, in an order that doesn't depend on
// theirs.
func byLength(x, y string) (short, long string) {
	if longer(x, y) {
		return y, x
	}
	return x, y
}

func longer(x, y string) bool { return len(x) > len(y) || len(x) == len(y) && x > y }
