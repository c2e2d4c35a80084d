package search

import (
	"context"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/clientele-go/clientele/customer"
)

// stage is how far a query goes to find something.
type stage uint8

const (
	stageStrict  stage = iota // all words match
	stageSimilar              // or a word like it does
	stagePartial              // some parts match
	lastStage    = stagePartial
)

// Search finds customers. When the words of the text find fewer than a page, words
// of names that differ in a letter (from four letters on; from eight on, in two)
// are taken for them too, and when still nobody is found, customers that match
// at least half of its parts; Exact prevents both. It returns a [*QueryError] for a
// query that cannot be answered and an error matching [ErrCorrupt] when a file
// turns out to be damaged.
func (x *Index) Search(ctx context.Context, q Query) (result Result, err error) {
	defer damaged(&err)()
	s, err := x.newSearch(&q)
	if err != nil {
		return Result{}, err
	}
	defer s.close()
	for more := true; more; {
		if err := s.evaluate(ctx, levels-1); err != nil {
			return Result{}, err
		}
		more = s.widen(s.total())
	}
	result.Hits, result.Next = s.page(len(s.ranks))
	result.Total = s.total()
	result.Facets = s.facets()
	result.Bounded = s.bounded()
	return result, s.err(ctx)
}

// Pick returns the first hits of a query, the same and in the same order as Search,
// and is faster as it doesn't count: it looks for worse matches only when better
// ones don't fill the page. It is made for type-ahead fields. After and Facets are
// ignored.
func (x *Index) Pick(ctx context.Context, q Query) (hits []Hit, err error) {
	defer damaged(&err)()
	q.After, q.Facets = "", nil
	s, err := x.newSearch(&q)
	if err != nil {
		return nil, err
	}
	defer s.close()
	s.lazyScope = true
	upTo := levelSpelled
	if s.plan.several {
		upTo = levels - 1 // several words are seldom all in the name
	}
	for {
		if err := s.evaluate(ctx, upTo); err != nil {
			return nil, err
		}
		hits, _ = s.page(int(upTo))
		switch {
		case len(hits) == s.limit:
			return hits, s.err(ctx)
		case upTo == levelSpelled:
			upTo = levels - 1
		case !s.widen(len(hits)):
			return hits, s.err(ctx)
		}
	}
}

// search is a query under way.
type search struct {
	query  *Query
	plan   *plan
	filter *narrowing
	limit  int
	after  *position // nil on the first page
	sight  *sight
	stage  stage

	view   *view
	shards []*shard

	ranks     []Rank              // of the tiers
	tiers     [][]*roaring.Bitmap // of each shard, the best first, without common members
	byLevel   bool                // tiers are levels
	lazyScope bool                // Within is asked for what comes onto the page only

	graded graded           // the document whose name was read last
	grades map[uint64]level // by key, of the documents whose names were read

	facetPrefixes map[Field]string
}

func (x *Index) newSearch(q *Query) (*search, error) {
	s := &search{query: q, sight: newSight(q.Access)}
	var err error
	if s.limit, err = q.limit(); err != nil {
		return nil, err
	}
	if s.plan, err = compile(q.Text); err != nil {
		return nil, err
	}
	if s.filter, err = x.options.narrowing(q); err != nil {
		return nil, err
	}
	if s.facetPrefixes, err = x.options.facetPrefixes(q); err != nil {
		return nil, err
	}
	if q.After != "" {
		p, err := parsePosition(q.After)
		if err != nil {
			return nil, err
		}
		s.after, s.stage = &p, p.stage
	}
	s.view, err = x.view()
	return s, err
}

func (s *search) close() {
	s.view.keys.keep(s.view)
	s.view.close()
}

// widen moves to a later stage if what was found calls for it, and reports whether
// it did.
func (s *search) widen(found int) bool {
	if s.query.Exact || s.plan.matcher == nil || s.after != nil {
		return false
	}
	if s.stage == stageStrict && found < s.limit && s.findSimilar() {
		s.stage = stageSimilar
		return true
	}
	if s.stage != stagePartial && found == 0 && len(s.plan.atoms) > 1 {
		s.stage = stagePartial
		return true
	}
	return false
}

// evaluate finds the documents of each tier. In the stages of all words the tiers
// are the levels up to upTo.
func (s *search) evaluate(ctx context.Context, upTo level) (err error) {
	if s.shards == nil {
		if s.shards, err = s.view.shards(); err != nil {
			return err
		}
		for _, shard := range s.shards {
			shard.sight = s.sight
		}
	}
	if s.stage == stageSimilar {
		s.findSimilar()
	}
	s.tiers = s.tiers[:0]
	s.byLevel = !s.plan.list && s.plan.matcher != nil && s.stage != stagePartial
	s.grades = nil
	for _, shard := range s.shards {
		if err := ctx.Err(); err != nil {
			return err
		}
		switch {
		case s.plan.list:
			s.ranks = []Rank{RankListed}
			s.tiers = append(s.tiers, []*roaring.Bitmap{s.narrow(shard, shard.numbers())})
		case s.plan.matcher == nil:
			s.tiers = append(s.tiers, nil)
		case s.stage == stagePartial:
			s.tiers = append(s.tiers, s.partial(shard))
		default:
			s.ranks = levelRanks[:]
			found := s.plan.matcher.match(shard, upTo)
			s.tiers = append(s.tiers, s.split(shard, &found))
		}
	}
	return nil
}

// split narrows what was found and takes it apart by level.
func (s *search) split(shard *shard, found *ranked) []*roaring.Bitmap {
	tiers := make([]*roaring.Bitmap, levels)
	narrowed := s.narrow(shard, found[levels-1])
	var better *roaring.Bitmap
	for l := range tiers {
		if l > 0 && found[l] == found[l-1] {
			continue
		}
		reached := narrowed
		if found[l] != found[levels-1] {
			reached = and(found[l], narrowed)
		}
		tiers[l] = without(reached, better)
		better = reached
	}
	return tiers
}

// narrow applies the filter and, unless that is left to the page, the scope.
func (s *search) narrow(shard *shard, set *roaring.Bitmap) *roaring.Bitmap {
	set = s.filter.apply(shard, without(set, shard.deleted))
	if s.lazyScope || set == nil {
		return set
	}
	set = s.sight.within.keep(shard, set)
	if s.query.Within == nil || set == nil {
		return set
	}
	return shard.keepEach(set, s.query.Within.Contains)
}

func (s *search) total() int {
	total := 0
	for _, tiers := range s.tiers {
		for _, set := range tiers {
			total += size(set)
		}
	}
	return total
}

func (s *search) bounded() bool {
	for _, shard := range s.shards {
		if shard.bounded {
			return true
		}
	}
	return false
}

// inScope reports whether a customer may be in the answer.
func (s *search) inScope(id customer.ID) bool {
	return s.sight.within.Contains(id) && (s.query.Within == nil || s.query.Within.Contains(id))
}

// err returns why the answer can't be given.
func (s *search) err(ctx context.Context) error {
	if s.sight.failed != nil {
		return s.sight.failed
	}
	return ctx.Err()
}
