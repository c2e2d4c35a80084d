package exchange

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/text"
)

// Subject is what the rows of a file are.
type Subject string

const (
	// Customers: the rows are customers. Without a column of names they change customers
	// that the book has, as lists of tags do.
	Customers Subject = ""
	// Units are those of the organisation, parents in any order.
	Units Subject = "units"
	// Items are receivables: invoices, payments and other documents of customers.
	Items Subject = "items"
	// Balances are what customers owe, or are owed, at a day: one document each.
	Balances Subject = "balances"
	// Scores are those that credit bureaus gave customers.
	Scores Subject = "scores"
)

// Subjects returns what rows can be.
func Subjects() []Subject { return []Subject{Customers, Units, Items, Balances, Scores} }

// The fields of rows that are no customers. Those that a row's customer is found by, its
// code, name, identifiers and source keys, are as for customers.
const (
	DocumentNumber Field = "document"
	DocumentKind   Field = "document.kind" // invoice, credit_note, payment, advance, …
	DocumentDay    Field = "document.date"
	Due            Field = "document.due"
	Amount         Field = "amount"        // of balances: negative for what the customer is owed
	AmountCredit   Field = "amount.credit" // what the customer is owed, in a column of its own
	Currency       Field = "currency"      // ISO 4217
	Reference      Field = "reference"

	UnitNameEnglish Field = "name.en"
	UnitParent      Field = "unit.parent" // code or name
	UnitKind        Field = "unit.kind"
	UnitQuota       Field = "unit.quota"

	ScoreProvider Field = "score.provider"
	ScoreValue    Field = "score.value"
	ScoreDay      Field = "score.date"
)

// entry is what a row is, if no customer.
type entry interface {
	// apply settles the row in a transaction.
	apply(r *run, tx *Tx, l *line) (fate, error)
}

// entryKind reads the rows of a subject.
type entryKind interface {
	// fields are those beside what a customer is found by.
	fields() []plainField
	// required are fields of which at least one must be mapped, for each list.
	required() [][]Field
	// about reports whether rows are about customers.
	about() bool
	// put takes a cell's value and reports whether it is the subject's own.
	put(c *converter, l *line, column int, f Field, value string) bool
	// finish makes the entry of what was put, or refuses the line.
	finish(c *converter, l *line) entry
}

// entries returns how a subject's rows are read, nil for customers.
func (s Subject) entries() (entryKind, error) {
	switch s {
	case Customers:
		return nil, nil
	case Units:
		return unitRows{}, nil
	case Items:
		return documentRows{}, nil
	case Balances:
		return documentRows{balances: true}, nil
	case Scores:
		return scoreRows{}, nil
	}
	return nil, &MappingError{Reason: fmt.Sprintf("the subject %q is none of units, items, balances and scores, or empty for customers", s)}
}

// FieldsOf returns the fields that files of a subject may have in this book.
func (r *Reader) FieldsOf(s Subject) ([]FieldSpec, error) {
	kind, err := s.entries()
	if err != nil {
		return nil, err
	}
	all, err := r.Fields()
	if err != nil || kind == nil {
		return all, err
	}
	list := specsOf(kind.fields())
	if !kind.about() {
		return list, nil
	}
	for _, spec := range all {
		if identifies(spec.Field) || spec.Field == Name {
			list = append(list, spec)
		}
	}
	return list, nil
}

// checkEntries refuses a mapping that lacks what rows of its subject must have.
func (m *Mapping) checkEntries(kind entryKind) error {
	required := kind.required()
	if kind.about() {
		if !slices.ContainsFunc(m.mapped(), identifies) {
			required = append(required, []Field{Code, Name})
		}
	}
	for _, any := range required {
		if !slices.ContainsFunc(any, m.has) {
			names := make([]string, len(any))
			for i, f := range any {
				names[i] = string(f)
			}
			return &MappingError{Field: any[0], Reason: "rows of this subject need a column for " + strings.Join(names, " or ")}
		}
	}
	return nil
}

// cells are the values of a row by field, with their columns.
type cells map[Field]cellValue

type cellValue struct {
	text   string
	column int
}

// set keeps a cell for finish.
func (l *line) set(f Field, column int, value string) bool {
	if l.cells == nil {
		l.cells = cells{}
	}
	l.cells[f] = cellValue{value, column}
	return true
}

// bad refuses the line for a cell.
func (l *line) bad(f Field, code customer.Code, detail, remedy string) {
	v := l.cells[f]
	l.refuse(Fault{Column: v.column, Field: f, Value: v.text, Code: string(code), Detail: detail, Remedy: remedy})
}

// wordOf returns the first word of the list that has a value, and whether one has.
func wordOf(value string, words [][]string) (string, bool) {
	folded := text.Fold(value)
	for _, list := range words {
		if slices.ContainsFunc(list, func(w string) bool { return text.Fold(w) == folded }) {
			return list[0], true
		}
	}
	return "", false
}

// customerOf returns the customer that a row is about: the one that its fields lead to,
// or the only one of its name.
func (r *run) customerOf(tx *Tx, l *line) (customer.ID, error) {
	id, err := r.find1(&tx.Reader, l)
	if err != nil || id != 0 {
		return id, err
	}
	if l.checked.Name != "" {
		for c, err := range tx.Customers.ByName(l.checked.Name) {
			if err != nil {
				return 0, err
			}
			if id != 0 && id != c.ID {
				return 0, fmt.Errorf("%w: %d and %d have the name", errAmbiguous, id, c.ID)
			}
			id = c.ID
		}
	}
	if id == 0 {
		return 0, errNoCustomer
	}
	return id, nil
}
