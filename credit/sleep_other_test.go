//go:build !linux

package credit_test

import "time"

func sleepUntil(at time.Time) { time.Sleep(time.Until(at)) }
