package tagging

import (
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// outside reports a customer that the session can't see, as if it did not exist.
func (r *Reader) outside(op string, id customer.ID) error {
	if r.customers.Access() == nil {
		return nil
	}
	seen, err := r.customers.Visible(id)
	if err == nil && !seen {
		err = noCustomer(op, id)
	}
	return err
}

// tagField is what masks call a customer's tags.
const tagField = "tag"

// seesTags reports whether the session sees a customer's tags.
func (r *Reader) seesTags(id customer.ID) (bool, error) {
	access := r.customers.Access()
	if access == nil {
		return true, nil
	}
	shown := access.WithinUnmasked(tagField)
	if shown == nil {
		return true, nil
	}
	return shown.Has(uint64(id))
}

// shown is a customer's tags, none if they are hidden from the session.
func (r *Reader) shown(t *Tagged) (*Tagged, error) {
	seen, err := r.seesTags(t.ID)
	if err == nil && !seen {
		return &Tagged{ID: t.ID}, nil
	}
	return t, err
}

func noCustomer(op string, id customer.ID) error {
	return &Error{Op: op, Customer: id, Err: ErrNotFound}
}

// Of returns a customer's assignments as they are now; none, if there are none. For a
// customer that does not exist or is out of the session's sight the error wraps
// ErrNotFound. It costs two reads.
func (r *Reader) Of(id customer.ID) (*Tagged, error) {
	const op = "read"
	if err := r.outside(op, id); err != nil {
		return nil, err
	}
	c, err := r.catalogue()
	if err != nil {
		return nil, err
	}
	t, err := r.store.tagged.Get(r.storage, id)
	switch {
	case err == nil:
		return r.shown(c.seen(t, r.now))
	case !errors.Is(err, ErrNotFound):
		return nil, err
	}
	if _, err := r.customers.Exact(id); err != nil {
		return nil, missing(op, id, err)
	}
	return &Tagged{ID: id}, nil
}

// missing makes one error of all ways in which a customer can't be found.
func missing(op string, id customer.ID, err error) error {
	if errors.Is(err, ErrNotFound) {
		return noCustomer(op, id)
	}
	return err
}

// At returns a customer's assignments as the book had them at an instant; none before
// the first. Merged tags are named as they are now.
func (r *Reader) At(id customer.ID, at time.Time) (*Tagged, error) {
	if _, err := r.Of(id); err != nil {
		return nil, err
	}
	t, err := r.store.tagged.At(r.storage, id, at)
	if errors.Is(err, ErrNotFound) {
		return &Tagged{ID: id}, nil
	}
	if err != nil {
		return nil, err
	}
	return r.shown(r.cat.seen(t, at))
}

// History returns all versions of a customer's assignments as they were written, oldest
// first.
func (r *Reader) History(id customer.ID) ([]*Tagged, error) {
	if _, err := r.Of(id); err != nil {
		return nil, err
	}
	if seen, err := r.seesTags(id); err != nil || !seen {
		return nil, err
	}
	var all []*Tagged
	for v, err := range r.store.tagged.Versions(r.storage, id) {
		if err != nil {
			return nil, err
		}
		if v.Value != nil {
			all = append(all, v.Value)
		}
	}
	return all, nil
}

// edit is one change of one customer's assignments.
type edit struct {
	op      string
	cat     *catalogue
	id      customer.ID
	now     time.Time
	session storage.Session
	before  *Tagged // as stored, nil when there is none
	list    []Assignment
}

// begin reads what a change starts from that the actor has a right to make.
func (tx *Tx) begin(op string, right customer.Right, id customer.ID) (*edit, error) {
	if tx.customers.Access() != nil {
		if err := tx.customers.Permit(right, customer.Tags, id); err != nil {
			return nil, missing(op, id, err)
		}
	}
	c, err := tx.catalogue()
	if err != nil {
		return nil, err
	}
	e := &edit{op: op, cat: c, id: id, now: tx.now, session: tx.tx.Session()}
	e.before, err = tx.store.tagged.Get(tx.storage, id)
	if errors.Is(err, ErrNotFound) {
		return e, nil
	}
	if err != nil {
		return nil, err
	}
	e.list = c.settle(e.before.Assignments, e.now)
	return e, nil
}

// beginLive is begin for a customer that can be tagged: active or suspended.
func (tx *Tx) beginLive(op string, id customer.ID) (*edit, error) {
	e, err := tx.begin(op, customer.RightTag, id)
	if err != nil {
		return nil, err
	}
	return e, tx.mustBeLive(op, id)
}

// mustBeLive reports a customer that is not there, or whose tags are kept as they are:
// archived, merged, erased.
func (r *Reader) mustBeLive(op string, id customer.ID) error {
	c, err := r.customers.Exact(id)
	if err != nil {
		return missing(op, id, err)
	}
	if c.Status > customer.Suspended {
		return &customer.StatusError{ID: id, Status: c.Status, Action: "tag"}
	}
	return nil
}

// finish stores what has changed, if anything has, and returns the record.
func (tx *Tx) finish(e *edit, action Action) (after *Tagged, changed bool, err error) {
	next := &Tagged{ID: e.id, Assignments: e.cat.settle(e.list, e.now)}
	if err := e.fits(next); err != nil {
		return nil, false, err
	}
	if e.before == nil && len(next.Assignments) == 0 {
		return next, false, nil
	}
	next.Version, next.Recorded, next.Actor, next.Reason = 1, e.now, e.session.Actor, e.session.Reason
	if e.before == nil {
		// A record is never taken away but with its customer, so the key is fresh.
		return next, true, tx.store.tagged.InsertNew(tx.tx, e.id, next, uint8(action))
	}
	if slices.Equal(e.before.Assignments, next.Assignments) {
		return e.before, false, nil
	}
	next.Version, next.rest = e.before.Version+1, e.before.rest
	return next, true, tx.store.tagged.Put(tx.tx, e.id, next, uint8(action))
}

// fits reports a record that would have too many assignments.
func (e *edit) fits(t *Tagged) error {
	if len(t.Assignments) <= maxAssignments {
		return nil
	}
	return &Error{Op: e.op, Customer: e.id, Problem: fmt.Sprintf("would have more than %d assignments", maxAssignments), Err: storage.ErrLimit}
}

// Assign gives a customer tags. Of each assignment Tag is needed; Origin, Reason, Actor,
// From and Until are used, and what is not given is filled in. One that the customer has, of
// the same origin, takes the new validity. Rules assign through SetRuleTags.
//
// In an exclusive dimension it fails with an *ExclusiveError when the customer has
// another tag from a person or an import at a time that overlaps, or from a rule where
// rules win. A person's assignment lifts a denial; an import fails with ErrDenied.
// Nothing is written when one of the assignments fails. The returned record has the same
// version as before when nothing changed.
func (tx *Tx) Assign(id customer.ID, assignments ...Assignment) (*Tagged, error) {
	return tx.told(tx.add("assign", id, assignments, false))
}

// Replace is Assign that makes room first: in the dimensions of the given tags, other
// tags' assignments by persons or imports end where the new ones begin, and are removed
// where they would begin later. An import does not replace what a person assigned.
func (tx *Tx) Replace(id customer.ID, assignments ...Assignment) (*Tagged, error) {
	return tx.told(tx.add("replace", id, assignments, true))
}

// told is what the session is told of a change.
func (tx *Tx) told(after *Tagged, _ bool, err error) (*Tagged, error) {
	if err != nil {
		return nil, err
	}
	return tx.shown(after)
}

func (tx *Tx) add(op string, id customer.ID, assignments []Assignment, replace bool) (after *Tagged, changed bool, err error) {
	e, err := tx.beginLive(op, id)
	if err != nil {
		return nil, false, err
	}
	made := make([]Assignment, len(assignments))
	for i, a := range assignments {
		if made[i], err = e.prepare(i, a); err != nil {
			return nil, false, err
		}
	}
	if replace {
		e.makeRoom(made)
	}
	for i := range made {
		if err := e.put(made[i]); err != nil {
			return nil, false, err
		}
	}
	return tx.finish(e, Updated)
}

// prepare checks an assignment by itself and fills in what was not given.
func (e *edit) prepare(i int, a Assignment) (Assignment, error) {
	field := func(name string) string { return fmt.Sprintf("Assignments[%d].%s", i, name) }
	fail := func(name, value, problem, remedy string) error {
		return &Error{Op: e.op, Customer: e.id, Field: field(name), Value: value, Code: customer.CodeMalformed, Problem: problem, Remedy: remedy, Err: ErrInvalid}
	}
	tag := e.cat.survivor(e.cat.tags[a.Tag])
	switch {
	case tag == nil:
		return a, &Error{Op: e.op, Customer: e.id, Field: field("Tag"), Value: fmt.Sprint(uint64(a.Tag)), Code: customer.CodeUnknown, Err: ErrUnknownTag}
	case tag.Retired || tag.lapsed(e.now) || e.cat.dimensions[tag.Dimension].Retired:
		return a, &Error{Op: e.op, Customer: e.id, Field: field("Tag"), Value: e.cat.name(tag), Remedy: "use another tag", Err: ErrRetired}
	case a.Origin > Imported:
		return a, fail("Origin", a.Origin.String(), "is for SetRuleTags", "")
	case a.State != Held:
		return a, fail("State", a.State.String(), "is the book's to set", "to say that the customer does not have a tag, use Deny")
	}
	d := e.cat.dimensions[tag.Dimension]
	made := Assignment{Tag: tag.ID, Dimension: d.ID, Origin: a.Origin, Reason: a.Reason, Actor: a.Actor, Assigned: e.now, From: a.From, Until: a.Until}
	if made.Until.IsZero() && d.ValidDays > 0 {
		begin := e.now
		if made.From.After(begin) {
			begin = made.From
		}
		made.Until = begin.AddDate(0, 0, d.ValidDays)
	}
	if err := e.complete(&made, field); err != nil {
		return a, err
	}
	return made, nil
}

// complete checks and fills in what assignments of every origin have.
func (e *edit) complete(a *Assignment, field func(string) string) (err error) {
	if a.From, err = second(e.op, field("From"), a.From); err != nil {
		return err
	}
	if a.Until, err = second(e.op, field("Until"), a.Until); err != nil {
		return err
	}
	if !endsAfter(a.Until, a.From) || !endsAfter(a.Until, e.now) {
		return &Error{Op: e.op, Customer: e.id, Field: field("Until"), Value: a.Until.Format(time.RFC3339), Code: customer.CodeMalformed, Problem: "is over before it begins, or already", Remedy: "leave it zero for no end", Err: ErrInvalid}
	}
	if a.Actor == "" {
		a.Actor = e.session.Actor
	}
	for _, part := range []struct{ name, value string }{{"Reason", a.Reason}, {"Actor", a.Actor}, {"Rule", a.Rule}} {
		if !utf8.ValidString(part.value) {
			return &Error{Op: e.op, Customer: e.id, Field: field(part.name), Value: shorten(part.value), Code: customer.CodeMalformed, Problem: "is not UTF-8", Remedy: "convert it first", Err: ErrInvalid}
		}
		if len(part.value) > maxReason {
			return &Error{Op: e.op, Customer: e.id, Field: field(part.name), Value: shorten(part.value), Code: customer.CodeTooLong, Problem: "is too long", Remedy: fmt.Sprintf("use at most %d bytes", maxReason), Err: ErrInvalid}
		}
	}
	return nil
}

// name is how messages name a tag.
func (c *catalogue) name(t *Tag) string { return c.dimensions[t.Dimension].Code + ":" + t.Code }

// makeRoom ends other tags' recorded assignments in the dimensions of the new ones.
func (e *edit) makeRoom(made []Assignment) {
	room := func(old *Assignment) (keep bool) {
		if !old.recorded() || old.State == Denied {
			return true
		}
		if slices.ContainsFunc(made, func(a Assignment) bool { return a.Tag == old.Tag }) {
			return true
		}
		for i := range made {
			if a := &made[i]; a.Dimension == old.Dimension && a.overlaps(old) && a.Origin <= old.Origin {
				if old.Until = a.From; !old.From.Before(a.From) {
					return false
				}
			}
		}
		return true
	}
	kept := e.list[:0]
	for i := range e.list {
		if room(&e.list[i]) {
			kept = append(kept, e.list[i])
		}
	}
	e.list = kept
}

// put adds a recorded assignment in the place of those of its claim.
func (e *edit) put(a Assignment) error {
	if a.Origin != Manual && slices.ContainsFunc(e.list, func(old Assignment) bool { return old.Tag == a.Tag && old.State == Denied }) {
		return &Error{Op: e.op, Customer: e.id, Field: "Tag", Value: e.cat.name(e.cat.tags[a.Tag]), Remedy: "let a person assign it, or Allow it", Err: ErrDenied}
	}
	for i := range e.list {
		old := &e.list[i]
		switch {
		case old.claim() == a.claim() && old.State != Denied && !old.differs(&a):
			return nil
		case old.Tag != a.Tag && e.excludes(old, &a):
			return e.exclusive(old, &a)
		}
	}
	e.list = slices.DeleteFunc(e.list, func(old Assignment) bool { return old.claim() == a.claim() })
	e.list = append(e.list, a)
	return nil
}

// differs compares what a person can say of an assignment. A reason or actor alone
// makes no new version: the tag is as it was.
func (a *Assignment) differs(b *Assignment) bool {
	return !a.From.Equal(b.From) || !a.Until.Equal(b.Until) || b.Reason != "" && a.Reason != b.Reason
}

// excludes reports whether an assignment keeps another tag out of an exclusive
// dimension.
func (e *edit) excludes(old, a *Assignment) bool {
	d := e.cat.dimensions[a.Dimension]
	if !d.Exclusive || old.Dimension != a.Dimension || old.State == Denied || !old.overlaps(a) {
		return false
	}
	return old.recorded() || d.RuleWins && old.State != Overruled
}

func (e *edit) exclusive(old, a *Assignment) error {
	return &ExclusiveError{
		Customer: e.id, Dimension: e.cat.dimensions[a.Dimension].Code,
		Has: e.cat.tags[old.Tag].Code, HasOrigin: old.Origin, Wanted: e.cat.tags[a.Tag].Code,
	}
}

// Remove takes tags from a customer, whoever assigned them. A tag that a rule assigned
// is denied besides, so that the rule does not give it back; see Allow.
func (tx *Tx) Remove(id customer.ID, tags ...TagID) (*Tagged, error) {
	return tx.told(tx.eachTag("remove", id, tags, (*edit).remove))
}

func (e *edit) remove(t *Tag) {
	ruled := false
	e.list = slices.DeleteFunc(e.list, func(a Assignment) bool {
		ruled = ruled || a.Tag == t.ID && a.Origin == Rule
		return a.Tag == t.ID && a.recorded() && a.State != Denied
	})
	if ruled {
		e.deny(t)
	}
}

// Deny says that a customer does not have a tag: it is taken from it, and neither rules
// nor imports give it again. It concerns that tag alone, not those below it.
func (tx *Tx) Deny(id customer.ID, tags ...TagID) (*Tagged, error) {
	return tx.told(tx.eachTag("deny", id, tags, (*edit).deny))
}

func (e *edit) deny(t *Tag) {
	no := Assignment{Tag: t.ID, Dimension: t.Dimension, State: Denied, Reason: e.session.Reason, Actor: e.session.Actor, Assigned: e.now}
	for i := range e.list {
		if e.list[i].claim() == no.claim() {
			if e.list[i].State != Denied {
				e.list[i] = no
			}
			return
		}
	}
	e.list = append(e.list, no)
}

// Allow takes a denial back; what rules and imports said meanwhile holds.
func (tx *Tx) Allow(id customer.ID, tags ...TagID) (*Tagged, error) {
	return tx.told(tx.eachTag("allow", id, tags, (*edit).allow))
}

func (e *edit) allow(t *Tag) {
	e.list = slices.DeleteFunc(e.list, func(a Assignment) bool { return a.Tag == t.ID && a.State == Denied })
}

// eachTag changes a customer's record tag by tag.
func (tx *Tx) eachTag(op string, id customer.ID, tags []TagID, change func(*edit, *Tag)) (after *Tagged, changed bool, err error) {
	e, err := tx.beginLive(op, id)
	if err != nil {
		return nil, false, err
	}
	for i, tag := range tags {
		t := e.cat.survivor(e.cat.tags[tag])
		if t == nil {
			return nil, false, &Error{Op: op, Customer: id, Field: fmt.Sprintf("Tags[%d]", i), Value: fmt.Sprint(uint64(tag)), Code: customer.CodeUnknown, Err: ErrUnknownTag}
		}
		change(e, t)
	}
	return tx.finish(e, Updated)
}

// SetRuleTags makes what a rule set says of a customer exactly the given assignments, in
// one write; of each, Tag is needed, and Rule, RuleVersion, Priority, Reason, From and
// Until are used. Which of them hold follows from denials, from other assignments and,
// among rules in an exclusive dimension, from Priority. It reports whether anything
// changed. A retired tag that the customer has not from this rule set is an error; one
// that has ended is left out.
func (tx *Tx) SetRuleTags(id customer.ID, ruleSet string, assignments []Assignment) (bool, error) {
	return tx.SetAllRuleTags(id, []RuleTags{{ruleSet, assignments}})
}

// putRule adds a rule's assignment. One that says what a former one said keeps its time.
func (e *edit) putRule(i int, ruleSet string, a Assignment, former map[TagID]Assignment) error {
	field := func(name string) string { return fmt.Sprintf("Assignments[%d].%s", i, name) }
	tag := e.cat.survivor(e.cat.tags[a.Tag])
	switch {
	case tag == nil:
		return &Error{Op: e.op, Customer: e.id, Field: field("Tag"), Value: fmt.Sprint(uint64(a.Tag)), Code: customer.CodeUnknown, Err: ErrUnknownTag}
	case tag.Retired || e.cat.dimensions[tag.Dimension].Retired:
		return &Error{Op: e.op, Customer: e.id, Field: field("Tag"), Value: e.cat.name(tag), Err: ErrRetired}
	case tag.lapsed(e.now):
		return nil
	}
	made := Assignment{
		Tag: tag.ID, Dimension: tag.Dimension, Origin: Rule, RuleSet: ruleSet, Rule: a.Rule, RuleVersion: a.RuleVersion,
		Priority: a.Priority, Reason: a.Reason, Actor: a.Actor, Assigned: e.now, From: a.From, Until: a.Until,
	}
	if err := e.complete(&made, field); err != nil {
		return err
	}
	e.cat.adopt(&made)
	if old, had := former[tag.ID]; had {
		again := made
		again.State, again.Actor, again.Assigned, again.rest = old.State, old.Actor, old.Assigned, old.rest
		if again == old {
			made = again
		}
	}
	e.list = append(e.list, made)
	return nil
}

// Settle brings a customer's record in line with the clock and the present definitions
// and reports whether that changed it. [Store.Tick] and [Store.Settle] do it for all
// whom it concerns.
func (tx *Tx) Settle(id customer.ID) (bool, error) {
	e, err := tx.begin("settle", customer.RightTag, id)
	if err != nil || e.before == nil {
		return false, err
	}
	_, changed, err := tx.finish(e, Settled)
	return changed, err
}

// Forget removes a customer's assignments for good, with all their versions, as when
// its personal data is erased; see [storage.Table.Forget]. It must be called in the
// transaction that erases the customer.
func (tx *Tx) Forget(id customer.ID) error {
	c, err := customer.Unscoped(tx.customers).Exact(id)
	if err != nil || c.Status != customer.Erased {
		err = tx.customers.Permit(customer.RightErase, customer.Tags, id)
	}
	if err != nil {
		return missing("forget", id, err)
	}
	if err := tx.store.lineage.Forget(tx.tx, uint64(id)); err != nil {
		return err
	}
	return tx.store.tagged.Forget(tx.tx, id, uint8(Forgot))
}
