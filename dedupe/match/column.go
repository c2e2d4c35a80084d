package match

import (
	"strings"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// column is what is compared: a field of the schema, or several fields put together
// (the parts of a date, a name whose parts stand apart in some records).
type column struct {
	name   string
	typ    compare.Type
	from   []int // fields of the schema
	join   string
	group  group // of columns that say the same thing twice
	whole  int   // field that stands in for the parts where it is filled, or -1
	cmp    compare.Comparator
	corpus *compare.Corpus
	said   translation // what training found of pairs of values, or nil
}

// group tells columns apart that repeat one another.
type group uint8

const (
	alone group = iota
	nameGroup
	addressGroup
)

// layout is the columns of a schema.
type layout struct {
	schema  []Field
	columns []column
	given   []int // columns of given names
	family  []int // columns of family names
	sites   bool  // organisations with addresses: there may be several sites of one
	names   bool  // names are all that tells: beside them there is only what many share
}

// maxFields is how many fields a schema has at most: the places of columns are stored in a
// byte, of which two values stand for joined keys.
const maxFields = 200

// newLayout decides the columns. Parts of a birth date become one date; a whole name or
// address beside its parts is filled from them where it is empty, so that a record with
// the whole can be compared with a record of parts. Corpora that are stored are taken over.
func newLayout(o *Options, stored []*compare.Corpus) (*layout, error) {
	if len(o.Schema) == 0 {
		return nil, &Error{Kind: ErrSchema, Field: "fields", Remedy: "name at least one field"}
	}
	if len(o.Schema) > maxFields {
		return nil, &Error{Kind: ErrSchema, Field: "fields", Value: itoa(len(o.Schema)), Remedy: "name at most " + itoa(maxFields) + ", those that tell customers apart"}
	}
	l := &layout{schema: o.Schema}
	seen := map[string]bool{}
	by := map[compare.Type][]int{}
	for i, f := range o.Schema {
		if f.Name == "" || seen[f.Name] {
			return nil, &Error{Kind: ErrSchema, Field: "field", Value: f.Name, Remedy: "give every field a name of its own"}
		}
		seen[f.Name] = true
		by[f.Type] = append(by[f.Type], i)
	}
	l.addDate(by)
	for i, f := range o.Schema {
		if isDatePart(f.Type) && len(by[compare.DateBirthYear]) > 0 {
			continue
		}
		l.columns = append(l.columns, l.plain(i, by))
	}
	named, placed := false, false
	l.names = true
	for i := range l.columns {
		c := &l.columns[i]
		if c.corpus = compare.NewCorpus(); stored != nil {
			if i >= len(stored) {
				return nil, &Error{Kind: ErrModel, Field: c.name, Remedy: "the model is of another schema; train it again"}
			}
			c.corpus = stored[i]
		}
		cmp, err := o.comparator(c.typ, c.corpus)
		if err != nil {
			return nil, &Error{Kind: ErrSchema, Field: c.name, Value: string(c.typ), Remedy: err.Error()}
		}
		c.cmp = cmp
		named, placed = named || c.typ == compare.OrganisationName, placed || places(c.typ)
		l.names = l.names && !c.tellsBesideNames()
		switch c.typ {
		case compare.PersonGiven:
			l.given = append(l.given, i)
		case compare.PersonFamily:
			l.family = append(l.family, i)
		}
	}
	l.sites = named && placed && o.Mode == Dedupe // between lists decoys show what sites look like
	return l, nil
}

// tellsBesideNames reports whether a column tells customers apart that bear one name.
func (c *column) tellsBesideNames() bool { return !wholeName(c.typ) && !shared(c.typ) }

// seldomFilled is the share of records up to which those that fill a column are too few for it to
// tell: of their pairs, one in a hundred.
const seldomFilled = 0.1

// findNames notes whether names are all that tells, as hardly any record fills the other columns: a
// book has the same columns whatever its customers were imported with.
func (t *table) findNames() {
	t.layout.names = true
	for i := range t.layout.columns {
		if !t.layout.columns[i].tellsBesideNames() {
			continue
		}
		filled := 0
		for _, n := range t.dicts[i].count[1:] {
			filled += int(n)
		}
		if float64(filled) > seldomFilled*float64(t.rows()) {
			t.layout.names = false
		}
	}
}

func wholeName(t compare.Type) bool {
	return t == compare.Name || t == compare.PersonName || t == compare.OrganisationName
}

// shared reports whether many customers have each value of a type of field.
func shared(t compare.Type) bool {
	switch t {
	case compare.Category, compare.AddressLocality, compare.AddressCity, compare.AddressRegion, compare.AddressPostcode:
		return true
	}
	return false
}

func isDatePart(t compare.Type) bool {
	return t == compare.DateBirthYear || t == compare.DateBirthMonth || t == compare.DateBirthDay
}

// addDate puts year, month and day together.
func (l *layout) addDate(by map[compare.Type][]int) {
	years := by[compare.DateBirthYear]
	if len(years) == 0 {
		return
	}
	from := []int{years[0]}
	for _, t := range []compare.Type{compare.DateBirthMonth, compare.DateBirthDay} {
		if len(by[t]) > 0 {
			from = append(from, by[t][0])
		}
	}
	names := make([]string, len(from))
	for i, f := range from {
		names[i] = l.schema[f].Name
	}
	l.columns = append(l.columns, column{name: strings.Join(names, "+"), typ: compare.DateBirth, from: from, join: "-", whole: -1})
}

var nameParts = []compare.Type{compare.PersonGiven, compare.PersonFamily}

var addressParts = []compare.Type{
	compare.AddressNumber, compare.AddressStreet, compare.AddressBuilding, compare.AddressLocality,
	compare.AddressCity, compare.AddressRegion, compare.AddressPostcode,
}

func (l *layout) plain(i int, by map[compare.Type][]int) column {
	f := l.schema[i]
	c := column{name: f.Name, typ: f.Type, from: []int{i}, whole: -1}
	switch f.Type {
	case compare.Name, compare.PersonName:
		if parts := fieldsOf(by, nameParts); len(by[f.Type]) == 1 && len(parts) > 1 {
			c.from, c.whole, c.join = parts, i, " "
		}
		c.group = nameGroup
	case compare.PersonGiven, compare.PersonFamily, compare.OrganisationName:
		c.group = nameGroup
	case compare.Address:
		if parts := fieldsOf(by, addressParts); len(by[f.Type]) == 1 && len(parts) > 1 {
			c.from, c.whole, c.join = parts, i, " "
		}
		c.group = addressGroup
	case compare.AddressNumber, compare.AddressStreet, compare.AddressBuilding, compare.AddressLocality,
		compare.AddressCity, compare.AddressRegion, compare.AddressPostcode:
		c.group = addressGroup
	}
	return c
}

func fieldsOf(by map[compare.Type][]int, types []compare.Type) []int {
	var fields []int
	for _, t := range types {
		fields = append(fields, by[t]...)
	}
	return fields
}

// text is what a record has in a column.
func (c *column) text(values []string) string {
	if c.whole >= 0 && values[c.whole] != "" {
		return values[c.whole]
	}
	if len(c.from) == 1 {
		return values[c.from[0]]
	}
	parts := make([]string, 0, len(c.from))
	for _, i := range c.from {
		if values[i] != "" {
			parts = append(parts, values[i])
		} else if c.typ == compare.DateBirth {
			break
		}
	}
	return strings.Join(parts, c.join)
}
