package pebblekv

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options say how to open an engine. The zero value opens a directory for reading
// and writing.
type Options struct {
	// InMemory keeps everything in memory; the directory's name then means nothing.
	InMemory bool
	// FS is the file system of the directory; nil is the operating system's.
	FS vfs.FS
	// ReadOnly opens an existing directory without changing it. Apply and Ingest
	// return kv.ErrReadOnly.
	ReadOnly bool
	// CacheBytes is the size of the caches of blocks and rows. 0 is an eighth of the memory that
	// the process may use (the machine's, its control group's or GOMEMLIMIT, whichever is
	// least), at least 64 MiB and at most 8 GiB. Only what was read occupies memory.
	CacheBytes int64
	// RowCacheBytes is how much of CacheBytes is for values lately read by key; 0 is a
	// quarter, less than 0 is nothing.
	RowCacheBytes int64
	// MemTableBytes is the size up to which commits are gathered in memory before
	// they are written as a table; 0 is 32 MiB. Up to four such tables may be in memory,
	// and up to nine logs of that size on disk, five of them kept to be written over.
	MemTableBytes int64
	// RelaxedDelay is the longest time between a relaxed commit and its sync; 0 is 100 ms.
	RelaxedDelay time.Duration
	// Logger hears of what goes wrong in the background; nil is silence.
	Logger *slog.Logger
	// Now is the clock by which batch ids are forgotten; nil is time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.CacheBytes <= 0 {
		o.CacheBytes = min(max(usableMemory()/8, 64<<20), 8<<30)
	}
	if o.RowCacheBytes == 0 {
		o.RowCacheBytes = o.CacheBytes / 4
	}
	o.RowCacheBytes = min(max(o.RowCacheBytes, 0), o.CacheBytes)
	if o.MemTableBytes <= 0 {
		o.MemTableBytes = 32 << 20
	}
	if o.RelaxedDelay <= 0 {
		o.RelaxedDelay = 100 * time.Millisecond
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// formatMajorVersion is the newest that this release of Pebble writes without being
// asked for experiments. See the package comment.
const formatMajorVersion = pebble.FormatValueSeparation

// pebble returns the options for Pebble. The package comment gives the reasons.
func (o Options) pebble(fs vfs.FS, events *pebble.EventListener, when pebble.CompactionScheduler) *pebble.Options {
	p := &pebble.Options{
		FS:                          fs,
		ReadOnly:                    o.ReadOnly,
		FormatMajorVersion:          formatMajorVersion,
		Merger:                      merger,
		CacheSize:                   o.CacheBytes - o.RowCacheBytes,
		MemTableSize:                uint64(o.MemTableBytes),
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       2,
		L0StopWritesThreshold:       1 << 20,
		LBaseMaxBytes:               64 << 20,
		WALBytesPerSync:             1 << 20,
		MaxManifestFileSize:         1, // see startManifest
		Logger:                      pebbleLogger{o.Logger},
		EventListener:               events,
	}
	p.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionFastest })
	// Otherwise a flush would read tables, and be tried without end when that fails.
	p.Experimental.DisableIngestAsFlushable = func() bool { return true }
	p.Experimental.CompactionScheduler = when
	p.TargetFileSizes[0] = 4 << 20
	for i := range p.Levels {
		p.Levels[i].BlockSize = 8 << 10
		p.Levels[i].IndexBlockSize = 32 << 10
		p.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	p.Levels[len(p.Levels)-1].FilterPolicy = pebble.NoFilterPolicy
	return p
}

// pebbleLogger passes on what Pebble reports. Pebble's information is about its
// inner life, one line for each flush and compaction.
type pebbleLogger struct{ to *slog.Logger }

func (l pebbleLogger) Infof(format string, args ...any) {
	if l.to.Enabled(context.Background(), slog.LevelDebug) {
		l.to.Debug("pebble: " + fmt.Sprintf(format, args...))
	}
}

func (l pebbleLogger) Errorf(format string, args ...any) {
	l.to.Warn("pebble: " + fmt.Sprintf(format, args...))
}

// Fatalf would have to end the process. What leads here is not a failed write, which
// failStop keeps from Pebble, but a broken promise within Pebble.
func (l pebbleLogger) Fatalf(format string, args ...any) {
	l.to.Error("pebble: " + fmt.Sprintf(format, args...))
}
