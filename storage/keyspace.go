package storage

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/clientele-go/clientele/storage/kv"
)

// verifyKeySpace reports keys that nothing declared accounts for: those of a table that
// this program doesn't know, and stray ones.
func (s *Store) verifyKeySpace(r *Reader, report *Report) error {
	from := []byte{spaceMeta}
	for _, known := range s.schema.ranges() {
		if err := reportStrays(r, kv.Range{Lower: from, Upper: known.Lower}, report); err != nil {
			return err
		}
		from = known.Upper
	}
	return reportStrays(r, kv.Range{Lower: from}, report)
}

// ranges are the parts of the key space that the schema accounts for, ascending.
func (s *Schema) ranges() []kv.Range {
	known := []kv.Range{kv.Point(metaKey)}
	add := func(prefix ...byte) { known = append(known, kv.Prefix(prefix)) }
	for _, t := range s.Tables {
		layout := t.describe()
		add(spaceRecord, layout.id)
		for _, x := range layout.indexes {
			add(spaceIndex, layout.id, x.id)
		}
		if layout.history {
			add(spaceHistory, layout.id)
		}
		for _, tally := range layout.tallies {
			add(spaceCounter, tally.id)
		}
		for _, b := range layout.bitmaps {
			add(spaceBitmap, b.id)
			add(spaceBitmapVersion, b.id)
		}
	}
	for _, q := range s.Sequences {
		add(spaceSequence, q.ID)
	}
	for _, c := range s.Counters {
		add(spaceCounter, c.ID)
	}
	add(spaceLedger)
	add(spacePurge)
	add(spaceState)
	slices.SortFunc(known, func(a, b kv.Range) int { return bytes.Compare(a.Lower, b.Lower) })
	return known
}

// reportStrays reports the keys of a range, together for each first two bytes.
func reportStrays(r *Reader, keys kv.Range, report *Report) error {
	if keys.Upper != nil && bytes.Compare(keys.Lower, keys.Upper) >= 0 {
		return nil
	}
	var space []byte
	n := 0
	end := func() {
		if n > 0 {
			report.add(Difference{Where: "key space", Key: fmt.Sprintf("% x", space), Problem: fmt.Sprintf("%d keys of nothing that is declared; was the book opened without an embedder's table?", n)})
		}
	}
	for e, err := range r.scan(keys, false) {
		if err != nil {
			return err
		}
		if first := e.Key[:min(2, len(e.Key))]; n == 0 || !bytes.Equal(first, space) {
			end()
			space, n = bytes.Clone(first), 0
		}
		n++
	}
	end()
	return nil
}

// lastNumber is the highest number of the table's sequence that a record has or had, 0
// for none.
func (l *layout) lastNumber(r *Reader) (last uint64, err error) {
	for _, space := range []byte{spaceRecord, spaceHistory} {
		for e, err := range r.scan(kv.Prefix([]byte{space, l.id}), true) {
			if err != nil {
				return 0, err
			}
			n, _, err := Key(e.Key[2:]).CutUint()
			if err != nil {
				return 0, err
			}
			last = max(last, n)
			break
		}
	}
	return last, nil
}

// checkNumbers reports a sequence that would give a number once more: a new record
// would then take the place of another.
func (l *layout) checkNumbers(r *Reader, report *Report) error {
	if l.numbers == nil {
		return nil
	}
	last, err := l.lastNumber(r)
	if err != nil {
		return err
	}
	value, found, err := r.get(l.numbers.key(nil))
	if err != nil {
		return err
	}
	problem := ""
	switch next, err := readNext(value, found); {
	case err != nil:
		problem = err.Error()
	case next <= last:
		problem = fmt.Sprintf("would give out %d next, but %d is in use", next, last)
	default:
		return nil
	}
	report.add(Difference{Where: l.label, Key: "sequence " + l.numbers.Name, Problem: problem, Derived: true})
	return nil
}

// repairNumbers moves the sequence behind the numbers in use.
func (l *layout) repairNumbers(ctx context.Context, s *Store) (changed int, err error) {
	if l.numbers == nil {
		return 0, nil
	}
	var last uint64
	err = s.View(ctx, func(r *Reader) error {
		last, err = l.lastNumber(r)
		return err
	})
	if err != nil {
		return 0, err
	}
	return s.skipNumbers(ctx, l.numbers.key(nil), last)
}
