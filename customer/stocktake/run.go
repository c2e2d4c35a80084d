package stocktake

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
)

// Run is the record of a stored count: what was counted, and what people decided about it.
type Run struct {
	Filing
	Version           uint64         `json:"-"`
	Definition        string         `json:"definition"` // its name
	DefinitionVersion uint64         `json:"definition_version"`
	Opening           Instant        `json:"opening"`
	Closing           Instant        `json:"closing"`
	Reconciliation    Reconciliation `json:"reconciliation"`
	Parts             uint64         `json:"parts"` // of the stored result

	unknown string
}

// partBytes bounds a piece of a stored result.
const partBytes = 256 << 10

// Run counts and stores the result, under its digest, with the customers of every term,
// as a draft. A count of what was counted before is stored once. It needs the right to
// review and a session that sees everything: a stored count is the book's.
func (s Session) Run(ctx context.Context, ask Ask) (*Result, error) {
	err := s.view(ctx, func(r *Reader) error {
		if err := r.review(); err != nil {
			return err
		}
		return r.mayRead()
	})
	if err != nil {
		return nil, err
	}
	c, err := s.count(ctx, ask)
	if err != nil {
		return nil, err
	}
	if c.def.Version == 0 {
		return nil, invalid("run", "Definition", c.def.Name, "save the definition and ask for it by name")
	}
	stored, err := json.Marshal(c.result)
	if err != nil {
		return nil, err
	}
	var id RunID
	err = s.update(ctx, func(tx *Tx) error {
		id, err = tx.keep(c, stored)
		return err
	})
	if err != nil {
		return nil, err
	}
	var result *Result
	return result, s.view(ctx, func(r *Reader) error {
		result, err = r.Result(id)
		return err
	})
}

// keep stores a count as a new run.
func (tx *Tx) keep(c *count, stored []byte) (RunID, error) {
	digest := digestOf(stored)
	parts, err := tx.keepResult(digest, stored, c.terms)
	if err != nil {
		return 0, err
	}
	n, err := tx.store.runs.Next(tx.tx, nil)
	if err != nil {
		return 0, err
	}
	run := &Run{
		Filing:     Filing{Run: RunID(n), State: Draft, Made: tx.tx.Now(), MadeBy: tx.tx.Session().Actor, Digest: digest},
		Definition: c.def.Name, DefinitionVersion: c.def.Version, Opening: c.result.Opening, Closing: c.result.Closing,
		Reconciliation: c.result.Reconciliation, Parts: parts,
	}
	return run.Run, tx.store.run.InsertNew(tx.tx, run.Run, run, uint8(Counted))
}

func digestOf(stored []byte) string {
	sum := sha256.Sum256(stored)
	return hex.EncodeToString(sum[:])
}

// keepResult stores a result and its members, unless they are stored already.
func (tx *Tx) keepResult(digest string, stored []byte, terms map[string]*bitset.Set) (parts uint64, err error) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(stored); err != nil {
		return 0, err
	}
	if err := z.Close(); err != nil {
		return 0, err
	}
	if parts, err = tx.storedParts(digest); err != nil || parts > 0 {
		return parts, err
	}
	parts = uint64(packed.Len()+partBytes-1) / partBytes
	for n := range parts {
		if err := tx.store.part.Put(tx.tx, partKey{digest, n}, &part{packed.Next(partBytes)}, 0); err != nil {
			return 0, err
		}
	}
	for _, term := range slices.Sorted(maps.Keys(terms)) {
		set := terms[term]
		for n := range set.Chunks() {
			members := set.Chunk(n)
			if members == nil || members.Empty() {
				continue
			}
			if err := tx.store.members.Put(tx.tx, memberKey{digest, term, n}, &memberChunk{n, *members}, 0); err != nil {
				return 0, err
			}
		}
	}
	return parts, nil
}

// storedParts returns how many parts a result is stored in, 0 for one that isn't. Another
// version of the compressor may make more or fewer of it.
func (r *Reader) storedParts(digest string) (n uint64, err error) {
	for _, err := range r.store.part.Records(r.storage, kv.Prefix(storage.Key(nil).String(digest)), false) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// mayRead asks whether the actor may read stored counts: who may review, or who may
// administer.
func (r *Reader) mayRead() error {
	err := r.review()
	if err == nil && !r.seesAll() {
		return &Error{Op: "read runs", Remedy: "count what you see with Count", Err: ErrDenied}
	}
	return err
}

// Run returns a run, or an error that wraps ErrNotFound. Stored counts are of the whole
// book: they take the right to review and a session from which nothing is hidden.
func (r *Reader) Run(id RunID) (*Run, error) {
	if err := r.mayRead(); err != nil {
		return nil, err
	}
	return r.store.run.Get(r.storage, id)
}

// Runs yields all runs, oldest first.
func (r *Reader) Runs() iter.Seq2[*Run, error] {
	if err := r.mayRead(); err != nil {
		return func(yield func(*Run, error) bool) { yield(nil, err) }
	}
	return r.store.run.Records(r.storage, kv.Range{}, false)
}

// Result returns a stored result with what was decided about it. It fails with ErrDamaged
// when it isn't what its digest says. Names of customers are those of today: a stored
// result holds nothing personal.
func (r *Reader) Result(id RunID) (*Result, error) {
	run, err := r.Run(id)
	if err != nil {
		return nil, err
	}
	stored, err := r.stored(run)
	if err != nil {
		return nil, err
	}
	result := &Result{}
	if err := json.Unmarshal(stored, result); err != nil {
		return nil, err
	}
	filing := run.Filing
	filing.Adjusted = run.adjusted()
	result.Filing = &filing
	return result, r.nameSamples(result)
}

// Stored returns the bytes of a stored result, which the run's digest is of.
func (r *Reader) Stored(id RunID) ([]byte, error) {
	run, err := r.Run(id)
	if err != nil {
		return nil, err
	}
	return r.stored(run)
}

func (r *Reader) stored(run *Run) ([]byte, error) {
	var packed bytes.Buffer
	for n := range run.Parts {
		p, err := r.store.part.Get(r.storage, partKey{run.Digest, n})
		if err != nil {
			return nil, damaged(run.Run, err)
		}
		packed.Write(p.bytes)
	}
	z, err := gzip.NewReader(&packed)
	if err != nil {
		return nil, damaged(run.Run, err)
	}
	stored, err := io.ReadAll(z)
	if err != nil {
		return nil, damaged(run.Run, err)
	}
	if digestOf(stored) != run.Digest {
		return nil, damaged(run.Run, errors.New("the digest differs"))
	}
	return stored, nil
}

// damaged is the error of a stored result that can't be read, unless that was given up.
func damaged(id RunID, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &Error{Op: "read result", Field: "run", Value: fmt.Sprint(id), Remedy: "count the same definition and positions again, or restore a backup", Err: fmt.Errorf("%w: %w", ErrDamaged, err)}
}

// nameSamples fills in codes and names of sampled customers that the session sees.
func (r *Reader) nameSamples(result *Result) error {
	var lists [][]Sample
	for i := range result.Checks {
		lists = append(lists, result.Checks[i].Sample)
	}
	if x := result.Comparison; x != nil {
		lists = append(lists, x.HereSample)
		for i := range x.Differing {
			lists = append(lists, x.Differing[i].Sample)
		}
	}
	for _, list := range lists {
		for i := range list {
			c, err := r.customers.Exact(list[i].ID)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			list[i].Code, list[i].Name = c.Code, c.Name
		}
	}
	return nil
}

// Customers returns a page of the customers in a term of a stored run, ascending: those
// that the session sees, after one, at most limit; more tells that there are others. Terms
// are those of [Terms], "check." with a check's code, and "only_here" of a comparison. One
// that the run has not has no customers.
func (r *Reader) Customers(id RunID, term string, after customer.ID, limit int) (ids []customer.ID, more bool, err error) {
	run, err := r.Run(id)
	if err != nil {
		return nil, false, err
	}
	if !isTerm(term) {
		return nil, false, invalid("list customers", "term", strconv.Quote(term), fmt.Sprintf("use one of %v, %s, or %sCODE", Terms(), termOnlyHere, termCheck))
	}
	from := uint64(after) + 1
	prefix := storage.Key(nil).String(run.Digest).String(term)
	keys := kv.Prefix(prefix)
	keys.Lower = slices.Clone(prefix).Uint(from / bitset.ChunkSize)
	for chunk, err := range r.store.members.Records(r.storage, keys, false) {
		if err != nil {
			return nil, false, err
		}
		low := uint16(0)
		if chunk.chunk == from/bitset.ChunkSize {
			low = uint16(from % bitset.ChunkSize)
		}
		for member := range chunk.members.From(low) {
			if len(ids) == limit {
				return ids, true, nil
			}
			ids = append(ids, customer.ID(chunk.chunk*bitset.ChunkSize+uint64(member)))
		}
	}
	return ids, false, nil
}

func isTerm(term string) bool {
	code, isCheck := strings.CutPrefix(term, termCheck)
	_, known := checkTexts[code]
	return isCheck && known || term == termOnlyHere || slices.Contains(Terms(), term)
}

// membersOf returns the customers of a term of a stored result.
func (r *Reader) membersOf(digest, term string) (*bitset.Set, error) {
	all := &bitset.Set{}
	for chunk, err := range r.store.members.Records(r.storage, kv.Prefix(storage.Key(nil).String(digest).String(term)), false) {
		if err != nil {
			return nil, err
		}
		*all.Own(chunk.chunk) = chunk.members
	}
	return all, nil
}
