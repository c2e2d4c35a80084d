package storage

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
)

// Meta is what storage keeps with every version of a record: who recorded it,
// when and why.
type Meta struct {
	Version  uint64 // 1 at creation, one more with each change
	Recorded time.Time
	Actor    string
	Reason   string
	Erased   bool // the content is gone, the digest remains
	Deleted  bool // the record was deleted by this version
}

// Digest commits the journal to a version's stored bytes without telling anything
// about them: SHA-256, cut to 160 bits as in NIST SP 800-107 §5.1, over the bytes,
// which begin with a random nonce. Once the bytes are erased nobody can guess them
// from the digest.
type Digest [20]byte

// A stored version is an envelope around the record's own bytes:
//
//	state (1 byte), nonce (8 bytes), version (uvarint), microseconds since 1970
//	(uvarint), actor, reason (uvarint length and bytes each), then the record
//
// An erased version keeps everything up to the reason and, instead of nonce and
// record, the digest of the bytes that were.
const (
	stateLive    = 1
	stateErased  = 2
	stateDeleted = 3
)

const nonceBytes = 8

func appendEnvelope(dst []byte, state byte, m Meta) []byte {
	dst = append(dst, state)
	var nonce [nonceBytes]byte
	rand.Read(nonce[:]) // never fails: crypto/rand, since Go 1.24
	dst = append(dst, nonce[:]...)
	return appendMeta(dst, m)
}

func appendErased(dst []byte, m Meta, digest Digest) []byte {
	dst = append(dst, stateErased)
	dst = append(dst, digest[:]...)
	return appendMeta(dst, m)
}

func appendMeta(dst []byte, m Meta) []byte {
	dst = binary.AppendUvarint(dst, m.Version)
	dst = binary.AppendUvarint(dst, uint64(m.Recorded.UnixMicro()))
	for _, s := range [...]string{m.Actor, m.Reason} {
		dst = binary.AppendUvarint(dst, uint64(len(s)))
		dst = append(dst, s...)
	}
	return dst
}

// openEnvelope splits stored bytes. Texts share stored's memory.
func openEnvelope(stored string) (m Meta, content string, err error) {
	bad := func() (Meta, string, error) {
		return Meta{}, "", fmt.Errorf("%w: malformed record envelope", ErrCorrupt)
	}
	if stored == "" {
		return bad()
	}
	skip := 1 + nonceBytes
	switch stored[0] {
	case stateLive:
	case stateDeleted:
		m.Deleted = true
	case stateErased:
		m.Erased = true
		skip = 1 + len(Digest{})
	default:
		return bad()
	}
	if len(stored) < skip {
		return bad()
	}
	rest := stored[skip:]
	var micros uint64
	ok := true
	if m.Version, rest, ok = cutUvarint(rest); !ok {
		return bad()
	}
	if micros, rest, ok = cutUvarint(rest); !ok {
		return bad()
	}
	m.Recorded = time.UnixMicro(int64(micros)).UTC()
	for _, s := range [...]*string{&m.Actor, &m.Reason} {
		var n uint64
		if n, rest, ok = cutUvarint(rest); !ok || n > uint64(len(rest)) {
			return bad()
		}
		*s, rest = rest[:n], rest[n:]
	}
	if m.Erased && rest != "" {
		return bad()
	}
	return m, rest, nil
}

// digestOf is the digest of a stored version, kept or erased.
func digestOf(stored []byte) Digest {
	var d Digest
	if len(stored) > len(d) && stored[0] == stateErased {
		copy(d[:], stored[1:])
		return d
	}
	sum := sha256.Sum256(stored)
	copy(d[:], sum[:])
	return d
}

func cutUvarint(s string) (uint64, string, bool) {
	var n uint64
	for i := 0; i < len(s) && i < binary.MaxVarintLen64; i++ {
		n |= uint64(s[i]&0x7f) << (7 * i)
		if s[i] < 0x80 {
			return n, s[i+1:], true
		}
	}
	return 0, "", false
}
