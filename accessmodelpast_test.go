package clientele_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
)

// The past in the naive evaluator: what records and tags were, and the feed of changes.

// tagState is whether a customer had the tag from an instant on.
type tagState struct {
	at  time.Time
	vip bool
}

// happening is a change as the feed tells it.
type happening struct {
	id     customer.ID
	action customer.Action
}

func (w *world) happened(id customer.ID, action customer.Action) {
	w.happenings = append(w.happenings, happening{id, action})
}

// keepPast notes what is otherwise than before a step.
func (w *world) keepPast() {
	for _, c := range w.customers {
		c.vip, c.owes = len(c.tagBy) > 0, w.owing(c)
		had := len(c.tagged) > 0 && c.tagged[len(c.tagged)-1].vip
		if c.vip != had {
			c.tagged = append(c.tagged, tagState{w.now(), c.vip})
		}
		now := *c
		now.lists = map[string]claims{}
		for field, list := range c.lists {
			now.lists[field] = claims{}
			for value := range list {
				now.lists[field][value] = []customer.ID{0}
			}
		}
		if n := len(c.past); n == 0 || c.past[n-1].record.facts() != now.facts() {
			c.past = append(c.past, recordState{w.now(), now})
		}
		limit := ""
		if fen := counting(c.limits); fen != 0 {
			limit = fmt.Sprint(fen, false)
		}
		if limit != "" && c.into == 0 && (limit != c.limitThen) {
			c.limitLog = append(c.limitLog, limit)
		}
		if c.into == 0 {
			c.limitThen = limit
		}
	}
}

// tagHistory compares when a customer had the tag.
func (r *reads) tagHistory(c *modelCustomer) {
	whole := r.customer(c.id)
	want := slices.Clone(whole.tagged)
	if !r.shows(r.actor, whole, "tag") {
		want = nil
	}
	history, err := r.tx.Tags.History(c.id)
	r.fine("Tags.History", err)
	r.tell(history)
	var got []tagState
	for _, t := range history {
		if has := t.Has(r.vip); has != (len(got) > 0 && got[len(got)-1].vip) {
			got = append(got, tagState{t.Recorded, has})
		}
	}
	r.same(fmt.Sprint("Tags.History of ", c.id), got, want)
	had := false
	for _, state := range whole.tagged {
		r.taggedAt(c.id, state.at.Add(-time.Microsecond), had && want != nil)
		r.taggedAt(c.id, state.at, state.vip && want != nil)
		had = state.vip
	}
}

func (r *reads) taggedAt(id customer.ID, at time.Time, want bool) {
	t, err := r.tx.Tags.At(id, at)
	r.fine("Tags.At", err)
	r.tell(t)
	r.same(fmt.Sprint("Tags.At of ", id), t.Has(r.vip), want)
}

// feed compares whose changes are told, and which, also from the middle on.
func (r *reads) feed() {
	var changes []customer.Change
	for c, err := range r.session.Changes(r.t.Context(), 0) {
		r.fine("Changes", err)
		r.tell(c)
		changes = append(changes, c)
	}
	r.same("Changes", toldOf(changes), r.toBeTold())
	if len(changes) == 0 {
		return
	}
	middle := len(changes) / 2
	rest := []customer.Change{}
	for c, err := range r.session.Changes(r.t.Context(), changes[middle].Cursor) {
		r.fine("Changes", err)
		rest = append(rest, c)
	}
	// A cursor within a transaction begins with that transaction: at least once.
	begin := middle + 1
	for begin > 0 && changes[middle].Cursor < changes[begin-1].Position {
		begin--
	}
	r.same("Changes from the middle on", rest, changes[begin:])
}

func toldOf(changes []customer.Change) map[customer.ID][]customer.Action {
	told := map[customer.ID][]customer.Action{}
	for _, c := range changes {
		told[c.ID] = append(told[c.ID], c.Action)
	}
	return told
}

func (r *reads) toBeTold() map[customer.ID][]customer.Action {
	told := map[customer.ID][]customer.Action{}
	for _, h := range r.happenings {
		if r.seen(h.id) != nil {
			told[h.id] = append(told[h.id], h.action)
		}
	}
	return told
}

// visit records an event, which goes over in a merge and comes back.
func (w *world) visit() {
	c := w.drawStanding()
	if !active(c) {
		return
	}
	w.do(func(tx *clientele.Tx) error { return tx.Customers.Record(c.id, customer.Event{Type: "visit"}) })
	c.visits++
}
