package credit_test

import (
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
)

// mergedDesk is a desk where the first customer stands for the second. It owes 30 of its
// own, due after 30 days, and 12 that came from the loser, has ordered 5, and has a limit of
// 100, terms, a group, an override and a level of dunning. The loser's own limit of 7, terms
// and group stay behind.
func mergedDesk(t *testing.T) (d *desk, survivor, loser customer.ID, merged time.Time) {
	d = newDesk(t, credit.Options{})
	survivor, loser = d.customer(1), d.customer(2)
	d.group("OURS", survivor)
	d.group("THEIRS", loser)
	d.limit(credit.OfCustomer(survivor), 100)
	d.limit(credit.OfCustomer(loser), 7)
	d.do(func(tx deskTx) error {
		return errors.Join(tx.SetTermsOf(survivor, "NET30"), tx.SetTermsOf(loser, "NET7"))
	})
	d.invoice("a", survivor, yuan(30), 30)
	d.invoice("b", loser, yuan(12), 10)
	d.pass(time.Hour)
	merged = d.clock()
	d.do(func(tx deskTx) error {
		if _, err := tx.MergeCustomers(survivor, loser); err != nil {
			return err
		}
		_, err := tx.customers.Merge(survivor, []customer.ID{loser}, func(survivor, _ *customer.Customer) (*customer.Customer, error) {
			return survivor, nil
		})
		return err
	})
	d.pass(time.Hour)
	if err := d.order("o", survivor, 5); err != nil {
		t.Fatal(err)
	}
	d.do(func(tx deskTx) error {
		_, err := tx.Override(credit.Override{Customer: survivor, Why: "a good customer", Until: d.clock().Add(time.Hour)})
		return err
	})
	return d, survivor, loser, merged
}

// told is everything that a sequence yields, up to its error.
func told[T any](list iter.Seq2[T, error]) (string, error) {
	text := ""
	for v, err := range list {
		if err != nil {
			return text, err
		}
		text += fmt.Sprintf("%+v\n", v)
	}
	return text, nil
}

func said[T any](v T, err error) (string, error) { return fmt.Sprintf("%+v", v), err }

// readsOf are the public reads that take a customer's id.
var readsOf = map[string]func(r *credit.Reader, id customer.ID) (string, error){
	"Balances":     func(r *credit.Reader, id customer.ID) (string, error) { return said(r.Balances(id)) },
	"Activity":     func(r *credit.Reader, id customer.ID) (string, error) { return said(r.Activity(id)) },
	"Items":        func(r *credit.Reader, id customer.ID) (string, error) { return told(r.Items(id)) },
	"Dunning":      func(r *credit.Reader, id customer.ID) (string, error) { return said(r.Dunning(id)) },
	"Profile":      func(r *credit.Reader, id customer.ID) (string, error) { return said(r.Profile(id)) },
	"TermsOf":      func(r *credit.Reader, id customer.ID) (string, error) { return said(r.TermsOf(id)) },
	"Reservations": func(r *credit.Reader, id customer.ID) (string, error) { return told(r.Reservations(id)) },
	"Overrides":    func(r *credit.Reader, id customer.ID) (string, error) { return told(r.Overrides(id)) },
	"ScoreHistory": func(r *credit.Reader, id customer.ID) (string, error) { return said(r.ScoreHistory(id, money.CNY)) },
	"Line":         func(r *credit.Reader, id customer.ID) (string, error) { return said(r.Line(credit.OfCustomer(id))) },
	"LineHistory": func(r *credit.Reader, id customer.ID) (string, error) {
		return told(r.LineHistory(credit.OfCustomer(id)))
	},
	"Exposure": func(r *credit.Reader, id customer.ID) (string, error) { return said(r.Exposure(credit.OfCustomer(id))) },
	"Check": func(r *credit.Reader, id customer.ID) (string, error) {
		return said(r.Check(credit.Request{Customer: id, Amount: yuan(1)}))
	},
	"OldestDue": func(r *credit.Reader, id customer.ID) (string, error) {
		due, found, err := r.OldestDue(id)
		return fmt.Sprint(due, found), err
	},
	"Facts": func(r *credit.Reader, id customer.ID) (string, error) {
		return said(r.Facts(id, credit.FactsQuery{Currency: money.CNY}))
	},
	"Figures": func(r *credit.Reader, id customer.ID) (string, error) {
		month := day("2026-03-01").Month()
		return said(r.Figures(id, month, month))
	},
}

// Whoever still has the loser's id is told the survivor's figures: 42 owed, the first of it
// due on the tenth day, of 100 that may be.
func TestReadsByAMergedIdAreTheSurvivors(t *testing.T) {
	d, survivor, loser, _ := mergedDesk(t)
	d.view(func(r *credit.Reader) error {
		for name, read := range readsOf {
			want, err := read(r, survivor)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got, err := read(r, loser); err != nil || got != want || got == "" {
				t.Errorf("%s of the loser: %v\n%s\nof the survivor:\n%s", name, err, got, want)
			}
			if _, err := read(r, 99); !errors.Is(err, credit.ErrNotFound) {
				t.Errorf("%s of nobody: %v", name, err)
			}
		}
		list, err := r.Balances(loser)
		if err != nil || len(list) != 1 || list[0].Debits != 42_00 {
			t.Errorf("the loser owes %+v, %v; want 42", list, err)
		}
		if due, _, err := r.OldestDue(loser); err != nil || due != day("2026-03-12") {
			t.Errorf("the loser's oldest is due on %s, %v", due, err)
		}
		decision, err := r.Check(credit.Request{Customer: loser, Amount: yuan(1)})
		if err != nil || len(decision.Rooms) != 1 || decision.Rooms[0].Free != yuan(100-42-5-1) {
			t.Errorf("the loser's room is %+v, %v; want 52 left", decision.Rooms, err)
		}
		return nil
	})
}

// A session sees by the loser's id what it sees of the survivor, and nothing else.
func TestReadsByAMergedIdAreNarrowedBySurvivor(t *testing.T) {
	d, survivor, loser, _ := mergedDesk(t)
	d.access = only(survivor)
	d.view(func(r *credit.Reader) error {
		for name, read := range readsOf {
			want, err := read(r, survivor)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got, err := read(r, loser); err != nil || got != want {
				t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, want)
			}
		}
		return nil
	})
	d.access = only(loser)
	d.view(func(r *credit.Reader) error {
		for name, read := range readsOf {
			if got, err := read(r, loser); !errors.Is(err, credit.ErrNotFound) {
				t.Errorf("%s of one merged out of sight: %s, %v", name, got, err)
			}
		}
		return nil
	})
}

// Before the merge the loser owed 12, from then on it owes what the survivor does.
func TestPastFactsFollowTheMerge(t *testing.T) {
	d, survivor, loser, merged := mergedDesk(t)
	d.view(func(r *credit.Reader) error {
		for _, c := range []struct {
			id   customer.ID
			at   time.Time
			owes int64
			on   string
		}{
			{loser, merged.Add(-time.Second), 12_00, "NET7"}, {loser, merged.Add(time.Second), 42_00, "NET30"},
			{survivor, merged.Add(-time.Second), 30_00, "NET30"}, {survivor, merged.Add(time.Second), 42_00, "NET30"},
			{loser, deskStart.Add(-time.Hour), 0, ""},
		} {
			f, err := r.FactsAt(c.id, money.CNY, c.at)
			if err != nil || f.Balance.Debits != c.owes || f.Terms != c.on {
				t.Errorf("%s at %s: %+v, %v; want %d and %q", c.id, c.at, f, err, c.owes, c.on)
			}
		}
		return nil
	})
}

// What the loser keeps for the undoing of the merge takes no part in anything: it is not
// dunned, reminded of or a member, and can't be changed by its old id.
func TestWhatAMergedCustomerKeepsIsAtRest(t *testing.T) {
	d, _, loser, _ := mergedDesk(t)
	late := day("2026-03-30") // 18 days after the loser's item fell due
	d.do(func(tx deskTx) error {
		for _, err := range []error{
			tx.SetLimit(credit.OfCustomer(loser), credit.Limit{Amount: yuan(9), Review: late}),
			tx.SetTermsOf(loser, "NET1"), tx.SetGroup(loser, 0), tx.SetPolicyOf(loser, ""), tx.SetCurrencyOf(loser, money.USD),
		} {
			if !errors.Is(err, credit.ErrInvalid) {
				t.Errorf("a change by the loser's id: %v", err)
			}
		}
		return nil
	})
	d.view(func(r *credit.Reader) error {
		theirs, err := r.GroupByCode("theirs")
		if err != nil {
			return err
		}
		for id, err := range r.Members(theirs.ID) {
			t.Errorf("%s is a member, %v", id, err)
		}
		for m, err := range r.Reminders(credit.ReminderPlan{Day: late}) {
			if err != nil || m.Scope == credit.OfCustomer(loser) {
				t.Errorf("reminded of %+v, %v", m, err)
			}
		}
		return nil
	})
}

// The loser was at level 1 when it was merged. Whoever is dunned is the survivor, under both
// ids, each level once, and a run comes to its end.
func TestDunningByAMergedIdIsTheSurvivors(t *testing.T) {
	d := newDesk(t, credit.Options{})
	survivor, loser := d.customer(1), d.customer(2)
	d.policy(credit.Policy{Dunning: credit.DunningPlan{Levels: []credit.DunningStep{{After: 3}, {After: 10}}}})
	d.invoice("a", survivor, yuan(30), 30)
	d.invoice("b", loser, yuan(12), 10)
	first := day("2026-03-20") // 8 days after the 12th
	dun := func(id customer.ID) (level uint64) {
		d.do(func(tx deskTx) error {
			letter, err := tx.Dun(id, first)
			if letter != nil {
				level = letter.Level
			}
			return err
		})
		return level
	}
	if level := dun(loser); level != 1 {
		t.Fatalf("the loser is at level %d, want 1", level)
	}
	d.do(func(tx deskTx) error {
		if _, err := tx.MergeCustomers(survivor, loser); err != nil {
			return err
		}
		_, err := tx.customers.Merge(survivor, []customer.ID{loser}, func(survivor, _ *customer.Customer) (*customer.Customer, error) {
			return survivor, nil
		})
		return err
	})
	if level := dun(loser); level != 0 {
		t.Errorf("dunned again, level %d", level)
	}
	d.view(func(r *credit.Reader) error {
		for id, err := range r.DunningDue(first, 0) {
			t.Errorf("%s is due, %v; want nobody", id, err)
		}
		at, err := r.Dunning(loser)
		if err != nil || at.Customer != survivor || at.Level != 1 {
			t.Errorf("the loser's level is %+v, %v", at, err)
		}
		return nil
	})
}
