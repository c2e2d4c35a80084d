package classify_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging/classify"
)

// plugin is a classifier made of a function.
type plugin struct {
	name    string
	version uint64
	judge   func(ctx context.Context, f classify.Facts) (classify.Verdict, error)
}

func (p plugin) Name() string    { return p.name }
func (p plugin) Version() uint64 { return p.version }
func (p plugin) Facts() []string { return []string{"customer.name", "attr.revenue"} }
func (p plugin) Dimensions() []classify.DimensionSpec {
	return []classify.DimensionSpec{levels(p.name, true, "yes", "no")}
}
func (p plugin) Classify(ctx context.Context, f classify.Facts) (classify.Verdict, error) {
	return p.judge(ctx, f)
}

func says(tag string) func(context.Context, classify.Facts) (classify.Verdict, error) {
	return func(_ context.Context, f classify.Facts) (classify.Verdict, error) {
		if f.Value("customer.name").Text() == "" {
			return classify.Verdict{}, errors.New("no name")
		}
		return classify.Verdict{Tags: []classify.TagRef{{Dimension: "p", Tag: tag}}, Reason: "because"}, nil
	}
}

func TestClassifierFollowsChangesAndItsVersions(t *testing.T) {
	dir := t.TempDir()
	open := func(version uint64, tag string) *book {
		return openBook(t, dir, classify.Options{Classifiers: []classify.Classifier{plugin{"p", version, says(tag)}}})
	}
	b := open(1, "yes")
	id := b.create(customer.Draft{Name: "X"})
	b.sync()
	b.want(id, "p", "") // a fact that it reads is not declared yet
	b.schema(revenue)
	b.sync()
	b.want(id, "p", "yes")
	b.store.Close()

	b = open(2, "no")
	b.sync()
	b.want(id, "p", "no")
	b.consistent()
	b.store.Close()

	b = openBook(t, dir, classify.Options{}) // without the plug-in, customers keep what it gave
	b.edit(id, func(c *customer.Customer) { c.Note = "touched" })
	b.sync()
	b.want(id, "p", "no")
	sets, err := b.rules.RuleSets(ctx)
	if err != nil || len(sets) != 1 || sets[0].Broken == nil {
		t.Errorf("the missing classifier should be reported: %+v, %v", sets, err)
	}
}

func TestAFailingClassifierHarmsNobodyElseAndIsReported(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	cases := map[string]struct {
		judge func(context.Context, classify.Facts) (classify.Verdict, error)
		is    error
		text  string
	}{
		"error": {func(context.Context, classify.Facts) (classify.Verdict, error) {
			return classify.Verdict{}, errors.New("no service")
		}, nil, "no service"},
		"panic": {func(context.Context, classify.Facts) (classify.Verdict, error) { panic("oops") }, classify.ErrPanic, "oops"},
		"hangs": {func(context.Context, classify.Facts) (classify.Verdict, error) {
			<-hang
			return classify.Verdict{}, nil
		}, classify.ErrTimeout, "100ms"},
		"slow": {func(ctx context.Context, _ classify.Facts) (classify.Verdict, error) {
			<-ctx.Done()
			return classify.Verdict{}, ctx.Err()
		}, nil, ""},
		"foreign tag": {func(context.Context, classify.Facts) (classify.Verdict, error) {
			return classify.Verdict{Tags: []classify.TagRef{{Dimension: "size", Tag: "large"}}}, nil
		}, nil, "did not declare"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var bad atomic.Bool
			judge := func(ctx context.Context, f classify.Facts) (classify.Verdict, error) {
				if bad.Load() {
					return c.judge(ctx, f)
				}
				return says("yes")(ctx, f)
			}
			b := newBook(t, classify.Options{Timeout: 100 * time.Millisecond, Failures: 3, Classifiers: []classify.Classifier{plugin{"p", 7, judge}}})
			b.schema(revenue)
			var ids []customer.ID
			for range 5 {
				ids = append(ids, b.create(company("X", 5000)))
			}
			b.activate(sizes())
			b.sync()
			bad.Store(true)
			for _, id := range ids {
				b.edit(id, func(c *customer.Customer) { c.SetAttribute("revenue", customer.NumberValue(1)) })
				b.sync()
				b.want(id, "size", "small")
				b.want(id, "p", "yes") // what it said before
			}
			list, err := b.rules.Quarantined(ctx)
			if err != nil || len(list) != 1 {
				t.Fatalf("quarantined: %v, %v", list, err)
			}
			f := list[0]
			if f.Set != "p" || f.Rule != "p" || f.Version != 7 || f.Count != 3 || f.Customer != ids[2] || !strings.Contains(f.Error, c.text) || !f.Since.Equal(start) {
				t.Errorf("report: %+v", f)
			}
			bad.Store(false)
			done, err := b.rules.Release(ctx, asAdmin, "p", "p", nil)
			if err != nil || done.Evaluated != 5 || done.Failed != 0 {
				t.Errorf("release: %+v, %v", done, err)
			}
			if list, _ := b.rules.Failures(ctx); len(list) != 0 {
				t.Errorf("reports after the release: %v", list)
			}
			if _, err := b.rules.Release(ctx, asAdmin, "p", "p", nil); !errors.Is(err, classify.ErrNotFound) {
				t.Errorf("released twice: %v", err)
			}
		})
	}
}

func TestAnExpressionThatFailsConcernsItsCustomerAlone(t *testing.T) {
	b := newBook(t, classify.Options{Cost: 2000})
	b.schema(revenue, customer.AttributeSpec{Name: "staff", Type: customer.Number})
	draft := func(revenue, staff int64) customer.Draft {
		return customer.Draft{Name: "X", Attributes: []customer.Attribute{{Name: "revenue", Value: customer.NumberValue(revenue)}, {Name: "staff", Value: customer.NumberValue(staff)}}}
	}
	good, zero, none := b.create(draft(100, 2)), b.create(draft(100, 0)), b.create(customer.Draft{Name: "no facts"})
	done := b.activate(classify.RuleSet{Name: "c", Dimensions: []classify.DimensionSpec{levels("c", false, "lean", "loops", "any", "odd")}, Rules: []classify.Rule{
		{Name: "lean", When: "attr.revenue / attr.staff > 10", Dimension: "c", Tag: "lean"},
		{Name: "loops", When: "[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, a+b+c+d > attr.staff - 1000))))", Dimension: "c", Tag: "loops"},
		{Name: "odd", Value: `attr.staff == 0 ? "missing_tag" : "odd"`, Dimension: "c"},
		{Name: "any", Dimension: "c", Tag: "any"},
	}})
	if got := b.held(good, "c"); strings.Join(got, " ") != "lean any odd" {
		t.Errorf("good: %v", got)
	}
	if got := b.held(zero, "c"); strings.Join(got, " ") != "any" {
		t.Errorf("division by zero: %v", got)
	}
	if got := b.held(none, "c"); strings.Join(got, " ") != "any odd" { // null is not 0
		t.Errorf("missing facts: %v", got)
	}
	// lean fails for zero, loops for all three, odd for zero; for the third customer lean
	// does not apply, since a missing fact is no failure.
	if done.Failed != 5 {
		t.Errorf("%d failures", done.Failed)
	}
	list, err := b.rules.Failures(ctx)
	if err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	for i, want := range []string{"division by zero", "costs too much", "missing_tag"} {
		if !strings.Contains(list[i].Error, want) || list[i].Quarantined {
			t.Errorf("%+v lacks %q", list[i], want)
		}
	}
}

func TestGivenFactsAreLoadedOnlyWhenARuleReadsThem(t *testing.T) {
	var loaded atomic.Int64
	balance := map[customer.ID]int64{}
	source := classify.FactSource{
		Name:  "receivables",
		Facts: []classify.FactSpec{{Name: "receivables.balance", Type: classify.Integer, Doc: "minor units"}, {Name: "receivables.of.*", Type: classify.Integer}, {Name: "receivables.other", Type: classify.Text}},
		Load: func(_ context.Context, _ *storage.Reader, q classify.Request) ([]classify.Value, time.Time, error) {
			loaded.Add(1)
			if balance[q.Customer] < 0 {
				panic("negative")
			}
			values := make([]classify.Value, len(q.Want))
			for i, name := range q.Want {
				if name != "receivables.balance" && name != "receivables.of.usd" {
					t.Errorf("asked for %s", name)
				}
				values[i] = classify.IntegerValue(balance[q.Customer])
			}
			return values, start.AddDate(0, 0, 5), nil
		},
	}
	b := newBook(t, classify.Options{Facts: []classify.FactSource{source}})
	b.schema(revenue)
	rich, poor, broken := b.create(customer.Draft{Name: "Rich", Rep: "r"}), b.create(customer.Draft{Name: "Poor", Rep: "r"}), b.create(customer.Draft{Name: "Broken", Rep: "r"})
	b.create(customer.Draft{Name: "Other"})
	balance[rich], balance[poor], balance[broken] = 100, 1, -1
	b.sync()
	b.activate(sizes())
	if loaded.Load() != 0 {
		t.Error("loaded without need")
	}
	b.activate(classify.RuleSet{Name: "c", Dimensions: []classify.DimensionSpec{levels("c", true, "rich")},
		Rules: []classify.Rule{{Name: "r", Where: "rep:r", When: "receivables.balance > 10 && receivables.of.usd > 10", Dimension: "c", Tag: "rich"}}})
	if loaded.Load() != 3 {
		t.Errorf("loaded %d times for three customers", loaded.Load())
	}
	b.want(rich, "c", "rich")
	b.want(poor, "c", "")
	list, err := b.rules.Failures(ctx)
	if err != nil || len(list) != 1 || list[0].Customer != broken || !strings.Contains(list[0].Error, "negative") {
		t.Errorf("failures: %v, %v", list, err)
	}
	balance[rich], balance[poor] = 1, 100
	b.set(start.AddDate(0, 0, 5))
	b.sync()
	b.want(rich, "c", "")
	b.want(poor, "c", "rich")
}
