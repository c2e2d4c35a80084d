package stocktake

import "github.com/clientele-go/clientele/customer"

// RunChange is what differs between two runs.
type RunChange struct {
	From, To   *Run
	Came, Went int64 // customers that count at one closing and not at the other
	Dimensions []DimensionChange
}

// DimensionChange compares a dimension that both runs have, row by row. Rows and Rest
// together are all customers of either run's dimension.
type DimensionChange struct {
	Code  string
	Title customer.Names
	// Rows are those that either run has by name: those of the later, and then those that
	// only the earlier has.
	Rows []RowChange
	// Rest is what a run's table has only as a sum, since it has more than MaxRows values;
	// nil when both have all by name.
	Rest *RowChange
	// Omitted is how many values are in the rests of the two: no row says what became of one
	// that is in both.
	OmittedFrom, OmittedTo int
}

// RowChange is a row's closing counts.
type RowChange struct {
	Key      string
	Label    customer.Names
	From, To int64
	// FromRest and ToRest tell that the run's table may have the value among its rest: its
	// count is not known, and not in From or To.
	FromRest, ToRest bool
}

// Compare tells how the closing of one run differs from that of another.
func (r *Reader) Compare(from, to RunID) (*RunChange, error) {
	a, err := r.Result(from)
	if err != nil {
		return nil, err
	}
	b, err := r.Result(to)
	if err != nil {
		return nil, err
	}
	x := &RunChange{}
	if x.From, err = r.Run(from); err != nil {
		return nil, err
	}
	if x.To, err = r.Run(to); err != nil {
		return nil, err
	}
	before, err := r.membersOf(x.From.Digest, termClosing)
	if err != nil {
		return nil, err
	}
	after, err := r.membersOf(x.To.Digest, termClosing)
	if err != nil {
		return nil, err
	}
	both := before.Clone()
	both.And(after)
	x.Came, x.Went = after.Len()-both.Len(), before.Len()-both.Len()
	for _, d := range b.Dimensions {
		for _, o := range a.Dimensions {
			if o.Code == d.Code {
				x.Dimensions = append(x.Dimensions, dimensionChange(&o, &d))
			}
		}
	}
	return x, nil
}

// dimensionChange has the rows of the newer one, and then those that only the older has.
func dimensionChange(from, to *Dimension) DimensionChange {
	x := DimensionChange{Code: to.Code, Title: to.Title, OmittedFrom: from.Omitted, OmittedTo: to.Omitted}
	at := map[string]int{}
	for _, row := range to.Rows {
		at[row.Key] = len(x.Rows)
		x.Rows = append(x.Rows, RowChange{Key: row.Key, Label: row.Label, To: row.Closing, FromRest: from.Rest != nil})
	}
	for _, row := range from.Rows {
		if i, found := at[row.Key]; found {
			x.Rows[i].From, x.Rows[i].FromRest = row.Closing, false
			continue
		}
		x.Rows = append(x.Rows, RowChange{Key: row.Key, Label: row.Label, From: row.Closing, ToRest: to.Rest != nil})
	}
	if from.Rest != nil || to.Rest != nil {
		x.Rest = &RowChange{Key: KeyRest, Label: labelRest, From: from.Rest.closing(), To: to.Rest.closing()}
	}
	return x
}

// closing is the row's count at the closing; that of no row is 0.
func (r *Row) closing() int64 {
	if r == nil {
		return 0
	}
	return r.Closing
}
