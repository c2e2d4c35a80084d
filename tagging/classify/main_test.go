package classify_test

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain shortens the model test, which is one of many here, and holds that no book
// leaves a goroutine behind.
func TestMain(m *testing.M) {
	flag.Set("rapid.checks", "8")
	flag.Parse()
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			println(err.Error())
			code = 1
		}
	}
	os.Exit(code)
}
