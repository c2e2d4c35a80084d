package taggingtest

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/identifier"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
	"github.com/clientele-go/clientele/tagging"
	"github.com/clientele-go/clientele/tagging/classify"
)

// Setting is the book in which a rule set is tried.
type Setting struct {
	Country    string                   // the book's home country; empty is CN
	Attributes []customer.AttributeSpec // custom attributes, for attr.*
	Schemes    []identifier.Scheme      // identifier schemes beside the built-in ones
	Facts      []classify.FactSpec      // facts of sources other than the built-in ones
	// Before are rule sets on which the one in question builds, activated before it.
	Before []classify.RuleSet
	// Languages are those in which names must be given; nil is en, zh-Hans and zh-Hant.
	Languages []string

	dimensions []string // to be there from the beginning
}

// book is a book in memory, and a clock that stands still.
type book struct {
	store     *storage.Store
	customers *customer.Store
	tags      *tagging.Store
	rules     *classify.Rules
	failed    int64 // failures of rules that were reported

	mu    sync.Mutex
	now   time.Time
	facts map[customer.ID]map[string]classify.Value // from other sources
}

var session = storage.Session{Actor: "taggingtest"}

// openBook opens a book with classifiers.
func openBook(s Setting, classifiers ...classify.Classifier) (*book, error) {
	b := &book{now: Start, facts: map[customer.ID]map[string]classify.Value{}}
	var err error
	if b.customers, err = customer.New(customer.Options{Country: s.Country, Schemes: s.Schemes}); err != nil {
		return nil, err
	}
	b.tags = tagging.New(tagging.Options{Clock: b.clock})
	b.rules, err = classify.New(classify.Options{Facts: b.sources(s.Facts), Classifiers: classifiers, TickEvery: -1}, b.customers, b.tags)
	if err != nil {
		return nil, err
	}
	schema := &storage.Schema{}
	b.customers.AddTo(schema)
	b.tags.AddTo(schema)
	b.rules.AddTo(schema)
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	b.store, err = storage.Open(context.Background(), engine, schema, []storage.DerivedView{b.rules.View()}, storage.Options{Clock: b.clock, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	if err := b.prepare(s); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// prepare declares attributes and dimensions, and starts the rules.
func (b *book) prepare(s Setting) error {
	err := b.update(func(customers *customer.Tx, tags *tagging.Tx) error {
		if len(s.Attributes) > 0 {
			if err := customers.SetSchema(&customer.Schema{Attributes: s.Attributes}); err != nil {
				return err
			}
		}
		for _, code := range s.dimensions {
			if _, err := tags.CreateDimension(tagging.Dimension{Code: code}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := b.rules.Start(b.store); err != nil {
		return err
	}
	for _, set := range s.Before {
		if err := b.activate(set); err != nil {
			return err
		}
	}
	return nil
}

// close ends a book that was opened; it was in memory, so nothing can be lost.
func (b *book) close() { _ = b.store.Close() }

func (b *book) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *book) setClock(t time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = t
}

func (b *book) setFacts(id customer.ID, facts map[string]classify.Value) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.facts[id] = facts
}

// sources makes a source of each group of facts, which knows what the book was told.
func (b *book) sources(specs []classify.FactSpec) (sources []classify.FactSource) {
	at := map[string]int{}
	for _, spec := range specs {
		root, _, _ := strings.Cut(spec.Name, ".")
		i, known := at[root]
		if !known {
			i = len(sources)
			at[root] = i
			sources = append(sources, classify.FactSource{Name: root, Load: b.load})
		}
		sources[i].Facts = append(sources[i].Facts, spec)
	}
	return sources
}

func (b *book) load(_ context.Context, _ *storage.Reader, q classify.Request) ([]classify.Value, time.Time, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	values := make([]classify.Value, len(q.Want))
	for i, name := range q.Want {
		values[i] = b.facts[q.Customer][name]
	}
	return values, time.Time{}, nil
}

func (b *book) update(f func(*customer.Tx, *tagging.Tx) error) error {
	_, err := b.store.Update(context.Background(), session, func(tx *storage.Tx) error {
		customers := b.customers.Tx(tx)
		return f(customers, b.tags.Tx(tx, customers))
	})
	return err
}

func (b *book) activate(set classify.RuleSet) error {
	_, err := b.rules.Activate(context.Background(), tagging.Job{Session: session}, set, nil)
	return err
}

// enter creates the customer of a case.
func (b *book) enter(c Case) (id customer.ID, err error) {
	b.setClock(orStart(c.Now))
	draft := c.Customer
	if draft.Name == "" {
		draft.Name = "測試"
	}
	err = b.update(func(customers *customer.Tx, tags *tagging.Tx) error {
		made, err := customers.Create(draft)
		if err != nil {
			return err
		}
		id = made.ID
		b.setFacts(id, c.Facts)
		for _, e := range c.Events {
			if err := customers.Record(id, e); err != nil {
				return err
			}
		}
		return assign(tags, id, c.Tags)
	})
	return id, err
}

// assign gives the tags that a person has assigned.
func assign(tags *tagging.Tx, id customer.ID, refs []classify.TagRef) error {
	for _, ref := range refs {
		tag, err := tags.Tag(ref.Dimension, ref.Tag)
		if err != nil {
			return err
		}
		if _, err := tags.Assign(id, tagging.Assignment{Tag: tag.ID}); err != nil {
			return err
		}
	}
	return nil
}

// held returns what a customer is classified as at an instant, by what has changed and
// by the clock.
func (b *book) held(id customer.ID, now time.Time) (tagged *tagging.Tagged, err error) {
	b.setClock(orStart(now))
	if err := b.rules.Sync(context.Background()); err != nil {
		return nil, err
	}
	err = b.view(func(tags *tagging.Reader) error {
		tagged, err = tags.Of(id)
		return err
	})
	return tagged, err
}

func (b *book) view(f func(*tagging.Reader) error) error {
	return b.store.View(context.Background(), func(r *storage.Reader) error {
		return f(b.tags.Reader(r, b.customers.Reader(r)))
	})
}

// refs names the tags that a customer holds, of some dimensions.
func (b *book) refs(tagged *tagging.Tagged, dimensions map[string]bool) (refs []classify.TagRef, err error) {
	err = b.view(func(tags *tagging.Reader) error {
		for _, id := range tagged.Tags() {
			tag, err := tags.TagByID(id)
			if err != nil {
				return err
			}
			d, err := tags.DimensionByID(tag.Dimension)
			if err != nil {
				return err
			}
			if dimensions[d.Code] {
				refs = append(refs, classify.TagRef{Dimension: d.Code, Tag: tag.Code})
			}
		}
		return nil
	})
	return refs, err
}

// evaluate classifies everybody again from nothing but the facts, and returns how many
// customers that changed.
func (b *book) evaluate() (int64, error) {
	done, err := b.rules.Evaluate(context.Background(), classify.Bulk{})
	return done.Changed, err
}

// reportFailures reports rules and classifiers that have failed since it was last asked.
func (b *book) reportFailures(t T, what string) {
	t.Helper()
	failures, err := b.rules.Failures(context.Background())
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	var total int64
	for _, f := range failures {
		total += f.Count
	}
	if total == b.failed {
		return
	}
	b.failed = total
	for _, f := range failures {
		t.Errorf("%s: rule %s/%s fails: %s; a rule must cope with any facts", what, f.Set, f.Rule, f.Error)
	}
}
