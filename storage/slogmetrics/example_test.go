package slogmetrics_test

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/clientele-go/clientele/storage/slogmetrics"
)

// A book calls Count, Observe and Level; here the example does.
func Example() {
	handler := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTimes})
	metrics := slogmetrics.New(slogmetrics.Options{Logger: slog.New(handler)})

	metrics.Observe("update", 3*time.Millisecond)
	metrics.Observe("update", 5*time.Millisecond)
	metrics.Count("update.commits", 2)
	metrics.Level("view.search.lag", 7)

	metrics.Log(context.Background())
	// Output:
	// level=INFO msg="book metrics" update.commits=2 update.n=2 update.mean=4ms update.p50=3.145727ms update.p99=5ms update.max=5ms view.search.lag=7
}

// withoutTimes leaves out what differs from one run to the next.
func withoutTimes(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey || a.Key == "period" {
		return slog.Attr{}
	}
	return a
}
