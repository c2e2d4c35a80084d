package stocktake_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/storage"
)

// as changes something as an actor.
func (b *book) as(actor string, f func(tx *clientele.Tx) error) error {
	b.t.Helper()
	return b.book.As(clientele.Actor{ID: actor}).Update(b.t.Context(), f)
}

// inReview makes a run of a definition and submits it.
func (b *book) inReview(actor, name string) stocktake.RunID {
	b.t.Helper()
	r, err := b.book.As(clientele.Actor{ID: actor}).Stocktake().Run(b.t.Context(), stocktake.Ask{Name: name})
	if err != nil {
		b.t.Fatal(err)
	}
	id := r.Filing.Run
	if err := b.as(actor, func(tx *clientele.Tx) error { _, err := tx.Stocktake.Submit(id, ""); return err }); err != nil {
		b.t.Fatal(err)
	}
	return id
}

func approve(id stocktake.RunID) func(tx *clientele.Tx) error {
	return func(tx *clientele.Tx) error { _, err := tx.Stocktake.Approve(id, ""); return err }
}

func adjust(id stocktake.RunID) func(tx *clientele.Tx) error {
	return func(tx *clientele.Tx) error { _, err := tx.Stocktake.Adjust(id, 1, "a shop"); return err }
}

// Lin makes the count, Chen adjusts it: neither approves it, and nobody signs twice.
func TestFourEyes(t *testing.T) {
	b := newBook(t, clientele.Options{})
	b.create(customer.Draft{Name: "A"})
	b.now.set(day(2025, 2, 1))
	d := b.save(stocktake.Definition{Name: "all"})
	id := b.inReview("lin", "all")
	if err := b.as("chen", adjust(id)); err != nil {
		t.Fatal(err)
	}
	d.OnePerson = true
	b.save(*d) // comes too late for this run
	for _, actor := range []string{"lin", "chen"} {
		err := b.as(actor, approve(id))
		if !errors.Is(err, stocktake.ErrFourEyes) || !errors.Is(err, stocktake.ErrDenied) {
			t.Errorf("%s approves: %v", actor, err)
		}
	}
	if err := b.as("wu", approve(id)); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		actor string
		want  error
	}{{"chen", nil}, {"wu", nil}, {"chen", stocktake.ErrFourEyes}} {
		_, err := b.book.As(clientele.Actor{ID: x.actor}).Stocktake().Sign(t.Context(), id, "auditor")
		if !errors.Is(err, x.want) {
			t.Errorf("%s signs: %v; want %v", x.actor, err, x.want)
		}
	}
	err := b.View(t.Context(), func(tx *clientele.ReadTx) error {
		run, err := tx.Stocktake.Run(id)
		if err == nil && len(run.Signatures) != 2 {
			t.Errorf("signatures %+v; want two", run.Signatures)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOnePersonMayDoAllWhereTheDefinitionSaysSo(t *testing.T) {
	b := newBook(t, clientele.Options{})
	b.create(customer.Draft{Name: "A"})
	b.now.set(day(2025, 2, 1))
	b.save(stocktake.Definition{Name: "all", OnePerson: true})
	id := b.inReview("lin", "all")
	for _, step := range []func(*clientele.Tx) error{adjust(id), approve(id)} {
		if err := b.as("lin", step); err != nil {
			t.Fatal(err)
		}
	}
	lin := b.book.As(clientele.Actor{ID: "lin"}).Stocktake()
	if _, err := lin.Sign(t.Context(), id, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := lin.Sign(t.Context(), id, ""); !errors.Is(err, stocktake.ErrFourEyes) {
		t.Errorf("a second signature: %v", err)
	}
}

// 260 representatives have one customer each, rep000 then gets the other one's: what a
// table has only as a sum is not told as if it were nothing.
func TestComparedRunsSayWhatTheirTablesLeaveOut(t *testing.T) {
	b := newBook(t, clientele.Options{})
	const n = 260
	drafts := make([]customer.Draft, n)
	for i := range drafts {
		drafts[i] = customer.Draft{Name: fmt.Sprintf("客户%03d", i), Rep: fmt.Sprintf("rep%03d", i)}
	}
	ids := b.create(drafts...)
	b.save(stocktake.Definition{Name: "all", Dimensions: []string{"rep", "kind"}})
	run := func(month int) stocktake.RunID {
		b.now.set(day(2025, month, 1))
		r, err := b.Stocktake().Run(t.Context(), stocktake.Ask{Name: "all"})
		if err != nil {
			t.Fatal(err)
		}
		return r.Filing.Run
	}
	first := run(2)
	b.update(func(tx *clientele.Tx) error { // rep259 comes among those that are named
		for _, id := range ids[:3] {
			if _, err := tx.Customers.Assign(id, 0, "rep259"); err != nil {
				return err
			}
		}
		return nil
	})
	second := run(3)
	var x *stocktake.RunChange
	err := b.View(t.Context(), func(tx *clientele.ReadTx) (err error) {
		x, err = tx.Stocktake.Compare(first, second)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	reps, kinds := x.Dimensions[0], x.Dimensions[1]
	if kinds.Rest != nil || kinds.OmittedFrom+kinds.OmittedTo != 0 || len(kinds.Rows) != 1 || kinds.Rows[0].FromRest {
		t.Errorf("kinds: %+v; want one row", kinds)
	}
	// First 260 values, 60 of them in the rest; then 257, as rep000 to rep002 have none.
	if reps.OmittedFrom != 60 || reps.OmittedTo != 57 || reps.Rest == nil || reps.Rest.From != 60 || reps.Rest.To != 57 {
		t.Errorf("%d and %d left out, the rest %+v", reps.OmittedFrom, reps.OmittedTo, reps.Rest)
	}
	sum := *reps.Rest
	for _, row := range reps.Rows {
		sum.From, sum.To = sum.From+row.From, sum.To+row.To
		switch row.Key {
		case "rep259":
			if row.To != 4 || row.From != 0 || !row.FromRest || row.ToRest {
				t.Errorf("%+v; want 4 now, then among the rest", row)
			}
		case "rep000":
			if row.From != 1 || row.To != 0 || row.FromRest || !row.ToRest {
				t.Errorf("%+v; want 1 then, now not named", row)
			}
		case "rep100":
			if row.From != 1 || row.To != 1 || row.FromRest || row.ToRest {
				t.Errorf("%+v; want 1 and 1", row)
			}
		}
	}
	if sum.From != n || sum.To != n {
		t.Errorf("rows and rest are %d and %d customers; want %d", sum.From, sum.To, n)
	}
}

// stored reads a run.
func (b *book) stored(id stocktake.RunID) (run *stocktake.Run) {
	b.t.Helper()
	err := b.View(b.t.Context(), func(tx *clientele.ReadTx) (err error) {
		run, err = tx.Stocktake.Run(id)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return run
}

// A run whose number no longer leads to its customers isn't what was signed.
func TestRunsThatLostTheirCustomersAreDamaged(t *testing.T) {
	b := newBook(t, clientele.Options{})
	b.create(customer.Draft{Name: "A"}, customer.Draft{Name: "B"})
	b.save(stocktake.Definition{Name: "all"})
	id := b.inReview("clerk", "all")
	s := b.Stocktake()
	if err := s.Verify(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	run := b.stored(id)
	_, err := s.Storage.Update(t.Context(), storage.Session{Actor: "fault"}, func(tx *storage.Tx) error { return s.Stocktakes.LoseMembers(tx, run, "closing") })
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(t.Context(), id); !errors.Is(err, stocktake.ErrDamaged) {
		t.Errorf("verified: %v", err)
	}
}

// A result that is stored already is read in the parts that it has, whatever the compressor
// of today would make of it.
func TestResultsPackedOtherwiseAreReadAgain(t *testing.T) {
	b := newBook(t, clientele.Options{})
	b.create(customer.Draft{Name: "A"}, customer.Draft{Name: "B"})
	b.save(stocktake.Definition{Name: "all"})
	s, first := b.Stocktake(), b.stored(b.inReview("clerk", "all"))
	_, err := s.Storage.Update(t.Context(), storage.Session{Actor: "older program"}, func(tx *storage.Tx) error { return s.Stocktakes.Repack(tx, first, 100) })
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Run(t.Context(), stocktake.Ask{Name: "all", Opening: first.Opening, Closing: first.Closing})
	if err != nil {
		t.Fatal(err)
	}
	run := b.stored(again.Filing.Run)
	if run.Digest != first.Digest || run.Parts < 2 {
		t.Errorf("%d parts of %s, want those of %s", run.Parts, run.Digest, first.Digest)
	}
	if err := s.Verify(t.Context(), run.Run); err != nil {
		t.Error(err)
	}
}

// expiring is a context that ends when it was asked some times whether it has.
type expiring struct {
	context.Context
	left *int
}

func (e expiring) Err() error {
	if *e.left--; *e.left < 0 {
		return context.Canceled
	}
	return nil
}

// A verification that is given up doesn't say that the run is damaged, whenever it is.
func TestVerificationsGivenUpFindNoDamage(t *testing.T) {
	b := newBook(t, clientele.Options{})
	b.create(customer.Draft{Name: "A"})
	b.save(stocktake.Definition{Name: "all"})
	id := b.inReview("lin", "all")
	if err := b.as("wu", approve(id)); err != nil {
		t.Fatal(err)
	}
	s := b.book.As(clientele.Actor{ID: "wu"}).Stocktake()
	if _, err := s.Sign(t.Context(), id, "auditor"); err != nil {
		t.Fatal(err)
	}
	b.create(customer.Draft{Name: "B"})
	for asked := 0; ; asked++ {
		left := asked
		err := s.Verify(expiring{t.Context(), &left}, id)
		if err == nil {
			t.Logf("asked %d times", asked)
			return
		}
		if !errors.Is(err, context.Canceled) || errors.Is(err, stocktake.ErrDamaged) {
			t.Fatalf("given up when asked the %d. time: %v", asked+1, err)
		}
	}
}
