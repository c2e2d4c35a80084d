package classify

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
	"github.com/clientele-go/clientele/tagging"
)

// benchBook is a book of some customers and ten rules.
type benchBook struct {
	store     *storage.Store
	customers *customer.Store
	tags      *tagging.Store
	rules     *Rules
}

// tenRules are ten rules of the kind that users write: thresholds, texts, lists, dates,
// missing facts.
func tenRules() RuleSet {
	tiers := DimensionSpec{Code: "tier", Exclusive: true}
	marks := DimensionSpec{Code: "mark"}
	rs := RuleSet{Name: "bench", Parameters: map[string]Parameter{
		"large": {Value: 800_000}, "medium": {Value: 200_000}, "near": {Value: []any{"CN", "TW", "HK"}},
	}}
	add := func(d *DimensionSpec, tag, when string, priority int) {
		d.Tags = append(d.Tags, TagSpec{Code: tag})
		rs.Rules = append(rs.Rules, Rule{Name: tag, When: when, Dimension: d.Code, Tag: tag, Priority: priority})
	}
	add(&tiers, "large", "attr.revenue >= param.large", 3)
	add(&tiers, "medium", "attr.revenue >= param.medium", 2)
	add(&tiers, "small", "attr.revenue < param.medium", 1)
	add(&marks, "near", "customer.country in param.near", 0)
	add(&marks, "reachable", "customer.has_phone || customer.has_email", 0)
	add(&marks, "lean", "attr.revenue / attr.staff > 10000 && attr.staff < 50", 0)
	add(&marks, "new", "daysSince(customer.created) <= 30", 0)
	add(&marks, "bank", `customer.name.endsWith("bank") && customer.kind == "buyer"`, 0)
	add(&marks, "due", `attr.review != null && daysUntil(attr.review) <= 14`, 0)
	add(&marks, "listed", `"lei" in customer.schemes && customer.party == "organisation"`, 0)
	rs.Dimensions = []DimensionSpec{tiers, marks}
	return rs
}

func openBench(b *testing.B, n int) *benchBook {
	b.Helper()
	ctx := context.Background()
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	k := &benchBook{tags: tagging.New(tagging.Options{})}
	var err error
	k.customers, err = customer.New(customer.Options{})
	must(err)
	k.rules, err = New(Options{TickEvery: -1}, k.customers, k.tags)
	must(err)
	schema := &storage.Schema{}
	k.customers.AddTo(schema)
	k.tags.AddTo(schema)
	k.rules.AddTo(schema)
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	must(err)
	k.store, err = storage.Open(ctx, engine, schema, []storage.DerivedView{k.rules.View()}, storage.Options{})
	must(err)
	b.Cleanup(func() { k.store.Close() })
	must(k.rules.Start(k.store))
	_, err = k.store.Update(ctx, storage.Session{Actor: "b"}, func(tx *storage.Tx) error {
		return k.customers.Tx(tx).SetSchema(&customer.Schema{Attributes: []customer.AttributeSpec{
			{Name: "revenue", Type: customer.Number}, {Name: "staff", Type: customer.Number}, {Name: "review", Type: customer.Date},
		}})
	})
	must(err)
	_, err = k.customers.Load(ctx, k.store, storage.Session{Actor: "b"}, customer.LoadOptions{}, func(yield func(customer.Draft, error) bool) {
		for i := range n {
			if !yield(benchDraft(i), nil) {
				return
			}
		}
	})
	must(err)
	_, err = k.rules.Activate(ctx, tagging.Job{Session: storage.Session{Actor: "b"}}, tenRules(), nil)
	must(err)
	must(k.rules.Sync(ctx))
	return k
}

func benchDraft(i int) customer.Draft {
	d := customer.Draft{Name: fmt.Sprintf("Company %d bank", i), Country: "CN", Emails: []customer.Email{{Address: "a@example.com"}}}
	d.Attributes = append(d.Attributes, customer.Attribute{Name: "revenue", Value: customer.NumberValue(int64(i) * 7919 % 1_000_000)})
	if i%2 == 0 {
		d.Attributes = append(d.Attributes, customer.Attribute{Name: "staff", Value: customer.NumberValue(int64(i%90) + 1)})
	}
	if i%3 == 0 {
		d.Attributes = append(d.Attributes, customer.Attribute{Name: "review", Value: customer.DateValue(time.Now().AddDate(0, 0, i%40))})
	}
	return d
}

// BenchmarkTenRules evaluates ten rules for customers whose records and tags have been
// read, on all cores. Target: 200,000 customers/s on two cores.
func BenchmarkTenRules(b *testing.B) {
	k := openBench(b, 2000)
	err := k.store.View(context.Background(), func(r *storage.Reader) error {
		customers := k.customers.Reader(r)
		tags := k.tags.Reader(r, customers)
		p, err := k.rules.plan(r, tags)
		if err != nil {
			return err
		}
		var records []*customer.Customer
		var tagged []*tagging.Tagged
		for id := range customer.ID(2000) {
			c, err := customers.Get(id + 1)
			if err != nil {
				return err
			}
			t, err := tags.Of(id + 1)
			if err != nil {
				return err
			}
			records, tagged = append(records, c), append(tagged, t)
		}
		b.ReportAllocs()
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			v := p.newEvaluator()
			v.open(context.Background(), r, customers, tags, time.Now(), false)
			v.selectAll()
			for i := 0; pb.Next(); i++ {
				n := i % len(records)
				if err := v.evaluate(records[n], tagged[n]); err != nil {
					b.Error(err)
				}
				if sets := v.changes(); len(sets) > 0 {
					b.Errorf("customer %d would change: %v", n+1, sets)
				}
			}
		})
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "customers/s")
	b.ReportMetric(float64(runtime.GOMAXPROCS(0)), "cores")
}

// BenchmarkChange changes one customer so that its tags change, and measures the
// evaluation that follows, its transaction included. Target: below 100 µs without the
// sync of a disk.
func BenchmarkChange(b *testing.B) {
	k := openBench(b, 2000)
	ctx := context.Background()
	id := customer.ID(7)
	var spent time.Duration
	var changed int64
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, err := k.store.Update(ctx, storage.Session{Actor: Actor}, func(tx *storage.Tx) error { // as Actor, so that it is not followed too
			customers := k.customers.Tx(tx)
			c, err := customers.Get(id)
			if err == nil {
				c.SetAttribute("revenue", customer.NumberValue(int64(1+i%2)*500_000))
				_, err = customers.Update(c)
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		begin := time.Now()
		t, err := k.rules.do(ctx, work{ids: []customer.ID{id}, changed: []uint64{1<<sourceCustomer | 1<<sourceAttribute}, reason: "facts changed"}, nil)
		if err != nil {
			b.Fatal(err)
		}
		spent += time.Since(begin)
		changed += t.changed
	}
	b.ReportMetric(float64(spent.Microseconds())/float64(b.N), "µs/evaluation")
	b.ReportMetric(float64(changed)/float64(b.N), "changed/op")
}

// BenchmarkBulk classifies customers whose tags stay, reading and transactions
// included.
func BenchmarkBulk(b *testing.B) {
	k := openBench(b, 20_000)
	ctx := context.Background()
	for b.Loop() {
		if _, err := k.rules.Evaluate(ctx, Bulk{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(20_000*float64(b.N)/b.Elapsed().Seconds(), "customers/s")
}
