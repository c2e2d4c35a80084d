package stocktake

import (
	"cmp"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// dividing is the tables being made, 65,536 neighbouring customers at a time.
type dividing struct {
	*count
	chunk         uint64
	opening, last *bitset.Chunk   // who counts at the opening and the closing
	created       *bitset.Chunk   // of them in the period
	same          [2]bitset.Chunk // who of them the present sets tell about
	placed        []placed        // of this chunk
	axes          []*divided
	crosses       []*crossing
	amounts       []*amounts
	total         figures
}

// divided is one axis.
type divided struct {
	*axis
	rows         [2]map[int32]*bitset.Chunk // at the opening and the closing, those that have members
	sums         []tableRow                 // by row
	free         []*bitset.Chunk
	shown        bitset.Source // who isn't hidden, nil for everybody
	none, hidden int32
}

type tableRow struct {
	Row
	figures figures
}

// crossing is a cross-tab.
type crossing struct {
	rows, columns *divided
	cells         map[[2]int32]int64
}

const (
	atOpening = 0
	atClosing = 1
)

// divide makes the tables by dimensions.
func (c *count) divide() error {
	d := &dividing{count: c, total: figures{}}
	if err := d.begin(); err != nil {
		return err
	}
	end := max(c.counted[0].Chunks(), c.counted[len(c.counted)-1].Chunks())
	for d.chunk = range end {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if err := d.take(); err != nil {
			return err
		}
	}
	for _, a := range d.axes {
		if !a.inner {
			c.result.Dimensions = append(c.result.Dimensions, a.table())
		}
	}
	for _, x := range d.crosses {
		c.result.CrossTabs = append(c.result.CrossTabs, x.table())
	}
	c.result.Figures = d.total.list()
	return nil
}

func (d *dividing) begin() error {
	access := d.reader.customers.Access()
	d.missing = map[string]*bitset.Set{}
	for _, base := range bases {
		d.missing[base.code] = &bitset.Set{}
	}
	byCode := map[string]*divided{}
	for _, a := range d.count.axes {
		x := &divided{axis: a, rows: [2]map[int32]*bitset.Chunk{{}, {}}}
		if access != nil && a.field != "" {
			x.shown = access.WithinUnmasked(a.field)
		}
		x.none, _ = a.row("", known(labelNone))
		x.hidden, _ = a.row(KeyHidden, known(labelHidden))
		d.axes, byCode[a.code] = append(d.axes, x), x
	}
	for _, pair := range d.def.CrossTabs {
		d.crosses = append(d.crosses, &crossing{byCode[pair[0]], byCode[pair[1]], map[[2]int32]int64{}})
	}
	var err error
	d.amounts, err = d.count.amounts()
	return err
}

var noMembers bitset.Chunk

func chunkOf(s *bitset.Set, n uint64) *bitset.Chunk {
	if c := s.Chunk(n); c != nil {
		return c
	}
	return &noMembers
}

// take adds a chunk of customers to all tables.
func (d *dividing) take() error {
	d.opening, d.last = chunkOf(d.counted[0], d.chunk), chunkOf(d.counted[len(d.counted)-1], d.chunk)
	if d.opening.Empty() && d.last.Empty() {
		return nil
	}
	d.created = chunkOf(d.terms[termNew], d.chunk)
	d.same = [2]bitset.Chunk{*d.opening, *d.last}
	for i := range d.same {
		d.same[i].AndNot(chunkOf(d.past.touched, d.chunk))
	}
	d.placed = d.past.within(d.chunk)
	for i, a := range d.axes {
		if err := d.fill(i, a); err != nil {
			return err
		}
		d.countRows(a)
	}
	for _, x := range d.crosses {
		x.count()
	}
	for _, m := range d.amounts {
		if err := d.sum(m); err != nil {
			return err
		}
	}
	for _, a := range d.axes {
		a.clear()
	}
	return nil
}

// within returns the changed customers of a chunk.
func (p *past) within(chunk uint64) []placed {
	at := func(id uint64) int {
		i, _ := slices.BinarySearchFunc(p.placed, id, func(x placed, id uint64) int { return cmp.Compare(x.id, id) })
		return i
	}
	return p.placed[at(chunk*bitset.ChunkSize):at((chunk+1)*bitset.ChunkSize)]
}

// rowsOf calls do with the rows of a changed customer on an axis, from where its rows are.
func (p *past) rowsOf(x *placed, from int32, axis int, do func(row int32)) (any bool) {
	rows := p.rows[x.worker][from:]
	for range axis {
		rows = rows[1+rows[0]:]
	}
	for _, row := range rows[1 : 1+rows[0]] {
		do(row)
	}
	return rows[0] > 0
}

// fill finds the members of the axis's rows.
func (d *dividing) fill(i int, a *divided) error {
	left := d.same
	if a.shown != nil {
		if err := d.hide(a, &left); err != nil {
			return err
		}
	}
	shown := left
	var members bitset.Chunk
	for _, m := range a.marks {
		members.Clear()
		if err := m.add(d.chunk, &members); err != nil {
			return err
		}
		for at := range shown {
			if members.AndLen(&shown[at]) > 0 {
				part := members
				part.And(&shown[at])
				a.set(at, m.row).Or(&part)
				left[at].AndNot(&part)
			}
		}
	}
	for at := range left {
		if !left[at].Empty() {
			a.set(at, a.none).Or(&left[at])
		}
	}
	for p := range d.placed {
		x := &d.placed[p]
		for at, from := range [2]int32{x.opening, x.from} {
			if from < 0 {
				continue
			}
			low := uint16(x.id % bitset.ChunkSize)
			if a.shown != nil {
				if has, err := a.shown.Has(x.id); err != nil || !has {
					a.set(at, a.hidden).Add(low)
					if err != nil {
						return err
					}
					continue
				}
			}
			if !d.past.rowsOf(x, from, i, func(row int32) { a.set(at, row).Add(low) }) {
				a.set(at, a.none).Add(low)
			}
		}
	}
	return nil
}

// hide moves those whose value the session doesn't see.
func (d *dividing) hide(a *divided, left *[2]bitset.Chunk) error {
	var shown bitset.Chunk
	end, err := a.shown.End()
	if err == nil && d.chunk < end {
		err = a.shown.Read(d.chunk, &shown)
	}
	for at := range left {
		hidden := left[at]
		hidden.AndNot(&shown)
		if !hidden.Empty() {
			a.set(at, a.hidden).Or(&hidden)
		}
		left[at].And(&shown)
	}
	return err
}

// set is the members of a row at the opening or the closing.
func (a *divided) set(at int, row int32) *bitset.Chunk {
	if c := a.rows[at][row]; c != nil {
		return c
	}
	var c *bitset.Chunk
	if n := len(a.free); n > 0 {
		c, a.free = a.free[n-1], a.free[:n-1]
		c.Clear()
	} else {
		c = new(bitset.Chunk)
	}
	a.rows[at][row] = c
	return c
}

func (a *divided) clear() {
	for at := range a.rows {
		for row, c := range a.rows[at] {
			a.free = append(a.free, c)
			delete(a.rows[at], row)
		}
	}
}

// sum is the table's row of a value.
func (a *divided) sum(row int32) *tableRow {
	for int(row) >= len(a.sums) {
		a.sums = append(a.sums, tableRow{figures: figures{}})
	}
	return &a.sums[row]
}

// countRows adds the present chunk to the axis's table.
func (d *dividing) countRows(a *divided) {
	if none, missing := a.rows[atClosing][a.none], d.missing[a.code]; none != nil && missing != nil {
		missing.Own(d.chunk).Or(none)
	}
	if a.inner {
		return
	}
	for row, members := range a.rows[atOpening] {
		r := a.sum(row)
		r.Opening += int64(members.Len())
		stayed := members.AndLen(d.last)
		r.Lost += int64(members.Len() - stayed)
		if now := a.rows[atClosing][row]; now != nil {
			stayed -= members.AndLen(now)
		}
		r.MovedOut += int64(stayed)
	}
	for row, members := range a.rows[atClosing] {
		r := a.sum(row)
		r.Closing += int64(members.Len())
		before := members.AndLen(d.opening)
		r.Gained += int64(members.Len() - before)
		r.New += int64(members.AndLen(d.created))
		if then := a.rows[atOpening][row]; then != nil {
			before -= members.AndLen(then)
		}
		r.MovedIn += int64(before)
		if d.classes == nil {
			continue
		}
		in := func(class Class) int64 {
			return int64(members.AndLen(chunkOf(d.classes.closing[class], d.chunk)))
		}
		r.Active += in(ClassNew) + in(ClassActive) + in(ClassReturning)
		r.Dormant += in(ClassDormant)
		r.Gone += in(ClassLost) + in(ClassNever)
	}
}

func (x *crossing) count() {
	for row, members := range x.rows.rows[atClosing] {
		for column, others := range x.columns.rows[atClosing] {
			if n := members.AndLen(others); n > 0 {
				x.cells[[2]int32{row, column}] += int64(n)
			}
		}
	}
}

// order returns the rows that have customers, in the order to show: none, erased and
// hidden come last.
func (a *divided) order() []int32 {
	var order []int32
	for row := range a.sums {
		if r := &a.sums[row]; r.Opening != 0 || r.Closing != 0 {
			order = append(order, int32(row))
		}
	}
	special := func(row int32) int {
		return slices.Index([]string{"", KeyErased, KeyHidden}, a.axis.rows[row].key)
	}
	slices.SortFunc(order, func(x, y int32) int {
		if by := cmp.Compare(special(x), special(y)); by != 0 {
			return by
		}
		if a.ordered {
			if by := cmp.Compare(a.rank(x), a.rank(y)); by != 0 {
				return by
			}
		} else if by := cmp.Compare(a.sums[y].Closing, a.sums[x].Closing); by != 0 {
			return by
		}
		return cmp.Compare(a.axis.rows[x].key, a.axis.rows[y].key)
	})
	return order
}

// rank is the place of a row in its dimension's own order; rows of equal rank are in the
// order of their keys.
func (a *divided) rank(row int32) int {
	if a.values == nil {
		return 0
	}
	return slices.Index(a.values, a.axis.rows[row].key)
}

func (a *divided) table() Dimension {
	d := Dimension{Code: a.code, Title: a.title, Many: a.many}
	order, rest := a.order(), figures{}
	for i, row := range order {
		r := a.sums[row].Row
		r.Key, r.Label = a.axis.rows[row].key, a.axis.rows[row].label
		r.Figures = a.sums[row].figures.list()
		if i < MaxRows {
			d.Rows = append(d.Rows, r)
			continue
		}
		if d.Rest == nil {
			d.Rest = &Row{Key: KeyRest, Label: labelRest}
		}
		d.Rest.add(&r)
		d.Omitted++
		for key, f := range a.sums[row].figures {
			rest.add(key, f.Amount, f.Customers)
		}
	}
	if d.Rest != nil {
		d.Rest.Figures = rest.list()
	}
	return d
}

// add adds another row's counts.
func (r *Row) add(o *Row) {
	r.Opening, r.Gained, r.New, r.Lost = r.Opening+o.Opening, r.Gained+o.Gained, r.New+o.New, r.Lost+o.Lost
	r.MovedIn, r.MovedOut, r.Closing = r.MovedIn+o.MovedIn, r.MovedOut+o.MovedOut, r.Closing+o.Closing
	r.Active, r.Dormant, r.Gone = r.Active+o.Active, r.Dormant+o.Dormant, r.Gone+o.Gone
}

// maxCross bounds the rows and columns of a cross-tab, but for those of the rest.
const maxCross = 50

func (x *crossing) table() CrossTab {
	t := CrossTab{Rows: x.rows.code, Columns: x.columns.code, RowTitle: x.rows.title, ColumnTitle: x.columns.title}
	var row, column map[int32]int
	t.RowKeys, t.RowLabels, row = x.rows.crossed()
	t.ColumnKeys, t.ColLabels, column = x.columns.crossed()
	for range t.RowKeys {
		t.Cells = append(t.Cells, make([]int64, len(t.ColumnKeys)))
	}
	for at, n := range x.cells {
		t.Cells[row[at[0]]][column[at[1]]] += n
	}
	return t
}

// crossed returns the values at the closing, what is beyond maxCross as one, and the place
// of each row among them.
func (a *divided) crossed() (keys []string, labels []customer.Names, place map[int32]int) {
	place = map[int32]int{}
	for _, row := range a.order() {
		if a.sums[row].Closing == 0 {
			continue
		}
		if place[row] = min(len(place), maxCross); place[row] < maxCross {
			keys, labels = append(keys, a.axis.rows[row].key), append(labels, a.axis.rows[row].label)
		}
	}
	if len(place) > maxCross {
		keys, labels = append(keys, KeyRest), append(labels, labelRest)
	}
	return keys, labels, place
}
