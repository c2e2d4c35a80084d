//go:build !(linux || darwin || freebsd)

package capacity

import "time"

// diskSpace is not known on this system: the disk's reserve is not kept here.
func diskSpace(string) (total, free int64) { return 0, 0 }

// processorTime is not known on this system.
func processorTime() time.Duration { return 0 }
