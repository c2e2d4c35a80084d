package stocktake

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
)

// fitting holds definitions against one state of the book: whether it has what they name.
type fitting struct {
	op        string
	customers *customer.Reader // everybody
	beside    Beside
	now       time.Time
}

func (f *fitting) refuse(field, value, remedy string, cause error) error {
	err := ErrInvalid
	if cause != nil {
		err = fmt.Errorf("%w: %w", ErrInvalid, cause)
	}
	return &Error{Op: f.op, Field: "Definition." + field, Value: value, Remedy: remedy, Err: err}
}

func (f *fitting) lacking(field, what string) error {
	return f.refuse(field, "", "this book keeps no "+what, nil)
}

// check reports what a definition names that the book doesn't have.
func (f *fitting) check(d *Definition) error {
	if d.asksReceivables() && f.beside.Receivables == nil {
		return f.lacking("Balance, Aging, Revenue", "receivables")
	}
	if slices.Contains(d.Checks, checkSuspects) && f.beside.Suspects == nil {
		return f.lacking("Checks", "suspected duplicates")
	}
	for _, step := range []func(*Definition) error{f.units, f.dimensions, f.measures} {
		if err := step(d); err != nil {
			return err
		}
	}
	return nil
}

// expand replaces the saved filters in a definition's filter by what they are.
func (f *fitting) expand(filter string) (string, error) {
	if f.beside.Tags == nil {
		return "", f.lacking("Filter", "tags")
	}
	expanded, _, err := f.beside.Tags.Expand(filter)
	if err != nil {
		return "", f.refuse("Filter", filter, "use the dimensions, fields and saved filters of this book", err)
	}
	return expanded, nil
}

func (f *fitting) units(d *Definition) error {
	if len(d.Units) > 0 && f.beside.Units == nil {
		return f.lacking("Units", "units")
	}
	for _, unit := range d.Units {
		known, err := f.beside.Units.Under([]customer.UnitID{unit}, f.now)
		if err != nil {
			return err
		}
		if len(known) == 0 {
			return f.refuse("Units", fmt.Sprint(unit), "use units of this book's organisation", nil)
		}
	}
	return nil
}

func (f *fitting) dimensions(d *Definition) error {
	for _, code := range d.Dimensions {
		var err error
		if tags, isTags := strings.CutPrefix(code, tagAxis); isTags {
			_, err = f.tags(tags)
		} else {
			_, err = f.field(code)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tags is a dimension of tags.
func (f *fitting) tags(code string) (TagAxis, error) {
	if f.beside.Tags == nil {
		return nil, f.lacking("Dimensions", "tags")
	}
	d, err := f.beside.Tags.Dimension(code)
	if err != nil {
		return nil, f.refuse("Dimensions", tagAxis+code, "use the code of a dimension of tags", err)
	}
	return d, nil
}

// field is a field of the record that has sets.
func (f *fitting) field(code string) (customer.Field, error) {
	field, err := f.customers.Field(code)
	if fieldValues[code] == nil && !strings.HasPrefix(code, attrAxis) || err != nil || field.Source != customer.FromMarks {
		return field, f.refuse("Dimensions", code, "use status, kind, party, owner, rep, country, province, city, created, attr.NAME of an indexed enum or boolean, or tag.CODE", err)
	}
	return field, nil
}

func (f *fitting) measures(d *Definition) error {
	for _, x := range []struct {
		field string
		*Measure
	}{{"Revenue", d.Revenue}, {"Profit", d.Profit}} {
		if x.Measure == nil || x.Attribute == "" {
			continue
		}
		if _, err := f.decimals(x.field, x.Measure); err != nil {
			return err
		}
	}
	return nil
}

// decimals is how many more a measure's currency has than its attribute.
func (f *fitting) decimals(field string, m *Measure) (int, error) {
	schema, err := f.customers.Schema()
	if err != nil {
		return 0, err
	}
	spec, found := schema.Spec(m.Attribute)
	if !found || spec.Type != customer.Number {
		return 0, f.refuse(field, m.Attribute, "name a custom attribute of type number", nil)
	}
	currency, err := money.ParseCurrency(m.Currency)
	if err != nil {
		return 0, err
	}
	return currency.Digits() - int(spec.Decimals), nil
}
