package dedupe_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/storage"
)

func (b *book) run() *dedupe.RunResult {
	b.t.Helper()
	r, err := b.Dedupe().Run(b.ctx, b.DedupeJob(), dedupe.RunOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *book) decide(x, y customer.ID, v dedupe.Verdict) {
	b.t.Helper()
	b.update(func(tx *clientele.Tx) error { _, err := tx.Dedupe.Decide(x, y, v); return err })
}

// A decision about a customer holds for the one that stands for it after two merges: no
// candidate, no merge in either direction, nothing in the queue of a later run; and it can
// still be withdrawn.
func TestDecisionsHoldThroughChainsOfMerges(t *testing.T) {
	b := openFor(t)
	judged, other := b.create(cement), b.create(cementAgain)
	middle, end := b.create(cement), b.create(cement)
	b.decide(judged.ID, other.ID, dedupe.Different)
	b.merge(middle.ID, judged.ID)
	b.merge(end.ID, middle.ID)

	b.view(func(tx *clientele.ReadTx) error {
		for _, id := range []customer.ID{end.ID, other.ID} {
			found, err := tx.Dedupe.CandidatesOf(id)
			if err != nil || len(found) != 0 {
				t.Errorf("customer %d has the candidates %+v, %v", id, found, err)
			}
		}
		return nil
	})
	for _, m := range []dedupe.Merge{
		{Survivor: other.ID, Losers: []customer.ID{end.ID}},
		{Survivor: end.ID, Losers: []customer.ID{other.ID}},
	} {
		err := b.Session.Update(b.ctx, func(tx *clientele.Tx) error { _, err := tx.Dedupe.Merge(m); return err })
		if !errors.Is(err, dedupe.ErrDecided) {
			t.Errorf("merging %+v gave %v", m, err)
		}
	}
	if r := b.run(); len(r.Groups) != 0 || len(b.queue()) != 0 {
		t.Errorf("a run found %+v, the queue has %d", r.Groups, len(b.queue()))
	}
	b.update(func(tx *clientele.Tx) error { _, err := tx.Dedupe.Withdraw(judged.ID, other.ID); return err })
	if r := b.run(); len(r.Groups) != 1 || len(b.queue()) != 1 {
		t.Errorf("once withdrawn, a run found %+v, the queue has %d", r.Groups, len(b.queue()))
	}
}

// What was said of a customer to be the same is forced on the one that stands for it, unless
// another that it stands for was said to be different.
func TestVerdictsFollowTheSurvivor(t *testing.T) {
	b := openFor(t)
	var ids []customer.ID
	for _, name := range []string{"统一企业股份有限公司", "Northwind Traders Ltd", "王丽", "鑫安机械有限公司"} {
		ids = append(ids, b.create(customer.Draft{Name: name}).ID)
	}
	b.decide(ids[0], ids[1], dedupe.Same)
	b.merge(ids[2], ids[0])
	if r := b.run(); len(r.Groups) != 1 || !slices.Equal(r.Groups[0].Members, []customer.ID{ids[1], ids[2]}) {
		t.Errorf("a run found %+v; want customers %d and %d, which stands for %d", r.Groups, ids[1], ids[2], ids[0])
	}
	b.decide(ids[3], ids[1], dedupe.Different)
	b.merge(ids[2], ids[3])
	if r := b.run(); len(r.Groups) != 0 {
		t.Errorf("of the same and different at once a run made %+v", r.Groups)
	}
}

// A chain of merges is undone from its end: the wrong order is refused, changes nothing, and
// the right one restores every customer and what leads to it.
func TestChainIsUndoneFromItsEnd(t *testing.T) {
	b := openFor(t)
	var ids []customer.ID
	for i := range 4 {
		d := customer.Draft{
			Name: fmt.Sprint("Customer ", i), Code: fmt.Sprint("C", i),
			SourceKeys: []customer.SourceKey{{System: "erp", Key: fmt.Sprint(i)}},
		}
		ids = append(ids, b.create(d).ID)
		if i > 0 {
			b.merge(ids[i], ids[i-1])
		}
	}
	leads := func(i int, want customer.ID) {
		t.Helper()
		b.view(func(tx *clientele.ReadTx) error {
			byID, err := tx.Customers.Get(ids[i])
			byCode, err2 := tx.Customers.ByCode(fmt.Sprint("C", i))
			byKey, err3 := tx.Customers.BySourceKey("erp", fmt.Sprint(i))
			if err := errors.Join(err, err2, err3); err != nil {
				return err
			}
			if byID.ID != want || byCode.ID != want || byKey.ID != want {
				t.Errorf("customer %d leads to %d by id, %d by code, %d by source key; want %d", ids[i], byID.ID, byCode.ID, byKey.ID, want)
			}
			return nil
		})
	}
	unmerge := func(i int) error {
		return b.Session.Update(b.ctx, func(tx *clientele.Tx) error { _, _, err := tx.Dedupe.Unmerge(ids[i]); return err })
	}
	for i := range ids {
		leads(i, ids[3])
	}
	for _, i := range []int{0, 1} {
		if err := unmerge(i); !errors.Is(err, customer.ErrStatus) {
			t.Errorf("undoing merge %d of a chain of three gave %v", i, err)
		}
	}
	for i := 2; i >= 0; i-- {
		if err := unmerge(i); err != nil {
			t.Fatal(err)
		}
		for j := range ids {
			want := ids[j]
			if j < i {
				want = ids[i]
			}
			leads(j, want)
		}
	}
	if report, err := b.Verify(b.ctx, nil); err != nil || !report.OK() {
		t.Errorf("verify: %+v, %v", report, err)
	}
}

// Two losers said the same; the survivor keeps it while either is merged into it, whichever
// merge is undone first.
func TestFieldOfTwoLosersStaysWhileOneIsMerged(t *testing.T) {
	for first := range 2 {
		b := openFor(t)
		survivor := b.create(customer.Draft{Name: "S"}).ID
		losers := []customer.ID{b.create(customer.Draft{Name: "A", Website: "x.example"}).ID, b.create(customer.Draft{Name: "B", Website: "x.example"}).ID}
		b.merge(survivor, losers...)
		b.unmerge(losers[first])
		if c := b.get(survivor); c.Website != "x.example" {
			t.Errorf("undone %d first: the website is %q, which the other loser has", first, c.Website)
		}
		b.unmerge(losers[1-first])
		if c := b.get(survivor); c.Website != "" {
			t.Errorf("both undone, %d first: the website is %q", first, c.Website)
		}
	}
}

// A rule that takes the loser's nothing is undone as any other.
func TestAttributeThatAMergeRemovedComesBack(t *testing.T) {
	b := openFor(t)
	b.update(func(tx *clientele.Tx) error {
		return tx.Customers.SetSchema(&customer.Schema{Attributes: []customer.AttributeSpec{{Name: "tier", Type: customer.Text}}})
	})
	survivor := b.create(customer.Draft{Name: "S", Attributes: []customer.Attribute{{Name: "tier", Value: customer.TextValue("gold")}}}).ID
	loser := b.create(customer.Draft{Name: "L"}).ID
	theirs := func(string, dedupe.Value, dedupe.Value) dedupe.Side { return dedupe.OfLoser }
	b.update(func(tx *clientele.Tx) error {
		_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: survivor, Losers: []customer.ID{loser}, Rules: &dedupe.Survivorship{Default: theirs}})
		return err
	})
	if c := b.get(survivor); len(c.Attributes) != 0 {
		t.Fatalf("merged: %+v", c.Attributes)
	}
	b.unmerge(loser)
	if v, found := b.get(survivor).Attribute("tier"); !found || v.String() != "gold" {
		t.Errorf("undone: the tier is %v, %t; want gold", v, found)
	}
}

// A run of which a transaction failed is not among those that ended.
func TestRunsAreThoseThatEnded(t *testing.T) {
	b := openFor(t)
	b.create(cement)
	b.create(cementAgain)
	runs := func() (list []*dedupe.RunRecord) {
		b.view(func(tx *clientele.ReadTx) error {
			for r, err := range tx.Dedupe.Runs() {
				if err != nil {
					return err
				}
				list = append(list, r)
			}
			return nil
		})
		return list
	}
	job, stop := b.DedupeJob(), errors.New("power cut")
	begin, left := job.Begin, 1
	job.Begin = func(tx *storage.Tx) (*dedupe.Tx, error) {
		if left--; left < 0 {
			return nil, stop
		}
		return begin(tx)
	}
	if _, err := b.Dedupe().Run(b.ctx, job, dedupe.RunOptions{}); !errors.Is(err, stop) {
		t.Fatalf("error %v; want %v", err, stop)
	}
	if list := runs(); len(list) != 0 {
		t.Errorf("a run that was cut off is listed: %+v", list[0])
	}
	made := b.run()
	if list := runs(); len(list) != 1 || list[0].Run != made.Run || list[0].New != 1 {
		t.Errorf("listed are %+v; want run %d with a new pair", list, made.Run)
	}
}

// A participant may not have a name under which the library keeps what it needs itself, nor
// none.
func TestParticipantsHaveNamesOfTheirOwn(t *testing.T) {
	join := func(*storage.Tx, *customer.Tx) dedupe.Participant { return dedupe.Functions{} }
	if _, err := dedupe.New(dedupe.Options{Participants: map[string]dedupe.Join{"": join}}, nil); !errors.Is(err, dedupe.ErrInvalid) {
		t.Errorf("a participant without a name gave %v", err)
	}
	if _, err := dedupe.New(dedupe.Options{Participants: map[string]dedupe.Join{"ours": nil}}, nil); !errors.Is(err, dedupe.ErrInvalid) {
		t.Errorf("a participant without a function gave %v", err)
	}
	b := openFor(t, func(o *clientele.Options) { o.Dedupe.Participants = map[string]dedupe.Join{"tags": join} })
	x, y := b.create(customer.Draft{Name: "X"}), b.create(customer.Draft{Name: "Y"})
	err := b.Session.Update(b.ctx, func(tx *clientele.Tx) error {
		_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: x.ID, Losers: []customer.ID{y.ID}})
		return err
	})
	if !errors.Is(err, dedupe.ErrInvalid) || !strings.Contains(err.Error(), `"tags"`) {
		t.Errorf("merging with two participants of one name gave %v", err)
	}
}

// Drafts with bytes that are no UTF-8, or with a megabyte in every field, are compared by
// what can be read of them, and soon.
func TestCandidatesForDraftsOfAnyBytes(t *testing.T) {
	b := openFor(t)
	want := b.create(cement)
	wrong := cementAgain
	wrong.Website, wrong.Aliases = "\xff\xfe", []string{"台\xff"}
	if found := b.candidates(wrong); len(found) != 1 || found[0].Customer.ID != want.ID {
		t.Errorf("with wrong bytes, found %+v", found)
	}
	huge := cementAgain
	long := strings.Repeat("水泥 cement ", 1<<16)
	huge.Aliases, huge.Website = []string{long}, long
	huge.Emails = []customer.Email{{Address: long}}
	huge.Addresses = []customer.Address{{Text: long}}
	began := time.Now()
	if found := b.candidates(huge); len(found) > 1 {
		t.Errorf("with a megabyte in a field, found %+v", found)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("a draft of four megabytes took %v", took)
	}
}

// Links come in the order of the list's rows, whatever their likelihood.
func TestLinksComeByRow(t *testing.T) {
	b := openFor(t)
	var list []customer.Draft
	for i := range 30 {
		d := customer.Draft{Name: fmt.Sprintf("%c%c%c贸易有限公司", '甲'+rune(i*37), '丁'+rune(i*91), '山'+rune(i*53))}
		if i%2 == 0 { // the likelier
			d.Phones = []customer.Phone{{Number: fmt.Sprintf("+8862%08d", 25310000+i*7177)}}
		}
		b.create(d)
		list = append(list, d)
	}
	r, err := b.Dedupe().Link(b.ctx, b.DedupeJob(), dedupe.RunOptions{}, func(yield func(customer.Draft, error) bool) {
		for _, d := range list {
			if !yield(d, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Links) < 20 || !slices.IsSortedFunc(r.Links, func(a, b dedupe.Linked) int { return a.Row - b.Row }) {
		t.Errorf("the links are %+v", r.Links)
	}
}
