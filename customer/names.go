package customer

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/language"
)

// Names holds a text in several languages, keyed by BCP 47 tag: "en", "zh-Hans",
// "zh-Hant". The nil Names is empty.
type Names map[string]string

// maxNameBytes bounds one text of Names.
const maxNameBytes = 400

// In returns the text that fits a language best: "zh-TW" finds zh-Hant, "en-GB" finds
// en. When none fits it returns the first by tag, and "" when there is none. It costs
// some microseconds for more than one language.
func (n Names) In(tag language.Tag) string {
	if len(n) < 2 {
		for _, text := range n {
			return text
		}
		return ""
	}
	if text, ok := n[tag.String()]; ok {
		return text
	}
	keys := slices.Sorted(maps.Keys(n))
	tags := make([]language.Tag, len(keys))
	for i, key := range keys {
		tags[i] = language.Make(key)
	}
	_, i, _ := language.NewMatcher(tags).Match(tag)
	return n[keys[i]]
}

// Validate reports what is wrong with the texts of a field, as a *ValidationError:
// keys that are no language tags, and texts that are blank, too long or no UTF-8.
func (n Names) Validate(field string) error {
	var p problems
	for _, key := range slices.Sorted(maps.Keys(n)) {
		text := n[key]
		at := field + "[" + key + "]"
		if tag, err := language.Parse(key); err != nil || tag.String() != key {
			p.add(at, key, CodeMalformed, "is no language tag in canonical form", `use "en", "zh-Hans" or "zh-Hant"`)
		}
		switch {
		case strings.TrimSpace(text) == "":
			p.add(at, text, CodeRequired, "is blank", "leave the language out, or give a text")
		case !utf8.ValidString(text) || strings.ContainsRune(text, utf8.RuneError):
			p.add(at, text, CodeMalformed, "is no UTF-8 text", "check the encoding that it was read with")
		case len(text) > maxNameBytes:
			p.add(at, text[:40]+"…", CodeTooLong, "is too long", "use at most 400 bytes")
		}
	}
	return p.err()
}
