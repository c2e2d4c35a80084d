//go:build !unix

package credit_test

import (
	"testing"
	"time"
)

// cpu is measured on Unix only.
type cpu struct{}

func startCPU() cpu { return cpu{} }

func usedCPU() time.Duration { return 0 }

func (cpu) report(*testing.B) {}
