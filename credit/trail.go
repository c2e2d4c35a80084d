package credit

import (
	"cmp"
	"slices"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Trail is what the journal tells of receivables since a position, for HeldAt: which
// items changed hands by merges and their undoing, and what was posted on a day that a
// report of the past counts as known, though after its instant. Fill it with the
// journal's entries in their order; the zero Trail tells of no change. It takes 24
// bytes for each, and is not safe for concurrent use.
type Trail struct {
	moved       []trace
	items       []trace // posted late on a day
	allocations []trace
}

// trace is a change of a record.
type trace struct {
	id       uint64
	version  uint64 // that the change made
	position kv.Position
}

// Add adds an entry of the journal. known is the latest day, UTC, of the instants before
// the entry that will be asked about: what was posted on a later day isn't known to them.
func (t *Trail) Add(entry *storage.Change, known date.Date) error {
	late := date.Of(entry.Time) <= known
	for i := range entry.Ops {
		op := &entry.Ops[i]
		var list *[]trace
		switch {
		case op.Table == TableItem && op.Action == uint8(Moved):
			list = &t.moved
		case op.Table == TableItem && op.Version == 1 && late:
			list = &t.items
		case op.Table == TableAllocation && op.Version == 1 && late:
			list = &t.allocations
		default:
			continue
		}
		id, _, err := op.Key.CutUint()
		if err != nil {
			return &Error{Op: "read journal", Err: err}
		}
		*list = append(*list, trace{id, op.Version, entry.Position})
	}
	return nil
}

// since returns what was done after a position.
func since(list []trace, position kv.Position) []trace {
	i, _ := slices.BinarySearchFunc(list, position+1, func(t trace, p kv.Position) int { return cmp.Compare(t.position, p) })
	return list[i:]
}
