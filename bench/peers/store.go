package main

import (
	"bytes"
	"context"
	"io/fs"
	"iter"
	"path/filepath"
	"time"

	"github.com/clientele-go/clientele/customer"
)

// cacheBytes is the memory that each store gets for its block or page cache.
const cacheBytes = 1 << 30

// contestant is a kind of store that takes part.
type contestant struct {
	name      string
	open      func(ctx context.Context, dir string) (store, error)
	elsewhere bool // in another process, whose processor time isn't known
}

// contestants are all, in the table's order; the others are compared with the first.
func contestants(cluster *postgres) []contestant {
	all := []contestant{
		{clienteleName, openBook, false},
		{plainName, openPlainBook, false},
		{sqliteName, openSQLite, false},
		{checkingName, openCheckingSQLite, false},
		{moderncName, openModernc, false},
	}
	if cluster != nil {
		all = append(all, contestant{postgresName, cluster.open, true})
	}
	return append(all, contestant{boltName, openBolt, false}, contestant{pebbleName, openPebble, false})
}

// store keeps customers in a directory of its own. Only create may be called
// concurrently. The context given at opening ends its calls.
type store interface {
	reader // each call reads a state of its own
	// view runs f on one consistent state.
	view(f func(reader) error) error
	// load adds customers under their ids to the empty store, durably.
	load(customers iter.Seq2[*customer.Customer, error]) error
	// settle waits for what the load left to the background.
	settle() error
	// compact makes the store as small as its user can.
	compact() error
	// create adds one customer under the next id and returns when it is durable.
	create(c *customer.Customer) error
	count() (int, error)
	// repeated finds the keys that several customers have.
	repeated(by lookup) (repetition, error)
	// size returns the bytes on disk; dir is the store's.
	size(dir string) (int64, error)
	close() error
}

// repetition says which customers have a phone or an e-mail address in common.
type repetition struct {
	keys, customers int    // customers count once for each key
	sum             uint64 // of the customers' ids
}

// add takes a key that customers have.
func (r *repetition) add(ids ...uint64) {
	if len(ids) < 2 {
		return
	}
	r.keys, r.customers = r.keys+1, r.customers+len(ids)
	for _, id := range ids {
		r.sum += id
	}
}

// repeating collects neighbouring entries with the same key.
type repeating struct {
	repetition
	key []byte
	ids []uint64
}

// next takes the next entry in the order of keys.
func (r *repeating) next(key []byte, id uint64) {
	if !bytes.Equal(key, r.key) {
		r.end()
		r.key = append(r.key[:0], key...)
	}
	r.ids = append(r.ids, id)
}

// end is called after the last entry.
func (r *repeating) end() {
	r.add(r.ids...)
	r.ids = r.ids[:0]
}

// reader looks customers up.
type reader interface {
	byID(id customer.ID) (*customer.Customer, error)
	byCode(code string) (*customer.Customer, error)
	// holders returns the ids of the customers that have a key, ascending.
	holders(k key) ([]customer.ID, error)
}

// lookup is a way to find customers other than by id, code and name.
type lookup uint8

const (
	byIdentifier lookup = iota // one customer a key
	bySourceKey                // one customer a key
	byPhone
	byEmail
)

// unique reports whether a key belongs to one customer.
func (l lookup) unique() bool { return l <= bySourceKey }

// key is what a customer is found by.
type key struct {
	by    lookup
	scope string // the identifier's scheme, the source key's system, or empty
	value string
}

// keysOf returns the keys that every store indexes besides id, code and name.
func keysOf(c *customer.Customer) []key {
	keys := make([]key, 0, 6)
	for _, x := range c.Identifiers {
		keys = append(keys, key{byIdentifier, x.Scheme, x.Value})
	}
	for _, x := range c.SourceKeys {
		keys = append(keys, key{bySourceKey, x.System, x.Key})
	}
	for _, x := range c.Phones {
		if x.E164 != "" {
			keys = append(keys, key{byPhone, "", x.E164})
		}
	}
	for _, x := range c.Emails {
		keys = append(keys, key{byEmail, "", x.Address})
	}
	return keys
}

// untilQuiet waits until a store's compaction debt and size have not changed for a second.
func untilQuiet(ctx context.Context, state func() (debt, size int64, err error)) error {
	const pause, enough = 100 * time.Millisecond, 35 // Clientele begins to compact two seconds after a load
	var lastDebt, lastSize int64
	for quiet := 0; quiet < enough; quiet++ {
		debt, size, err := state()
		if err != nil {
			return err
		}
		if debt != lastDebt || size != lastSize {
			lastDebt, lastSize, quiet = debt, size, 0
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// sizeOf returns the bytes of all files in a directory.
func sizeOf(dir string) (int64, error) {
	var total int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}
