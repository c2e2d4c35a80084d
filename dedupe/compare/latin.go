package compare

import "strings"

// latinised writes folded Cyrillic and Greek in Latin letters, as passports of Russia
// (ICAO Doc 9303-3 §6 B, with y for ы and й) and Greece (ISO 843 type 2) do, so that a name
// meets its transliteration. What is written otherwise stays as it is.
func latinised(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x370 && r < 0x530 }) {
		return s
	}
	return transliteration.Replace(s)
}

var transliteration = strings.NewReplacer(
	"а", "a", "б", "b", "в", "v", "г", "g", "ґ", "g", "д", "d", "е", "e", "ё", "e", "є", "ie", "ж", "zh", "з", "z", "и", "i", "і", "i", "ї", "i", "й", "y", "к", "k", "л", "l", "м", "m",
	"н", "n", "о", "o", "п", "p", "р", "r", "с", "s", "т", "t", "у", "u", "ў", "v", "ф", "f", "х", "kh", "ц", "ts", "ч", "ch", "ш", "sh", "щ", "shch", "ъ", "ie", "ы", "y", "ь", "",
	"э", "e", "ю", "iu", "я", "ia", "ј", "j", "љ", "lj", "њ", "nj", "ђ", "dj", "ћ", "c", "џ", "dz",
	"αυ", "af", "ευ", "ef", "ου", "ou", "γγ", "ng", "α", "a", "β", "v", "γ", "g", "δ", "d", "ε", "e", "ζ", "z", "η", "i", "θ", "th", "ι", "i", "κ", "k", "λ", "l", "μ", "m", "ν", "n",
	"ξ", "x", "ο", "o", "π", "p", "ρ", "r", "σ", "s", "ς", "s", "τ", "t", "υ", "y", "φ", "f", "χ", "ch", "ψ", "ps", "ω", "o",
)
