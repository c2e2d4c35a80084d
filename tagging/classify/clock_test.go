package classify_test

import (
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging/classify"
)

// flips are conditions on an attribute "since" (a date) with the instants, computed by
// hand, from which on they hold or no longer hold.
var flips = []struct {
	name  string
	since time.Time
	when  string
	first bool        // at the beginning
	at    []time.Time // where the result turns
}{
	// 90 days after 15 January 2024, a leap year: 16 left in January, 29, 31, then 14 in April.
	{"more than 90 days", date(2024, 1, 15), "daysSince(attr.since) > 90", false, []time.Time{date(2024, 4, 15)}},
	{"at least 90 days", date(2024, 1, 15), "daysSince(attr.since) >= 90", false, []time.Time{date(2024, 4, 14)}},
	{"within 30 days, reversed", date(2024, 2, 1), "30 >= daysSince(attr.since)", true, []time.Time{date(2024, 3, 3)}},
	{"leap day passed over", date(2023, 2, 28), "daysSince(attr.since) >= 366", false, []time.Time{date(2024, 2, 29)}},
	{"exactly 20 days", date(2024, 1, 31), "daysSince(attr.since) == 20", false, []time.Time{date(2024, 2, 20), date(2024, 2, 21)}},
	{"not exactly 20 days", date(2024, 1, 31), "daysSince(attr.since) != 20", true, []time.Time{date(2024, 2, 20), date(2024, 2, 21)}},
	{"due within a week", date(2024, 3, 1), "daysUntil(attr.since) <= 7", false, []time.Time{date(2024, 2, 23)}},
	{"overdue", date(2024, 3, 1), "daysUntil(attr.since) < 0", false, []time.Time{date(2024, 3, 2)}},
	{"a month from the end of January", date(2024, 1, 31), "monthsSince(attr.since) >= 1", false, []time.Time{date(2024, 2, 29)}},
	{"thirteen months from a leap day", date(2024, 2, 29), "monthsSince(attr.since) >= 12", false, []time.Time{date(2025, 2, 28)}},
	{"more than three months", date(2023, 11, 30), "monthsSince(attr.since) > 3", false, []time.Time{date(2024, 3, 30)}},
	{"an instant", date(2024, 5, 1), "attr.since <= now", false, []time.Time{date(2024, 5, 1)}},
	{"after an instant", date(2024, 5, 1), "now > attr.since", false, []time.Time{date(2024, 5, 1).Add(time.Microsecond)}},
	{"36 hours", date(2024, 5, 1), `now - attr.since >= duration("36h")`, false, []time.Time{date(2024, 5, 2).Add(12 * time.Hour)}},
	{"36 hours ahead", date(2024, 5, 3), `attr.since - now < duration("36h")`, false, []time.Time{date(2024, 5, 1).Add(12*time.Hour + time.Microsecond)}},
	{"moved back", date(2024, 5, 1), `now - duration("24h") > attr.since`, false, []time.Time{date(2024, 5, 2).Add(time.Microsecond)}},
	{"moved on", date(2024, 5, 3), `now + duration("24h") >= attr.since`, false, []time.Time{date(2024, 5, 2)}},
	{"a span", date(2024, 1, 15), "daysSince(attr.since) >= 30 && daysSince(attr.since) < 60", false, []time.Time{date(2024, 2, 14), date(2024, 3, 15)}},
}

func TestClockFiresOnItsDayAndNotBefore(t *testing.T) {
	for _, f := range flips {
		t.Run(f.name, func(t *testing.T) {
			b := newBook(t, classify.Options{})
			b.schema(customer.AttributeSpec{Name: "since", Type: customer.Date})
			id := b.create(customer.Draft{Name: "X", Attributes: []customer.Attribute{{Name: "since", Value: customer.DateValue(f.since)}}})
			b.create(customer.Draft{Name: "Unknown"})
			b.activate(classify.RuleSet{Name: "c", Dimensions: []classify.DimensionSpec{levels("c", true, "yes")},
				Rules: []classify.Rule{{Name: "r", When: f.when, Dimension: "c", Tag: "yes"}}})
			want := map[bool]string{true: "yes"}
			holds := f.first
			b.want(id, "c", want[holds])
			for _, at := range f.at {
				if next, err := b.rules.NextDue(ctx); err != nil || !next.Equal(at) {
					t.Fatalf("due at %s, %v, want %s", next, err, at)
				}
				b.set(at.Add(-time.Microsecond))
				if n, err := b.rules.Tick(ctx, at.Add(-time.Microsecond)); n != 0 || err != nil {
					t.Errorf("a microsecond early: %d evaluated, %v", n, err)
				}
				b.want(id, "c", want[holds])
				b.set(at)
				if n, err := b.rules.Tick(ctx, at); n != 1 || err != nil {
					t.Errorf("at %s: %d evaluated, %v", at, n, err)
				}
				holds = !holds
				b.want(id, "c", want[holds])
			}
			if next, _ := b.rules.NextDue(ctx); !next.IsZero() {
				t.Errorf("still due at %s", next)
			}
			b.consistent()
		})
	}
}

func TestActivityFactsAndTheirWindows(t *testing.T) {
	b := newBook(t, classify.Options{})
	id := b.create(customer.Draft{Name: "X"})
	b.activate(classify.RuleSet{Name: "c", Dimensions: []classify.DimensionSpec{levels("c", true, "busy", "quiet", "lost"), levels("days", true, "rare", "often")},
		Rules: []classify.Rule{
			{Name: "busy", When: "activity.order.count_3 >= 5 && activity.order.months_3 == 2", Dimension: "c", Tag: "busy", Priority: 2},
			{Name: "lost", When: "daysSince(activity.order.last) > 90", Dimension: "c", Tag: "lost", Priority: 3},
			{Name: "quiet", When: "activity.order.total > 0", Dimension: "c", Tag: "quiet"},
			// From 1 January to 9 February there are 39 days, between 6 events 5 intervals: 7.8.
			{Name: "often", When: "activity.order.interval > 7.79 && activity.order.interval < 7.81", Dimension: "days", Tag: "often"},
		}})
	b.want(id, "c", "")
	b.order(id, date(2024, 1, 20), 2)
	b.order(id, date(2024, 2, 9), 4)
	b.sync() // it is 10 February
	b.want(id, "c", "busy")
	b.want(id, "days", "often")
	// January leaves the window of three months when April begins.
	if next, err := b.rules.NextDue(ctx); err != nil || !next.Equal(date(2024, 4, 1)) {
		t.Errorf("due at %s, %v", next, err)
	}
	b.set(date(2024, 4, 1))
	b.sync()
	b.want(id, "c", "quiet")
	// 9 February + 91 days: 20 left in February, 31, 30, then 10 in May.
	b.set(date(2024, 5, 9).Add(23 * time.Hour))
	b.sync()
	b.want(id, "c", "quiet")
	b.set(date(2024, 5, 10))
	b.sync()
	b.want(id, "c", "lost")
	b.order(id, date(2024, 5, 10), 1)
	b.sync()
	b.want(id, "c", "quiet")
	b.consistent()
}

func TestOnlyRulesWhoseFactsChangedAreEvaluated(t *testing.T) {
	b := newBook(t, classify.Options{})
	b.schema(revenue)
	id := b.create(company("X", 500))
	b.activate(sizes())
	b.activate(classify.RuleSet{Name: "orders", Dimensions: []classify.DimensionSpec{levels("orders", true, "some")},
		Rules: []classify.Rule{{Name: "some", When: "activity.order.total > 0", Dimension: "orders", Tag: "some"}}})
	evaluated := func() (size, orders int64) {
		list, err := b.rules.Statistics(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			if s.Set == "size" && s.Rule == "large" {
				size = s.Evaluated
			}
			if s.Set == "orders" {
				orders = s.Evaluated
			}
		}
		return size, orders
	}
	b.sync()
	size, orders := evaluated()
	b.edit(id, func(c *customer.Customer) { c.Note = "a change of the record" })
	b.sync()
	if s, o := evaluated(); s != size+1 || o != orders {
		t.Errorf("after a change of the record: size %d times, orders %d times", s-size, o-orders)
	}
}

func TestARuleThatNeverFiresShowsInItsStatistics(t *testing.T) {
	b := newBook(t, classify.Options{})
	b.schema(revenue)
	b.create(company("A", 5000))
	b.create(company("B", 3000))
	b.sync()
	b.activate(sizes())
	list, err := b.rules.Statistics(ctx)
	if err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	if list[0].Fired != 2 || list[1].Fired != 0 || list[1].Matched != 2 {
		t.Errorf("large fired %d times, medium fired %d and matched %d times", list[0].Fired, list[1].Fired, list[1].Matched)
	}
}
