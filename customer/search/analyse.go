package search

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/text"
)

const (
	maxNameRunes   = 200  // a longer name is found by its first part
	maxOtherRunes  = 2000 // so is a longer alias, address or note
	maxWordRunes   = 40
	maxPhoneDigits = 18 // E.164 allows 15; some write an extension behind
	maxReadings    = 3  // of a character; more are classical
)

// analyser turns records into terms, in one pass over each text and without
// garbage. It is for one goroutine.
type analyser struct {
	terms
	folded   []byte
	runes    []rune
	runs     []run
	initials []reading
	number   []byte

	indexed func(attribute string) bool // nil for none
}

// run is a stretch of runes of one class.
type run struct {
	start, end int
	han        bool
}

// reading lists what a character's pinyin may begin with; most have one.
type reading struct {
	letters [maxReadings]rune
	n       int
}

func (r *reading) add(letter rune) {
	for _, have := range r.letters[:r.n] {
		if have == letter {
			return
		}
	}
	if r.n < maxReadings {
		r.letters[r.n] = letter
		r.n++
	}
}

// customer sets the terms to those of c. Of an erased one those of filters remain, as its
// record has them.
func (a *analyser) customer(c *customer.Customer) {
	a.reset()
	if c.Status == customer.Erased {
		a.filters(c)
		return
	}
	a.name(c.Name)
	for _, alias := range c.Aliases {
		a.other(alias, true)
	}
	for i := range c.Contacts {
		contact := &c.Contacts[i]
		a.other(contact.Name, true)
		a.phone(contact.Phone, "")
		a.email(contact.Email)
	}
	for i := range c.Addresses {
		a.other(c.Addresses[i].Text, false)
	}
	a.other(c.Note, false)
	for i := range c.Phones {
		a.phone(c.Phones[i].Number, c.Phones[i].E164)
	}
	for i := range c.Emails {
		a.email(c.Emails[i].Address)
	}
	if host := websiteHost(c.Website); host != "" {
		a.add(mailDomain, host)
	}
	a.exact(c)
	a.filters(c)
}

// exact adds the code and the hashed keys.
func (a *analyser) exact(c *customer.Customer) {
	if folded := a.foldKey(c.Code); len(folded) > 0 {
		a.addBytes(exactCode, folded)
	}
	for i := range c.Identifiers {
		a.hashed(c.Identifiers[i].Value)
	}
	for i := range c.SourceKeys {
		a.hashed(c.SourceKeys[i].Key)
	}
}

func (a *analyser) hashed(s string) {
	if folded := a.foldKey(s); len(folded) > 0 {
		a.open(exactKey)
		a.buf = appendHash(a.buf, folded)
		a.close()
	}
}

// foldKey folds s and drops the spaces, that is all but letters and digits. The
// result lasts until the next fold.
func (a *analyser) foldKey(s string) []byte {
	a.folded = text.AppendFold(a.folded[:0], s)
	kept := a.folded[:0]
	for _, c := range a.folded {
		if c != ' ' {
			kept = append(kept, c)
		}
	}
	return kept
}

// appendHash appends 48 bits of an FNV-1a hash: at ten million keys one search in
// thirty million meets a false one.
func appendHash(dst, s []byte) []byte {
	h := uint64(14695981039346656037)
	for _, c := range s {
		h = (h ^ uint64(c)) * 1099511628211
	}
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], h)
	return append(dst, b[:6]...)
}

// scan folds s and cuts it into runs of Han characters and of others; spaces
// are left out. Fold has made a space of all that is neither letter nor digit.
func (a *analyser) scan(s string, limit int) {
	a.folded = text.AppendFold(a.folded[:0], s)
	a.runes, a.runs = a.runes[:0], a.runs[:0]
	open := false // the last run may grow
	for i := 0; i < len(a.folded) && len(a.runes) < limit; {
		r, size := rune(a.folded[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(a.folded[i:])
		}
		i += size
		if r == ' ' {
			open = false
			continue
		}
		han := text.Han(r)
		if !open || a.runs[len(a.runs)-1].han != han {
			a.runs = append(a.runs, run{start: len(a.runes), han: han})
			open = true
		}
		a.runes = append(a.runes, r)
		a.runs[len(a.runs)-1].end = len(a.runes)
	}
}

// name adds the terms of the customer's name.
func (a *analyser) name(s string) {
	a.scan(s, maxNameRunes)
	if len(a.runes) == 0 {
		return
	}
	a.open(nameLength)
	a.buf = append(a.buf, byte(len(a.runes)))
	a.close()
	a.shortenForm()
	a.keepName()
	for i, r := range a.runs {
		runes := a.runes[r.start:r.end]
		if r.han {
			a.hanTerms(nameHan, runes)
			a.pinyinTerms(namePinyin, runes)
		} else {
			a.nameWord(runes)
		}
		if i > 0 {
			continue
		}
		if r.han {
			a.addRune(nameHead, runes[0])
			a.syllables(headPinyin, runes[0], 0)
		} else {
			a.addRunes(headGram, runes[:min(2, len(runes))])
		}
	}
	a.collectInitials()
	a.initialTerms(nameInitial)
	a.headInitials()
}

// shortenForm puts one character in the place of the legal form at the name's end.
func (a *analyser) shortenForm() {
	last := &a.runs[len(a.runs)-1]
	if !last.han {
		return
	}
	if form := formAtEnd(a.runes[last.start:]); form != nil {
		a.runes = append(a.runes[:len(a.runes)-len(form.runes)], form.sign)
		last.end = len(a.runes)
	}
}

func isForm(r rune) bool { return r >= firstForm && r < firstForm+rune(len(formTexts)) }

// other adds the terms of any other text, with its pinyin where that is how
// people type it.
func (a *analyser) other(s string, spoken bool) {
	if s == "" {
		return
	}
	a.scan(s, maxOtherRunes)
	for i := 0; i < len(a.runs); i++ {
		r := a.runs[i]
		runes := a.runes[r.start:r.end]
		if !r.han {
			if i+1 < len(a.runs) && a.runs[i+1].loneAfter(r) {
				i++ // 113号, A座
				runes = a.runes[r.start:a.runs[i].end]
			}
			a.addRunes(otherWord, runes[:min(maxWordRunes, len(runes))])
			continue
		}
		a.hanTerms(otherHan, runes)
		if spoken {
			a.pinyinTerms(otherPinyin, runes)
		}
	}
	if spoken {
		a.collectInitials()
		a.initialTerms(otherInitial)
	}
}

// loneAfter reports whether r is a single Han character right after the word before.
func (r run) loneAfter(before run) bool {
	return r.han && !before.han && r.end-r.start == 1 && r.start == before.end
}

// hanTerms adds each two neighbouring characters, and the last one.
func (a *analyser) hanTerms(space byte, runes []rune) {
	for i := range runes {
		a.addRunes(space, runes[i:min(i+2, len(runes))])
	}
}

// pinyinTerms adds the syllables of each two neighbouring characters, and of the last one.
func (a *analyser) pinyinTerms(space byte, runes []rune) {
	for i, r := range runes {
		var next rune
		if i+1 < len(runes) && !isForm(runes[i+1]) {
			next = runes[i+1]
		}
		if !isForm(r) {
			a.syllables(space, r, next)
		}
	}
}

// syllables adds the readings of two characters in all combinations, or of one.
func (a *analyser) syllables(space byte, r, next rune) {
	for _, first := range readings(r) {
		if next == 0 {
			a.syllable(space, first, "")
			continue
		}
		for _, second := range readings(next) {
			a.syllable(space, first, second)
		}
	}
}

func (a *analyser) syllable(space byte, first, second string) {
	a.open(space)
	a.buf = append(a.buf, first...)
	a.buf = append(a.buf, '\'')
	a.buf = append(a.buf, second...)
	a.close()
}

func readings(r rune) []string {
	all := text.Readings(r)
	return all[:min(maxReadings, len(all))]
}

// nameWord adds the terms of a word of the name.
func (a *analyser) nameWord(runes []rune) {
	runes = runes[:min(maxWordRunes, len(runes))]
	a.addRunes(nameWord, runes)
	a.addRunes(wordGram, runes[:min(2, len(runes))])
	for i := 0; i+2 <= len(runes); i++ {
		a.addRunes(nameGram, runes[i:min(i+3, len(runes))])
	}
}

// collectInitials sets initials to those of the text scanned last: of Han the
// first letters of its readings, and words as they are; of a text without Han the
// first letters of its words.
func (a *analyser) collectInitials() {
	a.initials = a.initials[:0]
	mixed := false
	for _, r := range a.runs {
		mixed = mixed || r.han
	}
	for _, r := range a.runs {
		runes := a.runes[r.start:r.end]
		switch {
		case r.han:
			for _, c := range runes {
				var letters reading
				for _, syllable := range readings(c) {
					letters.add(rune(syllable[0]))
				}
				if letters.n > 0 {
					a.initials = append(a.initials, letters)
				}
			}
		case mixed:
			for _, c := range runes {
				a.initials = append(a.initials, reading{letters: [maxReadings]rune{c}, n: 1})
			}
		default:
			a.initials = append(a.initials, reading{letters: [maxReadings]rune{runes[0]}, n: 1})
		}
	}
	if !mixed && len(a.initials) == 1 {
		a.initials = a.initials[:0]
	}
}

// initialTerms adds each three neighbouring initials and the last two.
func (a *analyser) initialTerms(space byte) {
	for i := range a.initials {
		if i+1 < len(a.initials) {
			a.combine(space, a.initials[i:min(i+3, len(a.initials))])
		}
	}
}

func (a *analyser) headInitials() {
	if len(a.initials) > 0 {
		a.combine(headInitial, a.initials[:min(2, len(a.initials))])
	}
}

// combine adds the initials of up to three characters in all combinations.
func (a *analyser) combine(space byte, of []reading) {
	var none reading
	none.n = 1
	second, third := none, none
	if len(of) > 1 {
		second = of[1]
	}
	if len(of) > 2 {
		third = of[2]
	}
	for _, x := range of[0].letters[:of[0].n] {
		for _, y := range second.letters[:second.n] {
			for _, z := range third.letters[:third.n] {
				a.open(space)
				for _, r := range [3]rune{x, y, z} {
					if r != 0 {
						a.buf = utf8.AppendRune(a.buf, r)
					}
				}
				a.close()
			}
		}
	}
}

// phone adds the digits of a number as given, or better of its E.164 form: four
// from every second position on, the last ones ended by $ when only three are
// left, and the length with the first two for the whole number.
func (a *analyser) phone(given, e164 string) {
	a.number = appendNational(a.number[:0], given, e164)
	d := a.number
	if len(d) < 3 || len(d) > maxPhoneDigits {
		return
	}
	a.open(phoneHead)
	a.buf = append(a.buf, byte(len(d)), d[0], d[1])
	a.close()
	for i := 0; i+3 <= len(d); i += 2 {
		a.open(phoneDigits)
		a.buf = append(a.buf, d[i:min(i+4, len(d))]...)
		if i+3 == len(d) {
			a.buf = append(a.buf, '$')
		}
		a.close()
	}
}

// email adds the parts of an address.
func (a *analyser) email(address string) {
	address = foldAddress(address)
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		a.add(mailbox, address[:at])
		a.add(mailDomain, address[at+1:])
	}
}
