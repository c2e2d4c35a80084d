package match

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
)

// parallel calls f for 0 … n-1 on several goroutines, and stops early when the context
// ends.
func parallel(ctx context.Context, workers, n int, f func(i int)) error {
	return chunks(ctx, workers, n, func(_, from, to int) {
		for i := from; i < to; i++ {
			f(i)
		}
	})
}

// chunks hands out the numbers 0 … n-1 in runs. The first argument of f is the worker's
// number. Results must not depend on who does which run.
func chunks(ctx context.Context, workers, n int, f func(worker, from, to int)) error {
	return runs(ctx, workers, n, 512, f)
}

// runs are chunks of a size.
func runs(ctx context.Context, workers, n, size int, f func(worker, from, to int)) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range min(workers, n/size+1) {
		wg.Go(func() {
			for ctx.Err() == nil {
				from := int(next.Add(int64(size))) - size
				if from >= n {
					return
				}
				f(w, from, min(from+size, n))
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// inTurn calls f for 0 … n-1, each a large piece of work, on several goroutines.
func inTurn(ctx context.Context, workers, n int, f func(i int)) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(workers, n) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

func itoa(n int) string { return strconv.Itoa(n) }
