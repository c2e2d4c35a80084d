package clientele_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
)

// Credit in the naive evaluator: receivables and reservations one by one, limits of
// customers, groups and units, exposure by adding up.

type modelDocument struct {
	key    string
	holder customer.ID
	via    []customer.ID // that had it before they were merged
	fen    int64
}

type modelReservation struct {
	key      string
	holder   customer.ID
	via      []customer.ID
	fen      int64
	stage    credit.Stage
	expires  time.Time // of a Reserved one
	released bool
}

// modelLine is the limit of a group or unit.
type modelLine struct {
	fen     int64
	ceiling bool
	log     []string
}

// belonging is whose something is, for merges to change.
type belonging struct {
	holder *customer.ID
	via    *[]customer.ID
	open   bool // and goes over
}

func (m *model) owned() (list []belonging) {
	for _, d := range m.documents {
		list = append(list, belonging{&d.holder, &d.via, true})
	}
	for _, v := range m.reserved {
		list = append(list, belonging{&v.holder, &v.via, !v.released})
	}
	return list
}

func (m *model) takesCredit(v *modelReservation) bool {
	return !v.released && (v.stage != credit.Reserved || m.now().Before(v.expires))
}

// exposed is what customers for whom something holds owe and have been promised: open
// items, reservations and orders, in fen.
func (m *model) exposed(of func(*modelCustomer) bool) (sums [3]int64) {
	for _, d := range m.documents {
		if of(m.customer(d.holder)) {
			sums[0] += d.fen
		}
	}
	for _, v := range m.reserved {
		if of(m.customer(v.holder)) && m.takesCredit(v) {
			sums[1+v.stage] += v.fen
		}
	}
	return sums
}

// owing is what a customer owes.
func (m *model) owing(c *modelCustomer) int64 {
	return m.exposed(func(x *modelCustomer) bool { return x == c })[0]
}

// within returns whose credit a scope bounds.
func (m *model) within(s credit.Scope) func(*modelCustomer) bool {
	return func(c *modelCustomer) bool {
		switch s.Kind {
		case credit.CustomerScope:
			return c.id == customer.ID(s.ID)
		case credit.GroupScope:
			return counting(c.groups) == int64(s.ID)
		}
		return m.above(customer.UnitID(s.ID), c.owner)
	}
}

// disclosed says whether an actor is shown a field of a scope's credit: of a customer as
// any field. What customers share is for who is shown it of every one of them: must is
// surely, by a grant on the whole that nothing narrows; may is as far as can be seen.
func (r *reads) disclosed(field string, s credit.Scope) (must, may bool) {
	if s.Kind == credit.CustomerScope {
		shown := r.shows(r.actor, r.end(r.customer(customer.ID(s.ID))), field)
		return shown, shown
	}
	may = true
	of := r.within(s)
	for _, c := range r.customers {
		may = may && (s.Kind == credit.UnitScope && !of(c) || r.shows(r.actor, c, field))
	}
	return r.plainly(field, s), may && r.enabled(r.actor)
}

// plainly reports whether a grant without any condition shows a field in a whole scope, and
// its holder has no denial at all.
func (r *reads) plainly(field string, s credit.Scope) bool {
	unit := customer.UnitID(0)
	if s.Kind == credit.UnitScope {
		unit = customer.UnitID(s.ID)
	}
	for _, hat := range r.hats(r.actor) {
		for _, g := range hat {
			if g.Deny {
				return false
			}
		}
	}
	for _, hat := range r.hats(r.actor) {
		for _, g := range hat {
			whole := g.Scope.All || g.Scope.Unit != 0 && unit != 0 && !g.Scope.Alone && r.above(g.Scope.Unit, unit)
			reads := r.gives(g.Role, customer.RightRead, customer.Identity) && r.gives(g.Role, customer.RightRead, kindOf(field))
			if whole && reads && !g.Scope.Own && g.Scope.Filter == "" && !g.Mask.Hides(field) {
				return true
			}
		}
	}
	return false
}

// post adds an invoice.
func (w *world) post(tx *clientele.Tx, c *modelCustomer) error {
	fen := int64(rapid.IntRange(1, 1000).Draw(w.rt, "fen"))
	w.taken++
	d := &modelDocument{key: fmt.Sprint("invoice ", w.taken), holder: c.id, fen: fen}
	_, err := tx.Credit.Post(credit.Document{Key: d.key, Customer: c.id, Kind: credit.Invoice, Date: date.Of(w.now()),
		Amount: money.Amount{Minor: fen, Currency: money.CNY}})
	w.documents = append(w.documents, d)
	return err
}

// reserve takes credit for an offer, which expires, or for an order. Which limit refuses
// it is not this model's subject.
func (w *world) reserve() {
	c := w.drawStanding()
	if c.status != customer.Active {
		return
	}
	w.taken++
	v := &modelReservation{key: fmt.Sprint("order ", w.taken), holder: c.id, fen: int64(rapid.IntRange(1, 1000).Draw(w.rt, "fen")),
		stage: draw(w, "stage", credit.Reserved, credit.Ordered)}
	q := credit.Request{Key: v.key, Customer: c.id, Amount: money.Amount{Minor: v.fen, Currency: money.CNY}, Stage: v.stage}
	if v.stage == credit.Reserved {
		v.expires = w.now().Add(2 * time.Hour)
		q.Expires = v.expires
	}
	err := w.system.Update(w.t.Context(), func(tx *clientele.Tx) error { _, err := tx.Credit.Reserve(q); return err })
	switch {
	case err == nil:
		w.reserved = append(w.reserved, v)
	case !errors.Is(err, credit.ErrRefused):
		w.rt.Fatal(err)
	}
}

func (w *world) release() {
	if len(w.reserved) == 0 {
		return
	}
	v := draw(w, "released", w.reserved...)
	if !w.takesCredit(v) {
		return
	}
	w.do(func(tx *clientele.Tx) error { _, err := tx.Credit.Release(v.key); return err })
	v.released = true
}

// setLimit sets the limit of a customer, group or unit, or takes it away.
func (w *world) setLimit() {
	c, unit := w.drawStanding(), w.drawOpen("limited")
	fen := draw[int64](w, "limit", 0, 700, 1_000_000)
	s := draw(w, "limit of", credit.OfCustomer(c.id), credit.OfCustomer(c.id), credit.OfGroup(draw(w, "group", w.creditGroups...)), credit.OfUnit(unit))
	l := credit.Limit{Amount: money.Amount{Minor: fen, Currency: money.CNY}}
	if s.Kind == credit.CustomerScope {
		w.setCustomerLimit(c, s, l)
		return
	}
	line := w.lines[s]
	if fen == 0 {
		return
	}
	if line == nil {
		line = &modelLine{}
		w.lines[s] = line
	}
	l.Ceiling = w.one("ceiling", 2)
	w.do(func(tx *clientele.Tx) error { return tx.Credit.SetLimit(s, l) })
	line.fen, line.ceiling = fen, l.Ceiling
	line.log = append(line.log, fmt.Sprint(fen, l.Ceiling))
}

func (w *world) setCustomerLimit(c *modelCustomer, s credit.Scope, l credit.Limit) {
	if c.status > customer.Archived || l.Amount.Minor == 0 && len(c.limits) == 0 {
		return
	}
	w.do(func(tx *clientele.Tx) error {
		if l.Amount.Minor == 0 {
			return tx.Credit.RemoveLimit(s, l)
		}
		return tx.Credit.SetLimit(s, l)
	})
	switch fen := l.Amount.Minor; {
	case fen == 0:
		c.limits = nil
	case fen != counting(c.limits):
		c.limits = []loan{{0, fen}}
	}
}

func (w *world) setGroup() {
	c, group := w.drawStanding(), draw(w, "group", append(slices.Clone(w.creditGroups), 0)...)
	w.do(func(tx *clientele.Tx) error { return tx.Credit.SetGroup(c.id, group) })
	switch {
	case group == 0:
		c.groups = nil
	case int64(group) != counting(c.groups):
		c.groups = []loan{{0, int64(group)}}
	}
}

// credits compares limits and exposure, in full and as they are disclosed.
func (r *reads) credits() {
	for _, c := range r.customers {
		r.creditOf(c)
	}
	for _, group := range r.creditGroups {
		r.scope(credit.OfGroup(group))
		got, want := []customer.ID{}, r.of(func(c *modelCustomer) bool { return stands(c) && counting(r.customer(c.id).groups) == int64(group) })
		for id, err := range r.tx.Credit.Members(group) {
			r.fine("Members", err)
			got = append(got, id)
		}
		r.same("Members", got, want)
	}
	for _, u := range r.units {
		if u.merged == 0 {
			r.scope(credit.OfUnit(u.id))
		}
	}
	for _, v := range r.reserved {
		r.reservation(v)
	}
	for _, d := range r.documents {
		r.document(d)
	}
}

// refused compares an error with what the actor may know: that of an absent customer, of
// one whose data of a kind is not for the actor, or none. It reports whether there is none.
func (r *reads) refused(what string, c *modelCustomer, d customer.Data, err error) bool {
	switch {
	case r.seen(c.id) == nil:
		r.same(what+" of one out of sight", errors.Is(err, customer.ErrNotFound), true)
	case !r.may(r.actor, customer.RightRead, d, c):
		r.same(what+" of what is not for the actor", errors.Is(err, customer.ErrDenied), true)
	default:
		r.fine(what, err)
		return false
	}
	return true
}

// creditOf compares what is told of a customer's credit by its own id, which for a merged
// one is that of who stands for it.
func (r *reads) creditOf(asked *modelCustomer) {
	c, s := r.end(asked), credit.OfCustomer(asked.id)
	r.scope(s)
	p, err := r.tx.Credit.Profile(asked.id)
	if !r.refused("Profile", c, customer.Credit, err) {
		r.same(fmt.Sprint("Profile's group of ", asked.id), int64(p.Group), counting(c.groups))
	}
	got, want := []string{}, []string{}
	for v, each := range r.tx.Credit.Reservations(asked.id) {
		if err = each; err != nil {
			break
		}
		r.tell(v)
		got = append(got, v.Key)
	}
	if !r.refused("Reservations", c, customer.Credit, err) {
		for _, v := range r.reserved {
			if v.holder == c.id && r.takesCredit(v) {
				want = append(want, v.key)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		r.same(fmt.Sprint("Reservations of ", asked.id), got, want)
	}
	r.items(asked, c)
	r.check(asked, c)
}

func (r *reads) items(asked, c *modelCustomer) {
	got, want, err := []string{}, []string{}, error(nil)
	for i, each := range r.tx.Credit.Items(asked.id) {
		if err = each; err != nil {
			break
		}
		r.tell(i)
		got = append(got, fmt.Sprint(i.Document, i.Customer, i.Amount.Minor))
	}
	if r.refused("Items", c, customer.Items, err) {
		return
	}
	for _, d := range r.documents {
		if d.holder == c.id {
			want = append(want, fmt.Sprint(d.key, d.holder, d.fen))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	r.same(fmt.Sprint("Items of ", asked.id), got, want)
}

// scope compares the limits of a scope, as they are and as they were, and its exposure.
func (r *reads) scope(s credit.Scope) {
	line, err := r.tx.Credit.Line(s)
	exposure, exposureErr := r.tx.Credit.Exposure(s)
	log, logErr := []string{}, error(nil)
	for l, err := range r.tx.Credit.LineHistory(s) {
		if logErr = err; err != nil {
			break
		}
		log = append(log, limitsOf(l)...)
	}
	if s.Kind == credit.CustomerScope {
		c := r.end(r.customer(customer.ID(s.ID)))
		if s = credit.OfCustomer(c.id); r.seen(c.id) == nil {
			for what, err := range map[string]error{"Line": err, "Exposure": exposureErr, "LineHistory": logErr} {
				r.same(what+" of one out of sight", errors.Is(err, customer.ErrNotFound), true)
			}
			return
		}
	}
	r.fine("Line", err)
	r.fine("Exposure", exposureErr)
	r.fine("LineHistory", logErr)
	fen, ceiling, wanted := r.limitOf(s)
	limits := []string{}
	if fen != 0 {
		limits = append(limits, fmt.Sprint(fen, ceiling))
	}
	r.disclosure("limit", s, "Line", limitsOf(line), limits)
	r.disclosure("limit", s, "LineHistory", slices.Compact(log), slices.Compact(slices.Clone(wanted)))
	sums := []string{}
	if e := r.exposed(r.within(s)); e != [3]int64{} {
		sums = append(sums, fmt.Sprint(e))
	}
	got := []string{}
	for i := range exposure {
		e := &exposure[i]
		if all := [3]int64{e.Of(credit.Debits), e.Of(credit.Reservations), e.Of(credit.Orders)}; all != [3]int64{} {
			got = append(got, fmt.Sprint(all))
		}
	}
	r.disclosure("exposure", s, "Exposure", got, sums)
}

func limitsOf(l *credit.Line) []string {
	list := []string{}
	for _, x := range l.Limits {
		list = append(list, fmt.Sprint(x.Amount.Minor, x.Ceiling))
	}
	return list
}

// limitOf is a scope's limit, 0 for none, and what it was before.
func (m *model) limitOf(s credit.Scope) (fen int64, ceiling bool, log []string) {
	if s.Kind == credit.CustomerScope {
		c := m.customer(customer.ID(s.ID))
		return counting(c.limits), false, append([]string{}, c.limitLog...)
	}
	if l := m.lines[s]; l != nil {
		return l.fen, l.ceiling, l.log
	}
	return 0, false, []string{}
}

// disclosure compares what is told in full, or not at all.
func (r *reads) disclosure(field string, s credit.Scope, what string, got, want []string) {
	must, may := r.disclosed(field, s)
	what = fmt.Sprintf("%s of %v", what, s)
	switch {
	case len(got) > 0 && !may:
		r.same(what+" that is hidden", got, []string{})
	case len(got) > 0 || must:
		r.same(what, got, want)
	}
}

// home is the unit that a principal belongs to, while it may do anything.
func (m *model) home(actor string) customer.UnitID {
	for _, p := range m.principals {
		if p.ID == actor && !p.Disabled {
			return p.Home
		}
	}
	return 0
}

// bound is a limit that holds for a customer.
type modelBound struct {
	scope  credit.Scope
	unit   []customer.UnitID // whose overlay it may be
	limits []int64           // what it may be
}

// bounds lists the limits that hold when an actor asks: the nearest of the customer, its
// group, its unit and those above; ceilings of the others; and the overlay of the actor's home.
func (r *reads) bounds(c *modelCustomer) (list []modelBound) {
	scopes := []credit.Scope{credit.OfCustomer(c.id)}
	if g := counting(c.groups); g != 0 {
		scopes = append(scopes, credit.OfGroup(credit.GroupID(g)))
	}
	for unit := c.owner; unit != 0; {
		scopes = append(scopes, credit.OfUnit(unit))
		if u := r.unit(unit); u.merged != 0 {
			unit = u.merged
		} else {
			unit = r.parent(unit)
		}
	}
	for _, s := range append(scopes, credit.OfUnit(0)) {
		if fen, ceiling, _ := r.limitOf(s); fen != 0 && (len(list) == 0 || ceiling) {
			list = append(list, modelBound{scope: s, limits: []int64{fen}})
		}
	}
	if home := r.home(r.actor); home != 0 {
		b := modelBound{scope: credit.OfCustomer(c.id), limits: through(&r.model, c, home, func(o modelOverlay) int64 { return o.limit })}
		b.unit = through(&r.model, c, home, func(o modelOverlay) customer.UnitID {
			if o.limit == 0 {
				return 0
			}
			return r.standsFor(o.unit)
		})
		if b.unit[0] != 0 {
			list = append(list, b)
		}
	}
	return list
}

// check compares what would come of asking for credit, and what is available.
func (r *reads) check(asked, c *modelCustomer) {
	d, err := r.tx.Credit.Check(credit.Request{Customer: asked.id})
	if r.refused("Check", c, customer.Credit, err) {
		return
	}
	r.tell(d)
	bounds := r.bounds(c)
	r.same(fmt.Sprint("Check's rooms of ", asked.id), len(d.Rooms), len(bounds))
	for i, room := range d.Rooms {
		r.room(c, &room, &bounds[i])
	}
	for _, f := range d.Findings {
		r.finding("Check", c, &f)
	}
}

// room compares one limit with what is free of it.
func (r *reads) room(c *modelCustomer, room *credit.Room, b *modelBound) {
	what := fmt.Sprintf("Check's room of %v for %d", b.scope, c.id)
	r.same(what, room.Scope, b.scope)
	mustLimit, mayLimit := r.disclosed("limit", b.scope)
	mustExposure, mayExposure := r.disclosed("exposure", b.scope)
	concerns := len(b.unit) == 0 || r.concerns(r.actor, b.unit[0])
	switch {
	case room.Hidden:
		r.same(what+" is hidden", mustLimit && mustExposure && concerns, false)
		r.same(what, []int64{room.Limit.Minor, room.Exposure.Minor, room.Asked.Minor, room.Free.Minor}, []int64{0, 0, 0, 0})
		if !concerns {
			r.same(what+" tells the unit", room.Unit, 0)
		}
		return
	case !mayLimit || !mayExposure || !concerns:
		r.same(what+" is hidden", false, true)
	}
	r.same(what+" has the limit", slices.Contains(b.limits, room.Limit.Minor), true)
	if b.scope.Kind == credit.UnitScope && r.unit(customer.UnitID(b.scope.ID)).merged != 0 {
		return // what a unit that was merged has by itself is told nowhere else
	}
	taken := r.exposed(r.within(b.scope))
	used := taken[0] + taken[1] + taken[2]
	r.same(what, fmt.Sprint(room.Exposure.Minor, room.Free.Minor), fmt.Sprint(used, room.Limit.Minor-used))
}

// finding compares whether the figures of a finding are disclosed: by the use of a limit in
// percent and the exposure one would know the limit.
func (r *reads) finding(what string, c *modelCustomer, f *credit.Finding) {
	s := f.Scope
	if s == (credit.Scope{}) || s.Kind == credit.CustomerScope {
		s = credit.OfCustomer(c.id)
	}
	_, mayLimit := r.disclosed("limit", s)
	_, mayExposure := r.disclosed("exposure", s)
	concerns := f.Unit == 0 || r.concerns(r.actor, f.Unit)
	if f.Step == credit.Utilisation && !mayLimit || !mayExposure || !concerns {
		r.same(what+"'s finding is hidden", f.Hidden, true)
	}
	if f.Hidden {
		r.same(what+"'s hidden finding", f.Value+f.Above, 0)
	}
}

// reservation compares what is told of one document's credit.
func (r *reads) reservation(v *modelReservation) {
	got, err := r.tx.Credit.Reservation(v.key)
	c := r.end(r.customer(v.holder))
	if r.refused("Reservation", c, customer.Credit, err) {
		return
	}
	r.tell(got)
	state, open := credit.Open, v.fen
	switch {
	case v.released:
		state, open = credit.Released, 0
	case !r.takesCredit(v):
		state, open = credit.Expired, 0
	}
	r.same("Reservation "+v.key, fmt.Sprint(got.Customer, got.Amount.Minor, got.Stage, got.State, got.Open), fmt.Sprint(v.holder, v.fen, v.stage, state, open))
	for _, f := range got.Findings {
		r.finding("Reservation", c, &f)
	}
}

func (r *reads) document(d *modelDocument) {
	items, err := r.tx.Credit.Document(d.key)
	c := r.end(r.customer(d.holder))
	if len(items) == 0 && err == nil { // nobody has it, as far as the session is told
		r.same("Document "+d.key, r.may(r.actor, customer.RightRead, customer.Items, c) && r.seen(c.id) != nil, false)
		return
	}
	if r.refused("Document", c, customer.Items, err) {
		return
	}
	r.tell(items)
	r.same("Document "+d.key, fmt.Sprint(len(items), items[0].Customer, items[0].Amount.Minor), fmt.Sprint(1, d.holder, d.fen))
	open, err := r.tx.Credit.Open(items[0].ID)
	r.fine("Open", err)
	r.same("Open of "+d.key, open, d.fen)
}
func (r *reads) receivables() {
	q := credit.AgingQuery{AsOf: date.Of(r.now()), Buckets: aging.Standard()}
	want, total := map[customer.ID]int64{}, int64(0)
	for _, c := range r.sight {
		if c.owes > 0 {
			want[c.id], total = c.owes, total+c.owes
		}
	}
	got := map[customer.ID]int64{}
	for row, err := range r.tx.Credit.Aging(q) {
		r.fine("Aging", err)
		got[customer.ID(row.Customer)] = row.Balance
	}
	r.same("Aging", got, want)
	sums, err := r.tx.Credit.AgingTotal(q)
	r.fine("AgingTotal", err)
	sum := int64(0)
	for row, err := range sums.Rows() {
		r.fine("AgingTotal", err)
		sum += row.Balance
	}
	r.same("AgingTotal", sum, total)
	open := map[customer.ID]int64{}
	for item, err := range r.tx.Credit.OpenItems(q) {
		r.fine("OpenItems", err)
		open[item.Customer] += item.Open.Minor
	}
	r.same("OpenItems", open, want)
	for _, c := range r.customers {
		balances, err := r.tx.Credit.Balances(c.id)
		if err != nil && !errors.Is(err, customer.ErrNotFound) && !errors.Is(err, customer.ErrDenied) {
			r.fine("Balances", err)
		}
		owes := int64(0)
		for _, b := range balances {
			owes += b.Net()
		}
		r.same(fmt.Sprint("Balances of ", c.id), owes, want[r.end(c).id])
	}
}
