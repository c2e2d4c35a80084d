package clientele_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

// What the naive evaluator says of one customer at a time: its record, golden where others
// were merged into it, what units have of it, and how all that came to be so.

func (r *reads) records() {
	for id := customer.ID(1); id <= customer.ID(len(r.customers)+1); id++ {
		r.golden(id)
		r.exact(id)
	}
}

// golden compares what an id leads to: for a merged customer who stands for it.
func (r *reads) golden(id customer.ID) {
	var want *modelCustomer
	way := []customer.ID{id}
	if int(id) <= len(r.customers) {
		for c := r.customer(id); c.into != 0; c = r.customer(c.into) {
			way = append(way, c.into)
		}
		want = r.seen(way[len(way)-1])
	}
	got, err := r.tx.Customers.Get(id)
	resolved, resolveErr := r.tx.Customers.Resolve(id)
	if want == nil {
		r.same("Get", errors.Is(err, customer.ErrNotFound), true)
		r.same("Resolve", errors.Is(resolveErr, customer.ErrNotFound), true)
		return
	}
	r.fine("Get", err)
	r.fine("Resolve", resolveErr)
	r.tell(got)
	r.same("Get", r.facts(got), want.facts())
	r.same("Resolve", resolved, way)
}

// exact compares the record that has an id itself, its past, and what is kept with it.
func (r *reads) exact(id customer.ID) {
	want := r.seen(id)
	got, err := r.tx.Customers.Exact(id)
	visible, visibleErr := r.tx.Customers.Visible(id)
	r.fine("Visible", visibleErr)
	r.same(fmt.Sprint("Visible ", id), visible, want != nil)
	if want == nil {
		r.same("Exact", errors.Is(err, customer.ErrNotFound), true)
		r.outOfSight(id)
		return
	}
	r.fine("Exact", err)
	r.tell(got)
	r.same("Exact", r.facts(got), want.facts())
	tagged, err := r.tx.Tags.Of(id)
	r.fine("Of", err)
	r.same("Of", tagged.Has(r.vip), want.vip)
	r.recordHistory(want)
	r.tagHistory(want)
	r.placement(want)
	visits := int64(0)
	for e, err := range r.tx.Customers.Events(id) {
		r.fine("Events", err)
		visits += e.Count
	}
	r.same(fmt.Sprint("Events of ", id), visits, r.customer(id).visits)
	losers := []customer.ID{}
	for id, err := range r.tx.Customers.MergedInto(id) {
		r.fine("MergedInto", err)
		losers = append(losers, id)
	}
	merges := []customer.ID{}
	for m, err := range r.tx.Dedupe.Merges(id) {
		r.fine("Merges", err)
		merges = append(merges, m.Loser)
	}
	wanted := r.of(func(c *modelCustomer) bool { return c.into == id })
	r.same("MergedInto", losers, wanted)
	r.same("Merges", merges, wanted)
	m, err := r.tx.Dedupe.MergeOf(id)
	if want.into == 0 {
		r.same("MergeOf", errors.Is(err, customer.ErrNotFound), true)
		return
	}
	r.fine("MergeOf", err)
	r.same("MergeOf", fmt.Sprint(m.Loser, m.Survivor), fmt.Sprint(id, want.into))
}

// outOfSight compares what is told of the past of a customer that isn't seen: nothing.
func (r *reads) outOfSight(id customer.ID) {
	history, _ := count(r.tx.Customers.History(id))
	r.same("History", history, 0)
	_, err := r.tx.Customers.At(id, r.now())
	r.same("At", errors.Is(err, customer.ErrNotFound), true)
	_, err = r.tx.Customers.AtVersion(id, 1)
	r.same("AtVersion", errors.Is(err, customer.ErrNotFound), true)
	_, err = r.tx.Tags.At(id, r.now())
	r.same("Tags.At", errors.Is(err, customer.ErrNotFound), true)
	_, err = r.tx.Tags.History(id)
	r.same("Tags.History", errors.Is(err, customer.ErrNotFound), true)
	_, err = r.tx.Dedupe.MergeOf(id)
	r.same("MergeOf", errors.Is(err, customer.ErrNotFound), true)
	p, err := r.tx.Org.Placement(id)
	r.fine("Placement", err)
	r.same("Placement", len(p.Assignments)+len(p.Overlays)+int(p.Team), 0)
	for p, err := range r.tx.Org.Placements(id) {
		if errors.Is(err, customer.ErrNotFound) {
			break
		}
		r.fine("Placements", err)
		r.same("Placements", len(p.Assignments)+len(p.Overlays)+int(p.Team), 0)
	}
	n, err := count(r.tx.Customers.Events(id))
	r.fine("Events", err)
	r.same("Events", n, 0)
}

// placement compares what units have of a customer in sight.
func (r *reads) placement(c *modelCustomer) {
	got, err := r.tx.Org.Placement(c.id)
	r.fine("Placement", err)
	r.tell(got)
	history, err := all(r.tx.Org.Placements(c.id))
	r.fine("Placements", err)
	r.tell(history)
	overlays, wanted := map[customer.UnitID]modelOverlay{}, map[customer.UnitID]modelOverlay{}
	for _, o := range got.Overlays {
		overlays[o.Unit] = overlayOf(&o)
	}
	for _, o := range c.overlays {
		if r.concerns(r.actor, o.unit) {
			wanted[o.unit] = r.hidden(c, o)
		}
	}
	r.same(fmt.Sprint("Placement's overlays of ", c.id), overlays, wanted)
	r.same("Placement's team", got.Team, c.team)
	owner, assigned, err := r.tx.Org.UnitsOf(c.id)
	r.fine("UnitsOf", err)
	r.same("UnitsOf's owner", owner, r.standsFor(c.owner))
	units := []customer.UnitID{}
	for _, a := range r.inForce(c) {
		if unit := r.standsFor(a.Unit); unit != owner && r.concerns(r.actor, unit) {
			units = append(units, unit)
		}
	}
	slices.Sort(units)
	slices.Sort(assigned)
	r.same(fmt.Sprint("UnitsOf ", c.id), append([]customer.UnitID{}, assigned...), slices.Compact(units))
	for _, u := range r.units[1:] {
		r.overlayThrough(c, u.id)
	}
}

func overlayOf(o *orgtree.Overlay) modelOverlay {
	m := modelOverlay{unit: o.Unit, note: o.Note, local: o.LocalCode}
	if o.Limit != nil {
		m.limit = o.Limit.Amount
	}
	return m
}

// hidden is an overlay without what is hidden of its customer.
func (r *reads) hidden(c *modelCustomer, o modelOverlay) modelOverlay {
	if !r.shows(r.actor, r.customer(c.id), "note") {
		o.note = ""
	}
	if !r.shows(r.actor, r.customer(c.id), "limit") {
		o.limit = 0
	}
	return o
}

// overlayThrough compares what a unit reads of a customer, its own or from above. Of units
// that were merged into one, any may come first.
func (r *reads) overlayThrough(c *modelCustomer, unit customer.UnitID) {
	got, err := r.tx.Org.Overlay(c.id, unit)
	if !r.concerns(r.actor, unit) {
		r.same("Overlay of a unit that is not looked from", errors.Is(err, customer.ErrDenied), true)
		return
	}
	r.fine("Overlay", err)
	r.tell(got)
	whole := r.customer(c.id)
	told := overlayOf(got)
	notes := through(&r.model, whole, unit, func(o modelOverlay) string { return o.note })
	limits := through(&r.model, whole, unit, func(o modelOverlay) int64 { return o.limit })
	locals := through(&r.model, whole, unit, func(o modelOverlay) string { return o.local })
	if !r.shows(r.actor, whole, "note") {
		notes = []string{""}
	}
	if !r.shows(r.actor, whole, "limit") {
		limits = []int64{0}
	}
	r.same(fmt.Sprintf("Overlay's note of %d through %d", c.id, unit), slices.Contains(notes, told.note), true)
	r.same(fmt.Sprintf("Overlay's limit %d of %d through %d", told.limit, c.id, unit), slices.Contains(limits, told.limit), true)
	r.same("Overlay's local code", slices.Contains(locals, told.local), true)
}

// through lists what the nearest unit upward says in a field of its overlay, that of the
// unit itself or otherwise those of units merged into it; a zero value for nothing.
func through[T comparable](m *model, c *modelCustomer, unit customer.UnitID, field func(modelOverlay) T) []T {
	var none T
	for at := m.standsFor(unit); at != 0; at = m.parent(at) {
		var merged []T
		for _, o := range c.overlays {
			switch {
			case field(o) == none || m.standsFor(o.unit) != at:
			case o.unit == at:
				return []T{field(o)}
			default:
				merged = append(merged, field(o))
			}
		}
		if len(merged) > 0 {
			return merged
		}
	}
	return []T{none}
}

// facts is what a record says, as text.
func (r *reads) facts(c *customer.Customer) string {
	m := modelCustomer{id: c.ID, code: c.Code, name: c.Name, status: c.Status, owner: c.Owner, rep: c.Rep, note: c.Note, website: c.Website, turnover: -1}
	lists := map[string]claims{}
	add := func(field, value string) {
		if lists[field] == nil {
			lists[field] = claims{}
		}
		lists[field][value] = []customer.ID{0}
	}
	for _, x := range c.Identifiers {
		add("identifier", x.Value)
	}
	for _, x := range c.SourceKeys {
		add("source", x.Key)
	}
	for _, x := range c.Phones {
		add("phone", x.Number)
	}
	for _, x := range c.Emails {
		add("email", x.Address)
	}
	for _, x := range c.Aliases {
		add("alias", x)
	}
	for i, x := range c.Addresses {
		if add("address", x.City); i == 0 {
			m.city = x.City
		}
	}
	if v, found := c.Attribute("secret"); found {
		m.secret = v.Text()
	}
	if v, found := c.Attribute("turnover"); found {
		m.turnover = v.Units()
	}
	m.lists, m.into = lists, c.Survivor
	return m.facts()
}

func (c *modelCustomer) facts() string {
	text := fmt.Sprintf("%d %s %q %s into %d, owner %d rep %q note %q website %q secret %q city %q turnover %d",
		c.id, c.code, c.name, c.status, c.into, c.owner, c.rep, c.note, c.website, c.secret, c.city, c.turnover)
	for _, field := range []string{"identifier", "source", "alias", "phone", "email", "address"} {
		text += fmt.Sprint(" ", field, c.lists[field].values())
	}
	return text
}

// stands reports whether a customer was not merged: who was has no keys of its own.
func stands(c *modelCustomer) bool { return c.into == 0 }

func (c *modelCustomer) has(field, value string) bool { return c.lists[field][value] != nil }

func (r *reads) lookUps() {
	customers := r.tx.Customers
	one := func(what, value string, c *customer.Customer, err error, want func(*modelCustomer) bool) {
		got := []customer.ID{}
		if err == nil {
			r.tell(c)
			got = append(got, c.ID)
		} else if !errors.Is(err, customer.ErrNotFound) {
			r.fine(what, err)
		}
		r.same(what+" "+value, got, r.of(func(m *modelCustomer) bool { return stands(m) && want(m) }))
	}
	for _, c := range r.customers {
		end := r.end(c)
		x, err := customers.ByCode(c.code)
		one("ByCode", c.code, x, err, func(m *modelCustomer) bool { return m.id == end.id })
		for source := range c.lists["source"] {
			x, err = customers.BySourceKey("erp", source)
			one("BySourceKey", source, x, err, func(m *modelCustomer) bool { return m.has("source", source) })
		}
		for number := range c.lists["identifier"] {
			x, err = customers.ByIdentifier("tw.ubn", number)
			one("ByIdentifier", number, x, err, func(m *modelCustomer) bool { return m.has("identifier", number) })
		}
		r.same("ByName", r.customersOf("ByName", customers.ByName(c.name)), r.of(func(m *modelCustomer) bool { return active(m) && m.name == c.name }))
		for phone := range c.lists["phone"] {
			r.same("ByPhone", r.customersOf("ByPhone", customers.ByPhone(phone)), r.of(func(m *modelCustomer) bool { return stands(m) && m.has("phone", phone) }))
		}
		for email := range c.lists["email"] {
			r.same("ByEmail", r.customersOf("ByEmail", customers.ByEmail(email)), r.of(func(m *modelCustomer) bool { return stands(m) && m.has("email", email) }))
		}
		if c.secret != "" {
			r.same("ByAttribute", r.customersOf("ByAttribute", customers.ByAttribute("secret", customer.TextValue(c.secret))),
				r.of(func(m *modelCustomer) bool { return stands(m) && m.secret == c.secret }))
		}
		if c.rep != "" {
			r.same("ByRep", r.customersOf("ByRep", customers.ByRep(c.owner, c.rep)), r.of(func(m *modelCustomer) bool { return stands(m) && m.owner == c.owner && m.rep == c.rep }))
		}
		r.localCodes(c)
	}
	bySystem := []customer.ID{}
	for _, c := range r.sight {
		if stands(c) {
			for range c.lists["source"] { // as often as it has a key
				bySystem = append(bySystem, c.id)
			}
		}
	}
	r.same("BySystem", r.customersOf("BySystem", customers.BySystem("erp")), bySystem)
	r.repeated()
}

// localCodes looks up by units' own codes for a customer.
func (r *reads) localCodes(c *modelCustomer) {
	for _, o := range c.overlays {
		if o.local == "" {
			continue
		}
		id, err := r.tx.Org.ByLocalCode(o.unit, o.local)
		if r.seen(c.id) == nil || !r.concerns(r.actor, r.standsFor(o.unit)) {
			r.same("ByLocalCode "+o.local, errors.Is(err, customer.ErrNotFound), true)
			continue
		}
		r.fine("ByLocalCode", err)
		r.same("ByLocalCode "+o.local, id, c.id)
	}
}

// repeated compares who have a phone in common.
func (r *reads) repeated() {
	got, want := []string{}, []string{}
	for ids, err := range r.tx.Customers.Repeated(customer.CommonPhone) {
		r.fine("Repeated", err)
		got = append(got, fmt.Sprint(ids))
	}
	for _, phone := range modelPhones {
		ids := r.of(func(m *modelCustomer) bool { return stands(m) && m.has("phone", phone) })
		if len(ids) > 1 {
			want = append(want, fmt.Sprint(ids))
		}
	}
	r.same("Repeated", got, want)
}

// recordState is what a record was from an instant on.
type recordState struct {
	at     time.Time
	record modelCustomer
}

// recordHistory compares what a record was.
func (r *reads) recordHistory(c *modelCustomer) {
	whole := r.customer(c.id)
	states := []string{}
	for x, err := range r.tx.Customers.History(c.id) {
		r.fine("History", err)
		r.tell(x)
		if text := r.facts(x); len(states) == 0 || states[len(states)-1] != text {
			states = append(states, text)
		}
	}
	wanted := []string{}
	for i := range whole.past {
		text := r.asNow(whole, &whole.past[i]).facts()
		if len(wanted) == 0 || wanted[len(wanted)-1] != text {
			wanted = append(wanted, text)
		}
	}
	r.same(fmt.Sprint("History of ", c.id), states, wanted)
	for i := range whole.past {
		x, err := r.tx.Customers.At(c.id, whole.past[i].at)
		r.fine("At", err)
		r.tell(x)
		r.same(fmt.Sprint("At ", c.id), r.facts(x), r.asNow(whole, &whole.past[i]).facts())
	}
}

// asNow is a past record without what is hidden of the customer now.
func (r *reads) asNow(now *modelCustomer, s *recordState) *modelCustomer {
	return r.maskedBy(r.actor, now, &s.record)
}
