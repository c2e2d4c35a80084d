package tagging

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
)

// levels is a book with n customers and an exclusive, ordered dimension level.
func levels(t testing.TB, n int, ruleWins bool) (b *book, silver, gold, platinum TagID) {
	b = openBook(t, n)
	d := b.dimension(Dimension{Code: "level", Exclusive: true, Ordered: true, RuleWins: ruleWins})
	return b, b.tag(d, "silver"), b.tag(d, "gold"), b.tag(d, "platinum")
}

func TestExclusiveDimensionsHaveOneTagAtATime(t *testing.T) {
	b, silver, gold, _ := levels(t, 1, false)
	b.assign(1, Assignment{Tag: silver})
	err := b.try(func(tx *Tx) error { _, err := tx.Assign(1, Assignment{Tag: gold}); return err })
	var exclusive *ExclusiveError
	if !errors.As(err, &exclusive) || exclusive.Has != "silver" || exclusive.Wanted != "gold" || exclusive.Customer != 1 || exclusive.Dimension != "level" {
		t.Fatalf("error %v", err)
	}
	wants(t, "second tag", err, ErrExclusive)
	b.holds(1, silver)
	wants(t, "two at once", b.try(func(tx *Tx) error {
		_, err := tx.Replace(1, Assignment{Tag: gold}, Assignment{Tag: silver})
		return err
	}), ErrExclusive)
	b.holds(1, silver)
	b.update(func(tx *Tx) error { _, err := tx.Replace(1, Assignment{Tag: gold}); return err })
	b.holds(1, gold)
	b.verified()
}

func TestNothingIsHalfApplied(t *testing.T) {
	b, silver, gold, _ := levels(t, 1, false)
	d := b.dimension(Dimension{Code: "flag"})
	flag := b.tag(d, "a")
	// The caller goes on after the error: what failed must have left no trace.
	b.update(func(tx *Tx) error {
		_, err := tx.Assign(1, Assignment{Tag: flag}, Assignment{Tag: silver}, Assignment{Tag: gold})
		wants(t, "conflict", err, ErrExclusive)
		_, err = tx.Assign(1, Assignment{Tag: flag}, Assignment{Tag: 99})
		wants(t, "unknown", err, ErrUnknownTag)
		return nil
	})
	b.holds(1)
}

// Who wins in an exclusive dimension, by the order in which things are said: m a
// person, i an import, r a rule; each another tag. Errors are refusals.
func TestPrecedenceOfOrigins(t *testing.T) {
	for _, test := range []struct {
		said     string
		ruleWins bool
		want     byte
		refused  string // of said
	}{
		{said: "rm", want: 'm'}, {said: "mr", want: 'm'},
		{said: "ri", want: 'i'}, {said: "ir", want: 'i'},
		{said: "mi", want: 'm', refused: "i"}, {said: "im", want: 'i', refused: "m"},
		{said: "rim", want: 'i', refused: "m"},
		{said: "mr", ruleWins: true, want: 'r'}, {said: "ir", ruleWins: true, want: 'r'},
		{said: "rm", ruleWins: true, want: 'r', refused: "m"}, {said: "ri", ruleWins: true, want: 'r', refused: "i"},
	} {
		b, silver, gold, platinum := levels(t, 1, test.ruleWins)
		tags := map[rune]TagID{'m': silver, 'i': gold, 'r': platinum}
		refused := ""
		for _, who := range test.said {
			err := b.try(func(tx *Tx) (err error) {
				switch who {
				case 'm':
					_, err = tx.Assign(1, Assignment{Tag: silver})
				case 'i':
					_, err = tx.Assign(1, Assignment{Tag: gold, Origin: Imported})
				case 'r':
					_, err = tx.SetRuleTags(1, "set", []Assignment{{Tag: platinum}})
				}
				return err
			})
			if err != nil {
				wants(t, test.said, err, ErrExclusive)
				refused += string(who)
			}
		}
		if refused != test.refused {
			t.Errorf("%s: refused %q, want %q", test.said, refused, test.refused)
		}
		b.holds(1, tags[rune(test.want)])
	}
}

func TestARulesTagComesBackWhenAPersonsEnds(t *testing.T) {
	b, silver, gold, _ := levels(t, 1, false)
	b.update(func(tx *Tx) error {
		_, err := tx.SetRuleTags(1, "set", []Assignment{{Tag: silver, Rule: "r", RuleVersion: 3}})
		return err
	})
	b.assign(1, Assignment{Tag: gold, Until: b.now.Add(time.Hour)})
	b.holds(1, gold)
	b.now = b.now.Add(time.Hour)
	b.holds(1, silver)
	b.tick()
	b.holds(1, silver)
	a := b.of(1).Assignments[0]
	if a.Origin != Rule || a.Rule != "r" || a.RuleVersion != 3 || a.RuleSet != "set" {
		t.Errorf("assignment %+v", a)
	}
	b.verified()
}

func TestPriorityDecidesBetweenRules(t *testing.T) {
	b, silver, gold, platinum := levels(t, 1, false)
	b.update(func(tx *Tx) error {
		_, err := tx.SetRuleTags(1, "b", []Assignment{{Tag: gold, Priority: 1}})
		return err
	})
	b.update(func(tx *Tx) error {
		_, err := tx.SetRuleTags(1, "a", []Assignment{{Tag: silver, Priority: 2}, {Tag: platinum, Priority: 0}})
		return err
	})
	b.holds(1, silver)
	b.update(func(tx *Tx) error {
		_, err := tx.SetRuleTags(1, "a", []Assignment{{Tag: platinum, Priority: 1}})
		return err
	})
	b.holds(1, platinum) // as strong; a comes before b
	b.update(func(tx *Tx) error { _, err := tx.SetRuleTags(1, "a", nil); return err })
	b.holds(1, gold)
}

func TestSayingTheSameAgainWritesNothing(t *testing.T) {
	b, silver, _, _ := levels(t, 1, false)
	rules := []Assignment{{Tag: silver, Rule: "r", RuleVersion: 1, Until: b.now.AddDate(1, 0, 0)}}
	b.update(func(tx *Tx) error { _, err := tx.SetRuleTags(1, "set", rules); return err })
	b.assign(1, Assignment{Tag: silver, Reason: "ticket 7"})
	version := b.of(1).Version
	b.now = b.now.Add(time.Minute)
	b.update(func(tx *Tx) error {
		changed, err := tx.SetRuleTags(1, "set", rules)
		if changed {
			t.Error("the same rule tags changed the record")
		}
		return err
	})
	b.assign(1, Assignment{Tag: silver})
	if got := b.of(1).Version; got != version {
		t.Errorf("version %d, want %d", got, version)
	}
	rules[0].RuleVersion = 2
	b.update(func(tx *Tx) error { _, err := tx.SetRuleTags(1, "set", rules); return err })
	if got := b.of(1).Version; got != version+1 {
		t.Errorf("version %d after a newer rule, want %d", got, version+1)
	}
}

func TestDenialsBindRulesAndImports(t *testing.T) {
	b, silver, gold, _ := levels(t, 1, false)
	rule := func(tags ...TagID) {
		t.Helper()
		b.update(func(tx *Tx) error {
			var list []Assignment
			for _, tag := range tags {
				list = append(list, Assignment{Tag: tag})
			}
			_, err := tx.SetRuleTags(1, "set", list)
			return err
		})
	}
	change := func(f func(*Tx, customer.ID, ...TagID) (*Tagged, error), tag TagID) {
		t.Helper()
		b.update(func(tx *Tx) error { _, err := f(tx, 1, tag); return err })
	}
	change((*Tx).Deny, gold)
	rule(gold)
	b.holds(1)
	wants(t, "import of a denied tag", b.try(func(tx *Tx) error { _, err := tx.Assign(1, Assignment{Tag: gold, Origin: Imported}); return err }), ErrDenied)
	change((*Tx).Allow, gold)
	b.holds(1, gold)
	change((*Tx).Remove, gold) // remembered, since a rule gives it
	rule(gold)
	b.holds(1)
	rule(silver) // the denial is of gold alone
	b.holds(1, silver)
	b.assign(1, Assignment{Tag: gold}) // a person may lift what a person said
	b.holds(1, gold)
	change((*Tx).Remove, gold) // no rule gives it any more: nothing to remember
	rule(gold)
	b.holds(1, gold)
	b.verified()
}

func TestAssignmentsBeginAndEndOnTheirDay(t *testing.T) {
	b, silver, gold, _ := levels(t, 1, false)
	year := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	b.assign(1, Assignment{Tag: silver, Until: year}, Assignment{Tag: gold, From: year})
	b.now = year.Add(-time.Second)
	b.holds(1, silver)
	if n := b.tick(); n != 0 {
		t.Errorf("%d were due a second before", n)
	}
	b.now = year
	b.holds(1, gold) // before the clock's work is written
	if n := b.tick(); n != 1 {
		t.Errorf("%d were due, want 1", n)
	}
	b.holds(1, gold)
	if n := b.tick(); n != 0 {
		t.Errorf("%d were due again", n)
	}
	b.view(func(r *Reader) error {
		if at, due, err := r.NextDue(); due || err != nil {
			t.Errorf("due next at %v, %v", at, err)
		}
		return nil
	})
	b.verified()
}

func TestReplaceMakesRoomInTime(t *testing.T) {
	b, silver, gold, platinum := levels(t, 1, false)
	at := func(days int) time.Time { return b.now.AddDate(0, 0, days) }
	start := b.now
	b.assign(1, Assignment{Tag: silver}) // for ever
	b.update(func(tx *Tx) error { _, err := tx.Replace(1, Assignment{Tag: gold, From: at(10)}); return err })
	b.holds(1, silver)
	b.update(func(tx *Tx) error { _, err := tx.Replace(1, Assignment{Tag: platinum, From: at(5)}); return err })
	for day, want := range map[int]TagID{0: silver, 4: silver, 5: platinum, 10: platinum, 99: platinum} {
		b.now = start.AddDate(0, 0, day)
		b.holds(1, want)
	}
	b.now = start
	wants(t, "import over a person's", b.try(func(tx *Tx) error {
		_, err := tx.Replace(1, Assignment{Tag: gold, Origin: Imported})
		return err
	}), ErrExclusive)
}

func TestDefaultValidity(t *testing.T) {
	b := openBook(t, 1)
	d := b.dimension(Dimension{Code: "lead", ValidDays: 30})
	hot, warm, cold := b.tag(d, "hot"), b.tag(d, "warm"), b.tag(d, "cold")
	b.assign(1, Assignment{Tag: hot}, Assignment{Tag: warm, From: b.now.AddDate(0, 0, 10)}, Assignment{Tag: cold, Until: b.now.AddDate(0, 0, 1)})
	start := b.now
	for _, test := range []struct {
		days int
		want []TagID
	}{{0, []TagID{hot, cold}}, {1, []TagID{hot}}, {10, []TagID{hot, warm}}, {30, []TagID{warm}}, {39, []TagID{warm}}, {40, nil}} {
		b.now = start.AddDate(0, 0, test.days)
		b.holds(1, test.want...)
	}
}

func TestAssignmentsAreChecked(t *testing.T) {
	b, silver, _, _ := levels(t, 2, false)
	hour := b.now.Add(time.Hour)
	for name, a := range map[string]Assignment{
		"unknown tag":        {Tag: 99},
		"rule":               {Tag: silver, Origin: Rule},
		"no origin":          {Tag: silver, Origin: 7},
		"state":              {Tag: silver, State: Denied},
		"over already":       {Tag: silver, Until: b.now},
		"ends before begins": {Tag: silver, From: hour.Add(time.Hour), Until: hour},
		"before 1970":        {Tag: silver, From: time.Unix(-1, 0)},
		"long reason":        {Tag: silver, Reason: strings.Repeat("x", 1001)},
	} {
		err := b.try(func(tx *Tx) error { _, err := tx.Assign(1, a); return err })
		if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrUnknownTag) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wants(t, "no customer", b.try(func(tx *Tx) error { _, err := tx.Assign(9, Assignment{Tag: silver}); return err }), ErrNotFound)
	b.update(func(tx *Tx) error { _, err := b.customers.Tx(tx.tx).Archive(2); return err })
	wants(t, "archived", b.try(func(tx *Tx) error { _, err := tx.Assign(2, Assignment{Tag: silver}); return err }), customer.ErrStatus)
	wants(t, "no rule set", b.try(func(tx *Tx) error { _, err := tx.SetRuleTags(1, "", nil); return err }), ErrInvalid)
	b.holds(1)
}

func TestArchivedCustomersKeepTheirTags(t *testing.T) {
	b, silver, _, _ := levels(t, 1, false)
	b.assign(1, Assignment{Tag: silver})
	b.update(func(tx *Tx) error { _, err := b.customers.Tx(tx.tx).Archive(1); return err })
	if !b.of(1).Has(silver) {
		t.Error("an archived customer lost its tag")
	}
	b.update(func(tx *Tx) error { _, err := b.customers.Tx(tx.tx).Reactivate(1); return err })
	b.holds(1, silver)
}

func TestThePastIsKept(t *testing.T) {
	b, silver, gold, _ := levels(t, 1, false)
	start := b.now
	b.assign(1, Assignment{Tag: silver, Reason: "contract", Until: b.now.AddDate(0, 0, 7)})
	b.now = b.now.AddDate(0, 0, 1)
	b.update(func(tx *Tx) error { _, err := tx.Replace(1, Assignment{Tag: gold}); return err })
	b.view(func(r *Reader) error {
		for days, want := range map[int]TagID{-1: 0, 0: silver, 1: gold} {
			then, err := r.At(1, start.AddDate(0, 0, days))
			if err != nil {
				return err
			}
			if tags := then.Tags(); want == 0 && len(tags) != 0 || want != 0 && (len(tags) != 1 || tags[0] != want) {
				t.Errorf("after %d days: %v, want %v", days, tags, want)
			}
		}
		history, err := r.History(1)
		if err != nil || len(history) != 2 || history[0].Assignments[0].Reason != "contract" || history[0].Actor != "chen" {
			t.Errorf("history %+v, %v", history, err)
		}
		return nil
	})
}

func TestForgottenTagsAreGoneInAllVersions(t *testing.T) {
	b, silver, gold, _ := levels(t, 2, false)
	b.assign(1, Assignment{Tag: silver, Reason: "knows the minister"})
	b.update(func(tx *Tx) error { _, err := tx.Replace(1, Assignment{Tag: gold}); return err })
	b.assign(2, Assignment{Tag: gold})
	b.update(func(tx *Tx) error {
		customers := b.customers.Tx(tx.tx)
		customers.OnErase(tx.Forget)
		_, err := customers.Erase(1)
		return err
	})
	b.view(func(r *Reader) error {
		if tagged, err := r.Of(1); err != nil || len(tagged.Assignments) != 0 {
			t.Errorf("assignments %+v, %v", tagged, err)
		}
		if history, err := r.History(1); err != nil || len(history) != 0 {
			t.Errorf("history %+v, %v", history, err)
		}
		n, err := r.Count(Query{Filter: "level:gold", Statuses: customer.AllStatuses()})
		if n != 1 {
			t.Errorf("%d hold gold, want 1", n)
		}
		return err
	})
	b.verified()
}

func TestReasonsAreUTF8(t *testing.T) {
	b, silver, _, _ := levels(t, 1, false)
	gb18030 := "\xbf\xcd\xbb\xa7" // 客户
	for _, a := range []Assignment{{Tag: silver, Reason: gb18030}, {Tag: silver, Actor: gb18030}} {
		err := b.try(func(tx *Tx) error { _, err := tx.Assign(1, a); return err })
		wants(t, "GB 18030", err, ErrInvalid)
	}
	b.holds(1)
}
