package slogmetrics

import (
	"log/slog"
	"math/bits"
	"time"
)

// durations is a histogram with four buckets to each power of two nanoseconds, so
// that a percentile read from it is too high by a quarter at most. It takes 2 KiB.
type durations struct {
	buckets  [4 * 64]uint64
	n        uint64
	sum, max time.Duration
}

func (h *durations) add(d time.Duration) {
	d = max(d, 0)
	h.buckets[bucket(uint64(d))]++
	h.n++
	h.sum += d
	h.max = max(h.max, d)
}

// bucket is told by the highest bit of v and the two bits after it.
func bucket(v uint64) int {
	if v < 4 {
		return int(v)
	}
	high := bits.Len64(v) - 1
	return 4*high + int(v>>(high-2)&3)
}

// highest returns the greatest value of a bucket.
func highest(bucket int) time.Duration {
	if bucket < 4 {
		return time.Duration(bucket)
	}
	high, next := bucket/4, uint64(bucket%4)
	return time.Duration((5+next)<<(high-2) - 1)
}

// percentile returns a duration that p percent of all don't exceed.
func (h *durations) percentile(p uint64) time.Duration {
	rank := (h.n*p + 99) / 100
	for i, n := range h.buckets {
		if rank <= n {
			return min(highest(i), h.max)
		}
		rank -= n
	}
	return h.max
}

func (h *durations) group(name string) slog.Attr {
	return slog.Group(name,
		slog.Uint64("n", h.n),
		slog.Duration("mean", h.sum/time.Duration(h.n)),
		slog.Duration("p50", h.percentile(50)),
		slog.Duration("p99", h.percentile(99)),
		slog.Duration("max", h.max),
	)
}
