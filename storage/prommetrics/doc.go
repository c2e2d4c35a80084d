// Package prommetrics shows what a book measures to Prometheus.
//
// A [Collector] is given to the book when it is opened, and to a registry:
//
//	metrics := prommetrics.New()
//	book, err := clientele.Open(ctx, "data", clientele.Options{Metrics: metrics})
//	metrics.Watch(book.Health)
//	prometheus.MustRegister(metrics)
//
// With several books, give each its own collector and register it behind a label:
//
//	prometheus.WrapRegistererWith(prometheus.Labels{"book": "acme"}, prometheus.DefaultRegisterer)
//
// # Names
//
// Measurements of [storage.Metrics] get names by Prometheus' conventions: durations
// become histograms in seconds, counts become counters that end in _total, levels
// become gauges.
//
//	clientele_update_seconds, clientele_view_seconds, clientele_load_seconds,
//	clientele_backup_seconds, clientele_verify_seconds
//	clientele_update_commits_total, clientele_update_conflicts_total
//	clientele_load_rows_total
//	clientele_view_apply_seconds{view="search"}
//	clientele_view_lag_entries{view="search"}
//	clientele_engine_compaction_debt_bytes, clientele_engine_disk_bytes
//
// A measurement that this package has never heard of is shown as well: "a.b" becomes
// clientele_a_b_seconds, clientele_a_b_total or clientele_a_b_level.
//
// A watched book is asked for its health at each scrape, which adds
//
//	clientele_healthy                              1, or 0 when something needs attention
//	clientele_journal_entries, clientele_journal_pending_entries
//	clientele_view_stalled_seconds{view="search"}  0 while the view moves
//	clientele_view_building{view="search"}         1 while it is rebuilt
//	clientele_engine_cache_bytes
//	clientele_engine_cache_hits_total, clientele_engine_cache_misses_total
//	clientele_engine_sync_waits_total, clientele_engine_write_stalls_total
//	clientele_engine_read_amplification, clientele_engine_open_snapshots
//
// and keeps lag, disk and compaction debt up to date. Good alerts are
// clientele_healthy == 0 and a clientele_view_stalled_seconds above 60.
package prommetrics
