package exchange

import (
	"errors"
	"hash/maphash"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// sketch knows of most of what the rows of an import are known by that no customer of the
// book has it: a Bloom filter (Bloom 1970). A book of millions isn't asked for each row of
// an import that fills it. What others create and change meanwhile is added before each
// part; what they do while a part is loaded is found as far as it is unique.
type sketch struct {
	seed maphash.Seed
	bits []uint64
	key  []byte
	at   kv.Position            // of the journal: what stands up to there is in the sketch
	own  map[customer.ID]uint64 // versions that the import itself made behind it, of rows that are in the sketch
}

// How many customers are read to begin with, and what a sketch takes.
const (
	sketchCustomers = 20000
	leastSketch     = 1 << 16 // bits
	mostSketch      = 1 << 28
	sketchHashes    = 4
)

// newSketch returns a sketch of the book for a file of a size, nil if the book has too
// many customers to read.
func newSketch(tx *Reader, size int64) (*sketch, error) {
	n, err := customersOf(tx)
	if err != nil || n > sketchCustomers {
		return nil, err
	}
	k := sketchFor(size, n)
	if k.at, err = tx.Storage.Position(); err != nil {
		return nil, err
	}
	for c, err := range tx.Customers.List(customer.List{Statuses: customer.AllStatuses()}) {
		if err != nil {
			return nil, err
		}
		k.add(c)
	}
	return k, nil
}

// sketchFor returns an empty sketch for a file of a size and n customers. Rows have some
// hundred bytes and five keys, for which it takes ten bits each.
func sketchFor(size, n int64) *sketch {
	bits := leastSketch
	for int64(bits) < size/2+50*n && bits < mostSketch {
		bits *= 2
	}
	return &sketch{seed: maphash.MakeSeed(), bits: make([]uint64, bits/64), own: map[customer.ID]uint64{}}
}

func customersOf(tx *Reader) (n int64, err error) {
	counts, err := tx.Customers.Counts()
	for _, c := range counts {
		n += c.N
	}
	return n, err
}

// eachKey calls f with what a customer is found by, or by [Twin], until f returns false.
// Names are folded coarser than the book's indexes do it, never finer.
func eachKey(c *customer.Customer, f func(kind byte, value string) bool) bool {
	if c.Code != "" && !f('c', c.Code) {
		return false
	}
	for i := range c.Identifiers {
		if !f('i', c.Identifiers[i].Value) {
			return false
		}
	}
	for i := range c.SourceKeys {
		if !f('s', c.SourceKeys[i].Key) {
			return false
		}
	}
	for i := range c.Phones {
		if number := c.Phones[i].E164; number != "" && !f('p', number) {
			return false
		}
	}
	for i := range c.Emails {
		if !f('e', c.Emails[i].Address) {
			return false
		}
	}
	return c.Party != customer.Organisation || f('n', c.Name)
}

// hash returns where a key is marked, and how far apart its marks are.
func (k *sketch) hash(key []byte, kind byte, value string) (at, step uint64, grown []byte) {
	grown = text.AppendFold(append(key[:0], kind), value)
	h := maphash.Bytes(k.seed, grown)
	return h, h>>32 | 1, grown
}

func (k *sketch) add(c *customer.Customer) {
	mask := uint64(len(k.bits))*64 - 1
	eachKey(c, func(kind byte, value string) bool {
		var at, step uint64
		at, step, k.key = k.hash(k.key, kind, value)
		for range sketchHashes {
			bit := at & mask
			k.bits[bit/64] |= 1 << (bit % 64)
			at += step
		}
		return true
	})
}

// lacks reports that the book has nothing that a customer is found by. It is safe for
// concurrent use.
func (k *sketch) lacks(c *customer.Customer) bool {
	if k == nil {
		return false
	}
	mask := uint64(len(k.bits))*64 - 1
	var room [64]byte
	key := room[:0]
	return eachKey(c, func(kind byte, value string) bool {
		var at, step uint64
		at, step, key = k.hash(key, kind, value)
		for range sketchHashes {
			bit := at & mask
			if k.bits[bit/64]&(1<<(bit%64)) == 0 {
				return true
			}
			at += step
		}
		return false
	})
}

// openSketch makes the run's sketch before the first rows are looked for, and adds what
// others did since.
func (r *run) openSketch(tx *Reader) (err error) {
	if !r.sketching {
		return nil
	}
	if r.sketch == nil {
		r.sketch, err = newSketch(tx, r.im.File.Size)
		r.sketching = r.sketch != nil
		return err
	}
	return r.sketch.follow(tx, r.Storage)
}

// follow adds the customers that others created and changed.
func (k *sketch) follow(tx *Reader, book *storage.Store) error {
	for entry, err := range book.Changes(tx.Storage.Context(), k.at) {
		if errors.Is(err, storage.ErrInvalid) { // relaxed transactions up to there aren't durable yet
			return nil
		}
		if err != nil {
			return err
		}
		changes, err := customer.Changes(entry)
		if err != nil {
			return err
		}
		for _, change := range changes {
			if k.own[change.ID] == change.Version {
				continue
			}
			switch c, err := tx.Customers.Get(change.ID); {
			case err == nil:
				k.add(c)
			case !isNotFound(err) && !errors.Is(err, customer.ErrErased):
				return err
			}
		}
		k.at = entry.Position
	}
	clear(k.own)
	return nil
}

// learn adds the rows of a window that is settled.
func (r *run) learn(lines []*line, fates map[*line]fate) {
	if r.sketch == nil {
		return
	}
	for _, l := range lines {
		if l.checked != nil {
			r.sketch.add(l.checked)
		}
		if f := fates[l]; f.outcome == Created {
			r.sketch.own[f.id] = f.version
		}
	}
}
