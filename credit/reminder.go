package credit

import (
	"cmp"
	"fmt"
	"iter"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// ReminderKind is what somebody is to be reminded of.
type ReminderKind uint8

const (
	DueSoon     ReminderKind = 1 // an open debit falls due
	Overdue     ReminderKind = 2 // an open debit, not in dispute, is overdue
	NearLimit   ReminderKind = 3 // a limit is nearly used up, or exceeded
	BelowLimit  ReminderKind = 4 // a limit that was nearly used up is no longer
	LimitEnding ReminderKind = 5 // a limit ends soon
	LimitEnded  ReminderKind = 6 // a limit has ended
	ReviewDue   ReminderKind = 7 // a limit is to be reviewed
)

var reminderNames = enum.Names{"none", "due_soon", "overdue", "near_limit", "below_limit", "limit_ending", "limit_ended", "review_due"}

func (k ReminderKind) String() string { return reminderNames.Of(uint8(k)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (k ReminderKind) MarshalText() ([]byte, error) {
	return reminderNames.Marshal(uint8(k), "credit", "reminder")
}

// UnmarshalText reads what MarshalText wrote.
func (k *ReminderKind) UnmarshalText(text []byte) error {
	return reminderNames.Unmarshal(text, (*uint8)(k), "credit", "reminder")
}

// Reminder is one thing that somebody is to be told once.
type Reminder struct {
	Kind   ReminderKind
	Scope  Scope        // whose limit, or the customer that owes
	Item   ItemID       // of DueSoon and Overdue
	Due    date.Date    // of the item, the limit's last day, or the day of its review
	Amount money.Amount // open and, when overdue, not in dispute; or the limit
	Used   money.Amount // of NearLimit and BelowLimit
	Share  int64        // of Amount that is used, in percent
	// Hidden says that the session may not see the amounts, which are then zero.
	Hidden bool

	key string
}

// Key identifies the reminder: the same thing has the same key whenever it is found.
func (m *Reminder) Key() string { return m.key }

// ReminderPlan says what to remind of. The zero plan works.
type ReminderPlan struct {
	Day  date.Date // no date is today
	Soon int64     // days before something falls due or ends; 0 is 7
	Late int64     // days overdue from which a debit counts; 0 is 1
	Near int64     // percent of a limit above which it is nearly used up; 0 is 90
}

// Reminders yields what is to be told on a day and was not yet: due debits by customer,
// then limits. For each, call Remind in a transaction, and deliver the reminder or put it
// into an outbox there when Remind says so. An interrupted run is begun again and yields
// what is left. It reads all open items once, and every limit with its exposure, some ten
// microseconds each.
func (r *Reader) Reminders(plan ReminderPlan) iter.Seq2[*Reminder, error] {
	plan.Day, plan.Soon = cmp.Or(plan.Day, r.today()), cmp.Or(plan.Soon, 7)
	plan.Late, plan.Near = cmp.Or(plan.Late, 1), cmp.Or(plan.Near, 90)
	return func(yield func(*Reminder, error) bool) {
		for _, part := range []iter.Seq2[*Reminder, error]{
			r.dueReminders(plan), r.useReminders(plan),
			r.dayReminders(dayEnds, LimitEnded, 0, plan.Day),
			r.dayReminders(dayEnds, LimitEnding, plan.Day, plan.Day+date.Date(plan.Soon)),
			r.dayReminders(dayReview, ReviewDue, 0, plan.Day+1),
		} {
			for m, err := range part {
				if err == nil {
					var told bool
					if told, err = r.told(m); err == nil && told {
						continue
					}
				}
				if err == nil {
					err = r.hideReminder(m)
				}
				if !yield(m, err) || err != nil {
					return
				}
			}
		}
	}
}

// told reports whether a reminder was given before, or the session may not know of it.
func (r *Reader) told(m *Reminder) (bool, error) {
	if shown, err := r.mayHear(m); err != nil || !shown {
		return true, err
	}
	given, err := r.mark(m.key)
	return err == nil && given.At.IsZero() == (m.Kind == BelowLimit), err
}

// mayHear reports whether the session sees what a reminder would let it find out.
func (r *Reader) mayHear(m *Reminder) (bool, error) {
	if m.Item != 0 {
		return r.seesItems(m.Scope.customer())
	}
	if m.Scope.Kind == CustomerScope {
		if seen, err := r.sees(m.Scope.customer()); err != nil || !seen {
			return false, err
		}
	}
	shown, err := r.shows("limit", m.Scope)
	if err != nil || !shown || m.Kind != NearLimit && m.Kind != BelowLimit {
		return shown, err
	}
	return r.shows("exposure", m.Scope)
}

func (r *Reader) hideReminder(m *Reminder) error {
	field := "exposure"
	if m.Item != 0 {
		field = "item"
	}
	shown, err := r.shows(field, m.Scope)
	if !shown {
		m.Amount, m.Used, m.Share, m.Hidden = money.Amount{}, money.Amount{}, 0, true
	}
	return err
}

// mayRemind keeps who may only read from silencing reminders.
func (tx *Tx) mayRemind(id customer.ID) error {
	if id == 0 {
		return tx.customers.PermitAll(customer.RightPost, customer.Items)
	}
	return tx.customers.Permit(customer.RightPost, customer.Items, id)
}

// Remind records that a reminder is given, in this transaction, and reports whether it is
// the first time; if not, don't deliver it. A BelowLimit lets a later NearLimit come. It
// needs the right to post, as Dun does.
func (tx *Tx) Remind(m *Reminder) (bool, error) {
	if m.key == "" {
		return false, &Error{Op: "remind", Field: "Reminder", Value: m.Kind.String(), Problem: "doesn't come from Reminders", Remedy: "use what Reminders yields", Err: ErrInvalid}
	}
	if err := tx.mayRemind(m.Scope.customer()); err != nil {
		return false, err
	}
	given, err := tx.mark(m.key)
	if err != nil || given.At.IsZero() == (m.Kind == BelowLimit) {
		return false, err
	}
	if m.Kind == BelowLimit {
		return true, tx.store.reminded.Delete(tx.tx, m.key, 0)
	}
	return true, tx.setMark(m.key, &reminded{At: tx.now()})
}

// dueReminders finds the debits that fall due soon or are overdue.
func (r *Reader) dueReminders(plan ReminderPlan) iter.Seq2[*Reminder, error] {
	return func(yield func(*Reminder, error) bool) {
		for i, err := range r.openDebits(0) {
			if err != nil {
				yield(nil, err)
				return
			}
			m := Reminder{Scope: OfCustomer(i.customer), Item: i.item, Due: i.due, Amount: money.Amount{Minor: i.amount, Currency: i.currency}}
			switch late := int64(plan.Day - i.due); {
			case late >= plan.Late && i.undisputed() > 0:
				m.Kind, m.Amount.Minor = Overdue, i.undisputed()
			case late <= 0 && -late <= plan.Soon:
				m.Kind = DueSoon
			default:
				continue
			}
			m.key = fmt.Sprintf("%s %d %s", m.Kind, m.Item, m.Due)
			if !yield(&m, nil) {
				return
			}
		}
	}
}

// useReminders finds the limits that are nearly used up, and all others as BelowLimit.
func (r *Reader) useReminders(plan ReminderPlan) iter.Seq2[*Reminder, error] {
	return func(yield func(*Reminder, error) bool) {
		for line, err := range r.store.line.Records(r.storage, allKeys, false) {
			var list []*Reminder
			if err == nil {
				list, err = r.useOf(line, plan)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for _, m := range list {
				if !yield(m, nil) {
					return
				}
			}
		}
	}
}

func (r *Reader) useOf(line *Line, plan ReminderPlan) (list []*Reminder, err error) {
	k := &check{Reader: r, policy: &Policy{}, day: plan.Day}
	if id := line.Scope.customer(); id != 0 {
		c, err := customer.Unscoped(r.customers).Get(id)
		if err != nil || c.Status > customer.Archived || c.ID != id {
			return nil, err
		}
		if k, err = r.newCheck(c); err != nil {
			return nil, err
		}
		k.day = plan.Day
	}
	bounds := line.on(plan.Day)
	for _, b := range bounds {
		x := bounding{bound: b, scope: line.Scope}
		kind := "all"
		if b.only {
			kind = b.base.Currency.String()
		}
		for _, other := range bounds {
			if other.only && !b.only {
				x.apart = append(x.apart, other.base.Currency)
			}
		}
		room, err := k.room(&x, money.Amount{})
		if err != nil {
			return nil, err
		}
		m := &Reminder{Kind: BelowLimit, Scope: line.Scope, Amount: room.Limit, Used: room.Exposure}
		if room.Exposure.Minor > 0 {
			m.Share = percent(room.Exposure.Minor, room.Limit.Minor)
			if exceeds(room.Exposure.Minor, room.Limit.Minor, plan.Near) {
				m.Kind = NearLimit
			}
		}
		m.key = fmt.Sprintf("%s %s %s", NearLimit, line.Scope, kind)
		list = append(list, m)
	}
	return list, nil
}

// dayReminders finds the limits with a day from one on and before another.
func (r *Reader) dayReminders(of uint64, kind ReminderKind, from, until date.Date) iter.Seq2[*Reminder, error] {
	prefix := storage.Key(nil).Uint(of)
	keys := kv.Range{Lower: prefix.Uint(uint64(from)), Upper: storage.Key(nil).Uint(of).Uint(uint64(until))}
	return func(yield func(*Reminder, error) bool) {
		for e, err := range r.store.line.Entries(r.storage, r.store.lineDay, keys, false) {
			var day uint64
			var s Scope
			if err == nil {
				var rest storage.Key
				if day, rest, err = e.Key()[len(prefix):].CutUint(); err == nil {
					s, err = e.Primary(rest)
				}
			}
			stands := true
			if id := s.customer(); err == nil && id != 0 {
				stands, err = r.stands(id)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if stands && !r.yieldLimits(s, kind, date.Date(day), yield) {
				return
			}
		}
	}
}

// yieldLimits yields a reminder for each limit of a scope with a day.
func (r *Reader) yieldLimits(s Scope, kind ReminderKind, day date.Date, yield func(*Reminder, error) bool) bool {
	line, err := r.line(s)
	if err != nil {
		yield(nil, err)
		return false
	}
	for _, l := range line.Limits {
		if at := l.Until; at != day && kind != ReviewDue || kind == ReviewDue && l.Review != day {
			continue
		}
		only := ""
		if l.Only {
			only = l.Amount.Currency.String()
		}
		m := &Reminder{Kind: kind, Scope: s, Due: day, Amount: l.Amount}
		m.key = fmt.Sprintf("%s %s %s %s %t %s", kind, s, day, l.From, l.Extra, only)
		if !yield(m, nil) {
			return false
		}
	}
	return true
}
