//go:build unix

package exchange_test

import (
	"syscall"
	"time"
)

// cpuTime is the processor time that the program has used, which tells more than the clock
// on a machine that does other things besides.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
