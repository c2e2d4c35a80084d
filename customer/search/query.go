package search

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/clientele-go/clientele/customer"
)

// Limits of a query. Beyond them it is refused with a *QueryError.
const (
	MaxTextRunes = 500
	MaxWords     = 32
	MaxLimit     = 1000
	DefaultLimit = 20
)

// Query says which customers to find.
type Query struct {
	// Text is what the user typed: parts of a name in characters, pinyin or pinyin
	// initials, a code, an identifier, digits of a phone, an e-mail address, words of
	// the address, of contacts and of the note. All its words must match. An
	// empty text lists the customers that the filter leaves, in the order of their ids.
	Text string

	// Filter narrows the answer; all conditions must hold.
	Filter []Condition

	// CreatedFrom and CreatedBefore narrow it to customers created from the one and
	// before the other instant, exact to a quarter of an hour; zero times don't narrow.
	CreatedFrom, CreatedBefore time.Time

	// AllStatuses also finds archived, merged and erased customers. A condition on
	// FieldStatus has the same effect.
	AllStatuses bool

	// Within narrows the answer to a set of customers, before anything is counted.
	Within Set

	// Access narrows it to what an actor may see: customers out of its sight are not
	// found, and values that are hidden neither match nor narrow nor are counted. Where a
	// field that is searched together with others is hidden of a customer (aliases,
	// contacts, addresses and the note are), it is found by none of them. It is asked
	// until the call returns; nil shows everything.
	Access customer.Access

	// Exact asks for nothing but matches: neither similar words nor customers that
	// match only in part.
	Exact bool

	// Limit is the number of hits wanted, 0 for DefaultLimit, at most MaxLimit.
	Limit int

	// After continues where the page ended whose Result.Next this is. All other
	// fields must be as they were.
	After string

	// Facets are the fields whose values are counted over all customers found.
	Facets []Field
}

// Set is a set of customers, such as those that a session may see.
type Set interface {
	Contains(customer.ID) bool
}

// Field is what a filter or a facet is about. Use the constants and [Attribute].
type Field string

// The fields. Values are the texts that the types' String methods return, and
// places as they stand in the address.
const (
	FieldStatus   Field = "status"
	FieldKind     Field = "kind"
	FieldParty    Field = "party"
	FieldOwner    Field = "owner"
	FieldRep      Field = "rep"
	FieldCountry  Field = "country"
	FieldProvince Field = "province"
	FieldCity     Field = "city"
	FieldDistrict Field = "district"
)

const attributePrefix = "attribute:"

// Attribute is the field of a custom attribute, which Options.Attributes must name.
// Its values are what [customer.Value.String] returns, of long ones the first 200 bytes.
func Attribute(name string) Field { return Field(attributePrefix + name) }

// Condition holds for a customer that has one of the values in the field, or, when
// Not is set, for one that has none of them.
type Condition struct {
	Field  Field
	Values []string
	Not    bool
}

// ErrQuery is matched by every [QueryError].
var ErrQuery = errors.New("invalid query")

// QueryError says why a query was refused.
type QueryError struct {
	Field  string // of Query
	Value  string // shortened to 60 characters
	Reason string
	Remedy string
}

func (e *QueryError) Error() string {
	return fmt.Sprintf("search: %s %q: %s; %s", e.Field, e.Value, e.Reason, e.Remedy)
}

// Unwrap makes errors.Is(err, ErrQuery) true.
func (e *QueryError) Unwrap() error { return ErrQuery }

func queryError(field, value, reason, remedy string) error {
	value = strings.ToValidUTF8(value, "\uFFFD")
	if utf8.RuneCountInString(value) > 60 {
		value = string([]rune(value)[:60]) + "…"
	}
	return &QueryError{Field: field, Value: value, Reason: reason, Remedy: remedy}
}

// Rank says how a customer was found. Lower is better.
type Rank uint8

const (
	RankExact    Rank = iota // by its code, an identifier, a phone or an e-mail address
	RankName                 // the text is its name
	RankPrefix               // its name or code begins with the text
	RankContains             // the text is in its name
	RankOther                // found by an alias, contact, address, part of a number, note
	RankSimilar              // found by a name that is spelled like the text
	RankPartial              // found by some of the words
	RankListed               // listed, as the text was empty
)

var rankNames = []string{"exact", "name", "prefix", "contains", "other", "similar", "partial", "listed"}

func (r Rank) String() string {
	if int(r) < len(rankNames) {
		return rankNames[r]
	}
	return fmt.Sprintf("unknown(%d)", uint8(r))
}

// Hit is a customer found.
type Hit struct {
	ID   customer.ID
	Rank Rank
}

// Result is the answer to a query. Hits come by rank, then by the length of the
// name, then by id.
type Result struct {
	Hits   []Hit
	Total  int                    // customers found in all
	Facets map[Field][]FacetCount // by the fields asked for
	Next   string                 // for Query.After, empty on the last page

	// Bounded is set when a short word began so many terms that only some were
	// looked up. A longer text finds the rest.
	Bounded bool
}

// FacetCount is how many of the customers found have a value.
type FacetCount struct {
	Value string
	Count int
}

// position is where a page ended.
type position struct {
	stage stage
	tier  int
	key   uint64
}

const positionBytes = 1 + 1 + 8

func (p position) String() string {
	b := append(make([]byte, 0, positionBytes), byte(p.stage), byte(p.tier))
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(b, p.key))
}

func parsePosition(s string) (position, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != positionBytes || stage(b[0]) > lastStage {
		return position{}, queryError("After", s, "is not the Next of a result", "use Result.Next unchanged")
	}
	return position{stage(b[0]), int(b[1]), binary.BigEndian.Uint64(b[2:])}, nil
}

// checkText refuses what can't be searched for.
func checkText(text string) error {
	if !utf8.ValidString(text) {
		return queryError("Text", text, "is not valid UTF-8", "convert it first")
	}
	if len(text) > MaxTextRunes && utf8.RuneCountInString(text) > MaxTextRunes {
		return queryError("Text", text, fmt.Sprintf("is longer than %d characters", MaxTextRunes), "shorten it")
	}
	return nil
}

func (q *Query) limit() (int, error) {
	switch {
	case q.Limit == 0:
		return DefaultLimit, nil
	case q.Limit < 0 || q.Limit > MaxLimit:
		return 0, queryError("Limit", fmt.Sprint(q.Limit), "is out of range", fmt.Sprintf("use 1 to %d", MaxLimit))
	}
	return q.Limit, nil
}
