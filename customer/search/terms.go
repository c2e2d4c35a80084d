package search

import "unicode/utf8"

// Every term of the index stands in one Bleve field and opens with a byte, its
// space, that tells what it is. One field means one dictionary, one map of terms
// for a document and one pass in a merge. Texts are folded (see internal/text),
// so that script, letter case and width don't matter.
//
//	space        term                                  of
//	nameHan      two characters, or a run's last one    the name's Han runs
//	nameHead     the first character                    a name that opens with Han
//	namePinyin   two syllables "tai'wan", last "ni'"    the name's Han runs
//	headPinyin   the first syllable "tai'"              a name that opens with Han
//	nameInitial  three initials, and the last two       the name's initials (助记码)
//	headInitial  the first two initials                 the name's initials
//	nameGram     three letters, and the last two        the name's words
//	wordGram     the first two letters                  each word of the name
//	headGram     the first two letters                  a name that opens with a word
//	nameWord     a word                                 the name, for typing errors
//	nameLength   the number of characters in one byte   the name
//	otherHan     like nameHan                           aliases, contacts, addresses, note
//	otherPinyin  like namePinyin                        aliases, contacts
//	otherInitial like nameInitial                       aliases, contacts
//	otherWord    a word, or a word and one Han          aliases, contacts, addresses, note
//	phoneDigits  four digits, or the last three "$"     national phone numbers
//	phoneHead    the length and the first two digits    national phone numbers
//	exactCode    letters and digits                     the code
//	exactKey     six bytes of hash                      identifiers, keys of other systems
//	mailbox      what stands before the @               e-mail addresses
//	mailDomain   acme.com.tw                            e-mail addresses, the website
//	filterTerm   a letter and a value, see filter.go    status, kind, owner, ...
const (
	nameHan      = 'n'
	nameHead     = 'N'
	namePinyin   = 'p'
	headPinyin   = 'P'
	nameInitial  = 'i'
	headInitial  = 'I'
	nameGram     = 'g'
	wordGram     = 'G'
	headGram     = 'H'
	nameWord     = 'w'
	nameLength   = 'l'
	otherHan     = 'o'
	otherPinyin  = 'q'
	otherInitial = 'j'
	otherWord    = 'x'
	phoneDigits  = 'd'
	phoneHead    = 'D'
	exactCode    = 'c'
	exactKey     = 'k'
	mailbox      = 'e'
	mailDomain   = 'h'
	filterTerm   = 'f'
)

// terms collects the terms of a document one after the other in one buffer.
type terms struct {
	buf    []byte
	ends   []int32
	stored []byte // the name, see name.go
}

func (t *terms) reset() { t.buf, t.ends, t.stored = t.buf[:0], t.ends[:0], t.stored[:0] }

// open starts a term, close ends it; what is appended to buf between them is the term.
func (t *terms) open(space byte) { t.buf = append(t.buf, space) }
func (t *terms) close()          { t.ends = append(t.ends, int32(len(t.buf))) }

func (t *terms) add(space byte, s string) {
	t.open(space)
	t.buf = append(t.buf, s...)
	t.close()
}

func (t *terms) addBytes(space byte, s []byte) {
	t.open(space)
	t.buf = append(t.buf, s...)
	t.close()
}

func (t *terms) addRune(space byte, r rune) {
	t.open(space)
	t.buf = utf8.AppendRune(t.buf, r)
	t.close()
}

func (t *terms) addRunes(space byte, runes []rune) {
	t.open(space)
	for _, r := range runes {
		t.buf = utf8.AppendRune(t.buf, r)
	}
	t.close()
}
