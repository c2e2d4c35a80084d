package capacity

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// watch looks at disk and memory while the run works, and stops it before either is
// used up.
type watch struct {
	mu      sync.Mutex
	most    int64 // resident bytes
	quit    chan struct{}
	all     sync.WaitGroup
	cancel  context.CancelCauseFunc // of what is under way
	dir     string
	reserve int64
	memory  int64
}

// watchEvery is how often the watch looks.
const watchEvery = 100 * time.Millisecond

func startWatch(dir string, reserve, memory int64) *watch {
	w := &watch{quit: make(chan struct{}), dir: dir, reserve: reserve, memory: memory}
	w.all.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-w.quit:
				return
			case <-tick.C:
				w.look()
			}
		}
	})
	return w
}

func (w *watch) stop() {
	close(w.quit)
	w.all.Wait()
}

// during returns a context that ends with a *stopError when a resource runs out.
func (w *watch) during(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cancel = cancel
	return ctx, func() { cancel(nil) }
}

func (w *watch) look() {
	resident := residentBytes()
	total, free := diskSpace(w.dir)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.most = max(w.most, resident)
	if w.cancel == nil {
		return
	}
	if total > 0 && free < w.reserve {
		w.cancel(&stopError{Stop{Why: StoppedDisk, Detail: fmt.Sprintf("%s of the disk are free; %s are to stay so", bytesText(free), bytesText(w.reserve))}})
	}
	if w.memory > 0 && resident > w.memory {
		w.cancel(&stopError{Stop{Why: StoppedMemory, Detail: fmt.Sprintf("the process uses %s of memory, more than %s", bytesText(resident), bytesText(w.memory))}})
	}
}

func (w *watch) resetPeak() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.most = 0
}

func (w *watch) peak() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return max(w.most, residentBytes())
}
