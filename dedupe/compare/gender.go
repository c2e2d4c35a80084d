package compare

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed data/gender.txt
var genderText string

// gender is whose a given name is.
type gender uint8

const (
	anyones gender = iota // of both, or not known
	womens
	mens
)

// genders are common given names that only women bear, or only men, in the languages whose
// lists the file holds. Those that are one here and the other elsewhere, as Andrea, are not in it.
var genders = sync.OnceValue(func() map[string]gender {
	m := map[string]gender{}
	for line := range strings.Lines(genderText) {
		whose := mens
		names := strings.Fields(line)
		if names[0] == "f" {
			whose = womens
		}
		for _, name := range names[1:] {
			m[name] = whose
		}
	}
	return m
})

// coupled reports whether two names begin with a woman's given name and a man's: Paula Berg
// and Paul Berg.
func coupled(a, b *bag) bool {
	v, w := &a.words[0], &b.words[0]
	return anotherGender(v, w) && !samePetName(v, w) && !a.has(w.text) && !b.has(v.text)
}

// samePetName reports whether two given names are of one family of nicknames.
func samePetName(v, w *word) bool {
	return v.nick != 0 && w.nick != 0 && nicknames().related(v.nick, w.nick)
}

// anotherGender reports whether two given names are a woman's and a man's.
func anotherGender(v, w *word) bool {
	return v.gender != anyones && w.gender != anyones && v.gender != w.gender
}
