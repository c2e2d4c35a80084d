package pebblekv

import (
	"encoding/binary"
	"testing"

	"github.com/clientele-go/clientele/storage/kv"
)

// monthRun is a run whose sections are months.
type monthRun struct{ indexRun }

func (monthRun) Section(int) int { return 2 }

// byMonth returns keys of a month and a customer, for customers from one number on.
func byMonth(months, first, customers int) indexRun {
	var keys indexRun
	for month := range months {
		for i := range customers {
			key := binary.BigEndian.AppendUint32([]byte{'m', byte(month)}, uint32(first+i))
			keys = append(keys, append(key, noise[i%1000:][:200]...))
		}
	}
	return keys
}

func TestSectionsOfLoadsAreNotCompacted(t *testing.T) {
	e := mustOpen(t, t.TempDir(), Options{})
	const months, customers = 12, 1500
	ingest := func(run kv.Run) {
		s, err := e.Snapshot(t.Context())
		must(t, err)
		_, err = e.Ingest(t.Context(), &kv.Load{Since: s.Stamp(), Runs: []kv.Run{run}})
		must(t, err)
		must(t, s.Close())
	}
	for part := range 4 {
		ingest(monthRun{byMonth(months, part*customers, customers)})
	}
	levels := e.db.Metrics().Levels
	last := levels[len(levels)-1]
	if above := e.db.Metrics().Total().TablesCount - last.TablesCount; above != 0 || last.TablesCount != 4*months {
		t.Errorf("tables: %d in the last level and %d above, want one of each month and part, all in the last level", last.TablesCount, above)
	}
	s, err := e.Snapshot(t.Context())
	must(t, err)
	defer s.Close()
	found := 0
	for _, err := range s.Scan(t.Context(), kv.Prefix([]byte{'m'}), false) {
		must(t, err)
		found++
	}
	if found != 4*months*customers {
		t.Errorf("%d keys are there, want %d", found, 4*months*customers)
	}
	if small := (monthRun{byMonth(months, 0, 10)}); len(sectionEnds(small)) != 1 {
		t.Errorf("a run of %d bytes is cut at %d, want not at all", sizeOf(small), sectionEnds(small))
	}
}
