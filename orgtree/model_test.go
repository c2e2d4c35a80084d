package orgtree_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

// model is the organisation, kept in the simplest way that could be right: every answer
// is found by climbing.
type model struct {
	units  map[customer.UnitID]*modelUnit
	people map[customer.ID]*modelCustomer
	today  time.Time
}

type modelUnit struct {
	moves   []orgtree.Move
	closed  time.Time
	into    customer.UnitID
	sharing orgtree.Sharing
}

type modelCustomer struct {
	owner    customer.UnitID
	assigned map[customer.UnitID][2]time.Time // from, until
}

func (m *model) ids() []customer.UnitID {
	var ids []customer.UnitID
	for id := range m.units {
		ids = append(ids, id)
	}
	return sorted(ids)
}

// up is the unit to climb to: the survivor of a merged unit, or the parent.
func (m *model) up(id customer.UnitID, at time.Time) customer.UnitID {
	u := m.units[id]
	if u.into != 0 && !u.closed.After(at) {
		return u.into
	}
	parent := customer.UnitID(0)
	for _, move := range u.moves {
		if !move.From.After(at) {
			parent = move.Parent
		}
	}
	return parent
}

func (m *model) resolve(id customer.UnitID, at time.Time) customer.UnitID {
	for id != 0 && m.units[id].into != 0 && !m.units[id].closed.After(at) {
		id = m.units[id].into
	}
	return id
}

func (m *model) contains(above, id customer.UnitID, at time.Time) bool {
	above = m.resolve(above, at)
	for id = m.resolve(id, at); id != above; id = m.resolve(m.up(id, at), at) {
		if id == 0 {
			return false
		}
	}
	return true
}

// cyclic reports whether any unit is above itself on any instant of a list.
func (m *model) cyclic(instants []time.Time) bool {
	for _, at := range instants {
		for start := range m.units {
			id := start
			for steps := 0; id != 0; steps++ {
				if steps > len(m.units) {
					return true
				}
				id = m.up(id, at)
			}
		}
	}
	return false
}

// instants returns every instant on which something takes effect.
func (m *model) instants() []time.Time {
	var list []time.Time
	for _, u := range m.units {
		for _, move := range u.moves {
			list = append(list, move.From)
		}
		if !u.closed.IsZero() {
			list = append(list, u.closed)
		}
	}
	return list
}

func (m *model) policy(id customer.UnitID, d customer.Data, at time.Time) orgtree.Policy {
	for id = m.resolve(id, at); id != 0; id = m.resolve(m.up(id, at), at) {
		if p := m.units[id].sharing[d]; p != orgtree.Inherit {
			return p
		}
	}
	return orgtree.Private
}

// shares is written from the rules at Tree.Shares, without the reach below: that is any
// unit below from which it is seen.
func (m *model) shares(from orgtree.Reach, d customer.Data, owner customer.UnitID, assigned []customer.UnitID) bool {
	itself := func(unit customer.UnitID, d customer.Data) bool {
		same := func(a, b customer.UnitID) bool { return m.resolve(a, m.today) == m.resolve(b, m.today) }
		toIt := slices.ContainsFunc(assigned, func(a customer.UnitID) bool { return same(a, unit) })
		switch m.policy(owner, d, m.today) {
		case orgtree.Assigned:
			return same(unit, owner) || toIt
		case orgtree.SharedDown:
			return toIt || m.contains(owner, unit, m.today)
		case orgtree.SharedUp:
			return toIt || m.contains(unit, owner, m.today)
		case orgtree.Shared:
			return true
		}
		return same(unit, owner)
	}
	sees := func(d customer.Data) bool {
		if !from.Below {
			return itself(from.Unit, d)
		}
		return slices.ContainsFunc(m.ids(), func(unit customer.UnitID) bool { return m.contains(from.Unit, unit, m.today) && itself(unit, d) })
	}
	return sees(customer.Identity) && sees(d)
}

func (c *modelCustomer) assignedAt(at time.Time) (units []customer.UnitID) {
	for unit, dates := range c.assigned {
		if !at.Before(dates[0]) && (dates[1].IsZero() || at.Before(dates[1])) {
			units = append(units, unit)
		}
	}
	return sorted(units)
}

// machine runs the same steps on a book and on the model.
type machine struct {
	*book
	model
	serial int
}

func (m *machine) drawUnit(t *rapid.T, label string, or0 bool) customer.UnitID {
	ids := m.ids()
	if or0 || len(ids) == 0 {
		ids = append(ids, 0)
	}
	return rapid.SampledFrom(ids).Draw(t, label)
}

// attempt makes a change of a unit in the model, keeps it when the organisation stays a
// tree, and compares with what the book says.
func (m *machine) attempt(t *rapid.T, id customer.UnitID, change func(u *modelUnit), err error) {
	before := *m.units[id]
	after := before
	after.moves = slices.Clone(before.moves)
	change(&after)
	m.units[id] = &after
	cyclic := m.cyclic(m.instants())
	if cyclic {
		m.units[id] = &before
	}
	if cyclic != errors.Is(err, orgtree.ErrCycle) || !cyclic && err != nil {
		t.Fatalf("unit %d: %v; the model says cyclic: %v", id, err, cyclic)
	}
}

func (m *machine) create(t *rapid.T) {
	m.serial++
	parent := m.drawUnit(t, "parent", true)
	if parent != 0 && !m.units[parent].closed.IsZero() {
		return
	}
	sharing := orgtree.Sharing{}
	for d := range sharing {
		sharing[d] = orgtree.Policy(rapid.IntRange(0, 5).Draw(t, "policy"))
	}
	id := m.unitOf(orgtree.Unit{Code: fmt.Sprint("U", m.serial), Parent: parent, Sharing: sharing})
	m.units[id] = &modelUnit{moves: []orgtree.Move{{From: m.today, Parent: parent}}, sharing: sharing}
}

// moveStep moves a unit at once, ahead, or in arrears where that is allowed.
func (m *machine) moveStep(t *rapid.T) {
	id, parent := m.drawUnit(t, "unit", false), m.drawUnit(t, "parent", true)
	if id == 0 || !m.units[id].closed.IsZero() || parent != 0 && !m.units[parent].closed.IsZero() {
		return
	}
	from := m.today.Add(time.Duration(rapid.IntRange(-2, 3).Draw(t, "days")) * 24 * time.Hour)
	if from.Before(m.units[id].moves[len(m.units[id].moves)-1].From) || parent != 0 && from.Before(m.units[parent].moves[0].From) {
		return
	}
	err := m.move(id, parent, from)
	m.attempt(t, id, func(u *modelUnit) {
		last := len(u.moves) - 1
		if u.moves[last].From.Equal(from) {
			u.moves = u.moves[:last]
		}
		u.moves = append(u.moves, orgtree.Move{From: from, Parent: parent})
	}, err)
}

func (m *machine) merge(t *rapid.T) {
	id, into := m.drawUnit(t, "unit", false), m.drawUnit(t, "into", false)
	if id == 0 || !m.units[id].closed.IsZero() || !m.units[into].closed.IsZero() || m.units[id].moves[len(m.units[id].moves)-1].From.After(m.today) {
		return
	}
	err := m.try(func(tx tx) error { _, err := tx.MergeUnits(id, into); return err })
	m.attempt(t, id, func(u *modelUnit) { u.into, u.closed = into, m.today }, err)
}

// finish brings one merged unit's records over. The model's customers keep the unit:
// whatever is brought over must read the same.
func (m *machine) finish(t *rapid.T) {
	id := m.drawUnit(t, "unit", false)
	if id == 0 || m.units[id].into == 0 {
		return
	}
	if _, err := m.org.FinishMerge(context.Background(), m.job(), id, orgtree.JobOptions{}); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) closeStep(t *rapid.T) {
	id := m.drawUnit(t, "unit", false)
	if id == 0 || !m.units[id].closed.IsZero() || m.units[id].moves[len(m.units[id].moves)-1].From.After(m.today) {
		return
	}
	err := m.try(func(tx tx) error { _, err := tx.CloseUnit(id, time.Time{}); return err })
	if used := m.used(id); used != errors.Is(err, orgtree.ErrInUse) || !used && err != nil {
		t.Fatalf("close %d: %v; the model says in use: %v", id, err, used)
	} else if !used {
		m.units[id].closed = m.today
	}
}

func (m *machine) used(id customer.UnitID) bool {
	now := m.today
	for other, u := range m.units {
		if other == id || !u.closed.IsZero() {
			continue
		}
		for _, at := range append(m.instants(), now) {
			if !at.Before(now) && m.resolve(m.up(other, at), now) == id {
				return true
			}
		}
	}
	for _, c := range m.people {
		if m.resolve(c.owner, now) == id {
			return true
		}
		for unit, dates := range c.assigned {
			// What has ended stays in the record until it is next written.
			if m.resolve(unit, now) == id && (dates[1].IsZero() || now.Before(dates[1])) {
				return true
			}
		}
	}
	return false
}

func (m *machine) newCustomer(t *rapid.T) {
	owner := m.drawUnit(t, "owner", true)
	if owner != 0 && !m.units[owner].closed.IsZero() {
		return
	}
	m.people[m.customer(owner, "wang")] = &modelCustomer{owner: owner, assigned: map[customer.UnitID][2]time.Time{}}
}

func (m *machine) drawCustomer(t *rapid.T) (customer.ID, *modelCustomer) {
	if len(m.people) == 0 {
		return 0, nil
	}
	id := customer.ID(rapid.IntRange(1, len(m.people)).Draw(t, "customer"))
	return id, m.people[id]
}

func (m *machine) transfer(t *rapid.T) {
	id, c := m.drawCustomer(t)
	to := m.drawUnit(t, "to", true)
	if c == nil || to != 0 && !m.units[to].closed.IsZero() {
		return
	}
	m.update(func(tx tx) error {
		_, err := tx.Transfer(id, orgtree.Destination{Unit: to, KeepRep: true})
		return err
	})
	c.owner = to
}

func (m *machine) assign(t *rapid.T) {
	id, c := m.drawCustomer(t)
	unit := m.drawUnit(t, "to", false)
	if c == nil || unit == 0 || !m.units[unit].closed.IsZero() {
		return
	}
	// Of a survivor and what was merged into it, only one may name the customer here, so
	// that the model needs no rule for two.
	for other := range c.assigned {
		if other != unit && m.resolve(other, m.today) == unit {
			return
		}
	}
	a := orgtree.Assignment{Unit: unit, From: m.today.Add(time.Duration(rapid.IntRange(-1, 2).Draw(t, "from")) * 24 * time.Hour)}
	if rapid.Bool().Draw(t, "ends") {
		a.Until = m.today.Add(time.Duration(rapid.IntRange(3, 5).Draw(t, "until")) * 24 * time.Hour)
	}
	m.update(func(tx tx) error { _, err := tx.Assign(id, a); return err })
	c.assigned[unit] = [2]time.Time{a.From, a.Until}
}

func (m *machine) tick(t *rapid.T) {
	if _, err := m.org.Tick(context.Background(), m.job()); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) tomorrow(*rapid.T) {
	m.today = m.today.Add(24 * time.Hour)
	m.setClock(m.today)
}

// check compares everything that can be asked.
func (m *machine) check(t *rapid.T) {
	tree := m.tree()
	m.checkTree(t, tree, m.today)
	at := m.today.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "look")) * 24 * time.Hour)
	m.checkTree(t, m.treeAt(at), at)
	ids := append(m.ids(), 0)
	for _, unit := range ids {
		want := int64(0)
		for _, c := range m.people {
			if m.contains(unit, c.owner, m.today) {
				want++
			}
		}
		if m.resolve(unit, m.today) != unit { // what is left in a merged unit's records is its own affair
			continue
		}
		if got := m.count(unit); got != want {
			t.Fatalf("unit %d has %d customers, want %d", unit, got, want)
		}
	}
	for id, c := range m.people {
		m.checkCustomer(t, tree, id, c)
	}
}

func (m *machine) checkTree(t *rapid.T, tree *orgtree.Tree, at time.Time) {
	for _, unit := range m.ids() {
		_, found := tree.Unit(unit)
		if opened := !m.units[unit].moves[0].From.After(at); found != opened {
			t.Fatalf("unit %d on %s: %v", unit, at, found)
		}
		if !found {
			continue
		}
		if got, want := tree.Resolve(unit), m.resolve(unit, at); got != want {
			t.Fatalf("unit %d on %s resolves to %d, want %d", unit, at, got, want)
		}
		if got, want := tree.Parent(unit), m.resolve(m.up(unit, at), at); got != want {
			t.Fatalf("parent of %d on %s is %d, want %d", unit, at, got, want)
		}
		for _, other := range m.ids() {
			if _, found := tree.Unit(other); found && tree.Contains(other, unit) != m.contains(other, unit, at) {
				t.Fatalf("on %s, Contains(%d, %d) is %v", at, other, unit, tree.Contains(other, unit))
			}
		}
	}
}

func (m *machine) checkCustomer(t *rapid.T, tree *orgtree.Tree, id customer.ID, c *modelCustomer) {
	owner, assigned := m.unitsOf(id)
	if want := m.resolve(c.owner, m.today); owner != want {
		t.Fatalf("customer %d belongs to %d, want %d", id, owner, want)
	}
	var want []customer.UnitID
	for _, unit := range c.assignedAt(m.today) {
		if unit = m.resolve(unit, m.today); unit != owner && !slices.Contains(want, unit) {
			want = append(want, unit)
		}
	}
	if !slices.Equal(assigned, sorted(want)) {
		t.Fatalf("customer %d is assigned to %v, want %v", id, assigned, want)
	}
	owner, assigned = c.owner, c.assignedAt(m.today) // also by the names of merged units
	for _, d := range []customer.Data{customer.Identity, customer.Credit} {
		for _, unit := range m.ids() {
			for _, below := range []bool{false, true} {
				from := orgtree.Reach{Unit: unit, Below: below}
				if got, want := tree.Shares(from, d, owner, assigned...), m.shares(from, d, owner, assigned); got != want {
					t.Fatalf("%s of customer %d (%d, %v) from %+v: %v", d, id, owner, assigned, from, got)
				}
			}
		}
	}
}

// Random organisations, with moves ahead and in arrears, mergers and closures, agree with
// the model on every date, and no customer is ever in no unit or in two.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := openBook(t)
		defer b.close()
		m := &machine{book: b, model: model{units: map[customer.UnitID]*modelUnit{}, people: map[customer.ID]*modelCustomer{}, today: start}}
		steps := map[string]func(*rapid.T){
			"create": m.create, "create too": m.create, "move": m.moveStep, "move too": m.moveStep, "merge": m.merge, "finish": m.finish, "close": m.closeStep,
			"customer": m.newCustomer, "transfer": m.transfer, "assign": m.assign, "tick": m.tick, "tomorrow": m.tomorrow,
		}
		names := []string{}
		for name := range steps {
			names = append(names, name)
		}
		slices.Sort(names)
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			steps[rapid.SampledFrom(names).Draw(rt, "step")](rt)
			m.check(rt)
		}
		b.verify()
	})
}
