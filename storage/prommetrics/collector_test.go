package prommetrics

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// scrape returns the samples of a collector's page by name and labels.
func scrape(t *testing.T, c prometheus.Collector) map[string]string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	page := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if page.Code != http.StatusOK {
		t.Fatalf("scrape failed: %s", page.Body)
	}
	samples := map[string]string{}
	for line := range strings.Lines(page.Body.String()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			samples[name] = value
		}
	}
	return samples
}

func expect(t *testing.T, samples map[string]string, name, value string) {
	t.Helper()
	if got, found := samples[name]; got != value {
		t.Errorf("%s is %q (shown: %v), want %s", name, got, found, value)
	}
}

// TestEveryNameOfStorageGetsItsConventionalName lists the names of storage.Metrics'
// comment and Prometheus' rules: base units, _total for counters, one label for what
// else would be in the name.
func TestEveryNameOfStorageGetsItsConventionalName(t *testing.T) {
	c := New()
	for _, name := range []string{"update", "view", "load", "backup", "verify", "view.search.apply"} {
		c.Observe(name, time.Second)
	}
	for _, name := range []string{"update.commits", "update.conflicts", "load.rows"} {
		c.Count(name, 2)
	}
	for _, name := range []string{"view.search.lag", "view.my.own.lag", "engine.compaction_debt", "engine.disk"} {
		c.Level(name, 3)
	}
	samples := scrape(t, c)
	for name, value := range map[string]string{
		"clientele_update_seconds_count":                               "1",
		"clientele_view_seconds_count":                                 "1",
		"clientele_load_seconds_count":                                 "1",
		"clientele_backup_seconds_count":                               "1",
		"clientele_verify_seconds_count":                               "1",
		`clientele_view_apply_seconds_count{view="search"}`:            "1",
		"clientele_update_commits_total":                               "2",
		"clientele_update_conflicts_total":                             "2",
		"clientele_load_rows_total":                                    "2",
		`clientele_view_lag_entries{view="search"}`:                    "3",
		`clientele_view_lag_entries{view="my.own"}`:                    "3",
		"clientele_engine_compaction_debt_bytes":                       "3",
		"clientele_engine_disk_bytes":                                  "3",
		`clientele_update_seconds_bucket{le="0.3"}`:                    "0",
		`clientele_update_seconds_bucket{le="1"}`:                      "1",
		`clientele_view_apply_seconds_sum{view="search"}`:              "1",
		`clientele_view_apply_seconds_bucket{view="search",le="+Inf"}`: "1",
	} {
		expect(t, samples, name, value)
	}
}

// TestUnknownAndAwkwardNamesDoNotBreakAScrape includes names that come to one metric,
// names of one text in all three kinds, and names that imitate a histogram's parts.
func TestUnknownAndAwkwardNamesDoNotBreakAScrape(t *testing.T) {
	c := New()
	for _, name := range []string{"", ".", "a.b", "a_b", "A-B", "été", "view.", "view.x", "view..x", "view.\xff.lag", "view.\xfe.lag", "update", "update_seconds_count", "x_total", "x"} {
		c.Count(name, 1)
		c.Observe(name, time.Second)
		c.Level(name, 1)
	}
	samples := scrape(t, c)
	expect(t, samples, "clientele_a_b_total", "3")
	expect(t, samples, "clientele_a_b_seconds_count", "3")
	expect(t, samples, "clientele_a_b_level", "1")
	expect(t, samples, "clientele_view_x_total", "1")
	expect(t, samples, `clientele_view_lag_entries{view="_"}`, "1")
}

func TestCountersNeverGoBack(t *testing.T) {
	c := New()
	c.Count("load.rows", 5)
	c.Count("load.rows", -3)
	expect(t, scrape(t, c), "clientele_load_rows_total", "5")
}

func TestAWatchedBookIsAskedAtEachScrape(t *testing.T) {
	c := New()
	asked := 0
	c.Watch(func(context.Context) (storage.Health, error) {
		asked++
		return storage.Health{
			Journal: 10, Pending: 2, Problems: []string{"view search stands still"},
			Engine: kv.Stats{DiskBytes: 4096, CacheHits: 3, OpenSnapshots: 1},
			Views:  []storage.ViewState{{Name: "search", Lag: uint64(asked), Err: errors.New("broken"), Since: 90 * time.Second}},
		}, nil
	})
	c.Level("view.search.lag", 0) // as the view left it when it last moved
	expect(t, scrape(t, c), `clientele_view_lag_entries{view="search"}`, "1")
	samples := scrape(t, c)
	for name, value := range map[string]string{
		`clientele_view_lag_entries{view="search"}`:     "2",
		`clientele_view_stalled_seconds{view="search"}`: "90",
		`clientele_view_building{view="search"}`:        "0",
		"clientele_healthy":                             "0",
		"clientele_journal_entries":                     "10",
		"clientele_journal_pending_entries":             "2",
		"clientele_engine_disk_bytes":                   "4096",
		"clientele_engine_cache_hits_total":             "3",
		"clientele_engine_open_snapshots":               "1",
	} {
		expect(t, samples, name, value)
	}
	c.Watch(nil)
	if _, found := scrape(t, c)["clientele_healthy"]; found {
		t.Error("clientele_healthy is shown of a book that is no longer watched")
	}
}

func TestABookThatCannotBeAskedIsNotHealthy(t *testing.T) {
	c := New()
	c.Count("update.commits", 1)
	c.Watch(func(context.Context) (storage.Health, error) { return storage.Health{}, storage.ErrClosed })
	samples := scrape(t, c)
	expect(t, samples, "clientele_healthy", "0")
	expect(t, samples, "clientele_update_commits_total", "1")
}

// TestTwoBooksStandSideBySide registers one collector for each, as the package
// comment says.
func TestTwoBooksStandSideBySide(t *testing.T) {
	registry := prometheus.NewRegistry()
	for _, book := range []string{"north", "south"} {
		c := New()
		c.Count("update.commits", 1)
		if err := prometheus.WrapRegistererWith(prometheus.Labels{"book": book}, registry).Register(c); err != nil {
			t.Fatal(err)
		}
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if len(families) != 1 || len(families[0].Metric) != 2 {
		t.Errorf("%d families, want one with a sample for each book", len(families))
	}
}

func TestConcurrentMeasurementsAreAllCounted(t *testing.T) {
	c := New()
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for i := range 1000 {
				c.Count(fmt.Sprint("c", i%10), 1)
				c.Observe("update", time.Duration(w))
				c.Level("engine.disk", int64(i))
			}
		})
	}
	scrape(t, c)
	writers.Wait()
	samples := scrape(t, c)
	for i := range 10 {
		expect(t, samples, fmt.Sprintf("clientele_c%d_total", i), "800")
	}
	expect(t, samples, "clientele_update_seconds_count", "8000")
}

func BenchmarkObserve(b *testing.B) {
	c := New()
	for b.Loop() {
		c.Observe("update", time.Millisecond)
	}
}
