package storage

import (
	"errors"
	"fmt"

	"github.com/clientele-go/clientele/storage/kv"
)

// The errors that storage's errors wrap; test with errors.Is. The first group is
// the engine's, under the same names.
var (
	ErrClosed    = kv.ErrClosed
	ErrInUse     = kv.ErrInUse
	ErrCorrupt   = kv.ErrCorrupt
	ErrFormat    = kv.ErrFormat
	ErrReadOnly  = kv.ErrReadOnly
	ErrNoSpace   = kv.ErrNoSpace
	ErrFailed    = kv.ErrFailed
	ErrInvalid   = kv.ErrInvalid
	ErrLimit     = kv.ErrLimit
	ErrPinned    = kv.ErrPinned
	ErrUncertain = kv.ErrUnknownOutcome
	// ErrConflict: the transaction kept meeting concurrent changes, or a record has a
	// newer version than the one that the caller read.
	ErrConflict = kv.ErrConflict

	// ErrNotFound: no record has this key.
	ErrNotFound = errors.New("not found")
	// ErrExists: a record with this key, or this unique index key, exists.
	ErrExists = errors.New("already exists")
	// ErrErased: this version's content was erased for good; its digest remains.
	ErrErased = errors.New("content was erased")
	// ErrEnded: the transaction was used after its function returned.
	ErrEnded = errors.New("transaction has ended")
	// ErrDamagedBackup: a backup's files do not match its manifest.
	ErrDamagedBackup = errors.New("backup is damaged")
)

// Error is storage's structured error: what was attempted, on what, and why it
// failed.
type Error struct {
	Op    string // "open", "update", "verify", …
	Table string // the table, when one is concerned
	Key   string // the record or index key, readable
	Err   error
}

func (e *Error) Error() string {
	text := "storage: " + e.Op
	if e.Table != "" {
		text += " " + e.Table
	}
	if e.Key != "" {
		text += " " + e.Key
	}
	return text + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// UniqueError says that a unique index already has the key. It wraps ErrExists.
type UniqueError struct {
	Table, Index string // Index is empty where a load found the record's own key
	Key          Key    // the index key
	Holder       Key    // the primary key of the record that has it
}

func (e *UniqueError) Error() string {
	if e.Index == "" {
		return fmt.Sprintf("storage: %s: the table has record % x", e.Table, []byte(e.Holder))
	}
	return fmt.Sprintf("storage: %s: unique index %s: key is taken by record % x", e.Table, e.Index, []byte(e.Holder))
}

func (e *UniqueError) Unwrap() error { return ErrExists }
