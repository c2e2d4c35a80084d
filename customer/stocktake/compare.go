package stocktake

import (
	"cmp"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage/bitset"
)

// compare puts the counted beside another system's list. Which row is which customer is
// decided of the book as it is now.
func (c *count) compare() error {
	ask := c.ask.Compare
	if ask == nil {
		return nil
	}
	if c.session.Link == nil {
		return invalid(opCount, "Compare", ask.Name, "this book can't link lists")
	}
	var rows []customer.Draft
	for d, err := range ask.Rows {
		if err != nil {
			return err
		}
		rows = append(rows, d)
	}
	links, err := c.session.Link(c.ctx, each(rows))
	if err != nil {
		return err
	}
	x := &comparing{count: c, rows: rows, found: make([]int, len(rows)), matched: &bitset.Set{}, result: &Comparison{Name: ask.Name, Rows: int64(len(rows))}, differing: map[string]*Difference{}}
	if x.schema, err = c.all.Schema(); err != nil {
		return err
	}
	for _, link := range links {
		if err := x.take(link); err != nil {
			return err
		}
	}
	x.finish()
	c.result.Comparison = x.result
	return nil
}

func each(rows []customer.Draft) iter.Seq2[customer.Draft, error] {
	return func(yield func(customer.Draft, error) bool) {
		for _, d := range rows {
			if !yield(d, nil) {
				return
			}
		}
	}
}

// What is known of a row of the list.
const (
	rowUnknown = iota
	rowDoubtful
	rowRepeated
	rowMatched
)

// comparing is a comparison being made.
type comparing struct {
	*count
	rows      []customer.Draft
	found     []int
	matched   *bitset.Set
	schema    *customer.Schema
	result    *Comparison
	differing map[string]*Difference
}

func (x *comparing) take(link Linked) error {
	if link.Row < 0 || link.Row >= len(x.rows) || !x.closing().Contains(uint64(link.Customer)) {
		return nil
	}
	state := &x.found[link.Row]
	switch {
	case !link.Sure:
		*state = max(*state, rowDoubtful)
	case x.matched.Contains(uint64(link.Customer)) && *state != rowMatched:
		*state = max(*state, rowRepeated)
	default:
		*state = rowMatched
		x.matched.Add(uint64(link.Customer))
		return x.differ(link)
	}
	return nil
}

// differ notes the fields in which a row says something that the record doesn't.
func (x *comparing) differ(link Linked) error {
	c, err := x.reader.customers.Exact(link.Customer)
	if err != nil {
		return err
	}
	other, err := x.session.Customers.Check(x.rows[link.Row], x.schema)
	if err != nil {
		return nil // what can't be read can't be compared
	}
	var hidden customer.Mask
	if access := x.reader.customers.Access(); access != nil {
		if hidden, err = access.Mask(c); err != nil {
			return err
		}
	}
	for _, field := range comparedFields {
		if hidden.Hides(field.mask) {
			continue
		}
		have := field.values(c)
		if !slices.ContainsFunc(field.values(other), func(v string) bool { return !slices.Contains(have, v) }) {
			continue
		}
		d := x.differing[field.name]
		if d == nil {
			d = &Difference{Field: field.name}
			x.differing[field.name] = d
		}
		if d.Count++; len(d.Sample) < MaxSample {
			d.Sample = append(d.Sample, Sample{ID: c.ID, Note: "row " + strconv.Itoa(link.Row+1)})
		}
	}
	return nil
}

var comparedFields = []struct {
	name   string
	mask   string // that hides it
	values func(*customer.Customer) []string
}{
	{"Name", "alias", func(c *customer.Customer) []string {
		return foldAll(append([]string{c.Name}, c.Aliases...))
	}},
	{"Identifiers", "identifier", func(c *customer.Customer) []string {
		return valuesOf(c.Identifiers, func(i *customer.Identifier) string { return i.Scheme + " " + i.Value })
	}},
	{"Phones", "phone", func(c *customer.Customer) []string {
		return valuesOf(c.Phones, func(p *customer.Phone) string { return cmp.Or(p.E164, p.Number) })
	}},
	{"Emails", "email", func(c *customer.Customer) []string {
		return valuesOf(c.Emails, func(e *customer.Email) string { return strings.ToLower(e.Address) })
	}},
	{"Addresses", "address", func(c *customer.Customer) []string {
		return foldAll(valuesOf(c.Addresses, func(a *customer.Address) string { return a.Text }))
	}},
}

func valuesOf[T any](list []T, of func(*T) string) []string {
	values := make([]string, len(list))
	for i := range list {
		values[i] = of(&list[i])
	}
	return values
}

func foldAll(values []string) []string {
	for i := range values {
		values[i] = text.Fold(values[i])
	}
	return values
}

func (x *comparing) finish() {
	for row, state := range x.found {
		switch state {
		case rowDoubtful:
			x.result.Doubtful++
		case rowRepeated:
			x.result.Repeated++
		case rowUnknown:
			if x.result.OnlyThere++; len(x.result.ThereSample) < MaxSample {
				x.result.ThereSample = append(x.result.ThereSample, "row "+strconv.Itoa(row+1))
			}
		}
	}
	x.result.Matched = x.matched.Len()
	here := x.closing().Clone()
	here.AndNot(x.matched)
	x.result.OnlyHere = here.Len()
	for id := range here.All() {
		if len(x.result.HereSample) == MaxSample {
			break
		}
		x.result.HereSample = append(x.result.HereSample, Sample{ID: customer.ID(id)})
	}
	for _, field := range comparedFields {
		if d := x.differing[field.name]; d != nil {
			x.result.Differing = append(x.result.Differing, *d)
		}
	}
	x.terms[termOnlyHere] = here
}
