package search

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/clientele-go/clientele/customer"
)

// A filter term is a letter and a value. The values that most customers have,
// active, buyer and organisation, have no term: they are what the others are not.
// The instant of creation is a number of quarters of an hour, and of 512 of them, so
// that a range takes few terms.
const (
	byStatus    = 's'
	byKind      = 'k'
	byParty     = 'p'
	byOwner     = 'u'
	byRep       = 'r'
	byCountry   = 'C'
	byProvince  = 'P'
	byCity      = 'T'
	byDistrict  = 'D'
	byAttribute = 'a'
	byQuarter   = 'q'
	byLongSpan  = 'Q'
)

var filterLetters = map[Field]byte{
	FieldStatus: byStatus, FieldKind: byKind, FieldParty: byParty, FieldOwner: byOwner, FieldRep: byRep,
	FieldCountry: byCountry, FieldProvince: byProvince, FieldCity: byCity, FieldDistrict: byDistrict,
}

// usual is the value of a letter that has no term.
var usual = map[byte]string{
	byStatus: customer.Active.String(),
	byKind:   customer.Buyer.String(),
	byParty:  customer.Organisation.String(),
}

const (
	quarterHour   = 15 * 60 // seconds
	longSpan      = 9       // a long span is 1<<longSpan quarters, five days and a third
	maxValueBytes = 200     // longer values of attributes are told apart by their beginnings
)

// filters adds the terms that filters and facets use.
func (a *analyser) filters(c *customer.Customer) {
	a.filter(byStatus, c.Status.String())
	a.filter(byKind, c.Kind.String())
	a.filter(byParty, c.Party.String())
	if c.Owner != 0 {
		a.filter(byOwner, strconv.FormatUint(uint64(c.Owner), 10))
	}
	a.filter(byRep, c.Rep)
	a.filter(byCountry, c.Country)
	for i := range c.Addresses {
		a.filter(byProvince, c.Addresses[i].Province)
		a.filter(byCity, c.Addresses[i].City)
		a.filter(byDistrict, c.Addresses[i].District)
	}
	quarter := quarterOf(c.Created)
	a.span(byQuarter, quarter)
	a.span(byLongSpan, quarter>>longSpan)
	for i := range c.Attributes {
		if name := c.Attributes[i].Name; a.indexed != nil && a.indexed(name) {
			a.filter(byAttribute, attributeValue(name, c.Attributes[i].Value.String()))
		}
	}
}

func (a *analyser) filter(letter byte, value string) {
	if value == "" || len(value) > 2*maxValueBytes || usual[letter] == value {
		return
	}
	a.open(filterTerm)
	a.buf = append(append(a.buf, letter), value...)
	a.close()
}

func (a *analyser) span(letter byte, n uint32) {
	a.open(filterTerm)
	a.buf = binary.BigEndian.AppendUint32(append(a.buf, letter), n)
	a.close()
}

func attributeValue(name, value string) string {
	end := min(len(value), maxValueBytes)
	for end < len(value) && !utf8.RuneStart(value[end]) {
		end--
	}
	return name + "\x00" + value[:end]
}

// quarterOf counts quarters of an hour since 1970; earlier instants count as 1970.
func quarterOf(t time.Time) uint32 {
	return uint32(min(max(0, t.Unix()/quarterHour), 1<<32-1))
}

// narrowing is the filter of a query.
type narrowing struct {
	conditions []condition
	from, to   uint32 // quarters of creation, the last excluded; 0, 0 without a range
	empty      bool   // nothing was created in the range
}

// condition holds for the documents that have one of the terms, or none of them.
type condition struct {
	terms []string // without the space
	not   bool
}

func (o *Options) narrowing(q *Query) (*narrowing, error) {
	n := &narrowing{}
	inactive := q.AllStatuses
	for i := range q.Filter {
		c, err := o.condition(&q.Filter[i])
		if err != nil {
			return nil, err
		}
		n.conditions = append(n.conditions, c)
		inactive = inactive || q.Filter[i].Field == FieldStatus
	}
	if !inactive {
		n.conditions = append(n.conditions, condition{not: true, terms: []string{
			string(byStatus) + customer.Archived.String(),
			string(byStatus) + customer.Merged.String(),
			string(byStatus) + customer.Erased.String(),
		}})
	}
	if !q.CreatedFrom.IsZero() || !q.CreatedBefore.IsZero() {
		n.from, n.to = quarterOf(q.CreatedFrom), 1<<32-1
		if !q.CreatedBefore.IsZero() {
			n.to = quarterOf(q.CreatedBefore.Add(quarterHour*time.Second - 1))
		}
		n.empty = n.from >= n.to
	}
	return n, nil
}

func (o *Options) condition(given *Condition) (condition, error) {
	letter, attribute, err := o.letter(given.Field, "Filter")
	if err != nil {
		return condition{}, err
	}
	c := condition{not: given.Not}
	for _, value := range given.Values {
		if attribute != "" {
			value = attributeValue(attribute, value)
		}
		c.terms = append(c.terms, string(letter)+value)
	}
	if value, ok := usual[letter]; ok && slices.Contains(given.Values, value) {
		return c.turned(letter), nil
	}
	return c, nil
}

// turned expresses a condition on the usual value by the others.
func (c condition) turned(letter byte) condition {
	other := condition{not: !c.not}
	for _, value := range knownValues[letter] {
		if term := string(letter) + value; value != usual[letter] && !slices.Contains(c.terms, term) {
			other.terms = append(other.terms, term)
		}
	}
	return other
}

var knownValues = map[byte][]string{
	byStatus: namesFrom(customer.Active, customer.Erased),
	byKind:   namesFrom(customer.Buyer, customer.Partner),
	byParty:  namesFrom(customer.Organisation, customer.Person),
}

func namesFrom[T interface {
	~uint8
	fmt.Stringer
}](first, last T) []string {
	var names []string
	for v := first; v <= last; v++ {
		names = append(names, v.String())
	}
	return names
}

// letter returns the letter of a field and, for an attribute, its name.
func (o *Options) letter(f Field, of string) (letter byte, attribute string, err error) {
	if letter, ok := filterLetters[f]; ok {
		return letter, "", nil
	}
	name, ok := strings.CutPrefix(string(f), attributePrefix)
	if !ok {
		return 0, "", queryError(of, string(f), "is no field", "use a Field constant or Attribute")
	}
	if !o.indexed()(name) {
		return 0, "", queryError(of, string(f), "is not indexed", "name the attribute in Options.Attributes")
	}
	return byAttribute, name, nil
}

// apply narrows a set of the shard's documents.
func (n *narrowing) apply(s *shard, set *roaring.Bitmap) *roaring.Bitmap {
	for i := range n.conditions {
		c := &n.conditions[i]
		if set == nil {
			return nil
		}
		var found union
		for _, term := range c.terms {
			found.add(s.has(filterTerm, term))
		}
		if c.not {
			set = without(set, found.bitmap())
		} else {
			set = and(set, found.bitmap())
		}
	}
	if n.empty {
		return nil
	}
	if n.to != 0 {
		set = and(set, s.created(n.from, n.to))
	}
	return set
}

// created returns the documents created in the quarters from one to before another:
// by long spans, and at the ends by quarters.
func (s *shard) created(from, to uint32) *roaring.Bitmap {
	var found union
	first, last := (from+1<<longSpan-1)>>longSpan, to>>longSpan
	if uint64(from)+1<<longSpan > 1<<32 || first >= last {
		s.spans(&found, byQuarter, from, to)
		return found.bitmap()
	}
	s.spans(&found, byQuarter, from, first<<longSpan)
	s.spans(&found, byLongSpan, first, last)
	s.spans(&found, byQuarter, last<<longSpan, to)
	return found.bitmap()
}

// spans adds the documents with the terms of a letter from one number to before another.
func (s *shard) spans(found *union, letter byte, from, to uint32) {
	if from >= to {
		return
	}
	start := binary.BigEndian.AppendUint32([]byte{filterTerm, letter}, from)
	end := binary.BigEndian.AppendUint32([]byte{filterTerm, letter}, to)
	for term := range s.terms(start, end, int(to-from)) {
		found.add(s.postings([]byte(term)))
	}
}
