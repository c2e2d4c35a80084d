package storage_test

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// Each random history opens a book on disk, so 100 of them, rapid's default, would
// take most of a minute under the race detector.
func TestMain(m *testing.M) {
	flag.Set("rapid.checks", "20")
	flag.Parse()
	if code := m.Run(); code != 0 {
		os.Exit(code)
	}
	if err := goleak.Find(); err != nil {
		os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
}
