package search

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/text"
)

// Fragment is a text of a customer with the places that a query found.
type Fragment struct {
	Field string // "name", "alias", "code", "identifier", "source key", "phone", "email", "address", "contact", "website" or "note"
	Text  string // as in the record; of a long note the part with the first mark
	Marks []Mark // in order, not overlapping
}

// Mark is a stretch of a fragment's text, in bytes, the end excluded.
type Mark struct{ Start, End int }

// Highlighter marks in customers what a text finds in them. It works on the
// record and needs no index, which therefore stores names only. It may be used by
// several goroutines.
type Highlighter struct {
	runs    [][]rune   // Han runs and words
	rows    [][]string // pinyin
	letters [][]rune   // initials
	digits  []string   // parts of phone numbers
	whole   string     // the text without spaces, as a code or identifier
}

// NewHighlighter returns a highlighter for a query's text. It refuses what Search refuses.
func NewHighlighter(query string) (*Highlighter, error) {
	if err := checkText(query); err != nil {
		return nil, err
	}
	h := &Highlighter{digits: phoneReadings(query)}
	var a analyser
	h.whole = string(a.foldKey(query))
	fields := strings.Fields(query)
	for _, f := range fields {
		if f != query {
			h.digits = append(h.digits, phoneReadings(f)...)
		}
		a.scan(f, MaxTextRunes)
		for _, r := range a.runs {
			runes := slices.Clone(a.runes[r.start:r.end])
			h.runs = append(h.runs, runes)
			if !r.han && strings.Trim(string(runes), "0123456789") != "" {
				h.letters = append(h.letters, runes)
				h.rows = append(h.rows, splitPinyin(string(runes), false)...)
			}
		}
	}
	if n := letterWords(fields); n > 1 {
		if m, ok := newPhrase(fields[:n], true).(spelled); ok {
			for i := range m.splits {
				h.rows = append(h.rows, m.splits[i].syllables)
			}
		}
	}
	return h, nil
}

// Fragments returns the texts of c in which the query's text is found, the name first.
func (h *Highlighter) Fragments(c *customer.Customer) []Fragment {
	m := marker{h: h}
	m.named("name", c.Name)
	for _, alias := range c.Aliases {
		m.named("alias", alias)
	}
	m.key("code", c.Code)
	for i := range c.Identifiers {
		m.key("identifier", c.Identifiers[i].Value)
	}
	for i := range c.SourceKeys {
		m.key("source key", c.SourceKeys[i].Key)
	}
	for i := range c.Phones {
		m.phone("phone", c.Phones[i].Number)
	}
	for i := range c.Emails {
		m.plain("email", c.Emails[i].Address)
	}
	for i := range c.Addresses {
		m.plain("address", c.Addresses[i].Text)
	}
	for i := range c.Contacts {
		m.named("contact", c.Contacts[i].Name)
		m.phone("contact", c.Contacts[i].Phone)
		m.plain("contact", c.Contacts[i].Email)
	}
	m.plain("website", c.Website)
	m.plain("note", c.Note)
	return m.fragments
}

// marker collects the fragments of one customer.
type marker struct {
	h         *Highlighter
	fragments []Fragment
	letters   []letter
}

// letter is a folded character and where it comes from.
type letter struct {
	r          rune
	start, end int
	opens      bool // it begins a word, or is Han
}

// scan folds s character by character, with the marks on it, so that each keeps its place.
func (m *marker) scan(s string) {
	m.letters = m.letters[:0]
	gap, wasHan := true, false
	var buf [16]byte
	for i, end := 0, 0; i < len(s); i = end {
		end = characterEnd(s, i)
		folded := string(text.AppendFold(buf[:0], s[i:end]))
		if folded == "" {
			gap = gap || divides(s[i:end])
			continue
		}
		for _, f := range folded {
			han := text.Han(f)
			m.letters = append(m.letters, letter{f, i, end, gap || han || wasHan})
			gap, wasHan = false, han
		}
	}
}

// characterEnd returns where the character at i ends, the combining marks on it included.
func characterEnd(s string, i int) int {
	_, n := utf8.DecodeRuneInString(s[i:])
	for end := i + n; ; end += n {
		var r rune
		if r, n = utf8.DecodeRuneInString(s[end:]); r < 0x300 || !unicode.Is(unicode.M, r) {
			return end
		}
	}
}

// divides reports whether a character that folds to nothing stands between two words: an
// apostrophe and a joiner don't.
func divides(s string) bool {
	var buf [16]byte
	return string(text.AppendFold(buf[:0], "a"+s+"b")) != "ab"
}

// add adds a fragment if anything is marked.
func (m *marker) add(field, s string, marks []Mark) {
	if len(marks) == 0 {
		return
	}
	slices.SortFunc(marks, func(a, b Mark) int { return cmp.Or(a.Start-b.Start, b.End-a.End) })
	joined := marks[:1]
	for _, mark := range marks[1:] {
		if last := &joined[len(joined)-1]; mark.Start <= last.End {
			last.End = max(last.End, mark.End)
		} else {
			joined = append(joined, mark)
		}
	}
	m.fragments = append(m.fragments, cut(Fragment{field, s, joined}))
}

const (
	longText  = 400 // bytes from which on a text is cut
	beforeCut = 60  // bytes kept before the first mark
)

// cut shortens a long text to the part around its first mark.
func cut(f Fragment) Fragment {
	if len(f.Text) <= longText {
		return f
	}
	start := max(0, f.Marks[0].Start-beforeCut)
	end := min(len(f.Text), start+longText)
	for start > 0 && !utf8.RuneStart(f.Text[start]) {
		start--
	}
	for end < len(f.Text) && !utf8.RuneStart(f.Text[end]) {
		end++
	}
	short := Fragment{Field: f.Field, Text: f.Text[start:end]}
	for _, mark := range f.Marks {
		if mark.Start < end {
			short.Marks = append(short.Marks, Mark{mark.Start - start, min(mark.End, end) - start})
		}
	}
	return short
}

// plain marks what stands in s as it stands in the query.
func (m *marker) plain(field, s string) {
	if s != "" {
		m.scan(s)
		m.add(field, s, m.literal())
	}
}

// named also marks what is spelled in pinyin or initials.
func (m *marker) named(field, s string) {
	if s == "" {
		return
	}
	m.scan(s)
	marks := m.literal()
	for _, row := range m.h.rows {
		marks = m.every(marks, func(i int) int { return m.pinyin(i, row) })
	}
	if len(marks) == 0 {
		for _, letters := range m.h.letters {
			marks = m.every(marks, func(i int) int { return m.initials(i, letters) })
		}
	}
	m.add(field, s, marks)
}

func (m *marker) literal() []Mark {
	var marks []Mark
	for _, run := range m.h.runs {
		marks = m.every(marks, func(i int) int { return m.run(i, run) })
	}
	return marks
}

// every marks all places at which match finds some letters.
func (m *marker) every(marks []Mark, match func(i int) int) []Mark {
	for i := range m.letters {
		if n := match(i); n > 0 {
			marks = append(marks, Mark{m.letters[i].start, m.letters[i+n-1].end})
		}
	}
	return marks
}

// run reports how many letters from i on are the run: all or none.
func (m *marker) run(i int, run []rune) int {
	if i+len(run) > len(m.letters) {
		return 0
	}
	for j, r := range run {
		if l := m.letters[i+j]; l.r != r || j > 0 && l.opens && !text.Han(r) {
			return 0
		}
	}
	return len(run)
}

// pinyin reports how many letters from i on sound like the row; the last syllable
// may be the beginning of one.
func (m *marker) pinyin(i int, row []string) int {
	if i+len(row) > len(m.letters) {
		return 0
	}
	for j, syllable := range row {
		last := j+1 == len(row)
		if !slices.ContainsFunc(readings(m.letters[i+j].r), func(s string) bool {
			return s == syllable || last && strings.HasPrefix(s, syllable)
		}) {
			return 0
		}
	}
	return len(row)
}

// initials reports how many letters from i on have the initials: Han characters one
// each, words one each or all of theirs.
func (m *marker) initials(i int, letters []rune) int {
	if !m.letters[i].opens {
		return 0
	}
	at := i
	for _, want := range letters {
		if at == len(m.letters) || !m.begins(at, want) {
			if at = m.nextWord(at); at == len(m.letters) || !m.begins(at, want) {
				return 0
			}
		}
		at++
	}
	return at - i
}

// begins reports whether the letter at i is, or as Han is spelled with, want at the front.
func (m *marker) begins(i int, want rune) bool {
	l := m.letters[i]
	if !text.Han(l.r) {
		return l.r == want
	}
	return slices.ContainsFunc(readings(l.r), func(s string) bool { return rune(s[0]) == want })
}

func (m *marker) nextWord(i int) int {
	for i < len(m.letters) && !m.letters[i].opens {
		i++
	}
	return i
}

// key marks the whole of a code or identifier, or the beginning of a code.
func (m *marker) key(field, s string) {
	if m.h.whole == "" {
		return
	}
	m.scan(s)
	var folded strings.Builder
	for i := range m.letters {
		folded.WriteRune(m.letters[i].r)
		if folded.String() == m.h.whole && (field == "code" || i == len(m.letters)-1) {
			m.add(field, s, []Mark{{m.letters[0].start, m.letters[i].end}})
		}
	}
}

// phone marks digits of a number, however it is written.
func (m *marker) phone(field, s string) {
	var digits []byte
	var at []Mark
	for i, r := range s {
		if '０' <= r && r <= '９' {
			r -= '０' - '0'
		}
		if '0' <= r && r <= '9' {
			_, n := utf8.DecodeRuneInString(s[i:])
			digits, at = append(digits, byte(r)), append(at, Mark{i, i + n})
		}
	}
	var marks []Mark
	for _, d := range m.h.digits {
		if i := strings.Index(string(digits), d); i >= 0 {
			marks = append(marks, Mark{at[i].Start, at[i+len(d)-1].End})
		}
	}
	m.add(field, s, marks)
}
