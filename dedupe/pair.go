package dedupe

import (
	"iter"
	"math"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe/match"
	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Verdict is what people say of a pair.
type Verdict uint8

const (
	Undecided Verdict = iota
	Same
	Different
	Skipped // not now: it stays, behind all that are undecided
)

var verdictNames = enum.Names{"undecided", "same", "different", "skipped"}

func (v Verdict) String() string { return verdictNames.Of(uint8(v)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (v Verdict) MarshalText() ([]byte, error) {
	return verdictNames.Marshal(uint8(v), "dedupe", "verdict")
}

// UnmarshalText reads what MarshalText wrote.
func (v *Verdict) UnmarshalText(text []byte) error {
	return verdictNames.Unmarshal(text, (*uint8)(v), "dedupe", "verdict")
}

// Pair is two customers that may be one, with what was found and decided of them. A is
// the smaller id. Both may have been merged since.
type Pair struct {
	A, B    customer.ID
	LogOdds float64 // by the run or the creation that found it; 0 for a pair that nobody found
	Worth   float64 // from 0 to 1: where in the queue it stands, the highest first
	Verdict Verdict
	Run     uint64 // that found it with these LogOdds, 0 for none

	Version  uint64
	Recorded time.Time
	Actor    string // who found or decided it
	Reason   string

	rest string
}

// Probability is the chance that the two are one, as it was found.
func (p *Pair) Probability() float64 { return 1 / (1 + math.Exp(-p.LogOdds)) }

// pairKey is two ids, the smaller first.
type pairKey struct{ a, b customer.ID }

func keyOf(a, b customer.ID) pairKey { return pairKey{min(a, b), max(a, b)} }

var pairKeyCodec = storage.KeyCodec[pairKey]{
	Append: func(dst storage.Key, k pairKey) storage.Key { return dst.Uint(uint64(k.a)).Uint(uint64(k.b)) },
	Decode: func(key storage.Key) (k pairKey, err error) {
		a, rest, err := key.CutUint()
		if err != nil {
			return k, err
		}
		b, _, err := rest.CutUint()
		return pairKey{customer.ID(a), customer.ID(b)}, err
	},
}

// worthScale is the number of steps of the queue's order.
const worthScale = 1 << 20

// queueKeys orders pairs that wait for people: undecided before skipped, the most worth
// first.
func queueKeys(set *storage.KeySet, p *Pair) {
	if p.Verdict == Undecided || p.Verdict == Skipped {
		worth := min(max(p.Worth, 0), 1)
		set.Uint(uint64(p.Verdict)).Uint(worthScale - uint64(worth*worthScale)).End()
	}
}

// pairOfKeys finds the pairs of a customer by verdict.
func pairOfKeys(set *storage.KeySet, p *Pair) {
	set.Uint(uint64(p.A)).Uint(uint64(p.Verdict)).End()
	set.Uint(uint64(p.B)).Uint(uint64(p.Verdict)).End()
}

// Pair returns what is known of two customers, or an error that wraps ErrNotFound.
func (r *Reader) Pair(a, b customer.ID) (*Pair, error) {
	for _, id := range []customer.ID{a, b} {
		if err := r.visible(id); err != nil {
			return nil, err
		}
	}
	return r.store.pair.Get(r.storage, keyOf(a, b))
}

// PairsOf yields what is known of a customer and others, the undecided first. Pairs with
// customers out of the session's sight are left out.
func (r *Reader) PairsOf(id customer.ID) iter.Seq2[*Pair, error] {
	return func(yield func(*Pair, error) bool) {
		if err := r.visible(id); err != nil {
			yield(nil, err)
			return
		}
		for p, err := range r.pairsOf(storage.Key(nil).Uint(uint64(id)), true) {
			if err == nil {
				if err = r.sight(p); isNotFound(err) {
					continue
				}
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// sight reports a pair of which one is out of sight, or not there any more.
func (r *Reader) sight(p *Pair) error {
	if err := r.visible(p.A); err != nil {
		return err
	}
	return r.visible(p.B)
}

// pairsOf yields the pairs under a key of the index by customer, which has the verdict
// still behind it when verdicts is set.
func (r *Reader) pairsOf(key storage.Key, verdicts bool) iter.Seq2[*Pair, error] {
	return func(yield func(*Pair, error) bool) {
		for e, err := range r.store.pair.Entries(r.storage, r.store.pairOf, kv.Prefix(key), false) {
			var p *Pair
			var k pairKey
			if err == nil {
				rest := e.Key()[len(key):]
				if verdicts {
					_, rest, err = rest.CutUint()
				}
				if err == nil {
					k, err = e.Primary(rest)
				}
			}
			if err == nil {
				p, err = r.store.pair.Get(r.storage, k)
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// Queue yields the pairs that wait for people, those of most worth first, then those that
// were skipped. Pairs of customers that the session doesn't both see, that were merged, or
// that are erased are left out. It needs the right to review.
func (r *Reader) Queue() iter.Seq2[*Pair, error] {
	return func(yield func(*Pair, error) bool) {
		if err := r.customers.PermitAll(customer.RightReview, customer.Identity); err != nil {
			yield(nil, err)
			return
		}
		for e, err := range r.store.pair.Entries(r.storage, r.store.queue, kv.Range{}, false) {
			var p *Pair
			if err == nil {
				p, err = r.waiting(e)
			}
			if err == nil && p == nil {
				continue
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// waiting returns the pair of an entry of the queue, nil when it needs nobody.
func (r *Reader) waiting(e storage.IndexEntry[pairKey]) (*Pair, error) {
	_, rest, err := e.Key().CutUint()
	if err == nil {
		_, rest, err = rest.CutUint()
	}
	if err != nil {
		return nil, err
	}
	k, err := e.Primary(rest)
	if err != nil {
		return nil, err
	}
	for _, id := range []customer.ID{k.a, k.b} {
		c, err := r.customers.Exact(id)
		if isNotFound(err) || err == nil && c.Status > customer.Archived {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return r.store.pair.Get(r.storage, k)
}

// Decide records what a person says of two customers, with the session's actor and
// reason. It holds until Withdraw: no later score changes it, and Merge refuses to join
// what is different. It needs the right to review both.
func (tx *Tx) Decide(a, b customer.ID, v Verdict) (*Pair, error) {
	const op = "decide"
	if a == b {
		return nil, &Error{Op: op, Customer: a, Field: "B", Value: b.String(), Remedy: "name two customers", Err: ErrInvalid}
	}
	if v != Same && v != Different && v != Skipped {
		return nil, &Error{Op: op, Customer: a, Field: "Verdict", Value: v.String(), Remedy: "use Same, Different or Skipped; Withdraw takes a decision back", Err: ErrInvalid}
	}
	if err := tx.mayReview(a, b); err != nil {
		return nil, err
	}
	p, err := tx.pairOr(keyOf(a, b))
	if err != nil {
		return nil, err
	}
	p.Verdict = v
	return tx.putPair(p, Decided)
}

// Withdraw takes a decision back: the pair is undecided again. It needs the right to
// review both, and fails with ErrNotFound when there is none.
func (tx *Tx) Withdraw(a, b customer.ID) (*Pair, error) {
	if err := tx.mayReview(a, b); err != nil {
		return nil, err
	}
	p, err := tx.store.pair.Get(tx.storage, keyOf(a, b))
	if err != nil || p.Verdict == Undecided {
		return p, err
	}
	p.Verdict = Undecided
	return tx.putPair(p, Withdrawn)
}

// Flag puts two customers into the queue for review, with the model's score of them,
// unless people have decided the pair, as when an import takes a new customer for another.
// It needs the right to create the first and to read the second.
func (tx *Tx) Flag(a, b customer.ID) error {
	if err := tx.customers.Permit(customer.RightCreate, customer.Identity, a); err != nil {
		return err
	}
	if err := tx.customers.Permit(customer.RightRead, customer.Identity, b); err != nil {
		return err
	}
	if a == b {
		return &Error{Op: "flag", Customer: a, Field: "B", Value: b.String(), Remedy: "name two customers", Err: ErrInvalid}
	}
	model, err := tx.model()
	if err != nil {
		return err
	}
	var pair [2]*match.Prepared
	for i, id := range [2]customer.ID{a, b} {
		c, err := tx.all().Exact(id)
		if err != nil {
			return err
		}
		if pair[i], err = model.Prepare(recordOf(tx.store.fields, c)); err != nil {
			return err
		}
	}
	_, err = tx.note(a, b, model.Score(pair[0], pair[1]).LogOdds, 0)
	return err
}

func (tx *Tx) mayReview(ids ...customer.ID) error {
	for _, id := range ids {
		if err := tx.customers.Permit(customer.RightReview, customer.Identity, id); err != nil {
			return err
		}
	}
	return nil
}

// pairOr returns a pair, a new one when nothing is known of it.
func (tx *Tx) pairOr(k pairKey) (*Pair, error) {
	p, err := tx.store.pair.Get(tx.storage, k)
	if isNotFound(err) {
		return &Pair{A: k.a, B: k.b}, nil
	}
	return p, err
}

func (tx *Tx) putPair(p *Pair, action Action) (*Pair, error) {
	session := tx.tx.Session()
	p.Version, p.Recorded, p.Actor, p.Reason = p.Version+1, tx.tx.Now(), session.Actor, session.Reason
	return p, tx.store.pair.Put(tx.tx, keyOf(p.A, p.B), p, uint8(action))
}

// note puts a pair that was found into the queue, unless people have decided it. It
// reports whether anything was new.
func (tx *Tx) note(a, b customer.ID, logOdds float64, run uint64) (bool, error) {
	p, err := tx.pairOr(keyOf(a, b))
	if err != nil {
		return false, err
	}
	if p.Version > 0 && (p.Verdict != Undecided || p.LogOdds == logOdds) {
		return false, nil
	}
	p.LogOdds, p.Run = logOdds, run
	if p.Worth, err = tx.worth(p); err != nil {
		return false, err
	}
	_, err = tx.putPair(p, Found)
	return true, err
}

// worth places a pair in the queue.
func (tx *Tx) worth(p *Pair) (float64, error) {
	if tx.store.opts.Worth == nil {
		return p.Probability(), nil
	}
	a, err := tx.all().Exact(p.A)
	if err != nil {
		return 0, err
	}
	b, err := tx.all().Exact(p.B)
	if err != nil {
		return 0, err
	}
	return tx.store.opts.Worth(a, b, p.Probability()), nil
}

// opposed returns whom people have decided to be different from a customer or from those
// that it stands for, by the ids that stand for them now. It costs two short scans for each
// of these.
func (r *Reader) opposed(id customer.ID) (map[customer.ID]bool, error) {
	members, err := r.standsFor(id)
	if err != nil {
		return nil, err
	}
	against := map[customer.ID]bool{}
	for _, m := range members {
		key := storage.Key(nil).Uint(uint64(m)).Uint(uint64(Different))
		for p, err := range r.pairsOf(key, false) {
			if err != nil {
				return nil, err
			}
			other := p.A
			if other == m {
				other = p.B
			}
			c, err := r.all().Get(other)
			if isNotFound(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			against[c.ID] = true
		}
	}
	return against, nil
}

// standsFor returns a customer and all that were merged into it, directly or by way of
// others.
func (r *Reader) standsFor(id customer.ID) ([]customer.ID, error) {
	members := []customer.ID{id}
	for i := 0; i < len(members); i++ {
		for loser, err := range r.all().MergedInto(members[i]) {
			if err != nil {
				return nil, err
			}
			members = append(members, loser)
		}
	}
	return members, nil
}

// mayJoin reports decisions that keep the customers of a merge apart. It asks the losers
// only: a decision stands under both of its customers.
func (tx *Tx) mayJoin(m Merge) error {
	if m.Overrule {
		return nil
	}
	for i, loser := range m.Losers {
		against, err := tx.opposed(loser)
		if err != nil {
			return err
		}
		if len(against) == 0 {
			continue
		}
		for _, other := range slices.Concat([]customer.ID{m.Survivor}, m.Losers[:i], m.Losers[i+1:]) {
			if against[other] {
				return &Error{Op: "merge", Customer: loser, Field: "Different", Value: other.String(), Remedy: "withdraw the decision, or set Overrule", Err: ErrDecided}
			}
		}
	}
	return nil
}

// judged returns what people have decided, by the customers that stand now for those that
// were judged. Where these say both of two customers they are different, as Merge has it.
func (r *Reader) judged() ([]match.Judgement, error) {
	same := map[pairKey]bool{}
	for p, err := range r.store.pair.Records(r.storage, kv.Range{}, false) {
		if err != nil {
			return nil, err
		}
		if p.Verdict != Same && p.Verdict != Different {
			continue
		}
		k, err := r.standing(p)
		if err != nil {
			return nil, err
		}
		before, twice := same[k]
		same[k] = p.Verdict == Same && (before || !twice)
	}
	var list []match.Judgement
	for k, is := range same {
		if k.a != k.b { // else merged by now
			list = append(list, match.Judgement{A: k.a.String(), B: k.b.String(), Same: is})
		}
	}
	return list, nil
}

// standing is the pair of the customers that stand for those of a pair.
func (r *Reader) standing(p *Pair) (pairKey, error) {
	a, err := r.all().Get(p.A)
	if err != nil {
		return pairKey{}, err
	}
	b, err := r.all().Get(p.B)
	if err != nil {
		return pairKey{}, err
	}
	return keyOf(a.ID, b.ID), nil
}
