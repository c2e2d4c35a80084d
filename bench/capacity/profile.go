package capacity

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
)

// What is sampled while a question is profiled: events of blocking that took at least
// blockSample ns, and one in mutexSample of those who waited for a lock.
const (
	blockSample = 10_000
	mutexSample = 10
)

// cumulated are the profiles that count from the start of the process. Those from before a
// question are written too, so that pprof can take the difference.
var cumulated = []string{"block", "mutex", "allocs"}

// profile takes profiles until the function that it returns is called: of the processor in
// QUESTION-CUSTOMERS.pprof, and of waiting and allocations in QUESTION-CUSTOMERS.KIND.pprof,
// whose difference to QUESTION-CUSTOMERS.KIND-before.pprof (pprof's -base) is the question's.
func (r *runner) profile(question string, customers int) (stop func()) {
	if r.Profiles == "" {
		return func() {}
	}
	name := filepath.Join(r.Profiles, fmt.Sprintf("%s-%d", question, customers))
	f, err := os.Create(name + ".pprof")
	if err == nil {
		err = errors.Join(writeCumulated(name, "-before"), pprof.StartCPUProfile(f))
	}
	if err != nil {
		r.Progress.say("no profile: %v", err)
		return func() {}
	}
	runtime.SetBlockProfileRate(blockSample)
	runtime.SetMutexProfileFraction(mutexSample)
	return func() {
		runtime.SetBlockProfileRate(0)
		runtime.SetMutexProfileFraction(0)
		pprof.StopCPUProfile()
		if err := errors.Join(f.Close(), writeCumulated(name, "")); err != nil {
			r.Progress.say("no profile: %v", err)
		}
	}
}

func writeCumulated(name, when string) error {
	for _, kind := range cumulated {
		f, err := os.Create(name + "." + kind + when + ".pprof")
		if err != nil {
			return err
		}
		if err := errors.Join(pprof.Lookup(kind).WriteTo(f, 0), f.Close()); err != nil {
			return err
		}
	}
	return nil
}
