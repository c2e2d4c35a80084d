package search

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// graded is a document whose name is looked at.
type graded struct {
	name
	shard  *shard
	number uint32
}

// grade returns the level at which the name and the keys of a document match, levelOther
// when the name has at most pieces of the text.
func (d *graded) grade(m matcher) level {
	apart := m.apart(d)
	d.spelled = false
	switch {
	case d.begins(m, true):
		return min(apart, levelName)
	case d.begins(m, false):
		return min(apart, levelHead)
	}
	d.spelled = true
	switch {
	case d.begins(m, false):
		return min(apart, levelSpelled)
	case d.has(m):
		return min(apart, levelInside)
	}
	return apart
}

// apart returns the level at which parts match that need not stand side by side in the
// name, or not in the name at all.

func (m every) apart(d *graded) level {
	if len(m) == 1 {
		return m[0].apart(d)
	}
	worst := levelInside
	for _, part := range m {
		worst = max(worst, part.apart(d))
	}
	return worst
}

func (m either) apart(d *graded) level {
	best := levelOther
	for _, way := range m {
		best = min(best, way.apart(d))
	}
	return best
}

func (d *graded) anywhere(m matcher) level {
	if d.has(m) {
		return levelInside
	}
	return levelOther
}

func (m unbroken) apart(d *graded) level { return d.anywhere(m) }
func (m pair) apart(d *graded) level     { return d.anywhere(m) }
func (m hanRun) apart(d *graded) level   { return d.anywhere(m) }
func (m *wordRun) apart(d *graded) level { return d.anywhere(m) }
func (m spelled) apart(d *graded) level  { return d.anywhere(m) }
func (m initials) apart(d *graded) level { return d.anywhere(m) }

func (m keyed) apart(d *graded) level  { return d.otherwise("k"+m.folded, m) }
func (m mail) apart(d *graded) level   { return d.otherwise("m"+m.mailbox+"@"+m.domain, m) }
func (m number) apart(d *graded) level { return d.otherwise("d"+strings.Join(m.readings, " "), m) }
func (address) apart(*graded) level    { return levelOther }

// otherwise returns the level at which a matcher of something else than names has the
// document. What the matcher finds is kept under a key, for other documents.
func (d *graded) otherwise(key string, m matcher) level {
	found, known := d.shard.found[key]
	if !known {
		found = m.match(d.shard, levelInside)
		if d.shard.found == nil {
			d.shard.found = map[string]ranked{}
		}
		d.shard.found[key] = found
	}
	for l, set := range found[:levelOther] {
		if set != nil && set.Contains(d.number) {
			return level(l)
		}
	}
	return levelOther
}

// grade returns the level of a document that was found at a level by its terms.
func (s *search) grade(h place, by level) level {
	if known, ok := s.grades[h.key]; ok {
		return known
	}
	s.graded.shard, s.graded.number = s.shards[h.shard], h.number
	s.graded.shard.readName(h.number, &s.graded.name)
	grade := max(by, s.graded.grade(s.plan.matcher))
	if s.grades == nil {
		s.grades = map[uint64]level{}
	}
	s.grades[h.key] = grade
	return grade
}

// readName reads the stored name of a document.
func (s *shard) readName(number uint32, n *name) {
	err := s.segment.VisitStoredFields(uint64(number), func(name string, _ byte, value []byte, _ []uint64) bool {
		if name == field {
			_, size := binary.Uvarint(value)
			n.read(value[max(0, size):])
		}
		return true // see version
	})
	if err != nil {
		panic(damage{fmt.Errorf("name of document %d: %w", number, err)})
	}
}
