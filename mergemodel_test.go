package clientele_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/search"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/tagging"
)

// mergedCustomer is a customer as a list of who said what: own values have the source 0,
// what a merge gave has the loser. Undoing a merge is to take its source away.
type mergedCustomer struct {
	fields   map[string][]mergedValue
	elements map[string]map[customer.ID]bool // "phone +8621…" by source
	kept     map[string]map[customer.ID]bool // tags and items, by source
	places   map[string][]mergedValue        // "unit 3", "overlay 3", "team", "limit", "group": the first said counts
	orders   int64
	into     customer.ID // the survivor, 0 when it stands for itself
}

type mergedValue struct {
	source customer.ID
	value  string
}

func (c *mergedCustomer) value(field string) string {
	if list := c.fields[field]; len(list) > 0 {
		return list[len(list)-1].value
	}
	return ""
}

func (c *mergedCustomer) set(field, value string) {
	if c.value(field) != value {
		c.fields[field] = []mergedValue{{0, value}}
	}
}

// place is what counts of an element of the placement.
func (c *mergedCustomer) place(element string) string {
	if list := c.places[element]; len(list) > 0 {
		return list[0].value
	}
	return ""
}

func (c *mergedCustomer) setPlace(element, value string) {
	switch {
	case c.place(element) == value:
	case value == "":
		delete(c.places, element)
	default:
		c.places[element] = []mergedValue{{0, value}}
	}
}

// keeps is what other packages are to keep of the customer.
func (c *mergedCustomer) keeps() []string {
	list := slices.Collect(maps.Keys(c.kept))
	for element := range c.places {
		list = append(list, element+" "+c.place(element))
	}
	slices.Sort(list)
	return list
}

type mergeModel struct {
	customers map[customer.ID]*mergedCustomer
	tags      []tagging.TagID
	units     []customer.UnitID
	groups    []credit.GroupID
	items     int // posted so far
}

func addSource(set map[string]map[customer.ID]bool, element string, source customer.ID) {
	if set[element] == nil {
		set[element] = map[customer.ID]bool{}
	}
	set[element][source] = true
}

// merge follows the zero Survivorship: what the survivor lacks is filled, of losers who say
// the same by each, and the loser's name becomes an alias.
func (m *mergeModel) merge(survivor, loser customer.ID) {
	s, l := m.customers[survivor], m.customers[loser]
	for _, field := range []string{"website", "note"} {
		given := len(s.fields[field]) > 0 && s.fields[field][0].source != 0
		if s.value(field) == "" && l.value(field) != "" || given && s.value(field) == l.value(field) {
			s.fields[field] = append(s.fields[field], mergedValue{loser, l.value(field)})
		}
	}
	for element := range l.elements {
		addSource(s.elements, element, loser)
	}
	if s.value("name") != l.value("name") {
		addSource(s.elements, "alias "+l.value("name"), loser)
	}
	for x := range l.kept {
		addSource(s.kept, x, loser)
	}
	for element := range l.places {
		s.places[element] = append(s.places[element], mergedValue{loser, l.place(element)})
	}
	s.orders += l.orders
	l.into = survivor
}

func (m *mergeModel) unmerge(loser customer.ID) {
	l := m.customers[loser]
	s := m.customers[l.into]
	for field := range s.fields {
		s.fields[field] = slices.DeleteFunc(s.fields[field], func(x mergedValue) bool { return x.source == loser })
	}
	for _, set := range []map[string]map[customer.ID]bool{s.elements, s.kept} {
		for element, sources := range set {
			if delete(sources, loser); len(sources) == 0 {
				delete(set, element)
			}
		}
	}
	for element := range s.places {
		if s.places[element] = slices.DeleteFunc(s.places[element], func(x mergedValue) bool { return x.source == loser }); len(s.places[element]) == 0 {
			delete(s.places, element)
		}
	}
	s.orders -= l.orders
	l.into = 0
}

func (m *mergeModel) standing() []customer.ID {
	var ids []customer.ID
	for _, id := range slices.Sorted(maps.Keys(m.customers)) {
		if m.customers[id].into == 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// undoable are the losers whose survivor stands for itself.
func (m *mergeModel) undoable() []customer.ID {
	var ids []customer.ID
	for _, id := range slices.Sorted(maps.Keys(m.customers)) {
		if into := m.customers[id].into; into != 0 && m.customers[into].into == 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

func (m *mergeModel) end(id customer.ID) customer.ID {
	for m.customers[id].into != 0 {
		id = m.customers[id].into
	}
	return id
}

// shown is what a record says, in the model's words.
func mergedFields(c *customer.Customer) (fields map[string]string, elements []string) {
	fields = map[string]string{"name": c.Name, "website": c.Website, "note": c.Note}
	for _, a := range c.Aliases {
		elements = append(elements, "alias "+a)
	}
	for _, p := range c.Phones {
		elements = append(elements, "phone "+p.E164)
	}
	for _, k := range c.SourceKeys {
		elements = append(elements, "source "+k.Key)
	}
	slices.Sort(elements)
	return fields, elements
}

var mergePhones = []string{"+862161234567", "+862161234568", "+862161234569"}

func TestUnmergeRestoresBothSidesAndKeepsLaterEdits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := openMergeBook(t)
		defer b.end()
		m := &mergeModel{customers: map[customer.ID]*mergedCustomer{}}
		b.define(m)
		n := rapid.IntRange(3, 6).Draw(t, "customers")
		for i := range n {
			name := fmt.Sprintf("Customer %d", i%4)
			d := customer.Draft{Name: name, SourceKeys: []customer.SourceKey{{System: "erp", Key: fmt.Sprint(i)}}}
			mc := &mergedCustomer{fields: map[string][]mergedValue{"name": {{0, name}}}, elements: map[string]map[customer.ID]bool{}, kept: map[string]map[customer.ID]bool{}, places: map[string][]mergedValue{}}
			addSource(mc.elements, "source "+fmt.Sprint(i), 0)
			if rapid.Bool().Draw(t, "phone") {
				p := rapid.SampledFrom(mergePhones).Draw(t, "number")
				d.Phones = []customer.Phone{{Number: p}}
				addSource(mc.elements, "phone "+p, 0)
			}
			if rapid.Bool().Draw(t, "website") {
				d.Website = fmt.Sprintf("c%d.example", i)
				mc.set("website", d.Website)
			}
			c := b.create(d)
			m.customers[c.ID] = mc
		}
		steps := rapid.IntRange(1, 30).Draw(t, "steps")
		for range steps {
			b.step(t, m)
			b.compare(t, m)
		}
		report, err := b.Verify(b.ctx, nil)
		if err != nil || !report.OK() {
			t.Fatalf("verify: %v %+v", err, report)
		}
	})
}

// step makes one random change in the book and in the model.
func (b *mergeBook) step(t *rapid.T, m *mergeModel) {
	id := rapid.SampledFrom(m.standing()).Draw(t, "customer")
	mc := m.customers[id]
	switch step := rapid.SampledFrom([]string{"merge", "merge", "unmerge", "note", "phone", "drop phone", "order", "chain order", "tag", "untag", "assign", "withdraw", "overlay", "team", "invoice", "limit", "group"}).Draw(t, "step"); step {
	case "merge":
		if loser := rapid.SampledFrom(m.standing()).Draw(t, "loser"); loser != id {
			b.update(func(tx *clientele.Tx) error {
				_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: id, Losers: []customer.ID{loser}})
				return err
			})
			m.merge(id, loser)
		}
	case "unmerge":
		if list := m.undoable(); len(list) > 0 {
			loser := rapid.SampledFrom(list).Draw(t, "undone")
			b.update(func(tx *clientele.Tx) error {
				_, _, err := tx.Dedupe.Unmerge(loser)
				return err
			})
			m.unmerge(loser)
		}
	case "note":
		note := rapid.SampledFrom([]string{"", "first", "second"}).Draw(t, "text")
		b.edit(id, func(c *customer.Customer) { c.Note = note })
		mc.set("note", note)
	case "phone":
		p := rapid.SampledFrom(mergePhones).Draw(t, "number")
		b.edit(id, func(c *customer.Customer) {
			if !slices.ContainsFunc(c.Phones, func(x customer.Phone) bool { return x.E164 == p }) {
				c.Phones = append(c.Phones, customer.Phone{Number: p})
			}
		})
		if mc.elements["phone "+p] == nil {
			addSource(mc.elements, "phone "+p, 0)
		}
	case "drop phone":
		p := rapid.SampledFrom(mergePhones).Draw(t, "number")
		b.edit(id, func(c *customer.Customer) {
			c.Phones = slices.DeleteFunc(c.Phones, func(x customer.Phone) bool { return x.E164 == p })
		})
		delete(mc.elements, "phone "+p)
	case "order", "chain order": // by any id that leads to the customer
		by := rapid.SampledFrom(slices.Sorted(maps.Keys(m.customers))).Draw(t, "by")
		b.update(func(tx *clientele.Tx) error { return tx.Customers.Record(by, customer.Event{Type: "order"}) })
		m.customers[m.end(by)].orders++
	default:
		b.stepKept(t, m, id, step)
	}
}

// stepKept changes what other packages keep of a customer that stands for itself.
func (b *mergeBook) stepKept(t *rapid.T, m *mergeModel, id customer.ID, step string) {
	mc := m.customers[id]
	kept := mc.kept
	at := rapid.IntRange(0, 2).Draw(t, "which")
	switch tag := fmt.Sprint("tag ", m.tags[at]); step {
	case "tag":
		b.update(func(tx *clientele.Tx) error {
			_, err := tx.Tags.Assign(id, tagging.Assignment{Tag: m.tags[at]})
			return err
		})
		if kept[tag] == nil { // to assign what is there changes nothing
			addSource(kept, tag, 0)
		}
	case "untag":
		if kept[tag] != nil {
			b.update(func(tx *clientele.Tx) error { _, err := tx.Tags.Remove(id, m.tags[at]); return err })
			delete(kept, tag)
		}
	case "assign", "withdraw":
		rep := ""
		if step == "assign" {
			rep = rapid.SampledFrom([]string{"li", "zhao"}).Draw(t, "rep")
		}
		b.update(func(tx *clientele.Tx) (err error) {
			if step == "assign" {
				_, err = tx.Org.Assign(id, orgtree.Assignment{Unit: m.units[at], Rep: rep})
			} else {
				_, err = tx.Org.Withdraw(id, m.units[at])
			}
			return err
		})
		mc.setPlace(fmt.Sprint("unit ", m.units[at]), rep)
	case "overlay":
		note := rapid.SampledFrom([]string{"", "first", "second"}).Draw(t, "text")
		b.update(func(tx *clientele.Tx) error {
			_, err := tx.Org.SetOverlay(id, orgtree.Overlay{Unit: m.units[at], Note: note})
			return err
		})
		mc.setPlace(fmt.Sprint("overlay ", m.units[at]), note)
	case "team":
		team := rapid.SampledFrom([]customer.UnitID{0, m.units[0], m.units[1]}).Draw(t, "team")
		b.update(func(tx *clientele.Tx) error { _, err := tx.Org.SetTeam(id, team); return err })
		mc.setPlace("team", map[bool]string{true: fmt.Sprint(team)}[team != 0])
	default:
		b.stepCredit(t, m, id, step)
	}
}

// stepCredit changes the receivables of a customer that stands for itself.
func (b *mergeBook) stepCredit(t *rapid.T, m *mergeModel, id customer.ID, step string) {
	mc := m.customers[id]
	switch step {
	case "invoice":
		m.items++
		key := fmt.Sprint("item ", m.items)
		b.update(func(tx *clientele.Tx) error {
			_, err := tx.Credit.Post(credit.Document{Key: key, Customer: id, Kind: credit.Invoice, Date: date.Of(mergeEpoch), Amount: money.Amount{Minor: 100, Currency: money.CNY}})
			return err
		})
		addSource(mc.kept, key, 0)
	case "limit":
		minor := rapid.SampledFrom([]int64{0, 1000, 2000}).Draw(t, "minor")
		limit := credit.Limit{Amount: money.Amount{Minor: minor, Currency: money.CNY}}
		b.update(func(tx *clientele.Tx) error {
			if minor != 0 {
				return tx.Credit.SetLimit(credit.OfCustomer(id), limit)
			}
			if mc.place("limit") == "" {
				return nil
			}
			return tx.Credit.RemoveLimit(credit.OfCustomer(id), limit)
		})
		mc.setPlace("limit", map[bool]string{true: fmt.Sprint(minor)}[minor != 0])
	case "group":
		group := rapid.SampledFrom([]credit.GroupID{0, m.groups[0], m.groups[1]}).Draw(t, "group")
		b.update(func(tx *clientele.Tx) error { return tx.Credit.SetGroup(id, group) })
		mc.setPlace("group", map[bool]string{true: fmt.Sprint(group)}[group != 0])
	}
}

// define makes three tags, three units and three groups of customers.
func (b *mergeBook) define(m *mergeModel) {
	b.update(func(tx *clientele.Tx) error {
		d, err := tx.Tags.CreateDimension(tagging.Dimension{Code: "flag", Names: customer.Names{"en": "Flag"}})
		for i := 0; i < 3 && err == nil; i++ {
			var tag *tagging.Tag
			if tag, err = tx.Tags.CreateTag(tagging.Tag{Dimension: d.ID, Code: fmt.Sprint("t", i), Names: customer.Names{"en": "T"}}); err != nil {
				return err
			}
			var unit *orgtree.Unit
			if unit, err = tx.Org.CreateUnit(orgtree.Unit{Code: fmt.Sprint("U", i), Names: customer.Names{"en": "U"}}); err != nil {
				return err
			}
			var group *credit.Group
			if group, err = tx.Credit.CreateGroup(fmt.Sprint("G", i), customer.Names{"en": "G"}); err != nil {
				return err
			}
			m.tags, m.units, m.groups = append(m.tags, tag.ID), append(m.units, unit.ID), append(m.groups, group.ID)
		}
		return err
	})
}

// kept is what other packages keep of a customer, in the model's words.
func keptOf(tx *clientele.ReadTx, id customer.ID) (list []string, err error) {
	tags, err := tx.Tags.Of(id)
	if err != nil {
		return nil, err
	}
	for _, a := range tags.Assignments {
		list = append(list, fmt.Sprint("tag ", a.Tag))
	}
	p, err := tx.Org.Placement(id)
	if err != nil {
		return nil, err
	}
	for _, a := range p.Assignments {
		list = append(list, fmt.Sprint("unit ", a.Unit, " ", a.Rep))
	}
	for _, o := range p.Overlays {
		list = append(list, fmt.Sprint("overlay ", o.Unit, " ", o.Note))
	}
	if p.Team != 0 {
		list = append(list, fmt.Sprint("team ", p.Team))
	}
	lent, err := creditOf(tx, id)
	list = append(list, lent...)
	slices.Sort(list)
	return list, err
}

func creditOf(tx *clientele.ReadTx, id customer.ID) (list []string, err error) {
	for i, err := range tx.Credit.Items(id) {
		if err != nil {
			return nil, err
		}
		list = append(list, i.Document)
	}
	line, err := tx.Credit.Line(credit.OfCustomer(id))
	if err != nil {
		return nil, err
	}
	for _, l := range line.Limits {
		list = append(list, fmt.Sprint("limit ", l.Amount.Minor))
	}
	p, err := tx.Credit.Profile(id)
	if err == nil && p.Group != 0 {
		list = append(list, fmt.Sprint("group ", p.Group))
	}
	return list, err
}

// compare checks every customer that stands for itself, and what leads to it.
func (b *mergeBook) compare(t *rapid.T, m *mergeModel) {
	b.view(func(tx *clientele.ReadTx) error {
		for id, mc := range m.customers {
			c, err := tx.Customers.Get(id)
			if err != nil {
				return err
			}
			if want := m.end(id); c.ID != want {
				t.Fatalf("customer %d leads to %d, want %d", id, c.ID, want)
			}
			if mc.into != 0 {
				continue
			}
			fields, elements := mergedFields(c)
			for name := range fields {
				if fields[name] != mc.value(name) {
					t.Fatalf("customer %d: %s is %q, want %q", id, name, fields[name], mc.value(name))
				}
			}
			if want := slices.Sorted(maps.Keys(mc.elements)); !slices.Equal(elements, want) {
				t.Fatalf("customer %d has %q, want %q", id, elements, want)
			}
			if has, err := keptOf(tx, id); err != nil {
				return err
			} else if want := mc.keeps(); !slices.Equal(has, want) {
				t.Fatalf("customer %d keeps %q, want %q", id, has, want)
			}
			var orders int64
			for e, err := range tx.Customers.Events(id) {
				if err != nil {
					return err
				}
				orders += e.Count
			}
			if orders != mc.orders {
				t.Fatalf("customer %d has %d orders, want %d", id, orders, mc.orders)
			}
		}
		counts, err := tx.Customers.Counts()
		if err != nil {
			return err
		}
		byStatus := map[customer.Status]int64{}
		for _, c := range counts {
			byStatus[c.Status] += c.N
		}
		if standing := len(m.standing()); byStatus[customer.Active] != int64(standing) || byStatus[customer.Merged] != int64(len(m.customers)-standing) {
			t.Fatalf("counts are %v, want %d active of %d", byStatus, standing, len(m.customers))
		}
		return nil
	})
}

var mergeEpoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// mergeBook is a book in memory in which a test's steps must succeed.
type mergeBook struct {
	*clientele.Book
	*clientele.Session
	t   rapid.TB
	ctx context.Context
}

func openMergeBook(t rapid.TB, options ...func(*clientele.Options)) *mergeBook {
	t.Helper()
	var seconds atomic.Int64
	clock := func() time.Time { return mergeEpoch.Add(time.Duration(seconds.Add(1)) * time.Second) }
	opts := clientele.Options{InMemory: true, WithoutSearch: true, TickEvery: -1, Clock: clock}
	for _, o := range options {
		o(&opts)
	}
	opened, err := clientele.Open(context.Background(), "", opts)
	if err != nil {
		t.Fatal(err)
	}
	b := &mergeBook{Book: opened, Session: opened.As(clientele.Actor{ID: "wang.li", Reason: "test", Relaxed: true}), t: t, ctx: context.Background()}
	return b
}

func (b *mergeBook) end() {
	if err := b.Close(); err != nil {
		b.t.Error(err)
	}
}

func (b *mergeBook) update(f func(*clientele.Tx) error) {
	b.t.Helper()
	if err := b.Session.Update(b.ctx, f); err != nil {
		b.t.Fatal(err)
	}
}

func (b *mergeBook) view(f func(*clientele.ReadTx) error) {
	b.t.Helper()
	if err := b.Session.View(b.ctx, f); err != nil {
		b.t.Fatal(err)
	}
}

func (b *mergeBook) create(d customer.Draft) (c *customer.Customer) {
	b.t.Helper()
	b.update(func(tx *clientele.Tx) (err error) {
		c, err = tx.Customers.Create(d)
		return err
	})
	return c
}

func (b *mergeBook) edit(id customer.ID, change func(*customer.Customer)) {
	b.t.Helper()
	b.update(func(tx *clientele.Tx) error {
		c, err := tx.Customers.Get(id)
		if err != nil {
			return err
		}
		change(c)
		_, err = tx.Customers.Update(c)
		return err
	})
}

// What a search finds by the words of a merged customer is the one that stands for it.
func TestSearchFindsTheSurvivorAndAfterUndoingTheLoser(t *testing.T) {
	b := openMergeBook(t, func(o *clientele.Options) { o.WithoutSearch = false })
	defer b.end()
	x, y := b.create(customer.Draft{Name: "Alpha Holdings"}), b.create(customer.Draft{Name: "Betelgeuse Trading"})
	find := func(text string) (ids []customer.ID) {
		t.Helper()
		if err := b.Sync(b.ctx); err != nil {
			t.Fatal(err)
		}
		r, err := b.Session.Search(b.ctx, search.Query{Text: text})
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range r.Hits {
			ids = append(ids, h.ID)
		}
		return ids
	}
	b.update(func(tx *clientele.Tx) error {
		_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: x.ID, Losers: []customer.ID{y.ID}})
		return err
	})
	for _, text := range []string{"Alpha", "Betelgeuse"} {
		if found := find(text); !slices.Equal(found, []customer.ID{x.ID}) {
			t.Errorf("merged, %q finds %d", text, found)
		}
	}
	b.update(func(tx *clientele.Tx) error { _, _, err := tx.Dedupe.Unmerge(y.ID); return err })
	for text, want := range map[string]customer.ID{"Alpha": x.ID, "Betelgeuse": y.ID} {
		if found := find(text); !slices.Equal(found, []customer.ID{want}) {
			t.Errorf("undone, %q finds %d, want %d", text, found, want)
		}
	}
}
