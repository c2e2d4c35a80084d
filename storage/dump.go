package storage

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

// A dump is a book as JSON Lines: every record and earlier version with its exact bytes
// and, beside them, a form to be read; then sequences, counters and the journal. What is
// derived is left out. The last line has the number of lines before it and their SHA-256.

// dumpFormat is the version of the form, in the first line.
const dumpFormat = 1

// ErrDamagedDump: a dump is cut off, was changed, or is none.
var ErrDamagedDump = errors.New("dump is damaged")

// dumpLine is any line of a dump.
type dumpLine struct {
	Format   int             `json:"clientele_dump,omitempty"`
	Table    string          `json:"table,omitempty"`
	Sequence string          `json:"sequence,omitempty"`
	Counter  string          `json:"counter,omitempty"`
	Journal  kv.Position     `json:"journal,omitempty"`
	Version  uint64          `json:"version,omitempty"`
	Earlier  bool            `json:"earlier,omitempty"` // not the record's last version
	Recorded *time.Time      `json:"recorded,omitempty"`
	Actor    string          `json:"actor,omitempty"`
	Reason   string          `json:"reason,omitempty"`
	Value    json.RawMessage `json:"value,omitempty"` // to be read by people only
	Key      []byte          `json:"key,omitempty"`   // base64, as is Bytes
	Bytes    []byte          `json:"bytes,omitempty"`
	Lines    int             `json:"lines,omitempty"`
	SHA256   string          `json:"sha256,omitempty"`
}

// Dump writes the whole book as JSON Lines, for [Store.Fill] and for other programs: all
// records, with history, who recorded them, when and why, sequences, counters and the
// journal. It is one state of the book, in bounded memory, beside writers. Two books
// that hold the same write the same bytes. What was erased is not in it, but that it was.
func (s *Store) Dump(ctx context.Context, w io.Writer) error {
	r, err := s.durableReader(ctx)
	if err != nil {
		return &Error{Op: "dump", Err: err}
	}
	defer r.end()
	buffered := bufio.NewWriterSize(w, 256<<10)
	d := &dumper{reader: r, sum: sha256.New()}
	d.encoder = json.NewEncoder(io.MultiWriter(buffered, d.sum))
	d.encoder.SetEscapeHTML(false)
	if err := d.dump(ctx, s); err != nil {
		return &Error{Op: "dump", Err: err}
	}
	if err := buffered.Flush(); err != nil {
		return &Error{Op: "dump", Err: err}
	}
	return nil
}

type dumper struct {
	reader  *Reader
	encoder *json.Encoder
	sum     hash.Hash
	lines   int
}

func (d *dumper) write(line *dumpLine) error {
	d.lines++
	return d.encoder.Encode(line)
}

func (d *dumper) dump(ctx context.Context, s *Store) error {
	if err := d.write(&dumpLine{Format: dumpFormat}); err != nil {
		return err
	}
	for _, t := range s.schema.Tables {
		if err := d.table(t); err != nil {
			return err
		}
	}
	for _, q := range s.schema.Sequences {
		err := d.space([]byte{spaceSequence, q.ID}, func(key, value []byte) error {
			return d.write(&dumpLine{Sequence: q.Name, Key: key, Bytes: value})
		})
		if err != nil {
			return err
		}
	}
	for _, c := range s.schema.Counters {
		err := d.space([]byte{spaceCounter, c.ID}, func(key, value []byte) error {
			return d.write(&dumpLine{Counter: c.Name, Key: key, Bytes: value})
		})
		if err != nil {
			return err
		}
	}
	if err := d.journal(ctx, s); err != nil {
		return err
	}
	sum := hex.EncodeToString(d.sum.Sum(nil))
	return d.write(&dumpLine{Lines: d.lines, SHA256: sum})
}

// space calls f with the rest of each key behind a prefix, and the value.
func (d *dumper) space(prefix []byte, f func(key, value []byte) error) error {
	for e, err := range d.reader.scan(kv.Prefix(prefix), false) {
		if err != nil {
			return err
		}
		if err := f(e.Key[len(prefix):], e.Value); err != nil {
			return err
		}
	}
	return nil
}

func (d *dumper) table(t AnyTable) error {
	layout := t.describe()
	write := func(key, stored []byte, earlier bool) error {
		m, _, err := openEnvelope(string(stored))
		if err != nil {
			return fmt.Errorf("table %s, key % x: %w; see Verify", t.Name(), key, err)
		}
		primary := key
		if earlier {
			primary = bytes.TrimSuffix(key, Key(nil).Uint(m.Version))
		}
		value, local := layout.readable(primary, stored)
		if local {
			return nil
		}
		return d.write(&dumpLine{
			Table: t.Name(), Version: m.Version, Earlier: earlier, Recorded: &m.Recorded, Actor: m.Actor, Reason: m.Reason,
			Value: value, Key: key, Bytes: stored,
		})
	}
	err := d.space([]byte{spaceRecord, layout.id}, func(key, stored []byte) error { return write(key, stored, false) })
	if err != nil || !layout.history {
		return err
	}
	return d.space([]byte{spaceHistory, layout.id}, func(key, stored []byte) error { return write(key, stored, true) })
}

// readable is a record as JSON, nil for one that has no such form or was erased, and
// whether it belongs to this copy of the book alone.
func (l *layout) readable(primary Key, stored []byte) (value json.RawMessage, local bool) {
	if l.local != nil && l.local(primary) {
		return nil, true
	}
	v, _, err := l.open(string(stored), primary)
	if err != nil {
		return nil, false
	}
	if value, err = json.Marshal(v); err != nil || len(value) <= len("{}") {
		return nil, false
	}
	return value, false
}

func (d *dumper) journal(ctx context.Context, s *Store) error {
	end, err := d.reader.Position()
	if err != nil || end == 0 {
		return err
	}
	for c, err := range s.engine.Changes(ctx, 0) {
		if err != nil {
			return err
		}
		change, err := readChange(c.Position, string(c.Payload))
		if err != nil {
			return err
		}
		line := dumpLine{Journal: c.Position, Recorded: &change.Time, Actor: change.Actor, Reason: change.Reason, Bytes: c.Payload}
		if err := d.write(&line); err != nil || c.Position == end {
			return err
		}
	}
	return fmt.Errorf("%w: the journal ends before entry %d", ErrCorrupt, end)
}
