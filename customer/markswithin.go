package customer

import (
	"iter"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
)

// marksWithin is the bitmap of fields as an actor may see it.
type marksWithin struct {
	marks  *storage.Bitmap[*Customer]
	access Access
}

// Scan implements [storage.AnyBitmap].
func (m marksWithin) Scan(r *storage.Reader, keys kv.Range, f func(key storage.Key, chunk uint64, stored []byte) error) error {
	return m.marks.Scan(r, keys, func(key storage.Key, chunk uint64, stored []byte) error {
		stored, err := m.narrow(key, chunk, stored)
		if err != nil || stored == nil {
			return err
		}
		return f(key, chunk, stored)
	})
}

// Chunks implements [storage.AnyBitmap].
func (m marksWithin) Chunks(r *storage.Reader, key storage.Key, from, to uint64, f func(chunk uint64, stored []byte) error) error {
	return m.marks.Chunks(r, key, from, to, func(chunk uint64, stored []byte) error {
		stored, err := m.narrow(key, chunk, stored)
		if err != nil || stored == nil {
			return err
		}
		return f(chunk, stored)
	})
}

// AddChunk implements [storage.AnyBitmap].
func (m marksWithin) AddChunk(r *storage.Reader, key storage.Key, chunk uint64, to *bitset.Chunk) error {
	return m.Chunks(r, key, chunk, chunk+1, func(_ uint64, stored []byte) error { return to.OrStored(stored) })
}

// Versions implements [storage.AnyBitmap]. They tell that something changed, not what.
func (m marksWithin) Versions(r *storage.Reader, f func(chunk uint64, changes int64) error) error {
	return m.marks.Versions(r, f)
}

// narrow leaves those of a stored chunk whom the actor sees by the key's field, nil for
// none.
func (m marksWithin) narrow(key storage.Key, chunk uint64, stored []byte) ([]byte, error) {
	field, _, err := key.CutString()
	if err != nil {
		return nil, err
	}
	shown := m.access.WithinUnmasked(field)
	if shown == nil {
		return stored, nil
	}
	var c bitset.Chunk
	if err := shown.Read(chunk, &c); err != nil {
		return nil, err
	}
	if err := c.AndStored(stored); err != nil || c.Empty() {
		return nil, err
	}
	return kv.BitmapValue(roaring.FromDense(c[:], true)), nil
}

// keepLive leaves the active and suspended customers of a chunk.
func (r *Reader) keepLive(n uint64, members *bitset.Chunk) error {
	var live bitset.Chunk
	for _, s := range []Status{Active, Suspended} {
		if err := r.readMark(storage.Key(nil).String("status").Uint(uint64(s)), n, &live); err != nil {
			return err
		}
	}
	members.And(&live)
	return nil
}

// liveWithin counts the active and suspended customers of a set that have a key of the
// marks.
func (r *Reader) liveWithin(within bitset.Source, key storage.Key) (total int64, err error) {
	err = r.eachChunk(within, func(n uint64, members *bitset.Chunk) error {
		var these bitset.Chunk
		err := r.readMark(key, n, &these)
		if members.And(&these); err != nil || members.Empty() {
			return err
		}
		err = r.keepLive(n, members)
		total += int64(members.Len())
		return err
	})
	return total, err
}

// marked yields by id the customers under a key of the marks who are in a set, nil for
// everybody, and whom narrow leaves in their chunks.
func (r *Reader) marked(key storage.Key, within bitset.Source, narrow func(n uint64, c *bitset.Chunk) error) iter.Seq2[ID, error] {
	return func(yield func(ID, error) bool) {
		var scratch bitset.Chunk
		err := r.store.marks.Chunks(r.storage, key, 0, lastChunk, func(n uint64, stored []byte) error {
			var these bitset.Chunk
			if err := these.OrStored(stored); err != nil {
				return err
			}
			if within != nil {
				seen, err := bitset.Borrow(within, n, &scratch)
				if err != nil {
					return err
				}
				these.And(seen)
			}
			if err := narrow(n, &these); err != nil {
				return err
			}
			for low := range these.All() {
				if !yield(ID(n*bitset.ChunkSize+uint64(low)), nil) {
					return errStop
				}
			}
			return nil
		})
		if err != nil && err != errStop {
			yield(0, err)
		}
	}
}

// lastChunk is more than any chunk's number.
const lastChunk = 1<<32 - 1
