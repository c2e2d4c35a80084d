package taggingtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging/classify"
)

// Verdict is an example of what a classifier says of facts.
type Verdict struct {
	Name     string
	Customer customer.ID               // zero is 1
	Now      time.Time                 // zero is [Start]
	Facts    map[string]classify.Value // others are missing
	Want     []classify.TagRef         // in any order
	// Until is when the verdict may change by the clock; zero for never.
	Until time.Time
}

// The limits of one call of a classifier.
const (
	patience = 2 * time.Second       // after which a call is taken to hang
	budget   = 10 * time.Millisecond // mean time of a call; a book allows 100 ms for one
)

// TestClassifier checks a classifier by examples, whose results the author has worked
// out otherwise, and by variations of them.
func TestClassifier(t T, c classify.Classifier, examples ...Verdict) {
	t.Helper()
	k := &classifierKit{T: t, c: c}
	k.declaration()
	if len(examples) == 0 {
		t.Errorf("there are no examples; without one nothing shows what the classifier is to say")
	}
	if !k.harmless("without any facts", Verdict{}) {
		return
	}
	for _, v := range examples {
		k.example(v)
	}
	k.speed(examples)
	k.book()
}

type classifierKit struct {
	T
	c        classify.Classifier
	declared map[string]map[string]bool // tags by dimension
}

// declaration checks what the classifier says of itself, which must always be the same.
func (k *classifierKit) declaration() {
	k.Helper()
	name, version, facts := k.c.Name(), k.c.Version(), slices.Clone(k.c.Facts())
	if version == 0 {
		k.Errorf("the version is 0; count versions from 1, and raise it when verdicts may change")
	}
	if k.c.Name() != name || k.c.Version() != version || !slices.Equal(k.c.Facts(), facts) {
		k.Errorf("name, version or facts differ from call to call")
	}
	if len(k.c.Facts()) == 0 {
		k.Errorf("no facts are declared, so the classifier would say the same of everybody")
	}
	if len(k.c.Dimensions()) == 0 {
		k.Errorf("no dimensions are declared, so the classifier can give no tags")
	}
	k.declared = map[string]map[string]bool{}
	for _, d := range k.c.Dimensions() {
		k.declared[d.Code] = map[string]bool{}
		for _, tag := range d.Tags {
			k.declared[d.Code][tag.Code] = true
		}
		TestDimension(k, d)
	}
}

// example checks one example and its variations.
func (k *classifierKit) example(v Verdict) {
	k.Helper()
	name := fmt.Sprintf("case %q", v.Name)
	for _, fact := range slices.Sorted(maps.Keys(v.Facts)) {
		if !slices.Contains(k.c.Facts(), fact) {
			k.Errorf("%s gives the fact %s, which Facts doesn't list; a book would not load it", name, fact)
		}
	}
	before := written(v.Facts)
	got, ok := k.ask(name, v)
	if !ok {
		return
	}
	if !sameRefs(got.Tags, v.Want) {
		k.Errorf("%s: it says %s, want %s", name, list(got.Tags), list(v.Want))
	}
	if !got.Until.Equal(v.Until) {
		k.Errorf("%s: it stands until %s, want %s", name, instant(got.Until), instant(v.Until))
	}
	if after := written(v.Facts); after != before {
		k.Errorf("%s: the facts were changed from %s to %s; they belong to the caller", name, before, after)
		return
	}
	k.tags(name, got)
	k.repeated(name, v, got)
	k.clock(name, v, got)
	for _, fact := range slices.Sorted(maps.Keys(v.Facts)) {
		less := v
		less.Facts = maps.Clone(v.Facts)
		delete(less.Facts, fact)
		k.harmless(name+" without "+fact, less)
	}
	k.cancelled(name, v)
}

// tags checks that all tags are declared, each once, and one in an exclusive dimension.
func (k *classifierKit) tags(name string, got classify.Verdict) {
	k.Helper()
	seen, given := map[classify.TagRef]bool{}, map[string]int{}
	for _, tag := range got.Tags {
		tags, known := k.declared[tag.Dimension]
		switch {
		case !known:
			k.Errorf("%s: %s is of a dimension that Dimensions doesn't list", name, tag)
		case !tags[tag.Tag]:
			k.Errorf("%s: %s is no tag that Dimensions lists; a book would refuse it", name, tag)
		case seen[tag]:
			k.Errorf("%s: %s is given twice", name, tag)
		}
		seen[tag] = true
		given[tag.Dimension]++
	}
	for _, d := range k.c.Dimensions() {
		if d.Exclusive && given[d.Code] > 1 {
			k.Errorf("%s: %d tags of the exclusive dimension %s", name, given[d.Code], d.Code)
		}
	}
}

// The number of times that a case is repeated, one after the other and at once.
const (
	repeats = 20
	workers = 8
)

// repeated checks that the same facts give the same verdict, whoever asks.
func (k *classifierKit) repeated(name string, v Verdict, first classify.Verdict) {
	k.Helper()
	var wait sync.WaitGroup
	differing := make(chan string, workers)
	for range workers {
		wait.Go(func() {
			for range repeats {
				got, err := classifyOnce(context.Background(), k.c, v)
				if err != nil || !sameRefs(got.Tags, first.Tags) || !got.Until.Equal(first.Until) || got.Reason != first.Reason {
					differing <- fmt.Sprintf("%s (%q, until %s, error %v), and before %s (%q, until %s)",
						list(got.Tags), got.Reason, instant(got.Until), err, list(first.Tags), first.Reason, instant(first.Until))
					return
				}
			}
		})
	}
	wait.Wait()
	select {
	case what := <-differing:
		k.Errorf("%s: the same facts gave %s; a verdict must depend on nothing but the facts", name, what)
	default:
	}
}

// horizon is how far ahead a verdict that names no end is tried.
const horizon = 800 // days

// clock checks that the verdict stands until the instant that it names.
func (k *classifierKit) clock(name string, v Verdict, first classify.Verdict) {
	k.Helper()
	begin := orStart(v.Now)
	if !first.Until.IsZero() && !first.Until.After(begin) {
		k.Errorf("%s: it stands until %s, which is not after now, %s", name, instant(first.Until), instant(begin))
		return
	}
	started := time.Now()
	for _, at := range instants(begin, first.Until) {
		if time.Since(started) > patience {
			return // too slow, which is reported elsewhere
		}
		later := v
		later.Now = at
		got, err := classifyOnce(context.Background(), k.c, later)
		if err != nil || !sameRefs(got.Tags, first.Tags) {
			k.Errorf("%s: at %s it says %s (error %v) of the same facts, though its verdict %s was to stand until %s; name the earlier instant in Until",
				name, instant(at), list(got.Tags), err, list(first.Tags), instant(first.Until))
			return
		}
	}
}

// instants returns when to try a verdict: day by day and just before its end.
func instants(begin, end time.Time) []time.Time {
	var all []time.Time
	for day := range horizon {
		at := begin.AddDate(0, 0, day+1).Truncate(24 * time.Hour)
		if !end.IsZero() && !at.Before(end) {
			break
		}
		all = append(all, at)
	}
	if !end.IsZero() {
		all = append(all, end.Add(-time.Microsecond))
	}
	return all
}

// cancelled checks that a call returns when its context is done.
func (k *classifierKit) cancelled(name string, v Verdict) {
	k.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := classifyOnce(ctx, k.c, v); errors.Is(err, errHangs) || errors.Is(err, classify.ErrPanic) {
		k.Errorf("%s with a context that is done: %v", name, err)
	}
}

// harmless checks that facts which lack something are no failure.
func (k *classifierKit) harmless(name string, v Verdict) bool {
	k.Helper()
	got, ok := k.ask(name, v)
	if ok {
		k.tags(name, got)
	}
	return ok
}

// ask reports a failing call.
func (k *classifierKit) ask(name string, v Verdict) (classify.Verdict, bool) {
	k.Helper()
	got, err := classifyOnce(context.Background(), k.c, v)
	if err != nil {
		k.Errorf("%s (%s): %v; a fact that is not known is Missing, and no error", name, written(v.Facts), err)
	}
	return got, err == nil
}

// speed checks the mean time of a call.
func (k *classifierKit) speed(examples []Verdict) {
	k.Helper()
	begin, calls := time.Now(), 0
	for range repeats {
		for _, v := range examples {
			if _, err := k.c.Classify(context.Background(), factsOf(k.c, v)); err != nil {
				return // was reported
			}
			calls++
		}
		if time.Since(begin) > patience {
			break
		}
	}
	if mean := time.Since(begin) / time.Duration(max(calls, 1)); mean > budget {
		k.Errorf("a call takes %s on average; at most %s, since a book asks for every customer", mean, budget)
	}
}

// book opens a book with the classifier, which checks names and dimensions as a
// program's would, and has it judge a customer of whom nothing is known.
func (k *classifierKit) book() {
	k.Helper()
	b, err := openBook(surroundings(k.c), k.c)
	if err != nil {
		k.Errorf("a book can't be opened with the classifier: %v", err)
		return
	}
	defer b.close()
	id, err := b.enter(Case{})
	if err == nil {
		_, err = b.held(id, Start)
	}
	if err != nil {
		k.Errorf("a book with the classifier: %v", err)
	}
	sets, err := b.rules.RuleSets(context.Background())
	if err != nil {
		k.Errorf("a book with the classifier: %v", err)
	}
	for _, set := range sets {
		if set.Broken != nil {
			k.Errorf("a book can't use the classifier: %v", set.Broken)
		}
	}
	b.reportFailures(k, "a customer of whom nothing is known")
}

// surroundings are the sources, attributes and dimensions that the facts of a
// classifier come from.
func surroundings(c classify.Classifier) Setting {
	var s Setting
	for _, name := range c.Facts() {
		root, rest, _ := strings.Cut(name, ".")
		switch root {
		case "customer", "activity":
		case "attr":
			s.Attributes = append(s.Attributes, customer.AttributeSpec{Name: rest, Type: customer.Text})
		case "tag":
			s.dimensions = append(s.dimensions, rest)
		default:
			s.Facts = append(s.Facts, classify.FactSpec{Name: name, Type: classify.Text})
		}
	}
	return s
}

func instant(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func orStart(t time.Time) time.Time {
	if t.IsZero() {
		return Start
	}
	return t
}

var errHangs = fmt.Errorf("the call did not return within %s", patience)

// factsOf are the facts that a book would hand over: those that were declared.
func factsOf(c classify.Classifier, v Verdict) classify.Facts {
	known := map[string]classify.Value{}
	for _, name := range c.Facts() {
		if value := v.Facts[name]; !value.Missing() {
			known[name] = value
		}
	}
	return classify.NewFacts(max(v.Customer, 1), orStart(v.Now), known)
}

// classifyOnce asks a classifier, which may panic or hang.
func classifyOnce(ctx context.Context, c classify.Classifier, v Verdict) (classify.Verdict, error) {
	type answer struct {
		verdict classify.Verdict
		err     error
	}
	answers := make(chan answer, 1)
	facts := factsOf(c, v)
	go func() {
		var a answer
		defer func() {
			if p := recover(); p != nil {
				a.err = fmt.Errorf("%w: %v", classify.ErrPanic, p)
			}
			answers <- a
		}()
		a.verdict, a.err = c.Classify(ctx, facts)
	}()
	select {
	case a := <-answers:
		return a.verdict, a.err
	case <-time.After(patience):
		return classify.Verdict{}, errHangs
	}
}
