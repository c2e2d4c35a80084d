package dedupe_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/dedupe/compare"
	"github.com/clientele-go/clientele/dedupe/match"
)

func withPolicy(p dedupe.Policy) func(*clientele.Options) {
	return func(o *clientele.Options) { o.Dedupe.Policy = p }
}

var cement = customer.Draft{
	Name: "台灣水泥股份有限公司", Phones: []customer.Phone{{Number: "+886225317099"}},
	Addresses: []customer.Address{{Text: "台北市中山北路二段113號"}},
}

// The same company as another clerk would write it.
var cementAgain = customer.Draft{
	Name: "台湾水泥股份有限公司", Phones: []customer.Phone{{Number: "02-2531-7099"}}, Country: "TW",
	Addresses: []customer.Address{{Text: "臺北市中山北路2段113號"}},
}

func (b *book) candidates(d customer.Draft) (found []dedupe.Candidate) {
	b.t.Helper()
	b.view(func(tx *clientele.ReadTx) (err error) {
		found, err = tx.Dedupe.CandidatesFor(d)
		return err
	})
	return found
}

func TestCandidatesNameTheCustomerThatADraftIs(t *testing.T) {
	b := openFor(t)
	want := b.create(cement)
	b.create(customer.Draft{Name: "亚洲水泥股份有限公司", Phones: []customer.Phone{{Number: "+886227378000"}}})
	found := b.candidates(cementAgain)
	if len(found) != 1 || found[0].Customer.ID != want.ID || found[0].Decision != match.Same {
		t.Fatalf("found %+v", found)
	}
	explained := map[string]float64{}
	for _, f := range found[0].Score.Fields {
		explained[f.Field] = f.Bits
	}
	if explained["name"] <= 0 || explained["phone"] <= 0 {
		t.Errorf("name and phone agree, but the score is explained by %v", explained)
	}
	if found := b.candidates(customer.Draft{Name: "鑫安机械有限公司"}); len(found) != 0 {
		t.Errorf("somebody else is like %+v", found)
	}
}

func TestCandidatesForADraftThatIsNotInOrder(t *testing.T) {
	b := openFor(t)
	b.create(cement)
	d := cementAgain
	d.Emails = []customer.Email{{Address: "not yet typed"}}
	if found := b.candidates(d); len(found) != 1 {
		t.Errorf("found %+v", found)
	}
}

// A customer that stands in the book more often than a key is read to its end is found all the same.
func TestCandidatesOfACustomerThatStandsThereHundredsOfTimes(t *testing.T) {
	b := openFor(t)
	b.update(func(tx *clientele.Tx) error {
		for range 300 {
			if _, err := tx.Customers.Create(cement); err != nil {
				return err
			}
		}
		return nil
	})
	found := b.candidates(cementAgain)
	if len(found) != dedupe.MaxCandidates {
		t.Fatalf("found %d; want %d", len(found), dedupe.MaxCandidates)
	}
	for _, c := range found {
		if c.Decision != match.Same {
			t.Errorf("customer %d is %v", c.Customer.ID, c.Decision)
		}
	}
}

func TestRefuseKeepsALikelyDuplicateOut(t *testing.T) {
	b := openFor(t, withPolicy(dedupe.Refuse))
	first := b.create(cement)
	err := b.Session.Update(b.ctx, func(tx *clientele.Tx) error {
		_, err := tx.Customers.Create(cementAgain)
		return err
	})
	var duplicate *dedupe.DuplicateError
	if !errors.As(err, &duplicate) || !errors.Is(err, dedupe.ErrLikelyDuplicate) || duplicate.Candidates[0].Customer.ID != first.ID {
		t.Fatalf("got %v", err)
	}
	b.update(func(tx *clientele.Tx) error {
		tx.Dedupe.Confirm()
		made, err := tx.Customers.Create(cementAgain)
		if err != nil {
			return err
		}
		warnings := tx.Dedupe.Warnings()
		if len(warnings) != 1 || warnings[0].Created != made.ID || warnings[0].Candidates[0].Customer.ID != first.ID {
			t.Errorf("warned of %+v", warnings)
		}
		return nil
	})
	if queue := b.queue(); len(queue) != 1 || queue[0].A != first.ID {
		t.Errorf("in the queue: %+v", queue)
	}
}

// Many sessions that create the same customer at the same time, in two ways of writing, make
// one.
func TestRefuseHoldsUnderContention(t *testing.T) {
	b := openFor(t, withPolicy(dedupe.Refuse))
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			err := b.Session.Update(b.ctx, func(tx *clientele.Tx) error {
				_, err := tx.Customers.Create([]customer.Draft{cement, cementAgain}[i%2])
				return err
			})
			if err != nil && !errors.Is(err, dedupe.ErrLikelyDuplicate) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	n := 0
	b.view(func(tx *clientele.ReadTx) error {
		for _, err := range tx.Customers.List(customer.List{}) {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if n != 1 {
		t.Errorf("there are %d customers", n)
	}
}

func (b *book) queue() (pairs []*dedupe.Pair) {
	b.t.Helper()
	b.view(func(tx *clientele.ReadTx) error {
		for p, err := range tx.Dedupe.Queue() {
			if err != nil {
				return err
			}
			pairs = append(pairs, p)
		}
		return nil
	})
	return pairs
}

func TestDecisionsAreRememberedAndUndoable(t *testing.T) {
	b := openFor(t)
	x, y := b.create(cement), b.create(cementAgain)
	job := b.DedupeJob()
	run := func() *dedupe.RunResult {
		t.Helper()
		r, err := b.Dedupe().Run(b.ctx, job, dedupe.RunOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	of := func() int {
		n := 0
		b.view(func(tx *clientele.ReadTx) error {
			found, err := tx.Dedupe.CandidatesOf(x.ID)
			n = len(found)
			return err
		})
		return n
	}
	if of() != 1 {
		t.Fatal("the two are not alike")
	}
	b.update(func(tx *clientele.Tx) error {
		_, err := tx.Dedupe.Decide(y.ID, x.ID, dedupe.Different)
		return err
	})
	if n := of(); n != 0 {
		t.Errorf("%d candidates in spite of the decision", n)
	}
	err := b.Session.Update(b.ctx, func(tx *clientele.Tx) error {
		_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: x.ID, Losers: []customer.ID{y.ID}})
		return err
	})
	if !errors.Is(err, dedupe.ErrDecided) {
		t.Errorf("merging what is different gave %v", err)
	}
	if r := run(); len(r.Groups) != 0 || len(b.queue()) != 0 {
		t.Errorf("a run found %+v, the queue has %d", r.Groups, len(b.queue()))
	}
	b.update(func(tx *clientele.Tx) error {
		_, err := tx.Dedupe.Withdraw(x.ID, y.ID)
		return err
	})
	if n := of(); n != 1 {
		t.Errorf("%d candidates once the decision is withdrawn", n)
	}
	b.update(func(tx *clientele.Tx) error {
		_, err := tx.Dedupe.Decide(x.ID, y.ID, dedupe.Same)
		return err
	})
	r := run()
	if len(r.Groups) != 1 || len(r.Groups[0].Members) != 2 {
		t.Fatalf("a run found %+v", r.Groups)
	}
	if again := run(); again.Groups[0].Cluster != r.Groups[0].Cluster {
		t.Errorf("cluster %d became %d", r.Groups[0].Cluster, again.Groups[0].Cluster)
	}
}

// A run over a book that has just begun leaves candidates as they were before it.
func TestCandidatesAfterARunOverOneCustomer(t *testing.T) {
	b := openFor(t)
	b.run() // over nobody
	first := b.create(cement)
	b.run()
	b.view(func(tx *clientele.ReadTx) error {
		found, err := tx.Dedupe.CandidatesFor(cementAgain)
		if err != nil || len(found) != 1 || found[0].Customer.ID != first.ID || found[0].Decision != match.Same {
			t.Errorf("found %+v, %v; want customer %d", found, err, first.ID)
		}
		return nil
	})
}

// Fields that can't be compared are refused when the book is opened, not when a customer is
// created.
func TestFieldsAreCheckedOnOpening(t *testing.T) {
	name := func(c *customer.Customer) []string { return []string{c.Name} }
	for why, fields := range map[string][]dedupe.Field{
		"none":             {},
		"without values":   {{Name: "x", Type: compare.Name}},
		"a name twice":     {{Name: "x", Type: compare.Name, Values: name}, {Name: "x", Type: compare.Text, Values: name}},
		"no name":          {{Type: compare.Name, Values: name}},
		"an unknown type":  {{Name: "x", Type: "shoe.size", Values: name}},
		"more than can be": make([]dedupe.Field, 500),
	} {
		opened, err := clientele.Open(context.Background(), "", clientele.Options{InMemory: true, WithoutSearch: true, Dedupe: dedupe.Options{Fields: fields}})
		if err == nil {
			opened.Close()
		}
		if told, ok := errors.AsType[*dedupe.Error](err); !ok || told.Op != "describe fields" {
			t.Errorf("%s: opened with %v", why, err)
		}
	}
}

// A type that Options add is compared, and its keys are kept, by its own comparator; also of
// a draft that is not in order, as it has no name yet.
func TestCandidatesByAnAddedType(t *testing.T) {
	const plate compare.Type = "plate"
	b := openFor(t, func(o *clientele.Options) {
		o.Dedupe.Fields = append(dedupe.DefaultFields(), dedupe.Field{Name: "plate", Type: plate, Values: func(c *customer.Customer) []string { return []string{c.Note} }})
		o.Dedupe.Comparators = map[compare.Type]func(compare.Type, compare.Options) (compare.Comparator, error){
			plate: func(_ compare.Type, o compare.Options) (compare.Comparator, error) {
				return compare.New(compare.Identifier, o)
			},
		}
	})
	first := b.create(customer.Draft{Name: "甲", Note: "沪A7K29Q4"})
	found := b.candidates(customer.Draft{Note: "沪a-7k29q4"})
	if len(found) != 1 || found[0].Customer.ID != first.ID {
		t.Errorf("found %+v; want customer %d", found, first.ID)
	}
}
