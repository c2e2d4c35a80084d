package kvtest

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
)

// recorder is a testing.TB outside of a test: it keeps what a test would have printed.
type recorder struct {
	testing.TB // nil; what isn't overridden here is not available

	name   string
	ctx    context.Context
	cancel context.CancelFunc

	mu       sync.Mutex
	failed   bool
	skipped  bool
	log      strings.Builder
	cleanups []func()
}

// record runs check and returns its failure, or nil. A panic is a failure.
func record(name string, check func(t testing.TB)) error {
	ctx, cancel := context.WithCancel(context.Background())
	r := &recorder{name: name, ctx: ctx, cancel: cancel}
	r.protect(func() { check(r) })
	cancel()
	for r.cleanupNext() {
	}
	return r.failure()
}

func (r *recorder) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.failed {
		return nil
	}
	return fmt.Errorf("%s: %s", r.name, strings.TrimSpace(r.log.String()))
}

// protect runs f in a goroutine of its own, which FailNow and SkipNow may end.
func (r *recorder) protect(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				r.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		f()
	}()
	<-done
}

func (r *recorder) cleanupNext() bool {
	r.mu.Lock()
	last := len(r.cleanups) - 1
	if last < 0 {
		r.mu.Unlock()
		return false
	}
	f := r.cleanups[last]
	r.cleanups = r.cleanups[:last]
	r.mu.Unlock()
	r.protect(f)
	return true
}

func (r *recorder) Helper()                  {}
func (r *recorder) Name() string             { return r.name }
func (r *recorder) Context() context.Context { return r.ctx }
func (r *recorder) Output() io.Writer        { return logWriter{r} }

func (r *recorder) Log(args ...any)                 { r.print(fmt.Sprintln(args...)) }
func (r *recorder) Logf(format string, args ...any) { r.print(fmt.Sprintf(format, args...) + "\n") }

func (r *recorder) print(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.WriteString(s)
}

func (r *recorder) Error(args ...any)                 { r.Log(args...); r.Fail() }
func (r *recorder) Errorf(format string, args ...any) { r.Logf(format, args...); r.Fail() }
func (r *recorder) Fatal(args ...any)                 { r.Log(args...); r.FailNow() }
func (r *recorder) Fatalf(format string, args ...any) { r.Logf(format, args...); r.FailNow() }
func (r *recorder) Skip(args ...any)                  { r.Log(args...); r.SkipNow() }
func (r *recorder) Skipf(format string, args ...any)  { r.Logf(format, args...); r.SkipNow() }

func (r *recorder) FailNow() { r.Fail(); runtime.Goexit() }

func (r *recorder) Fail() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
}

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func (r *recorder) SkipNow() {
	r.mu.Lock()
	r.skipped = true
	r.mu.Unlock()
	runtime.Goexit()
}

func (r *recorder) Skipped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.skipped
}

func (r *recorder) Cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, f)
}

func (r *recorder) TempDir() string {
	dir, err := os.MkdirTemp("", "kvtest")
	if err != nil {
		r.Fatalf("make a temporary directory: %v", err)
	}
	r.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

type logWriter struct{ r *recorder }

func (w logWriter) Write(p []byte) (int, error) {
	w.r.print(string(p))
	return len(p), nil
}
