package search

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/clientele-go/clientele/internal/phone"
	"github.com/clientele-go/clientele/internal/text"
)

// plan is a text ready to be matched.
type plan struct {
	matcher matcher    // nil when nothing can match
	list    bool       // the text is empty
	several bool       // the text has several words
	words   []*wordRun // that may be misspelled
	atoms   []matcher  // the parts of which some must match in a partial match
}

// compile reads a text. It refuses what [Query] doesn't allow.
func compile(query string) (*plan, error) {
	if err := checkText(query); err != nil {
		return nil, err
	}
	fields := strings.Fields(query)
	if len(fields) == 0 {
		return &plan{list: true}, nil
	}
	c := compiler{}
	var units []matcher
	for i := 0; i < len(fields); {
		n := letterWords(fields[i:])
		unit := c.phrase(fields[i : i+max(1, n)])
		if unit != nil {
			units = append(units, unit)
		}
		i += max(1, n)
	}
	if c.runs > MaxWords {
		return nil, queryError("Text", query, fmt.Sprintf("has more than %d words", MaxWords), "shorten it")
	}
	c.plan.several = len(units) > 1
	return c.finish(query, len(fields) > 1, units), nil
}

// compiler collects what goes across the words of a text.
type compiler struct {
	plan     plan
	analyser analyser
	runs     int
	length   int // characters so far
}

// finish joins the words, and adds what a text with spaces may be as a whole.
func (c *compiler) finish(query string, spaced bool, units []matcher) *plan {
	var ways either
	if len(units) > 0 {
		ways = append(ways, every(units))
	}
	if spaced {
		if m := joined(query); m != nil {
			ways = append(ways, m)
		}
	}
	if spaced || len(units) == 0 {
		ways = append(ways, c.wholes(query)...)
	}
	if len(ways) > 0 {
		c.plan.matcher = wholeName{ways, string([]byte{byte(min(c.length, maxNameRunes))})}
	}
	return &c.plan
}

// joined compiles a text with spaces as one word if it has Han characters, beside
// which spaces mean nothing: 一 段 is in 一段.
func joined(query string) matcher {
	if !strings.ContainsFunc(query, text.Han) {
		return nil
	}
	var c compiler
	return c.word(query)
}

// letterWords counts the fields in front that are letters a to z only.
func letterWords(fields []string) int {
	for i, f := range fields {
		if strings.Trim(strings.ToLower(f), "abcdefghijklmnopqrstuvwxyz") != "" {
			return i
		}
	}
	return len(fields)
}

// phrase compiles a word, or several words of letters, which may be the pinyin
// syllables of one name.
func (c *compiler) phrase(fields []string) matcher {
	first := c.runs == 0
	var words every
	for _, f := range fields {
		if m := c.word(f); m != nil {
			words = append(words, m)
		}
	}
	switch len(words) {
	case 0:
		return nil
	case 1:
		return words[0]
	}
	if m := newPhrase(fields, first); m != nil {
		return either{words, m}
	}
	return words
}

// newPhrase reads words as syllables; each word must be whole ones, but the last may end early.
func newPhrase(fields []string, first bool) matcher {
	rows := [][]string{nil}
	for i, f := range fields {
		var longer [][]string
		for _, part := range splitPinyin(strings.ToLower(f), i+1 < len(fields)) {
			for _, row := range rows {
				longer = append(longer, append(row[:len(row):len(row)], part...))
			}
		}
		rows = longer[:min(maxSplits, len(longer))]
	}
	return newSpelled(rows, first)
}

func newSpelled(rows [][]string, first bool) matcher {
	if len(rows) == 0 {
		return nil
	}
	m := spelled{standing: standing{first}}
	for _, row := range rows {
		m.splits = append(m.splits, newSplit(row))
	}
	return m
}

// word compiles what stands between spaces: its runs one after the other, or what
// it may be as a whole.
func (c *compiler) word(field string) matcher {
	if box, domain, ok := strings.Cut(foldAddress(field), "@"); ok {
		return c.mail(box, domain)
	}
	a := &c.analyser
	a.scan(field, MaxTextRunes)
	var runs every
	for i := 0; i < len(a.runs); i++ {
		m := c.run(a.runs[i])
		if i+1 < len(a.runs) && a.runs[i+1].loneAfter(a.runs[i]) {
			joined := string(a.runes[a.runs[i].start:a.runs[i+1].end])
			i++
			m = pair{m, c.run(a.runs[i]), joined}
		}
		runs = append(runs, m)
	}
	c.length += len(a.runes)
	if len(runs) == 0 {
		return nil
	}
	ways := either{runs}
	if len(runs) > 1 && !a.parted() {
		ways[0] = unbroken{runs}
	}
	return append(ways, c.wholes(field)...)
}

// parted reports whether signs stand between the runs of the text scanned last.
func (a *analyser) parted() bool {
	for i := range len(a.runs) - 1 {
		if a.runs[i].han == a.runs[i+1].han {
			return true
		}
	}
	return false
}

func (c *compiler) mail(box, domain string) matcher {
	c.runs++
	if box == "" && domain == "" {
		return nil
	}
	m := mail{box, domain}
	c.plan.atoms = append(c.plan.atoms, m)
	return m
}

// wholes returns what a text without regard to its spaces may be: a code or an
// identifier, a phone number, a part of an e-mail address.
func (c *compiler) wholes(query string) []matcher {
	var ways []matcher
	if folded := c.analyser.foldKey(query); len(folded) > 0 {
		ways = append(ways, keyed{string(folded), string(appendHash(nil, folded))})
	}
	if readings := phoneReadings(query); len(readings) > 0 {
		ways = append(ways, number{readings})
	}
	if host := websiteHost(query); len(host) >= 3 && !strings.ContainsFunc(host, outsideAddress) {
		ways = append(ways, address{host})
	}
	return ways
}

const addressBytes = "abcdefghijklmnopqrstuvwxyz0123456789._-+"

// outsideAddress tells characters that no part of an address has; Han characters are
// looked for in names and texts only.
func outsideAddress(r rune) bool {
	return r < utf8.RuneSelf && !strings.ContainsRune(addressBytes, r) || text.Han(r)
}

// run compiles a run of the word scanned last.
func (c *compiler) run(r run) matcher {
	first := c.runs == 0
	c.runs++
	runes := append([]rune(nil), c.analyser.runes[r.start:r.end]...)
	if r.han {
		c.hanAtoms(runes)
		return newHanRun(runes, first)
	}
	w := &wordRun{standing: standing{first}, runes: runes[:min(maxWordRunes, len(runes))]}
	w.text = string(w.runes)
	w.numeric = strings.Trim(w.text, "0123456789") == ""
	ways := either{w}
	if !w.numeric {
		c.plan.words = append(c.plan.words, w)
		ways = append(ways, newInitials(runes, first))
		if m := newSpelled(splitPinyin(w.text, false), first); m != nil {
			ways = append(ways, m)
		}
	}
	c.plan.atoms = append(c.plan.atoms, ways)
	return ways
}

func (c *compiler) hanAtoms(runes []rune) {
	if len(runes) == 1 {
		c.plan.atoms = append(c.plan.atoms, newHanRun(runes, false))
	}
	for i := 0; i+2 <= len(runes); i++ {
		c.plan.atoms = append(c.plan.atoms, newHanRun(runes[i:i+2], false))
	}
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// phoneReadings returns the national numbers, or parts of them, that a text of
// digits and the signs between them may mean.
func phoneReadings(query string) []string {
	query = norm.NFKC.String(query)
	if i := strings.IndexByte(query, '#'); i >= 0 {
		query = query[:i] // an extension
	}
	if number, extension := phone.CutExtension(query); strings.HasSuffix(query, extension) {
		query = number
	}
	if strings.Trim(query, "0123456789 +-()./‐–—") != "" {
		return nil
	}
	given := strings.TrimSpace(query)
	national, all := string(appendNational(nil, given, "")), onlyDigits(given)
	var readings []string
	add := func(digits string) {
		if 3 <= len(digits) && len(digits) <= maxPhoneDigits && !slices.Contains(readings, digits) {
			readings = append(readings, digits)
		}
	}
	add(national)
	add(all) // a part may begin with zeros
	if n := callingCode(all); all == national && len(all) >= n+7 {
		add(all[n:]) // 86 138 …, a country code without a sign of it
	}
	return readings
}
