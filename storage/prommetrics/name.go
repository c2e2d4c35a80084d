package prommetrics

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// metric is what a measurement's name says: the metric's name without namespace and
// unit, and the view that it is about, if any.
type metric struct{ name, view string }

// parse reads "update.commits" and "view.<name>.lag".
func parse(name string) metric {
	rest, found := strings.CutPrefix(name, "view.")
	if end := strings.LastIndexByte(rest, '.'); found && end > 0 {
		return metric{name: clean("view_" + rest[end+1:]), view: strings.ToValidUTF8(rest[:end], "_")}
	}
	return metric{name: clean(name)}
}

// clean makes a name of the letters, digits and underscores that Prometheus allows
// everywhere.
func clean(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '_'
	}, name)
}

func (m metric) labels() prometheus.Labels {
	if m.view == "" {
		return nil
	}
	return prometheus.Labels{viewLabel: m.view}
}

const (
	namespace = "clientele"
	viewLabel = "view"
)

// levelUnits are the units of the levels that a book is known to set. Any other ends
// in _level, so that it can't be mistaken for a counter or a part of a histogram.
var levelUnits = map[string]string{
	"view_lag":               "entries",
	"engine_compaction_debt": "bytes",
	"engine_disk":            "bytes",
}

// help explains the known metrics, by name without unit.
var help = map[string]string{
	"update":                 "Duration of update transactions, all attempts and the sync included.",
	"view":                   "Duration of read transactions.",
	"load":                   "Duration of bulk loads.",
	"backup":                 "Duration of backups.",
	"verify":                 "Duration of verifications.",
	"update_commits":         "Update transactions committed.",
	"update_conflicts":       "Attempts of update transactions that met a concurrent change.",
	"load_rows":              "Records loaded in bulk.",
	"view_apply":             "Duration of bringing a batch of changes into a view.",
	"view_lag":               "Journal entries that a view has not applied yet.",
	"engine_compaction_debt": "Bytes that compaction still has to rewrite.",
	"engine_disk":            "Bytes on disk, journal and log included.",
}

func (m metric) help() string {
	if text, known := help[m.name]; known {
		return text
	}
	return "Measurement " + m.name + " of a Clientele book."
}

func newCounter(m metric) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: namespace, Name: m.name + "_total", Help: m.help(), ConstLabels: m.labels(),
	})
}

// buckets run from the 10 µs of a cached read to the hour of a large backup, two to
// each power of ten.
var buckets = []float64{
	10e-6, 30e-6, 100e-6, 300e-6, 1e-3, 3e-3, 10e-3, 30e-3, 100e-3, 300e-3, 1, 3, 10, 30, 100, 300, 1000, 3600,
}

func newHistogram(m metric) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: namespace, Name: m.name + "_seconds", Help: m.help(), ConstLabels: m.labels(), Buckets: buckets,
	})
}

func newGauge(m metric) prometheus.Gauge {
	unit, known := levelUnits[m.name]
	if !known {
		unit = "level"
	}
	return prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: m.name + "_" + unit, Help: m.help(), ConstLabels: m.labels(),
	})
}
