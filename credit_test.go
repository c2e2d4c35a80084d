package clientele_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/tagging/classify"
)

// till is a book with two customers, in the summer of 2024.
type till struct {
	*clientele.Session
	t           *testing.T
	book        *clientele.Book
	clock       *testClock
	first, next customer.ID
}

func newTill(t *testing.T, opts clientele.Options) *till {
	t.Helper()
	clock := newTestClock(time.Date(2024, 6, 1, 8, 0, 0, 0, time.UTC))
	opts.WithoutSearch, opts.TickEvery, opts.Clock = true, -1, clock.now
	book := openBook(t, "", opts)
	create(t, book, "甲", "乙")
	return &till{Session: book.As(clientele.Actor{ID: "chen", Reason: "test"}), t: t, book: book, clock: clock, first: 1, next: 2}
}

func (b *till) update(f func(*clientele.Tx) error) {
	b.t.Helper()
	if err := b.Update(context.Background(), f); err != nil {
		b.t.Fatal(err)
	}
}

// post posts a document of so many yuan.
func (b *till) post(kind credit.Kind, key string, id customer.ID, on string, n int64) (posted *credit.Item) {
	b.t.Helper()
	day, err := date.Parse(on)
	if err != nil {
		b.t.Fatal(err)
	}
	b.update(func(tx *clientele.Tx) error {
		items, err := tx.Credit.Post(credit.Document{Key: key, Customer: id, Kind: kind, Date: day, Amount: yuan(n)})
		if err == nil {
			posted = items[0]
		}
		return err
	})
	return posted
}

// settle settles one customer's debits, the oldest first.
func (b *till) settle(id customer.ID) {
	b.t.Helper()
	b.update(func(tx *clientele.Tx) error {
		_, err := tx.Credit.AllocateAutomatically(credit.Automatic{Customer: id, Method: credit.OldestFirst})
		return err
	})
}

// aged is the aging report, a line for each customer.
func (b *till) aged() (text string) {
	b.t.Helper()
	err := b.View(context.Background(), func(tx *clientele.ReadTx) error {
		text = ""
		for row, err := range tx.Credit.Aging(credit.AgingQuery{Buckets: aging.Standard()}) {
			if err != nil {
				return err
			}
			text += fmt.Sprintln(row.Customer, row.Currency, row.Buckets, row.Unapplied, row.Balance)
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return text
}

// tags are the codes of a customer's tags.
func (b *till) tags(id customer.ID) (codes string) {
	b.t.Helper()
	err := b.View(context.Background(), func(tx *clientele.ReadTx) error {
		held, err := tx.Tags.Of(id)
		if err != nil {
			return err
		}
		codes = ""
		for _, a := range held.Assignments {
			tag, err := tx.Tags.TagByID(a.Tag)
			if err != nil {
				return err
			}
			codes += tag.Code
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return codes
}

// activate makes rules of one dimension, with their tags, those that count.
func (b *till) activate(dimension string, rules ...classify.Rule) {
	b.t.Helper()
	if _, err := b.book.Rules().Activate(context.Background(), b.Job(), ruleSet(dimension, rules...), nil); err != nil {
		b.t.Fatal(err)
	}
}

// ruleSet are rules of one dimension, each of which gives the tag that it is named for.
func ruleSet(dimension string, rules ...classify.Rule) classify.RuleSet {
	set := classify.RuleSet{Name: dimension, Dimensions: []classify.DimensionSpec{{Code: dimension}}}
	for _, r := range rules {
		r.Dimension, r.Tag = dimension, r.Name
		set.Rules = append(set.Rules, r)
		set.Dimensions[0].Tags = append(set.Dimensions[0].Tags, classify.TagSpec{Code: r.Tag})
	}
	return set
}

// expectToday is expect once the rules have seen which day it is.
func (b *till) expectToday(when, want string) {
	b.t.Helper()
	if _, err := b.book.Rules().Tick(context.Background(), b.clock.now()); err != nil {
		b.t.Fatal(err)
	}
	b.expect(when, want)
}

// expect wants the first customer to have tags once the rules have seen all that was posted,
// and the other to have none.
func (b *till) expect(when, want string) {
	b.t.Helper()
	if err := b.book.Rules().Sync(context.Background()); err != nil {
		b.t.Fatal(err)
	}
	if got := b.tags(b.first); got != want {
		b.t.Errorf("%s: tags %q, want %q", when, got, want)
	}
	if got := b.tags(b.next); got != "" {
		b.t.Errorf("%s: the other has tags %q", when, got)
	}
}

// A customer is tagged late while its oldest open item is more than ten days overdue: from
// the twelfth day on by the clock, with the payment no more, and again with an invoice
// that comes with an old due day. Nothing but the postings and the days make it so.
func TestRulesFollowReceivables(t *testing.T) {
	b := newTill(t, clientele.Options{})
	b.activate("payer",
		classify.Rule{Name: "late", When: "receivables.overdue_days > 10"},
		classify.Rule{Name: "large", When: "receivables.invoiced_12m >= 500000"})
	b.expectToday("without invoices", "")
	b.post(credit.Invoice, "I1", b.first, "2024-06-01", 1000)
	b.expectToday("on the day of the invoice", "")
	b.clock.advance(10 * 24 * time.Hour)
	b.expectToday("ten days overdue", "")
	b.clock.advance(24 * time.Hour)
	b.expectToday("eleven days overdue", "late")
	b.post(credit.Payment, "P1", b.first, "2024-06-12", 1000)
	b.settle(b.first)
	b.expectToday("paid", "")
	b.post(credit.Invoice, "I2", b.first, "2024-05-01", 4000) // 5,000.00 in all
	b.expectToday("a late invoice", "latelarge")
}

// Terms count from the day on which they are agreed, without any invoice, and the score from
// the first payment. By hand, of score.Default's factors: paid on the due day is 0 days beyond
// terms (1000 points, weight 30) and nothing late (1000, 20); there is no trend of one month
// and no limit; nothing is overdue (1000, 15), the relation is new (300, 5), and nothing is
// open to be disputed: (1000·65 + 300·5) ÷ 70 = 950, 95 of 100.
func TestRulesReadTermsAndScore(t *testing.T) {
	b := newTill(t, clientele.Options{})
	b.activate("payer",
		classify.Rule{Name: "slow", When: "receivables.terms_days == 45"},
		classify.Rule{Name: "none", When: "receivables.terms_days == 0"},
		classify.Rule{Name: "best", When: "receivables.score == 95.0"},
		classify.Rule{Name: "good", When: "receivables.score < 95.0"})
	terms := func(text string) {
		t.Helper()
		b.update(func(tx *clientele.Tx) error { return tx.Credit.SetTermsOf(b.first, text) })
	}
	b.expect("nothing agreed", "")
	terms("NET45")
	b.expect("45 days agreed", "slow")
	terms("CASH")
	b.expect("at once agreed", "none")
	b.post(credit.Invoice, "I1", b.first, "2024-06-01", 1000)
	b.expect("nothing paid yet", "none")
	b.post(credit.Payment, "P1", b.first, "2024-06-01", 1000)
	b.settle(b.first)
	b.expect("paid on the due day", "nonebest")
	// 1,000.00 more, of a limit of 1,000.00: utilisation 100 % (500, weight 15), and what
	// is open is not in dispute (1000, 5): (1000·70 + 300·5 + 500·15) ÷ 90 = 878, 87.8 of 100.
	b.post(credit.Invoice, "I2", b.first, "2024-06-01", 1000)
	b.update(func(tx *clientele.Tx) error {
		return tx.Credit.SetLimit(credit.OfCustomer(b.first), credit.Limit{Amount: yuan(1000)})
	})
	b.expect("at its limit", "nonegood")
}

// A proposed rule reads terms as they were agreed on a day of the past.
func TestRulesReplayTermsOfThePast(t *testing.T) {
	ctx := context.Background()
	b := newTill(t, clientele.Options{})
	b.update(func(tx *clientele.Tx) error { return tx.Credit.SetTermsOf(b.first, "NET45") })
	then := b.clock.now()
	b.clock.advance(24 * time.Hour)
	b.update(func(tx *clientele.Tx) error { return tx.Credit.SetTermsOf(b.first, "NET30") })
	outcome, err := b.book.Rules().Replay(ctx, classify.Trial{
		RuleSet: ruleSet("payer", classify.Rule{Name: "slow", When: "receivables.terms_days == 45"}),
		At:      then,
	})
	if err != nil || len(outcome.Tags) != 1 || outcome.Tags[0].Gained != 1 {
		t.Errorf("replayed: %+v, %v; want one customer tagged", outcome, err)
	}
}

// Where the book is, eight hours ahead of UTC, the eleventh day after June 1st begins at
// 16:00 UTC on the 11th, and the rule follows then.
func TestRulesGoByTheBooksOwnDays(t *testing.T) {
	ctx := context.Background()
	beijing := time.FixedZone("CST", 8*3600)
	b := newTill(t, clientele.Options{Credit: credit.Options{Control: credit.ControlOptions{Location: beijing}}})
	b.activate("payer", classify.Rule{Name: "late", When: "receivables.overdue_days > 10"})
	b.post(credit.Invoice, "I1", b.first, "2024-06-01", 1000)
	for _, step := range []struct {
		by   time.Duration // from 08:00 UTC on June 1st
		want string
	}{{10*24*time.Hour + 8*time.Hour - time.Minute, ""}, {time.Minute, "late"}} {
		b.clock.advance(step.by)
		if err := b.book.Rules().Sync(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := b.book.Rules().Tick(ctx, b.clock.now()); err != nil {
			t.Fatal(err)
		}
		if got := b.tags(b.first); got != step.want {
			t.Errorf("at %s: tags %q, want %q", b.clock.now().In(beijing), got, step.want)
		}
	}
}

// Both owe, one has paid in advance. After the merge all is the survivor's, also what is
// posted under the old id's documents; after its undoing each has its own, and what was
// posted in between stays with the survivor.
func TestMergeMovesReceivablesAndUnmergeBringsThemBack(t *testing.T) {
	b := newTill(t, clientele.Options{})
	b.post(credit.Invoice, "I1", b.first, "2024-05-12", 100) // 20 days overdue
	b.post(credit.Invoice, "I2", b.next, "2024-04-20", 30)   // 42
	b.post(credit.Payment, "P2", b.next, "2024-05-30", 5)
	before := "1 CNY [0 10000 0 0 0] 0 10000\n2 CNY [0 0 3000 0 0] -500 2500\n"
	if got := b.aged(); got != before {
		t.Fatalf("before\n%swant\n%s", got, before)
	}
	b.update(func(tx *clientele.Tx) error {
		_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: b.first, Losers: []customer.ID{b.next}})
		return err
	})
	if got, want := b.aged(), "1 CNY [0 10000 3000 0 0] -500 12500\n"; got != want {
		t.Errorf("merged\n%swant\n%s", got, want)
	}
	b.settle(b.first) // 5.00 of the oldest, which is I2
	b.post(credit.Invoice, "I3", b.first, "2024-06-01", 1)
	if got, want := b.aged(), "1 CNY [100 10000 2500 0 0] 0 12600\n"; got != want {
		t.Errorf("settled\n%swant\n%s", got, want)
	}
	b.verify("merged")
	b.update(func(tx *clientele.Tx) error { _, _, err := tx.Dedupe.Unmerge(b.next); return err })
	if got, want := b.aged(), "1 CNY [100 10000 0 0 0] 0 10100\n2 CNY [0 0 2500 0 0] 0 2500\n"; got != want {
		t.Errorf("unmerged\n%swant\n%s", got, want)
	}
	b.verify("unmerged")
}

// verify fails when the book finds itself wrong.
func (b *till) verify(when string) {
	b.t.Helper()
	report, err := b.book.Verify(context.Background(), nil)
	if err != nil || len(report.Differences) > 0 {
		b.t.Fatalf("%s: %v, %v", when, report.Differences, err)
	}
}

// openPages are the keys of the pages of open items; see storage/KEYS.md.
var openPages = kv.Prefix([]byte{0x02, 0x21})

// spoil changes the pages of open items in the engine, behind the book's back.
func spoil(t *testing.T, engine kv.Engine, change func(b *kv.Batch, key, value []byte)) {
	t.Helper()
	ctx := context.Background()
	snapshot, err := engine.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	batch := &kv.Batch{}
	for e, err := range snapshot.Scan(ctx, openPages, false) {
		if err != nil {
			t.Fatal(err)
		}
		change(batch, bytes.Clone(e.Key), bytes.Clone(e.Value))
	}
	if len(batch.Ops()) == 0 {
		t.Fatal("there are no pages")
	}
	if _, err := engine.Apply(ctx, batch); err != nil {
		t.Fatal(err)
	}
}

// Whatever happens to the pages of open items, items and allocations make them again.
func TestVerifyFindsDamagedPagesAndRepairMendsThem(t *testing.T) {
	for name, change := range map[string]func(b *kv.Batch, key, value []byte){
		"lost":  func(b *kv.Batch, key, _ []byte) { b.Delete(key) },
		"short": func(b *kv.Batch, key, value []byte) { b.Set(key, value[:len(value)-1]) },
		"other": func(b *kv.Batch, key, value []byte) {
			value[len(value)-1] ^= 1 // of an amount
			b.Set(key, value)
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, engine := context.Background(), memoryEngine(t)
			b := newTill(t, clientele.Options{Engine: engine})
			b.post(credit.Invoice, "I1", b.first, "2024-05-12", 100)
			b.post(credit.Invoice, "I2", b.next, "2024-04-20", 30)
			b.post(credit.Payment, "P2", b.next, "2024-05-30", 5)
			b.settle(b.next)
			b.verify("before")
			want := b.aged()
			spoil(t, engine, change)
			report, err := b.book.Verify(ctx, nil)
			if err != nil || report.OK() {
				t.Fatalf("the damage was not found: %v, %v", report, err)
			}
			if n, err := b.book.Repair(ctx); err != nil || n == 0 {
				t.Fatalf("%d mended, %v", n, err)
			}
			b.verify("repaired")
			if got := b.aged(); got != want {
				t.Errorf("repaired\n%swant\n%s", got, want)
			}
		})
	}
}
