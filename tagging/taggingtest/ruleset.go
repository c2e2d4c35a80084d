package taggingtest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging"
	"github.com/clientele-go/clientele/tagging/classify"
)

// Case is a customer, and what a rule set says of it.
type Case struct {
	Name     string
	Now      time.Time                 // when it is looked at; zero is [Start]
	Customer customer.Draft            // for customer.* and attr.*; without a name it gets one
	Events   []customer.Event          // for activity.*
	Facts    map[string]classify.Value // of Setting.Facts; others are missing
	Tags     []classify.TagRef         // that a person has assigned
	// Want are the tags that the customer then holds in the dimensions that the rule set
	// writes, in any order.
	Want []classify.TagRef
	// Then are the instants at which the clock changes that, in order.
	Then []Flip
}

// Flip is an instant at which tags change by the clock alone.
type Flip struct {
	At   time.Time // exactly: a microsecond before, the tags are those before
	Want []classify.TagRef
}

// TestRuleSet checks a rule set: that it is in order and complete, and by cases, whose
// results the author has worked out otherwise, that it says what it should. Each case is
// a customer of a book in memory; those with flips have one of their own.
func TestRuleSet(t T, set classify.RuleSet, s Setting, cases ...Case) {
	t.Helper()
	s.Languages = checkLanguages(t, s.Languages)
	k := &ruleSetKit{T: t, set: set, setting: s, dimensions: map[string]bool{}, fired: map[string]bool{}}
	for _, rule := range set.Rules {
		k.dimensions[rule.Dimension] = true
	}
	before, err := set.JSON()
	if err != nil {
		t.Errorf("the rule set has no JSON form: %v", err)
		return
	}
	k.names()
	k.roundTrip(before)
	if !k.unknown() {
		return
	}
	k.try(cases)
	for _, rule := range set.Rules {
		if !k.fired[rule.Name] {
			t.Errorf("rule %q gives its tag in no case; add one that shows what it does, or leave the rule out", rule.Name)
		}
	}
	if after, err := set.JSON(); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the rule set was changed while it was used")
	}
}

type ruleSetKit struct {
	T
	set        classify.RuleSet
	setting    Setting
	dimensions map[string]bool // that the set writes
	fired      map[string]bool // rules
}

func (k *ruleSetKit) names() {
	k.Helper()
	checkNames(k, "title", k.set.Title, k.setting.Languages)
	for _, name := range slices.Sorted(maps.Keys(k.set.Parameters)) {
		checkNames(k, "parameter "+name, k.set.Parameters[name].Title, k.setting.Languages)
	}
	for i := range k.set.Dimensions {
		checkDimensionNames(k, &k.set.Dimensions[i], k.setting.Languages)
	}
}

// roundTrip checks that the JSON form says the same as the rule set.
func (k *ruleSetKit) roundTrip(text []byte) {
	k.Helper()
	read, err := classify.ParseRuleSet(text)
	if err != nil {
		k.Errorf("its JSON form can't be read: %v", err)
		return
	}
	if again, err := read.JSON(); err != nil || !bytes.Equal(again, text) {
		k.Errorf("its JSON form, read and written again, differs")
	}
}

// unknown checks that the set can be activated, twice with the same result, and that
// nothing fails for a customer of whom nothing but the name is known.
func (k *ruleSetKit) unknown() bool {
	k.Helper()
	b := k.open("a new book")
	if b == nil {
		return false
	}
	defer b.close()
	id, err := b.enter(Case{})
	if err != nil {
		k.Errorf("a customer of whom nothing is known: %v", err)
		return false
	}
	before, err := b.held(id, Start)
	if err == nil {
		err = b.activate(k.set)
	}
	if err != nil {
		k.Errorf("activated a second time: %v", err)
		return false
	}
	after, err := b.held(id, Start)
	if err != nil || after.Version != before.Version {
		k.Errorf("activated a second time, it changes tags (error %v)", err)
	}
	b.reportFailures(k, "a customer of whom nothing is known")
	return true
}

// open opens a book in which the set is active.
func (k *ruleSetKit) open(what string) *book {
	k.Helper()
	b, err := openBook(k.setting)
	if err != nil {
		k.Errorf("%s: it can't be opened: %v", what, err)
		return nil
	}
	if err := b.activate(k.set); err != nil {
		k.Errorf("%s: %v", what, err)
		b.close()
		return nil
	}
	return b
}

// try checks the cases. Those without flips share a book for each time.
func (k *ruleSetKit) try(cases []Case) {
	k.Helper()
	together := map[time.Time][]Case{}
	for _, c := range cases {
		if len(c.Then) > 0 {
			k.inBook(c)
			continue
		}
		now := orStart(c.Now)
		together[now] = append(together[now], c)
	}
	for _, now := range slices.SortedFunc(maps.Keys(together), time.Time.Compare) {
		k.inBook(together[now]...)
	}
}

// inBook checks cases in one book.
func (k *ruleSetKit) inBook(cases ...Case) {
	k.Helper()
	b := k.open(fmt.Sprintf("case %q", cases[0].Name))
	if b == nil {
		return
	}
	defer b.close()
	ids := make([]customer.ID, len(cases))
	for i, c := range cases {
		ids[i] = k.one(b, c)
	}
	if changed, err := b.evaluate(); err != nil || changed != 0 {
		k.Errorf("case %q and those beside it: evaluated anew, the same facts give other tags to %d (error %v)", cases[0].Name, changed, err)
	}
	for i, c := range cases {
		k.withoutFacts(b, ids[i], c)
	}
}

// one checks a case.
func (k *ruleSetKit) one(b *book, c Case) customer.ID {
	k.Helper()
	name := fmt.Sprintf("case %q", c.Name)
	id, err := b.enter(c)
	if err != nil {
		k.Errorf("%s: %v", name, err)
		return 0
	}
	want := c.Want
	k.at(b, id, name, c.Now, want)
	for _, flip := range c.Then {
		k.at(b, id, name, flip.At.Add(-time.Microsecond), want)
		want = flip.Want
		k.at(b, id, name, flip.At, want)
	}
	b.reportFailures(k, name)
	return id
}

// at moves the clock and compares.
func (k *ruleSetKit) at(b *book, id customer.ID, name string, now time.Time, want []classify.TagRef) {
	k.Helper()
	if !now.IsZero() {
		name += " at " + instant(now)
	}
	tagged, err := b.held(id, now)
	if err != nil {
		k.Errorf("%s: %v", name, err)
		return
	}
	k.compare(b, name, tagged, want)
}

func (k *ruleSetKit) compare(b *book, name string, tagged *tagging.Tagged, want []classify.TagRef) {
	k.Helper()
	got, err := b.refs(tagged, k.dimensions)
	if err != nil {
		k.Errorf("%s: %v", name, err)
		return
	}
	by := ""
	for i := range tagged.Assignments {
		a := &tagged.Assignments[i]
		if a.RuleSet == k.set.Name {
			k.fired[a.Rule] = true
			by += " " + a.Rule
		}
	}
	if !sameRefs(got, want) {
		k.Errorf("%s: it is %s (rules that apply:%s), want %s", name, list(got), by, list(want))
	}
}

// withoutFacts leaves one fact after the other out, which must not make a rule fail.
func (k *ruleSetKit) withoutFacts(b *book, id customer.ID, c Case) {
	k.Helper()
	for _, fact := range slices.Sorted(maps.Keys(c.Facts)) {
		less := maps.Clone(c.Facts)
		delete(less, fact)
		b.setFacts(id, less)
		name := fmt.Sprintf("case %q without %s", c.Name, fact)
		if _, err := b.evaluate(); err != nil {
			k.Errorf("%s: %v", name, err)
		}
		b.reportFailures(k, name)
	}
}
