package kv

import "errors"

// The errors that an engine's error wraps; test with errors.Is. The text around
// them names what was attempted.
var (
	// ErrConflict: something that the batch read has changed, or is too old to tell.
	// Take a new snapshot and try again.
	ErrConflict = errors.New("conflict with a concurrent commit")
	// ErrClosed: the engine or snapshot was closed before the call.
	ErrClosed = errors.New("engine is closed")
	// ErrInUse: another process, or another opening in this one, holds the directory.
	ErrInUse = errors.New("directory is in use by another opener")
	// ErrCorrupt: stored bytes do not match their checksum or make no sense.
	ErrCorrupt = errors.New("stored data is corrupt")
	// ErrFormat: the data was written in a format that this program doesn't know.
	ErrFormat = errors.New("unknown storage format")
	// ErrReadOnly: the directory can't be written.
	ErrReadOnly = errors.New("storage is read-only")
	// ErrNoSpace: the disk is full.
	ErrNoSpace = errors.New("no space left on device")
	// ErrFailed: a write failed earlier and the engine refuses to go on; what was
	// acknowledged is safe. Close and open again once the cause is mended.
	ErrFailed = errors.New("engine stopped after a failed write")
	// ErrPinned: a purge was done but for what snapshots or scans that began before it
	// may still see. Purge again once they are closed.
	ErrPinned = errors.New("old values are still in sight of open snapshots")
	// ErrUnknownOutcome: the batch may or may not have been applied.
	ErrUnknownOutcome = errors.New("outcome of the commit is unknown")
	// ErrLimit: a key, value or batch exceeds the engine's [Limits], is empty where
	// it must not be, or begins with the reserved byte 0x00.
	ErrLimit = errors.New("outside the engine's limits")
	// ErrInvalid: the call breaks the contract, for instance with unsorted runs or
	// a delta that [Fold] can't read.
	ErrInvalid = errors.New("invalid call")
)
