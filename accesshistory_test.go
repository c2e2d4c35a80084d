package clientele_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/tagging"
)

// world is a book with a random history, and the model of what was done to it.
type world struct {
	model
	t      *testing.T
	rt     *rapid.T
	clock  *testClock
	book   *clientele.Book
	system *clientele.Session
	vip    tagging.TagID
	pairs  [][2]customer.ID // that wait in the review queue, ascending
	// requests wait for approval.
	requests     []request
	creditGroups []credit.GroupID
	happenings   []happening
	// canaries are values that were ever written, and of which customer and field.
	canaries map[string][]canary
	taken    int // unique values so far
}

type canary struct {
	customer customer.ID
	field    string
	unit     customer.UnitID // that has it of its own, 0 for the customer itself
}

func newWorld(t *testing.T, rt *rapid.T) *world {
	w := &world{t: t, rt: rt, clock: newTestClock(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)), canaries: map[string][]canary{}}
	w.now = w.clock.now
	book, err := clientele.Open(t.Context(), "", clientele.Options{InMemory: true, TickEvery: -1, Clock: w.clock.now, Logger: silent})
	if err != nil {
		t.Fatal(err)
	}
	w.book, w.system = book, book.System("a random history")
	w.units = []*modelUnit{{}}
	w.roles, w.lines = map[string]orgtree.Role{}, map[credit.Scope]*modelLine{}
	w.do(w.define)
	for range rapid.IntRange(2, 8).Draw(rt, "units") {
		w.do(w.createUnit)
	}
	w.do(w.defineAccess)
	for range rapid.IntRange(3, 10).Draw(rt, "customers") {
		w.do(w.createCustomer)
		w.keepPast()
	}
	return w
}

// try makes a change, and reports whether the book took it.
func (w *world) try(f func(*clientele.Tx) error) bool {
	err := w.system.Update(w.t.Context(), f)
	for _, expected := range []error{orgtree.ErrCycle, orgtree.ErrDate, orgtree.ErrClosed, orgtree.ErrInvalid} {
		if errors.Is(err, expected) {
			return false
		}
	}
	if err != nil {
		w.rt.Fatal(err)
	}
	return true
}

// do makes a change that must succeed.
func (w *world) do(f func(*clientele.Tx) error) {
	if err := w.system.Update(w.t.Context(), f); err != nil {
		w.rt.Fatal(err)
	}
}

func draw[T any](w *world, label string, list ...T) T {
	return list[rapid.IntRange(0, len(list)-1).Draw(w.rt, label)]
}

func (w *world) one(label string, of int) bool { return rapid.IntRange(1, of).Draw(w.rt, label) == 1 }

func (w *world) drawUnit(label string) customer.UnitID { return draw(w, label, w.units...).id }

// drawOpen is a unit that was not merged.
func (w *world) drawOpen(label string) customer.UnitID {
	return draw(w, label, slices.DeleteFunc(slices.Clone(w.units), func(u *modelUnit) bool { return u.merged != 0 })...).id
}

// plant makes a value that only one customer has ever had, and remembers where it is.
func (w *world) plant(id customer.ID, field, pattern string) string {
	w.taken++
	return w.note(id, field, fmt.Sprintf(pattern, w.taken))
}

// note remembers where a value is.
func (w *world) note(id customer.ID, field, value string) string {
	w.canaries[value] = append(w.canaries[value], canary{customer: id, field: field})
	return value
}

func (w *world) define(tx *clientele.Tx) error {
	err := tx.Customers.SetSchema(&customer.Schema{Attributes: []customer.AttributeSpec{
		{Name: "secret", Type: customer.Text, Indexed: true}, {Name: "turnover", Type: customer.Number, Indexed: true},
	}})
	if err != nil {
		return err
	}
	d, err := tx.Tags.CreateDimension(tagging.Dimension{Code: "level"})
	if err != nil {
		return err
	}
	tag, err := tx.Tags.CreateTag(tagging.Tag{Dimension: d.ID, Code: "vip"})
	if err != nil {
		return err
	}
	w.vip = tag.ID
	for _, code := range []string{"g1", "g2"} {
		g, err := tx.Credit.CreateGroup(code, nil)
		if err != nil {
			return err
		}
		w.creditGroups = append(w.creditGroups, g.ID)
	}
	_, err = tx.Tags.SaveSegment(tagging.Segment{Name: "best", Filter: "level:vip AND has:phone"})
	return err
}

func (w *world) drawSharing() (s orgtree.Sharing) {
	for _, d := range customer.AllData() {
		s[d] = draw(w, "policy", orgtree.Inherit, orgtree.Inherit, orgtree.Private, orgtree.Assigned, orgtree.SharedDown, orgtree.SharedUp, orgtree.Shared)
	}
	return s
}

func (w *world) createUnit(tx *clientele.Tx) error {
	u := &modelUnit{sharing: w.drawSharing(), parents: []modelMove{{w.now(), w.drawOpen("parent")}}}
	made, err := tx.Org.CreateUnit(orgtree.Unit{Code: fmt.Sprint("u", len(w.units)), Parent: u.parents[0].parent, Sharing: u.sharing})
	if err == nil {
		u.id = made.ID
		w.units = append(w.units, u)
	}
	return err
}

var modelRights = []customer.Right{customer.RightRead, customer.RightRead, customer.RightUpdate, customer.RightExport, customer.RightReview, orgtree.AnyRight}

func (w *world) defineAccess(tx *clientele.Tx) error {
	for i := range 4 {
		role := orgtree.Role{Name: fmt.Sprint("r", i), Permissions: []orgtree.Permission{{Right: customer.RightRead}}}
		if i > 0 {
			role.Permissions = nil
			for range rapid.IntRange(1, 3).Draw(w.rt, "permissions") {
				p := orgtree.Permission{Right: draw(w, "right", modelRights...)}
				for range rapid.IntRange(0, 2).Draw(w.rt, "kinds") {
					p.Data = append(p.Data, draw(w, "data", customer.Identity, customer.Identity, customer.Contacts, customer.Credit, customer.Tags, customer.Items))
				}
				role.Permissions = append(role.Permissions, p)
			}
		}
		if _, err := tx.Org.SetRole(role); err != nil {
			return err
		}
		w.roles[role.Name] = role
	}
	for i := range 4 {
		if err := w.setPrincipal(tx, &orgtree.Principal{ID: fmt.Sprint("p", i), Home: w.drawUnit("home")}); err != nil {
			return err
		}
	}
	for range rapid.IntRange(2, 8).Draw(w.rt, "grants") {
		if err := w.give(tx); err != nil {
			return err
		}
	}
	return w.enforce(tx)
}

func (w *world) enforce(tx *clientele.Tx) error {
	root := orgtree.Role{Name: "root", Permissions: []orgtree.Permission{{Right: orgtree.AnyRight}}}
	if _, err := tx.Org.SetRole(root); err != nil {
		return err
	}
	w.roles["root"] = root
	if err := w.setPrincipal(tx, &orgtree.Principal{ID: "root"}); err != nil {
		return err
	}
	g, err := tx.Org.Give(orgtree.Grant{Principal: "root", Role: "root", Scope: orgtree.Scope{All: true}})
	if err != nil {
		return err
	}
	w.grants = append(w.grants, g)
	return tx.Org.Enforce(true)
}

func (w *world) setPrincipal(tx *clientele.Tx, p *orgtree.Principal) error {
	w.principals = slices.DeleteFunc(w.principals, func(q *orgtree.Principal) bool { return q.ID == p.ID })
	w.principals = append(w.principals, p)
	_, err := tx.Org.SetPrincipal(*p)
	return err
}

func (w *world) give(tx *clientele.Tx) error {
	g := orgtree.Grant{Principal: fmt.Sprint("p", rapid.IntRange(0, 3).Draw(w.rt, "principal")), Deny: w.one("deny", 4),
		Role: fmt.Sprint("r", max(0, rapid.IntRange(-2, 3).Draw(w.rt, "role")))}
	filters := []string{"level:vip", "city:\"Kochi\"", "NOT attr.turnover:>=50"}
	switch rapid.IntRange(0, 5).Draw(w.rt, "scope") {
	case 0:
		g.Scope.All = true
	case 1:
		g.Scope.Own = true
	case 2:
		g.Scope.Filter = draw(w, "filter", filters...)
	default:
		g.Scope.Unit = draw(w, "unit", w.units[1:]...).id
		g.Scope.Alone = w.one("alone", 3)
		g.Scope.Own = w.one("own", 5)
		if w.one("filtered", 4) {
			g.Scope.Filter = draw(w, "filter", filters...)
		}
	}
	if w.one("masked", 2) {
		hidden := []string{"phone", "email", "address", "note", "rep", "identifier", "source", "website", "attr.secret", "attr.turnover", "attr.*", "tag", "item", "alias", "limit", "exposure"}
		var err error
		if g.Mask, err = customer.NewMask(draw(w, "hidden", hidden...), draw(w, "hidden", hidden...)); err != nil {
			return err
		}
	}
	g.From = draw(w, "from", time.Time{}, time.Time{}, w.now().Add(time.Hour))
	if w.one("ends", 4) {
		g.Until = w.now().Add(5 * time.Hour)
	}
	given, err := tx.Org.Give(g)
	if err == nil {
		w.grants = append(w.grants, given)
	}
	return err
}

func (w *world) createCustomer(tx *clientele.Tx) error {
	c := &modelCustomer{id: customer.ID(len(w.customers) + 1), owner: w.drawOpen("owner"), lists: map[string]claims{}}
	c.lent = map[string]customer.ID{}
	for _, field := range []string{"identifier", "source", "alias", "phone", "email", "address"} {
		c.lists[field] = claims{}
	}
	reps := []string{"", "p0", "p1", "rep.zhao"}
	if c.rep = draw(w, "rep", reps...); c.rep == "rep.zhao" {
		w.note(c.id, "rep", c.rep)
	}
	c.name, c.code = w.plant(c.id, "", "Zulu Namefor%dq"), w.plant(c.id, "", "CODE%dQ")
	if !w.one("without a note", 3) {
		c.note = w.plant(c.id, "note", "noteword%dq")
	}
	if !w.one("without a website", 3) {
		c.website = w.plant(c.id, "website", "site%dq.example")
	}
	if !w.one("without a secret", 3) {
		c.secret = w.note(c.id, "attr.secret", draw(w, "secret", "saffron", "vermilion"))
	}
	c.city = w.note(c.id, "address", draw(w, "city", "Kochi", "Aomori", "Zadar"))
	c.lists["address"].set(c.city)
	c.lists["phone"].set(w.note(c.id, "phone", draw(w, "phone", modelPhones...)))
	c.lists["email"].set(w.note(c.id, "email", draw(w, "email", "kakapo@example.com", "takahe@example.com")))
	c.lists["source"].set(w.plant(c.id, "source", "ERPKEY%dQ"))
	c.turnover = int64(rapid.IntRange(1, 99).Draw(w.rt, "turnover"))
	if w.one("identified", 2) && c.id <= customer.ID(len(validNumbers)) {
		c.lists["identifier"].set(w.note(c.id, "identifier", validNumbers[c.id-1]))
	}
	made, err := tx.Customers.Create(c.draft())
	if err != nil {
		return err
	}
	if made.ID != c.id {
		w.rt.Fatalf("customer %d has the id %d", c.id, made.ID)
	}
	w.customers = append(w.customers, c)
	w.happened(c.id, customer.Created)
	if w.one("vip", 2) {
		if err := w.tag(tx, c); err != nil {
			return err
		}
	}
	if w.one("owes", 2) {
		if err := w.post(tx, c); err != nil {
			return err
		}
	}
	if len(w.customers) > 1 && w.one("paired", 2) {
		return w.pair(tx, c)
	}
	return nil
}

// validNumbers are numbers of Taiwan's tax register whose check digit is right: weights
// 1 2 1 2 1 2 4 1, digits of products summed, a multiple of 5.
var validNumbers = []string{"22099131", "04595257", "10458575", "03707901", "11768704", "23060248"}

var modelPhones = []string{"+8613800138001", "+8613800138002", "+8613800138003"}

func (c *modelCustomer) draft() customer.Draft {
	d := customer.Draft{
		Name: c.name, Code: c.code, Owner: c.owner, Rep: c.rep, Note: c.note, Website: c.website,
		Addresses:  []customer.Address{{Text: c.city + " 1", Country: "JP", City: c.city}},
		Attributes: []customer.Attribute{{Name: "turnover", Value: customer.NumberValue(c.turnover)}},
	}
	if c.secret != "" {
		d.Attributes = append(d.Attributes, customer.Attribute{Name: "secret", Value: customer.TextValue(c.secret)})
	}
	for _, x := range c.lists["phone"].values() {
		d.Phones = append(d.Phones, customer.Phone{Number: x})
	}
	for _, x := range c.lists["email"].values() {
		d.Emails = append(d.Emails, customer.Email{Address: x})
	}
	for _, x := range c.lists["source"].values() {
		d.SourceKeys = append(d.SourceKeys, customer.SourceKey{System: "erp", Key: x})
	}
	for _, x := range c.lists["identifier"].values() {
		d.Identifiers = append(d.Identifiers, customer.Identifier{Scheme: "tw.ubn", Value: x})
	}
	return d
}

func (w *world) tag(tx *clientele.Tx, c *modelCustomer) (err error) {
	if len(c.tagBy) == 0 {
		c.tagBy = []customer.ID{0}
		_, err = tx.Tags.Assign(c.id, tagging.Assignment{Tag: w.vip, Reason: w.plant(c.id, "tag", "reasonword%dq")})
	} else {
		c.tagBy = nil
		_, err = tx.Tags.Remove(c.id, w.vip)
	}
	return err
}

// pair puts a customer into the review queue with one before it.
func (w *world) pair(tx *clientele.Tx, c *modelCustomer) error {
	p := [2]customer.ID{customer.ID(rapid.IntRange(1, int(c.id)-1).Draw(w.rt, "pair")), c.id}
	if _, err := tx.Dedupe.Decide(p[0], p[1], dedupe.Skipped); err != nil {
		return err
	}
	w.pairs = append(w.pairs, p)
	return nil
}

// step changes the book at random.
func (w *world) step() {
	steps := []func(){
		w.moveUnit, w.moveUnit, w.mergeUnits, w.setSharing, w.transfer, w.assign, w.assign, w.overlay, w.setTeam, w.disable, w.revoke, w.delegate,
		w.rename, w.changeStatus, w.mergeCustomers, w.mergeCustomers, w.unmergeCustomers, w.visit,
		w.reserve, w.reserve, w.release, w.setLimit, w.setLimit, w.setGroup, w.openCampaign, w.certify, w.certify, w.closeCampaign, w.setReviewer,
		func() {
			if c := w.drawStanding(); active(c) {
				w.do(func(tx *clientele.Tx) error { return w.post(tx, c) })
			}
		},
		func() { w.clock.advance(time.Duration(rapid.IntRange(1, 4).Draw(w.rt, "hours")) * time.Hour) },
		func() { w.do(w.give) },
		w.retag, w.ask,
	}
	draw(w, "step", steps...)()
	w.keepPast()
}

// moveUnit moves a unit with all below it, also some time ahead.
func (w *world) moveUnit() {
	u, parent := draw(w, "moved", w.units[1:]...), w.drawOpen("parent")
	from := draw(w, "from", time.Time{}, w.now().Add(2*time.Hour))
	if u.merged != 0 {
		return
	}
	if w.try(func(tx *clientele.Tx) error { _, err := tx.Org.MoveUnit(u.id, parent, from); return err }) {
		if from.IsZero() {
			from = w.now()
		}
		u.parents = append(slices.DeleteFunc(u.parents, func(m modelMove) bool { return m.from.Equal(from) }), modelMove{from, parent})
	}
}

func (w *world) mergeUnits() {
	u, into := draw(w, "merged", w.units[1:]...), draw(w, "into", w.units[1:]...)
	if u.merged != 0 || into.merged != 0 || u == into {
		return
	}
	if w.try(func(tx *clientele.Tx) error { _, err := tx.Org.MergeUnits(u.id, into.id); return err }) {
		u.merged = into.id
	}
}

func (w *world) setSharing() {
	u := draw(w, "shares", w.units...)
	if u.merged != 0 {
		return
	}
	sharing := w.drawSharing()
	w.do(func(tx *clientele.Tx) error {
		stored, err := tx.Org.Unit(u.id)
		if err != nil {
			return err
		}
		stored.Sharing = sharing
		_, err = tx.Org.UpdateUnit(stored)
		return err
	})
	u.sharing = sharing
}

func (w *world) transfer() {
	c, to := w.drawStanding(), w.drawOpen("to")
	rep := draw(w, "rep", "", "p1", "p2")
	w.do(func(tx *clientele.Tx) error {
		_, err := tx.Org.Transfer(c.id, orgtree.Destination{Unit: to, Rep: rep})
		return err
	})
	if c.owner != to || c.rep != rep {
		w.happened(c.id, customer.Transferred)
	}
	if c.owner != to {
		delete(c.lent, "owner")
	}
	if c.rep != rep {
		delete(c.lent, "rep")
	}
	c.owner, c.rep = to, rep
}

func (w *world) assign() {
	c, unit := w.drawStanding(), w.drawOpen("assigned")
	a := orgtree.Assignment{Unit: unit, Rep: draw(w, "rep", "", "p2", "p3"), Team: draw(w, "team", 0, w.drawOpen("team")),
		From: draw(w, "from", time.Time{}, w.now().Add(time.Hour), w.now().Add(6*time.Hour))}
	if w.one("ends", 2) {
		a.Until = w.now().Add(7 * time.Hour)
	}
	if unit == 0 {
		return
	}
	w.do(func(tx *clientele.Tx) error { _, err := tx.Org.Assign(c.id, a); return err })
	c.assigned = append(slices.DeleteFunc(c.assigned, func(b orgtree.Assignment) bool { return w.standsFor(b.Unit) == unit }), a)
	w.edited(c, element{'a', unit})
}

// overlay agrees something between a customer and one unit.
func (w *world) overlay() {
	c, unit := w.drawStanding(), w.drawOpen("overlays")
	if unit == 0 {
		return
	}
	w.taken++
	o := modelOverlay{unit: unit, note: fmt.Sprintf("overlayword%dq", w.taken), limit: draw[int64](w, "overlay limit", 0, 600, 800_000)}
	if w.one("local", 2) {
		o.local = fmt.Sprint("local", w.taken)
	}
	w.canaries[o.note] = []canary{{c.id, "note", unit}}
	stored := orgtree.Overlay{Unit: unit, Note: o.note, LocalCode: o.local}
	if o.limit != 0 {
		stored.Limit = &orgtree.Limit{Amount: o.limit, Currency: "CNY"}
	}
	w.do(func(tx *clientele.Tx) error { _, err := tx.Org.SetOverlay(c.id, stored); return err })
	c.overlays = append(slices.DeleteFunc(c.overlays, func(b modelOverlay) bool { return b.unit == unit }), o)
	w.edited(c, element{'o', unit})
}

func (w *world) setTeam() {
	c, team := w.drawStanding(), w.drawOpen("team")
	w.do(func(tx *clientele.Tx) error { _, err := tx.Org.SetTeam(c.id, team); return err })
	if c.team != team {
		c.team = team
		w.edited(c, element{'t', 0})
	}
}

func (w *world) disable() {
	p := *draw(w, "disabled", w.principals[:3]...)
	if p.ID == "root" {
		return
	}
	p.Disabled = !p.Disabled
	w.do(func(tx *clientele.Tx) error { return w.setPrincipal(tx, &p) })
}

func (w *world) revoke() {
	g := draw(w, "revoked", w.grants...)
	if g.Principal == "root" {
		return
	}
	w.do(func(tx *clientele.Tx) error { return tx.Org.Revoke(g.ID) })
	w.grants = slices.DeleteFunc(w.grants, func(x *orgtree.Grant) bool { return x == g })
}

func (w *world) delegate() {
	from := rapid.IntRange(0, 3).Draw(w.rt, "from")
	d := orgtree.Delegation{From: fmt.Sprint("p", from), To: fmt.Sprint("p", (from+rapid.IntRange(1, 3).Draw(w.rt, "to"))%4),
		Begin: draw(w, "begin", time.Time{}, w.now().Add(time.Hour)), End: w.now().Add(4 * time.Hour)}
	for _, g := range w.grants {
		if g.Principal == d.From && !g.Deny && w.one("delegated", 3) {
			d.Grants = append(d.Grants, g.ID)
		}
	}
	w.do(func(tx *clientele.Tx) error {
		made, err := tx.Org.Delegate(d)
		if err == nil {
			w.delegations = append(w.delegations, made)
		}
		return err
	})
}

// rename gives a customer another name, phone and note: the former ones stay in its history.
func (w *world) rename() {
	c := w.drawStanding()
	if !active(c) {
		return
	}
	c.name, c.note = w.plant(c.id, "", "Zulu Namefor%dq"), w.plant(c.id, "note", "noteword%dq")
	delete(c.lent, "note")
	phone := w.note(c.id, "phone", draw(w, "phone", modelPhones...))
	c.lists["phone"].set(phone)
	w.do(func(tx *clientele.Tx) error {
		stored, err := tx.Customers.Get(c.id)
		if err != nil {
			return err
		}
		stored.Name, stored.Note, stored.Phones = c.name, c.note, []customer.Phone{{Number: phone}}
		_, err = tx.Customers.Update(stored)
		return err
	})
	w.happened(c.id, customer.Updated)
}

// retag gives a customer the tag, or takes it away.
func (w *world) retag() {
	if c := w.drawStanding(); active(c) {
		w.do(func(tx *clientele.Tx) error { return w.tag(tx, c) })
	}
}

func (w *world) changeStatus() {
	c := w.drawStanding()
	w.do(func(tx *clientele.Tx) (err error) {
		switch c.status {
		case customer.Active:
			_, err = tx.Customers.Archive(c.id)
		case customer.Archived:
			_, err = tx.Customers.Reactivate(c.id)
		}
		return err
	})
	w.happened(c.id, map[customer.Status]customer.Action{customer.Active: customer.ArchivedNow, customer.Archived: customer.Reactivated}[c.status])
	c.status = customer.Archived - c.status
}

// String lists the model.
func (w *world) String() string {
	text := fmt.Sprintln("now", w.now())
	for _, u := range w.units {
		text += fmt.Sprintf("unit %d merged into %d, parents %v, shares %v\n", u.id, u.merged, u.parents, u.sharing)
	}
	for _, p := range w.principals {
		text += fmt.Sprintf("%s home %d disabled %v\n", p.ID, p.Home, p.Disabled)
	}
	for _, r := range w.roles {
		text += fmt.Sprintf("%s %v\n", r.Name, r.Permissions)
	}
	for _, g := range w.grants {
		text += fmt.Sprintf("%v on %+v hiding %v from %v until %v\n", g, g.Scope, g.Mask.Fields(), g.From, g.Until)
	}
	for _, d := range w.delegations {
		text += fmt.Sprintf("%s to %s %v from %v until %v\n", d.From, d.To, d.Grants, d.Begin, d.End)
	}
	for _, c := range w.customers {
		text += fmt.Sprintf("%s\n\tvip by %d, places %+v, lent %v, limits %v, groups %v\n", c.facts(), c.tagBy, c.placement, c.lent, c.limits, c.groups)
	}
	return text
}
