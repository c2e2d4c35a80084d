package storage

import (
	"fmt"
	"slices"
	"strings"
)

// The first byte of every key says what it is. 0x00 belongs to the engine.
const (
	spaceMeta          = 0x01 // the book: format, id, creation
	spaceRecord        = 0x02 // table, primary key -> record
	spaceIndex         = 0x03 // table, index, index key [, primary key] -> nothing, or primary key
	spaceHistory       = 0x04 // table, primary key, version -> an earlier record
	spaceSequence      = 0x05 // sequence -> the next number to lease
	spaceCounter       = 0x06 // counter, key -> merged count
	spaceLedger        = 0x07 // chunk -> up to 256 hashes of the Merkle log
	spacePurge         = 0x08 // hash of an erased key -> the key, its index entries: bytes still on disk
	spaceBitmap        = 0x09 // bitmap, key, chunk -> the records of 65,536 that are under the key
	spaceBitmapVersion = 0x0a // bitmap, chunk -> merged count of its changes
	spaceState         = 0x0b // table, space, part -> what made an index, tally or bitmap
)

// Schema lists everything that a book stores. Ids are one byte each, are written
// into every key, and are never given to anything else later.
type Schema struct {
	Tables    []AnyTable
	Sequences []*Sequence
	Counters  []*Counter
}

// AnyTable is a [Table] of whatever types.
type AnyTable interface {
	Name() string
	describe() *layout
}

// FirstOwnID is the first id of an embedder's own tables, sequences and counters.
const FirstOwnID = 128

// Extend adds an embedder's own tables, sequences and counters, and validates the
// whole.
func (s *Schema) Extend(own Schema) error {
	for _, t := range own.Tables {
		layout := t.describe()
		if err := ownID("table", t.Name(), layout.id); err != nil {
			return err
		}
		for _, tally := range layout.tallies {
			if err := ownID("tally", tally.label, tally.id); err != nil {
				return err
			}
		}
		for _, b := range layout.bitmaps {
			if err := ownID("bitmap", b.label, b.id); err != nil {
				return err
			}
		}
	}
	for _, q := range own.Sequences {
		if err := ownID("sequence", q.Name, q.ID); err != nil {
			return err
		}
	}
	for _, c := range own.Counters {
		if err := ownID("counter", c.Name, c.ID); err != nil {
			return err
		}
	}
	s.Tables = append(s.Tables, own.Tables...)
	s.Sequences = append(s.Sequences, own.Sequences...)
	s.Counters = append(s.Counters, own.Counters...)
	return s.Validate()
}

func ownID(what, name string, id uint8) error {
	if id < FirstOwnID {
		return fmt.Errorf("storage: %w: %s %s has the id %d; an embedder's ids are from %d to 255", ErrInvalid, what, name, id, FirstOwnID)
	}
	return nil
}

// Validate reports ids or names that occur twice.
func (s *Schema) Validate() error {
	seen := map[string]string{}
	take := func(what, name string) error {
		if other, taken := seen[what]; taken {
			return fmt.Errorf("storage: %w: %s is used by %s and by %s", ErrInvalid, what, other, name)
		}
		seen[what] = name
		return nil
	}
	for _, t := range s.Tables {
		layout := t.describe()
		if err := take(fmt.Sprintf("table id %d", layout.id), t.Name()); err != nil {
			return err
		}
		for _, x := range layout.indexes {
			if err := take(fmt.Sprintf("index id %d of table %s", x.id, t.Name()), x.label); err != nil {
				return err
			}
		}
		for _, c := range layout.tallies {
			if err := take(fmt.Sprintf("counter id %d", c.id), t.Name()+"."+c.label); err != nil {
				return err
			}
		}
		for _, b := range layout.bitmaps {
			if err := take(fmt.Sprintf("bitmap id %d", b.id), t.Name()+"."+b.label); err != nil {
				return err
			}
		}
	}
	for _, q := range s.Sequences {
		if err := take(fmt.Sprintf("sequence id %d", q.ID), q.Name); err != nil {
			return err
		}
	}
	for _, c := range s.Counters {
		if err := take(fmt.Sprintf("counter id %d", c.ID), c.Name); err != nil {
			return err
		}
	}
	return nil
}

// Describe returns the whole key space as the table that stands in KEYS.md.
func (s *Schema) Describe() string {
	var b strings.Builder
	row := func(key, value, what string) { fmt.Fprintf(&b, "| `%s` | %s | %s |\n", key, value, what) }
	b.WriteString("| key | value | what |\n|---|---|---|\n")
	row("01", "record", "the book: format version, id, time of creation")
	tables := slices.Clone(s.Tables)
	slices.SortFunc(tables, func(a, b AnyTable) int { return int(a.describe().id) - int(b.describe().id) })
	for _, t := range tables {
		describeTable(t, row)
	}
	for _, q := range s.Sequences {
		row(fmt.Sprintf("05 %02x key", q.ID), "uvarint", "sequence "+q.Name+": the next number to lease")
	}
	for _, c := range s.Counters {
		row(fmt.Sprintf("06 %02x key", c.ID), "counter", "counter "+c.Name+": "+c.Key)
	}
	row("07 chunk", "hashes", "Merkle log: up to 256 hashes of 32 bytes")
	row("08 hash", "record", "key of an erased record or counter, with its former index entries, whose old bytes may still lie in the engine's files")
	row("08", "nothing", "there were such keys, whose own bytes may still lie there")
	row("0b table space id", "record", "state of an index, tally or bitmap: the version of what made it, whether that is under way")
	return b.String()
}

func describeTable(t AnyTable, row func(key, value, what string)) {
	layout := t.describe()
	row(fmt.Sprintf("02 %02x key", layout.id), "record", "table "+t.Name())
	for _, x := range layout.indexes {
		what := fmt.Sprintf("index %s.%s", t.Name(), x.label)
		if x.unique {
			row(fmt.Sprintf("03 %02x %02x index-key", layout.id, x.id), "primary key", what+", unique")
		} else {
			row(fmt.Sprintf("03 %02x %02x index-key primary-key", layout.id, x.id), "empty", what)
		}
	}
	for _, c := range layout.tallies {
		row(fmt.Sprintf("06 %02x key", c.id), "counter", fmt.Sprintf("tally %s.%s: records by key", t.Name(), c.label))
	}
	for _, b := range layout.bitmaps {
		row(fmt.Sprintf("09 %02x key chunk", b.id), "bitmap", fmt.Sprintf("bitmap %s.%s: records by key; the chunk is 4 bytes, big-endian", t.Name(), b.label))
		if b.versioned != nil {
			row(fmt.Sprintf("0a %02x chunk", b.id), "counter", fmt.Sprintf("bitmap %s.%s: changes of each chunk under versioned keys", t.Name(), b.label))
		}
	}
	if layout.history {
		row(fmt.Sprintf("04 %02x key version", layout.id), "record", "earlier versions of table "+t.Name())
	}
}
