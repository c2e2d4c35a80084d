package exchange

import (
	"slices"
	"strings"
	"unicode"

	"github.com/clientele-go/clientele/customer/exchange/tabular"
	"github.com/clientele-go/clientele/internal/phone"
	"github.com/clientele-go/clientele/internal/region"
	"github.com/clientele-go/clientele/internal/text"
)

// Confidence of a guess, by what it rests on.
const (
	byHeading = 0.95 // the heading is one that the field is known by
	byPart    = 0.7  // the heading has one within
	byContent = 0.6  // what the cells hold
	inDoubt   = 0.5  // the heading fits and the cells don't
)

// sample is the beginning of a file.
type sample struct {
	rows []tabular.Row // that are not blank, with cells of their own
}

// guesser guesses what columns hold.
type guesser struct {
	fields  []FieldSpec
	known   map[string]Field // by folded heading
	valid   func(raw string) []string
	country string
	// customers: columns whose headings say nothing may be guessed by what they hold.
	customers bool
}

func newGuesser(fields []FieldSpec, valid func(string) []string) *guesser {
	g := &guesser{fields: fields, known: map[string]Field{}, valid: valid}
	for _, f := range fields {
		if f.Field == StatusOf {
			continue // exported only
		}
		for _, h := range f.known {
			if _, taken := g.known[h]; !taken {
				g.known[h] = f.Field
			}
		}
	}
	return g
}

// heading returns the field that a heading names, and how sure that is.
func (g *guesser) heading(heading string) (Field, float64) {
	folded := text.Fold(strings.Trim(heading, "*＊"))
	if i := strings.IndexAny(heading, "(（[【"); i > 0 {
		folded = text.Fold(strings.Trim(heading[:i], "*＊"))
	}
	if f, ok := g.known[folded]; ok {
		return f, byHeading
	}
	best, field := "", Field("")
	for known, f := range g.known {
		// One character, or one word such as "no" or "type", proves nothing.
		if len(known) < 5 || len(known) < len(best) || !strings.Contains(folded, known) {
			continue
		}
		if len(known) > len(best) || known < best {
			best, field = known, f
		}
	}
	if field == "" {
		return "", 0
	}
	return field, byPart
}

// headerRows is within how many rows the headings are looked for.
const headerRows = 20

// header finds the headings: the row that has the most cells which name fields, with the
// row above or below it where cells are merged into groups. It returns 0 rows when the
// first row looks like data.
func (g *guesser) header(s sample) (first, rows int, headings []string) {
	best, most := -1, 0
	for i := range s.rows[:min(len(s.rows), headerRows)] {
		if n := g.named(&s.rows[i]); n > most {
			best, most = i, n
		}
	}
	if best < 0 {
		if len(s.rows) < 2 || !looksLikeHeadings(&s.rows[0]) || looksLikeHeadings(&s.rows[1]) {
			return 0, 0, nil
		}
		best = 0
	}
	begin, end := best, best+1
	if best > 0 && grouped(&s.rows[best-1]) && s.rows[best-1].Number+1 == s.rows[best].Number {
		begin--
	} else if end < len(s.rows) && (grouped(&s.rows[best]) || continues(&s.rows[end])) && s.rows[best].Number+1 == s.rows[end].Number && looksLikeHeadings(&s.rows[end]) {
		end++
	}
	for _, row := range s.rows[begin:end] {
		for i, c := range row.Cells {
			if i == len(headings) {
				headings = append(headings, "")
			}
			if h := strings.TrimSpace(c.Text); h != headings[i] {
				headings[i] = g.joined(headings[i], h)
			}
		}
	}
	return s.rows[begin].Number, end - begin, headings
}

// joined is the heading of a column with two of them: the lower one, unless only both
// together, or the upper one, name a field.
func (g *guesser) joined(upper, lower string) string {
	if upper == "" {
		return lower
	}
	if lower == "" {
		return upper
	}
	if _, sure := g.heading(upper + lower); sure == byHeading {
		return upper + lower
	}
	return upper + " " + lower
}

// named counts the distinct fields that the row's cells name.
func (g *guesser) named(row *tabular.Row) int {
	var seen []Field
	for _, c := range row.Cells {
		if f, sure := g.heading(c.Text); sure == byHeading && !slices.Contains(seen, f) {
			seen = append(seen, f)
		}
	}
	return len(seen)
}

// grouped reports whether a row has cells merged sideways, but not all into one title.
func grouped(row *tabular.Row) bool {
	merged, distinct := false, map[string]bool{}
	for _, c := range row.Cells {
		merged = merged || c.Merged
		if c.Text != "" {
			distinct[c.Text] = true
		}
	}
	return merged && len(distinct) > 1
}

// continues reports whether a row has cells merged with those above.
func continues(row *tabular.Row) bool {
	return slices.ContainsFunc(row.Cells, func(c tabular.Cell) bool { return c.Merged })
}

// looksLikeHeadings reports whether all cells are short texts without digits.
func looksLikeHeadings(row *tabular.Row) bool {
	n := 0
	for _, c := range row.Cells {
		if c.Text == "" {
			continue
		}
		n++
		if c.Kind != tabular.Text || len([]rune(c.Text)) > 30 || strings.ContainsFunc(c.Text, unicode.IsDigit) {
			return false
		}
	}
	return n > 1
}

// columns maps columns by their headings and by what the rows hold.
func (g *guesser) columns(headings []string, rows []tabular.Row) []Column {
	width := len(headings)
	for _, row := range rows {
		width = max(width, len(row.Cells))
	}
	list := make([]Column, width)
	for i := range list {
		c := &list[i]
		c.Column = i + 1
		if i < len(headings) {
			c.Heading = headings[i]
			if headsRejects(c.Heading) {
				continue
			}
			c.Field, c.Confidence = g.split(headings[i])
		}
		g.weigh(c, values(rows, i))
	}
	g.settle(list)
	return list
}

// split guesses by a heading, or by the lower part of one that two rows make up.
func (g *guesser) split(heading string) (Field, float64) {
	f, sure := g.heading(heading)
	if i := strings.LastIndexByte(heading, ' '); sure < byHeading && i > 0 {
		if lower, lowerSure := g.heading(heading[i+1:]); lowerSure > sure {
			return lower, lowerSure
		}
	}
	return f, sure
}

func values(rows []tabular.Row, column int) []string {
	var list []string
	for _, row := range rows {
		if column < len(row.Cells) {
			if v := strings.TrimSpace(row.Cells[column].Text); v != "" {
				list = append(list, v)
			}
		}
	}
	return list
}

// share returns how much of the values something holds for.
func share(values []string, is func(string) bool) float64 {
	n := 0
	for _, v := range values {
		if is(v) {
			n++
		}
	}
	return float64(n) / float64(max(len(values), 1))
}

// weigh corrects a guess by the column's values.
func (g *guesser) weigh(c *Column, values []string) {
	if len(values) == 0 {
		return
	}
	if scheme, ok := c.Field.under(identifierOf); ok || c.Field == AnyIdentifier {
		g.weighIdentifier(c, scheme, values)
		return
	}
	looks := map[Field]func(string) bool{
		Phone: g.isPhone, Email: isEmail, Address: isAddress, Website: isWebsite,
	}
	kind := c.Field
	for f := range looks {
		if _, ok := c.Field.under(string(f) + "."); ok {
			kind = f
		}
	}
	switch {
	case c.Field == "" && !g.customers:
	case c.Field == "" && share(values, short) > 0.6: // anything may be the number of somebody
	case c.Field == "":
		for _, f := range []Field{Email, Website, Phone, Address, Name} {
			is := looks[f]
			if f == Name {
				is = isName
			}
			if share(values, is) > 0.6 {
				c.Field, c.Confidence = f, byContent
				return
			}
		}
		if found := schemeOf(values, g.checked); found != "" {
			c.Field, c.Confidence = Field(identifierOf+found), byContent
		}
	case (kind == Phone || kind == Email) && share(values, looks[kind]) < 0.2:
		c.Confidence = inDoubt
		if kind == Phone && share(values, isName) > 0.6 {
			c.Field = ""
		}
	}
}

// weighIdentifier finds the scheme of a column that is headed "tax id" or the like, and
// doubts one that no value is valid in.
func (g *guesser) weighIdentifier(c *Column, scheme string, values []string) {
	found := schemeOf(values, g.checked)
	if found == "" && c.Field == AnyIdentifier {
		found = schemeOf(values, g.valid)
	}
	switch {
	case found == "" && c.Field != AnyIdentifier && share(values, func(v string) bool { return slices.Contains(g.valid(v), scheme) }) < 0.2:
		c.Confidence = inDoubt
	case found != "" && c.Field == AnyIdentifier:
		c.Field = Field(identifierOf + found)
	case found != "" && found != scheme && share(values, func(v string) bool { return slices.Contains(g.valid(v), scheme) }) < 0.2:
		c.Field, c.Confidence = Field(identifierOf+found), byPart
	}
}

// checked returns the schemes that a value is valid in by its check digit: those in which
// it isn't valid with another digit. In others amounts and serial numbers are valid, too.
func (g *guesser) checked(v string) []string {
	at := strings.IndexAny(v[len(v)/2:], "0123456789")
	if at < 0 {
		return nil
	}
	other := []byte(v)
	digit := &other[len(v)/2+at]
	*digit = '0' + (*digit-'0'+1)%10
	anyway := g.valid(string(other))
	return slices.DeleteFunc(g.valid(v), func(scheme string) bool { return slices.Contains(anyway, scheme) })
}

// schemeOf returns the strictest scheme that most values are valid in.
func schemeOf(values []string, valid func(string) []string) string {
	counts := map[string]int{}
	var order []string
	for _, v := range values {
		for _, scheme := range valid(v) {
			if counts[scheme] == 0 {
				order = append(order, scheme)
			}
			counts[scheme]++
		}
	}
	best := ""
	for _, scheme := range order {
		if counts[scheme]*10 >= len(values)*7 && (best == "" || counts[scheme] > counts[best]) {
			best = scheme
		}
	}
	return best
}

func (g *guesser) isPhone(v string) bool {
	for _, country := range []string{g.country, "CN", "TW"} {
		if _, err := phone.Parse(v, country); err == nil {
			return true
		}
	}
	return false
}

// short reports whether a value is too short to tell what it is.
func short(v string) bool { return len(v) < 5 }

// isEmail reports whether a value is an address, or several.
func isEmail(v string) bool {
	list := parts(v, emailSeparators)
	return len(list) > 0 && !slices.ContainsFunc(list, func(v string) bool {
		at := strings.LastIndexByte(v, '@')
		return at <= 0 || !strings.Contains(v[at:], ".") || strings.Contains(v, "://")
	})
}

func isWebsite(v string) bool {
	return strings.HasPrefix(v, "http://") || strings.HasPrefix(v, "https://") || strings.HasPrefix(v, "www.")
}

func isAddress(v string) bool {
	p, ok := region.Parse(v)
	return ok && p.City != "" && strings.ContainsFunc(v, unicode.IsDigit)
}

// isName reports whether a value is an organisation's name.
func isName(v string) bool {
	_, form := text.LegalForm(v)
	return form != ""
}

// settle lets one column have a field that a customer has once: the surest. A second name
// is an alias.
func (g *guesser) settle(list []Column) {
	best := map[Field]int{}
	for i, c := range list {
		if c.Field == "" || !slices.Contains(single, c.Field) && !isSingle(c.Field) {
			continue
		}
		first, taken := best[c.Field]
		if !taken {
			best[c.Field] = i
			continue
		}
		if c.Confidence > list[first].Confidence {
			best[c.Field] = i
		} else {
			first = i
		}
		loser := &list[first]
		if loser.Field = ""; c.Field == Name {
			loser.Field = Alias
		}
		loser.Confidence = min(loser.Confidence, inDoubt)
	}
}
