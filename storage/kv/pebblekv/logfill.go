package pebblekv

import (
	"io"
	"math"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// filledLog is a log that has zeros ahead of what is written to it. A sync of a file that has
// grown must wait until the file system has recorded where and how long it is, and with that for
// data of other files; over what was written before it waits for its own few bytes.
// Readers take zeros for the end, as they take what is left of an earlier use of the file. Those
// who read while it is written must stop at its end; see writtenLog.
type filledLog struct {
	vfs.File
	at     atomic.Int64 // where the next write goes
	filled int64        // the length of the file
	closed func()
}

// fillAhead is how much is filled at a time: little beside the least log, 256 KiB being what
// a hundred creations or 800 reservations write, and few syncs of grown files.
const fillAhead = 256 << 10

var zeros [fillAhead]byte

// Write fills the file first when p comes to its end.
func (l *filledLog) Write(p []byte) (int, error) {
	if end := l.at.Load() + int64(len(p)); end > l.filled {
		l.fill(end)
	}
	n, err := l.File.Write(p)
	l.at.Add(int64(n))
	return n, err
}

func (l *filledLog) Close() error {
	l.closed()
	return l.File.Close()
}

// fill is not needed: a log that can't be filled grows with each write.
func (l *filledLog) fill(from int64) {
	if _, err := l.File.WriteAt(zeros[:], from); err != nil {
		l.filled = math.MaxInt64
		return
	}
	l.filled = from + fillAhead
}

// writtenLog is read while it is written, for a backup. It ends where what was written ended when
// it was opened: whoever read on, piece by piece, would get what had been there before the next
// write and, in the piece behind it, what is there after it, which is a log with a hole.
type writtenLog struct {
	vfs.File
	left int64
}

func (l *writtenLog) Read(p []byte) (int, error) {
	if l.left == 0 {
		return 0, io.EOF
	}
	n, err := l.File.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}
