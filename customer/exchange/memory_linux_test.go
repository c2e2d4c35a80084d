package exchange_test

import (
	"os"
	"strconv"
	"strings"
)

// resetPeak forgets the most memory that the program has had so far.
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) } // the kernel may refuse: then it is that of the whole run

// peakMemory is the most memory in bytes that the program had since, with what the kernel
// maps of files.
func peakMemory() int64 {
	status, _ := os.ReadFile("/proc/self/status") // none is 0
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(after, "\n")
	kilobytes, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(line), "kB")), 10, 64)
	return kilobytes << 10
}
