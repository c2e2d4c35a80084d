//go:build linux || darwin || freebsd

package capacity

import (
	"syscall"
	"time"
)

// diskSpace returns the size of a folder's file system and what of it the process may
// still use, in bytes, 0 for not known.
func diskSpace(dir string) (total, free int64) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0
	}
	return int64(s.Blocks) * int64(s.Bsize), int64(s.Bavail) * int64(s.Bsize)
}

// processorTime is what the process has used of its processors so far, in all threads.
// Unlike the clock it hardly depends on what else the machine does.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
