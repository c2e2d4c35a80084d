package prommetrics_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/clientele-go/clientele/storage/prommetrics"
)

// A book calls Count, Observe and Level; here the example does.
func Example() {
	metrics := prommetrics.New()
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics)

	metrics.Observe("update", 2*time.Millisecond)
	metrics.Count("update.commits", 1)
	metrics.Level("view.search.lag", 7)

	page := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(page.Body.String()) {
		if !strings.HasPrefix(line, "#") && !strings.Contains(line, "_bucket") {
			fmt.Print(line)
		}
	}
	// Output:
	// clientele_update_commits_total 1
	// clientele_update_seconds_sum 0.002
	// clientele_update_seconds_count 1
	// clientele_view_lag_entries{view="search"} 7
}
