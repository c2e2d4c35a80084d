package tagging

import (
	"sync"

	"github.com/clientele-go/clientele/storage/bitset"
)

// plain returns the stored sets whose union a node is, which need not be spread out to be
// counted; false for other nodes.
func plain(x node) ([]*marks, bool) {
	switch x := x.(type) {
	case nothing:
		return nil, true
	case *marks:
		return []*marks{x}, true
	case *union:
		return x.sets, true
	}
	return nil, false
}

// counted is a group as it is counted.
type counted struct {
	node  node
	sets  []*marks // the node's, of which no two have a member in common
	plain bool     // sets say all
}

// countedOf is how groups are counted; sets of an axis whose groups are not disjoint may
// have members in common.
func countedOf(s side) []counted {
	list := make([]counted, len(s.groups))
	for i, g := range s.groups {
		sets, ok := plain(g.node)
		list[i] = counted{g.node, sets, ok && (s.disjoint || len(sets) < 2)}
	}
	return list
}

// labelled makes a cross-tab whose rows exclude one another: each customer of a chunk is
// labelled with its row, and then the members of each column are counted by label.
type labelled struct {
	ev               *evaluation
	rows, columns    side
	ofRow, ofColumn  []counted
	none, outside    uint16 // the labels of members without a row, and of all others
	inRow            []int64
	byColumn         [][]int64 // by column and label; the last is of members without a column
	labels           *bitset.Labels
	members, without bitset.Chunk
}

func newLabelled(ev *evaluation, rows, columns side) *labelled {
	n := len(rows.groups)
	t := &labelled{
		ev: ev, rows: rows, columns: columns, ofRow: countedOf(rows), ofColumn: countedOf(columns),
		none: uint16(n), outside: uint16(n + 1), inRow: make([]int64, n+1),
		byColumn: make([][]int64, len(columns.groups)+1), labels: labels.Get().(*bitset.Labels),
	}
	counts := make([]int64, len(t.byColumn)*(n+2))
	for i := range t.byColumn {
		t.byColumn[i] = counts[i*(n+2):][:n+2]
	}
	return t
}

// labels keep the memory of cross-tabs, 128 KiB each, for later ones.
var labels = sync.Pool{New: func() any { return new(bitset.Labels) }}

func (t *labelled) end() { labels.Put(t.labels) }

func (t *labelled) take(c chunk) error {
	if err := t.takeRows(c); err != nil {
		return err
	}
	return t.takeColumns(c)
}

// takeRows labels the members of a chunk.
func (t *labelled) takeRows(c chunk) error {
	left := c.members.Len()
	if left > bitset.ChunkSize/2 {
		t.labels.Fill(t.none)
		t.members.Fill()
		t.members.AndNot(c.members)
		t.labels.Put(&t.members, t.outside)
	} else {
		t.labels.Fill(t.outside)
		t.labels.Put(c.members, t.none)
	}
	for i := range t.ofRow {
		n, err := t.label(c, &t.ofRow[i], uint16(i))
		if err != nil {
			return err
		}
		t.inRow[i] += int64(n)
		left -= n
	}
	t.inRow[t.none] += int64(left)
	return nil
}

// label labels the members of one row and returns how many they are.
func (t *labelled) label(c chunk, row *counted, label uint16) (n int, err error) {
	if !row.plain {
		t.members = *c.members
		err := row.node.narrow(t.ev, c.number, &t.members)
		t.labels.Put(&t.members, label)
		return t.members.Len(), err
	}
	for _, m := range row.sets {
		stored, err := m.stored(t.ev, c.number)
		if err != nil {
			return 0, err
		}
		if stored == nil {
			continue
		}
		in, err := t.labels.PutStored(stored, c.members, label)
		if err != nil {
			return 0, err
		}
		n += in
	}
	return n, nil
}

// takeColumns counts the members of a chunk, column by column.
func (t *labelled) takeColumns(c chunk) error {
	t.without = *c.members
	for i := range t.ofColumn {
		if err := t.count(c, &t.ofColumn[i], t.byColumn[i]); err != nil {
			return err
		}
	}
	if !t.columns.disjoint { // of disjoint ones it follows from the sums
		t.labels.Count(&t.without, t.byColumn[len(t.ofColumn)])
	}
	return nil
}

func (t *labelled) count(c chunk, column *counted, counts []int64) error {
	if !column.plain {
		t.members = *c.members
		if err := column.node.narrow(t.ev, c.number, &t.members); err != nil {
			return err
		}
		t.labels.Count(&t.members, counts)
		t.without.AndNot(&t.members)
		return nil
	}
	for _, m := range column.sets {
		stored, err := m.stored(t.ev, c.number)
		if err == nil && stored != nil {
			err = t.labels.CountStored(stored, counts)
		}
		if err == nil && stored != nil && !t.columns.disjoint {
			err = t.without.AndNotStored(stored)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *labelled) result(total int64) *CrossTab {
	x := newCrossTab(t.rows.groups, t.columns.groups, total)
	last := len(x.Columns) - 1
	for i, row := range x.Cells {
		x.Rows[i].Count = t.inRow[i]
		without := t.inRow[i]
		for j := range row {
			row[j] = t.byColumn[j][i]
			without -= row[j]
		}
		if t.columns.disjoint {
			row[last] = without
		}
		for j, n := range row {
			x.Columns[j].Count += n
		}
	}
	return x
}

// paired makes a cross-tab of which customers can be in several rows and several columns:
// each row is compared with each column.
type paired struct {
	ev            *evaluation
	rows, columns side
	inRow         []*bitset.Chunk // the present chunk's members by row
	cells         *CrossTab
	members, rest bitset.Chunk // rest are members without a row, or without a column
}

func newPaired(ev *evaluation, rows, columns side) *paired {
	t := &paired{ev: ev, rows: rows, columns: columns, cells: newCrossTab(rows.groups, columns.groups, 0)}
	for range t.cells.Rows {
		t.inRow = append(t.inRow, ev.chunk())
	}
	return t
}

func (t *paired) take(c chunk) error {
	err := t.share(c, t.rows.groups, func(row int, members *bitset.Chunk) {
		t.cells.Rows[row].Count += int64(members.Len())
		*t.inRow[row] = *members
	})
	if err != nil {
		return err
	}
	return t.share(c, t.columns.groups, func(column int, members *bitset.Chunk) {
		t.cells.Columns[column].Count += int64(members.Len())
		for row, in := range t.inRow {
			t.cells.Cells[row][column] += int64(in.AndLen(members))
		}
	})
}

// share calls put with the members of a chunk in each group, and last with those in none.
func (t *paired) share(c chunk, groups []group, put func(group int, members *bitset.Chunk)) error {
	t.rest = *c.members
	for i, g := range groups {
		t.members = *c.members
		if err := g.node.narrow(t.ev, c.number, &t.members); err != nil {
			return err
		}
		t.rest.AndNot(&t.members)
		put(i, &t.members)
	}
	put(len(groups), &t.rest)
	return nil
}

func (t *paired) end() {}

func (t *paired) result(total int64) *CrossTab {
	t.cells.Total = total
	return t.cells
}
