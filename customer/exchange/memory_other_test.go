//go:build !linux

package exchange_test

func resetPeak() {}

// peakMemory is told on Linux only.
func peakMemory() int64 { return 0 }
