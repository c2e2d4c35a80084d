package credit_test

import (
	"syscall"
	"time"
)

// sleepUntil is more exact than time.Sleep, which on an idle process wakes up to a millisecond
// late, as many as four syncs: Go waits for timers as for the network, in whole milliseconds.
func sleepUntil(at time.Time) {
	for left := time.Until(at); left > 0; left = time.Until(at) {
		rest := syscall.NsecToTimespec(int64(left))
		_ = syscall.Nanosleep(&rest, nil) // interrupted, it sleeps on
	}
}
