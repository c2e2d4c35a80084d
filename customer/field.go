package customer

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Field is a property by which customers are selected, counted and grouped: status,
// city, or a custom attribute as attr.NAME. A Field belongs to the state whose Reader
// returned it.
type Field struct {
	Name     string
	Type     Type     // how its values are written; see [Field.Between]
	Values   []string // of an Enum, in order
	Decimals uint8    // fraction digits of a Number
	Title    Names    // of a custom attribute
	Source   Source
	Many     bool // a customer can have several values

	keys func(set *storage.KeySet, c *Customer)
	form keyForm
}

// Source tells where the customers with a value of a field are found, and so what it
// costs to find them.
type Source uint8

const (
	// FromMarks: sets of customers by value ([Reader.Marks]); a microsecond for each
	// 65,536 customers.
	FromMarks Source = iota
	// FromIndex: index entries by value ([Reader.Entries]); half a microsecond for each
	// customer that has the value.
	FromIndex
	// FromRecords: nowhere but in the records; some microseconds for each customer that
	// is looked at.
	FromRecords
)

// keyForm is how a field's value stands in its keys, after the field's name.
type keyForm uint8

const (
	ordinalForm keyForm = iota // Uint: an ordinal, a day since 1970-01-01 UTC, an id
	exactForm                  // String
	choiceForm                 // String of an Enum's value, Uint of a Boolean
	valueForm                  // as valueKey writes it
)

// attributeField begins the names of the fields that are custom attributes.
const attributeField = "attr."

// fields are the ones that every book has, by name.
var fields = func() map[string]*Field {
	m := map[string]*Field{}
	for _, f := range slices.Concat(markedFields, recordFields) {
		m[f.Name] = f
	}
	return m
}()

// markedFields are found by sets. Their keys are stored: see fieldKeys.
var markedFields = []*Field{
	{Name: "status", Type: Enum, Values: statusNames, keys: func(set *storage.KeySet, c *Customer) {
		set.String("status").Uint(uint64(c.Status)).End()
	}},
	{Name: "kind", Type: Enum, Values: kindNames, keys: func(set *storage.KeySet, c *Customer) {
		set.String("kind").Uint(uint64(c.Kind)).End()
	}},
	{Name: "party", Type: Enum, Values: partyNames, keys: func(set *storage.KeySet, c *Customer) {
		set.String("party").Uint(uint64(c.Party)).End()
	}},
	{Name: "owner", Type: Number, keys: func(set *storage.KeySet, c *Customer) {
		if c.Owner != 0 {
			set.String("owner").Uint(uint64(c.Owner)).End()
		}
	}},
	{Name: "created", Type: Date, keys: func(set *storage.KeySet, c *Customer) {
		set.String("created").Uint(uint64(max(0, c.Created.Unix()/secondsPerDay))).End()
	}},
	{Name: "rep", form: exactForm, keys: func(set *storage.KeySet, c *Customer) { textKey(set, "rep", c.Rep) }},
	{Name: "country", form: exactForm, keys: placeKey("country", func(a *Address) string { return a.Country })},
	{Name: "province", form: exactForm, keys: placeKey("province", func(a *Address) string { return a.Province })},
	{Name: "city", form: exactForm, keys: placeKey("city", func(a *Address) string { return a.City })},
}

// placeKey marks a customer where its first address is.
func placeKey(name string, part func(*Address) string) func(*storage.KeySet, *Customer) {
	return func(set *storage.KeySet, c *Customer) {
		if len(c.Addresses) > 0 {
			textKey(set, name, part(&c.Addresses[0]))
		}
	}
}

// recordFields are found in records only; their texts are compared folded.
var recordFields = []*Field{
	recordField("code", func(c *Customer) []string { return []string{c.Code} }),
	recordField("name", func(c *Customer) []string { return append([]string{c.Name}, c.Aliases...) }),
	recordField("website", func(c *Customer) []string { return []string{c.Website} }),
	recordField("note", func(c *Customer) []string { return []string{c.Note} }),
	recordField("phone", func(c *Customer) []string {
		return textsOf(c.Phones, func(x *Phone) string { return x.numberOrE164() })
	}),
	recordField("email", func(c *Customer) []string {
		return textsOf(c.Emails, func(x *Email) string { return x.Address })
	}),
	recordField("address", func(c *Customer) []string {
		return textsOf(c.Addresses, func(x *Address) string { return x.Text })
	}),
	recordField("contact", func(c *Customer) []string {
		return textsOf(c.Contacts, func(x *Contact) string { return x.Name })
	}),
	recordField("identifier", func(c *Customer) []string { // by scheme, since numbers may be sensitive
		return textsOf(c.Identifiers, func(x *Identifier) string { return x.Scheme })
	}),
	recordField("source", func(c *Customer) []string {
		return textsOf(c.SourceKeys, func(x *SourceKey) string { return x.System })
	}),
}

func (p *Phone) numberOrE164() string {
	if p.E164 != "" {
		return p.E164
	}
	return p.Number
}

func textsOf[T any](list []T, of func(*T) string) []string {
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = of(&list[i])
	}
	return texts
}

func recordField(name string, of func(*Customer) []string) *Field {
	return &Field{Name: name, Source: FromRecords, Many: true, form: valueForm, keys: func(set *storage.KeySet, c *Customer) {
		for _, value := range of(c) {
			textKey(set, name, text.Fold(value))
		}
	}}
}

func textKey(set *storage.KeySet, name, value string) {
	if value != "" {
		set.String(name).String(value).End()
	}
}

// fieldKeys are the keys of the bitmap of fields.
func fieldKeys(set *storage.KeySet, c *Customer) {
	for _, f := range markedFields {
		f.keys(set, c)
	}
	if c.Owner == 0 {
		set.String(unowned).End()
	}
	for i := range c.Attributes {
		if a := &c.Attributes[i]; a.indexed && isChoice(a.Value.typ) {
			set.String(attributeField + a.Name)
			choiceKey(set, a.Value)
			set.End()
		}
	}
}

// isOwnerKey picks the keys by which scopes of organisation units are made. Every
// customer has one of them.
func isOwnerKey(key storage.Key) bool {
	return strings.HasPrefix(string(key), ownerField) || string(key) == unownedKey
}

// unowned is no field: it marks the customers that have no owner.
const unowned = "unowned"

var (
	ownerField = string(storage.Key(nil).String("owner"))
	unownedKey = string(storage.Key(nil).String(unowned))
)

// OwnerKey appends the key of [Reader.Marks] under which a unit's customers are, for
// unit 0 those without an owner. Changes under these keys are counted; see
// [storage.Bitmap.Versions].
func OwnerKey(dst storage.Key, unit UnitID) storage.Key {
	if unit == 0 {
		return append(dst, unownedKey...)
	}
	return append(dst, ownerField...).Uint(uint64(unit))
}

// RepKey appends the key of [Reader.Marks] under which a representative's customers are.
func RepKey(dst storage.Key, rep string) storage.Key { return dst.String("rep").String(rep) }

// StatusKey appends the key of [Reader.Marks] under which the customers in a status are.
func StatusKey(dst storage.Key, s Status) storage.Key { return dst.String("status").Uint(uint64(s)) }

// isChoice reports whether attributes of a type have few values, so that a set of
// customers for each is cheap.
func isChoice(t Type) bool { return t == Enum || t == Boolean }

func choiceKey(set *storage.KeySet, v Value) {
	if v.typ == Enum {
		set.String(v.text)
		return
	}
	set.Uint(uint64(v.n))
}

// attribute returns the field of a custom attribute.
func (spec AttributeSpec) field() Field {
	f := Field{Name: attributeField + spec.Name, Type: spec.Type, Values: spec.Values, Decimals: spec.Decimals, Title: spec.Title}
	switch {
	case !spec.Indexed:
		f.Source = FromRecords
	case !isChoice(spec.Type):
		f.Source = FromIndex
	}
	f.form = valueForm
	if isChoice(spec.Type) {
		f.form = choiceForm
	}
	name, recorded := spec.Name, f.Source == FromRecords
	f.keys = func(set *storage.KeySet, c *Customer) {
		for i := range c.Attributes {
			if a := &c.Attributes[i]; a.Name == name && (a.indexed || recorded) {
				f.attributeKey(set, a)
				set.End()
			}
		}
	}
	return f
}

func (f *Field) attributeKey(set *storage.KeySet, a *Attribute) {
	if f.form == choiceForm {
		set.String(f.Name)
		choiceKey(set, a.Value)
		return
	}
	set.String(a.Name)
	valueKey(set, a.Value)
}

// Fields returns what customers can be selected by: the fields of every book, then
// the attributes of this book's schema.
func (r *Reader) Fields() ([]Field, error) {
	schema, err := r.Schema()
	if err != nil {
		return nil, err
	}
	var list []Field
	for _, f := range slices.Concat(markedFields, recordFields) {
		list = append(list, *f)
	}
	for _, spec := range schema.Attributes {
		list = append(list, spec.field())
	}
	return list, nil
}

// Field returns the field of a name, or a *ValidationError that lists those there are.
func (r *Reader) Field(name string) (Field, error) {
	if f := fields[name]; f != nil {
		return *f, nil
	}
	schema, err := r.Schema()
	if err != nil {
		return Field{}, err
	}
	if attribute, ok := strings.CutPrefix(name, attributeField); ok {
		if spec, found := schema.Spec(attribute); found {
			return spec.field(), nil
		}
	}
	known := slices.Sorted(maps.Keys(fields))
	for _, spec := range schema.Attributes {
		known = append(known, attributeField+spec.Name)
	}
	p := problems{}
	p.add("field", name, CodeUnknown, "is no field of customers", "use "+strings.Join(known, ", "))
	return Field{}, p.err()
}

// Bound is an end of a range of values, as a text; the zero Bound leaves it open.
type Bound struct {
	Value     string
	Exclusive bool // the value itself is outside
}

// Keys says under which keys of a field's source the customers with some of its values
// are found: the exact ones, or without any, all in a range.
type Keys struct {
	Exact []storage.Key
	Range kv.Range
}

// Empty reports whether there is no key.
func (k Keys) Empty() bool {
	return len(k.Exact) == 0 && k.Range.Upper != nil && string(k.Range.Lower) >= string(k.Range.Upper)
}

func (k Keys) contains(key storage.Key) bool {
	if len(k.Exact) == 0 {
		return k.Range.Contains(key)
	}
	return slices.ContainsFunc(k.Exact, func(exact storage.Key) bool { return string(exact) == string(key) })
}

// none holds no key.
var none = Keys{Range: kv.Range{Lower: []byte{1}, Upper: []byte{1}}}

// All returns the keys of all the field's values.
func (f *Field) All() Keys { return Keys{Range: kv.Prefix(f.prefix())} }

// prefix is what the field's keys begin with.
func (f *Field) prefix() storage.Key {
	if f.form == valueForm {
		return storage.Key(nil).String(strings.TrimPrefix(f.Name, attributeField))
	}
	return storage.Key(nil).String(f.Name)
}

// Is returns the keys of one value; see [Field.Between].
func (f *Field) Is(value string) (Keys, error) {
	return f.Between(Bound{Value: value}, Bound{Value: value})
}

// Between returns the keys of the values from one bound to another. Enums are ordered
// as they are declared, texts by their bytes (those of custom attributes and of record
// fields folded). A date is 2026-03-31, or 2026-03 or 2026 for all its days; a number is
// a decimal, a boolean true or false. It fails with a *ValidationError when a bound is
// no value of the field.
func (f *Field) Between(from, to Bound) (Keys, error) {
	if f.Type == Text {
		return f.textsBetween(from, to), nil
	}
	low, high, err := f.numbersBetween(from, to)
	switch {
	case err != nil:
		return Keys{}, err
	case low > high:
		return none, nil
	case isChoice(f.Type):
		keys := Keys{}
		for n := low; n <= high; n++ {
			keys.Exact = append(keys.Exact, f.numberKey(n))
		}
		return keys, nil
	case low == high:
		return Keys{Exact: []storage.Key{f.numberKey(low)}}, nil
	}
	return Keys{Range: kv.Range{Lower: f.numberKey(low), Upper: kv.Prefix(f.numberKey(high)).Upper}}, nil
}

func (f *Field) textsBetween(from, to Bound) Keys {
	if from == to && from.Value != "" && !from.Exclusive {
		return Keys{Exact: []storage.Key{f.textKey(from.Value)}}
	}
	keys := f.All()
	if from.Value != "" {
		keys.Range.Lower = f.textKey(from.Value)
		if from.Exclusive {
			keys.Range.Lower = kv.Prefix(keys.Range.Lower).Upper
		}
	}
	if to.Value != "" {
		keys.Range.Upper = f.textKey(to.Value)
		if !to.Exclusive {
			keys.Range.Upper = kv.Prefix(keys.Range.Upper).Upper
		}
	}
	return keys
}

func (f *Field) textKey(value string) storage.Key {
	switch {
	case f.form == valueForm:
		value = text.Fold(value)
	case f.Name == "country":
		value = strings.ToUpper(value)
	}
	return f.prefix().String(value)
}

// numberKey is the key of a value by its number; see numbersOf.
func (f *Field) numberKey(n int64) storage.Key {
	switch {
	case f.form == choiceForm && f.Type == Enum:
		return f.prefix().String(f.Values[n])
	case f.form == valueForm:
		return f.prefix().Uint(uint64(n) ^ 1<<63)
	}
	return f.prefix().Uint(uint64(n))
}

// Value returns the text of the value in a key of the field, in the form that Between
// reads: folded where texts are compared so. What follows the value in an index entry's
// key is left alone.
func (f *Field) Value(key storage.Key) (string, error) {
	prefix := f.prefix()
	if len(key) < len(prefix) || string(key[:len(prefix)]) != string(prefix) {
		return "", fmt.Errorf("customer: %w: key % x is not of field %s", storage.ErrCorrupt, []byte(key), f.Name)
	}
	rest := key[len(prefix):]
	if f.Type == Text || f.Type == Enum && f.form == choiceForm {
		value, _, err := rest.CutString()
		return value, err
	}
	n, _, err := rest.CutUint()
	if f.form == valueForm {
		n ^= 1 << 63
	}
	return f.numberText(int64(n)), err
}

// Match reports whether a customer has a value under the keys, as the field's source
// tells it: a value of an attribute that was not indexed yet when it was stored is only
// found after [Store.Reindex].
func (f *Field) Match(c *Customer, keys Keys) bool {
	var own storage.KeySet
	f.keys(&own, c)
	for i := range own.Len() {
		if keys.contains(own.Key(i)) {
			return true
		}
	}
	return false
}

// Marks returns the sets of customers by key, of fields with the source FromMarks.
func (r *Reader) Marks() storage.AnyBitmap {
	if r.access != nil {
		return marksWithin{r.store.marks, r.access}
	}
	return r.store.marks
}

// Entries calls do with each customer, and the key that it is found under, that a
// field with the source FromIndex has under some keys, in key order, until do returns an
// error, which Entries returns. The key is lent.
func (r *Reader) Entries(f *Field, keys Keys, do func(id ID, key storage.Key) error) error {
	ranges := []kv.Range{keys.Range}
	if len(keys.Exact) > 0 {
		ranges = ranges[:0]
		for _, key := range keys.Exact {
			ranges = append(ranges, kv.Prefix(key))
		}
	}
	shown := membersOf(r.withField(f.Name))
	skip := len(f.prefix())
	for _, x := range ranges {
		for e, err := range r.store.customer.Entries(r.storage, r.store.attribute, x, false) {
			if err != nil {
				return err
			}
			rest, err := f.afterValue(e.Key()[skip:])
			if err != nil {
				return err
			}
			id, err := e.Primary(rest)
			if err != nil {
				return err
			}
			if seen, err := shown.has(id); err != nil {
				return err
			} else if !seen {
				continue
			}
			if err := do(id, e.Key()[:len(e.Key())-len(rest)]); err != nil {
				return err
			}
		}
	}
	return nil
}

// afterValue cuts a value of valueForm off.
func (f *Field) afterValue(key storage.Key) (rest storage.Key, err error) {
	if f.Type == Text {
		_, rest, err = key.CutString()
	} else {
		_, rest, err = key.CutUint()
	}
	return rest, err
}
