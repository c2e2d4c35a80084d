package clientele_test

import (
	"fmt"
	"slices"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/tagging"
)

// What the naive evaluator is asked beside whole lists: lists page by page, also from where
// somebody out of sight stands, who waits for approval, and what reviewers are told of
// customers and of the past.

// pages reads every list by cursors, and from the place of each customer of the book.
func (r *reads) pages() {
	for _, order := range []customer.Order{customer.ByID, customer.ByName, customer.ByCode} {
		for _, reverse := range []bool{false, true} {
			l := customer.List{Order: order, Statuses: customer.AllStatuses(), Reverse: reverse}
			whole := r.inOrder("List", r.tx.Customers.List(l))
			for size := 1; size <= 3; size++ {
				r.same(fmt.Sprintf("List %v reverse %v by %d", order, reverse, size), r.byPages(l, size), whole)
			}
			r.placesOf(l, whole)
		}
	}
}

func (r *reads) byPages(l customer.List, size int) []customer.ID {
	ids := []customer.ID{}
	for {
		var last *customer.Customer
		n := 0
		for c, err := range r.tx.Customers.List(l) {
			r.fine("List", err)
			if ids, last, n = append(ids, c.ID), c, n+1; n == size {
				break
			}
		}
		if n < size {
			return ids
		}
		l.From = l.After(last)
		r.tell(l.From)
	}
}

// placesOf compares what comes after each customer of the book, in sight or not.
func (r *reads) placesOf(l customer.List, whole []customer.ID) {
	var everybody []*customer.Customer
	err := r.system.View(r.t.Context(), func(tx *clientele.ReadTx) error {
		for c, err := range tx.Customers.List(l) {
			if err != nil {
				return err
			}
			everybody = append(everybody, c)
		}
		return nil
	})
	r.fine("List", err)
	for i, c := range everybody {
		from := l
		from.From = l.After(c)
		want := []customer.ID{}
		for _, later := range everybody[i+1:] {
			if slices.Contains(whole, later.ID) {
				want = append(want, later.ID)
			}
		}
		r.same(fmt.Sprintf("List %v after %d", l.Order, c.ID), r.inOrder("List", r.tx.Customers.List(from)), want)
	}
}

// request is a request for approval that waits.
type request struct {
	id       orgtree.ApprovalID
	customer customer.ID
	field    string // which shows the kind of data that it is about
	subject  string
}

// ask stores a request about a kind of data of a customer that one field shows.
func (w *world) ask() {
	c := w.drawStanding()
	q := request{customer: c.id, field: draw(w, "about", "tag", "item")}
	q.subject = w.plant(c.id, q.field, "subjectword%dq")
	w.do(func(tx *clientele.Tx) error {
		a, err := tx.Org.Ask(orgtree.Approval{Right: customer.RightUpdate, Data: customer.FieldData(q.field), Customer: c.id, Subject: q.subject, Payload: []byte(q.subject)})
		if err == nil {
			q.id = a.ID
		}
		return err
	})
	w.requests = append(w.requests, q)
}

// approvals compares the requests that wait, and of each what it is about.
func (r *reads) approvals() {
	got, want := []string{}, []string{}
	for a, err := range r.tx.Org.Approvals(orgtree.Pending) {
		r.fine("Approvals", err)
		r.tell(a)
		got = append(got, fmt.Sprint(a.ID, a.Customer, a.Subject, string(a.Payload)))
	}
	for _, q := range r.requests {
		if r.seen(q.customer) == nil {
			continue
		}
		subject := q.subject
		if !r.shows(r.actor, r.customers[q.customer-1], q.field) {
			subject = ""
		}
		want = append(want, fmt.Sprint(q.id, q.customer, subject, subject))
	}
	r.same("Approvals", got, want)
	for _, c := range r.customers {
		n, err := count(r.tx.Org.ApprovalsOf(c.id))
		r.fine("ApprovalsOf", err)
		asked := 0
		for _, q := range r.requests {
			if q.customer == c.id && r.seen(c.id) != nil {
				asked++
			}
		}
		r.same(fmt.Sprint("ApprovalsOf ", c.id), n, asked)
	}
}

// reviews compares what reviewers are told of the actor's rights on each customer, and of
// those that it had a moment ago.
func (r *reads) reviews() {
	if r.actor == "nobody" {
		return
	}
	err := r.system.View(r.t.Context(), func(tx *clientele.ReadTx) error {
		for _, c := range r.customers {
			all, err := tx.Org.RightsOnCustomer(c.id)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(all, func(on orgtree.RightsOn) bool { return on.Principal == r.actor })
			r.same(fmt.Sprint("RightsOnCustomer ", c.id), i >= 0, r.sees(r.actor, c))
			if i >= 0 {
				r.rightsOn(c, &all[i])
			}
		}
		now, err := tx.Org.EffectiveRights(r.actor)
		if err != nil {
			return err
		}
		past, err := tx.Org.EffectiveRightsAt(r.actor, r.now())
		r.same("EffectiveRightsAt", grantsIn(past), grantsIn(now))
		return err
	})
	r.fine("reviews", err)
}

func (r *reads) rightsOn(c *modelCustomer, on *orgtree.RightsOn) {
	for _, right := range []customer.Right{customer.RightRead, customer.RightUpdate, customer.RightExport} {
		for _, d := range customer.AllData() {
			has := slices.ContainsFunc(on.Rights, func(p orgtree.Permission) bool { return p.Right == right && slices.Contains(p.Data, d) })
			r.same(fmt.Sprint("RightsOnCustomer ", right, d, c.id), has, r.may(r.actor, right, d, c))
		}
	}
	for _, field := range []string{"phone", "email", "address", "note", "rep", "identifier", "source", "website", "tag", "item", "limit"} {
		r.same(fmt.Sprint("RightsOnCustomer hides ", field, c.id), slices.Contains(on.Hidden, field), !r.shows(r.actor, c, field))
	}
}

// grantsIn lists the grants and denials of a report with those who delegated them.
func grantsIn(e *orgtree.Effective) []string {
	list := []string{}
	for _, x := range slices.Concat(e.Grants, e.Denials) {
		from := ""
		if x.Through != nil {
			from = x.Through.From
		}
		list = append(list, fmt.Sprint(x.Grant.ID, from, x.Role.Version))
	}
	slices.Sort(list)
	return list
}

// tagPages reads what a filter finds page by page.
func (r *reads) tagPages() {
	q := tagging.Query{}
	ids, more := []customer.ID{}, true
	for from := customer.ID(0); more; {
		page, next, err := r.tx.Tags.Page(q, from, 2)
		r.fine("Page", err)
		if ids, more = append(ids, page...), next; len(page) == 0 {
			break
		}
		from = page[len(page)-1]
	}
	r.same("Page by page", ids, r.of(active))
}

// sharing compares how many customers of others are assigned to each unit and those below.
func (r *reads) sharing() {
	for _, u := range r.units[1:] {
		shared := r.of(func(c *modelCustomer) bool {
			return active(c) && !r.above(u.id, c.owner) && slices.ContainsFunc(r.inForce(c), func(a orgtree.Assignment) bool {
				return r.above(u.id, a.Unit) && r.concerns(r.actor, a.Unit)
			})
		})
		got, err := r.tx.Org.Consolidate(u.id)
		r.fine("Consolidate", err)
		r.same(fmt.Sprint("Consolidate's SharedIn of ", u.id), got.Total.SharedIn, len(shared))
	}
}
