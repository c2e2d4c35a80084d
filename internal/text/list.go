package text

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// listPairs reads the lines "key<TAB>value" of an embedded list, without its comments.
func listPairs(text string) [][2]string {
	var pairs [][2]string
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if ok && !strings.HasPrefix(key, "#") {
			pairs = append(pairs, [2]string{key, value})
		}
	}
	return pairs
}

// byFirstRune groups pairs by the first rune of their key, the longest key first.
func byFirstRune(pairs [][2]string) map[rune][][2]string {
	m := make(map[rune][][2]string, len(pairs))
	for _, p := range pairs {
		r, _ := utf8.DecodeRuneInString(p[0])
		m[r] = append(m[r], p)
	}
	for _, group := range m {
		slices.SortStableFunc(group, func(a, b [2]string) int { return len(b[0]) - len(a[0]) })
	}
	return m
}

// pairAt returns the first pair whose key s begins with.
func pairAt(pairs [][2]string, s string) (key, value string) {
	for _, p := range pairs {
		if strings.HasPrefix(s, p[0]) {
			return p[0], p[1]
		}
	}
	return "", ""
}
