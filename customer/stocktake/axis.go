package stocktake

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// axis is a dimension being made.
type axis struct {
	code  string
	title customer.Names
	many  bool
	field string // that hides its values, empty for none
	// ordered axes keep the order of their rows; others have the largest first.
	ordered bool
	values  []string // in that order; nil for that of the keys

	mu    sync.Mutex // rows are found by all workers
	index map[string]int32
	rows  []axisRow
	marks []mark

	past func(v *view) (placing, error)
	// inner axes are for checks alone.
	inner bool
}

// axisRow is a value.
type axisRow struct {
	key   string
	label customer.Names
}

// mark is a set of the present that belongs to a row.
type mark struct {
	row int32
	add func(chunk uint64, to *bitset.Chunk) error
}

// row returns the number of a value, a new one if need be.
func (a *axis) row(key string, label func() (customer.Names, error)) (int32, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i, found := a.index[key]; found {
		return i, nil
	}
	names, err := label()
	if err != nil {
		return 0, err
	}
	i := int32(len(a.rows))
	a.index[key] = i
	a.rows = append(a.rows, axisRow{key, names})
	return i, nil
}

// plain labels a value by itself.
func plain(value string) func() (customer.Names, error) {
	return func() (customer.Names, error) { return customer.Names{"en": value}, nil }
}

func known(names customer.Names) func() (customer.Names, error) {
	return func() (customer.Names, error) { return names, nil }
}

func isTagAxis(code string) bool { return strings.HasPrefix(code, tagAxis) }

const (
	tagAxis  = "tag."
	attrAxis = "attr."
)

// makeAxes finds the axes of the definition.
func (c *count) makeAxes() ([]*axis, error) {
	var axes []*axis
	codes := slices.Clone(c.def.Dimensions)
	for _, base := range bases {
		if !slices.Contains(codes, base.code) {
			codes = append(codes, base.code)
		}
	}
	for i, code := range codes {
		a := &axis{code: code, index: map[string]int32{}, inner: i >= len(c.def.Dimensions)}
		make := c.fieldAxis
		if isTagAxis(code) {
			make = c.tagAxis
		}
		if err := make(a); err != nil {
			return nil, err
		}
		axes = append(axes, a)
	}
	return axes, nil
}

// fieldAxis makes an axis of a field of the record.
func (c *count) fieldAxis(a *axis) error {
	value := fieldValues[a.code]
	attribute, isAttribute := strings.CutPrefix(a.code, attrAxis)
	f, err := c.fitting().field(a.code)
	if err != nil {
		return err
	}
	a.title, a.values = fieldTitles[a.code], f.Values
	a.ordered = len(a.values) > 0 || a.code == "created"
	switch {
	case isAttribute:
		a.title, a.field = f.Title, a.code
		if len(a.title) == 0 {
			a.title = customer.Names{"en": attribute}
		}
		value = attributeValue(attribute)
	case a.code == "country", a.code == "province", a.code == "city":
		a.field = "address"
	case a.code == "rep":
		a.field = "rep"
	}
	if err := c.fieldMarks(a, &f); err != nil {
		return err
	}
	kept := slices.Contains([]string{"status", "kind", "party", "owner", "created"}, a.code) // of an erased customer
	a.past = func(v *view) (placing, error) {
		units := v.session.Stocktakes.beside(v.storage, v.all).Units
		return func(s *state, dst []int32) ([]int32, error) {
			if s.gone && !kept {
				row, err := a.row(KeyErased, known(labelErased))
				return append(dst, row), err
			}
			text := value(s.customer)
			if text == "" {
				return dst, nil
			}
			row, err := a.valueRow(text, units)
			return append(dst, row), err
		}, nil
	}
	return nil
}

// valueRow is the row of a field's value, as the field writes it.
func (a *axis) valueRow(text string, units Units) (int32, error) {
	switch a.code {
	case "created":
		text = text[:len("2006-01")]
	case "owner":
		return a.unitRow(text, units)
	}
	return a.row(text, a.labelOf(text))
}

func (a *axis) labelOf(text string) func() (customer.Names, error) {
	if names, found := valueLabels[a.code][text]; found {
		return known(names)
	}
	return plain(text)
}

// unitRow is the row of a unit, or of the one that it was merged into.
func (a *axis) unitRow(text string, units Units) (int32, error) {
	if units == nil {
		return a.row(text, plain(text))
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, err
	}
	id, names, err := units.Unit(customer.UnitID(n))
	if err != nil {
		return 0, err
	}
	return a.row(strconv.FormatUint(uint64(id), 10), known(names))
}

// fieldMarks finds the sets of the present.
func (c *count) fieldMarks(a *axis, f *customer.Field) error {
	var last storage.Key
	return c.all.Marks().Scan(c.reader.storage, f.All().Range, func(key storage.Key, _ uint64, _ []byte) error {
		if string(key) == string(last) {
			return nil
		}
		last = slices.Clone(key)
		text, err := f.Value(last)
		if err != nil {
			return err
		}
		row, err := a.valueRow(text, c.beside.Units)
		if err != nil {
			return err
		}
		own := last
		a.marks = append(a.marks, mark{row, func(chunk uint64, to *bitset.Chunk) error {
			return c.all.Marks().AddChunk(c.reader.storage, own, chunk, to)
		}})
		return nil
	})
}

// fieldValues are a record's values as [customer.Field.Value] writes them, empty for none.
var fieldValues = map[string]func(*customer.Customer) string{
	"status": func(c *customer.Customer) string { return c.Status.String() },
	"kind":   func(c *customer.Customer) string { return c.Kind.String() },
	"party":  func(c *customer.Customer) string { return c.Party.String() },
	"owner": func(c *customer.Customer) string {
		if c.Owner == 0 {
			return ""
		}
		return strconv.FormatUint(uint64(c.Owner), 10)
	},
	"created":  func(c *customer.Customer) string { return c.Created.UTC().Format("2006-01-02") },
	"rep":      func(c *customer.Customer) string { return c.Rep },
	"country":  place(func(a *customer.Address) string { return a.Country }),
	"province": place(func(a *customer.Address) string { return a.Province }),
	"city":     place(func(a *customer.Address) string { return a.City }),
}

func place(part func(*customer.Address) string) func(*customer.Customer) string {
	return func(c *customer.Customer) string {
		if len(c.Addresses) == 0 {
			return ""
		}
		return part(&c.Addresses[0])
	}
}

func attributeValue(name string) func(*customer.Customer) string {
	return func(c *customer.Customer) string {
		for i := range c.Attributes {
			if a := &c.Attributes[i]; a.Name != name {
				continue
			} else if a.Value.Type() == customer.Boolean {
				return strconv.FormatBool(a.Value.Bool())
			} else {
				return a.Value.Text()
			}
		}
		return ""
	}
}

// tagAxis makes an axis of a dimension of tags.
func (c *count) tagAxis(a *axis) error {
	code := strings.TrimPrefix(a.code, tagAxis)
	d, err := c.fitting().tags(code)
	if err != nil {
		return err
	}
	a.title, a.many, a.field, a.ordered = d.Title(), d.Many(), "tag", true
	keys, labels := d.Tags()
	a.values = keys
	for i, key := range keys {
		row, err := a.row(key, known(labels[i]))
		if err != nil {
			return err
		}
		a.marks = append(a.marks, mark{row, func(chunk uint64, to *bitset.Chunk) error { return d.Add(i, chunk, to) }})
	}
	a.past = func(v *view) (placing, error) {
		d, err := v.tags.Dimension(code)
		if err != nil {
			return nil, err
		}
		// The view's own state may be later, and have other tags in other places.
		keys, labels := d.Tags()
		rows := make([]int32, len(keys))
		for i, key := range keys {
			if rows[i], err = a.row(key, known(labels[i])); err != nil {
				return nil, err
			}
		}
		return func(s *state, dst []int32) ([]int32, error) {
			if s.gone {
				row, err := a.row(KeyErased, known(labelErased))
				return append(dst, row), err
			}
			places, err := d.Of(Past{Customer: s.customer, Tags: s.tags})
			for _, i := range places {
				dst = append(dst, rows[i])
			}
			return dst, err
		}, nil
	}
	return nil
}
