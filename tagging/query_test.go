package tagging

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/accesstest"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/tagging/filter"
)

// subjects reads every customer that a scope shows and its assignments, without what the
// scope hides and without any set.
func (s *shelf) subjects(r *Reader, scope *accesstest.Access) []subject {
	everything := *r
	everything.customers = customer.Unscoped(r.customers)
	var all []subject
	for c, err := range everything.customers.List(customer.List{Statuses: customer.AllStatuses()}) {
		if err != nil {
			s.t.Fatal(err)
		}
		if scope != nil && !scope.See(c) {
			continue
		}
		tags, err := everything.Of(c.ID)
		if err != nil {
			s.t.Fatal(err)
		}
		if scope != nil {
			mask := scope.Hide(c)
			if c = mask.Apply(c); mask.Hides("tag") {
				tags = &Tagged{ID: c.ID}
			}
		}
		all = append(all, subject{c, tags})
	}
	return all
}

// meant are those whom a query means, by the naive evaluation.
func (q Query) meant(t rapid.TB, r *Reader, all []subject) []subject {
	statuses := q.Statuses
	if len(statuses) == 0 {
		statuses = []customer.Status{customer.Active, customer.Suspended}
		if slices.Contains(filter.Fields(q.Expr), "status") {
			statuses = customer.AllStatuses()
		}
	}
	var found []subject
	for _, x := range all {
		if slices.Contains(statuses, x.Status) && r.holds(t, q.Expr, x) {
			found = append(found, x)
		}
	}
	return found
}

func idsOf(subjects []subject) []customer.ID {
	ids := make([]customer.ID, len(subjects))
	for i, x := range subjects {
		ids[i] = x.ID
	}
	return ids
}

func (s *shelf) drawQuery(t *rapid.T) Query {
	q := Query{Expr: drawFilter(t, 3)}
	if rapid.IntRange(0, 3).Draw(t, "statuses") == 0 {
		q.Statuses = []customer.Status{customer.Archived, customer.Active}
	}
	return q
}

// drawScope draws who is seen, and what is hidden of each.
func (s *shelf) drawScope(t *rapid.T) *accesstest.Access {
	if rapid.Bool().Draw(t, "unlimited") {
		return nil
	}
	within, masks := &bitset.Set{}, map[customer.ID]customer.Mask{}
	for _, id := range s.ids {
		if rapid.Bool().Draw(t, "visible") {
			within.Add(uint64(id))
		}
		hidden := rapid.SliceOfN(rapid.SampledFrom([]string{
			"tag", "address", "rep", "note", "phone", "attr.grade", "attr.vat", "attr.days", "attr.since", "attr.memo", "attr.weight",
		}), 0, 3).Draw(t, "hidden")
		mask, err := customer.NewMask(hidden...)
		if err != nil {
			t.Fatal(err)
		}
		masks[id] = mask
	}
	return &accesstest.Access{
		See:  func(c *customer.Customer) bool { return within.Contains(uint64(c.ID)) },
		Hide: func(c *customer.Customer) customer.Mask { return masks[c.ID] },
	}
}

func TestQueriesEqualANaiveEvaluation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newShelf(t)
		defer s.close()
		s.define()
		for range rapid.IntRange(10, 60).Draw(t, "steps") {
			s.step(t)
		}
		scope := s.drawScope(t)
		s.view(scope, func(r *Reader) {
			all := s.subjects(r, scope)
			for _, q := range []Query{{Expr: filter.All()}, s.drawQuery(t), s.drawQuery(t), s.drawQuery(t), s.drawQuery(t)} {
				want := q.meant(t, r, all)
				s.checkIDs(t, r, q, idsOf(want))
				s.checkGroups(t, r, q, want)
			}
		})
	})
}

func (s *shelf) checkIDs(t *rapid.T, r *Reader, q Query, want []customer.ID) {
	n, err := r.Count(q)
	if err != nil || n != int64(len(want)) {
		t.Fatalf("%s: Count is %d, %v; want %v", q.Expr, n, err, want)
	}
	after := rapid.SampledFrom(append(s.ids, 0)).Draw(t, "after")
	rest := slices.DeleteFunc(slices.Clone(want), func(id customer.ID) bool { return id <= after })
	limit := rapid.IntRange(1, 5).Draw(t, "limit")
	page, more, err := r.Page(q, after, limit)
	if err != nil || !slices.Equal(page, rest[:min(limit, len(rest))]) || more != (len(rest) > limit) {
		t.Fatalf("%s: Page after %d is %v, %v, %v; want %v", q.Expr, after, page, more, err, rest)
	}
	set, err := r.Set(q)
	if err != nil {
		t.Fatal(err)
	}
	var got []customer.ID
	for id := range set.All() {
		got = append(got, customer.ID(id))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%s: Set is %v, want %v", q.Expr, got, want)
	}
	for _, id := range append(s.ids, 0, 1, 1<<50) {
		in, err := r.Contains(q, id)
		if err != nil || in != slices.Contains(want, id) {
			t.Fatalf("%s: Contains(%d) is %v, %v", q.Expr, id, in, err)
		}
	}
	sample, err := r.Sample(q, limit, 7)
	again, _ := r.Sample(q, limit, 7)
	if err != nil || len(sample) != min(limit, len(want)) || !slices.Equal(sample, again) || !slices.IsSorted(sample) ||
		len(slices.Compact(slices.Clone(sample))) != len(sample) ||
		slices.ContainsFunc(sample, func(id customer.ID) bool { return !slices.Contains(want, id) }) {
		t.Fatalf("%s: Sample of %d is %v, then %v, %v, of %v", q.Expr, limit, sample, again, err, want)
	}
}

// axes are what the test groups by, each with the buckets of a customer.
func axes(r *Reader) map[Axis]func(x subject) []string {
	tags := func(dimension string, level int) func(subject) []string {
		return func(x subject) []string {
			d, _ := r.Dimension(dimension)
			var codes []string
			for _, id := range x.tags.In(d.ID) {
				tag, _ := r.TagByID(id)
				path := []string{tag.Code} // from the root on
				for tag.Parent != 0 {
					tag, _ = r.TagByID(tag.Parent)
					path = slices.Insert(path, 0, tag.Code)
				}
				if level > 0 && level < len(path) {
					path = path[:level]
				}
				codes = append(codes, path[len(path)-1])
			}
			slices.Sort(codes)
			return slices.Compact(codes)
		}
	}
	text := func(of func(*customer.Customer) string) func(subject) []string {
		return func(x subject) []string {
			if s := of(x.Customer); s != "" {
				return []string{s}
			}
			return nil
		}
	}
	attribute := func(name string, show func(customer.Value) string) func(subject) []string {
		return text(func(c *customer.Customer) string {
			if v, has := c.Attribute(name); has {
				return show(v)
			}
			return ""
		})
	}
	return map[Axis]func(subject) []string{
		{Field: "region"}:           tags("region", 0),
		{Field: "region", Level: 1}: tags("region", 1),
		{Field: "region", Level: 2}: tags("region", 2),
		{Field: "level"}:            tags("level", 0),
		{Field: "flag"}:             tags("flag", 0),
		{Field: "status"}:           text(func(c *customer.Customer) string { return c.Status.String() }),
		{Field: "rep"}:              text(func(c *customer.Customer) string { return c.Rep }),
		{Field: "owner"}: text(func(c *customer.Customer) string {
			return strings.TrimPrefix(fmt.Sprint(uint64(c.Owner)), "0")
		}),
		{Field: "created"}:               text(func(c *customer.Customer) string { return c.Created.Format("2006-01") }),
		{Field: "created", Per: PerDay}:  text(func(c *customer.Customer) string { return c.Created.Format(time.DateOnly) }),
		{Field: "created", Per: PerYear}: text(func(c *customer.Customer) string { return c.Created.Format("2006") }),
		{Field: "attr.grade"}:            attribute("grade", customer.Value.String),
		{Field: "attr.vat"}:              attribute("vat", customer.Value.String),
		{Field: "attr.days"}: attribute("days", func(v customer.Value) string {
			return strings.Replace(fmt.Sprintf("%.1f", float64(v.Units())/10), "-0.0", "0.0", 1)
		}),
		{Field: "attr.since"}: attribute("since", func(v customer.Value) string { return v.Time().Format("2006-01") }),
	}
}

// indexed are the axes that Facet reads from an index, and CrossTab refuses.
var indexed = []string{"attr.days", "attr.since"}

func (s *shelf) checkGroups(t *rapid.T, r *Reader, q Query, want []subject) {
	all := axes(r)
	for by, bucketsOf := range all {
		counts := map[string]int64{}
		for _, x := range want {
			values := bucketsOf(x)
			if len(values) == 0 {
				values = []string{"(none)"}
			}
			for _, v := range values {
				counts[v]++
			}
		}
		got, err := r.Facet(q, by)
		if err != nil {
			t.Fatal(err)
		}
		if shown := shownCounts(got.Buckets); !maps.Equal(shown, counts) || got.Total != int64(len(want)) {
			t.Fatalf("%s by %v: %v of %d, want %v of %d", q.Expr, by, shown, got.Total, counts, len(want))
		}
	}
	sides := slices.SortedFunc(maps.Keys(all), func(a, b Axis) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	for range 4 {
		rows, columns := rapid.SampledFrom(sides).Draw(t, "rows"), rapid.SampledFrom(sides).Draw(t, "columns")
		s.checkCrossTab(t, r, q, want, rows, columns, all)
	}
}

func nameOfBucket(b Bucket) string {
	if b.None {
		return "(none)"
	}
	return b.Value
}

func shownCounts(buckets []Bucket) map[string]int64 {
	counts := map[string]int64{}
	for _, b := range buckets {
		if b.Count > 0 {
			counts[nameOfBucket(b)] = b.Count
		}
	}
	return counts
}

func (s *shelf) checkCrossTab(t *rapid.T, r *Reader, q Query, want []subject, rows, columns Axis, all map[Axis]func(subject) []string) {
	got, err := r.CrossTab(q, rows, columns)
	if slices.Contains(indexed, rows.Field) || slices.Contains(indexed, columns.Field) {
		if !errors.Is(err, ErrInvalid) {
			t.Fatalf("CrossTab by %v and %v: %v", rows, columns, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int64{}
	orNone := func(values []string) []string {
		if len(values) == 0 {
			return []string{"(none)"}
		}
		return values
	}
	for _, x := range want {
		for _, row := range orNone(all[rows](x)) {
			for _, column := range orNone(all[columns](x)) {
				counts[row+" "+column]++
			}
		}
	}
	cells := map[string]int64{}
	for i, row := range got.Rows {
		for j, column := range got.Columns {
			if n := got.Cells[i][j]; n != 0 {
				cells[nameOfBucket(row)+" "+nameOfBucket(column)] = n
			}
		}
	}
	if !maps.Equal(cells, counts) || got.Total != int64(len(want)) {
		t.Fatalf("%s by %v and %v: %v, want %v", q.Expr, rows, columns, cells, counts)
	}
	facet, err := r.Facet(q, rows)
	if err != nil || !slices.Equal(facet.Buckets, got.Rows) {
		t.Fatalf("rows are %v, Facet says %v, %v", got.Rows, facet, err)
	}
}

func TestQueriesOnASnapshotIgnoreConcurrentWriters(t *testing.T) {
	s := newShelf(t)
	defer s.close()
	s.define()
	for range 40 {
		s.update(func(c *customer.Tx, tx *Tx) error {
			made, err := c.Create(customer.Draft{Name: "n"})
			s.ids = append(s.ids, made.ID)
			return err
		})
	}
	var writers sync.WaitGroup
	var stop atomic.Bool
	for w := range 2 {
		writers.Go(func() {
			for i := w; !stop.Load(); i++ {
				id, tag := s.ids[i%len(s.ids)], s.tagIDs[i*7%len(s.tagIDs)]
				err := s.try(func(_ *customer.Tx, tx *Tx) error {
					if i%3 == 0 {
						_, err := tx.Remove(id, tag)
						return err
					}
					_, err := tx.Replace(id, Assignment{Tag: tag})
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	q := Query{Expr: filter.AllOf(filter.Under("region", "cn"), filter.AnyOf(filter.Is("flag", "a", "b"), filter.Missing("level")))}
	different := map[int64]bool{}
	for n := 0; n < 60 || len(different) < 2 && !t.Failed(); n++ { // goes on until a writer had its turn
		s.view(nil, func(r *Reader) {
			first, err := r.Count(q)
			if err != nil {
				t.Fatal(err)
			}
			want := q.meant(t, r, s.subjects(r, nil))
			last, err := r.Count(q)
			if err != nil || first != int64(len(want)) || last != first {
				t.Fatalf("Count is %d, then %d, %v; the records say %d", first, last, err, len(want))
			}
			different[first] = true
		})
	}
	stop.Store(true)
	writers.Wait()
}

// small is a shelf with three customers: 1 in Shanghai and high, 2 in Taiwan and dormant
// by flag a, 3 without tags.
func small(t *testing.T) *shelf {
	s := newShelf(t)
	t.Cleanup(s.close)
	s.define()
	s.update(func(c *customer.Tx, tx *Tx) error {
		s.ids = nil
		for i := range 3 {
			made, err := c.Create(customer.Draft{Name: "n", Phones: []customer.Phone{{Number: fmt.Sprintf("02-2531709%d", i)}}[:i%2]})
			if err != nil {
				return err
			}
			s.ids = append(s.ids, made.ID)
		}
		return nil
	})
	s.assign(s.ids[0], "region:cn-31", "level:high")
	s.assign(s.ids[1], "region:tw", "flag:a")
	return s
}

func (s *shelf) assign(id customer.ID, tags ...string) {
	s.update(func(_ *customer.Tx, tx *Tx) error {
		for _, full := range tags {
			dimension, code, _ := strings.Cut(full, ":")
			tag, err := tx.Tag(dimension, code)
			if err != nil {
				return err
			}
			if _, err := tx.Assign(id, Assignment{Tag: tag.ID}); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestTagFiltersReadNoRecords(t *testing.T) {
	s := small(t)
	for text, want := range map[string]int64{
		"region:cn/* AND NOT flag:a AND (level:>=mid OR missing:level) AND status:active AND created:2026": 0,
		"has:phone":                             3,
		"has:phone AND region:cn/*":             1,
		"(region:cn/* OR region:tw) AND name:n": 2,
	} {
		s.view(nil, func(r *Reader) {
			p, err := r.plan(Query{Filter: text}, block)
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range p.chunks() {
				if err != nil {
					t.Fatal(err)
				}
			}
			if p.ev.records != want {
				t.Errorf("%s reads %d records, want %d", text, p.ev.records, want)
			}
		})
	}
}

func TestWhatBeginsAndEndsByTheClockCountsAtOnce(t *testing.T) {
	s := small(t)
	s.update(func(_ *customer.Tx, tx *Tx) error {
		b, err := tx.Tag("flag", "b")
		if err != nil {
			return err
		}
		_, err = tx.Assign(s.ids[2], Assignment{Tag: b.ID, From: s.now.Add(24 * time.Hour), Until: s.now.Add(72 * time.Hour)})
		return err
	})
	for day, want := range []int64{0, 1, 1, 0, 0} {
		s.view(nil, func(r *Reader) {
			n, err := r.Count(Query{Filter: "flag:b"})
			facet, err2 := r.Facet(Query{}, Axis{Field: "flag"})
			if err = errors.Join(err, err2); err != nil {
				t.Fatal(err)
			}
			if n != want || facet.Buckets[1].Count != want {
				t.Errorf("day %d: Count is %d, the facet %v; want %d", day, n, facet.Buckets, want)
			}
		})
		s.now = s.now.Add(24 * time.Hour)
	}
}

func TestSegmentsStandForTheirFilter(t *testing.T) {
	s := small(t)
	save := func(name, text string) error {
		return s.try(func(_ *customer.Tx, tx *Tx) error {
			_, err := tx.SaveSegment(Segment{Name: name, Filter: text})
			return err
		})
	}
	if err := errors.Join(save("home", "region:cn/*"), save("best", "segment:home AND level:high")); err != nil {
		t.Fatal(err)
	}
	s.view(nil, func(r *Reader) {
		if n, err := r.Count(Query{Filter: "segment:BEST OR flag:a"}); n != 2 || err != nil {
			t.Errorf("Count is %d, %v, want 2", n, err)
		}
	})
}

func TestFiltersThatMeanNothingAreRefused(t *testing.T) {
	s := small(t)
	deep := strings.Repeat("(", 10_000) + "flag:a" + strings.Repeat(")", 10_000)
	for _, test := range []struct {
		filter string
		is     error
		column int
		says   string
	}{
		{"flag:a AND regoin:cn", ErrUnknownDimension, 12, "region"},
		{"flag:a AND satus:active", ErrUnknownDimension, 12, "status"},
		{"attr.grad:A", ErrUnknownDimension, 1, "attr.grade"},
		{"flag:a OR level:hihg", ErrUnknownTag, 11, "high"},
		{"等级:高 OR flag:a", filter.ErrSyntax, 0, ""},
		{"flag:a OR segment:home", ErrUnknownSegment, 11, ""},
		{"flag:>=a", ErrInvalid, 1, "not ordered"},
		{"level:low..hgih", ErrUnknownTag, 1, "high"},
		{"status:actve", ErrInvalid, 1, "active"},
		{"attr.days:1.25", ErrInvalid, 1, "at most 1 fraction digit"},
		{"attr.since:31.3.2026", ErrInvalid, 1, "2026-03-31"},
		{"status:active/*", ErrInvalid, 1, "no tree"},
		{"has:nothing_at_all", ErrUnknownDimension, 1, ""},
		{strings.Repeat("flag:a OR ", 100_000) + "flag:a", filter.ErrTooLong, 0, ""},
		{deep, filter.ErrTooDeep, 0, ""},
	} {
		s.view(nil, func(r *Reader) {
			_, err := r.Count(Query{Filter: test.filter})
			shown := test.filter[:min(len(test.filter), 40)]
			if !errors.Is(err, test.is) || !strings.Contains(fmt.Sprint(err), test.says) {
				t.Errorf("%s: %v, want %v with %q", shown, err, test.is, test.says)
			}
			var placed *FilterError
			if errors.As(err, &placed) != (test.column > 0) || placed != nil && placed.Column != test.column {
				t.Errorf("%s: %#v, want column %d", shown, err, test.column)
			}
		})
	}
}

func TestAxesThatCantBeGroupedAreRefused(t *testing.T) {
	s := small(t)
	s.view(nil, func(r *Reader) {
		for field, want := range map[string]error{"attr.weight": ErrInvalid, "name": ErrInvalid, "regoin": ErrUnknownDimension} {
			if _, err := r.Facet(Query{}, Axis{Field: field}); !errors.Is(err, want) {
				t.Errorf("Facet by %s: %v, want %v", field, err, want)
			}
			if _, err := r.CrossTab(Query{}, Axis{Field: "flag"}, Axis{Field: field}); !errors.Is(err, want) {
				t.Errorf("CrossTab by %s: %v, want %v", field, err, want)
			}
		}
	})
}

// A dimension must not be called like a field of customers: filters would mean the
// dimension where they meant the field.
func TestFieldNamesAreReserved(t *testing.T) {
	s := small(t)
	s.view(nil, func(r *Reader) {
		fields, err := r.customers.Fields()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fields {
			if !strings.Contains(f.Name, ".") && !slices.Contains(reserved, f.Name) {
				t.Errorf("%s is not reserved", f.Name)
			}
		}
	})
}

func TestSamplesAreEvenlySpread(t *testing.T) {
	// 20 of 100 numbers, drawn 5,000 times: each is expected 1,000 times with a standard
	// deviation of √(5000·0.2·0.8) = 28.3; 6 deviations off happens once in 500 million.
	hits := make([]int, 100)
	for seed := range uint64(5000) {
		for _, rank := range draw(100, 20, seed) {
			hits[rank]++
		}
	}
	for rank, n := range hits {
		if n < 1000-170 || n > 1000+170 {
			t.Errorf("rank %d was drawn %d times, expected 1000 ± 170", rank, n)
		}
	}
}

func TestPlanIsReadable(t *testing.T) {
	s := small(t)
	see := func(c *customer.Customer) bool { return c.ID == 1 }
	s.view(&accesstest.Access{See: see}, func(r *Reader) {
		got, err := r.Plan(Query{Filter: "region:cn/* AND NOT (flag:a OR has:phone)"})
		want := `all of
  the session's scope: a set
  region:cn/*: 4 sets
  status:active or status:suspended: 2 sets
  not
    any of
      flag:a: a set
      has:phone: each record
`
		if err != nil || got != want {
			t.Errorf("%v\n%s", err, got)
		}
	})
}

func TestAxesAreChecked(t *testing.T) {
	b, _, _, _ := levels(t, 1, false)
	b.view(func(r *Reader) error {
		for _, axis := range []Axis{{Field: "level", Level: -1}, {Field: "created", Per: PerDay + 1}} {
			_, err := r.Facet(Query{}, axis)
			wants(t, fmt.Sprintf("%+v", axis), err, ErrInvalid)
			_, err = r.CrossTab(Query{}, Axis{Field: "level"}, axis)
			wants(t, fmt.Sprintf("columns %+v", axis), err, ErrInvalid)
		}
		return nil
	})
}
