package classify

import (
	"fmt"
	"maps"
	"slices"
)

const nameRemedy = "use 1 to 100 lower case letters, digits, _ and -, a letter first"

// Limits of one rule set.
const (
	maxRules      = 2000
	maxParameters = 500
)

func wellFormedName(name string) bool {
	for i, r := range name {
		if (r < 'a' || r > 'z') && (i == 0 || r != '_' && r != '-' && (r < '0' || r > '9')) {
			return false
		}
	}
	return name != "" && len(name) <= 100
}

// Validate reports the first thing that is wrong with a rule set by itself, as a
// *RuleError; [Rules.Check] also compiles it against a book.
func (rs *RuleSet) Validate() error {
	fail := func(rule, field, problem, remedy string) error {
		return &RuleError{Set: rs.Name, Rule: rule, Field: field, Problem: problem, Remedy: remedy, Err: ErrInvalid}
	}
	if !wellFormedName(rs.Name) {
		return fail("", "name", "is no name of a rule set", nameRemedy)
	}
	if len(rs.Rules) > maxRules || len(rs.Parameters) > maxParameters {
		return fail("", "rules", "has too many rules or parameters", fmt.Sprintf("use at most %d rules and %d parameters", maxRules, maxParameters))
	}
	if err := rs.validateTexts(); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(rs.Parameters)) {
		if !wellFormedPart(name) {
			return fail("", "parameters", fmt.Sprintf("%q is no name of a parameter", name), "use lower case letters, digits and _, a letter first")
		}
		if err := rs.Parameters[name].check(); err != nil {
			return fail("", "parameters."+name, err.Error(), "")
		}
	}
	seen := map[string]bool{}
	for _, rule := range rs.Rules {
		switch {
		case !wellFormedName(rule.Name):
			return fail(rule.Name, "name", "is no name of a rule", nameRemedy)
		case seen[rule.Name]:
			return fail(rule.Name, "name", "occurs twice", "")
		case rule.Dimension == "":
			return fail(rule.Name, "dimension", "is missing", "name the dimension whose tags the rule gives")
		case (rule.Tag == "") == (rule.Value == ""):
			return fail(rule.Name, "tag", "there must be either a tag or a value", "")
		}
		seen[rule.Name] = true
	}
	return nil
}

func (rs *RuleSet) validateTexts() error {
	if err := rs.Title.Validate("title"); err != nil {
		return at(RuleError{Set: rs.Name}, "title", err)
	}
	if err := rs.Description.Validate("description"); err != nil {
		return at(RuleError{Set: rs.Name}, "description", err)
	}
	for _, rule := range rs.Rules {
		if err := rule.Title.Validate("title"); err != nil {
			return at(RuleError{Set: rs.Name, Rule: rule.Name}, "title", err)
		}
		if err := rule.Description.Validate("description"); err != nil {
			return at(RuleError{Set: rs.Name, Rule: rule.Name}, "description", err)
		}
	}
	return nil
}
