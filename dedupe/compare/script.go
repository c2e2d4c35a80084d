package compare

import "unicode"

// script is the writing of a name that no rule of this package brings into Latin letters;
// latinOrHan for all others.
type script uint8

const latinOrHan script = 0

// unreadable are scripts whose names are compared as written.
var unreadable = []*unicode.RangeTable{
	unicode.Arabic, unicode.Hebrew, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Tamil, unicode.Telugu,
	unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Georgian,
	unicode.Armenian, unicode.Ethiopic, unicode.Hangul,
}

// scriptOf is the script of a folded name, where it is of one unreadable script alone.
func scriptOf(s string) script {
	found := latinOrHan
	for _, r := range s {
		if r < 0x530 { // Latin, Greek, Cyrillic; digits and spaces are of any script
			if r >= 'a' {
				return latinOrHan
			}
			continue
		}
		own := latinOrHan
		for i, table := range unreadable {
			if unicode.Is(table, r) {
				own = script(i + 1)
				break
			}
		}
		if own == latinOrHan && unicode.IsLetter(r) || found != latinOrHan && own != latinOrHan && own != found {
			return latinOrHan
		}
		found = max(found, own)
	}
	return found
}
