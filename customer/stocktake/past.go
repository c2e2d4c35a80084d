package stocktake

import (
	"errors"
	"slices"
	"sync"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// past is the customers whose state at one of the boundaries is not the present one.
type past struct {
	touched *bitset.Set
	changed []changed // by customer
	extra   []extra   // by boundary
	placed  []placed  // by customer: where the changed stand at the opening and the closing
	rows    [][]int32 // of placed, by worker
	stays   []stay    // of the touched
}

// stay is the boundaries at which a customer was archived, merged or erased and so didn't
// count.
type stay struct {
	id       uint64
	from, to int16 // the last included
	status   customer.Status
}

// of returns who didn't count at a boundary for a status.
func (p *past) of(status customer.Status, b int) *bitset.Set {
	all := &bitset.Set{}
	for i := range p.stays {
		if x := &p.stays[i]; x.status == status && int(x.from) <= b && b <= int(x.to) {
			all.Add(x.id)
		}
	}
	return all
}

// changed is a customer and what the journal says of it.
type changed struct {
	id      uint64
	created int // the step in which it was created, 0 for before the opening
	touches []touch
}

// extra is what a definition asks of an instant beyond record and tags.
type extra struct {
	set   *bitset.Set // who bought, who owes; nil for everybody
	owned *bitset.Set // by one of the units, as things are now; nil for everybody
	units map[customer.UnitID]bool
}

// placed is where a changed customer stands: rows by axis, at the opening and the closing.
type placed struct {
	id            uint64
	worker        int32
	opening, from int32  // where the rows are in the worker's, for each axis the number and the rows
	closing       uint64 // the record's version at the closing
}

// present is the version of a record that hasn't changed since.
const present = ^uint64(0)

// newPast finds whom the present sets don't tell about.
func (c *count) newPast() (*past, error) {
	j, bounds := c.journal, len(c.journal.bounds)
	p := &past{touched: &bitset.Set{}, extra: make([]extra, bounds)}
	for from := 0; from < len(j.touches); {
		to := from + 1
		for to < len(j.touches) && j.touches[to].id == j.touches[from].id {
			to++
		}
		x := j.changedBy(j.touches[from:to])
		from = to
		last := x.touches[len(x.touches)-1].step
		if int(last) <= x.created || c.universe != nil && !c.universe.Contains(x.id) {
			continue // was at all boundaries as it is now, or not there yet
		}
		p.touched.Add(x.id)
		p.changed = append(p.changed, x)
	}
	return p, c.addExtra(p)
}

// changedBy is whom some changes are of.
func (j *journal) changedBy(touches []touch) changed {
	x := changed{id: touches[0].id, touches: touches}
	for step := 1; step < len(j.created); step++ {
		if j.created[step].Contains(x.id) {
			x.created = step
		}
	}
	return x
}

func emptySets(n int) []*bitset.Set {
	sets := make([]*bitset.Set, n)
	for i := range sets {
		sets[i] = &bitset.Set{}
	}
	return sets
}

// addExtra finds what the definition asks of each instant.
func (c *count) addExtra(p *past) error {
	var before []customer.UnitID
	for b := range p.extra {
		at, x := c.journal.bounds[b].time, &p.extra[b]
		if len(c.def.Units) > 0 {
			units, err := c.beside.Units.Under(c.def.Units, at)
			if err != nil {
				return err
			}
			if b > 0 && slices.Equal(units, before) {
				x.owned, x.units = p.extra[b-1].owned, p.extra[b-1].units
			} else if err := c.own(x, units); err != nil {
				return err
			}
			before = units
		}
		if c.def.Balance != AnyBalance {
			owing, err := c.beside.Receivables.Owing(c.instantAt(b))
			if err != nil {
				return err
			}
			if x.set = owing; c.def.Balance == WithoutBalance {
				if x.set, err = c.everybody(); err != nil {
					return err
				}
				x.set.AndNot(owing)
			}
		}
	}
	if c.def.Bought == nil {
		return nil
	}
	return c.addBuyers(p)
}

func (c *count) own(x *extra, units []customer.UnitID) error {
	x.owned, x.units = &bitset.Set{}, map[customer.UnitID]bool{}
	for _, unit := range units {
		x.units[unit] = true
		if err := c.addMarks(x.owned, customer.OwnerKey(nil, unit)); err != nil {
			return err
		}
	}
	return nil
}

// everybody is all customers that there ever were.
func (c *count) everybody() (*bitset.Set, error) {
	return c.marked("status", textsOf(customer.AllStatuses())...)
}

// view is a worker's view of history.
type view struct {
	*count
	worker  int32
	storage *storage.Reader
	all     *customer.Reader
	tags    Tags
	match   func(Past) (bool, error) // nil for everybody
	axes    []placing
	rows    []int32
	later   map[uint64]touched // what changed since the count's own state

	counted []*bitset.Set
	placed  []placed
	stays   []stay
}

// placing appends the rows of a customer of the past on one axis.
type placing = func(s *state, dst []int32) ([]int32, error)

// touched is the versions of record and tags, present for what didn't change.
type touched struct{ version, tags uint64 }

// countPast looks up the changed customers in the history, on all cores.
func (c *count) countPast() error {
	var err error
	if c.axes, err = c.makeAxes(); err != nil {
		return err
	}
	workers := min(c.session.Stocktakes.opts.Workers, len(c.past.changed)/256+1)
	views := make([]*view, workers)
	errs := make([]error, workers)
	var group sync.WaitGroup
	for w := range workers {
		from, to := w*len(c.past.changed)/workers, (w+1)*len(c.past.changed)/workers
		group.Go(func() {
			errs[w] = c.session.Storage.View(c.ctx, func(r *storage.Reader) (err error) {
				if views[w], err = c.newView(int32(w), r); err == nil {
					err = views[w].place(c.past.changed[from:to])
				}
				return err
			})
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, v := range views {
		c.past.placed = append(c.past.placed, v.placed...)
		c.past.rows = append(c.past.rows, v.rows)
		c.past.stays = append(c.past.stays, v.stays...)
		for b := range c.counted {
			c.counted[b].Or(v.counted[b])
			v.counted[b] = nil // room for the next
		}
	}
	return nil
}

func (c *count) newView(w int32, r *storage.Reader) (*view, error) {
	all := c.session.Customers.Reader(r)
	v := &view{count: c, worker: w, storage: r, all: all}
	v.tags = c.session.Stocktakes.beside(r, all).Tags
	v.counted = emptySets(len(c.journal.bounds))
	if c.def.Expanded != "" {
		var err error
		if v.match, err = v.tags.Match(c.def.Expanded); err != nil {
			return nil, err
		}
	}
	for _, a := range c.axes {
		of, err := a.past(v)
		if err != nil {
			return nil, err
		}
		v.axes = append(v.axes, of)
	}
	return v, v.readLater()
}

// readLater finds what changed between the count's state and the view's own.
func (v *view) readLater() error {
	position, err := v.storage.Position()
	if err != nil || position == v.journal.end {
		return err
	}
	x := &reading{store: v.session.Storage}
	if v.usesTags() {
		x.tags = v.tags.Table()
	}
	j, err := x.read(v.ctx, []boundary{{position: v.journal.end}, {position: position}}, position)
	if err != nil {
		return err
	}
	v.later = map[uint64]touched{}
	for _, t := range j.touches {
		first, found := v.later[t.id]
		if !found {
			first = touched{present, present}
		}
		if at := &first.version; !t.tags && *at == present {
			*at = t.version - 1
		} else if at := &first.tags; t.tags && *at == present {
			*at = t.version - 1
		}
		v.later[t.id] = first
	}
	return nil
}

// state is a customer at a boundary.
type state struct {
	tags     uint64             // the version
	customer *customer.Customer // nil for none yet
	gone     bool               // its content was erased since
	meets    bool               // all of the definition that depends on record and tags
}

// place finds where some customers stood.
func (v *view) place(list []changed) error {
	for i := range list {
		if i%256 == 0 && v.ctx.Err() != nil {
			return v.ctx.Err()
		}
		if err := v.placeOne(&list[i]); err != nil {
			return err
		}
	}
	return nil
}

func (v *view) placeOne(x *changed) error {
	last := len(v.counted) - 1
	var now state
	var asked touched // that now is of
	p := placed{id: x.id, worker: v.worker, opening: -1, from: -1}
	for b := range v.counted {
		version, tags := x.versionAt(b)
		if at := (touched{version, tags}); at != asked {
			var err error
			if now, err = v.state(x.id, version, tags); err != nil {
				return err
			}
			asked = at
		}
		if now.customer == nil {
			continue
		}
		v.note(b, &now)
		if b != 0 && b != last || !v.counted[b].Contains(x.id) {
			continue
		}
		at := int32(len(v.rows))
		if err := v.addRows(&now); err != nil {
			return err
		}
		if b == 0 {
			p.opening = at
		} else {
			p.from, p.closing = at, version
		}
	}
	if p.opening >= 0 || p.from >= 0 {
		v.placed = append(v.placed, p)
	}
	return nil
}

// versionAt returns the versions of record and tags at a boundary: 0 for none yet, present
// for what hasn't changed.
func (x *changed) versionAt(b int) (version, tags uint64) {
	if x.created > b {
		return 0, 0
	}
	version, tags = present, present
	if x.created > 0 {
		version = 1
	}
	firstRecord, firstTags := true, true
	for _, t := range x.touches {
		first, at := &firstRecord, &version
		if t.tags {
			first, at = &firstTags, &tags
		}
		if *first && !(x.created > 0 && !t.tags) {
			*at = t.version - 1
		}
		*first = false
		if int(t.step) <= b {
			*at = t.version
		}
	}
	return version, tags
}

// state reads a customer as it was.
func (v *view) state(id, version, tags uint64) (state, error) {
	s := state{tags: tags}
	if version == 0 {
		return s, nil
	}
	if later, found := v.later[id]; found {
		if version == present {
			version = later.version
		}
		if tags == present {
			s.tags = later.tags
		}
	}
	var err error
	if version == present {
		s.customer, err = v.all.Exact(customer.ID(id))
	} else {
		s.customer, err = v.all.AtVersion(customer.ID(id), version)
	}
	if errors.Is(err, customer.ErrErased) {
		s.customer, err = v.erasedAt(id, version)
		s.gone = true
	}
	if err != nil {
		return s, err
	}
	s.meets, err = v.meets(&s)
	return s, err
}

// erasedAt is what is still known of a customer that was erased since.
func (v *view) erasedAt(id, version uint64) (*customer.Customer, error) {
	g, err := v.session.Stocktakes.goneOf(v.storage, customer.ID(id))
	if err != nil {
		return nil, err
	}
	tombstone, err := v.all.Exact(customer.ID(id))
	if err != nil {
		return nil, err
	}
	c := g.at(version)
	c.Created = tombstone.Created
	if len(g.eras) == 0 {
		c.Kind, c.Party, c.Owner = tombstone.Kind, tombstone.Party, tombstone.Owner
	}
	return c, nil
}

func (v *view) meets(s *state) (bool, error) {
	c := s.customer
	switch {
	case !slices.Contains(v.def.statuses(), c.Status),
		len(v.def.Kinds) > 0 && !slices.Contains(v.def.Kinds, c.Kind),
		len(v.def.Parties) > 0 && !slices.Contains(v.def.Parties, c.Party):
		return false, nil
	case v.match == nil:
		return true, nil
	case s.gone:
		return false, nil // nobody can tell any more
	}
	return v.match(Past{Customer: c, Tags: s.tags})
}

// note puts a customer where it stands at a boundary.
func (v *view) note(b int, s *state) {
	id, x := uint64(s.customer.ID), &v.past.extra[b]
	if s.meets && (x.set == nil || x.set.Contains(id)) && (x.units == nil || x.units[s.customer.Owner]) {
		v.counted[b].Add(id)
		return
	}
	status := s.customer.Status
	if status < customer.Archived || slices.Contains(v.def.statuses(), status) {
		return
	}
	if n := len(v.stays); n > 0 {
		if last := &v.stays[n-1]; last.id == id && last.status == status && int(last.to) == b-1 {
			last.to++
			return
		}
	}
	v.stays = append(v.stays, stay{id, int16(b), int16(b), status})
}

// addRows notes the rows of a customer on each axis.
func (v *view) addRows(s *state) error {
	for i := range v.axes {
		at := len(v.rows)
		rows, err := v.axes[i](s, append(v.rows, 0))
		if err != nil {
			return err
		}
		rows[at] = int32(len(rows) - at - 1)
		v.rows = rows
	}
	return nil
}
