package dedupe_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
)

func (b *book) merge(survivor customer.ID, losers ...customer.ID) {
	b.t.Helper()
	b.update(func(tx *clientele.Tx) error {
		_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: survivor, Losers: losers})
		return err
	})
}

func (b *book) unmerge(loser customer.ID) {
	b.t.Helper()
	b.update(func(tx *clientele.Tx) error {
		_, _, err := tx.Dedupe.Unmerge(loser)
		return err
	})
}

// Whatever named the loser names the survivor: id, code, identifier, source key.
func TestLoserResolves(t *testing.T) {
	b := openFor(t)
	first := b.create(customer.Draft{Name: "甲", Code: "A1"})
	second := b.create(customer.Draft{
		Name: "乙", Code: "B7", Identifiers: []customer.Identifier{{Scheme: "tw.ubn", Value: "22099131"}},
		SourceKeys: []customer.SourceKey{{System: "erp", Key: "4711"}},
	})
	b.merge(first.ID, second.ID)
	b.view(func(tx *clientele.ReadTx) error {
		for what, get := range map[string]func() (*customer.Customer, error){
			"id":         func() (*customer.Customer, error) { return tx.Customers.Get(second.ID) },
			"code":       func() (*customer.Customer, error) { return tx.Customers.ByCode("b7") },
			"identifier": func() (*customer.Customer, error) { return tx.Customers.ByIdentifier("tw.ubn", "22099131") },
			"source key": func() (*customer.Customer, error) { return tx.Customers.BySourceKey("erp", "4711") },
		} {
			if c, err := get(); err != nil || c.ID != first.ID {
				t.Errorf("by %s: %+v, %v", what, c, err)
			}
		}
		if way, err := tx.Customers.Resolve(second.ID); err != nil || !slices.Equal(way, []customer.ID{second.ID, first.ID}) {
			t.Errorf("the way is %v, %v", way, err)
		}
		exact, err := tx.Customers.Exact(second.ID)
		if err != nil || exact.Status != customer.Merged || exact.Survivor != first.ID || exact.Name != "乙" {
			t.Errorf("the loser's record is %+v, %v", exact, err)
		}
		return nil
	})
}

// What doesn't fit the survivor's lists still leads to it.
func TestSourceKeysBeyondTheLimitResolve(t *testing.T) {
	b := openFor(t)
	keys := func(prefix string) (list []customer.SourceKey) {
		for i := range 70 {
			list = append(list, customer.SourceKey{System: prefix, Key: fmt.Sprint(i)})
		}
		return list
	}
	x, y := b.create(customer.Draft{Name: "X", SourceKeys: keys("x")}), b.create(customer.Draft{Name: "Y", SourceKeys: keys("y")})
	b.merge(x.ID, y.ID)
	if c := b.get(x.ID); len(c.SourceKeys) != customer.MaxList {
		t.Errorf("the survivor has %d source keys", len(c.SourceKeys))
	}
	b.view(func(tx *clientele.ReadTx) error {
		for i := range 70 {
			if c, err := tx.Customers.BySourceKey("y", fmt.Sprint(i)); err != nil || c.ID != x.ID {
				t.Errorf("key %d leads to %v, %v", i, c, err)
			}
		}
		return nil
	})
}

// Clusters that overlap, merged by many at once, end as one customer.
func TestConcurrentMergesOfOverlappingClusters(t *testing.T) {
	b := openFor(t)
	var ids []customer.ID
	for i := range 24 {
		ids = append(ids, b.create(customer.Draft{Name: fmt.Sprint("Customer ", i)}).ID)
	}
	var wait sync.WaitGroup
	for i := 0; i+3 < len(ids); i += 3 {
		wait.Go(func() {
			_, err := b.Dedupe().MergeCluster(b.ctx, b.DedupeJob(), dedupe.Merge{Survivor: ids[i+3], Losers: ids[i : i+3]})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	end := b.get(ids[0]).ID
	for _, id := range ids[:22] {
		if got := b.get(id).ID; got != end {
			t.Errorf("customer %d leads to %d, customer %d to %d", ids[0], end, id, got)
		}
	}
}

func TestMergeClusterOfManyResumes(t *testing.T) {
	n := 10_000
	if testing.Short() {
		n = 1000
	}
	b := openFor(t)
	var losers []customer.ID
	first := b.create(customer.Draft{Name: "Company"})
	_, err := b.Load(b.ctx, customer.LoadOptions{}, func(yield func(customer.Draft, error) bool) {
		for i := range n {
			if !yield(customer.Draft{Name: "Company", SourceKeys: []customer.SourceKey{{System: "erp", Key: fmt.Sprint(i)}}}, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		losers = append(losers, first.ID+1+customer.ID(i))
	}
	b.view(func(tx *clientele.ReadTx) error { // ids of a load need not follow
		losers = losers[:0]
		for c, err := range tx.Customers.List(customer.List{}) {
			if err != nil {
				return err
			}
			if c.ID != first.ID {
				losers = append(losers, c.ID)
			}
		}
		return nil
	})
	job := b.DedupeJob()
	part, err := b.Dedupe().MergeCluster(b.ctx, job, dedupe.Merge{Survivor: first.ID, Losers: losers[:n/2]})
	if err != nil || part.Merged != n/2 {
		t.Fatalf("%+v, %v", part, err)
	}
	whole, err := b.Dedupe().MergeCluster(b.ctx, job, dedupe.Merge{Survivor: first.ID, Losers: losers})
	if err != nil || whole.Merged != n-n/2 || whole.Already != n/2 {
		t.Fatalf("%+v, %v", whole, err)
	}
	b.update(func(tx *clientele.Tx) error { _, _, err := tx.Dedupe.Unmerge(losers[7]); return err })
	if c := b.get(first.ID); c.Absorbed != n-1 {
		t.Errorf("%d customers are merged", c.Absorbed)
	}
}

func TestMergeRefuses(t *testing.T) {
	b := openFor(t)
	x, y, z := b.create(customer.Draft{Name: "X"}), b.create(customer.Draft{Name: "Y"}), b.create(customer.Draft{Name: "Z"})
	b.merge(x.ID, y.ID)
	for name, m := range map[string]dedupe.Merge{
		"a merged loser":    {Survivor: z.ID, Losers: []customer.ID{y.ID}},
		"a merged survivor": {Survivor: y.ID, Losers: []customer.ID{z.ID}},
		"itself":            {Survivor: z.ID, Losers: []customer.ID{z.ID}},
		"nobody":            {Survivor: z.ID},
		"who isn't there":   {Survivor: z.ID, Losers: []customer.ID{999}},
	} {
		err := b.Session.Update(b.ctx, func(tx *clientele.Tx) error { _, err := tx.Dedupe.Merge(m); return err })
		if err == nil {
			t.Errorf("%s was merged", name)
		}
	}
	b.merge(z.ID, x.ID)
	err := b.Session.Update(b.ctx, func(tx *clientele.Tx) error { _, _, err := tx.Dedupe.Unmerge(y.ID); return err })
	if !errors.Is(err, customer.ErrStatus) {
		t.Errorf("undoing the inner of two merges gave %v", err)
	}
}

// Who is named twice is no loser that was merged before: a preview and a merge say so alike.
func TestMergeRefusesWhoIsNamedTwice(t *testing.T) {
	b := openFor(t)
	x, y := b.create(customer.Draft{Name: "X"}).ID, b.create(customer.Draft{Name: "Y"}).ID
	for _, losers := range [][]customer.ID{{x}, {y, y}} {
		m := dedupe.Merge{Survivor: x, Losers: losers}
		merge := b.Session.Update(b.ctx, func(tx *clientele.Tx) error { _, err := tx.Dedupe.Merge(m); return err })
		preview := b.Session.View(b.ctx, func(tx *clientele.ReadTx) error { _, err := tx.Dedupe.Preview(m); return err })
		for _, err := range []error{merge, preview} {
			if told, ok := errors.AsType[*dedupe.Error](err); !ok || told.Field != "Losers" || !errors.Is(err, dedupe.ErrInvalid) {
				t.Errorf("%d into %d: %v", losers, x, err)
			}
		}
	}
}

// A cluster of which only the beginning was merged tells the survivor of that.
func TestStoppedMergeClusterTellsTheSurvivor(t *testing.T) {
	b := openFor(t)
	end, named := b.create(customer.Draft{Name: "End"}).ID, b.create(customer.Draft{Name: "Named"}).ID
	b.merge(end, named)
	var losers []customer.ID
	for range 100 { // as many as one transaction takes
		losers = append(losers, b.create(customer.Draft{Name: "Company"}).ID)
	}
	done, err := b.Dedupe().MergeCluster(b.ctx, b.DedupeJob(), dedupe.Merge{Survivor: named, Losers: append(losers, 9999)})
	if !errors.Is(err, dedupe.ErrNotFound) || done.Survivor != end || done.Merged != 100 {
		t.Errorf("did %+v, %v; want 100 merged into customer %d", done, err, end)
	}
}

// Erasing the survivor leaves nothing of those that were merged into it.
func TestEraseTakesTheMerged(t *testing.T) {
	b := openFor(t)
	x, y := b.create(customer.Draft{Name: "X"}), b.create(customer.Draft{Name: "Yvonne", Note: "secret"})
	b.merge(x.ID, y.ID)
	b.update(func(tx *clientele.Tx) error { _, err := tx.Customers.Erase(x.ID); return err })
	b.view(func(tx *clientele.ReadTx) error {
		for _, id := range []customer.ID{x.ID, y.ID} {
			if c, err := tx.Customers.Exact(id); err != nil || c.Status != customer.Erased || c.Name != "" {
				t.Errorf("customer %d is %+v, %v", id, c, err)
			}
		}
		return nil
	})
	if report, err := b.Verify(b.ctx, nil); err != nil || !report.OK() {
		t.Errorf("verify: %+v, %v", report, err)
	}
}

func TestSurvivorshipRules(t *testing.T) {
	b := openFor(t)
	x := b.create(customer.Draft{Name: "Acme", Website: "old.example", SourceKeys: []customer.SourceKey{{System: "crm", Key: "1"}}})
	y := b.create(customer.Draft{Name: "Acme Corporation", Website: "new.example", Note: "pays late", SourceKeys: []customer.SourceKey{{System: "erp", Key: "1"}}})
	rules := &dedupe.Survivorship{
		Fields: map[string]dedupe.Rule{dedupe.FieldName: dedupe.Longest, dedupe.FieldWebsite: dedupe.Trusted("erp", "crm")},
		Finish: func(golden, _, loser *customer.Customer) error { golden.Note = "from " + loser.Name; return nil },
	}
	m := dedupe.Merge{Survivor: x.ID, Losers: []customer.ID{y.ID}, Rules: rules}
	var preview []dedupe.Preview
	b.view(func(tx *clientele.ReadTx) (err error) { preview, err = tx.Dedupe.Preview(m); return err })
	b.update(func(tx *clientele.Tx) error { _, err := tx.Dedupe.Merge(m); return err })
	got := b.get(y.ID)
	if got.Name != "Acme Corporation" || got.Website != "new.example" || got.Note != "from Acme Corporation" || !slices.Equal(got.Aliases, []string{"Acme"}) {
		t.Errorf("got %+v", got)
	}
	if g := preview[0].Golden; g.Name != got.Name || g.Website != got.Website || g.Note != got.Note || len(g.SourceKeys) != 2 {
		t.Errorf("the preview showed %+v", g)
	}
}

// Sixty-four at once merge clusters that overlap, each of eight of two hundred
// customers: who was in one cluster, or in a row of clusters, is one customer in the end.
func TestSixtyFourMergeOverlappingClusters(t *testing.T) {
	b := openFor(t)
	var ids []customer.ID
	b.update(func(tx *clientele.Tx) error {
		ids = ids[:0]
		for i := range 200 {
			c, err := tx.Customers.Create(customer.Draft{Name: fmt.Sprint("Customer ", i), SourceKeys: []customer.SourceKey{{System: "erp", Key: fmt.Sprint(i)}}})
			if err != nil {
				return err
			}
			ids = append(ids, c.ID)
		}
		return nil
	})
	rng := rand.New(rand.NewPCG(5, 64))
	var clusters [64][]int
	for i := range clusters {
		half := i % 2 * 100 // so that two customers stay
		for range 8 {
			clusters[i] = append(clusters[i], half+rng.IntN(100))
		}
	}
	var wait sync.WaitGroup
	for _, cluster := range clusters {
		wait.Go(func() {
			m := dedupe.Merge{Survivor: ids[cluster[0]]}
			for _, at := range cluster[1:] {
				m.Losers = append(m.Losers, ids[at])
			}
			if _, err := b.Dedupe().MergeCluster(b.ctx, b.DedupeJob(), m); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for i, cluster := range clusters {
		for _, at := range cluster {
			if got, want := b.get(ids[at]).ID, b.get(ids[clusters[i%2][0]]).ID; got != want {
				t.Errorf("customer %d of cluster %d leads to %d, want %d", ids[at], i, got, want)
			}
		}
	}
	for _, id := range ids {
		b.checkMerge(id)
	}
	if report, err := b.Verify(b.ctx, nil); err != nil || !report.OK() {
		t.Errorf("verify: %+v, %v", report, err)
	}
}
