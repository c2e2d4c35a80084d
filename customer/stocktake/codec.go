package stocktake

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/record"
)

// Definitions and runs are stored as JSON, since they are also exported so: field 1 of
// the record.
const fieldJSON = 1

func appendJSON(dst []byte, v any, unknown string) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	w := record.Writer{Buf: dst}
	w.Bytes(fieldJSON, text)
	w.Raw(unknown)
	return w.Buf, nil
}

func decodeJSON(src string, into any) (unknown string, err error) {
	r := record.NewReader(src)
	for r.Next() {
		switch r.Field() {
		case fieldJSON:
			if err := json.Unmarshal([]byte(r.String()), into); err != nil {
				return "", fmt.Errorf("%w: %w", storage.ErrCorrupt, err)
			}
		default:
			r.Skip()
		}
	}
	return r.Unknown(), r.Err()
}

func appendDefinition(dst []byte, d *Definition) ([]byte, error) {
	return appendJSON(dst, d, d.unknown)
}

func decodeDefinition(src string, name string, m storage.Meta) (*Definition, error) {
	d := &Definition{}
	var err error
	d.unknown, err = decodeJSON(src, d)
	d.Name, d.Version, d.Recorded, d.Actor, d.Reason = name, m.Version, m.Recorded, m.Actor, m.Reason
	return d, err
}

func appendRun(dst []byte, r *Run) ([]byte, error) { return appendJSON(dst, r, r.unknown) }

func decodeRun(src string, id RunID, m storage.Meta) (*Run, error) {
	r := &Run{}
	var err error
	r.unknown, err = decodeJSON(src, r)
	r.Run, r.Version = id, m.Version
	return r, err
}

// partKey is a piece of a stored result, which is found by its digest.
type partKey struct {
	digest string
	n      uint64
}

var partCodec = storage.KeyCodec[partKey]{
	Append: func(dst storage.Key, k partKey) storage.Key { return dst.String(k.digest).Uint(k.n) },
	Decode: func(key storage.Key) (k partKey, err error) {
		if k.digest, key, err = key.CutString(); err == nil {
			k.n, _, err = key.CutUint()
		}
		return k, err
	},
}

// part is the bytes of a piece.
type part struct{ bytes []byte }

func appendPart(dst []byte, p *part) ([]byte, error) { return append(dst, p.bytes...), nil }

func decodePart(src string, _ partKey, _ storage.Meta) (*part, error) {
	return &part{[]byte(src)}, nil
}

// memberKey is one chunk of the customers in a term of a stored result.
type memberKey struct {
	digest, term string
	chunk        uint64
}

var memberCodec = storage.KeyCodec[memberKey]{
	Append: func(dst storage.Key, k memberKey) storage.Key {
		return dst.String(k.digest).String(k.term).Uint(k.chunk)
	},
	Decode: func(key storage.Key) (k memberKey, err error) {
		if k.digest, key, err = key.CutString(); err == nil {
			k.term, key, err = key.CutString()
		}
		if err == nil {
			k.chunk, _, err = key.CutUint()
		}
		return k, err
	},
}

// memberChunk is a set of up to 65,536 neighbouring customers.
type memberChunk struct {
	chunk   uint64
	members bitset.Chunk
}

// gaps are worth it below this number of members: a dense chunk has 8 KiB.
const maxGaps = 4096

// A stored chunk is the number of members and their gaps, or 0 and all words.
func appendMembers(dst []byte, c *memberChunk) ([]byte, error) {
	n := c.members.Len()
	if n > maxGaps {
		dst = append(dst, 0)
		for _, word := range c.members {
			dst = binary.LittleEndian.AppendUint64(dst, word)
		}
		return dst, nil
	}
	dst = binary.AppendUvarint(dst, uint64(n))
	last := -1
	for m := range c.members.All() {
		dst = binary.AppendUvarint(dst, uint64(int(m)-last))
		last = int(m)
	}
	return dst, nil
}

func decodeMembers(src string, key memberKey, _ storage.Meta) (*memberChunk, error) {
	c := &memberChunk{chunk: key.chunk}
	corrupt := fmt.Errorf("stocktake: %w: a set of customers of %d bytes", storage.ErrCorrupt, len(src))
	b := []byte(src)
	n, size := binary.Uvarint(b)
	if size <= 0 || n > maxGaps {
		return nil, corrupt
	}
	b = b[size:]
	if n == 0 {
		if len(b) != 8*len(c.members) {
			return nil, corrupt
		}
		for i := range c.members {
			c.members[i] = binary.LittleEndian.Uint64(b[8*i:])
		}
		if c.members.Len() <= maxGaps {
			return nil, corrupt
		}
		return c, nil
	}
	last := -1
	for range n {
		gap, size := binary.Uvarint(b)
		if size <= 0 || gap == 0 || gap > bitset.ChunkSize || last+int(gap) >= bitset.ChunkSize {
			return nil, corrupt
		}
		last += int(gap)
		b = b[size:]
		c.members.Add(uint16(last))
	}
	if len(b) > 0 {
		return nil, corrupt
	}
	return c, nil
}

// The fields of what is kept of an erased customer.
const (
	goneEra = 1

	eraFrom   = 1
	eraStatus = 2
	eraKind   = 3
	eraParty  = 4
	eraOwner  = 5
)

func appendGone(dst []byte, g *gone) ([]byte, error) {
	w := record.Writer{Buf: dst}
	for _, e := range g.eras {
		m := w.Begin(goneEra)
		w.Uint(eraFrom, e.from)
		w.Uint(eraStatus, uint64(e.status))
		w.Uint(eraKind, uint64(e.kind))
		w.Uint(eraParty, uint64(e.party))
		w.Uint(eraOwner, uint64(e.owner))
		w.End(m)
	}
	w.Raw(g.unknown)
	return w.Buf, nil
}

func decodeGone(src string, id customer.ID, _ storage.Meta) (*gone, error) {
	g := &gone{id: id}
	r := record.NewReader(src)
	for r.Next() {
		if r.Field() != goneEra {
			r.Skip()
			continue
		}
		e, err := decodeEra(r.String())
		if err != nil {
			r.Fail(err)
		}
		g.eras = append(g.eras, e)
	}
	g.unknown = r.Unknown()
	return g, r.Err()
}

func decodeEra(src string) (e era, err error) {
	r := record.NewReader(src)
	for r.Next() {
		n := r.Uint()
		switch r.Field() {
		case eraFrom:
			e.from = n
		case eraStatus:
			e.status = customer.Status(n)
		case eraKind:
			e.kind = customer.Kind(n)
		case eraParty:
			e.party = customer.Party(n)
		case eraOwner:
			e.owner = customer.UnitID(n)
		}
	}
	return e, r.Err()
}
