package clientele_test

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/search"
	"github.com/clientele-go/clientele/tagging"
)

// TestEveryReadEqualsTheNaiveEvaluator draws a group with its customers, policies, grants,
// denials, masks, delegations and a history, and compares what every kind of read returns
// to every actor with the model. Values that an actor must not see are searched in all
// that it is told.
func TestEveryReadEqualsTheNaiveEvaluator(t *testing.T) {
	// A book with its index takes long to make: fewer of them, unless -rapid.checks says how many.
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		defer checks.Value.Set(checks.DefValue)
		checks.Value.Set(map[bool]string{false: "20", true: "25"}[testing.Short()]) // -short divides by five
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, rt)
		defer w.book.Close()
		for range 3 {
			for range rapid.IntRange(1, 6).Draw(rt, "steps") {
				w.clock.advance(1_000_000_000)
				w.step()
			}
			if err := w.system.Sync(t.Context()); err != nil {
				rt.Fatal(err)
			}
			for _, actor := range []string{"p0", "p1", "p2", "p3", "root", "nobody"} {
				newReads(w, actor).compare()
			}
		}
	})
}

// reads is one actor's comparison.
type reads struct {
	*world
	actor   string
	session *clientele.Session
	sight   []*modelCustomer // whom the actor sees, and as what
	tx      *clientele.ReadTx
	told    strings.Builder // all that it was told
}

func newReads(w *world, actor string) *reads {
	return &reads{world: w, actor: actor, session: w.book.As(clientele.Actor{ID: actor}), sight: w.model.sight(actor)}
}

func (r *reads) compare() {
	checks := []func(){
		r.records, r.lookUps, r.lists, r.counts, r.filters, r.groups, r.organisation, r.receivables, r.duplicates,
		r.pages, r.tagPages, r.approvals, r.sharing, r.credits, r.certifications,
	}
	inside := func(tx *clientele.ReadTx) error {
		r.tx = tx
		for _, check := range checks {
			check()
		}
		return nil
	}
	if err := r.session.View(r.t.Context(), inside); err != nil {
		r.rt.Fatal(err)
	}
	r.writing(inside)
	r.searches()
	r.feed()
	r.export()
	r.explanations()
	r.reviews()
	r.noLeak()
}

// writing makes the same reads within an Update, which keeps nothing from one to the next.
func (r *reads) writing(inside func(*clientele.ReadTx) error) {
	err := r.session.Update(r.t.Context(), func(tx *clientele.Tx) error {
		if err := inside(&clientele.ReadTx{Customers: &tx.Customers.Reader, Tags: &tx.Tags.Reader, Org: &tx.Org.Reader,
			Credit: &tx.Credit.Reader, Dedupe: &tx.Dedupe.Reader, Storage: &tx.Storage.Reader}); err != nil {
			return err
		}
		return errTakenBack
	})
	if !errors.Is(err, errTakenBack) {
		r.rt.Fatal(err)
	}
}

// same compares an answer with the model's.
func (r *reads) same(what string, got, want any) {
	if a, b := fmt.Sprint(got), fmt.Sprint(want); a != b {
		r.rt.Fatalf("%s: %s is told %s; want %s\n%s", what, r.actor, a, b, r.world)
	}
}

func (r *reads) fine(what string, err error) {
	if err != nil {
		r.rt.Fatalf("%s: %s gets %v\n%s", what, r.actor, err, r.world)
	}
}

// tell keeps what the actor was told.
func (r *reads) tell(v any) { r.told.WriteString(dump(v)) }

// noLeak searches all that the actor was told for what it must not know.
func (r *reads) noLeak() {
	text := strings.ToLower(r.told.String())
	for value, places := range r.canaries {
		known := slices.ContainsFunc(places, func(c canary) bool {
			return r.shows(r.actor, r.customers[c.customer-1], c.field) && (c.unit == 0 || r.concerns(r.actor, c.unit))
		})
		if at := strings.Index(text, strings.ToLower(value)); !known && at >= 0 {
			r.rt.Fatalf("%s is told %q, of %v: … %s …\n%s", r.actor, value, places, text[max(0, at-200):min(len(text), at+200)], r.world)
		}
	}
}

// of returns the ids of those in sight for which something holds.
func (r *reads) of(holds func(*modelCustomer) bool) []customer.ID {
	ids := []customer.ID{}
	for _, c := range r.sight {
		if holds(c) {
			ids = append(ids, c.id)
		}
	}
	return ids
}

// customersOf returns the ids that a list yields, ascending.
func (r *reads) customersOf(what string, list func(func(*customer.Customer, error) bool)) []customer.ID {
	ids := r.inOrder(what, list)
	slices.Sort(ids)
	return ids
}

func (r *reads) inOrder(what string, list func(func(*customer.Customer, error) bool)) []customer.ID {
	ids := []customer.ID{}
	for c, err := range list {
		r.fine(what, err)
		r.tell(c)
		ids = append(ids, c.ID)
	}
	return ids
}

// seen is the model's view of a customer, nil when it is out of sight.
func (r *reads) seen(id customer.ID) *modelCustomer {
	for _, c := range r.sight {
		if c.id == id {
			return c
		}
	}
	return nil
}

func (r *reads) lists() {
	everything := r.of(func(*modelCustomer) bool { return true })
	byName, byCode := slices.Clone(r.sight), slices.Clone(r.sight)
	slices.SortFunc(byName, func(a, b *modelCustomer) int { return cmp.Compare(a.name, b.name) })
	slices.SortFunc(byCode, func(a, b *modelCustomer) int { return cmp.Compare(a.code, b.code) })
	for _, order := range []customer.Order{customer.ByID, customer.ByName, customer.ByCode} {
		got := r.inOrder("List", r.tx.Customers.List(customer.List{Order: order, Statuses: customer.AllStatuses()}))
		want := everything
		if order != customer.ByID {
			want = nil
			for _, c := range map[customer.Order][]*modelCustomer{customer.ByName: byName, customer.ByCode: byCode}[order] {
				if order == customer.ByCode || active(c) { // who is archived is not in the index of names
					want = append(want, c.id)
				}
			}
		}
		r.same(fmt.Sprint("List ", order), got, slices.Concat([]customer.ID{}, want))
		reverse := r.inOrder("List", r.tx.Customers.List(customer.List{Order: order, Statuses: customer.AllStatuses(), Reverse: true}))
		slices.Reverse(reverse)
		r.same("List in reverse", reverse, got)
	}
	r.same("List of the active", r.inOrder("List", r.tx.Customers.List(customer.List{})), r.of(active))
}

func active(c *modelCustomer) bool { return c.status <= customer.Suspended }

func (r *reads) counts() {
	total, byStatus := int64(0), [8]int64{}
	counts, err := r.tx.Customers.Counts()
	r.fine("Counts", err)
	for _, c := range counts {
		byStatus[c.Status] += c.N
		total += c.N
	}
	r.same("Counts", total, len(r.sight))
	r.same("Counts of the active", byStatus[customer.Active], len(r.of(active)))
	places := map[string]int64{}
	list, err := r.tx.Customers.CountsByPlace()
	r.fine("CountsByPlace", err)
	r.tell(list)
	for _, p := range list {
		if p.City != "" {
			places[fmt.Sprint(p.Status, p.City)] += p.N
		}
	}
	want := map[string]int64{}
	for _, c := range r.sight {
		if c.city != "" {
			want[fmt.Sprint(c.status, c.city)]++
		}
	}
	r.same("CountsByPlace", places, want)
	for _, u := range r.units {
		n, err := r.tx.Customers.OwnerCount(u.id)
		r.fine("OwnerCount", err)
		r.same("OwnerCount", n, len(r.of(func(c *modelCustomer) bool { return active(c) && c.owner == u.id })))
		n, err = count(r.tx.Customers.OwnedIDs(u.id))
		r.fine("OwnedIDs", err)
		r.same("OwnedIDs", n, len(r.of(func(c *modelCustomer) bool { return c.owner == u.id })))
	}
	for _, rep := range []string{"p0", "p1", "rep.zhao"} {
		n, err := r.tx.Customers.RepCount(rep)
		r.fine("RepCount", err)
		r.same("RepCount", n, len(r.of(func(c *modelCustomer) bool { return active(c) && c.rep == rep })))
	}
}

// filterModels are filters and what they mean to who sees what they are about.
var filterModels = map[string]func(*modelCustomer) bool{
	"":                           func(*modelCustomer) bool { return true },
	"level:vip":                  func(c *modelCustomer) bool { return c.vip },
	"NOT level:vip":              func(c *modelCustomer) bool { return !c.vip },
	"segment:best":               func(c *modelCustomer) bool { return c.vip && len(c.lists["phone"]) > 0 },
	"has:phone":                  func(c *modelCustomer) bool { return len(c.lists["phone"]) > 0 },
	"NOT has:note":               func(c *modelCustomer) bool { return c.note == "" },
	"has:email OR has:source":    func(c *modelCustomer) bool { return len(c.lists["email"]) > 0 || len(c.lists["source"]) > 0 },
	"city:\"Kochi\"":             func(c *modelCustomer) bool { return c.city == "Kochi" },
	"NOT city:\"Kochi\"":         func(c *modelCustomer) bool { return c.city != "Kochi" },
	"rep:p1":                     func(c *modelCustomer) bool { return c.rep == "p1" },
	"attr.secret:saffron":        func(c *modelCustomer) bool { return c.secret == "saffron" },
	"attr.turnover:>=50":         func(c *modelCustomer) bool { return c.turnover >= 50 },
	"attr.turnover:<50":          func(c *modelCustomer) bool { return c.turnover > 0 && c.turnover < 50 },
	"level:vip AND NOT has:city": func(c *modelCustomer) bool { return c.vip && c.city == "" },
}

func (r *reads) filters() {
	for filter, matches := range filterModels {
		want := r.of(func(c *modelCustomer) bool { return active(c) && matches(c) })
		q := tagging.Query{Filter: filter}
		n, err := r.tx.Tags.Count(q)
		r.fine("Count of "+filter, err)
		r.same("Count of "+filter, n, len(want))
		ids := []customer.ID{}
		for id, err := range r.tx.Tags.IDs(q, 0) {
			r.fine("IDs of "+filter, err)
			ids = append(ids, id)
		}
		r.same("IDs of "+filter, ids, want)
		page, more, err := r.tx.Tags.Page(q, 0, 2)
		r.fine("Page of "+filter, err)
		r.same("Page of "+filter, fmt.Sprint(page, more), fmt.Sprint(want[:min(2, len(want))], len(want) > 2))
		sample, err := r.tx.Tags.Sample(q, 99, 1)
		r.fine("Sample of "+filter, err)
		slices.Sort(sample)
		r.same("Sample of "+filter, slices.Concat([]customer.ID{}, sample), want)
		for _, c := range r.customers {
			in, err := r.tx.Tags.Contains(q, c.id)
			if err != nil && !errors.Is(err, customer.ErrNotFound) {
				r.fine("Contains", err)
			}
			r.same("Contains of "+filter, in, slices.Contains(want, c.id))
		}
	}
}

// tally counts those in sight that are active, by a value; "" is none.
func (r *reads) tally(value func(*modelCustomer) string) map[string]int64 {
	counts := map[string]int64{}
	for _, c := range r.sight {
		if active(c) {
			counts[value(c)]++
		}
	}
	return counts
}

func level(c *modelCustomer) string {
	if c.vip {
		return "vip"
	}
	return ""
}

func (r *reads) groups() {
	axes := map[string]func(*modelCustomer) string{
		"city": func(c *modelCustomer) string { return c.city }, "level": level,
		"rep": func(c *modelCustomer) string { return c.rep }, "attr.secret": func(c *modelCustomer) string { return c.secret },
	}
	for field, value := range axes {
		f, err := r.tx.Tags.Facet(tagging.Query{}, tagging.Axis{Field: field})
		r.fine("Facet by "+field, err)
		r.tell(f)
		r.same("Facet by "+field, bucketCounts(f.Buckets), r.tally(value))
		r.same("Facet's total", f.Total, len(r.of(active)))
	}
	x, err := r.tx.Tags.CrossTab(tagging.Query{}, tagging.Axis{Field: "city"}, tagging.Axis{Field: "level"})
	r.fine("CrossTab", err)
	r.tell(x)
	cells := map[string]int64{}
	for i, row := range x.Rows {
		for j, column := range x.Columns {
			if n := x.Cells[i][j]; n > 0 {
				cells[bucketName(row)+" "+bucketName(column)] = n
			}
		}
	}
	r.same("CrossTab", cells, r.tally(func(c *modelCustomer) string { return c.city + " " + level(c) }))
	f, err := r.tx.Tags.Figures(tagging.Query{}, tagging.Axis{Field: "level"}, tagging.Measure{Name: "turnover", Attribute: "turnover"})
	r.fine("Figures", err)
	sum := int64(0)
	for _, c := range r.sight {
		if active(c) && c.turnover > 0 {
			sum += c.turnover
		}
	}
	r.same("Figures", f.Total.Sums[0].In("").Amount, sum)
	h, err := r.tx.Tags.Hygiene(tagging.HygieneOptions{})
	r.fine("Hygiene", err)
	r.same("Hygiene", h.Customers, len(r.of(active)))
}

func bucketName(b tagging.Bucket) string {
	if b.None {
		return ""
	}
	return b.Value
}

func bucketCounts(buckets []tagging.Bucket) map[string]int64 {
	counts := map[string]int64{}
	for _, b := range buckets {
		if b.Count > 0 {
			counts[bucketName(b)] = b.Count
		}
	}
	return counts
}

func (r *reads) organisation() {
	for _, u := range r.units {
		owned := r.of(func(c *modelCustomer) bool { return active(c) && r.above(u.id, c.owner) })
		n, err := r.tx.Org.Customers(u.id)
		r.fine("Customers", err)
		r.same(fmt.Sprint("Customers of ", u.id), n, len(owned))
		c, err := r.tx.Org.Consolidate(u.id)
		r.fine("Consolidate", err)
		r.same("Consolidate", c.Total.Own, len(owned))
		sum := int64(0)
		for _, part := range c.Parts {
			sum += part.Own
		}
		r.same("Consolidate's parts", sum, len(owned))
	}
	for _, c := range r.customers {
		owner, _, err := r.tx.Org.UnitsOf(c.id)
		if r.seen(c.id) == nil {
			r.same("UnitsOf", errors.Is(err, customer.ErrNotFound), true)
			continue
		}
		r.fine("UnitsOf", err)
		r.same("UnitsOf", owner, r.standsFor(c.owner))
	}
}

func (r *reads) duplicates() {
	for _, c := range r.customers {
		got, want := []customer.ID{}, []customer.ID{}
		for p, err := range r.tx.Dedupe.PairsOf(c.id) {
			if errors.Is(err, customer.ErrNotFound) {
				break
			}
			r.fine("PairsOf", err)
			got = append(got, p.A, p.B)
		}
		for _, p := range r.pairs {
			if (p[0] == c.id || p[1] == c.id) && r.seen(p[0]) != nil && r.seen(p[1]) != nil {
				want = append(want, p[:]...)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		r.same(fmt.Sprint("PairsOf ", c.id), got, want)
		candidates, err := r.tx.Dedupe.CandidatesOf(c.id)
		if r.seen(c.id) == nil {
			r.same("CandidatesOf", errors.Is(err, customer.ErrNotFound), true)
			continue
		}
		r.fine("CandidatesOf", err)
		r.tell(candidates)
	}
	got, want := []customer.ID{}, []customer.ID{}
	for p, err := range r.tx.Dedupe.Queue() {
		if errors.Is(err, customer.ErrDenied) {
			r.same("the right to review", r.maySomewhere(r.actor, customer.RightReview), false)
			return
		}
		r.fine("Queue", err)
		got = append(got, p.A, p.B)
	}
	for _, p := range r.pairs {
		if a, b := r.seen(p[0]), r.seen(p[1]); a != nil && b != nil && stands(a) && stands(b) {
			want = append(want, p[:]...)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if r.maySomewhere(r.actor, customer.RightReview) {
		r.same("Queue", got, want)
	}
}

func (r *reads) searches() {
	hits := func(q search.Query) []customer.ID {
		q.Exact, q.AllStatuses, q.Limit, q.Facets = true, true, 100, []search.Field{search.FieldCity, search.FieldRep}
		result, err := r.session.Search(r.t.Context(), q)
		r.fine("Search", err)
		r.tell(result)
		ids := []customer.ID{}
		for _, h := range result.Hits {
			ids = append(ids, h.ID)
		}
		slices.Sort(ids)
		r.same("Search's total", result.Total, len(ids))
		for _, f := range result.Facets[search.FieldCity] {
			r.same("Search's facet of "+f.Value, f.Count, len(r.of(func(c *modelCustomer) bool { return c.has("address", f.Value) && slices.Contains(ids, c.id) })))
		}
		return ids
	}
	r.same("Search", hits(search.Query{Text: "zulu"}), r.of(func(*modelCustomer) bool { return true }))
	r.same("Search by city", hits(search.Query{Filter: []search.Condition{{Field: search.FieldCity, Values: []string{"Kochi"}}}}),
		r.of(func(c *modelCustomer) bool { return c.has("address", "Kochi") }))
	r.same("Search without a city", hits(search.Query{Filter: []search.Condition{{Field: search.FieldCity, Values: []string{"Kochi"}, Not: true}}}),
		r.of(func(c *modelCustomer) bool { return !c.has("address", "Kochi") }))
	for _, c := range r.customers {
		// Terms of phones and of contacts' are the same, and customers here have no contacts:
		// but their mask is the phones' wherever contacts are hidden as a kind.
		for phone := range c.lists["phone"] {
			for _, id := range hits(search.Query{Text: phone}) {
				if m := r.seen(id); m == nil || !m.has("phone", phone) {
					r.rt.Fatalf("Search: %s finds %d by a phone that is hidden\n%s", r.actor, id, r.world)
				}
			}
		}
		if c.note == "" {
			continue
		}
		for _, id := range hits(search.Query{Text: c.note}) {
			if m := r.seen(id); m == nil || m.note != c.note {
				r.rt.Fatalf("Search: %s finds %d by a note that is hidden\n%s", r.actor, id, r.world)
			}
		}
	}
}

// export compares the rows of a list that is taken out of the book.
func (r *reads) export() {
	var out bytes.Buffer
	_, err := r.session.Exchange().Export(r.t.Context(), &out, exchange.Export{FieldHeadings: true})
	if !r.maySomewhere(r.actor, customer.RightExport) {
		r.same("the right to export", errors.Is(err, customer.ErrDenied), true)
		return
	}
	r.fine("Export", err)
	r.told.WriteString(out.String())
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(out.String(), "\ufeff"))).ReadAll()
	r.fine("Export", err)
	codes := []string{}
	for _, row := range rows[1:] {
		codes = append(codes, row[slices.Index(rows[0], "code")])
	}
	want := []string{}
	for _, c := range r.customers {
		if active(c) && r.sees(r.actor, c) && r.may(r.actor, customer.RightExport, customer.Identity, c) {
			want = append(want, c.code)
		}
	}
	r.same("Export", codes, want)
}

// explanations compares what reviewers are told of the actor's rights.
func (r *reads) explanations() {
	err := r.system.View(r.t.Context(), func(tx *clientele.ReadTx) error {
		for _, c := range r.customers {
			for _, right := range []customer.Right{customer.RightRead, customer.RightUpdate, customer.RightExport} {
				for _, d := range customer.AllData() {
					x, err := tx.Org.Explain(r.actor, right, d, c.id)
					r.fine("Explain", err)
					r.same(fmt.Sprint("Explain ", right, d, c.id), x.Allowed, r.sees(r.actor, c) && r.may(r.actor, right, d, c))
				}
			}
		}
		if r.actor == "nobody" {
			return nil
		}
		effective, err := tx.Org.EffectiveRights(r.actor)
		r.fine("EffectiveRights", err)
		r.same("EffectiveRights", effective.Customers, len(r.sight))
		return nil
	})
	r.fine("Explain", err)
}
