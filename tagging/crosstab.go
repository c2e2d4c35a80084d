package tagging

import (
	"fmt"

	"github.com/clientele-go/clientele/customer"
)

// CrossTab is customers counted by two axes. A customer with several tags of a dimension
// counts in each of their rows or columns, so sums can exceed counts.
type CrossTab struct {
	Rows, Columns []Bucket  // the last of each is None
	Cells         [][]int64 // by row, then by column
	Total         int64     // customers that the query matches, each once
}

// maxCells bounds a cross-tab.
const maxCells = 1_000_000

// CrossTab counts the customers that a query matches by two axes. Rows and columns are
// the buckets that [Reader.Facet] would return. Where the rows or the columns exclude one
// another, as the tags of an exclusive dimension do, it costs one pass over the members of
// rows and columns, a nanosecond each; otherwise a quarter of a microsecond for each cell
// and 65,536 customers.
func (r *Reader) CrossTab(q Query, rows, columns Axis) (*CrossTab, error) {
	p, err := r.planner(q)
	if err != nil {
		return nil, err
	}
	root, err := p.query(q)
	if err != nil {
		return nil, err
	}
	down, err := p.side(rows)
	if err != nil {
		return nil, err
	}
	across, err := p.side(columns)
	if err != nil {
		return nil, err
	}
	if cells := len(across.groups) * len(down.groups); cells > maxCells {
		return nil, &Error{Op: "group", Value: fmt.Sprint(cells), Code: customer.CodeTooLong, Problem: fmt.Sprintf("are more than %d cells", maxCells), Remedy: "group by a higher level or a longer period", Err: ErrInvalid}
	}
	found, err := tabulate(&plan{root: root, ev: p.evaluation(block)}, down, across)
	if err != nil {
		return nil, err
	}
	return found.withCustomers(), nil
}

// side are the rows or the columns of a cross-tab.
type side struct {
	groups   []group
	disjoint bool // no customer is in two groups
}

func (p *planner) side(a Axis) (side, error) {
	if f, err := p.axisField(a); err != nil {
		return side{}, err
	} else if f != nil && f.Source == customer.FromIndex {
		return side{}, &Error{Op: "cross-tabulate", Field: a.Field, Code: customer.CodeMalformed, Problem: "is not kept as sets", Remedy: "declare it as an Enum or a Boolean, or use Facet", Err: ErrInvalid}
	}
	groups, err := p.groups(a)
	return side{groups, p.disjoint(a)}, err
}

// disjoint reports whether no customer can be in two groups of an axis.
func (p *planner) disjoint(a Axis) bool {
	d := p.cat.byCode[a.Field]
	return d == nil || d.Exclusive
}

// tabulate counts all cells of a plan.
func tabulate(p *plan, rows, columns side) (*CrossTab, error) {
	if !rows.disjoint && columns.disjoint {
		turned, err := tabulate(p, columns, rows)
		if err != nil {
			return nil, err
		}
		return turned.turn(), nil
	}
	tables, err := countShares(p.share(rows, columns), share.tabulate)
	if err != nil {
		return nil, err
	}
	for _, more := range tables[1:] {
		tables[0].add(more)
	}
	return tables[0], nil
}

// tabulate counts the cells of a share, whose axes are rows and columns.
func (s share) tabulate() (*CrossTab, error) {
	rows, columns := s.axes[0], s.axes[1]
	var t interface {
		take(c chunk) error
		result(total int64) *CrossTab
		end()
	}
	if rows.disjoint {
		t = newLabelled(s.ev, rows, columns)
	} else {
		t = newPaired(s.ev, rows, columns)
	}
	defer t.end()
	total := int64(0)
	for c, err := range s.chunks() {
		if err == nil {
			total += int64(c.members.Len())
			err = t.take(c)
		}
		if err != nil {
			return nil, err
		}
	}
	return t.result(total), nil
}

// add counts the customers of another share.
func (t *CrossTab) add(o *CrossTab) {
	t.Total += o.Total
	addCounts(t.Rows, o.Rows)
	addCounts(t.Columns, o.Columns)
	for i, row := range o.Cells {
		for j, n := range row {
			t.Cells[i][j] += n
		}
	}
}

// newCrossTab has a cell for every pair of groups, with None.
func newCrossTab(rows, columns []group, total int64) *CrossTab {
	t := &CrossTab{Rows: bucketsOf(rows), Columns: bucketsOf(columns), Total: total}
	t.Cells = make([][]int64, len(t.Rows))
	for i := range t.Cells {
		t.Cells[i] = make([]int64, len(t.Columns))
	}
	return t
}

// turn makes rows of columns.
func (t *CrossTab) turn() *CrossTab {
	turned := &CrossTab{Rows: t.Columns, Columns: t.Rows, Total: t.Total, Cells: make([][]int64, len(t.Columns))}
	for j := range t.Columns {
		turned.Cells[j] = make([]int64, len(t.Rows))
		for i := range t.Rows {
			turned.Cells[j][i] = t.Cells[i][j]
		}
	}
	return turned
}

// withCustomers leaves rows and columns out as Facet does.
func (t *CrossTab) withCustomers() *CrossTab {
	cells := make([][]int64, 0, len(t.Cells))
	for i, row := range t.Rows {
		if !row.isLeftOut() {
			cells = append(cells, keepColumns(t.Cells[i], t.Columns))
		}
	}
	return &CrossTab{Rows: withCustomers(t.Rows), Columns: withCustomers(t.Columns), Cells: cells, Total: t.Total}
}

func keepColumns(row []int64, columns []Bucket) []int64 {
	kept := make([]int64, 0, len(row))
	for i, n := range row {
		if !columns[i].isLeftOut() {
			kept = append(kept, n)
		}
	}
	return kept
}
