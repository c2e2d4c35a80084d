package credit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/width"
)

func termError(field string, value, most int) error {
	return &Error{Op: "terms", Field: field, Value: strconv.Itoa(value), Remedy: "use a number from 0 to " + strconv.Itoa(most), Err: ErrInvalid}
}

// ParseTerms reads terms of payment. Parts are divided by commas, words by spaces:
//
//	NET30, net 30     30 days after the document's date; NET0, CASH and PREPAID (现结, 预付) are at once
//	EOM, EOM+30       the end of the month, 30 days after it; also 月结, 月结30天
//	EOM@25+30         of months that end on the 25th
//	EOQ+15, EOY       the end of the quarter (季结), of the year (年结)
//	DAY10             the next 10th of a month
//	EOM 1M DAY10      the 10th of the month after that of the end of the month
//	2/10 NET30        2 % off within 10 days; also 2/10 n/30
//	30% NET0, 70% EOM+60
//
// The percents of several parts add up to 100, and no discount ends after the day that all is
// due. Upper and lower case are the same, and so are full and half width.
func ParseTerms(text string) (Terms, error) {
	t, err := readTerms(text)
	if err == nil {
		err = t.checkDiscounts(text)
	}
	if err != nil {
		return Terms{}, err
	}
	return t, nil
}

// readTerms is ParseTerms for terms that are stored: of discounts that end late there may be some
// from before these were refused.
func readTerms(text string) (Terms, error) {
	var t Terms
	parts := strings.Split(width.Narrow.String(text), ",")
	for _, part := range parts {
		p := TermsPart{}
		words := strings.Fields(strings.ToUpper(part))
		if i := slices.Index(words, "NET"); i >= 0 && i+1 < len(words) {
			words = slices.Replace(words, i, i+2, words[i]+words[i+1])
		}
		if len(words) == 0 {
			return Terms{}, badTerms(text, part)
		}
		discounts := len(t.Discounts)
		for _, word := range words {
			before := p
			if !t.parseWord(&p, word) {
				return Terms{}, badTerms(text, word)
			}
			if p.contradicts(before) {
				return Terms{}, wrongTerms(text, fmt.Sprintf("%q contradicts what stands before it", word))
			}
		}
		if len(parts) > 1 && len(t.Discounts)-discounts == len(words) {
			continue // "2/10, NET30": a discount by itself is no part
		}
		if err := p.Rule.check(); err != nil {
			return Terms{}, err
		}
		t.Parts = append(t.Parts, p)
	}
	if err := t.checkPercents(text); err != nil {
		return Terms{}, err
	}
	return t, nil
}

// checkDiscounts wants what is due days after the document to be due no sooner than a discount
// ends: 2/10 alone and 2/40 NET30 lack something or have it wrong.
func (t *Terms) checkDiscounts(text string) error {
	var due DueRule // of the last part
	for _, p := range t.Parts {
		if p.Rule != (DueRule{Days: p.Rule.Days}) {
			return nil
		}
		due.Days = max(due.Days, p.Rule.Days)
	}
	for _, d := range t.Discounts {
		if d.Days > due.Days {
			return wrongTerms(text, fmt.Sprintf("a discount within %d days ends after all is due, %s", d.Days, due))
		}
	}
	return nil
}

// checkPercents wants all parts to have percents that add up to 100. One part needs none.
func (t *Terms) checkPercents(text string) error {
	total := uint64(0)
	for _, p := range t.Parts {
		total += p.Weight
		if p.Weight == 0 && len(t.Parts) > 1 {
			return wrongTerms(text, fmt.Sprintf("the part due %s has no percent", p.Rule))
		}
	}
	if len(t.Parts) == 1 {
		t.Parts[0].Weight = 1
		if total == 0 {
			return nil
		}
	}
	if len(t.Parts) > 0 && total != 100 {
		return wrongTerms(text, fmt.Sprintf("the parts are %d %% together, not 100", total))
	}
	return nil
}

// contradicts reports whether something of a part isn't any more what it was before a word.
func (p TermsPart) contradicts(before TermsPart) bool {
	changed := func(from, to int) bool { return from != 0 && from != to }
	was, is := before.Rule, p.Rule
	return changed(int(before.Weight), int(p.Weight)) || changed(int(was.Statement), int(is.Statement)) || changed(was.CutOff, is.CutOff) ||
		changed(was.Months, is.Months) || changed(was.Day, is.Day) || changed(was.Days, is.Days)
}

func badTerms(text, word string) error {
	return wrongTerms(text, fmt.Sprintf("%q is not understood", strings.TrimSpace(word)))
}

func wrongTerms(text, problem string) error {
	return &Error{Op: "parse terms", Field: "Terms", Value: shorten(text), Problem: problem,
		Remedy: "write for instance NET30, EOM+30, 2/10 NET30, 月结30天, or 30% NET0, 70% NET60", Err: ErrInvalid}
}

// statements are the words for periods; the first of each is how they are written.
var statements = []struct {
	word string
	is   Statement
}{{"EOM", Monthly}, {"EOQ", Quarterly}, {"EOY", Yearly}, {"月结", Monthly}, {"季结", Quarterly}, {"年结", Yearly}}

// atOnce are the words for what is due on the document's date. Whether it must be paid
// before delivery is for the embedder to see to, who knows deliveries.
var atOnce = []string{"CASH", "现结", "PREPAID", "预付"}

// parseWord reads one word of a part, and reports whether it could.
func (t *Terms) parseWord(p *TermsPart, word string) bool {
	if percent, ok := strings.CutSuffix(word, "%"); ok {
		n, err := strconv.ParseUint(percent, 10, 16)
		p.Weight = n
		return err == nil && n > 0
	}
	if rate, days, ok := strings.Cut(word, "/"); ok {
		if rate == "N" {
			return number(days, &p.Rule.Days)
		}
		return t.parseDiscount(rate, days)
	}
	if slices.Contains(atOnce, word) {
		return true
	}
	if days, ok := strings.CutPrefix(word, "NET"); ok {
		return number(days, &p.Rule.Days)
	}
	if day, ok := strings.CutPrefix(word, "DAY"); ok {
		return number(day, &p.Rule.Day) && p.Rule.Day > 0
	}
	if months, ok := strings.CutSuffix(word, "M"); ok && number(months, &p.Rule.Months) {
		return true
	}
	for _, s := range statements {
		if rest, ok := strings.CutPrefix(word, s.word); ok {
			p.Rule.Statement = s.is
			return p.Rule.parseRest(rest)
		}
	}
	if days, ok := strings.CutPrefix(word, "+"); ok {
		return number(days, &p.Rule.Days)
	}
	return false
}

// parseRest reads what follows a statement: a cut-off day, days after it.
func (r *DueRule) parseRest(rest string) bool {
	rest = strings.TrimSuffix(rest, "天")
	days, hasDays := "", false
	if rest, days, hasDays = strings.Cut(rest, "+"); !hasDays && rest != "" && rest[0] != '@' {
		rest, days, hasDays = "", rest, true
	}
	if cut, ok := strings.CutPrefix(rest, "@"); ok && (r.Statement != Monthly || !number(cut, &r.CutOff) || r.CutOff == 0) || !ok && rest != "" {
		return false
	}
	return !hasDays || number(days, &r.Days)
}

func (t *Terms) parseDiscount(rate, days string) bool {
	whole, fraction, _ := strings.Cut(rate, ".")
	if whole == "" || len(fraction) > 2 {
		return false
	}
	points, err := strconv.ParseUint(whole+(fraction + "00")[:2], 10, 16)
	d := DiscountTerm{BasisPoints: points}
	if err != nil || points == 0 || points >= 10_000 || !number(days, &d.Days) {
		return false
	}
	t.Discounts = append(t.Discounts, d)
	return true
}

// number reads a number without a sign, and leaves it as it was for what is none.
func number(text string, to *int) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	if err == nil {
		*to = int(n)
	}
	return err == nil
}

// String writes terms as ParseTerms reads them, given that weights of several parts are
// percents.
func (t Terms) String() string {
	var b strings.Builder
	for _, d := range t.Discounts {
		fmt.Fprintf(&b, "%d", d.BasisPoints/100)
		if rest := d.BasisPoints % 100; rest > 0 {
			fmt.Fprintf(&b, ".%02d", rest)
		}
		fmt.Fprintf(&b, "/%d ", d.Days)
	}
	for i, p := range t.Parts {
		if i > 0 {
			b.WriteString(", ")
		}
		if len(t.Parts) > 1 {
			fmt.Fprintf(&b, "%d%% ", p.Weight)
		}
		b.WriteString(p.Rule.String())
	}
	if len(t.Parts) == 0 {
		b.WriteString("NET0")
	}
	return b.String()
}

// String writes a rule as ParseTerms reads it.
func (r DueRule) String() string {
	if r.Statement == NoStatement && r.Months == 0 && r.Day == 0 {
		return "NET" + strconv.Itoa(r.Days)
	}
	var words []string
	for _, s := range statements {
		if s.is != r.Statement {
			continue
		}
		word := s.word
		if r.CutOff > 0 {
			word += "@" + strconv.Itoa(r.CutOff)
		}
		words = append(words, word)
		break
	}
	if r.Months > 0 {
		words = append(words, strconv.Itoa(r.Months)+"M")
	}
	if r.Day > 0 {
		words = append(words, "DAY"+strconv.Itoa(r.Day))
	}
	if r.Days > 0 {
		words = append(words, "+"+strconv.Itoa(r.Days))
	}
	return strings.Join(words, " ")
}
