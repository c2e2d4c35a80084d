package classify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/clientele-go/clientele/customer"
)

// RuleSet is a named, versioned list of rules with the dimensions that they assign
// tags of. Its JSON form is what a user reads, copies and changes; see [ParseRuleSet].
type RuleSet struct {
	Name        string         `json:"name"`              // lower case letters, digits, _ and -
	Version     uint64         `json:"version,omitempty"` // given by Activate, from 1
	Title       customer.Names `json:"title,omitempty"`
	Description customer.Names `json:"description,omitempty"`
	// Parameters are the thresholds, which rules read as param.NAME.
	Parameters map[string]Parameter `json:"parameters,omitempty"`
	// Dimensions and their tags are created when they are missing. Those that exist
	// are left as they are.
	Dimensions []DimensionSpec `json:"dimensions,omitempty"`
	Rules      []Rule          `json:"rules"`
}

// Rule gives tags of one dimension to the customers whose facts meet its conditions.
type Rule struct {
	Name        string         `json:"name"` // unique in its set; lower case letters, digits, _ and -
	Title       customer.Names `json:"title,omitempty"`
	Description customer.Names `json:"description,omitempty"`
	// Where is a filter (package tagging/filter) that narrows whom the rule concerns;
	// empty is everybody. It is evaluated by bitmaps, and tells whom a change of the
	// rule can affect, so a good Where makes a rule cheap.
	Where string `json:"where,omitempty"`
	// When is a CEL expression of type bool; empty is true.
	When string `json:"when,omitempty"`
	// Dimension is the code of the dimension whose tags the rule gives: either Tag, or
	// the code or list of codes that the CEL expression Value results in. Null, an
	// empty text and an empty list are no tag.
	Dimension string `json:"dimension"`
	Tag       string `json:"tag,omitempty"`
	Value     string `json:"value,omitempty"`
	// Priority decides between rules that give different tags of an exclusive dimension:
	// the highest wins, among equals the first by name of set, then by order.
	Priority int `json:"priority,omitempty"`
}

// Parameter is a constant that a user may change without touching the rules.
type Parameter struct {
	// Value is an integer (a JSON number without a point), a number, a text, a truth
	// value, a list of such, or an object of such.
	Value any `json:"value"`
	// Min and Max bound an integer or a number; nil is unbounded.
	Min   *float64       `json:"min,omitempty"`
	Max   *float64       `json:"max,omitempty"`
	Title customer.Names `json:"title,omitempty"`
}

// DimensionSpec describes a dimension to be created when it is missing. Its fields are
// those of tagging.Dimension.
type DimensionSpec struct {
	Code        string         `json:"code"`
	Names       customer.Names `json:"names,omitempty"`
	Description string         `json:"description,omitempty"`
	Colour      string         `json:"colour,omitempty"`
	Exclusive   bool           `json:"exclusive,omitempty"`
	Ordered     bool           `json:"ordered,omitempty"`
	Tree        bool           `json:"tree,omitempty"`
	Required    bool           `json:"required,omitempty"`
	RuleWins    bool           `json:"rule_wins,omitempty"`
	ValidDays   int            `json:"valid_days,omitempty"`
	Tags        []TagSpec      `json:"tags,omitempty"`
}

// TagSpec describes a tag to be created when it is missing. Its fields are those of
// tagging.Tag.
type TagSpec struct {
	Code        string         `json:"code"`
	Parent      string         `json:"parent,omitempty"` // the code of a tag above it in the list
	Rank        int            `json:"rank,omitempty"`
	Names       customer.Names `json:"names,omitempty"`
	Aliases     []string       `json:"aliases,omitempty"`
	Description string         `json:"description,omitempty"`
	Colour      string         `json:"colour,omitempty"`
}

// maxRuleSet bounds the JSON form of a rule set, in bytes.
const maxRuleSet = 4 << 20

// ParseRuleSet reads the JSON form of a rule set. Unknown fields are refused, so that
// a misspelt one doesn't silently change what a rule does. The error is a
// *RuleError with line and column.
func ParseRuleSet(text []byte) (RuleSet, error) {
	var rs RuleSet
	if len(text) > maxRuleSet {
		return rs, &RuleError{Problem: fmt.Sprintf("the rule set has %d bytes; at most %d", len(text), maxRuleSet), Err: ErrInvalid}
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode(&rs); err != nil {
		return RuleSet{}, parseError(text, d.InputOffset(), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return RuleSet{}, parseError(text, d.InputOffset(), errors.New("something follows the rule set"))
	}
	return rs, nil
}

// parseError says where in the text the decoder stopped.
func parseError(text []byte, offset int64, err error) error {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &typ):
		offset = typ.Offset
	default: // for an unknown field the decoder tells the name alone
		if _, name, is := strings.Cut(err.Error(), "unknown field "); is {
			offset = int64(max(bytes.Index(text, []byte(name)), 0))
		}
	}
	before := string(text[:min(int(offset), len(text))])
	line := strings.Count(before, "\n") + 1
	column := len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1
	return &RuleError{Line: line, Column: column, Problem: strings.TrimPrefix(err.Error(), "json: "), Err: ErrInvalid}
}

// JSON returns the form that ParseRuleSet reads, indented for people.
func (rs RuleSet) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // conditions are full of < and &
	e.SetIndent("", "  ")
	err := e.Encode(rs)
	return b.Bytes(), err
}

// WithParameter returns a copy of the set in which a parameter has another value. It
// fails when the set has no such parameter; Activate checks type and bounds.
func (rs RuleSet) WithParameter(name string, value any) (RuleSet, error) {
	p, found := rs.Parameters[name]
	if !found {
		return rs, &RuleError{Set: rs.Name, Field: "parameters", Problem: fmt.Sprintf("there is no parameter %q", name), Err: ErrInvalid}
	}
	p.Value = value
	changed := make(map[string]Parameter, len(rs.Parameters))
	for n, other := range rs.Parameters {
		changed[n] = other
	}
	changed[name] = p
	rs.Parameters = changed
	return rs, nil
}
