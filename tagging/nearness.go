package tagging

import (
	"slices"
	"strings"
	"unicode"

	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/internal/text"
)

// Nearness is in what two names are nearly the same.
type Nearness uint8

const (
	SameFolded Nearness = iota // but for letter case, width, accents, signs, traditional or simplified script
	SamePinyin                 // spoken alike, as two Chinese words typed wrongly
	OneSlip                    // but for one letter that was left out, added, exchanged, or swapped with the next
)

var nearnessNames = enum.Names{"same folded", "same pinyin", "one slip"}

func (n Nearness) String() string { return nearnessNames.Of(uint8(n)) }

// MarshalText returns the lower-case English name.
func (n Nearness) MarshalText() ([]byte, error) {
	return nearnessNames.Marshal(uint8(n), "tagging", "nearness")
}

// UnmarshalText reads what MarshalText wrote.
func (n *Nearness) UnmarshalText(text []byte) error {
	return nearnessNames.Unmarshal(text, (*uint8)(n), "tagging", "nearness")
}

// NearTags is two tags of one dimension of which a code, an alias or a name is nearly the
// same: perhaps they should be one.
type NearTags struct {
	A, B         *Tag
	NameA, NameB string // what is nearly the same
	Why          Nearness
}

// spelling is one way in which a tag is written.
type spelling struct {
	tag    *Tag
	name   string
	folded string
}

// nearTags finds the pairs of each dimension that are nearly the same, each once, without
// comparing all with all.
func nearTags(c *catalogue) []NearTags {
	var found []NearTags
	for _, d := range sortedDimensions(c) {
		n := &nearness{cat: c, seen: map[[2]TagID]bool{}}
		for t := range c.allTags(d.ID) {
			if !t.Retired {
				n.add(t)
			}
		}
		n.compare(SameFolded, func(s *spelling) []string { return []string{s.folded} })
		n.compare(SamePinyin, (*spelling).spoken)
		n.compare(OneSlip, (*spelling).slips)
		found = append(found, n.found...)
	}
	return found
}

// nearness compares the tags of one dimension.
type nearness struct {
	cat       *catalogue
	spellings []spelling
	seen      map[[2]TagID]bool
	found     []NearTags
}

func (n *nearness) add(t *Tag) {
	names := append([]string{t.Code}, t.Aliases...)
	for _, name := range t.Names {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if folded := text.Fold(name); folded != "" {
			n.spellings = append(n.spellings, spelling{t, name, folded})
		}
	}
}

// compare reports the pairs that share a key.
func (n *nearness) compare(why Nearness, keys func(*spelling) []string) {
	sharing := map[string][]*spelling{}
	for i := range n.spellings {
		s := &n.spellings[i]
		for _, key := range keys(s) {
			for _, other := range sharing[key] {
				n.report(why, other, s)
			}
			sharing[key] = append(sharing[key], s)
		}
	}
}

func (n *nearness) report(why Nearness, a, b *spelling) {
	pair := [2]TagID{min(a.tag.ID, b.tag.ID), max(a.tag.ID, b.tag.ID)}
	switch {
	case a.tag.ID == b.tag.ID, n.seen[pair]:
		return
	case n.cat.isBelow(a.tag, b.tag) || n.cat.isBelow(b.tag, a.tag):
		return // 北京 the province and 北京 the city
	case why == SameFolded && differInSigns(a.name, b.name):
		return // AA and AA-
	case why == OneSlip && editDistance(a.folded, b.folded, 1) > 1:
		return
	}
	n.seen[pair] = true
	n.found = append(n.found, NearTags{a.tag.clone(), b.tag.clone(), a.name, b.name, why})
}

// differInSigns reports whether a sign at the end tells two names apart, as grades have it.
func differInSigns(a, b string) bool {
	sign := func(s string) string { return s[len(strings.TrimRight(s, "+-")):] }
	return sign(a) != sign(b)
}

// spoken is the pinyin of a name that is all Chinese, of two characters or more.
func (s *spelling) spoken() []string {
	characters := 0
	for _, c := range s.folded {
		if !text.Han(c) {
			return nil
		}
		characters++
	}
	if characters < 2 {
		return nil
	}
	return []string{strings.Join(text.Pinyin(s.folded), " ")}
}

// slips are a name's spellings with one letter left out: names that are one slip apart
// share one of them, or the name itself. Short names, codes with digits and Chinese ones,
// of which one character makes another word, have none.
func (s *spelling) slips() []string {
	const shortest = 5
	letters := []rune(s.folded)
	if len(letters) < shortest {
		return nil
	}
	for _, c := range letters {
		if text.Han(c) || unicode.IsDigit(c) {
			return nil
		}
	}
	keys := []string{s.folded}
	for i := range letters {
		keys = append(keys, string(letters[:i])+string(letters[i+1:]))
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
