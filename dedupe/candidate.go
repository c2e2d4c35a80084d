package dedupe

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe/match"
	"github.com/clientele-go/clientele/storage"
)

// Candidate is a customer that another one, or a draft, may be.
type Candidate struct {
	// Customer is nil for one that the session may not see, and for one that is likely by
	// what is hidden from it only. Of that one only the unit to ask is told.
	Customer *customer.Customer
	Unit     customer.UnitID // the owner of one without Customer, 0 for none
	Decision match.Decision
	// Score tells how likely it is and why, by what the session sees of both.
	Score match.Score
}

// The bounds of a search for candidates, which keep it in milliseconds whatever the book.
const (
	rareKey    = 64  // customers under a key that is good by itself
	commonKey  = 200 // and under one that counts beside others
	readBudget = 600 // entries read of common keys
	surely     = 12  // customers compared in any case
	maxJudged  = 24  // and at most
	telltale   = 21  // weight of a customer that is compared beyond the first
	worthy     = 0.3 // and its share of the weight of the first
	// MaxCandidates is how many candidates are returned at most.
	MaxCandidates = 10
)

// CandidatesFor returns the customers that a draft may be, the likeliest first, at most
// [MaxCandidates]. The draft needs not be valid: what can't be read is not compared. It
// costs some milliseconds against a million customers. Without a trained model it judges
// by shipped experience; see [Store.Train].
func (r *Reader) CandidatesFor(d customer.Draft) ([]Candidate, error) {
	schema, err := customer.Unscoped(r.customers).Schema()
	if err != nil {
		return nil, err
	}
	c, err := r.store.customerStore.Check(d, schema)
	if err != nil {
		c = rough(d)
	}
	found, err := r.candidates(c)
	if err != nil {
		return nil, err
	}
	return r.disclosed(found, c, customer.Mask{})
}

// CandidatesOf returns the customers that a customer may be, as CandidatesFor does, but
// not those that people decided to be different.
func (r *Reader) CandidatesOf(id customer.ID) ([]Candidate, error) {
	if err := r.visible(id); err != nil {
		return nil, err
	}
	c, err := r.all().Get(id)
	if err != nil {
		return nil, err
	}
	found, err := r.candidates(c)
	if err != nil || r.customers.Access() == nil {
		return found, err
	}
	hidden, err := r.customers.Access().Mask(c)
	if err != nil {
		return nil, err
	}
	return r.disclosed(found, c, hidden)
}

// rough is a draft that is not in order, as far as it says something.
func rough(d customer.Draft) *customer.Customer {
	return &customer.Customer{
		Code: d.Code, Kind: d.Kind, Party: d.Party, Name: d.Name, Aliases: d.Aliases, Country: d.Country, Identifiers: d.Identifiers,
		Phones: d.Phones, Emails: d.Emails, Addresses: d.Addresses, Contacts: d.Contacts, Website: d.Website, Note: d.Note,
		Owner: d.Owner, Rep: d.Rep, Attributes: d.Attributes, SourceKeys: d.SourceKeys,
	}
}

// legible is a record without the bytes that are no UTF-8, as a draft may have them.
func legible(r match.Record) match.Record {
	for i, v := range r.Values {
		r.Values[i] = strings.ToValidUTF8(v, "")
	}
	return r
}

// candidates finds whom c may be, the likeliest first: judged by all that is stored,
// whoever may see it.
func (r *Reader) candidates(c *customer.Customer) ([]Candidate, error) {
	ids, err := r.neighbours(c)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	model, err := r.model()
	if err != nil {
		return nil, err
	}
	self, err := model.Prepare(legible(recordOf(r.store.fields, c)))
	if err != nil {
		return nil, err
	}
	var against map[customer.ID]bool
	if c.ID != 0 {
		if against, err = r.opposed(c.ID); err != nil {
			return nil, err
		}
	}
	var found []Candidate
	for _, id := range ids {
		other, err := r.all().Exact(id)
		if err != nil {
			return nil, err
		}
		if other.Status > customer.Archived || against[id] {
			continue
		}
		p, err := model.Prepare(recordOf(r.store.fields, other))
		if err != nil {
			return nil, err
		}
		if s := model.Score(self, p); s.Decision != match.Different {
			s = model.Explain(self, p)
			found = append(found, Candidate{Customer: other, Decision: s.Decision, Score: s})
		}
	}
	sortCandidates(found)
	return found[:min(len(found), MaxCandidates)], nil
}

// sortCandidates has the likeliest first, and those without a score last.
func sortCandidates(list []Candidate) {
	slices.SortStableFunc(list, func(a, b Candidate) int {
		if a.Customer == nil || b.Customer == nil {
			return cmp.Compare(unscored(a), unscored(b))
		}
		return cmp.Compare(b.Score.LogOdds, a.Score.LogOdds)
	})
}

func unscored(c Candidate) int {
	if c.Customer == nil {
		return 1
	}
	return 0
}

// disclosed returns the candidates of c as the session may know them, where hidden is
// what it doesn't see of c.
func (r *Reader) disclosed(found []Candidate, c *customer.Customer, hidden customer.Mask) ([]Candidate, error) {
	access := r.customers.Access()
	if access == nil || len(found) == 0 {
		return found, nil
	}
	model, err := r.model()
	if err != nil {
		return nil, err
	}
	self, err := model.Prepare(legible(recordOf(r.store.fields, hidden.Apply(c))))
	if err != nil {
		return nil, err
	}
	told := make([]Candidate, len(found))
	for i := range found {
		if told[i], err = r.disclose(access, model, self, found[i], hidden.Empty()); err != nil {
			return nil, err
		}
	}
	sortCandidates(told)
	return told, nil
}

// disclose returns a candidate as the session may know it: judged by what it sees, so that
// neither the score nor the explanation tells what is hidden.
func (r *Reader) disclose(access customer.Access, model *match.Model, self *match.Prepared, c Candidate, whole bool) (Candidate, error) {
	apart := Candidate{Unit: c.Customer.Owner, Decision: c.Decision}
	if sees, err := access.Sees(c.Customer); err != nil || !sees {
		return apart, err
	}
	mask, err := access.Mask(c.Customer)
	if err != nil || whole && mask.Empty() {
		return c, err
	}
	shown := mask.Apply(c.Customer)
	other, err := model.Prepare(recordOf(r.store.fields, shown))
	if err != nil {
		return apart, err
	}
	score := model.Explain(self, other)
	if score.Decision == match.Different {
		return apart, nil
	}
	return Candidate{Customer: shown, Decision: score.Decision, Score: r.store.masked(score, mask)}, nil
}

// masked is a score that explains nothing by what a mask hides.
func (s *Store) masked(score match.Score, mask customer.Mask) match.Score {
	score.Fields = slices.DeleteFunc(slices.Clone(score.Fields), func(f match.FieldScore) bool {
		at := slices.IndexFunc(s.fields, func(x Field) bool { return x.Name == f.Field })
		return at < 0 || s.fields[at].Mask != "" && mask.Hides(s.fields[at].Mask)
	})
	return score
}

// neighbours returns the customers that share the most telling keys with c, the best
// first.
func (r *Reader) neighbours(c *customer.Customer) ([]customer.ID, error) {
	weight := map[customer.ID]float64{}
	budget := readBudget
	keys := r.store.keyer.of(c)
	slices.SortStableFunc(keys, func(a, b likeness) int { return cmp.Compare(a.kind, b.kind) })
	var common, crowded [][]customer.ID
	for _, k := range keys {
		limit := rareKey
		if budget > commonKey {
			limit = commonKey
		}
		ids, whole, err := r.under(k, limit)
		if err != nil {
			return nil, err
		}
		switch {
		case !whole: // too many to tell anything
			budget -= len(ids)
			crowded = append(crowded, ids)
		case len(ids) <= rareKey:
			for _, id := range ids {
				weight[id] += telling(len(ids))
			}
		default:
			budget -= len(ids)
			common = append(common, ids)
		}
	}
	shared := map[customer.ID]int{}
	for _, ids := range common {
		for _, id := range ids {
			shared[id]++
			if _, known := weight[id]; known || shared[id] > 1 || len(common) == 1 {
				weight[id] += telling(len(ids))
			}
		}
	}
	delete(weight, c.ID)
	if len(weight) == 0 { // or many are the same in all that they say
		crowd(weight, crowded)
		delete(weight, c.ID)
	}
	best := make([]customer.ID, 0, len(weight))
	for id := range weight {
		best = append(best, id)
	}
	slices.SortFunc(best, func(a, b customer.ID) int {
		return cmp.Or(cmp.Compare(weight[b], weight[a]), cmp.Compare(a, b))
	})
	return best[:judged(best, weight)], nil
}

// crowd weighs the customers that were read under two keys and more of those that too many have.
func crowd(weight map[customer.ID]float64, crowded [][]customer.ID) {
	for _, ids := range crowded {
		for _, id := range ids {
			weight[id]++
		}
	}
	maps.DeleteFunc(weight, func(_ customer.ID, keys float64) bool { return keys < 2 })
}

// judged is how many of the neighbours, the best first, are worth comparing.
func judged(best []customer.ID, weight map[customer.ID]float64) int {
	n := min(len(best), surely)
	for n < min(len(best), maxJudged) && weight[best[n]] >= max(telltale, worthy*weight[best[0]]) {
		n++
	}
	return n
}

// telling is how much it says that two customers share a key that so many have.
func telling(size int) float64 { return 24 - math.Log2(float64(size)) }

// under returns the customers under a key, whole when these are not more than limit.
func (r *Reader) under(k likeness, limit int) (ids []customer.ID, whole bool, err error) {
	r.key = append(r.key[:0], storage.Key(nil).Uint(k.hash)...)
	for id, err := range r.all().Derived(r.store.likeness, r.key) {
		if err != nil {
			return nil, false, err
		}
		if len(ids) == limit {
			return ids, false, nil
		}
		ids = append(ids, id)
	}
	return ids, true, nil
}
