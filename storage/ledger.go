package storage

import (
	"context"
	"encoding/base64"
	"fmt"
	"sync"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/clientele-go/clientele/storage/kv"
)

// ledger keeps the journal's Merkle tree (RFC 6962 hashes, as golang.org/x/mod's
// tlog numbers them) in chunks of 256 hashes beside the records. It is a view: it
// follows the journal some milliseconds behind and can be built again.
type ledger struct {
	store *Store
	mu    sync.Mutex // one writer at a time
}

const ledgerChunk = 256 // hashes in one stored value

var (
	ledgerSizeKey = []byte{spaceLedger}
	ledgerSpace   = kv.Prefix([]byte{spaceLedger})
)

func ledgerKey(chunk int64) []byte { return Key{spaceLedger}.Uint(uint64(chunk)) }

func (l *ledger) Name() string { return "ledger" }
func (l *ledger) Close() error { return nil }

// Cursor is the number of entries hashed.
func (l *ledger) Cursor(ctx context.Context) (Cursor, error) {
	snap, err := l.store.engine.Snapshot(ctx)
	if err != nil {
		return Cursor{}, err
	}
	defer snap.Close()
	size, err := l.size(ctx, snap)
	return Cursor{l.store.book, size}, err
}

func (l *ledger) size(ctx context.Context, snap kv.Snapshot) (kv.Position, error) {
	value, found, err := snap.Get(ctx, ledgerSizeKey, nil)
	if err != nil || !found {
		return 0, err
	}
	n, rest, err := Key(value).CutUint()
	return kv.Position(n), whole(value, rest, err)
}

// Apply hashes the entries up to a position.
func (l *ledger) Apply(ctx context.Context, _ *Reader, _ []Change, to Cursor) error {
	return l.extend(ctx, to.Position)
}

// Rebuild hashes the whole journal again.
func (l *ledger) Rebuild(ctx context.Context, _ *Reader, to Cursor, _ func(done int)) error {
	if err := l.drop(ctx); err != nil {
		return err
	}
	return l.extend(ctx, to.Position)
}

func (l *ledger) drop(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	snap, err := l.store.engine.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	var b kv.Batch
	for e, err := range snap.Scan(ctx, ledgerSpace, false) {
		if err != nil {
			return err
		}
		b.Delete(e.Key)
	}
	_, err = l.store.apply(ctx, &b)
	return err
}

// ledgerStep bounds one batch of hashing.
const ledgerStep = 1 << 14

// extend hashes the journal up to a position that is durable.
func (l *ledger) extend(ctx context.Context, upTo kv.Position) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		size, err := l.step(ctx, upTo)
		if err != nil || size >= upTo {
			return err
		}
	}
}

func (l *ledger) step(ctx context.Context, upTo kv.Position) (kv.Position, error) {
	snap, err := l.store.engine.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	defer snap.Close()
	size, err := l.size(ctx, snap)
	if err != nil || size >= upTo {
		return size, err
	}
	hashes := &hashStore{ctx: ctx, snap: snap, chunks: map[int64][]byte{}}
	first := hashes.count(size)
	next := first
	start := size
	for c, err := range l.store.engine.Changes(ctx, size) {
		if err != nil {
			return size, err
		}
		more, err := tlog.StoredHashes(int64(c.Position)-1, c.Payload, hashes)
		if err != nil {
			return size, err
		}
		for _, h := range more {
			if err := hashes.put(next, h); err != nil {
				return size, err
			}
			next++
		}
		if size = c.Position; size >= upTo || size-start == ledgerStep {
			break
		}
	}
	return size, l.save(ctx, snap, hashes, first, next, size)
}

func (l *ledger) save(ctx context.Context, snap kv.Snapshot, hashes *hashStore, first, next int64, size kv.Position) error {
	b := kv.Batch{Since: snap.Stamp(), Reads: []kv.Range{kv.Point(ledgerSizeKey)}, Durability: kv.Relaxed}
	for chunk := first / ledgerChunk; chunk*ledgerChunk < next; chunk++ {
		b.Set(ledgerKey(chunk), hashes.chunks[chunk])
	}
	b.Set(ledgerSizeKey, Key(nil).Uint(uint64(size)))
	_, err := l.store.apply(ctx, &b)
	return err
}

// Verify compares the stored hashes with those of the journal.
func (l *ledger) Verify(ctx context.Context, r *Reader, report func(Difference)) error {
	size, err := l.size(ctx, r.snap)
	if err != nil || size == 0 {
		return err
	}
	if end := l.store.engine.Durable(); size > end {
		report(Difference{Where: "ledger", Key: "size", Problem: fmt.Sprintf("%d entries are hashed, the journal has %d", size, end), Derived: true})
		return nil
	}
	stored := &hashStore{ctx: ctx, snap: r.snap, chunks: map[int64][]byte{}}
	next := int64(0)
	for c, err := range l.store.engine.Changes(ctx, 0) {
		if err != nil {
			return err
		}
		if c.Position > size {
			break
		}
		want, err := tlog.StoredHashes(int64(c.Position)-1, c.Payload, stored)
		if err != nil {
			return err
		}
		for _, h := range want {
			got, err := stored.at(next)
			if err != nil || got != h {
				report(Difference{Where: "ledger", Key: fmt.Sprintf("hash %d", next), Problem: "does not match journal entry " + fmt.Sprint(c.Position), Derived: true})
				return nil // every later hash depends on this one
			}
			next++
		}
		stored.forget(next)
	}
	return nil
}

// hashStore reads hashes of a snapshot and holds those not stored yet.
type hashStore struct {
	ctx    context.Context
	snap   kv.Snapshot
	chunks map[int64][]byte
}

// count is the number of stored hashes of a tree of n entries.
func (h *hashStore) count(n kv.Position) int64 {
	if n == 0 {
		return 0
	}
	return tlog.StoredHashCount(int64(n))
}

func (h *hashStore) chunk(i int64) ([]byte, error) {
	if c, ok := h.chunks[i]; ok {
		return c, nil
	}
	value, _, err := h.snap.Get(h.ctx, ledgerKey(i), nil)
	if err == nil {
		h.chunks[i] = value
	}
	return value, err
}

func (h *hashStore) at(i int64) (hash tlog.Hash, err error) {
	c, err := h.chunk(i / ledgerChunk)
	if err != nil {
		return hash, err
	}
	start := int(i%ledgerChunk) * tlog.HashSize
	if len(c) < start+tlog.HashSize {
		return hash, fmt.Errorf("storage: %w: ledger hash %d is missing", ErrCorrupt, i)
	}
	copy(hash[:], c[start:])
	return hash, nil
}

func (h *hashStore) put(i int64, hash tlog.Hash) error {
	c, err := h.chunk(i / ledgerChunk)
	if err != nil {
		return err
	}
	start := int(i%ledgerChunk) * tlog.HashSize
	if len(c) < start {
		return fmt.Errorf("storage: %w: ledger chunk %d is short", ErrCorrupt, i/ledgerChunk)
	}
	if cap(c) < ledgerChunk*tlog.HashSize {
		c = append(make([]byte, 0, ledgerChunk*tlog.HashSize), c...)
	}
	h.chunks[i/ledgerChunk] = append(c[:start], hash[:]...)
	return nil
}

// forget drops most chunks below hash i, so that a long walk stays small.
func (h *hashStore) forget(i int64) {
	if len(h.chunks) > 1024 {
		for chunk := range h.chunks {
			if chunk < i/ledgerChunk {
				delete(h.chunks, chunk)
			}
		}
	}
}

// ReadHashes implements tlog.HashReader.
func (h *hashStore) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		hash, err := h.at(index)
		if err != nil {
			return nil, err
		}
		hashes[i] = hash
	}
	return hashes, nil
}

// Head is the state of the journal at a size: whoever holds one can later be shown
// that nothing before it was changed. Leaves and tree are hashed as in RFC 6962 §2.1.
type Head struct {
	Book string // the book's id
	Size int64  // entries, that is the position of the last
	Root tlog.Hash
}

// Head returns the head of the durable journal. It first hashes what the ledger
// has not yet reached.
func (s *Store) Head(ctx context.Context) (Head, error) {
	size := s.engine.Durable()
	head := Head{Book: s.book, Size: int64(size)}
	err := s.withLedger(ctx, size, func(h *hashStore) (err error) {
		head.Root, err = tlog.TreeHash(int64(size), h)
		return err
	})
	return head, err
}

// ProveEntry proves that the journal of a head has a payload at a position; check
// it with [tlog.CheckRecord] or [Head.CheckEntry].
func (s *Store) ProveEntry(ctx context.Context, head Head, position kv.Position) (proof tlog.RecordProof, payload []byte, err error) {
	if position == 0 || int64(position) > head.Size {
		return nil, nil, &Error{Op: "prove", Err: fmt.Errorf("%w: position %d is not within 1 to %d", ErrInvalid, position, head.Size)}
	}
	for c, err := range s.engine.Changes(ctx, position-1) {
		if err != nil {
			return nil, nil, &Error{Op: "prove", Err: err}
		}
		payload = c.Payload
		break
	}
	err = s.withLedger(ctx, kv.Position(head.Size), func(h *hashStore) (err error) {
		proof, err = tlog.ProveRecord(head.Size, int64(position)-1, h)
		return err
	})
	return proof, payload, err
}

// ProveExtension proves that the journal of a newer head begins with that of an
// older; check it with [tlog.CheckTree] or [Head.CheckExtends].
func (s *Store) ProveExtension(ctx context.Context, older, newer Head) (proof tlog.TreeProof, err error) {
	if older.Size > newer.Size || older.Size < 1 {
		return nil, &Error{Op: "prove", Err: fmt.Errorf("%w: head of size %d does not come before one of size %d", ErrInvalid, older.Size, newer.Size)}
	}
	err = s.withLedger(ctx, kv.Position(newer.Size), func(h *hashStore) (err error) {
		proof, err = tlog.ProveTree(newer.Size, older.Size, h)
		return err
	})
	return proof, err
}

func (s *Store) withLedger(ctx context.Context, size kv.Position, f func(*hashStore) error) error {
	if durable := s.engine.Durable(); size > durable {
		return &Error{Op: "prove", Err: fmt.Errorf("%w: the journal has %d entries, not %d", ErrInvalid, durable, size)}
	}
	if err := s.ledger.extend(ctx, size); err != nil {
		return &Error{Op: "prove", Err: err}
	}
	snap, err := s.engine.Snapshot(ctx)
	if err != nil {
		return &Error{Op: "prove", Err: err}
	}
	defer snap.Close()
	if err := f(&hashStore{ctx: ctx, snap: snap, chunks: map[int64][]byte{}}); err != nil {
		return &Error{Op: "prove", Err: err}
	}
	return nil
}

// CheckEntry reports an error unless proof shows that the journal of the head has
// payload at a position.
func (h Head) CheckEntry(proof tlog.RecordProof, position kv.Position, payload []byte) error {
	return tlog.CheckRecord(proof, h.Size, h.Root, int64(position)-1, tlog.RecordHash(payload))
}

// CheckExtends reports an error unless proof shows that the head's journal begins
// with that of an older head.
func (h Head) CheckExtends(proof tlog.TreeProof, older Head) error {
	if h.Book != older.Book {
		return fmt.Errorf("storage: %w: heads of different books %s and %s", ErrInvalid, older.Book, h.Book)
	}
	return tlog.CheckTree(proof, h.Size, h.Root, older.Size, older.Root)
}

// Sign returns the head as a signed note (golang.org/x/mod/sumdb/note), in the
// checkpoint form of C2SP tlog-checkpoint: origin, size, root.
func (h Head) Sign(signer note.Signer) ([]byte, error) {
	return note.Sign(&note.Note{Text: h.text()}, signer)
}

func (h Head) text() string {
	return fmt.Sprintf("%s%s\n%d\n%s\n", headOrigin, h.Book, h.Size, base64.StdEncoding.EncodeToString(h.Root[:]))
}

const headOrigin = "clientele/book/"

// OpenHead reads a signed head and checks its signature.
func OpenHead(signed []byte, verifiers note.Verifiers) (Head, error) {
	n, err := note.Open(signed, verifiers)
	if err != nil {
		return Head{}, fmt.Errorf("storage: signed head: %w", err)
	}
	var h Head
	var root string
	if _, err := fmt.Sscanf(n.Text, headOrigin+"%s\n%d\n%s\n", &h.Book, &h.Size, &root); err != nil {
		return Head{}, fmt.Errorf("storage: signed head: %w: %w", ErrInvalid, err)
	}
	raw, err := base64.StdEncoding.DecodeString(root)
	if err != nil || len(raw) != tlog.HashSize {
		return Head{}, fmt.Errorf("storage: signed head: %w: root %q", ErrInvalid, root)
	}
	copy(h.Root[:], raw)
	return h, nil
}
