package search

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests, or, in a child process of the crash tests, what is to be killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(runChild(dir, os.Getenv(childJob)))
	}
	goleak.VerifyTestMain(closing{m})
}

// longOr returns short, or with CLIENTELE_LONG in the environment the other number.
func longOr(short, long int) int {
	if os.Getenv("CLIENTELE_LONG") != "" {
		return long
	}
	return short
}

// closing closes what benchmarks share before goroutines are counted.
type closing struct{ *testing.M }

func (c closing) Run() int {
	code := c.M.Run()
	if built.index != nil {
		built.index.Close()
	}
	if built.temporary != "" {
		os.RemoveAll(built.temporary)
	}
	return code
}
