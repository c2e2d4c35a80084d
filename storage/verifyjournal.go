package storage

import (
	"fmt"
	"sync"

	"github.com/clientele-go/clientele/storage/kv"
)

// journalCheck compares the versions that are stored with those that the journal names.
type journalCheck struct {
	store *Store
	parts []*journalPart

	mu   sync.Mutex
	sums map[uint8]*sum // by table: the versions that the journal names
}

// journalPart is some neighbouring entries.
type journalPart struct {
	after, upTo kv.Position
	runs        []journalRun
}

// journalRun is entries without a gap.
type journalRun struct{ first, last kv.Position }

func (j *journalCheck) addTo(v *Verification, tables []*tableCheck) error {
	position, err := v.reader.Position()
	if err != nil || position == 0 {
		return err
	}
	parts, err := v.splitJournal(nil, 0, position)
	if err != nil {
		return err
	}
	for i := range parts {
		p := &journalPart{after: parts[i].after, upTo: parts[i].upTo}
		j.parts = append(j.parts, p)
		v.add(&verifyPart{name: "journal", at: (float64(i) + 0.5) / float64(len(parts)), weight: int(parts[i].size >> 10),
			run: func(r *Reader, _ *Report) error { return j.read(r, p) }})
	}
	v.Then("journal", func(_ *Reader, report *Report) error {
		j.reportGaps(position, report)
		return nil
	})
	for _, t := range tables {
		if t.history {
			v.Then("journal", func(r *Reader, report *Report) error { return j.compare(r, t, position, report) })
		}
	}
	return nil
}

// journalSpan is neighbouring entries and about how many bytes they take.
type journalSpan struct {
	after, upTo kv.Position
	size        int64
}

// splitJournal appends entries in parts of about equal size.
func (v *Verification) splitJournal(parts []journalSpan, after, upTo kv.Position) ([]journalSpan, error) {
	size, err := kv.JournalSize(v.ctx, v.reader.snap, after, upTo)
	if err != nil {
		return nil, err
	}
	if size <= v.partBytes || upTo-after == 1 {
		return append(parts, journalSpan{after, upTo, size}), nil
	}
	middle := after + (upTo-after)/2
	if parts, err = v.splitJournal(parts, after, middle); err != nil {
		return nil, err
	}
	return v.splitJournal(parts, middle, upTo)
}

// read adds up the versions that a part names.
func (j *journalCheck) read(r *Reader, p *journalPart) error {
	sums := map[uint8]*sum{}
	for table := range j.sums {
		sums[table] = &sum{}
	}
	var hash hasher
	for c, err := range j.store.Changes(r.ctx, p.after) {
		if err != nil {
			return err
		}
		if c.Position > p.upTo {
			break
		}
		p.note(c.Position)
		for _, op := range c.Ops {
			if s := sums[op.Table]; s != nil {
				s.add(hash.version(op.Key, op.Version, c.Time, c.Actor, op.Digest))
			}
		}
		if c.Position == p.upTo {
			break
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for table, s := range sums {
		j.sums[table].join(*s)
	}
	return nil
}

// note takes the position of the next entry.
func (p *journalPart) note(position kv.Position) {
	if n := len(p.runs); n > 0 && p.runs[n-1].last+1 == position {
		p.runs[n-1].last = position
		return
	}
	p.runs = append(p.runs, journalRun{position, position})
}

func (j *journalCheck) reportGaps(position kv.Position, report *Report) {
	expected := kv.Position(1)
	for _, p := range j.parts {
		for _, run := range p.runs {
			if run.first != expected {
				report.add(Difference{Where: "journal", Key: fmt.Sprint(expected), Problem: fmt.Sprintf("entry is missing; the next is %d", run.first)})
			}
			expected = run.last + 1
		}
	}
	if expected <= position {
		report.add(Difference{Where: "journal", Key: fmt.Sprint(expected), Problem: "entry is missing; it is the journal's end"})
	}
}

// compare compares a table's versions with those that the journal names.
func (j *journalCheck) compare(r *Reader, t *tableCheck, position kv.Position, report *Report) error {
	stored, named := t.stored.versions, *j.sums[t.id]
	if stored == named {
		return nil
	}
	report.add(Difference{Where: t.label, Key: "all versions", Problem: fmt.Sprintf("%d versions are stored, the journal names %d, and they differ", stored.n, named.n)})
	return t.nameForeignVersions(r, position, report)
}

// nameForeignVersions looks up each version that the journal names.
func (l *layout) nameForeignVersions(r *Reader, position kv.Position, report *Report) error {
	for c, err := range r.store.Changes(r.ctx, 0) {
		if err != nil {
			return err
		}
		if c.Position > position {
			return nil
		}
		for _, op := range c.Ops {
			if op.Table != l.id {
				continue
			}
			problem, err := checkVersion(r, &c, &op)
			if err != nil {
				return err
			}
			if problem != "" {
				report.add(Difference{Where: l.label, Key: fmt.Sprintf("% x version %d", []byte(op.Key), op.Version), Problem: problem + fmt.Sprintf(" (journal entry %d)", c.Position)})
			}
		}
	}
	return nil
}

func checkVersion(r *Reader, c *Change, op *Op) (problem string, err error) {
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
		m, _, err := openEnvelope(string(stored))
		if err != nil || m.Version != op.Version {
			continue
		}
		switch {
		case digestOf(stored) != op.Digest:
			return "content differs from what the journal committed", nil
		case m.Actor != c.Actor || !m.Recorded.Equal(c.Time):
			return "recorded by another or at another time than the journal says", nil
		}
		return "", nil
	}
	return "version is missing", nil
}
