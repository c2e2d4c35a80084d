package storage

import (
	"context"

	"github.com/clientele-go/clientele/storage/kv"
)

// Health is the state of a store at a moment.
type Health struct {
	Book     string
	Journal  kv.Position // the last durable entry
	Pending  uint64      // entries committed and not yet durable
	Engine   kv.Stats
	Views    []ViewState
	Problems []string // what needs somebody's attention, in words; empty when well
}

// Levels from which Health names a problem.
const (
	healthLag   = 100_000 // journal entries
	healthDebt  = 8 << 30 // bytes of compaction debt
	healthReads = 40      // sorted runs that a read may touch
)

// Health reports how the store is. It costs some microseconds.
func (s *Store) Health(ctx context.Context) (Health, error) {
	position, err := s.Position(ctx)
	if err != nil {
		return Health{}, &Error{Op: "health", Err: err}
	}
	h := Health{Book: s.book, Journal: s.engine.Durable(), Engine: s.engine.Stats()}
	if position > h.Journal {
		h.Pending = uint64(position - h.Journal)
	}
	for _, r := range s.runners {
		v := r.state()
		h.Views = append(h.Views, v)
		switch {
		case v.Err != nil:
			h.Problems = append(h.Problems, "view "+v.Name+" stands still: "+v.Err.Error())
		case v.Lag > healthLag:
			h.Problems = append(h.Problems, "view "+v.Name+" lags far behind the journal")
		}
	}
	if h.Engine.BackgroundError != nil {
		h.Problems = append(h.Problems, "writes are refused: "+h.Engine.BackgroundError.Error())
	}
	if h.Engine.CompactionDebt > healthDebt || h.Engine.ReadAmplitude > healthReads {
		h.Problems = append(h.Problems, "compaction can't keep up with the writes; reads get slower")
	}
	s.metrics.Level("engine.compaction_debt", h.Engine.CompactionDebt)
	s.metrics.Level("engine.disk", h.Engine.DiskBytes)
	return h, nil
}
