//go:build unix

package credit_test

import (
	"syscall"
	"testing"
	"time"
)

// cpu measures the processor time of a benchmark's iterations, which tells more than the
// clock on a machine that does other things besides.
type cpu struct{ start time.Duration }

func startCPU() cpu { return cpu{usedCPU()} }

func usedCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (c cpu) report(b *testing.B) {
	b.ReportMetric(float64((usedCPU()-c.start).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}
