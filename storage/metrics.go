package storage

import "time"

// Metrics receives what the store measures. Implementations are called from many
// goroutines and should return quickly. Names are stable, lower case and dotted:
//
//	update, view, load, backup, verify       durations of calls
//	update.commits, update.conflicts         counts
//	load.rows                                count of bulk-loaded records
//	view.<name>.apply                        durations of view batches
//	view.<name>.lag                          level: journal entries not yet applied
//	engine.compaction_debt, engine.disk      levels, in bytes
type Metrics interface {
	Count(name string, n int64)
	Observe(name string, d time.Duration)
	Level(name string, value int64)
}

type dropMetrics struct{}

func (dropMetrics) Count(string, int64)           {}
func (dropMetrics) Observe(string, time.Duration) {}
func (dropMetrics) Level(string, int64)           {}
