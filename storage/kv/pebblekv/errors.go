package pebblekv

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/clientele-go/clientele/storage/kv"
)

// wrap says what was attempted and gives an error of Pebble or the operating system
// its meaning in the contract. The cause stays within reach of errors.Is and As.
func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	kind := kindOf(err)
	switch {
	case kind == nil:
		return fmt.Errorf("pebblekv: %s: %w", what, err)
	case kind == kv.ErrCorrupt:
		return fmt.Errorf("pebblekv: %s: %w%s: %w", what, kind, corruptPlace(err), err)
	}
	return fmt.Errorf("pebblekv: %s: %w: %w", what, kind, err)
}

func kindOf(err error) error {
	switch {
	case vfs.IsNoSpaceError(err), errors.Is(err, syscall.EDQUOT):
		return kv.ErrNoSpace
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, pebble.ErrReadOnly):
		return kv.ErrReadOnly
	case pebble.IsCorruptionError(err):
		return kv.ErrCorrupt
	case errors.Is(err, pebble.ErrClosed):
		return kv.ErrClosed
	}
	return nil
}

// corruptPlace names the file that an error of Pebble is about, as far as it tells.
func corruptPlace(err error) string {
	if info := pebble.ExtractDataCorruptionInfo(err); info != nil {
		return " in " + info.Path
	}
	var detailed interface{ ErrorDetail() string }
	if errors.As(err, &detailed) {
		return " (" + detailed.ErrorDetail() + ")"
	}
	return ""
}

// stopped says that an attempt failed with, or after, a failed write.
func stopped(what string, sentinel, cause error) error {
	if kind := kindOf(cause); kind != nil {
		return fmt.Errorf("pebblekv: %s: %w: %w: %w", what, sentinel, kind, cause)
	}
	return fmt.Errorf("pebblekv: %s: %w: %w", what, sentinel, cause)
}
