package tagging

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/text"
)

// Limits of definitions, in bytes where nothing else is said.
const (
	maxDimensionCode = 64
	maxTagCode       = 100
	maxDescription   = 2000
	maxReason        = 1000
	maxAliases       = 50   // of a tag
	maxAssignments   = 1000 // of a customer
	maxDimensions    = 1000 // of a book
	maxTags          = 200_000
	maxSegments      = 10_000
	maxDepth         = 32 // levels of a tree
	maxValidDays     = 36_500
)

var (
	dimensionPattern = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	colourPattern    = regexp.MustCompile(`^#[0-9a-f]{6}$`)
)

func isSign(c rune) bool     { return c == '-' || c == '_' || c == '.' || c == '+' }
func isCodeRune(c rune) bool { return isSign(c) || unicode.In(c, unicode.L, unicode.M, unicode.Nd) }

// invalid is an error about one field of a definition.
func invalid(op, field, value string, code customer.Code, problem, remedy string) error {
	return &Error{Op: op, Field: field, Value: shorten(value), Code: code, Problem: problem, Remedy: remedy, Err: ErrInvalid}
}

// cleanCode returns a tag's code as it is stored.
func cleanCode(op, field, code string) (string, error) {
	clean, err := text.Clean(code)
	switch {
	case err != nil:
		return "", &Error{Op: op, Field: field, Value: shorten(code), Code: customer.CodeMalformed, Problem: err.Error(), Err: ErrInvalid}
	case clean == "":
		return "", invalid(op, field, code, customer.CodeRequired, "is missing", "")
	case len(clean) > maxTagCode:
		return "", invalid(op, field, code, customer.CodeTooLong, "is too long", fmt.Sprintf("use at most %d bytes", maxTagCode))
	}
	if i := strings.IndexFunc(clean, func(c rune) bool { return !isCodeRune(c) }); i >= 0 {
		return "", invalid(op, field, code, customer.CodeMalformed, fmt.Sprintf("has %q", []rune(clean[i:])[0]), "use letters of any script, digits and - _ . +")
	}
	if !strings.ContainsFunc(clean, func(c rune) bool { return unicode.In(c, unicode.L, unicode.Nd) }) {
		return "", invalid(op, field, code, customer.CodeMalformed, "has neither letter nor digit", "")
	}
	return clean, nil
}

// shown are the parts of definitions that are there to be shown.
func checkShown(op string, names customer.Names, description, colour string) error {
	if err := names.Validate("Names"); err != nil {
		return &Error{Op: op, Field: "Names", Problem: err.Error(), Code: customer.CodeMalformed, Err: err}
	}
	if len(description) > maxDescription {
		return invalid(op, "Description", description, customer.CodeTooLong, "is too long", fmt.Sprintf("use at most %d bytes", maxDescription))
	}
	if _, err := text.Clean(strings.ReplaceAll(description, "\n", " ")); err != nil {
		return &Error{Op: op, Field: "Description", Value: shorten(description), Code: customer.CodeMalformed, Problem: err.Error(), Err: ErrInvalid}
	}
	if colour != "" && !colourPattern.MatchString(colour) {
		return invalid(op, "Colour", colour, customer.CodeMalformed, "is no colour", `use "#rrggbb" in lower-case hex digits`)
	}
	return nil
}

func (d *Dimension) check(op string) error {
	switch {
	case len(d.Code) > maxDimensionCode:
		return invalid(op, "Code", d.Code, customer.CodeTooLong, "is too long", fmt.Sprintf("use at most %d bytes", maxDimensionCode))
	case !dimensionPattern.MatchString(d.Code):
		return invalid(op, "Code", d.Code, customer.CodeMalformed, "is no dimension code", "use lower-case letters, digits and _, from a letter on")
	case slices.Contains(reserved, d.Code):
		return invalid(op, "Code", d.Code, customer.CodeManaged, "is the name of a customer field or a word of filters", "use another one")
	case d.ValidDays < 0 || d.ValidDays > maxValidDays:
		return invalid(op, "ValidDays", fmt.Sprint(d.ValidDays), customer.CodeMalformed, "is out of range", fmt.Sprintf("use 0 for no end, or 1 to %d", maxValidDays))
	case d.RuleWins && !d.Exclusive:
		return invalid(op, "RuleWins", "true", customer.CodeMalformed, "makes sense only in an exclusive dimension", "set Exclusive too")
	}
	return checkShown(op, d.Names, d.Description, d.Colour)
}

// check reports what is wrong with a tag by itself, and brings codes into the form in
// which they are stored.
func (t *Tag) check(op string) (err error) {
	if t.Code, err = cleanCode(op, "Code", t.Code); err != nil {
		return err
	}
	if len(t.Aliases) > maxAliases {
		return invalid(op, "Aliases", fmt.Sprint(len(t.Aliases)), customer.CodeTooLong, "are too many", fmt.Sprintf("use at most %d", maxAliases))
	}
	seen := map[string]bool{foldCode(t.Code): true}
	for i := range t.Aliases {
		field := fmt.Sprintf("Aliases[%d]", i)
		if t.Aliases[i], err = cleanCode(op, field, t.Aliases[i]); err != nil {
			return err
		}
		if folded := foldCode(t.Aliases[i]); seen[folded] {
			return invalid(op, field, t.Aliases[i], customer.CodeRepeated, "stands twice", "leave it out")
		} else {
			seen[folded] = true
		}
	}
	if t.Until, err = second(op, "Until", t.Until); err != nil {
		return err
	}
	return checkShown(op, t.Names, t.Description, t.Colour)
}

// second returns an instant in whole seconds, rounded down.
func second(op, field string, t time.Time) (time.Time, error) {
	if t.IsZero() {
		return t, nil
	}
	if t = t.UTC().Truncate(time.Second); t.Year() < 1970 || t.Year() > 9999 {
		return t, invalid(op, field, t.Format(time.RFC3339), customer.CodeMalformed, "is no time between the years 1970 and 9999", "leave it zero for no bound")
	}
	return t, nil
}
