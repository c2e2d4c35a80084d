package kv

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/RoaringBitmap/roaring/v2"
)

// The portable roaring format, https://github.com/RoaringBitmap/RoaringFormatSpec:
// a cookie, the number of containers (65,536 members each), their keys and
// cardinalities, their offsets unless there are few, and then the containers.
const (
	cookieNoRuns  = 12346 // all of the first 4 bytes
	cookieRuns    = 12347 // the low half of the first 4 bytes
	minOffsets    = 4     // containers from which on a bitmap with runs has offsets
	arrayMembers  = 4096  // most members of an array container
	bitmapWords   = 1024  // 64-bit words of a bitmap container
	maxContainers = 1 << 16
)

// readBitmap reads a bitmap from bytes that nobody vouches for. The roaring package
// takes contents at their word, and works wrongly or panics later when they lie, so
// they are checked here first, in linear time.
func readBitmap(raw []byte) (*roaring.Bitmap, error) {
	if err := refuseBitmap(raw); err != nil {
		return nil, err
	}
	b := roaring.New()
	if err := b.UnmarshalBinary(raw); err != nil {
		return nil, fmt.Errorf("kv: %w: malformed bitmap: %v", ErrInvalid, err)
	}
	return b, nil
}

// refuseBitmap returns an error that wraps ErrInvalid unless raw is a whole bitmap.
func refuseBitmap(raw []byte) error {
	if err := checkBitmap(raw); err != nil {
		return fmt.Errorf("kv: %w: malformed bitmap: %v", ErrInvalid, err)
	}
	return nil
}

func checkBitmap(raw []byte) error {
	runs, headers, rest, err := cutBitmapHeader(raw)
	if err != nil {
		return err
	}
	previous := -1
	for i := range len(headers) / 4 {
		key := int(binary.LittleEndian.Uint16(headers[4*i:]))
		if key <= previous {
			return fmt.Errorf("container keys are not ascending at container %d", i)
		}
		previous = key
		isRun := runs != nil && runs[i/8]&(1<<(i%8)) != 0
		members := int(binary.LittleEndian.Uint16(headers[4*i+2:])) + 1
		size, ok := checkContainer(rest, members, isRun)
		if !ok {
			return fmt.Errorf("container %d is malformed", i)
		}
		rest = rest[size:]
	}
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes too many", len(rest))
	}
	return nil
}

// cutBitmapHeader returns the run flags (nil without runs), 4 header bytes per
// container, and the containers.
func cutBitmapHeader(raw []byte) (runs, headers, rest []byte, err error) {
	short := func() ([]byte, []byte, []byte, error) {
		return nil, nil, nil, fmt.Errorf("header is cut short at %d bytes", len(raw))
	}
	if len(raw) < 4 {
		return short()
	}
	cookie, rest := binary.LittleEndian.Uint32(raw), raw[4:]
	var containers int
	switch {
	case cookie&0xFFFF == cookieRuns:
		containers = int(cookie>>16) + 1
		if len(rest) < (containers+7)/8 {
			return short()
		}
		runs, rest = rest[:(containers+7)/8], rest[(containers+7)/8:]
	case cookie == cookieNoRuns && len(rest) >= 4:
		containers, rest = int(binary.LittleEndian.Uint32(rest)), rest[4:]
	default:
		return nil, nil, nil, fmt.Errorf("unknown cookie %#x", cookie)
	}
	if containers > maxContainers {
		return nil, nil, nil, fmt.Errorf("%d containers", containers)
	}
	size := 4 * containers
	if runs == nil || containers >= minOffsets {
		size *= 2
	}
	if len(rest) < size {
		return short()
	}
	return runs, rest[:4*containers], rest[size:], nil
}

func checkContainer(raw []byte, members int, isRun bool) (size int, ok bool) {
	switch {
	case isRun:
		return checkRuns(raw)
	case members > arrayMembers:
		return 8 * bitmapWords, len(raw) >= 8*bitmapWords && population(raw[:8*bitmapWords]) == members
	}
	return 2 * members, len(raw) >= 2*members && ascending(raw[:2*members])
}

// checkRuns wants runs that are sorted and leave gaps between one another.
func checkRuns(raw []byte) (size int, ok bool) {
	if len(raw) < 2 {
		return 0, false
	}
	runs := int(binary.LittleEndian.Uint16(raw))
	size = 2 + 4*runs
	if runs == 0 || len(raw) < size {
		return 0, false
	}
	free := 0
	for run := raw[2:size]; len(run) > 0; run = run[4:] {
		start, more := int(binary.LittleEndian.Uint16(run)), int(binary.LittleEndian.Uint16(run[2:]))
		if start < free || start+more >= 1<<16 {
			return 0, false
		}
		free = start + more + 2
	}
	return size, true
}

func ascending(array []byte) bool {
	previous := -1
	for ; len(array) > 0; array = array[2:] {
		member := int(binary.LittleEndian.Uint16(array))
		if member <= previous {
			return false
		}
		previous = member
	}
	return true
}

func population(words []byte) int {
	n := 0
	for ; len(words) > 0; words = words[8:] {
		n += bits.OnesCount64(binary.LittleEndian.Uint64(words))
	}
	return n
}
