package bitset

import (
	"encoding/binary"
	"errors"
)

// ErrStored: the bytes are not one stored chunk.
var ErrStored = errors.New("bitset: malformed stored chunk")

// A stored chunk is a bitmap value of package kv: a tag and a portable roaring bitmap
// (https://github.com/RoaringBitmap/RoaringFormatSpec) whose members are below
// ChunkSize, so it has at most one container.
const (
	storedTag     = 'b'
	cookieNoRuns  = 12346
	cookieOneRun  = 12347 // one container
	arrayMembers  = 4096
	containerNone = iota
	containerArray
	containerDense
	containerRuns
)

type container struct {
	kind byte
	body []byte
}

// cut finds the container in a stored chunk.
func cut(value []byte) (container, error) {
	if len(value) < 9 || value[0] != storedTag {
		return container{}, ErrStored
	}
	raw := value[1:]
	if binary.LittleEndian.Uint32(raw) == cookieOneRun && len(raw) >= 5 && raw[4]&1 == 1 {
		return cutRuns(raw)
	}
	if binary.LittleEndian.Uint32(raw) != cookieNoRuns {
		return container{}, ErrStored
	}
	switch n := binary.LittleEndian.Uint32(raw[4:]); {
	case n == 0:
		return container{kind: containerNone}, nil
	case n != 1 || len(raw) < 16 || binary.LittleEndian.Uint16(raw[8:]) != 0:
		return container{}, ErrStored
	}
	members := int(binary.LittleEndian.Uint16(raw[10:])) + 1
	if body := raw[16:]; members <= arrayMembers && len(body) == 2*members {
		return container{containerArray, body}, nil
	} else if members > arrayMembers && len(body) == 8*words {
		return container{containerDense, body}, nil
	}
	return container{}, ErrStored
}

func cutRuns(raw []byte) (container, error) {
	if len(raw) < 11 || binary.LittleEndian.Uint16(raw[5:]) != 0 {
		return container{}, ErrStored
	}
	runs := int(binary.LittleEndian.Uint16(raw[9:]))
	if len(raw) != 11+4*runs {
		return container{}, ErrStored
	}
	for i := 11; i < len(raw); i += 4 {
		if int(binary.LittleEndian.Uint16(raw[i:]))+int(binary.LittleEndian.Uint16(raw[i+2:])) >= ChunkSize {
			return container{}, ErrStored
		}
	}
	return container{containerRuns, raw[11:]}, nil
}

// OrStored adds the numbers of a stored chunk. It costs some 0.3 µs for a dense chunk,
// and a nanosecond for each member of a sparse one.
func (c *Chunk) OrStored(value []byte) error {
	x, err := cut(value)
	if err != nil {
		return err
	}
	switch x.kind {
	case containerArray:
		b := x.body
		for ; len(b) >= 8; b = b[8:] {
			four := binary.LittleEndian.Uint64(b)
			c.Add(uint16(four))
			c.Add(uint16(four >> 16))
			c.Add(uint16(four >> 32))
			c.Add(uint16(four >> 48))
		}
		for ; len(b) >= 2; b = b[2:] {
			c.Add(binary.LittleEndian.Uint16(b))
		}
	case containerDense:
		for i := 0; i < words; i += 4 {
			b := x.body[8*i:][:32]
			c[i] |= binary.LittleEndian.Uint64(b)
			c[i+1] |= binary.LittleEndian.Uint64(b[8:])
			c[i+2] |= binary.LittleEndian.Uint64(b[16:])
			c[i+3] |= binary.LittleEndian.Uint64(b[24:])
		}
	case containerRuns:
		for b := x.body; len(b) >= 4; b = b[4:] {
			c.addRun(int(binary.LittleEndian.Uint16(b)), int(binary.LittleEndian.Uint16(b[2:])))
		}
	}
	return nil
}

// AndNotStored removes the numbers of a stored chunk.
func (c *Chunk) AndNotStored(value []byte) error {
	if x, err := cut(value); err == nil && x.kind == containerDense {
		for i := 0; i < words; i += 4 {
			b := x.body[8*i:][:32]
			c[i] &^= binary.LittleEndian.Uint64(b)
			c[i+1] &^= binary.LittleEndian.Uint64(b[8:])
			c[i+2] &^= binary.LittleEndian.Uint64(b[16:])
			c[i+3] &^= binary.LittleEndian.Uint64(b[24:])
		}
		return nil
	}
	var o Chunk
	if err := o.OrStored(value); err != nil {
		return err
	}
	c.AndNot(&o)
	return nil
}

// AndStored keeps the numbers that a stored chunk has as well.
func (c *Chunk) AndStored(value []byte) error {
	if x, err := cut(value); err == nil && x.kind == containerDense {
		for i := 0; i < words; i += 4 {
			b := x.body[8*i:][:32]
			c[i] &= binary.LittleEndian.Uint64(b)
			c[i+1] &= binary.LittleEndian.Uint64(b[8:])
			c[i+2] &= binary.LittleEndian.Uint64(b[16:])
			c[i+3] &= binary.LittleEndian.Uint64(b[24:])
		}
		return nil
	}
	var o Chunk
	if err := o.OrStored(value); err != nil {
		return err
	}
	c.And(&o)
	return nil
}

// addRun adds the numbers from first to first+more.
func (c *Chunk) addRun(first, more int) {
	last := first + more
	low, high := ^uint64(0)<<(first&63), ^uint64(0)>>(63-last&63)
	i, j := first>>6, last>>6
	if i == j {
		c[i] |= low & high
		return
	}
	c[i] |= low
	for k := i + 1; k < j; k++ {
		c[k] = ^uint64(0)
	}
	c[j] |= high
}

// StoredLen returns how many numbers a stored chunk has.
func StoredLen(value []byte) (int, error) {
	x, err := cut(value)
	n := 0
	switch x.kind {
	case containerArray:
		n = len(x.body) / 2
	case containerDense:
		n = int(binary.LittleEndian.Uint16(value[11:])) + 1
	case containerRuns:
		for b := x.body; len(b) >= 4; b = b[4:] {
			n += int(binary.LittleEndian.Uint16(b[2:])) + 1
		}
	}
	return n, err
}
