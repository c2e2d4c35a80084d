package tagging

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// said is one claim of the model: what a source says of a customer and a tag.
type said struct {
	tag         TagID
	by          string // "person", "import" or the name of a rule set
	denied      bool
	priority    int
	from, until int64 // seconds; an until of 0 is never
}

func (x said) on(now int64) bool { return x.from <= now && (x.until == 0 || now < x.until) }

// model keeps what every source said and computes from it, each time anew, who holds
// what. Time is in seconds since the book's first.
type model struct {
	*book
	start     time.Time
	customers int
	exclusive map[TagID]string // the exclusive dimension of a tag
	ruleWins  map[string]bool
	tags      []TagID
	mergedTo  map[TagID]TagID
	claims    map[customer.ID][]said
}

func (m *model) clock() int64 { return m.now.Unix() - m.start.Unix() }

func newModel(t rapid.TB, n int) *model {
	m := &model{book: newBook(t, n), customers: n, exclusive: map[TagID]string{}, ruleWins: map[string]bool{"grade": true}, mergedTo: map[TagID]TagID{}, claims: map[customer.ID][]said{}}
	m.start = m.now
	for _, d := range []Dimension{{Code: "level", Exclusive: true}, {Code: "grade", Exclusive: true, RuleWins: true}, {Code: "flag"}} {
		made := m.dimension(d)
		for _, code := range []string{"a", "b", "c", "d"} {
			id := m.tag(made, code)
			m.tags = append(m.tags, id)
			if d.Exclusive {
				m.exclusive[id] = d.Code
			}
		}
	}
	return m
}

// rank is who wins in an exclusive dimension: the least.
func (m *model) rank(x said) []string {
	isRule := x.by != "person" && x.by != "import"
	group := "1"
	if isRule != m.ruleWins[m.exclusive[x.tag]] {
		group = "2"
	}
	who := map[string]string{"person": "1", "import": "2"}[x.by]
	if isRule {
		who = fmt.Sprintf("%04d %s %09d", 1000-x.priority, x.by, x.tag)
	}
	return []string{group, who}
}

// held is what a customer has by the model.
func (m *model) held(id customer.ID) map[TagID]bool {
	now := m.clock()
	denied := map[TagID]bool{}
	for _, x := range m.claims[id] {
		if x.denied {
			denied[x.tag] = true
		}
	}
	held := map[TagID]bool{}
	best := map[string]said{}
	for _, x := range m.claims[id] {
		if x.denied || denied[x.tag] || !x.on(now) {
			continue
		}
		d, exclusive := m.exclusive[x.tag]
		if !exclusive {
			held[x.tag] = true
		} else if other, taken := best[d]; !taken || slices.Compare(m.rank(x), m.rank(other)) < 0 {
			best[d] = x
		}
	}
	for _, x := range best {
		held[x.tag] = true
	}
	return held
}

// conflict is what refuses a person's or an import's claim, nil for nothing.
func (m *model) conflict(id customer.ID, a said) error {
	now := m.clock()
	var denied bool
	for _, x := range m.claims[id] {
		denied = denied || x.denied && x.tag == a.tag
	}
	if denied && a.by == "import" {
		return ErrDenied
	}
	for _, x := range m.claims[id] {
		d := m.exclusive[a.tag]
		if d == "" || m.exclusive[x.tag] != d || x.tag == a.tag || x.denied || x.until != 0 && x.until <= now {
			continue
		}
		overlap := (x.until == 0 || x.until > a.from) && (a.until == 0 || a.until > x.from)
		isRule := x.by != "person" && x.by != "import"
		ruleStands := m.ruleWins[d] && !slices.ContainsFunc(m.claims[id], func(o said) bool { return o.denied && o.tag == x.tag })
		if overlap && (!isRule || ruleStands && (m.held(id)[x.tag] || !x.on(now))) {
			return ErrExclusive
		}
	}
	return nil
}

func (m *model) drop(id customer.ID, which func(said) bool) {
	m.claims[id] = slices.DeleteFunc(m.claims[id], which)
}

// step does one thing at random to the book and the model.
func (m *model) step(t *rapid.T) {
	id := customer.ID(rapid.IntRange(1, m.customers).Draw(t, "customer"))
	tag := m.alive(rapid.SampledFrom(m.tags).Draw(t, "tag"))
	m.now = m.now.Add(time.Duration(rapid.IntRange(1, 3).Draw(t, "seconds")) * time.Second)
	switch rapid.IntRange(0, 9).Draw(t, "action") {
	case 0, 1, 2:
		m.stepAssign(t, id, tag)
	case 3:
		m.update(func(tx *Tx) error { _, err := tx.Remove(id, tag); return err })
		ruled := slices.ContainsFunc(m.claims[id], func(x said) bool {
			return x.tag == tag && x.by != "person" && x.by != "import" && (x.until == 0 || x.until > m.clock())
		})
		m.drop(id, func(x said) bool { return x.tag == tag && (x.by == "person" && !x.denied || x.by == "import") })
		if ruled {
			m.deny(id, tag)
		}
	case 4:
		m.update(func(tx *Tx) error { _, err := tx.Deny(id, tag); return err })
		m.deny(id, tag)
	case 5:
		m.update(func(tx *Tx) error { _, err := tx.Allow(id, tag); return err })
		m.drop(id, func(x said) bool { return x.tag == tag && x.denied })
	case 6, 7:
		m.stepRule(t, id)
	case 8:
		if rapid.Bool().Draw(t, "tick") {
			m.tick()
		} else {
			m.settle()
		}
	case 9:
		m.stepMerge(t, tag)
	}
}

func (m *model) alive(tag TagID) TagID {
	for m.mergedTo[tag] != 0 {
		tag = m.mergedTo[tag]
	}
	return tag
}

func (m *model) deny(id customer.ID, tag TagID) {
	m.drop(id, func(x said) bool { return x.tag == tag && x.by == "person" })
	m.claims[id] = append(m.claims[id], said{tag: tag, by: "person", denied: true})
}

func (m *model) stepAssign(t *rapid.T, id customer.ID, tag TagID) {
	a := said{tag: tag, by: "person"}
	origin := Manual
	if rapid.Bool().Draw(t, "import") {
		a.by, origin = "import", Imported
	}
	given := Assignment{Tag: tag, Origin: origin}
	given.From, given.Until, a.from, a.until = m.drawSpan(t)
	err := m.try(func(tx *Tx) error { _, err := tx.Assign(id, given); return err })
	if want := m.conflict(id, a); !errors.Is(err, want) {
		t.Fatalf("assign %+v to %d: error %v, want %v", a, id, err, want)
	}
	if err == nil {
		m.drop(id, func(x said) bool { return x.tag == tag && x.by == a.by })
		m.claims[id] = append(m.claims[id], a)
	}
}

func (m *model) drawSpan(t *rapid.T) (from, until time.Time, begin, end int64) {
	if n := rapid.IntRange(0, 3).Draw(t, "begins"); n > 0 {
		from = m.now.Add(time.Duration(n) * 4 * time.Second)
		begin = from.Unix() - m.start.Unix()
	}
	if n := rapid.IntRange(0, 3).Draw(t, "lasts"); n > 0 {
		until = m.now.Add(time.Duration(n)*5*time.Second + 12*time.Second)
		end = until.Unix() - m.start.Unix()
	}
	return from, until, begin, end
}

func (m *model) stepRule(t *rapid.T, id customer.ID) {
	set := rapid.SampledFrom([]string{"rules", "more rules"}).Draw(t, "rule set")
	var given []Assignment
	m.drop(id, func(x said) bool { return x.by == set })
	seen := map[TagID]bool{}
	for range rapid.IntRange(0, 3).Draw(t, "rule tags") {
		tag := m.alive(rapid.SampledFrom(m.tags).Draw(t, "rule tag"))
		if seen[tag] {
			continue
		}
		seen[tag] = true
		a := said{tag: tag, by: set, priority: rapid.IntRange(0, 2).Draw(t, "priority")}
		rule := Assignment{Tag: tag, Priority: a.priority}
		_, rule.Until, _, a.until = m.drawSpan(t)
		given = append(given, rule)
		m.claims[id] = append(m.claims[id], a)
	}
	m.update(func(tx *Tx) error { _, err := tx.SetRuleTags(id, set, given); return err })
}

// stepMerge merges a tag into another of its dimension, if nobody denied one of them:
// denials follow later, by Settle.
func (m *model) stepMerge(t *rapid.T, tag TagID) {
	into := m.alive(rapid.SampledFrom(m.tags).Draw(t, "into"))
	if into == tag || m.exclusive[into] != "" || m.exclusive[tag] != "" || len(m.mergedTo) > 1 {
		return // in exclusive dimensions see TestMergedTagsInExclusiveDimensions
	}
	for _, claims := range m.claims {
		if slices.ContainsFunc(claims, func(x said) bool { return x.denied && (x.tag == tag || x.tag == into) }) {
			return
		}
	}
	m.update(func(tx *Tx) error { _, err := tx.MergeTag(tag, into); return err })
	m.mergedTo[tag] = into
	for _, claims := range m.claims {
		for i := range claims {
			if claims[i].tag == tag {
				claims[i].tag = into
			}
		}
	}
}

// compare checks everybody, by record and by bitmap.
func (m *model) compare(t rapid.TB) {
	counts := map[TagID]int64{}
	m.view(func(r *Reader) error {
		for id := range customer.ID(m.customers) {
			id++
			want := m.held(id)
			tagged, err := r.Of(id)
			if err != nil {
				return err
			}
			got := tagged.Tags()
			for tag := range want {
				counts[tag]++
			}
			if len(got) != len(want) || slices.ContainsFunc(got, func(tag TagID) bool { return !want[tag] }) {
				t.Fatalf("at %d customer %d holds %v, want %v\nmodel %+v\nrecord %+v", m.clock(), id, got, want, m.claims[id], tagged.Assignments)
			}
		}
		for _, tag := range m.tags {
			if m.mergedTo[tag] != 0 {
				continue
			}
			n, err := r.Count(Query{Filter: r.cat.name(r.cat.tags[tag])})
			if err != nil || n != counts[tag] {
				t.Fatalf("at %d tag %d: counted %d, %v; want %d", m.clock(), tag, n, err, counts[tag])
			}
		}
		return nil
	})
}

// Whatever is done in whatever order, customers hold what the sources' words amount to,
// queries find the same before and after Tick and Settle, and all that is stored twice agrees.
func TestTagsFollowFromWhatWasSaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t, 3)
		defer m.close()
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			m.step(t)
			m.compare(t)
		}
		m.verified()
		m.tick()
		m.settle()
		m.compare(t)
		m.verified()
	})
}

// Merging two customers and undoing it leaves both as they were, whatever they had.
func TestUnmergeRestoresBoth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t, 2)
		defer m.close()
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			m.step(t)
		}
		m.settle()
		m.tick()
		before1, before2 := m.of(1), m.of(2)
		var done *Combination
		m.update(func(tx *Tx) (err error) { done, err = tx.MergeCustomers(1, 2); return err })
		if rest := m.of(2); len(rest.Assignments) > 0 {
			t.Fatalf("the loser has %+v", rest.Assignments)
		}
		if tags := m.of(1).In(1); len(tags) > 1 {
			t.Fatalf("the survivor has %v of an exclusive dimension", tags)
		}
		m.verified()
		m.update(func(tx *Tx) error { return tx.UnmergeCustomers(done) })
		for id, before := range map[customer.ID]*Tagged{1: before1, 2: before2} {
			if after := m.of(id); !slices.Equal(after.Assignments, before.Assignments) {
				t.Fatalf("customer %d has %+v, had %+v", id, after.Assignments, before.Assignments)
			}
		}
		m.verified()
	})
}

// Many writers at once, each doing anything: no write is lost or half-applied.
func TestConcurrentWritersKeepEverythingInStep(t *testing.T) {
	const customers, writers, steps = 20, 6, 60
	m := newModel(t, customers)
	defer m.close()
	var running sync.WaitGroup
	for w := range writers {
		running.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 1))
			for range steps {
				if err := m.scatter(random); err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	m.verified()
	m.settle()
	for id := range customer.ID(customers) {
		m.marked(id + 1)
		for d := range DimensionID(2) {
			if tags := m.of(id + 1).In(d + 1); len(tags) > 1 {
				t.Errorf("customer %d has %v of an exclusive dimension", id+1, tags)
			}
		}
	}
	m.verified()
}

// scatter does one random thing, as one of several at a time.
func (m *model) scatter(random *rand.Rand) error {
	id := customer.ID(1 + random.IntN(m.customers))
	tag := m.tags[random.IntN(len(m.tags))]
	ctx := context.Background()
	var err error
	switch random.IntN(12) {
	case 0:
		_, err = m.book.tags.RemoveAll(ctx, m.job(), Bulk{Tag: tag, Query: Query{Filter: "has:flag"}})
	case 1:
		_, err = m.book.tags.AssignAll(ctx, m.job(), Bulk{Tag: tag, IDs: []customer.ID{id, 1, 2, 3}, Replace: true})
	case 2:
		_, err = m.book.tags.Settle(ctx, m.job())
	case 3:
		err = m.try(func(tx *Tx) error { _, err := tx.MergeTag(tag, m.tags[random.IntN(len(m.tags))]); return err })
	case 4:
		err = m.try(func(tx *Tx) error { _, err := tx.Deny(id, tag); return err })
	case 5, 6:
		err = m.try(func(tx *Tx) error { _, err := tx.SetRuleTags(id, "rules", []Assignment{{Tag: tag}}); return err })
	case 7:
		err = m.try(func(tx *Tx) error {
			_, err := tx.MergeCustomers(id, 1+customer.ID(random.IntN(m.customers)))
			return err
		})
	case 8:
		err = m.try(func(tx *Tx) error { _, err := m.book.customers.Tx(tx.tx).Archive(id); return err })
	case 9:
		err = m.try(func(tx *Tx) error { _, err := m.book.customers.Tx(tx.tx).Reactivate(id); return err })
	default:
		err = m.try(func(tx *Tx) error { _, err := tx.Assign(id, Assignment{Tag: tag}); return err })
	}
	for _, refusal := range []error{ErrExclusive, ErrDenied, ErrRetired, ErrCycle, ErrInvalid, customer.ErrStatus, storage.ErrConflict} {
		if errors.Is(err, refusal) {
			return nil
		}
	}
	return err
}
