package storage_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/clientele-go/clientele/storage"
)

// BenchmarkVerify tells what a record of a loaded book on disk costs, with two indexes, a
// tally and a bitmap, and by how much the heap is larger when Verify is half done.
func BenchmarkVerify(b *testing.B) {
	const records = 50_000
	s := open(b, b.TempDir(), storage.Options{})
	_, err := s.Load(context.Background(), clerk, storage.LoadOptions{}, func(l *storage.Loader) error {
		for i := range records {
			if err := pages.Load(l, pageID(i+1), &page{Title: fmt.Sprint("page ", i), Words: []string{"w", fmt.Sprint(i % 100)}}, 1); err != nil {
				return err
			}
			if err := l.Next(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for b.Loop() {
		report, err := s.Verify(context.Background(), func(done, total int) {
			if 2*done >= total && during.HeapAlloc == 0 {
				runtime.ReadMemStats(&during)
			}
		})
		if err != nil || !report.OK() {
			b.Fatal(report, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
	b.ReportMetric(float64(int64(during.HeapAlloc)-int64(before.HeapAlloc)), "B-heap")
}
