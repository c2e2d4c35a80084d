package compare

import (
	"slices"
	"strings"

	"github.com/clientele-go/clientele/internal/text"
)

// otherNames takes a name of an organisation apart that gives two of them: in two languages (Ottawa
// Hospital / Hôpital d'Ottawa), with the name that it trades under (Acme Ltd t/a Bolts4U) or had before
// (Bolts Ltd (formerly Nuts Ltd)), or with a full name of its own in brackets
// (深圳市宝安区人民医院（深圳市第八人民医院）). Nearly all names are one; for them it returns nil.
func otherNames(name string) []string {
	name = cut(name)
	if strings.IndexByte(name, '/') >= 0 {
		if both := strings.Split(name, " / "); len(both) == 2 && enoughWords(both[0]) && enoughWords(both[1]) {
			return both
		}
	}
	if before, inside, after := bracketed(name); inside != "" {
		if other := nameWithin(inside); other != "" && strings.TrimSpace(after) == "" && enoughLetters(before) {
			return []string{before, other}
		}
	}
	return joinedNames(name)
}

// joiners are what stands between two names of one organisation. Letters apart and T.A. are somebody's
// initials.
var joiners = map[string]bool{
	"dba": true, "d.b.a": true, "d/b/a": true, "doing business as": true, "t/a": true, "trading as": true, "aka": true, "a.k.a": true, "a/k/a": true,
	"also known as": true, "fka": true, "f.k.a": true, "f/k/a": true, "formerly": true, "formerly known as": true,
}

// joins reports whether words are one of joiners.
func joins(words []string) bool {
	return joiners[strings.ToLower(strings.Trim(strings.Join(words, " "), "(.:,;"))]
}

// formerMarks are what a second name in brackets begins with in Chinese.
var formerMarks = []string{"原名", "原", "曾用名", "又名", "亦称", "又称", "简称"}

// joinedNames takes a name apart around one of joiners.
func joinedNames(name string) []string {
	if !mayJoin(name) {
		return nil
	}
	words := strings.Fields(name)
	for from := 1; from < len(words)-1; from++ {
		for to := min(from+3, len(words)-1); to > from; to-- {
			if joins(words[from:to]) {
				both := []string{strings.Join(words[:from], " "), strings.Join(words[to:], " ")}
				if slices.ContainsFunc(both, func(s string) bool { return !enoughLetters(s) }) {
					return nil
				}
				return both
			}
		}
	}
	return nil
}

// mayJoin sees at little cost that nearly all names have no joiner, each of which ends with one of
// these and no letter behind.
func mayJoin(name string) bool {
	for i := 0; i+2 < len(name); i++ {
		if c := name[i+2] | 0x20; 'a' <= c && c <= 'z' {
			continue
		}
		switch a, b := name[i]|0x20, name[i+1]|0x20; {
		case b == 'a', b == 's' && a == 'a', b == 'y' && a == 'l', b == '.'|0x20 && a == 'a':
			return true
		}
	}
	return false
}

// nameWithin is the other name that stands in brackets, empty for a place, a branch, a legal form
// and all else that is said there.
func nameWithin(inside string) string {
	for _, mark := range formerMarks {
		if rest, ok := strings.CutPrefix(inside, mark); ok {
			if rest = strings.TrimLeft(rest, ":：为 "); runeCount(rest) >= leastFullName && hasHan(rest) {
				return rest
			}
		}
	}
	if words := strings.Fields(inside); len(words) > 1 {
		for n := min(3, len(words)-1); n > 0; n-- {
			if rest := strings.Join(words[n:], " "); joins(words[:n]) && enoughLetters(rest) {
				return rest
			}
		}
	}
	key := text.Fold(inside)
	if runeCount(key) < leastFullName || !hasHan(key) || slices.ContainsFunc(legalRemarks, func(s string) bool { return strings.Contains(key, s) }) ||
		slices.ContainsFunc(branchWords, func(s string) bool { return strings.HasSuffix(key, s) }) {
		return ""
	}
	core, form := text.LegalForm(key)
	if trade := tradeAtEnd(core); form == "" && trade == 0 || runeCount(core[:len(core)-trade]) < 2 {
		return ""
	}
	return inside
}

// leastFullName is how many characters a full Chinese name has at least.
const leastFullName = 5

// legalRemarks are in what brackets say of a business but not what it is called: （特殊普通合伙）.
var legalRemarks = []string{"合伙", "独资", "个体", "合作", "微型", "小型", "注销", "吊销", "停业", "清算"}

// enoughWords reports whether a text is long enough to be a name by itself, and no part of a list.
func enoughWords(s string) bool {
	if hasHan(text.Fold(s)) {
		return runeCount(s) >= leastFullName
	}
	return len(strings.Fields(s)) > 1
}

func enoughLetters(s string) bool { return runeCount(text.Fold(s)) > 1 }
