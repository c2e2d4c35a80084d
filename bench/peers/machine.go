package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// processor returns the processor's name after a comma, where Linux tells it.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for text := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(text, ":"); strings.TrimSpace(name) == "model name" {
			return ", " + strings.TrimSpace(value)
		}
	}
	return ""
}

// memory returns how much memory the machine has, where Linux tells it.
func memory() string {
	var kilobytes int64
	if info, err := os.Open("/proc/meminfo"); err == nil {
		_, _ = fmt.Fscanf(info, "MemTotal: %d kB", &kilobytes)
		_ = info.Close()
	}
	if kilobytes == 0 {
		return "an unknown amount"
	}
	return fmt.Sprintf("%d GiB", (kilobytes+1<<19)>>20)
}

// fileSystem returns the type of the file system that a directory is on, where Linux tells it.
func fileSystem(dir string) string {
	dir, _ = filepath.Abs(dir)
	mounts, _ := os.ReadFile("/proc/mounts")
	best, kind := -1, "an unknown file system"
	for text := range strings.Lines(string(mounts)) {
		f := strings.Fields(text)
		if len(f) > 2 && len(f[1]) > best && (dir == f[1] || strings.HasPrefix(dir, strings.TrimSuffix(f[1], "/")+"/")) {
			best, kind = len(f[1]), f[2]
		}
	}
	return kind
}

// loadAverage returns how many processes were running or waiting over the last minute.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
