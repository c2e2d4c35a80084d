package prommetrics

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clientele-go/clientele/storage"
)

// Collector takes a book's measurements and shows them to Prometheus. It implements
// [storage.Metrics] and [prometheus.Collector]. A measurement costs some 100 ns and
// allocates only when its name is new. All methods are safe for concurrent use.
type Collector struct {
	counts    instruments[prometheus.Counter]
	durations instruments[prometheus.Histogram]
	levels    instruments[prometheus.Gauge]
	health    atomic.Pointer[Health]
}

// Health asks a book how it is; it is the type of its method Health.
type Health = func(context.Context) (storage.Health, error)

var (
	_ storage.Metrics      = (*Collector)(nil)
	_ prometheus.Collector = (*Collector)(nil)
)

// New returns a collector that has measured nothing yet.
func New() *Collector {
	c := &Collector{}
	c.counts.make = newCounter
	c.durations.make = newHistogram
	c.levels.make = newGauge
	return c
}

// Watch asks for a book's health at each scrape from now on, in place of what was
// watched before; nil ends it.
func (c *Collector) Watch(health Health) {
	if health == nil {
		c.health.Store(nil)
		return
	}
	c.health.Store(&health)
}

// Count adds to a count. Counters only grow: a negative n is ignored.
func (c *Collector) Count(name string, n int64) {
	if n > 0 {
		c.counts.get(name).Add(float64(n))
	}
}

// Observe adds a duration.
func (c *Collector) Observe(name string, d time.Duration) {
	c.durations.get(name).Observe(d.Seconds())
}

// Level sets a level.
func (c *Collector) Level(name string, value int64) {
	c.levels.get(name).Set(float64(value))
}

// Describe sends nothing: which views a book has, and so which metrics, is not known
// beforehand.
func (c *Collector) Describe(chan<- *prometheus.Desc) {}

// Collect sends everything measured so far, and a watched book's health.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	if health := c.health.Load(); health != nil {
		c.collectHealth(*health, out)
	}
	c.counts.collect(out)
	c.durations.collect(out)
	c.levels.collect(out)
}

// instruments are the metrics of one kind by the names that the book gives them. They
// are read without a lock and copied when one is added, which is rare.
type instruments[M prometheus.Metric] struct {
	make   func(metric) M
	adding sync.Mutex
	byName atomic.Pointer[map[string]M]
	all    map[metric]M // two names may come to one metric, such as "a.b" and "a_b"
}

func (s *instruments[M]) get(name string) M {
	if known := s.byName.Load(); known != nil {
		if m, found := (*known)[name]; found {
			return m
		}
	}
	return s.add(name)
}

func (s *instruments[M]) add(name string) M {
	s.adding.Lock()
	defer s.adding.Unlock()
	grown := map[string]M{}
	if known := s.byName.Load(); known != nil {
		grown = maps.Clone(*known)
	}
	if m, found := grown[name]; found { // added since get looked
		return m
	}
	key := parse(name)
	m, found := s.all[key]
	if !found {
		m = s.make(key)
		if s.all == nil {
			s.all = map[metric]M{}
		}
		s.all[key] = m
	}
	grown[name] = m
	s.byName.Store(&grown)
	return m
}

func (s *instruments[M]) collect(out chan<- prometheus.Metric) {
	s.adding.Lock()
	all := maps.Clone(s.all)
	s.adding.Unlock()
	for _, m := range all {
		out <- m
	}
}
