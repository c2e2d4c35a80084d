package main

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging"
)

// contestRows is the number of customers; set CLIENTELE_BENCH_ROWS for others.
func contestRows() int {
	if n, err := strconv.Atoi(os.Getenv("CLIENTELE_BENCH_ROWS")); err == nil {
		return n
	}
	return 100_000
}

// BenchmarkTagsWhileWritten reports, for each question about tags, the median times by the
// clock and of the processor while 5,000 tag changes a second are written, whose processor
// time is in the figure too.
//
//	CLIENTELE_BENCH_ROWS=1000000 go test -run none -bench TagsWhileWritten -benchtime 9x .
func BenchmarkTagsWhileWritten(b *testing.B) {
	set := &tagSet{rows: contestRows(), ids: map[string]tagging.TagID{}}
	book, err := newTagBook(context.Background(), filepath.Join(b.TempDir(), "book"), set)
	if err != nil {
		b.Fatal(err)
	}
	defer book.close()
	stop, began := writeTags(b, book, set), time.Now()
	time.Sleep(time.Second)
	for _, q := range tagQuestions {
		b.Run(q.line.name, func(b *testing.B) {
			var t timings
			for b.Loop() {
				for range 20 {
					if err := t.take(func() error { _, err := book.ask(q, 0); return err }); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(t.clock), "µs")
			b.ReportMetric(median(t.processor), "µs-processor")
		})
	}
	b.ReportMetric(float64(stop())/time.Since(began).Seconds(), "changes/s")
}

// timings are what questions took, in microseconds.
type timings struct{ clock, processor []float64 }

func (t *timings) take(ask func() error) error {
	began, used := time.Now(), processorTime()
	err := ask()
	t.clock = append(t.clock, float64(time.Since(began).Microseconds()))
	t.processor = append(t.processor, float64((processorTime() - used).Microseconds()))
	return err
}

// writeTags moves customers to other regions, 2,500 a second in transactions of 50: each
// is a change of two tags.
func writeTags(b *testing.B, book *tagBook, set *tagSet) (stop func() int) {
	var quit atomic.Bool
	done, changes := make(chan bool), 0
	go func() {
		defer close(done)
		random := rand.New(rand.NewPCG(3, 4))
		for began := time.Now(); !quit.Load(); {
			if time.Since(began) < time.Duration(changes)*time.Second/5000 {
				time.Sleep(time.Millisecond)
				continue
			}
			err := book.session.Update(context.Background(), func(tx *clientele.Tx) error {
				for range 50 {
					id, tag := customer.ID(1+random.IntN(set.rows)), set.ids["region:r"+strconv.Itoa(random.IntN(regions))]
					if _, err := tx.Tags.Replace(id, tagging.Assignment{Tag: tag}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Error(err)
				return
			}
			changes += 100
		}
	}()
	return func() int { quit.Store(true); <-done; return changes }
}
