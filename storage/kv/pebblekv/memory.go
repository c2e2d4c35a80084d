package pebblekv

import (
	"bufio"
	"bytes"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// unknownMemory is assumed where no limit can be read.
const unknownMemory = 2 << 30

// usableMemory returns the bytes of memory that the process may use: the least of the
// machine's, the control group's and Go's own limit.
func usableMemory() int64 {
	limit := debug.SetMemoryLimit(-1) // reads it
	for _, file := range []string{
		"/sys/fs/cgroup/memory.max",                   // version 2
		"/sys/fs/cgroup/memory/memory.limit_in_bytes", // version 1
	} {
		if bytes, ok := readLimit(file); ok {
			limit = min(limit, bytes)
		}
	}
	if meminfo, err := os.ReadFile("/proc/meminfo"); err == nil {
		if bytes, ok := totalMemory(meminfo); ok {
			limit = min(limit, bytes)
		}
	}
	if limit == math.MaxInt64 {
		return unknownMemory
	}
	return limit
}

// readLimit reads a control group's limit; "max" and absence are none.
func readLimit(file string) (int64, bool) {
	content, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	limit, err := strconv.ParseInt(string(bytes.TrimSpace(content)), 10, 64)
	return limit, err == nil && limit > 0
}

// totalMemory reads the line "MemTotal:  24052000 kB" of /proc/meminfo.
func totalMemory(meminfo []byte) (int64, bool) {
	for lines := bufio.NewScanner(bytes.NewReader(meminfo)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) == 3 && fields[0] == "MemTotal:" {
			kib, err := strconv.ParseInt(fields[1], 10, 64)
			return kib << 10, err == nil
		}
	}
	return 0, false
}
