package customer

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
)

// composition tells which parts of a survivor's record came with which merges, so that
// each can be undone, in any order, without losing what was edited since. A part that it
// doesn't name is the survivor's own.
type composition struct {
	fields   []layers
	elements []brought
	lasts    []lastEvents

	rest string
}

// layers are the values that merges gave to a field, the present one last.
type layers struct {
	field int
	name  string // of an attribute
	own   string // before the first of these merges
	given []layer
}

type layer struct {
	loser ID
	value string
}

func (l *layers) top() string {
	if len(l.given) == 0 {
		return l.own
	}
	return l.given[len(l.given)-1].value
}

// brought is an element of a list that the survivor has from merged customers only.
type brought struct {
	field    int
	identity string
	losers   []ID
}

// lastEvents tells when the survivor's own last event of a type was, as far as known,
// and the time that merges left.
type lastEvents struct {
	typ      string
	own, top time.Time
}

// absorb notes what a merge of a loser, from whom the lists of given are, made of a
// survivor. A value that an earlier merge gave and that the loser has as well is from both.
func (m *composition) absorb(before, after, from, given *Customer) {
	loser := from.ID
	old, now, said := fieldValues(before), fieldValues(after), fieldValues(from)
	keys := maps.Clone(old)
	maps.Copy(keys, now)
	for key := range keys {
		was, value := old[key], now[key]
		switch l := m.layers(key); {
		case was != value && l == nil:
			m.fields = append(m.fields, layers{field: key.field, name: key.name, own: was, given: []layer{{loser, value}}})
		case was != value || l != nil && said[key] == value:
			l.given = append(l.given, layer{loser, value})
		}
	}
	slices.SortFunc(m.fields, func(a, b layers) int { return cmp.Or(cmp.Compare(a.field, b.field), strings.Compare(a.name, b.name)) })
	for _, list := range mergedLists {
		own, theirs := list.identities(before), list.identities(given)
		for _, identity := range list.identities(after) {
			had := slices.Contains(own, identity)
			e := m.element(list.field, identity)
			switch {
			case e == nil && !had:
				m.elements = append(m.elements, brought{list.field, identity, []ID{loser}})
			case e != nil && slices.Contains(theirs, identity):
				e.losers = append(e.losers, loser)
			}
		}
	}
}

// edited takes what an edit has replaced or removed out of the composition: it is the
// survivor's own now. It reports whether that was anything.
func (m *composition) edited(next *Customer) bool {
	before := len(m.fields) + len(m.elements)
	values := fieldValues(next)
	m.fields = slices.DeleteFunc(m.fields, func(l layers) bool { return values[fieldKey{l.field, l.name}] != l.top() })
	for _, list := range mergedLists {
		present := list.identities(next)
		m.elements = slices.DeleteFunc(m.elements, func(e brought) bool {
			return e.field == list.field && !slices.Contains(present, e.identity)
		})
	}
	return len(m.fields)+len(m.elements) != before
}

// release takes a loser's part out of a survivor's record, which is a copy.
func (m *composition) release(c *Customer, loser ID) {
	for i := range m.fields {
		l := &m.fields[i]
		l.given = slices.DeleteFunc(l.given, func(x layer) bool { return x.loser == loser })
		setFieldValue(c, fieldKey{l.field, l.name}, l.top())
	}
	m.fields = slices.DeleteFunc(m.fields, func(l layers) bool { return len(l.given) == 0 })
	gone := map[int][]string{}
	for i := range m.elements {
		e := &m.elements[i]
		e.losers = slices.DeleteFunc(e.losers, func(id ID) bool { return id == loser })
		if len(e.losers) == 0 {
			gone[e.field] = append(gone[e.field], e.identity)
		}
	}
	m.elements = slices.DeleteFunc(m.elements, func(e brought) bool { return len(e.losers) == 0 })
	for _, list := range mergedLists {
		if identities := gone[list.field]; identities != nil {
			list.remove(c, identities)
		}
	}
}

// layers are those of a field, nil where no merge gave it anything.
func (m *composition) layers(key fieldKey) *layers {
	for i := range m.fields {
		if l := &m.fields[i]; l.field == key.field && l.name == key.name {
			return l
		}
	}
	return nil
}

func (m *composition) element(field int, identity string) *brought {
	for i := range m.elements {
		if e := &m.elements[i]; e.field == field && e.identity == identity {
			return e
		}
	}
	return nil
}

// mergeLast notes a merge of a loser whose last event was theirs into a survivor whose
// last is own, and reports whether theirs is the later.
func (m *composition) mergeLast(typ string, own, theirs time.Time) bool {
	later := theirs.After(own)
	last := m.last(typ, own)
	if last == nil {
		if !later {
			return false
		}
		m.lasts = append(m.lasts, lastEvents{typ: typ, own: own})
		last = &m.lasts[len(m.lasts)-1]
	}
	last.top = own
	if later {
		last.top = theirs
	}
	return later
}

// last returns what is known of a type, with the survivor's own last event when that
// is later than what merges left.
func (m *composition) last(typ string, now time.Time) *lastEvents {
	for i := range m.lasts {
		last := &m.lasts[i]
		if last.typ != typ {
			continue
		}
		if now.After(last.top) {
			last.own, last.top = now, now
		}
		return last
	}
	return nil
}

// fieldKey names a field with a single value.
type fieldKey struct {
	field int
	name  string // of an attribute
}

// fieldValues returns the fields of a customer that merges choose among, by their
// stored form.
func fieldValues(c *Customer) map[fieldKey]string {
	values := map[fieldKey]string{
		{field: fieldKind}:    strconv.Itoa(int(c.Kind)),
		{field: fieldParty}:   strconv.Itoa(int(c.Party)),
		{field: fieldName}:    c.Name,
		{field: fieldCountry}: c.Country,
		{field: fieldWebsite}: c.Website,
		{field: fieldNote}:    c.Note,
		{field: fieldOwner}:   strconv.FormatUint(uint64(c.Owner), 10),
		{field: fieldRep}:     c.Rep,
	}
	for i := range c.Attributes {
		a := &c.Attributes[i]
		var w record.Writer
		appendAttribute(&w, a)
		values[fieldKey{fieldAttribute, a.Name}] = string(w.Buf)
	}
	return values
}

// setFieldValue sets a field to what fieldValues returned of it.
func setFieldValue(c *Customer, key fieldKey, value string) {
	number, _ := strconv.ParseUint(value, 10, 64) // what is no number is not used as one
	switch key.field {
	case fieldKind:
		c.Kind = Kind(number)
	case fieldParty:
		c.Party = Party(number)
	case fieldName:
		c.Name = value
	case fieldCountry:
		c.Country = value
	case fieldWebsite:
		c.Website = value
	case fieldNote:
		c.Note = value
	case fieldOwner:
		c.Owner = UnitID(number)
	case fieldRep:
		c.Rep = value
	case fieldAttribute:
		setStoredAttribute(c, key.name, value)
	}
}

// setStoredAttribute sets an attribute to its stored form; none removes it.
func setStoredAttribute(c *Customer, name, stored string) {
	c.Attributes = slices.DeleteFunc(slices.Clone(c.Attributes), func(a Attribute) bool { return a.Name == name })
	r := record.NewReader(stored)
	for r.Next() {
		var a Attribute
		readAttribute(&r, &a)
		c.Attributes = append(c.Attributes, a)
	}
	slices.SortFunc(c.Attributes, func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
	if len(c.Attributes) == 0 {
		c.Attributes = nil
	}
}

// mergedList is a list of which merges unite the elements.
type mergedList struct {
	field      int
	identities func(c *Customer) []string
	// unite puts the survivor's elements before those that next has beyond them.
	unite  func(next, survivor *Customer)
	remove func(c *Customer, identities []string)
}

// The lists and what makes an element of each the same as another's.
var mergedLists = []mergedList{
	listOf(fieldAlias, func(c *Customer) *[]string { return &c.Aliases }, func(x *string) string { return *x }),
	listOf(fieldIdentifier, func(c *Customer) *[]Identifier { return &c.Identifiers }, func(x *Identifier) string { return x.Scheme + "\x00" + x.Value }),
	listOf(fieldPhone, func(c *Customer) *[]Phone { return &c.Phones }, func(x *Phone) string { return cmp.Or(x.E164, x.Number) + "\x00" + x.Extension }),
	listOf(fieldEmail, func(c *Customer) *[]Email { return &c.Emails }, func(x *Email) string { return strings.ToLower(x.Address) }),
	listOf(fieldAddress, func(c *Customer) *[]Address { return &c.Addresses }, func(x *Address) string { return text.Fold(x.Text) + "\x00" + x.Postcode }),
	listOf(fieldContact, func(c *Customer) *[]Contact { return &c.Contacts }, func(x *Contact) string {
		return strings.Join([]string{text.Fold(x.Name), x.Phone, strings.ToLower(x.Email)}, "\x00")
	}),
	listOf(fieldSourceKey, func(c *Customer) *[]SourceKey { return &c.SourceKeys }, func(x *SourceKey) string { return x.System + "\x00" + x.Key }),
}

func listOf[T any](field int, of func(*Customer) *[]T, identity func(*T) string) mergedList {
	has := func(list []T, wanted string) bool {
		return slices.ContainsFunc(list, func(x T) bool { return identity(&x) == wanted })
	}
	return mergedList{
		field: field,
		identities: func(c *Customer) []string {
			var all []string
			for i := range *of(c) {
				all = append(all, identity(&(*of(c))[i]))
			}
			return all
		},
		unite: func(next, survivor *Customer) {
			list := slices.Clone(*of(survivor))
			for _, x := range *of(next) {
				if len(list) < MaxList && !has(list, identity(&x)) {
					list = append(list, x)
				}
			}
			*of(next) = list
		},
		remove: func(c *Customer, identities []string) {
			list := slices.DeleteFunc(slices.Clone(*of(c)), func(x T) bool { return slices.Contains(identities, identity(&x)) })
			if len(list) == 0 {
				list = nil
			}
			*of(c) = list
		},
	}
}

// The fields of a stored composition and of its parts.
const (
	compositionLayers  = 1
	compositionElement = 2
	compositionLast    = 3

	layersField = 1
	layersName  = 2
	layersOwn   = 3
	layersGiven = 4

	layerLoser = 1
	layerValue = 2

	elementField    = 1
	elementIdentity = 2
	elementLoser    = 3

	lastType = 1
	lastOwn  = 2
	lastTop  = 3
)

func appendComposition(dst []byte, m *composition) ([]byte, error) {
	w := record.Writer{Buf: dst}
	for i := range m.fields {
		l := &m.fields[i]
		mark := w.Begin(compositionLayers)
		w.Uint(layersField, uint64(l.field))
		w.String(layersName, l.name)
		w.String(layersOwn, l.own)
		for _, x := range l.given {
			inner := w.Begin(layersGiven)
			w.Uint(layerLoser, uint64(x.loser))
			w.String(layerValue, x.value)
			w.End(inner)
		}
		w.End(mark)
	}
	for i := range m.elements {
		e := &m.elements[i]
		mark := w.Begin(compositionElement)
		w.Uint(elementField, uint64(e.field))
		w.String(elementIdentity, e.identity)
		for _, id := range e.losers {
			w.Uint(elementLoser, uint64(id))
		}
		w.End(mark)
	}
	for _, l := range m.lasts {
		mark := w.Begin(compositionLast)
		w.String(lastType, l.typ)
		appendTime(&w, lastOwn, l.own)
		appendTime(&w, lastTop, l.top)
		w.End(mark)
	}
	w.Raw(m.rest)
	return w.Buf, nil
}

// appendTime writes an instant; the zero one is left out.
func appendTime(w *record.Writer, field int, t time.Time) {
	if !t.IsZero() {
		w.Int(field, t.UnixMicro())
	}
}

func decodeComposition(src string, _ ID, _ storage.Meta) (*composition, error) {
	m := &composition{}
	r := record.NewReader(src)
	for r.Next() {
		switch r.Field() {
		case compositionLayers:
			m.fields = append(m.fields, readLayers(&r))
		case compositionElement:
			m.elements = append(m.elements, readElement(&r))
		case compositionLast:
			m.lasts = append(m.lasts, readLast(&r))
		default:
			r.Skip()
		}
	}
	m.rest = r.Unknown()
	return m, r.Err()
}

func readLayers(outer *record.Reader) (l layers) {
	readNested(outer, func(r *record.Reader) {
		switch r.Field() {
		case layersField:
			l.field = int(r.Uint())
		case layersName:
			l.name = r.String()
		case layersOwn:
			l.own = r.String()
		case layersGiven:
			var x layer
			readNested(r, func(r *record.Reader) {
				switch r.Field() {
				case layerLoser:
					x.loser = ID(r.Uint())
				case layerValue:
					x.value = r.String()
				}
			})
			l.given = append(l.given, x)
		}
	})
	return l
}

func readElement(outer *record.Reader) (e brought) {
	readNested(outer, func(r *record.Reader) {
		switch r.Field() {
		case elementField:
			e.field = int(r.Uint())
		case elementIdentity:
			e.identity = r.String()
		case elementLoser:
			e.losers = append(e.losers, ID(r.Uint()))
		}
	})
	return e
}

func readLast(outer *record.Reader) (l lastEvents) {
	readNested(outer, func(r *record.Reader) {
		switch r.Field() {
		case lastType:
			l.typ = r.String()
		case lastOwn:
			l.own = time.UnixMicro(r.Int()).UTC()
		case lastTop:
			l.top = time.UnixMicro(r.Int()).UTC()
		}
	})
	return l
}

// readNested calls field for each field of a nested record.
func readNested(outer *record.Reader, field func(*record.Reader)) {
	r := record.NewReader(outer.String())
	for r.Next() {
		field(&r)
	}
	if r.Err() != nil {
		outer.Fail(r.Err())
	}
}
