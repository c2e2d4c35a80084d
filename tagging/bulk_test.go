package tagging

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging/filter"
)

func TestBulkTagsWhomAQueryMeans(t *testing.T) {
	const n = 2*jobPart + 100
	b, silver, gold, _ := levels(t, n, false)
	d := b.dimension(Dimension{Code: "flag"})
	flag := b.tag(d, "a")
	for _, id := range []customer.ID{5, 1500, n} {
		b.assign(id, Assignment{Tag: silver})
	}
	b.assign(7, Assignment{Tag: gold})
	ctx := context.Background()
	done, err := b.tags.AssignAll(ctx, b.job(), Bulk{Query: Query{Filter: "has:level"}, Tag: flag, Reason: "campaign"})
	if err != nil || done.Changed != 4 || done.Unchanged != 0 || done.After != n {
		t.Errorf("%+v, %v", done, err)
	}
	if a := b.of(7).Assignments; len(a) != 2 || a[1].Reason != "campaign" {
		t.Errorf("assignments %+v", a)
	}
	parts, refused := 0, 0
	all := Bulk{Query: Query{Expr: filter.All()}, Tag: silver, Progress: func(Progress) { parts++ }, Refused: func(id customer.ID, err error) {
		refused++
		if wants(t, "refused", err, ErrExclusive); id != 7 {
			t.Errorf("customer %d was refused", id)
		}
	}}
	done, err = b.tags.AssignAll(ctx, b.job(), all)
	if err != nil || done.Changed != n-4 || done.Unchanged != 3 || done.Refused != 1 || refused != 1 || parts != 3 {
		t.Errorf("%+v in %d parts with %d refusals, %v", done, parts, refused, err)
	}
	all.Replace = true
	if done, err = b.tags.AssignAll(ctx, b.job(), all); err != nil || done.Changed != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	done, err = b.tags.RemoveAll(ctx, b.job(), Bulk{Query: Query{Filter: "level:silver"}, Tag: silver})
	if err != nil || done.Changed != n {
		t.Errorf("%+v, %v", done, err)
	}
	_, err = b.tags.AssignAll(ctx, b.job(), Bulk{IDs: []customer.ID{1}, Tag: 99})
	wants(t, "unknown tag", err, ErrUnknownTag)
	_, err = b.tags.AssignAll(ctx, b.job(), Bulk{Tag: gold})
	wants(t, "neither a query nor ids", err, ErrInvalid)
	_, err = b.tags.AssignAll(ctx, Job{}, Bulk{IDs: []customer.ID{1}, Tag: gold})
	wants(t, "no job", err, ErrInvalid)
	if done, err = b.tags.AssignAll(ctx, b.job(), Bulk{IDs: []customer.ID{}, Tag: gold}); err != nil || done != (Progress{}) {
		t.Errorf("no ids: %+v, %v", done, err)
	}
	b.verified()
}

func TestBulkGoesOnWhereItWasStopped(t *testing.T) {
	const n = 2*jobPart + 1
	b, silver, _, _ := levels(t, n, false)
	var ids []customer.ID
	for id := customer.ID(n); id > 0; id-- {
		ids = append(ids, id, id) // in no order, and twice
	}
	ctx, cancel := context.WithCancel(context.Background())
	bulk := Bulk{IDs: ids, Tag: silver, Progress: func(Progress) { cancel() }}
	done, err := b.tags.AssignAll(ctx, b.job(), bulk)
	if !errors.Is(err, context.Canceled) || done.Changed != jobPart || done.After != jobPart {
		t.Fatalf("%+v, %v", done, err)
	}
	bulk.After, bulk.Progress = done.After, nil
	done, err = b.tags.AssignAll(context.Background(), b.job(), bulk)
	if err != nil || done.Changed != n-jobPart || done.Unchanged != 0 {
		t.Errorf("%+v, %v", done, err)
	}
}

func TestTickWorksInParts(t *testing.T) {
	const n = jobPart + 10
	b, silver, _, _ := levels(t, n, false)
	b.update(func(tx *Tx) error {
		for id := range customer.ID(n) {
			if _, err := tx.Assign(id+1, Assignment{Tag: silver, Until: b.now.AddDate(0, 0, 1)}); err != nil {
				return err
			}
		}
		return nil
	})
	b.now = b.now.AddDate(0, 0, 1)
	if done := b.tick(); done != n {
		t.Errorf("%d were due, want %d", done, n)
	}
	b.holds(n)
	b.verified()
}

func rowsOf(rows ...LoadRow) iter.Seq2[LoadRow, error] {
	return func(yield func(LoadRow, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

func TestLoadedTagsAreAsAssigned(t *testing.T) {
	b, silver, gold, _ := levels(t, 4, false)
	d := b.dimension(Dimension{Code: "flag", ValidDays: 10})
	flag := b.tag(d, "a")
	load := func(rows ...LoadRow) error {
		_, err := b.tags.Load(context.Background(), b.job(), rowsOf(rows...))
		return err
	}
	given := []Assignment{{Tag: flag, Reason: "import"}, {Tag: gold, Origin: Imported, From: b.now.AddDate(0, 0, 5)}}
	if err := load(LoadRow{1, given}, LoadRow{3, []Assignment{{Tag: silver}}}); err != nil {
		t.Fatal(err)
	}
	b.assign(2, given...)
	loaded, assigned := b.of(1), b.of(2)
	if len(loaded.Assignments) != len(assigned.Assignments) {
		t.Fatalf("loaded %+v, assigned %+v", loaded.Assignments, assigned.Assignments)
	}
	for i := range loaded.Assignments {
		if loaded.Assignments[i] != assigned.Assignments[i] {
			t.Errorf("loaded %+v, assigned %+v", loaded.Assignments[i], assigned.Assignments[i])
		}
	}
	b.holds(3, silver)
	b.verified()
	b.now = b.now.AddDate(0, 0, 5)
	b.holds(1, flag, gold)
	b.tick()
	b.verified()

	wants(t, "tagged already", load(LoadRow{3, given}), ErrExists)
	wants(t, "no such customer", load(LoadRow{99, given}), ErrNotFound)
	wants(t, "unknown tag", load(LoadRow{4, []Assignment{{Tag: 99}}}), ErrUnknownTag)
	wants(t, "exclusive", load(LoadRow{4, []Assignment{{Tag: silver}, {Tag: gold}}}), ErrExclusive)
	wants(t, "order", load(LoadRow{4, given}, LoadRow{4, given}), ErrInvalid)
	b.holds(4)
}

func TestSegmentsAreSavedInOrder(t *testing.T) {
	b, silver, _, _ := levels(t, 1, false)
	b.assign(1, Assignment{Tag: silver})
	save := func(s Segment) error {
		return b.try(func(tx *Tx) error { _, err := tx.SaveSegment(s); return err })
	}
	if err := save(Segment{Name: "best", Filter: "(level:silver)  or level:gold"}); err != nil {
		t.Fatal(err)
	}
	if err := save(Segment{Name: "Others", Filter: "not segment:best"}); err != nil {
		t.Fatal(err)
	}
	wants(t, "unknown tag", save(Segment{Name: "x", Filter: "level:tin"}), ErrUnknownTag)
	wants(t, "unknown segment", save(Segment{Name: "x", Filter: "segment:nobody"}), ErrUnknownSegment)
	wants(t, "itself", save(Segment{Name: "x", Filter: "segment:x"}), ErrCycle)
	wants(t, "not read", save(Segment{Name: "BEST", Filter: "level:gold"}), ErrConflict)
	wants(t, "cycle", save(Segment{Name: "best", Version: 1, Filter: "segment:others"}), ErrCycle)
	wants(t, "name", save(Segment{Name: "a b", Filter: "level:gold"}), ErrInvalid)
	wants(t, "in use", b.try(func(tx *Tx) error { return tx.RemoveSegment("best") }), ErrInUse)
	b.view(func(r *Reader) error {
		s, err := r.Segment("BEST")
		if err != nil || s.Filter != "level:silver OR level:gold" || s.Version != 1 {
			t.Errorf("%+v, %v", s, err)
		}
		all, err := r.Segments()
		if err != nil || len(all) != 2 || all[0].Name != "Others" {
			t.Errorf("%+v, %v", all, err)
		}
		n, err := r.Count(Query{Filter: "segment:others"})
		if n != 0 {
			t.Errorf("%d others, want 0", n)
		}
		return err
	})
	b.update(func(tx *Tx) error {
		if err := tx.RemoveSegment("Others"); err != nil {
			return err
		}
		_, err := tx.Segment("others")
		wants(t, "removed", err, ErrUnknownSegment)
		return tx.RemoveSegment("best")
	})
	if err := save(Segment{Name: "best", Filter: "level:gold"}); err != nil {
		t.Fatal(err)
	}
	b.view(func(r *Reader) error {
		s, err := r.Segment("best")
		if err != nil || s.Version != 3 { // saved, removed, saved
			t.Errorf("%+v, %v", s, err)
		}
		return nil
	})
	b.verified()
}
