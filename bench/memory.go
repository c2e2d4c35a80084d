package main

import (
	"runtime"
	"sync"
	"time"
)

// watchMemory samples the memory that the Go runtime holds; the function it returns
// ends the watch and gives the peak in bytes.
func watchMemory() (peak func() uint64) {
	runtime.GC()
	stop := make(chan struct{})
	var most uint64
	var wg sync.WaitGroup
	sample := func() {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.Sys-m.HeapReleased)
	}
	wg.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				sample()
			}
		}
	})
	return func() uint64 {
		close(stop)
		wg.Wait()
		sample()
		return most
	}
}
