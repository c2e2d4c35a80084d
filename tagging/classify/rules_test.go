package classify_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging"
	"github.com/clientele-go/clientele/tagging/classify"
)

var revenue = customer.AttributeSpec{Name: "revenue", Type: customer.Number}

// sizes is a rule set of three rules with a parameter.
func sizes() classify.RuleSet {
	return classify.RuleSet{
		Name:       "size",
		Parameters: map[string]classify.Parameter{"large": {Value: 1000}, "medium": {Value: 100}},
		Dimensions: []classify.DimensionSpec{levels("size", true, "small", "medium", "large")},
		Rules: []classify.Rule{
			{Name: "large", Where: "party:organisation", When: "attr.revenue >= param.large", Dimension: "size", Tag: "large", Priority: 3},
			{Name: "medium", Where: "party:organisation", When: "attr.revenue >= param.medium", Dimension: "size", Tag: "medium", Priority: 2},
			{Name: "small", Where: "party:organisation", When: "attr.revenue != null", Dimension: "size", Tag: "small", Priority: 1},
		},
	}
}

func company(name string, revenue int64) customer.Draft {
	d := customer.Draft{Name: name}
	if revenue >= 0 {
		d.Attributes = []customer.Attribute{{Name: "revenue", Value: customer.NumberValue(revenue)}}
	}
	return d
}

func TestActivateClassifiesAndFollowsChanges(t *testing.T) {
	b := newBook(t, classify.Options{})
	b.schema(revenue)
	big, mid, none := b.create(company("Big", 5000)), b.create(company("Mid", 100)), b.create(company("Unknown", -1))
	person := b.create(customer.Draft{Name: "Wang Li", Party: customer.Person, Attributes: []customer.Attribute{{Name: "revenue", Value: customer.NumberValue(9999)}}})
	b.sync()
	done := b.activate(sizes())
	if done.Version != 1 || done.Evaluated != 3 || done.Changed != 2 || len(done.Rules) != 3 {
		t.Errorf("activation: %+v", done)
	}
	b.want(big, "size", "large")
	b.want(mid, "size", "medium")
	b.want(none, "size", "")
	b.want(person, "size", "")

	b.edit(mid, func(c *customer.Customer) { c.SetAttribute("revenue", customer.NumberValue(99)) })
	b.edit(none, func(c *customer.Customer) { c.SetAttribute("revenue", customer.NumberValue(1000)) })
	late := b.create(company("Late", 0))
	b.sync()
	b.want(mid, "size", "small")
	b.want(none, "size", "large")
	b.want(late, "size", "small")
	b.consistent()
}

func TestManualTagsAndDenialsWinOverRules(t *testing.T) {
	b := newBook(t, classify.Options{})
	b.schema(revenue)
	x, y := b.create(company("X", 5000)), b.create(company("Y", 5000))
	b.activate(sizes())
	b.tagTx(func(tags *tagging.Tx) error {
		small, err := tags.Tag("size", "small")
		if err != nil {
			return err
		}
		large, err := tags.Tag("size", "large")
		if err != nil {
			return err
		}
		if _, err := tags.Assign(x, tagging.Assignment{Tag: small.ID}); err != nil {
			return err
		}
		_, err = tags.Deny(y, large.ID)
		return err
	})
	b.edit(x, func(c *customer.Customer) { c.SetAttribute("revenue", customer.NumberValue(200)) })
	b.edit(y, func(c *customer.Customer) { c.Note = "touched" })
	b.sync()
	b.want(x, "size", "small")
	b.want(y, "size", "")
	b.tagTx(func(tags *tagging.Tx) error {
		small, err := tags.Tag("size", "small")
		if err == nil {
			_, err = tags.Remove(x, small.ID)
		}
		return err
	})
	b.want(x, "size", "medium") // the rule's, since nobody says otherwise any more
	b.consistent()
}

func TestANewVersionEvaluatesExactlyWhomItCanAffect(t *testing.T) {
	b := newBook(t, classify.Options{})
	b.schema(revenue)
	countries := func(cn, us string) classify.RuleSet {
		return classify.RuleSet{
			Name: "markets", Dimensions: []classify.DimensionSpec{levels("market", false, "home", "abroad")},
			Rules: []classify.Rule{
				{Name: "home", Where: "rep:" + cn, Dimension: "market", Tag: "home"},
				{Name: "abroad", Where: "rep:" + us, Dimension: "market", Tag: "abroad"},
			},
		}
	}
	var ids []customer.ID
	for i := range 30 {
		ids = append(ids, b.create(customer.Draft{Name: "C", Rep: []string{"a", "b", "c"}[i%3]}))
	}
	b.sync()
	if done := b.activate(countries("a", "b")); done.Total != 20 || done.Evaluated != 20 || done.Changed != 20 {
		t.Errorf("first version: %+v, want the 10 of rep a and the 10 of rep b", done)
	}
	if done := b.activate(countries("a", "b")); done.Version != 1 || done.Evaluated != 0 {
		t.Errorf("the same again: %+v", done)
	}
	titled := countries("a", "b")
	titled.Title = customer.Names{"en": "Markets"}
	if done := b.activate(titled); done.Version != 2 || done.Evaluated != 0 || len(done.Rules) != 0 {
		t.Errorf("another title: %+v", done)
	}
	done := b.activate(countries("a", "c"))
	if done.Total != 20 || done.Changed != 20 || len(done.Rules) != 1 || done.Rules[0] != "abroad" {
		t.Errorf("second rule changed: %+v, want the 10 of rep b and the 10 of rep c", done)
	}
	b.want(ids[0], "market", "home")
	b.want(ids[1], "market", "")
	b.want(ids[2], "market", "abroad")
	gone, err := b.rules.Deactivate(ctx, asAdmin, "markets", nil)
	if err != nil || gone.Changed != 20 {
		t.Errorf("deactivated: %+v, %v", gone, err)
	}
	b.want(ids[0], "market", "")
	if done := b.activate(countries("a", "c")); done.Changed != 20 {
		t.Errorf("back again: %+v", done)
	}
	b.consistent()
}

func TestARuleThatIsGoneTakesItsTagsWithIt(t *testing.T) {
	b := newBook(t, classify.Options{})
	b.schema(revenue)
	id := b.create(company("X", 500))
	b.sync()
	b.activate(sizes())
	b.want(id, "size", "medium")
	rs := sizes()
	rs.Rules = nil
	if done := b.activate(rs); done.Changed != 1 || len(done.Rules) != 3 {
		t.Errorf("%+v", done)
	}
	b.want(id, "size", "")
	b.consistent()
}

func TestArchivedCustomersKeepTheirTagsAndErasedOnesAreForgotten(t *testing.T) {
	b := newBook(t, classify.Options{})
	b.schema(revenue, customer.AttributeSpec{Name: "staff", Type: customer.Number})
	rs := sizes()
	rs.Rules = append(rs.Rules, classify.Rule{Name: "fails", When: "attr.revenue / 0 > 1", Dimension: "size", Tag: "small"})
	id := b.create(company("X", 500))
	b.activate(rs)
	status := func(f func(tx *customer.Tx) (*customer.Customer, error)) {
		b.update(func(tx *storage.Tx) error { _, err := f(b.customers.Tx(tx)); return err })
		b.sync()
	}
	status(func(tx *customer.Tx) (*customer.Customer, error) { return tx.Archive(id) })
	b.want(id, "size", "medium")
	status(func(tx *customer.Tx) (*customer.Customer, error) { return tx.Reactivate(id) })
	b.want(id, "size", "medium")
	if list, err := b.rules.Failures(ctx); err != nil || len(list) != 1 || list[0].Error == "" {
		t.Fatal(list, err)
	}
	status(func(tx *customer.Tx) (*customer.Customer, error) { return tx.Erase(id) })
	if list, err := b.rules.Failures(ctx); err != nil || len(list) != 1 || list[0].Error != "" {
		t.Error("the report still quotes the erased customer", list, err)
	}
	b.consistent()
}

func TestAParameterChangesOnlyTheRulesThatReadIt(t *testing.T) {
	b := newBook(t, classify.Options{})
	b.schema(revenue)
	id := b.create(company("X", 500))
	b.activate(sizes())
	changed, err := sizes().WithParameter("large", 400)
	if err != nil {
		t.Fatal(err)
	}
	if done := b.activate(changed); len(done.Rules) != 1 || done.Rules[0] != "large" {
		t.Errorf("changed rules: %v", done.Rules)
	}
	b.want(id, "size", "large")
	if _, err := sizes().WithParameter("huge", 1); !errors.Is(err, classify.ErrInvalid) {
		t.Errorf("unknown parameter: %v", err)
	}
}

func TestRulesReadTagsThatOtherRulesGive(t *testing.T) {
	b := newBook(t, classify.Options{})
	b.schema(revenue)
	big, small := b.create(company("Big", 5000)), b.create(company("Small", 5))
	// "a" comes before "size" by name, and reads what it writes.
	b.activate(sizes())
	b.activate(classify.RuleSet{
		Name: "a", Dimensions: []classify.DimensionSpec{levels("care", true, "key", "mass")},
		Rules: []classify.Rule{
			{Name: "key", When: `tag.size == "large"`, Dimension: "care", Tag: "key", Priority: 1},
			{Name: "mass", Where: "size:small", Dimension: "care", Tag: "mass"},
		},
	})
	b.want(big, "care", "key")
	b.want(small, "care", "mass")
	b.edit(small, func(c *customer.Customer) { c.SetAttribute("revenue", customer.NumberValue(5000)) })
	b.edit(big, func(c *customer.Customer) { c.SetAttribute("revenue", customer.NumberValue(5)) })
	b.sync()
	b.want(small, "care", "key")
	b.want(big, "care", "mass")
	b.tagTx(func(tags *tagging.Tx) error { // a person's tag is a fact as well
		large, err := tags.Tag("size", "large")
		if err == nil {
			_, err = tags.Assign(big, tagging.Assignment{Tag: large.ID})
		}
		return err
	})
	b.sync()
	b.want(big, "care", "key")
	b.consistent()
}

func TestCyclesAreRefused(t *testing.T) {
	b := newBook(t, classify.Options{})
	rules := func(name, reads, writes string) classify.RuleSet {
		return classify.RuleSet{Name: name, Dimensions: []classify.DimensionSpec{levels("x", true, "t"), levels("y", true, "t"), levels("z", true, "t")},
			Rules: []classify.Rule{{Name: "r", When: `tag.` + reads + ` == "t"`, Dimension: writes, Tag: "t"}}}
	}
	b.activate(rules("one", "x", "y"))
	b.activate(rules("two", "y", "z"))
	_, err := b.rules.Activate(ctx, asAdmin, rules("three", "z", "x"), nil)
	var cycle *classify.CycleError
	if !errors.As(err, &cycle) || !errors.Is(err, classify.ErrCycle) || len(cycle.Path) != 4 {
		t.Fatalf("cycle of three: %v", err)
	}
	if _, err := b.rules.Activate(ctx, asAdmin, rules("self", "x", "x"), nil); !errors.Is(err, classify.ErrCycle) {
		t.Errorf("a rule that reads its own dimension: %v", err)
	}
	if sets, err := b.rules.RuleSets(ctx); err != nil || len(sets) != 2 {
		t.Errorf("a refused set must leave nothing: %v, %v", sets, err)
	}
}

func TestWrongRuleSetsAreRefusedWithPlaceAndRemedy(t *testing.T) {
	b := newBook(t, classify.Options{})
	b.schema(revenue, customer.AttributeSpec{Name: "since", Type: customer.Date})
	set := func(change func(rs *classify.RuleSet)) classify.RuleSet {
		rs := sizes()
		change(&rs)
		return rs
	}
	first := func(f func(r *classify.Rule)) classify.RuleSet {
		return set(func(rs *classify.RuleSet) { f(&rs.Rules[0]) })
	}
	cases := []struct {
		name string
		rs   classify.RuleSet
		want []string // in the message
		is   error
	}{
		{"unknown fact", first(func(r *classify.Rule) { r.When = "true &&\n attr.turnover > 1" }), []string{`rule "large"`, "when", "line 2, column 6", "no fact attr.turnover", "attr.revenue"}, classify.ErrInvalid},
		{"unknown parameter", first(func(r *classify.Rule) { r.When = "attr.revenue > param.huge" }), []string{"param.huge", "param.large"}, classify.ErrInvalid},
		{"syntax", first(func(r *classify.Rule) { r.When = "attr.revenue >" }), []string{"line 1"}, classify.ErrInvalid},
		{"type", first(func(r *classify.Rule) { r.When = `attr.revenue > "a"` }), []string{"line 1, column 14"}, classify.ErrInvalid},
		{"no bool", first(func(r *classify.Rule) { r.When = `attr.revenue` }), []string{"not a bool"}, classify.ErrInvalid},
		{"has", first(func(r *classify.Rule) { r.When = `has(attr.revenue)` }), []string{"!= null"}, classify.ErrInvalid},
		{"now added", first(func(r *classify.Rule) { r.When = `now.getFullYear() > 2020` }), []string{"line 1, column 1", "daysSince(t) > 90"}, classify.ErrClock},
		{"now twice", first(func(r *classify.Rule) { r.When = `now - attr.since > now - customer.created` }), nil, classify.ErrClock},
		{"days computed", first(func(r *classify.Rule) { r.When = `daysSince(attr.since) / 30 > 2` }), nil, classify.ErrClock},
		{"where", first(func(r *classify.Rule) { r.Where = `party:organisation AND AND` }), []string{"where", "line 1, column 24"}, classify.ErrInvalid},
		{"where unknown", first(func(r *classify.Rule) { r.Where = `partie:organisation` }), []string{"where", "party"}, classify.ErrInvalid},
		{"dimension", first(func(r *classify.Rule) { r.Dimension = "sizes" }), []string{"dimension", "size"}, classify.ErrInvalid},
		{"tag", first(func(r *classify.Rule) { r.Tag = "larg" }), []string{"tag", "large"}, classify.ErrInvalid},
		{"tag and value", first(func(r *classify.Rule) { r.Value = `"large"` }), []string{"either"}, classify.ErrInvalid},
		{"value type", first(func(r *classify.Rule) { r.Tag, r.Value = "", `12` }), []string{"tag code"}, classify.ErrInvalid},
		{"twice", set(func(rs *classify.RuleSet) { rs.Rules[1].Name = "large" }), []string{"twice"}, classify.ErrInvalid},
		{"name", set(func(rs *classify.RuleSet) { rs.Name = "Größe" }), []string{"lower case"}, classify.ErrInvalid},
		{"bounds", set(func(rs *classify.RuleSet) {
			least := 10.0
			rs.Parameters["large"] = classify.Parameter{Value: 5, Min: &least}
		}), []string{"parameters.large", "least is 10"}, classify.ErrInvalid},
		{"nested", first(func(r *classify.Rule) { r.When = strings.Repeat("(", 5000) + "true" + strings.Repeat(")", 5000) }), []string{"large"}, classify.ErrInvalid},
		{"long", first(func(r *classify.Rule) { r.When = "true" + strings.Repeat(" ", 1<<20) + "&& true" }), []string{"bytes"}, classify.ErrInvalid},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := b.rules.Check(ctx, c.rs)
			var rule *classify.RuleError
			if !errors.As(err, &rule) || !errors.Is(err, c.is) {
				t.Fatalf("got %v", err)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the message lacks %q: %v", part, err)
				}
			}
			if _, err := b.rules.Activate(ctx, asAdmin, c.rs, nil); err == nil {
				t.Error("Activate accepts what Check refuses")
			}
		})
	}
	err := b.store.View(ctx, func(r *storage.Reader) error {
		_, err := b.tags.Reader(r, b.customers.Reader(r)).Dimension("size")
		return err
	})
	if !errors.Is(err, tagging.ErrUnknownDimension) {
		t.Errorf("a refused rule set left its dimension: %v", err)
	}
}

func TestParseRuleSetRefusesUnknownFieldsWithTheirPlace(t *testing.T) {
	text, err := sizes().JSON()
	if err != nil {
		t.Fatal(err)
	}
	back, err := classify.ParseRuleSet(text)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := back.JSON()
	if string(again) != string(text) {
		t.Errorf("read back:\n%s\nwant\n%s", again, text)
	}
	if !strings.Contains(string(text), `attr.revenue >= param.large`) {
		t.Errorf("conditions should be readable:\n%s", text)
	}
	_, err = classify.ParseRuleSet([]byte("{\n  \"name\": \"x\",\n  \"ruels\": []\n}"))
	var rule *classify.RuleError
	if !errors.As(err, &rule) || !strings.Contains(err.Error(), "ruels") || rule.Line != 3 {
		t.Errorf("misspelt field: %v", err)
	}
	if _, err = classify.ParseRuleSet([]byte("{\n\"rules\": [}")); !errors.As(err, &rule) || rule.Line != 2 {
		t.Errorf("syntax: %v", err)
	}
}
