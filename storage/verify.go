package storage

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// Difference is one place where stored data does not agree with itself.
type Difference struct {
	Where   string // table, index, "ledger" or a view's name
	Key     string // readable
	Problem string
	Derived bool // Repair can mend it from the records
}

func (d Difference) String() string { return d.Where + " " + d.Key + ": " + d.Problem }

// Report is what Verify found.
type Report struct {
	Position    kv.Position // the state that was verified
	Records     int64       // records read
	Versions    int64       // earlier versions read
	IndexKeys   int64       // index entries read
	Differences []Difference
	More        int64 // differences beyond those listed
}

// maxDifferences bounds a report's list.
const maxDifferences = 1000

// OK reports whether nothing differed.
func (r *Report) OK() bool { return len(r.Differences) == 0 }

// Add adds a difference that a package found in what it derives itself.
func (r *Report) Add(d Difference) { r.add(d) }

func (r *Report) add(d Difference) {
	if len(r.Differences) == maxDifferences {
		r.More++
		return
	}
	r.Differences = append(r.Differences, d)
}

// Verify reads the whole book once and compares what is stored twice: index
// entries with those that the records would have, every version's digest with the
// journal's, counts and sequences with the records, the Merkle tree with the journal,
// views with the records. It also names keys that nothing declared accounts for. It runs on a snapshot beside writers, in bounded memory; views are
// compared only up to their own lag.
//
// Entries are first compared as sums of hashes, one pass each; only where the sums
// differ does Verify look for the entries by name.
func (s *Store) Verify(ctx context.Context, progress func(done, total int)) (*Report, error) {
	defer s.observe("verify", time.Now())
	r, err := s.durableReader(ctx)
	if err != nil {
		return nil, &Error{Op: "verify", Err: err}
	}
	defer r.end()
	position, err := r.Position()
	if err != nil {
		return nil, &Error{Op: "verify", Err: err}
	}
	report := &Report{Position: position}
	steps := len(s.schema.Tables) + len(s.runners) + 1
	step := 0
	next := func() {
		step++
		if progress != nil {
			progress(step, steps)
		}
	}
	sums := map[uint8]*versionSums{}
	for _, t := range s.schema.Tables {
		sum, err := t.describe().check(r, report)
		if err != nil {
			return report, &Error{Op: "verify", Table: t.Name(), Err: err}
		}
		if t.describe().history {
			sums[t.describe().id] = sum
		}
		next()
	}
	if err := s.verifyKeySpace(r, report); err != nil {
		return report, &Error{Op: "verify", Table: "key space", Err: err}
	}
	if err := s.verifyJournal(ctx, r, sums, report); err != nil {
		return report, &Error{Op: "verify", Table: "journal", Err: err}
	}
	next()
	for _, run := range s.runners {
		if err := run.verify(ctx, report); err != nil {
			return report, &Error{Op: "verify", Table: run.view.Name(), Err: err}
		}
		next()
	}
	return report, nil
}

// verify brings the view exactly to a reader's state and compares it with that.
func (r *runner) verify(ctx context.Context, report *Report) error {
	r.work.Lock()
	defer r.work.Unlock()
	reader, err := r.store.durableReader(ctx)
	if err != nil {
		return err
	}
	defer reader.end()
	if err := r.catchUpWith(ctx, reader); err != nil {
		report.add(Difference{Where: r.view.Name(), Key: "view", Problem: err.Error(), Derived: true})
		return ctx.Err()
	}
	return r.view.Verify(ctx, reader, report.add)
}

// catchUpWith applies the journal up to the reader's position and no further.
func (r *runner) catchUpWith(ctx context.Context, reader *Reader) error {
	position, err := reader.Position()
	if err != nil {
		return err
	}
	cursor, err := r.view.Cursor(ctx)
	if err != nil || cursor.Position >= position {
		return err
	}
	for at := cursor.Position; at < position; {
		next, err := r.next(ctx, at)
		if err != nil {
			return err
		}
		next.end(position)
		if next.upTo == at {
			return fmt.Errorf("%w: the journal ends after entry %d, the records are at %d", ErrCorrupt, at, position)
		}
		if err := r.view.Apply(ctx, reader, next.changes, Cursor{r.store.book, next.upTo}); err != nil {
			return err
		}
		at = next.upTo
		r.move(at)
	}
	return nil
}

// end cuts off what is beyond a position.
func (s *step) end(position kv.Position) {
	s.upTo = min(s.upTo, position)
	for n := len(s.changes); n > 0 && s.changes[n-1].Position > position; n-- {
		s.changes = s.changes[:n-1]
	}
}

// sum is an order-independent fingerprint of a set: count, and two sums made of a
// 64-bit hash of each member. Two sets that differ by accident have equal sums with a
// probability of about 2^-64; digests, not sums, guard against purpose.
type sum struct {
	n    int64
	a, b uint64
}

func (s *sum) add(parts ...[]byte) {
	var d xxhash.Digest
	d.Reset()
	var length [1]byte
	for _, p := range parts {
		length[0] = byte(len(p))
		d.Write(length[:])
		d.Write(p)
	}
	h := d.Sum64()
	s.n++
	s.a += h
	s.b += mix(h^uint64(len(parts))) * uint64(h|1)
}

// mix is the finaliser of MurmurHash3 (Appleby 2011).
func mix(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// versionSums fingerprints a table's versions: key, version and digest.
type versionSums struct {
	stored, journal sum
}

func (v *versionSums) add(s *sum, key []byte, version uint64, d Digest) {
	s.add(key, Key(nil).Uint(version), d[:])
}

func (l *layout) check(r *Reader, report *Report) (*versionSums, error) {
	want := make([]sum, len(l.indexes))
	counts := l.newTallies()
	marks := markSums{}
	versions := &versionSums{}
	err := l.eachRecord(r, report, func(primary Key, stored []byte, v any, m Meta) error {
		report.Records++
		l.tally(counts, v)
		if err := l.eachMark(primary, v, marks.add); err != nil {
			return err
		}
		versions.add(&versions.stored, primary, m.Version, digestOf(stored))
		return l.eachEntry(v, primary, func(i int, key, value []byte) error {
			want[i].add(key, value)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	for i, x := range l.indexes {
		var got sum
		for e, err := range r.scan(kv.Prefix(l.indexKey(nil, x)), false) {
			if err != nil {
				return nil, err
			}
			report.IndexKeys++
			got.add(e.Key, e.Value)
		}
		if got != want[i] {
			if err := l.nameDifferences(r, i, report); err != nil {
				return nil, err
			}
		}
	}
	if err := l.reportMiscounts(r, counts, report); err != nil {
		return nil, err
	}
	if err := l.reportMismarks(r, marks, report); err != nil {
		return nil, err
	}
	if err := l.checkNumbers(r, report); err != nil {
		return nil, err
	}
	return versions, l.sumHistory(r, versions, report)
}

// eachRecord calls f for every record that can be read, and reports the others.
func (l *layout) eachRecord(r *Reader, report *Report, f func(primary Key, stored []byte, v any, m Meta) error) error {
	space := []byte{spaceRecord, l.id}
	for e, err := range r.scan(kv.Prefix(space), false) {
		if err != nil {
			return err
		}
		primary := Key(e.Key[len(space):])
		v, m, err := l.open(string(e.Value), primary)
		if err != nil {
			report.add(Difference{Where: l.label, Key: fmt.Sprintf("% x", []byte(primary)), Problem: err.Error()})
			continue
		}
		if err := f(primary, e.Value, v, m); err != nil {
			return err
		}
	}
	return nil
}

// eachEntry calls f with the index entries that a record should have.
func (l *layout) eachEntry(v any, primary Key, f func(index int, key, value []byte) error) error {
	var keys KeySet
	for i, x := range l.indexes {
		keys.reset()
		x.keys(&keys, v)
		for j := range keys.len() {
			var value []byte
			if x.unique {
				value = primary
			}
			if err := f(i, l.entryKey(nil, x, keys.at(j), primary), value); err != nil {
				return err
			}
		}
	}
	return nil
}

// nameDifferences finds the missing and the surplus entries of one index.
func (l *layout) nameDifferences(r *Reader, index int, report *Report) error {
	x := l.indexes[index]
	where := l.label + "." + x.label
	report.add(Difference{Where: where, Key: "all", Problem: "entries differ from the records", Derived: true})
	err := l.eachRecord(r, &Report{}, func(primary Key, _ []byte, v any, _ Meta) error {
		return l.eachEntry(v, primary, func(i int, key, value []byte) error {
			if i != index {
				return nil
			}
			stored, found, err := r.get(key)
			switch {
			case err != nil:
				return err
			case !found:
				report.add(Difference{Where: where, Key: fmt.Sprintf("% x", key[3:]), Problem: "entry is missing", Derived: true})
			case string(stored) != string(value):
				shared, err := l.heldByAnother(r, x, key, value)
				problem := "entry names another record"
				if shared {
					problem = "two records have this unique key; change one of them"
				}
				report.add(Difference{Where: where, Key: fmt.Sprintf("% x", key[3:]), Problem: problem, Derived: !shared})
				return err
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return l.eachSurplus(r, x, func(key []byte) error {
		report.add(Difference{Where: where, Key: fmt.Sprintf("% x", key[3:]), Problem: "entry without such a record", Derived: true})
		return nil
	})
}

// eachSurplus calls f for the index entries that no record should have; f may keep the key.
func (l *layout) eachSurplus(r *Reader, x *part, f func(key []byte) error) error {
	space := l.indexKey(nil, x)
	for e, err := range r.scan(kv.Prefix(space), false) {
		if err != nil {
			return err
		}
		expected, err := l.expects(r, x, e)
		if err != nil {
			return err
		}
		if expected {
			continue
		}
		if err := f(append([]byte(nil), e.Key...)); err != nil {
			return err
		}
	}
	return nil
}

// expects reports whether a record accounts for an index entry. Where the index key
// ends and the primary key begins is not known without the index's parts, so every
// split that decodes is tried. A record that can't be read accounts for its entries:
// without them its unique keys would be given to others while it waits to be mended.
func (l *layout) expects(r *Reader, x *part, e kv.Entry) (bool, error) {
	tails := []Key{Key(e.Value)}
	if !x.unique {
		tails = tails[:0]
		for cut := 3; cut < len(e.Key); cut++ {
			tails = append(tails, Key(e.Key[cut:]))
		}
	}
	for _, tail := range tails {
		if l.valid(tail) != nil {
			continue
		}
		stored, found, err := r.get(append(Key{spaceRecord, l.id}, tail...))
		if err != nil {
			return false, err
		}
		if !found {
			continue
		}
		v, _, err := l.open(string(stored), tail)
		if err != nil {
			return true, nil
		}
		var keys KeySet
		x.keys(&keys, v)
		for j := range keys.len() {
			if string(l.entryKey(nil, x, keys.at(j), tail)) == string(e.Key) {
				return true, nil
			}
		}
	}
	return false, nil
}

// heldByAnother reports whether a unique key that one record should have belongs, just
// as rightly, to another.
func (l *layout) heldByAnother(r *Reader, x *part, key, value []byte) (bool, error) {
	holder, found, err := r.get(key)
	if err != nil || !found || !x.unique || string(holder) == string(value) {
		return false, err
	}
	return l.expects(r, x, kv.Entry{Key: key, Value: bytes.Clone(holder)})
}

func (l *layout) sumHistory(r *Reader, versions *versionSums, report *Report) error {
	space := []byte{spaceHistory, l.id}
	for e, err := range r.scan(kv.Prefix(space), false) {
		if err != nil {
			return err
		}
		report.Versions++
		m, _, err := openEnvelope(string(e.Value))
		primary, ok := bytes.CutSuffix(e.Key[len(space):], Key(nil).Uint(m.Version))
		if err != nil || !ok {
			report.add(Difference{Where: l.label, Key: fmt.Sprintf("history % x", e.Key[2:]), Problem: "malformed version"})
			continue
		}
		versions.add(&versions.stored, primary, m.Version, digestOf(e.Value))
	}
	return nil
}

// verifyJournal compares the digests of all versions with those in the journal.
func (s *Store) verifyJournal(ctx context.Context, r *Reader, sums map[uint8]*versionSums, report *Report) error {
	expected := kv.Position(1)
	for c, err := range s.Changes(ctx, 0) {
		if err != nil {
			return err
		}
		if c.Position != expected {
			report.add(Difference{Where: "journal", Key: fmt.Sprint(expected), Problem: fmt.Sprintf("entry is missing; the next is %d", c.Position)})
			expected = c.Position
		}
		if c.Position > report.Position {
			break
		}
		expected++
		for _, op := range c.Ops {
			if v := sums[op.Table]; v != nil {
				v.add(&v.journal, op.Key, op.Version, op.Digest)
			}
		}
	}
	if expected <= report.Position {
		report.add(Difference{Where: "journal", Key: fmt.Sprint(expected), Problem: "entry is missing; it is the journal's end"})
	}
	for _, t := range s.schema.Tables {
		v := sums[t.describe().id]
		if v == nil || v.stored == v.journal {
			continue
		}
		report.add(Difference{Where: t.Name(), Key: "all versions", Problem: fmt.Sprintf("%d versions are stored, the journal names %d, and they differ", v.stored.n, v.journal.n)})
		if err := s.nameForeignVersions(ctx, r, t, report); err != nil {
			return err
		}
	}
	return nil
}

// nameForeignVersions looks up each version that the journal names.
func (s *Store) nameForeignVersions(ctx context.Context, r *Reader, t AnyTable, report *Report) error {
	id := t.describe().id
	for c, err := range s.Changes(ctx, 0) {
		if err != nil {
			return err
		}
		if c.Position > report.Position {
			return nil
		}
		for _, op := range c.Ops {
			if op.Table != id {
				continue
			}
			problem, err := checkVersion(r, op)
			if err != nil {
				return err
			}
			if problem != "" {
				report.add(Difference{Where: t.Name(), Key: fmt.Sprintf("% x version %d", []byte(op.Key), op.Version), Problem: problem + fmt.Sprintf(" (journal entry %d)", c.Position)})
			}
		}
	}
	return nil
}

func checkVersion(r *Reader, op Op) (problem string, err error) {
	keys := [][]byte{
		append(Key{spaceRecord, op.Table}, op.Key...),
		append(Key{spaceHistory, op.Table}, op.Key...).Uint(op.Version),
	}
	for _, key := range keys {
		stored, found, err := r.get(key)
		if err != nil {
			return "", err
		}
		if !found {
			continue
		}
		if m, _, err := openEnvelope(string(stored)); err != nil || m.Version != op.Version {
			continue
		}
		if digestOf(stored) != op.Digest {
			return "content differs from what the journal committed", nil
		}
		return "", nil
	}
	return "version is missing", nil
}
