package search

import (
	"math/bits"

	index "github.com/blevesearch/bleve_index_api"
)

// memory keeps the documents of an index that has no files. Bleve merges segments
// through files only; without any, each batch would stay a segment for ever. So
// the documents of older batches are put again together with a new one's, by which
// Bleve drops the segments that had them.
type memory struct {
	groups []*group
	owner  map[string]*group // by document id
}

// group is the documents of one segment.
type group struct{ documents map[string]*document }

// tier is the power of mergeGroups that the group's size belongs to.
func (g *group) tier() int { return bits.Len(uint(len(g.documents))) / mergeBits }

// As many groups of one tier become one of the next.
const (
	mergeBits   = 3
	mergeGroups = 1 << mergeBits
)

func newMemory() *memory { return &memory{owner: map[string]*group{}} }

// add enters the documents of a batch, and adds older ones to the batch where
// that saves segments.
func (m *memory) add(batch *index.Batch) {
	added := &group{documents: map[string]*document{}}
	for id, op := range batch.IndexOps {
		if old := m.owner[id]; old != nil {
			delete(old.documents, id)
			delete(m.owner, id)
		}
		if op != nil {
			m.give(added, id, op.(*document))
		}
	}
	for m.merge(added, batch) {
	}
	m.groups = append(m.groups, added)
}

func (m *memory) give(to *group, id string, d *document) {
	to.documents[id] = d
	m.owner[id] = to
}

// merge moves the documents of the groups of added's tier to it and the batch, if
// there are enough of them. It drops groups that became empty.
func (m *memory) merge(added *group, batch *index.Batch) bool {
	kept, same := m.groups[:0], []*group(nil)
	for _, g := range m.groups {
		switch {
		case len(g.documents) == 0:
		case g.tier() <= added.tier():
			same = append(same, g)
		default:
			kept = append(kept, g)
		}
	}
	if len(same) < mergeGroups-1 {
		m.groups = append(kept, same...)
		return false
	}
	m.groups = kept
	for _, g := range same {
		for id, d := range g.documents {
			m.give(added, id, d)
			batch.Update(d)
		}
	}
	return true
}

// all adds every document to the batch, so that only one segment remains.
func (m *memory) all(batch *index.Batch) {
	whole := &group{documents: map[string]*document{}}
	for _, g := range m.groups {
		for id, d := range g.documents {
			m.give(whole, id, d)
			batch.Update(d)
		}
	}
	m.groups = []*group{whole}
}
