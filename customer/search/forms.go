package search

import (
	"slices"
	"sync"
)

// Two organisations of three end in one of these forms. In names they are indexed as
// one character each, which saves a tenth of the index; a query that ends in a
// part of a form, 水泥股份 or twsngf, is matched against all forms it may mean.
//
// The order is part of the index format: append only, and count up formatVersion.
var formTexts = []string{
	"有限公司",
	"股份有限公司",
	"有限责任公司",
	"集团有限公司",
	"集团股份有限公司",
}

// firstForm is the character of the first form, in the private use area.
const firstForm = '\uE000'

// legalForm is a form in the three ways in which it is typed.
type legalForm struct {
	sign      rune // what stands for it in the index
	runes     []rune
	syllables []string
	initials  []rune
}

var legalForms = sync.OnceValue(func() []legalForm {
	forms := make([]legalForm, len(formTexts))
	for i, s := range formTexts {
		f := &forms[i]
		f.sign = firstForm + rune(i)
		f.runes = []rune(s)
		for _, r := range f.runes {
			for _, syllable := range readings(r)[:1] {
				f.syllables = append(f.syllables, syllable)
				f.initials = append(f.initials, rune(syllable[0]))
			}
		}
	}
	return forms
})

// formAtEnd returns the longest form that runes end in after at least one other
// character.
func formAtEnd(runes []rune) *legalForm {
	if len(runes) < 5 || runes[len(runes)-1] != '司' {
		return nil
	}
	var longest *legalForm
	forms := legalForms()
	for i := range forms {
		f := &forms[i]
		if len(f.runes) < len(runes) && hasSuffix(runes, f.runes) &&
			(longest == nil || len(f.runes) > len(longest.runes)) {
			longest = f
		}
	}
	return longest
}

func hasSuffix[T comparable](s, suffix []T) bool {
	return len(s) >= len(suffix) && slices.Equal(s[len(s)-len(suffix):], suffix)
}

func hasPrefix[T comparable](s, prefix []T) bool {
	return len(s) >= len(prefix) && slices.Equal(s[:len(prefix)], prefix)
}

func contains[T comparable](s, part []T) bool {
	for i := 0; i+len(part) <= len(s); i++ {
		if slices.Equal(s[i:i+len(part)], part) {
			return true
		}
	}
	return false
}
