package prommetrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clientele-go/clientele/storage"
)

// healthPatience bounds how long a scrape waits for a book's health, which takes
// microseconds from the embedded engine and a round trip from a remote one.
const healthPatience = 5 * time.Second

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(namespace+"_"+name, help, labels, nil)
}

var (
	healthy  = desc("healthy", "1, or 0 when the book needs attention or can't be asked.")
	stalled  = desc("view_stalled_seconds", "For how long a view has stood still because of an error.", viewLabel)
	building = desc("view_building", "1 while a view is rebuilt.", viewLabel)
)

// figure is one number of a book's health.
type figure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(*storage.Health) float64
}

var figures = []figure{
	gauge("journal_entries", "Durable journal entries.", func(h *storage.Health) float64 { return float64(h.Journal) }),
	gauge("journal_pending_entries", "Journal entries committed and not yet durable.", func(h *storage.Health) float64 { return float64(h.Pending) }),
	gauge("engine_cache_bytes", "Memory in the block cache.", func(h *storage.Health) float64 { return float64(h.Engine.CacheBytes) }),
	gauge("engine_read_amplification", "Sorted runs that a point read may touch.", func(h *storage.Health) float64 { return float64(h.Engine.ReadAmplitude) }),
	gauge("engine_open_snapshots", "Snapshots not yet closed.", func(h *storage.Health) float64 { return float64(h.Engine.OpenSnapshots) }),
	counter("engine_cache_hits_total", "Block cache hits.", func(h *storage.Health) float64 { return float64(h.Engine.CacheHits) }),
	counter("engine_cache_misses_total", "Block cache misses.", func(h *storage.Health) float64 { return float64(h.Engine.CacheMisses) }),
	counter("engine_sync_waits_total", "Commits that waited for a sync.", func(h *storage.Health) float64 { return float64(h.Engine.SyncWaits) }),
	counter("engine_write_stalls_total", "Times that writers had to wait for compaction.", func(h *storage.Health) float64 { return float64(h.Engine.WriteStalls) }),
}

func gauge(name, help string, of func(*storage.Health) float64) figure {
	return figure{desc(name, help), prometheus.GaugeValue, of}
}

func counter(name, help string, of func(*storage.Health) float64) figure {
	return figure{desc(name, help), prometheus.CounterValue, of}
}

// collectHealth sends a book's health. A book that can't be asked, for instance since
// it was closed, is shown as not healthy; the scrape goes on.
func (c *Collector) collectHealth(health Health, out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), healthPatience)
	defer cancel()
	h, err := health(ctx)
	out <- constant(healthy, truth(err == nil && len(h.Problems) == 0))
	if err != nil {
		return
	}
	c.Level("engine.compaction_debt", h.Engine.CompactionDebt)
	c.Level("engine.disk", h.Engine.DiskBytes)
	for _, f := range figures {
		out <- prometheus.MustNewConstMetric(f.desc, f.kind, f.of(&h))
	}
	for _, v := range h.Views {
		c.Level("view."+v.Name+".lag", int64(v.Lag))
		out <- constant(stalled, v.Since.Seconds(), v.Name)
		out <- constant(building, truth(v.Building), v.Name)
	}
}

func constant(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
