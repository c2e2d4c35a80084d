package classify_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/accesstest"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/tagging"
	"github.com/clientele-go/clientele/tagging/classify"
)

// snapshot returns every customer's tags of a dimension.
func (b *book) snapshot(ids []customer.ID, dimension string) map[customer.ID]string {
	all := map[customer.ID]string{}
	for _, id := range ids {
		all[id] = strings.Join(b.held(id, dimension), " ")
	}
	return all
}

func TestDryRunIsWhatThenHappens(t *testing.T) {
	b := newBook(t, classify.Options{})
	b.schema(revenue)
	var ids []customer.ID
	for i := range 60 {
		ids = append(ids, b.create(company("C", int64(i*40))))
	}
	b.activate(sizes())
	b.tagTx(func(tags *tagging.Tx) error { // what persons say counts
		small, err := tags.Tag("size", "small")
		if err == nil {
			_, err = tags.Assign(ids[30], tagging.Assignment{Tag: small.ID})
		}
		large, err2 := tags.Tag("size", "large")
		if err2 == nil {
			_, err2 = tags.Deny(ids[31], large.ID)
		}
		return errors.Join(err, err2)
	})
	b.sync()
	proposed, _ := sizes().WithParameter("large", 1200)
	proposed.Dimensions = append(proposed.Dimensions, levels("fresh", false, "new"))
	proposed.Rules = append(proposed.Rules, classify.Rule{Name: "new", When: "attr.revenue < 80", Dimension: "fresh", Tag: "new"})
	before := b.snapshot(ids, "size")
	outcome, err := b.rules.DryRun(ctx, classify.Trial{RuleSet: proposed})
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(outcome.Tags); !strings.Contains(text, "fresh:new: 2 gained, 0 lost") {
		t.Errorf("the outcome reads %s", text)
	}
	gained := map[customer.ID][]classify.TagRef{}
	for d, err := range b.rules.Deltas(ctx, classify.Trial{RuleSet: proposed}) {
		if err != nil {
			t.Fatal(err)
		}
		gained[d.Customer] = d.Gained
	}
	if got := b.snapshot(ids, "size"); fmt.Sprint(got) != fmt.Sprint(before) {
		t.Error("a dry run changed something")
	}
	b.activate(proposed)
	after := b.snapshot(ids, "size")
	changed := int64(0)
	for i, id := range ids {
		if i < 2 { // revenue 0 and 40 gain fresh:new
			b.want(id, "fresh", "new")
			changed++
			if fmt.Sprint(gained[id]) != "[fresh:new]" {
				t.Errorf("customer %s: foreseen %v", id, gained[id])
			}
			continue
		}
		if before[id] != after[id] {
			changed++
			if want := "[size:" + after[id] + "]"; fmt.Sprint(gained[id]) != want {
				t.Errorf("customer %s: foreseen %v, got %s", id, gained[id], want)
			}
		} else if len(gained[id]) > 0 {
			t.Errorf("customer %s: foreseen %v, nothing happened", id, gained[id])
		}
	}
	// Revenue 1000 to 1160 turns from large to medium: 25 to 29, none of whom persons tagged.
	if outcome.Changed != changed || changed != 7 || outcome.Evaluated != 60 {
		t.Errorf("foreseen %+v, %d changed", outcome, changed)
	}
	for _, o := range outcome.Tags {
		if o.String() == "size:medium" && o.Gained != 5 || o.String() == "size:large" && o.Lost != 5 {
			t.Errorf("%+v", o)
		}
	}
	b.consistent()
}

func TestReplayAgainstThePast(t *testing.T) {
	b := newBook(t, classify.Options{})
	b.schema(revenue)
	x, y := b.create(company("X", 5000)), b.create(company("Y", 5))
	b.order(x, date(2024, 1, 5), 3)
	b.activate(sizes())
	b.set(date(2024, 6, 1))
	b.edit(x, func(c *customer.Customer) { c.SetAttribute("revenue", customer.NumberValue(5)) })
	b.edit(y, func(c *customer.Customer) { c.SetAttribute("revenue", customer.NumberValue(5000)) })
	b.order(x, date(2024, 5, 30), 3)
	later := b.create(company("Later", 5000))
	b.sync()
	proposed := sizes()
	proposed.Rules[0].When = "attr.revenue >= 6000" // nobody was so large
	got := map[customer.ID]string{}
	for d, err := range b.rules.Deltas(ctx, classify.Trial{RuleSet: proposed, At: date(2024, 3, 1)}) {
		if err != nil {
			t.Fatal(err)
		}
		got[d.Customer] = fmt.Sprint(d.Gained, d.Lost)
	}
	if len(got) != 1 || got[x] != "[size:medium] [size:large]" {
		t.Errorf("in March: %v", got)
	}
	if _, there := got[later]; there {
		t.Error("a customer that did not exist")
	}
	lapsed := classify.RuleSet{Name: "lapsed", Dimensions: []classify.DimensionSpec{levels("lapsed", false, "yes")},
		Rules: []classify.Rule{{Name: "r", When: "daysSince(activity.order.last) > 30 && activity.order.total == 3", Dimension: "lapsed", Tag: "yes"}}}
	// Of the orders of January only the month is known: the 31st + 31 days is 29 days of
	// February and 2 of March.
	for day, want := range map[int]int64{1: 0, 2: 1} {
		outcome, err := b.rules.Replay(ctx, classify.Trial{RuleSet: lapsed, At: date(2024, 3, day)})
		if err != nil || outcome.Changed != want {
			t.Errorf("at %d March: %+v, %v", day, outcome, err)
		}
	}
	if _, err := b.rules.Replay(ctx, classify.Trial{RuleSet: lapsed}); !errors.Is(err, classify.ErrInvalid) {
		t.Errorf("a replay of no instant: %v", err)
	}
}

func TestExplainSaysWhyAndWhyNot(t *testing.T) {
	b := newBook(t, classify.Options{})
	b.schema(revenue)
	x, unknown := b.create(company("X", 500)), b.create(company("U", -1))
	person := b.create(customer.Draft{Name: "P", Party: customer.Person})
	b.activate(sizes())
	explain := func(id customer.ID, tag string) classify.Explanation {
		e, err := b.rules.Explain(ctx, id, classify.TagRef{Dimension: "size", Tag: tag}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := explain(x, "medium")
	if !e.Held || len(e.Rules) != 1 || e.Rules[0].Why != classify.Applies || e.Rules[0].Version != 1 || e.Rules[0].Set != "size" || e.Rules[0].Rule != "medium" {
		t.Errorf("%+v", e)
	}
	if f := e.Rules[0].Facts; len(f) != 1 || f[0].Name != "attr.revenue" || f[0].Value.Integer() != 500 {
		t.Errorf("facts: %v", f)
	}
	e = explain(x, "large")
	if e.Held || e.Rules[0].Why != classify.NotMet || fmt.Sprint(e.Others) != "[medium]" || fmt.Sprint(e.Rules[0].Conditions) != "[{attr.revenue >= param.large false}]" {
		t.Errorf("%+v", e)
	}
	if e = explain(x, "small"); e.Rules[0].Why != classify.OutPriority {
		t.Errorf("%+v", e.Rules[0])
	}
	if e = explain(unknown, "large"); e.Rules[0].Why != classify.FactMissing {
		t.Errorf("%+v", e.Rules[0])
	}
	if e = explain(person, "large"); e.Rules[0].Why != classify.NotWhere {
		t.Errorf("%+v", e.Rules[0])
	}
	only := func(*storage.Reader) (customer.Access, error) { return accesstest.Within(bitset.Of(uint64(x))), nil }
	if _, err := b.rules.Explain(ctx, unknown, classify.TagRef{Dimension: "size", Tag: "large"}, only); !errors.Is(err, classify.ErrNotFound) {
		t.Errorf("out of sight: %v", err)
	}
	outcome, err := b.rules.DryRun(ctx, classify.Trial{RuleSet: sizes(), Access: only})
	if err != nil || outcome.Evaluated != 1 {
		t.Errorf("dry run within a scope: %+v, %v", outcome, err)
	}
	done, err := b.rules.Evaluate(ctx, classify.Bulk{Access: only})
	if err != nil || done.Evaluated != 1 {
		t.Errorf("bulk within a scope: %+v, %v", done, err)
	}
}

func TestAnInterruptedActivationGoesOnWhenTheBookIsOpenedAgain(t *testing.T) {
	dir := t.TempDir()
	b := openBook(t, dir, classify.Options{})
	b.schema(revenue)
	const n = 5000
	drafts := func(yield func(customer.Draft, error) bool) {
		for i := range n {
			if !yield(company(fmt.Sprint("C", i), int64(i)), nil) {
				return
			}
		}
	}
	if _, err := b.customers.Load(ctx, b.store, admin, customer.LoadOptions{}, drafts); err != nil {
		t.Fatal(err)
	}
	b.sync()
	stopping, stop := context.WithCancel(ctx)
	done, err := b.rules.Activate(stopping, asAdmin, sizes(), func(classify.Progress) { stop() })
	if !errors.Is(err, context.Canceled) || done.Done == 0 || done.Done == n {
		t.Fatalf("stopped after %+v, %v", done, err)
	}
	b.store.Close()

	b = openBook(t, dir, classify.Options{})
	b.sync()
	b.view(func(_ *storage.Reader, tags *tagging.Reader) error {
		for filter, want := range map[string]int64{"size:large": n - 1000, "size:medium": 900, "size:small": 100} {
			if got, err := tags.Count(tagging.Query{Filter: filter}); err != nil || got != want {
				t.Errorf("%s: %d, %v, want %d", filter, got, err, want)
			}
		}
		return nil
	})
	b.consistent()
}

func TestBulkGoesOnAfterItsCursor(t *testing.T) {
	b := newBook(t, classify.Options{})
	b.schema(revenue)
	for i := range 30 {
		b.create(company("C", int64(i)))
	}
	b.activate(sizes())
	b.sync()
	done, err := b.rules.Evaluate(ctx, classify.Bulk{After: 20, Filter: "party:organisation"})
	if err != nil || done.Total != 10 || done.Evaluated != 10 || done.Changed != 0 || done.After != 30 {
		t.Errorf("%+v, %v", done, err)
	}
	if done, err = b.rules.Evaluate(ctx, classify.Bulk{Sets: []string{"other"}}); err != nil || done.Evaluated != 0 {
		t.Errorf("no rule of the set: %+v, %v", done, err)
	}
}

func TestAChangedSegmentInWhereIsFollowed(t *testing.T) {
	b := newBook(t, classify.Options{})
	x, y := b.create(customer.Draft{Name: "X", Rep: "a"}), b.create(customer.Draft{Name: "Y", Rep: "b"})
	segment := func(filter string) {
		b.tagTx(func(tags *tagging.Tx) error {
			s, err := tags.Segment("mine")
			if errors.Is(err, tagging.ErrUnknownSegment) {
				s, err = &tagging.Segment{Name: "mine"}, nil
			}
			if err != nil {
				return err
			}
			s.Filter = filter
			_, err = tags.SaveSegment(*s)
			return err
		})
	}
	segment("rep:a")
	b.activate(classify.RuleSet{Name: "c", Dimensions: []classify.DimensionSpec{levels("c", true, "yes")},
		Rules: []classify.Rule{{Name: "r", Where: "segment:mine", Dimension: "c", Tag: "yes"}}})
	b.want(x, "c", "yes")
	segment("rep:b")
	b.sync()
	b.want(x, "c", "")
	b.want(y, "c", "yes")
	b.consistent()
}
