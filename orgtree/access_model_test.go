package orgtree_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// TestAccessEqualsTheNaiveEvaluator draws trees, policies, principals, roles, grants,
// denials, delegations and customers, and compares every answer of an Access with one
// that is computed for each customer from the rules as they are documented.
func TestAccessEqualsTheNaiveEvaluator(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := openBook(t)
		defer b.close()
		w := &accessWorld{book: b, rt: rt}
		w.build()
		w.compare()
		b.setClock(b.clock().Add(3 * time.Hour)) // what is due is not settled
		w.compare()
		if rapid.Bool().Draw(rt, "settle") {
			if _, err := b.org.Tick(t.Context(), b.job()); err != nil {
				rt.Fatal(err)
			}
			w.compare()
		}
	})
}

// accessWorld is a book and what the naive evaluator knows of it.
type accessWorld struct {
	*book
	rt          *rapid.T
	units       []customer.UnitID
	principals  []orgtree.Principal
	roles       map[string]orgtree.Role
	grants      []*orgtree.Grant
	delegations []*orgtree.Delegation
	customers   []customer.ID

	tree *orgtree.Tree // of the comparison
	view *orgtree.Reader
}

var modelFilters = map[string]func(uint64) bool{
	"odd":   func(id uint64) bool { return id%2 == 1 },
	"third": func(id uint64) bool { return id%3 == 0 },
}

// testFilters reads the filters of modelFilters.
type testFilters struct{}

func (testFilters) Check(_ *storage.Reader, _ *customer.Reader, filter string) error {
	if modelFilters[filter] == nil {
		return fmt.Errorf("%w: no filter %q", orgtree.ErrInvalid, filter)
	}
	return nil
}

func (testFilters) Find(_ *storage.Reader, _ *customer.Reader, filter string) (bitset.Source, error) {
	s := &bitset.Set{}
	for id := range uint64(100) {
		if modelFilters[filter](id) {
			s.Add(id)
		}
	}
	return s, nil
}

func (testFilters) Holds(_ *storage.Reader, _ *customer.Reader, filter string, id customer.ID) (bool, error) {
	return modelFilters[filter](uint64(id)), nil
}

func pick[T any](rt *rapid.T, label string, list ...T) T {
	return list[rapid.IntRange(0, len(list)-1).Draw(rt, label)]
}

func (w *accessWorld) build() {
	rt := w.rt
	policies := []orgtree.Policy{orgtree.Inherit, orgtree.Inherit, orgtree.Private, orgtree.Assigned, orgtree.SharedDown, orgtree.SharedUp, orgtree.Shared}
	w.units = []customer.UnitID{0}
	for i := range rapid.IntRange(1, 9).Draw(rt, "units") {
		u := orgtree.Unit{Code: fmt.Sprintf("u%d", i), Parent: pick(rt, "parent", w.units...)}
		for _, d := range customer.AllData() {
			u.Sharing[d] = pick(rt, "policy", policies...)
		}
		w.units = append(w.units, w.unitOf(u))
	}
	w.update(func(tx tx) error {
		book, err := tx.Unit(0)
		if err != nil {
			return err
		}
		book.Sharing[customer.Identity] = pick(rt, "book's policy", policies...)
		_, err = tx.UpdateUnit(book)
		return err
	})
	w.buildAccess()
	for range rapid.IntRange(1, 14).Draw(rt, "customers") {
		w.customers = append(w.customers, w.buildCustomer())
	}
	if len(w.units) > 3 && rapid.Bool().Draw(rt, "merge") {
		from, into := pick(rt, "merged", w.units[1:]...), pick(rt, "into", w.units[1:]...)
		_ = w.try(func(tx tx) error { _, err := tx.MergeUnits(from, into); return err }) // it may be a cycle
	}
}

func (w *accessWorld) buildCustomer() customer.ID {
	rt := w.rt
	reps := []string{"", "p0", "p1", "p2", "p9"}
	id := w.customer(pick(rt, "owner", w.units...), pick(rt, "rep", reps...))
	now := w.clock()
	w.update(func(tx tx) error {
		if rapid.Bool().Draw(rt, "team") {
			if _, err := tx.SetTeam(id, pick(rt, "team", w.units[1:]...)); err != nil {
				return err
			}
		}
		for range rapid.IntRange(0, 3).Draw(rt, "assignments") {
			a := orgtree.Assignment{Unit: pick(rt, "assigned", w.units[1:]...), Rep: pick(rt, "unit's rep", reps...),
				From: pick(rt, "from", time.Time{}, now, now.Add(time.Hour), now.Add(5*time.Hour)), Team: pick(rt, "unit's team", w.units...)}
			if rapid.Bool().Draw(rt, "ends") {
				a.Until = now.Add(2 * time.Hour)
				if a.From.After(a.Until) {
					a.From = time.Time{}
				}
			}
			if _, err := tx.Assign(id, a); err != nil {
				return err
			}
		}
		return nil
	})
	return id
}

var (
	modelRights = []customer.Right{customer.RightRead, customer.RightRead, customer.RightUpdate, customer.RightCreate, customer.RightExport, orgtree.AnyRight}
	modelFields = []string{"identifier", "note", "rep", "phone", "email", "limit", "exposure", "tag", "item", "attr.x", "city", "code"}
)

func (w *accessWorld) buildAccess() {
	rt, now := w.rt, w.clock()
	w.roles = map[string]orgtree.Role{}
	w.update(func(tx tx) error {
		for i := range 4 {
			role := orgtree.Role{Name: fmt.Sprintf("r%d", i)}
			for range rapid.IntRange(1, 3).Draw(rt, "permissions") {
				p := orgtree.Permission{Right: pick(rt, "right", modelRights...)}
				for range rapid.IntRange(0, 2).Draw(rt, "kinds") {
					p.Data = append(p.Data, pick(rt, "data", customer.Identity, customer.Identity, customer.Contacts, customer.Credit))
				}
				role.Permissions = append(role.Permissions, p)
			}
			if _, err := tx.SetRole(role); err != nil {
				return err
			}
			w.roles[role.Name] = role
		}
		for i := range 4 {
			p := orgtree.Principal{ID: fmt.Sprintf("p%d", i), Home: pick(rt, "home", w.units...), Disabled: rapid.IntRange(0, 5).Draw(rt, "disabled") == 0}
			if _, err := tx.SetPrincipal(p); err != nil {
				return err
			}
			w.principals = append(w.principals, p)
		}
		for range rapid.IntRange(1, 10).Draw(rt, "grants") {
			g, err := tx.Give(w.drawGrant())
			if err != nil {
				return err
			}
			w.grants = append(w.grants, g)
		}
		for range rapid.IntRange(0, 2).Draw(rt, "delegations") {
			d := orgtree.Delegation{From: pick(rt, "from", "p0", "p1"), To: pick(rt, "to", "p2", "p3"),
				Begin: pick(rt, "begin", time.Time{}, now.Add(time.Hour)), End: pick(rt, "end", now.Add(2*time.Hour), now.Add(9*time.Hour))}
			for _, g := range w.grants {
				if g.Principal == d.From && !g.Deny && rapid.IntRange(0, 2).Draw(rt, "delegate") == 0 {
					d.Grants = append(d.Grants, g.ID)
				}
			}
			made, err := tx.Delegate(d)
			if err != nil {
				return err
			}
			w.delegations = append(w.delegations, made)
		}
		return w.makeAdministrator(tx)
	})
}

func (w *accessWorld) makeAdministrator(tx tx) error {
	if _, err := tx.SetRole(orgtree.Role{Name: "admin", Permissions: []orgtree.Permission{{Right: customer.RightAdminister}}}); err != nil {
		return err
	}
	if _, err := tx.SetPrincipal(orgtree.Principal{ID: "root"}); err != nil {
		return err
	}
	if _, err := tx.Give(orgtree.Grant{Principal: "root", Role: "admin", Scope: orgtree.Scope{All: true}}); err != nil {
		return err
	}
	return tx.Enforce(true)
}

func (w *accessWorld) drawGrant() orgtree.Grant {
	rt, now := w.rt, w.clock()
	g := orgtree.Grant{Principal: fmt.Sprintf("p%d", rapid.IntRange(0, 3).Draw(rt, "principal")), Role: fmt.Sprintf("r%d", rapid.IntRange(0, 3).Draw(rt, "role")),
		Deny: rapid.IntRange(0, 3).Draw(rt, "deny") == 0}
	switch rapid.IntRange(0, 5).Draw(rt, "scope") {
	case 0:
		g.Scope.All = true
	case 1:
		g.Scope.Own = true
	case 2:
		g.Scope.Filter = pick(rt, "filter", "odd", "third")
	default:
		g.Scope.Unit = pick(rt, "unit", w.units[1:]...)
		g.Scope.Alone = rapid.Bool().Draw(rt, "alone")
		g.Scope.Own = rapid.IntRange(0, 3).Draw(rt, "own") == 0
		g.Scope.Filter = pick(rt, "filter", "", "", "", "odd")
	}
	if rapid.Bool().Draw(rt, "masked") {
		g.Mask, _ = customer.NewMask(pick(rt, "hidden", "phone", "note", "limit", "attr.x", "attr.*", "address"), pick(rt, "hidden", "email", "phone", "tag"))
	}
	g.From = pick(rt, "from", time.Time{}, time.Time{}, now.Add(time.Hour), now.Add(9*time.Hour))
	if rapid.IntRange(0, 3).Draw(rt, "ends") == 0 && g.From.IsZero() {
		g.Until = now.Add(2 * time.Hour)
	}
	return g
}

// compare asks everything of every actor.
func (w *accessWorld) compare() {
	for _, actor := range []string{"p0", "p1", "p2", "p3", "nobody"} {
		err := w.storage.View(w.t.Context(), func(r *storage.Reader) error {
			customers := w.book.customers.Reader(r)
			access, err := w.org.Access(r, customers, actor)
			if err != nil {
				return err
			}
			w.view = w.org.Reader(r, customers)
			if w.tree, err = w.view.Tree(); err != nil {
				return err
			}
			return w.compareActor(access, customers, actor)
		})
		if err != nil {
			w.rt.Fatal(err)
		}
	}
}

func (w *accessWorld) compareActor(access customer.Access, customers *customer.Reader, actor string) error {
	within := map[string][]uint64{}
	for _, id := range w.customers {
		c, err := customers.Get(id)
		if err != nil {
			return err
		}
		sees, err := access.Sees(c)
		if want := w.sees(actor, c); err != nil || sees != want {
			w.rt.Fatalf("%s sees customer %d of unit %d: %v, %v, want %v\n%s", actor, id, c.Owner, sees, err, want, w)
		}
		mask, err := access.Mask(c)
		if err != nil {
			return err
		}
		for _, field := range modelFields {
			want := w.shows(actor, c, field)
			if shown := !mask.Hides(field) && sees; shown != want {
				w.rt.Fatalf("%s is shown %s of customer %d of unit %d: %v, want %v\n%s", actor, field, id, c.Owner, shown, want, w)
			}
			if want {
				within[field] = append(within[field], uint64(id))
			}
		}
		if sees {
			within[""] = append(within[""], uint64(id))
		}
		w.compareRights(access, actor, c)
	}
	for _, field := range append([]string{""}, modelFields...) {
		if err := w.compareSet(access, actor, field, within[field]); err != nil {
			return err
		}
	}
	for _, unit := range w.units {
		w.compareRights(access, actor, &customer.Customer{Owner: unit, Rep: actor})
	}
	return nil
}

func (w *accessWorld) compareRights(access customer.Access, actor string, c *customer.Customer) {
	for _, right := range []customer.Right{customer.RightRead, customer.RightUpdate, customer.RightCreate, customer.RightExport, customer.RightMerge} {
		for _, d := range []customer.Data{customer.Identity, customer.Contacts} {
			err := access.Allows(right, d, c)
			want := error(nil)
			if c.ID != 0 && !w.sees(actor, c) {
				want = customer.ErrNotFound
			} else if !w.allows(actor, right, d, c) {
				want = customer.ErrDenied
			}
			if !errors.Is(err, want) {
				w.rt.Fatalf("%s may %s %s of customer %d of unit %d: %v, want %v\n%s", actor, right, d, c.ID, c.Owner, err, want, w)
			}
		}
	}
}

func (w *accessWorld) compareSet(access customer.Access, actor, field string, want []uint64) error {
	source := access.WithinUnmasked(field)
	if field == "" {
		source = access.Within()
	}
	forked := forkedMembers(source)
	var got []uint64
	if source == nil {
		for _, id := range w.customers {
			got = append(got, uint64(id))
		}
	} else {
		for id, err := range bitset.Members(source, 0) {
			if err != nil {
				return err
			}
			got = append(got, id)
		}
		for _, id := range w.customers {
			has, err := source.Has(uint64(id))
			if err != nil {
				return err
			}
			if has != slices.Contains(want, uint64(id)) {
				w.rt.Fatalf("%s, %q: Has(%d) is %v\n%s", actor, field, id, has, w)
			}
		}
	}
	if !slices.Equal(got, want) {
		w.rt.Fatalf("%s sees %q of %v, want %v\n%s", actor, field, got, want, w)
	}
	if f := <-forked; f.err != nil || f.made && !slices.Equal(f.ids, want) {
		w.rt.Fatalf("%s sees %q of %v in another goroutine, error %v, want %v\n%s", actor, field, f.ids, f.err, want, w)
	}
	return nil
}

type forkedSet struct {
	made bool
	ids  []uint64
	err  error
}

// forkedMembers reads a fork of a set, if there can be one, in another goroutine.
func forkedMembers(source bitset.Source) <-chan forkedSet {
	read := make(chan forkedSet, 1)
	f, ok := source.(bitset.Forker)
	if !ok {
		read <- forkedSet{}
		return read
	}
	fork := f.Fork()
	if fork == nil {
		read <- forkedSet{}
		return read
	}
	go func() {
		s := forkedSet{made: true}
		for id, err := range bitset.Members(fork, 0) {
			if s.err = err; err != nil {
				break
			}
			s.ids = append(s.ids, id)
		}
		read <- s
	}()
	return read
}

// String lists what was drawn.
func (w *accessWorld) String() string {
	text := ""
	for _, unit := range w.units {
		text += fmt.Sprintf("unit %d below %d, counts as %d, policies", unit, w.tree.Parent(unit), w.tree.Resolve(unit))
		for _, d := range customer.AllData() {
			text += " " + w.tree.Policy(unit, d).String()
		}
		text += "\n"
	}
	for _, p := range w.principals {
		text += fmt.Sprintf("%s home %d disabled %v\n", p.ID, p.Home, p.Disabled)
	}
	for _, r := range w.roles {
		text += fmt.Sprintf("%s %v\n", r.Name, r.Permissions)
	}
	for _, g := range w.grants {
		text += fmt.Sprintf("%v on %+v hiding %v %v – %v\n", g, g.Scope, g.Mask.Fields(), g.From, g.Until)
	}
	for _, d := range w.delegations {
		text += fmt.Sprintf("%s to %s %v %v – %v\n", d.From, d.To, d.Grants, d.Begin, d.End)
	}
	return text
}
