package classify_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging"
	"github.com/clientele-go/clientele/tagging/classify"
)

// TestIncrementalEvaluationEqualsFullRecomputation lets random histories of facts, tags,
// events, rule sets and the clock pass, and then has Verify evaluate everybody from
// nothing: incremental evaluation must have led to the same tags.
func TestIncrementalEvaluationEqualsFullRecomputation(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &history{book: newBook(t, classify.Options{}), now: start}
		m.schema(revenue, customer.AttributeSpec{Name: "since", Type: customer.Date})
		defer m.store.Close()
		m.random(rt)
		m.random(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"":         func(*rapid.T) {},
			"create":   m.newCustomer,
			"edit":     m.change,
			"event":    m.event,
			"tag":      m.tag,
			"status":   m.status,
			"activate": m.random,
			"wait":     m.wait,
			"sync":     func(*rapid.T) { m.sync() },
		})
		m.sync()
		report, err := m.store.Verify(ctx, nil)
		if err != nil {
			rt.Fatal(err)
		}
		for _, d := range report.Differences {
			rt.Error(d)
		}
		if list, err := m.rules.Failures(ctx); err != nil || len(list) > 0 {
			rt.Errorf("failures: %v, %v", list, err)
		}
	})
}

type history struct {
	*book
	now time.Time
	ids []customer.ID
}

var reps = []string{"", "a", "b"}

func (m *history) draft(rt *rapid.T) customer.Draft {
	d := company("C", rapid.Int64Range(-1, 3).Draw(rt, "revenue")*500)
	d.Rep = rapid.SampledFrom(reps).Draw(rt, "rep")
	if days := rapid.IntRange(0, 60).Draw(rt, "since"); days > 0 {
		d.Attributes = append(d.Attributes, customer.Attribute{Name: "since", Value: customer.DateValue(start.AddDate(0, 0, 30-days))})
	}
	return d
}

func (m *history) newCustomer(rt *rapid.T) { m.ids = append(m.ids, m.create(m.draft(rt))) }

func (m *history) pick(rt *rapid.T) customer.ID {
	if len(m.ids) == 0 {
		rt.Skip("nobody there")
	}
	return rapid.SampledFrom(m.ids).Draw(rt, "who")
}

func (m *history) change(rt *rapid.T) {
	id, d := m.pick(rt), m.draft(rt)
	m.may(m.try(func(tx *customer.Tx) error {
		c, err := tx.Get(id)
		if err == nil {
			c.Attributes, c.Rep = d.Attributes, d.Rep
			_, err = tx.Update(c)
		}
		return err
	}), rt)
}

func (m *history) event(rt *rapid.T) {
	id := m.pick(rt)
	at := m.now.AddDate(0, 0, -rapid.IntRange(0, 70).Draw(rt, "days ago"))
	m.may(m.try(func(tx *customer.Tx) error { return tx.Record(id, customer.Event{Type: "order", Time: at}) }), rt)
}

func (m *history) status(rt *rapid.T) {
	id := m.pick(rt)
	archive := rapid.Bool().Draw(rt, "archive")
	m.may(m.try(func(tx *customer.Tx) (err error) {
		if archive {
			_, err = tx.Archive(id)
		} else {
			_, err = tx.Reactivate(id)
		}
		return err
	}), rt)
}

func (m *history) tag(rt *rapid.T) {
	id := m.pick(rt)
	what := rapid.IntRange(0, 3).Draw(rt, "what")
	code := rapid.SampledFrom([]string{"one", "two"}).Draw(rt, "code")
	m.may(m.tryTags(func(tx *tagging.Tx) error {
		t, err := tx.Tag("x", code)
		if err != nil {
			return err
		}
		switch what {
		case 0:
			_, err = tx.Replace(id, tagging.Assignment{Tag: t.ID})
		case 1:
			_, err = tx.Remove(id, t.ID)
		case 2:
			_, err = tx.Deny(id, t.ID)
		default:
			_, err = tx.Allow(id, t.ID)
		}
		return err
	}), rt)
}

// may accepts errors that follow from what the random history did.
func (m *history) may(err error, rt *rapid.T) {
	if err != nil && !errors.Is(err, customer.ErrStatus) && !errors.Is(err, tagging.ErrExclusive) {
		rt.Fatal(err)
	}
}

func (m *history) wait(rt *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(1, 40*24).Draw(rt, "hours")) * time.Hour)
	m.set(m.now)
}

// random activates some version of one of two rule sets, of which the second reads what
// the first one says.
func (m *history) random(rt *rapid.T) {
	n := rapid.IntRange(0, 3).Draw(rt, "threshold")
	where := rapid.SampledFrom([]string{"", "rep:a", "rep:(a|b)", "missing:rep"}).Draw(rt, "where")
	first := classify.RuleSet{Name: "z", Dimensions: []classify.DimensionSpec{levels("x", true, "one", "two"), levels("y", false, "one", "two", "three")},
		Rules: []classify.Rule{
			{Name: "one", Where: where, When: fmt.Sprintf("attr.revenue >= %d", n*500), Dimension: "x", Tag: "one", Priority: n},
			{Name: "two", When: fmt.Sprintf("daysSince(attr.since) > %d || activity.order.count_%d > 1", n*20, n+1), Dimension: "x", Tag: "two", Priority: 1},
		}}
	second := classify.RuleSet{Name: "a", Rules: []classify.Rule{
		{Name: "one", When: `tag.x == "two" && now - attr.since > duration("240h")`, Dimension: "y", Tag: "one"},
		{Name: "two", Where: "NOT x:one", Dimension: "y", Tag: "two"},
		{Name: "three", When: "monthsSince(activity.order.last) < 2", Value: `tag.x == null ? ["three"] : ["three", "one"]`, Dimension: "y"},
	}}
	second.Rules = second.Rules[:rapid.IntRange(0, 3).Draw(rt, "rules")]
	for _, rs := range []classify.RuleSet{first, second} {
		if _, err := m.rules.Activate(ctx, asAdmin, rs, nil); err != nil {
			rt.Fatal(err)
		}
	}
}
