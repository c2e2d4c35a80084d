// Package slogmetrics writes what a book measures to a log/slog logger: one line now
// and then, with counts, durations and levels as attributes.
//
// Give the [Summary] to the book when it is opened, and run it beside the book:
//
//	metrics := slogmetrics.New(slogmetrics.Options{})
//	book, err := clientele.Open(ctx, "data", clientele.Options{Metrics: metrics})
//	go metrics.Run(ctx)
//
// A line covers the time since the line before. Names are those of
// [storage.Metrics]; names that this package has never heard of are written like any
// other. A duration's group holds how often it was measured (n), its mean, median
// (p50), 99th percentile (p99) and maximum.
package slogmetrics
