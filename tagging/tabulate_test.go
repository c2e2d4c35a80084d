package tagging

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// recount is what customers hold of the library's tags, by hand: from what was loaded,
// and what was changed since.
type recount struct {
	held     map[customer.ID][]TagID
	archived map[customer.ID]bool
}

func (l *library) recount() *recount {
	r := &recount{held: map[customer.ID][]TagID{}, archived: map[customer.ID]bool{}}
	for row := range l.assignments() {
		for _, a := range row.Assignments {
			r.held[row.ID] = append(r.held[row.ID], a.Tag)
		}
	}
	return r
}

// cells counts pairs of tags, 0 for none, among those whom a test lets through.
func (r *recount) cells(rows, columns []TagID, in func(id customer.ID, held []TagID) bool) map[[2]TagID]int64 {
	of := func(held, among []TagID) []TagID {
		var tags []TagID
		for _, tag := range held {
			if slices.Contains(among, tag) {
				tags = append(tags, tag)
			}
		}
		if tags == nil {
			return []TagID{0}
		}
		return tags
	}
	cells := map[[2]TagID]int64{}
	for id, held := range r.held {
		if !in(id, held) {
			continue
		}
		for _, row := range of(held, rows) {
			for _, column := range of(held, columns) {
				cells[[2]TagID{row, column}]++
			}
		}
	}
	return cells
}

// disturb moves some customers to other regions and archives others.
func (l *library) disturb(model *recount) {
	random := rand.New(rand.NewPCG(7, 8))
	moved := map[customer.ID]TagID{}
	for range 400 {
		moved[l.any(random)] = l.region[random.IntN(len(l.region))]
	}
	for range 300 {
		model.archived[l.any(random)] = true
	}
	l.update(func(customers *customer.Tx, tx *Tx) error {
		for id, tag := range moved {
			if _, err := tx.Replace(id, Assignment{Tag: tag}); err != nil {
				return err
			}
		}
		for id := range model.archived {
			if _, err := customers.Archive(id); err != nil {
				return err
			}
		}
		return nil
	})
	for id, tag := range moved {
		held := slices.DeleteFunc(model.held[id], func(h TagID) bool { return slices.Contains(l.region, h) })
		model.held[id] = append(held, tag)
	}
}

// Two chunks of customers, sets of every stored form, some with changes since the load, some
// customers archived: each cross-tab and facet is what counting customer by customer gives,
// with either side exclusive, both or none.
func TestTablesOfLargeSetsEqualACountOfEachCustomer(t *testing.T) {
	l := newLibrary(t, bitset.ChunkSize-6000, 16_000, 2)
	l.tags.sharing.least, l.tags.sharing.cores = 1, func() int { return 2 }
	model := l.recount()
	l.disturb(model)
	axes := map[string][]TagID{"region": l.region, "industry": l.industry, "flag": l.flag, "few": l.few}
	for _, q := range []struct {
		filter string
		in     func(customer.ID, []TagID) bool
	}{
		{"", func(id customer.ID, _ []TagID) bool { return !model.archived[id] }},
		{"flag:f0", func(id customer.ID, held []TagID) bool {
			return !model.archived[id] && slices.Contains(held, l.flag[0])
		}},
		{"flag:f9 AND status:archived", func(id customer.ID, held []TagID) bool {
			return model.archived[id] && slices.Contains(held, l.flag[9])
		}},
	} {
		for down, rows := range axes {
			l.wantFacet(q.filter, down, model.cells(rows, nil, q.in))
			for across, columns := range axes {
				if testing.Short() && across != "flag" {
					continue
				}
				l.wantCrossTab(q.filter, down, across, model.cells(rows, columns, q.in))
			}
		}
	}
}

func (l *library) wantFacet(text, by string, cells map[[2]TagID]int64) {
	l.t.Helper()
	l.view(nil, func(r *Reader) {
		f, err := r.Facet(Query{Filter: text}, Axis{Field: by})
		if err != nil {
			l.t.Fatal(err)
		}
		for _, b := range f.Buckets {
			if want := cells[[2]TagID{b.Tag, 0}]; b.Count != want {
				l.t.Errorf("%q by %s: %d with tag %d; want %d", text, by, b.Count, b.Tag, want)
			}
		}
	})
}

func (l *library) wantCrossTab(text, down, across string, cells map[[2]TagID]int64) {
	l.t.Helper()
	l.view(nil, func(r *Reader) {
		x, err := r.CrossTab(Query{Filter: text}, Axis{Field: down}, Axis{Field: across})
		if err != nil {
			l.t.Fatal(err)
		}
		for i, row := range x.Rows {
			for j, column := range x.Columns {
				if want := cells[[2]TagID{row.Tag, column.Tag}]; x.Cells[i][j] != want {
					l.t.Errorf("%q by %s and %s: %d with tags %d and %d; want %d", text, down, across, x.Cells[i][j], row.Tag, column.Tag, want)
				}
			}
			f, err := r.Facet(Query{Filter: text}, Axis{Field: down})
			if err != nil || f.Buckets[i].Count != row.Count || f.Total != x.Total {
				l.t.Fatalf("%q by %s and %s: row %+v, total %d; the facet has %+v, %v", text, down, across, row, x.Total, f, err)
			}
		}
	})
}
