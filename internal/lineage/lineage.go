package lineage

import (
	"cmp"
	"slices"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Lineage is what a survivor's elements are made of. The zero Lineage is that of a customer
// into which none was merged.
type Lineage struct {
	Own string // the survivor's own elements, in the caller's form
	// Left are all elements as the last merge or undoing left them, for a caller that finds
	// edits by comparing with them rather than as they are made.
	Left string

	merges uint64            // so far; numbers the gifts
	edited map[string]uint64 // how many merges there had been when an element was last edited
	rest   string
}

// Gift is what one loser brought.
type Gift struct {
	Loser    uint64
	Elements string // in the caller's form

	merge uint64 // its number among the survivor's merges
	rest  string
}

// Edit notes that people changed or removed an element since the last merge or undoing:
// no gift of a merge until now says anything of it any more.
func (l *Lineage) Edit(element string) {
	if l.edited == nil {
		l.edited = map[string]uint64{}
	}
	l.edited[element] = l.merges
}

// Counts reports whether a gift's element still counts: it was not edited since.
func (l *Lineage) Counts(g *Gift, element string) bool {
	return l.edited[element] < g.merge
}

// Table keeps the lineages of one kind of elements. It is a description, made once, and
// safe for concurrent use with different transactions.
type Table struct {
	rows *storage.Table[rowKey, *row]
}

// rowKey is a survivor and a loser, which is 0 for the survivor's own row.
type rowKey struct{ survivor, loser uint64 }

// New returns a table by its id in the key space.
func New(id uint8, label string) *Table {
	return &Table{&storage.Table[rowKey, *row]{ID: id, Label: label, Key: rowKeyCodec, Append: appendRow, Decode: decodeRow}}
}

// AddTo adds the table to a book's schema.
func (t *Table) AddTo(schema *storage.Schema) { schema.Tables = append(schema.Tables, t.rows) }

// Of returns a survivor's lineage, nil when nobody brought it anything. It costs one read.
func (t *Table) Of(r *storage.Reader, survivor uint64) (*Lineage, error) {
	own, found, err := t.rows.Find(r, rowKey{survivor, 0})
	if err != nil || !found {
		return nil, err
	}
	return &own.lineage, nil
}

// BroughtBut is Brought for all losers but one, whose own gift is apart, nil when it has none: it
// brought nothing, or was merged before there were lineages.
func (t *Table) BroughtBut(r *storage.Reader, survivor, loser uint64) (others []Gift, gift *Gift, err error) {
	gifts, err := t.Brought(r, survivor)
	if err != nil {
		return nil, nil, err
	}
	at := slices.IndexFunc(gifts, func(g Gift) bool { return g.Loser == loser })
	if at < 0 {
		return gifts, nil, nil
	}
	apart := gifts[at]
	return slices.Delete(gifts, at, at+1), &apart, nil
}

// Brought returns what the losers that are still merged brought a survivor, in the order of
// their merges. It costs a scan over them.
func (t *Table) Brought(r *storage.Reader, survivor uint64) ([]Gift, error) {
	var gifts []Gift
	for own, err := range t.rows.Records(r, kv.Prefix(storage.Key(nil).Uint(survivor)), false) {
		if err != nil {
			return nil, err
		}
		if own.gift.Loser != 0 {
			gifts = append(gifts, own.gift)
		}
	}
	slices.SortFunc(gifts, func(a, b Gift) int { return cmp.Compare(a.merge, b.merge) })
	return gifts, nil
}

// Give stores what a loser brings a survivor, and the survivor's lineage after it.
func (t *Table) Give(tx *storage.Tx, survivor, loser uint64, l *Lineage, elements string) error {
	l.merges++
	gift := row{gift: Gift{Loser: loser, Elements: elements, merge: l.merges}}
	if err := t.rows.Insert(tx, rowKey{survivor, loser}, &gift, 0); err != nil {
		return err
	}
	return t.Put(tx, survivor, l)
}

// Put stores a survivor's lineage after an edit.
func (t *Table) Put(tx *storage.Tx, survivor uint64, l *Lineage) error {
	return t.rows.Put(tx, rowKey{survivor, 0}, &row{lineage: *l}, 0)
}

// TakeBack removes what a loser brought, nothing or not, and stores the survivor's lineage
// after it, of which the remaining gifts are told. With the last of them it goes.
func (t *Table) TakeBack(tx *storage.Tx, survivor, loser uint64, l *Lineage, remaining []Gift) error {
	if err := t.rows.Forget(tx, rowKey{survivor, loser}, 0); err != nil {
		return err
	}
	if len(remaining) == 0 {
		return t.rows.Forget(tx, rowKey{survivor, 0}, 0)
	}
	for element, merges := range l.edited {
		if merges < remaining[0].merge { // which concerns none of them
			delete(l.edited, element)
		}
	}
	return t.Put(tx, survivor, l)
}

// Forget removes a survivor's lineage with all gifts for good, as when it is erased.
func (t *Table) Forget(tx *storage.Tx, survivor uint64) error {
	gifts, err := t.Brought(&tx.Reader, survivor)
	if err != nil {
		return err
	}
	for _, g := range append(gifts, Gift{}) { // its own row is that of loser 0
		if err := t.rows.Forget(tx, rowKey{survivor, g.Loser}, 0); err != nil {
			return err
		}
	}
	return nil
}
