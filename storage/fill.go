package storage

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/clientele-go/clientele/storage/kv"
)

// maxDumpLine bounds a line of a dump.
const maxDumpLine = 256 << 20

// Fill makes an empty book equal to the one that wrote a dump: same records, history and
// journal, byte for byte, in a book with an id of its own. What is derived is made anew.
// A dump that is damaged, or has a table that this program doesn't know, is refused
// before anything is written, with an error that wraps ErrDamagedDump or ErrInvalid; a
// book that isn't empty with one that wraps ErrExists. Nothing else may use the book
// meanwhile. A Fill that was cut off leaves a book of no use: Verify says so, and it is
// to be deleted. Memory is bounded.
func (s *Store) Fill(ctx context.Context, dump io.ReadSeeker) error {
	if err := s.fill(ctx, dump); err != nil {
		return &Error{Op: "fill", Err: err}
	}
	return nil
}

func (s *Store) fill(ctx context.Context, dump io.ReadSeeker) error {
	if err := s.checkEmpty(ctx); err != nil {
		return err
	}
	f := &dumpFiller{ctx: ctx, store: s}
	f.batch.Durability = kv.Relaxed
	if err := f.read(dump, f.check); err != nil {
		return err
	}
	if _, err := dump.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if !s.limits.Shared {
		defer s.cache.change()()
		defer s.watchLoad()()
	}
	if err := s.clear(ctx, kv.Prefix([]byte{spaceState})); err != nil { // so that all is made anew
		return err
	}
	if err := f.read(dump, f.write); err != nil {
		return err
	}
	if err := f.build(); err != nil {
		return err
	}
	if f.journal > 0 {
		if err := s.engine.WaitDurable(ctx, f.journal-1); err != nil {
			return err
		}
	}
	return s.resumeTime(ctx)
}

// checkEmpty reports a book in which anything was done. Tables without history may hold
// what opening a book leaves there, which a dump replaces.
func (s *Store) checkEmpty(ctx context.Context) error {
	return s.View(ctx, func(r *Reader) error {
		position, err := r.Position()
		if err != nil {
			return err
		}
		used := position > 0
		for _, t := range s.schema.Tables {
			if layout := t.describe(); layout.history && !used {
				for _, err := range r.scan(kv.Prefix([]byte{spaceRecord, layout.id}), false) {
					if used = true; err != nil {
						return err
					}
					break
				}
			}
		}
		if used {
			return fmt.Errorf("%w: the book holds records; a dump goes into an empty book only", ErrExists)
		}
		return nil
	})
}

// dumpFiller writes the lines of a dump.
type dumpFiller struct {
	ctx     context.Context
	store   *Store
	batch   kv.Batch
	built   bool        // what is derived, before the journal begins
	journal kv.Position // the last entry
}

// read calls f with each line but the first and the last, which it checks.
func (f *dumpFiller) read(dump io.Reader, use func(*dumpLine) error) error {
	lines := bufio.NewScanner(dump)
	lines.Buffer(make([]byte, 0, 64<<10), maxDumpLine)
	sum := sha256.New()
	n := 0
	ended := false
	f.journal = 0
	for lines.Scan() {
		damaged := func(reason string) error { return fmt.Errorf("%w: line %d %s", ErrDamagedDump, n+1, reason) }
		if ended {
			return damaged("follows the end")
		}
		var line dumpLine
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&line); err != nil {
			return damaged("is none of a dump: " + err.Error())
		}
		switch {
		case n == 0 && line.Format != dumpFormat:
			return damaged(fmt.Sprintf("begins no dump of format %d", dumpFormat))
		case n == 0:
		case line.SHA256 != "":
			if ended = true; line.Lines != n || line.SHA256 != hex.EncodeToString(sum.Sum(nil)) {
				return damaged("has another number of lines, or SHA-256, than those before it: something was changed or is missing")
			}
		default:
			if err := use(&line); err != nil {
				return fmt.Errorf("line %d: %w", n+1, err)
			}
		}
		sum.Write(lines.Bytes())
		sum.Write([]byte{'\n'})
		n++
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("after line %d: %w", n, err)
	}
	if !ended {
		return fmt.Errorf("%w: it is cut off after line %d", ErrDamagedDump, n)
	}
	return nil
}

// place returns the stored key of a line, nil for an entry of the journal.
func (f *dumpFiller) place(line *dumpLine) (Key, error) {
	schema := f.store.schema
	switch {
	case line.Journal > 0:
		return nil, nil
	case line.Table != "":
		for _, t := range schema.Tables {
			if t.Name() != line.Table {
				continue
			}
			space := byte(spaceRecord)
			if line.Earlier {
				space = spaceHistory
			}
			return append(Key{space, t.describe().id}, line.Key...), nil
		}
	case line.Sequence != "":
		for _, q := range schema.Sequences {
			if q.Name == line.Sequence {
				return q.key(line.Key), nil
			}
		}
	case line.Counter != "":
		for _, c := range schema.Counters {
			if c.Name == line.Counter {
				return append(Key{spaceCounter, c.ID}, line.Key...), nil
			}
		}
	default:
		return nil, fmt.Errorf("%w: it is of no kind", ErrDamagedDump)
	}
	return nil, fmt.Errorf("%w: the book has no %s%s%s; open it as the one that wrote the dump was", ErrInvalid, line.Table, line.Sequence, line.Counter)
}

// check refuses a line that can't be written.
func (f *dumpFiller) check(line *dumpLine) error {
	if _, err := f.place(line); err != nil {
		return err
	}
	if line.Table != "" {
		m, _, err := openEnvelope(string(line.Bytes))
		if err != nil || m.Version != line.Version {
			return fmt.Errorf("%w: bytes and version disagree", ErrDamagedDump)
		}
	}
	if line.Journal > 0 {
		if f.journal++; f.journal != line.Journal {
			return fmt.Errorf("%w: entry %d of the journal stands where %d would", ErrDamagedDump, line.Journal, f.journal)
		}
		_, err := readChange(line.Journal, string(line.Bytes))
		return err
	}
	return nil
}

// fillBatch bounds one commit of a Fill.
const fillBatch = 4 << 20

// write writes a line: records first, then, when indexes are made, the journal, which
// views follow.
func (f *dumpFiller) write(line *dumpLine) error {
	if line.Journal > 0 {
		return f.append(line)
	}
	key, err := f.place(line)
	if err != nil {
		return err
	}
	f.batch.Set(key, line.Bytes)
	if f.batch.Bytes() < fillBatch {
		return nil
	}
	return f.flush()
}

func (f *dumpFiller) flush() error {
	if len(f.batch.Ops()) == 0 {
		return nil
	}
	_, err := f.store.apply(f.ctx, &f.batch)
	f.batch = kv.Batch{Durability: kv.Relaxed}
	return err
}

// build makes what is derived.
func (f *dumpFiller) build() error {
	if f.built {
		return nil
	}
	f.built = true
	if err := f.flush(); err != nil {
		return err
	}
	return f.store.buildParts(f.ctx)
}

// append writes an entry of the journal.
func (f *dumpFiller) append(line *dumpLine) error {
	if err := f.build(); err != nil {
		return err
	}
	position, err := f.store.apply(f.ctx, &kv.Batch{Journal: line.Bytes, Durability: kv.Relaxed})
	if err == nil && position != line.Journal {
		err = fmt.Errorf("%w: the book was written to meanwhile", ErrConflict)
	}
	f.journal = line.Journal
	return err
}
