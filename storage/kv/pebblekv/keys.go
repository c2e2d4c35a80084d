package pebblekv

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/clientele-go/clientele/storage/kv"
)

// The engine's own keys begin with 0x00; the caller's may not. All keys are compared
// as unsigned bytes.
//
//	0x00 0x00 <number, 4 bytes>          empty; there only for moments of a purge
//	0x00 'b' <batch id, 16 bytes>        journal position as a uvarint, 0 for none
//	0x00 'f'                             format version as a uvarint
//	0x00 'j' <position, 8 bytes big-endian>  journal payload
const (
	private  = 0x00
	batchTag = 'b'
	entryTag = 'j'
	emptyTag = 0x00 // below all others, so that these keys share tables with none
)

var (
	formatKey = []byte{private, 'f'}
	callers   = []byte{private + 1} // where the caller's keys begin
)

// formatVersion is written at creation. It covers the keys above, the name and
// meaning of the merge operator, and what kv.Fold reads and writes.
const formatVersion = 1

func journalKey(p kv.Position) []byte {
	return binary.BigEndian.AppendUint64([]byte{private, entryTag}, uint64(p))
}

func journalPosition(key []byte) (kv.Position, error) {
	if len(key) != 10 {
		return 0, fmt.Errorf("pebblekv: %w: journal key % x", kv.ErrCorrupt, key)
	}
	return kv.Position(binary.BigEndian.Uint64(key[2:])), nil
}

func batchKey(id kv.BatchID) []byte {
	return append([]byte{private, batchTag}, id[:]...)
}

func uvarint(value []byte, what string) (uint64, error) {
	n, size := binary.Uvarint(value)
	if size <= 0 || size != len(value) {
		return 0, fmt.Errorf("pebblekv: %w: %s % x", kv.ErrCorrupt, what, value)
	}
	return n, nil
}

// limits are far from what Pebble can take; they keep one call from upsetting the
// memory of the whole process.
var limits = kv.Limits{
	KeyBytes:   32 << 10,
	ValueBytes: 64 << 20,
	BatchBytes: 256 << 20,
	RangeReads: true,
}

func checkKey(key []byte) error {
	switch {
	case len(key) == 0:
		return fmt.Errorf("pebblekv: %w: empty key", kv.ErrLimit)
	case key[0] == private:
		return fmt.Errorf("pebblekv: %w: key % x begins with the reserved byte 0x00", kv.ErrLimit, key[:min(len(key), 16)])
	case len(key) > limits.KeyBytes:
		return fmt.Errorf("pebblekv: %w: key of %d bytes, at most %d", kv.ErrLimit, len(key), limits.KeyBytes)
	}
	return nil
}

func checkValue(what string, value []byte) error {
	if len(value) > limits.ValueBytes {
		return fmt.Errorf("pebblekv: %w: %s of %d bytes, at most %d", kv.ErrLimit, what, len(value), limits.ValueBytes)
	}
	return nil
}

// pointKey returns the key that kv.Point made r of.
func pointKey(r kv.Range) (key []byte, ok bool) {
	n := len(r.Lower)
	return r.Lower, n > 0 && len(r.Upper) == n+1 && r.Upper[n] == 0 && bytes.HasPrefix(r.Upper, r.Lower)
}
