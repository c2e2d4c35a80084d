package credit

import (
	"fmt"
	"iter"
	"time"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// DunningStep is one level of dunning, the first being level 1.
type DunningStep struct {
	// After is the number of days, beyond the plan's grace, that a debit must be overdue.
	After int64
	// Minimum is what must be overdue so long, in all currencies together; zero is anything.
	Minimum money.Amount
	Fee     money.Amount // charged with the letter, for the embedder to post
	PayIn   int64        // days that the letter gives to pay
	// Hold makes every check of the customer hold from this level on, until nothing is
	// overdue. Terms are the terms of payment that TermsOf returns as long, in the words of
	// ParseTerms: NET7 shortens them, CASH gives no more time to pay.
	Hold  bool
	Terms string
}

// DunningPlan says how customers with a policy are dunned. What is in dispute doesn't count.
type DunningPlan struct {
	Grace int64 // days after the due day in which nothing happens
	// Every is the least number of days between two letters; 0 is a week.
	Every  int64
	Levels []DunningStep // none dun nobody
}

func (p *DunningPlan) fields(x *wire) {
	x.int(1, &p.Grace)
	x.int(2, &p.Every)
	wireList(x, 3, &p.Levels, func(x *wire, s *DunningStep) {
		x.int(1, &s.After)
		x.amount(2, &s.Minimum)
		x.amount(3, &s.Fee)
		x.int(4, &s.PayIn)
		x.flag(5, &s.Hold)
		x.text(6, &s.Terms)
	})
}

func (p *DunningPlan) every() int64 {
	if p.Every == 0 {
		return 7
	}
	return p.Every
}

// check returns what would be right, "" for a plan that is.
func (p *DunningPlan) check() string {
	if p.Grace < 0 || p.Grace > maxMargin || p.Every < 0 || p.Every > maxMargin || len(p.Levels) > 20 {
		return "use spans of 0 to 3660 days and at most 20 levels"
	}
	after := int64(0)
	for _, s := range p.Levels {
		switch {
		case s.After <= after:
			return "let each level begin at least a day after the one before"
		case s.Minimum.Minor < 0 || s.Minimum.Minor > 0 && !s.Minimum.Currency.Known(),
			s.Fee.Minor < 0 || s.Fee.Minor > 0 && !s.Fee.Currency.Known():
			return "use amounts of 0 or more, in known currencies"
		case s.PayIn < 0 || s.PayIn > maxMargin || s.After > maxMargin || len(s.Terms) > maxCode:
			return "use spans of 0 to 3660 days and short terms"
		}
		if _, err := ParseTerms(s.Terms); s.Terms != "" && err != nil {
			return "write terms as ParseTerms reads them, such as CASH or NET7"
		}
		after = s.After
	}
	return ""
}

// Dunning is how far a customer has been dunned.
type Dunning struct {
	Customer customer.ID
	Level    uint64    // 0 for not at all
	Last     date.Date // of the last letter
	Hold     bool
	Terms    string // in place of the customer's own while it is dunned; empty for none
	Letters  uint64 // ever

	Version  uint64
	Recorded time.Time
	rest     string
}

func (d *Dunning) fields(x *wire) {
	wireUint(x, 1, &d.Level)
	x.date(2, &d.Last)
	x.flag(3, &d.Hold)
	x.text(4, &d.Terms)
	wireUint(x, 5, &d.Letters)
}

func appendDunning(dst []byte, d *Dunning) ([]byte, error) { return encode(dst, d.rest, d.fields) }

func decodeDunning(src string, id customer.ID, m storage.Meta) (d *Dunning, err error) {
	d = &Dunning{Customer: id, Version: m.Version, Recorded: m.Recorded}
	d.rest, err = decode(src, d.fields)
	return d, err
}

func dunnedKeys(set *storage.KeySet, d *Dunning) {
	if d.Level > 0 {
		set.Uint(d.Level).End()
	}
}

// Dunning returns how far a customer has been dunned.
func (r *Reader) Dunning(id customer.ID) (*Dunning, error) {
	id, err := r.holder("read", id)
	if err != nil {
		return nil, err
	}
	return r.dunningOf(id)
}

func (r *Reader) dunningOf(id customer.ID) (*Dunning, error) {
	d, err := r.store.dunning.Get(r.storage, id)
	if isNotFound(err) {
		return &Dunning{Customer: id}, nil
	}
	return d, err
}

// dunningHold returns the level of dunning that holds the customer's documents, 0 for none.
func (k *check) dunningHold() (int64, error) {
	d, err := k.dunningOf(k.customer.ID)
	if err != nil || !d.Hold {
		return 0, err
	}
	return int64(d.Level), nil
}

// Letter is what a customer is to be told.
type Letter struct {
	Customer customer.ID
	Level    uint64
	Day      date.Date
	PayBy    date.Date // no date when the level gives no time
	Items    []LetterItem
	Totals   []money.Amount // of the items, by currency
	Fee      money.Amount
	Hold     bool   // documents are held from now on
	Terms    string // payment terms from now on, empty for no change
}

// LetterItem is one overdue debit.
type LetterItem struct {
	Item        ItemID
	Document    string
	Instalment  int
	Date, Due   date.Date
	DaysOverdue int64
	Open        money.Amount // without what is in dispute
}

// dun is the work of dunning one customer on a day.
type dun struct {
	*Reader
	plan  DunningPlan
	now   *Dunning
	day   date.Date
	items []openItem // overdue by more than the grace, with what isn't contested of them
}

func (r *Reader) newDun(id customer.ID, day date.Date) (*dun, error) {
	if !day.Valid() {
		return nil, &Error{Op: "dun", Customer: id, Field: "Day", Value: day.String(), Problem: "is no day", Remedy: "use a day from 1900 to 2200", Err: ErrInvalid}
	}
	p, err := r.profile(id)
	if err != nil {
		return nil, err
	}
	policy, err := r.Policy(p.Policy)
	if err != nil {
		return nil, err
	}
	d := &dun{Reader: r, plan: policy.Dunning, day: day}
	if d.now, err = r.dunningOf(id); err != nil {
		return nil, err
	}
	err = r.eachOpen(id, func(i *openItem) bool {
		if i.side == Debit && i.undisputed() > 0 && d.overdue(i) > 0 {
			owed := *i
			owed.amount = i.undisputed()
			d.items = append(d.items, owed)
		}
		return i.due < day
	})
	return d, err
}

// overdue is the days that a debit is overdue beyond the grace.
func (d *dun) overdue(i *openItem) int64 { return int64(d.day-i.due) - d.plan.Grace }

// reached returns the highest level that the overdue debits give cause for.
func (d *dun) reached() (level uint64, err error) {
	for n := len(d.plan.Levels); n > 0; n-- {
		step := &d.plan.Levels[n-1]
		enough, err := d.enough(step)
		if err != nil || enough {
			return uint64(n), err
		}
	}
	return 0, nil
}

// enough reports whether as much is overdue as a level asks for.
func (d *dun) enough(step *DunningStep) (bool, error) {
	var sums exposures
	found := false
	for i := range d.items {
		if d.overdue(&d.items[i]) < step.After {
			continue
		}
		found = true
		if err := sums.add(d.items[i].currency, Debits, d.items[i].amount); err != nil {
			return false, err
		}
	}
	if !found || step.Minimum.Minor == 0 {
		return found, nil
	}
	k := check{Reader: d.Reader, day: d.day}
	total := money.Amount{Currency: step.Minimum.Currency}
	for i := range sums {
		var err error
		if total, err = k.plus(total, money.Amount{Minor: sums[i].Of(Debits), Currency: sums[i].Currency}); err != nil {
			return false, err
		}
	}
	return total.Minor >= step.Minimum.Minor, nil
}

// next returns how far the customer will have been dunned, and whether there is a letter.
func (d *dun) next() (next Dunning, letter bool, err error) {
	next = *d.now
	if len(d.items) == 0 {
		next.Level, next.Hold, next.Terms = 0, false, ""
		return next, false, nil
	}
	level, err := d.reached()
	if err != nil || level <= d.now.Level {
		return next, false, err
	}
	if d.now.Last != 0 && int64(d.day-d.now.Last) < d.plan.every() {
		return next, false, nil
	}
	next.Level++ // a level is never skipped
	step := &d.plan.Levels[next.Level-1]
	next.Last, next.Letters = d.day, next.Letters+1
	next.Hold = next.Hold || step.Hold
	if step.Terms != "" {
		next.Terms = step.Terms
	}
	return next, true, nil
}

// Dun takes a customer a level further in dunning if its overdue debits give cause on a
// day, and returns the letter to send, nil for none. Nothing else is left to do: the level,
// the hold and the terms change in this transaction, and doing it again on that day, or
// within the plan's interval, changes nothing and gives no letter. When nothing is overdue
// any more, the customer is back at level 0 and what followed from dunning is lifted.
func (tx *Tx) Dun(id customer.ID, day date.Date) (*Letter, error) {
	id, err := tx.standing(customer.RightPost, customer.Items, id)
	if err != nil {
		return nil, err
	}
	d, err := tx.newDun(id, day)
	if err != nil {
		return nil, err
	}
	next, sends, err := d.next()
	if err != nil {
		return nil, err
	}
	if next != *d.now {
		if err := tx.noteEdit(id, lentDunning); err != nil {
			return nil, err
		}
		if err := tx.store.dunning.Put(tx.tx, id, &next, uint8(Dunned)); err != nil {
			return nil, err
		}
	}
	if !sends {
		return nil, nil
	}
	return d.letter(&next)
}

// letter says what the customer is to be told.
func (d *dun) letter(next *Dunning) (*Letter, error) {
	step := &d.plan.Levels[next.Level-1]
	l := &Letter{Customer: next.Customer, Level: next.Level, Day: d.day, Fee: step.Fee, Hold: step.Hold, Terms: step.Terms}
	if step.PayIn > 0 {
		day, err := d.day.AddDays(int(step.PayIn))
		if err != nil {
			return nil, err
		}
		l.PayBy = day
	}
	var sums exposures
	for i := range d.items {
		open := &d.items[i]
		item, err := d.store.item.Get(d.storage, open.item)
		if err != nil {
			return nil, err
		}
		l.Items = append(l.Items, LetterItem{
			Item: open.item, Document: item.Document, Instalment: item.Instalment, Date: open.date, Due: open.due,
			DaysOverdue: int64(d.day - open.due), Open: money.Amount{Minor: open.amount, Currency: open.currency},
		})
		if err := sums.add(open.currency, Debits, open.amount); err != nil {
			return nil, err
		}
	}
	for i := range sums {
		l.Totals = append(l.Totals, money.Amount{Minor: sums[i].Of(Debits), Currency: sums[i].Currency})
	}
	return l, nil
}

// DunningDue yields the customers whom Dun would change on a day, in ascending order from
// one on: those with overdue debits that give cause, and those who are at a level and have
// nothing overdue any more. Run Dun for each in a transaction of its own; an interrupted
// run is begun again from anywhere. It reads all open items, at the speed of a report.
func (r *Reader) DunningDue(day date.Date, from customer.ID) iter.Seq2[customer.ID, error] {
	return func(yield func(customer.ID, error) bool) {
		for id, err := range r.dunningCandidates(day, from) {
			if err == nil {
				var due bool
				if due, err = r.dunDue(id, day); err == nil && !due {
					continue
				}
			}
			if !yield(id, err) || err != nil {
				return
			}
		}
	}
}

func (r *Reader) dunDue(id customer.ID, day date.Date) (bool, error) {
	if seen, err := r.seesItems(id); err != nil || !seen {
		return false, err
	}
	if stands, err := r.stands(id); err != nil || !stands {
		return false, err
	}
	d, err := r.newDun(id, day)
	if err != nil {
		return false, err
	}
	next, _, err := d.next()
	return err == nil && next != *d.now, err
}

// stands reports whether a customer was not merged into another. One that was keeps its
// limits and its level of dunning, which mean nothing until the merge is undone.
func (r *Reader) stands(id customer.ID) (bool, error) {
	c, err := customer.Unscoped(r.customers).Get(id)
	return err == nil && c.ID == id, err
}

// seesItems reports whether a customer is within those whose items the session sees.
func (r *Reader) seesItems(id customer.ID) (bool, error) {
	access := r.access()
	if access == nil {
		return true, nil
	}
	within := access.WithinUnmasked("item")
	if within == nil {
		return true, nil
	}
	return within.Has(uint64(id))
}

// sees reports whether a customer is within what the session sees.
func (r *Reader) sees(id customer.ID) (bool, error) {
	access := r.access()
	if access == nil {
		return true, nil
	}
	within := access.Within()
	if within == nil {
		return true, nil
	}
	return within.Has(uint64(id))
}

// dunningCandidates yields customers with an overdue debit and those at a level, each
// once, in ascending order.
func (r *Reader) dunningCandidates(day date.Date, from customer.ID) iter.Seq2[customer.ID, error] {
	return union(r.firstOverdue(day, from), r.dunnedFrom(from))
}

// union yields what is in either of two ascending sequences, once.
func union(a, b iter.Seq2[customer.ID, error]) iter.Seq2[customer.ID, error] {
	return func(yield func(customer.ID, error) bool) {
		next, stop := iter.Pull2(b)
		defer stop()
		other, otherErr, more := next()
		for id, err := range a {
			for more && err == nil && (otherErr != nil || other < id) {
				if !yield(other, otherErr) || otherErr != nil {
					return
				}
				other, otherErr, more = next()
			}
			if more && otherErr == nil && other == id {
				other, otherErr, more = next()
			}
			if !yield(id, err) || err != nil {
				return
			}
		}
		for more && yield(other, otherErr) && otherErr == nil {
			other, otherErr, more = next()
		}
	}
}

// dunnedFrom yields the customers that are at a level of dunning.
func (r *Reader) dunnedFrom(from customer.ID) iter.Seq2[customer.ID, error] {
	return func(yield func(customer.ID, error) bool) {
		keys := kv.Range{Lower: storage.Key(nil).Uint(uint64(from))}
		for d, err := range r.store.dunning.Records(r.storage, keys, false) {
			if err != nil {
				yield(0, err)
				return
			}
			if d.Level > 0 && !yield(d.Customer, nil) {
				return
			}
		}
	}
}

// firstOverdue yields the customers with a debit, not in dispute, that was due before a
// day.
func (r *Reader) firstOverdue(day date.Date, from customer.ID) iter.Seq2[customer.ID, error] {
	return func(yield func(customer.ID, error) bool) {
		last := customer.ID(0)
		for i, err := range r.openDebits(from) {
			if err == nil && (i.customer == last || i.undisputed() == 0 || i.due >= day) {
				continue
			}
			if err != nil {
				yield(0, err)
				return
			}
			last = i.customer
			if !yield(last, nil) {
				return
			}
		}
	}
}

// openDebits yields all open debits of customers from one on, in the order of customer and
// due day; an item is lent until the loop's next step.
func (r *Reader) openDebits(from customer.ID) iter.Seq2[*openItem, error] {
	return func(yield func(*openItem, error) bool) {
		var reader openReader
		keys := kv.Range{Lower: appendOpenKey(nil, firstPage(from))}
		for p, err := range r.store.open.Records(r.storage, keys, false) {
			if err != nil {
				yield(nil, err)
				return
			}
			reader.reset(p)
			for reader.group() {
				if reader.item.customer < from {
					continue
				}
				for reader.next() {
					if reader.item.side == Debit && !yield(&reader.item, nil) {
						return
					}
				}
			}
			if err := reader.err(p); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// String names the level, for logs.
func (l *Letter) String() string {
	return fmt.Sprintf("dunning of customer %s, level %d, %s, %d items", l.Customer, l.Level, l.Day, len(l.Items))
}
