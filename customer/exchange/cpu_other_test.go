//go:build !unix

package exchange_test

import "time"

// cpuTime is told on Unix only.
func cpuTime() time.Duration { return 0 }
