package dedupe_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
)

// modelCustomer is a customer as a list of who said what: own values have the source 0,
// what a merge gave has the loser. Undoing a merge is to take its source away.
type modelCustomer struct {
	fields   map[string][]said
	elements map[string]map[customer.ID]bool // "phone +8621…" by source
	tags     map[string]map[customer.ID]bool
	orders   int64
	into     customer.ID // the survivor, 0 when it stands for itself
}

type said struct {
	source customer.ID
	value  string
}

func (c *modelCustomer) value(field string) string {
	if list := c.fields[field]; len(list) > 0 {
		return list[len(list)-1].value
	}
	return ""
}

func (c *modelCustomer) set(field, value string) {
	if c.value(field) != value {
		c.fields[field] = []said{{0, value}}
	}
}

type mergeModel struct {
	customers map[customer.ID]*modelCustomer
}

func add(set map[string]map[customer.ID]bool, element string, source customer.ID) {
	if set[element] == nil {
		set[element] = map[customer.ID]bool{}
	}
	set[element][source] = true
}

// merge follows the zero Survivorship: what the survivor lacks is filled, and the
// loser's name becomes an alias.
func (m *mergeModel) merge(survivor, loser customer.ID) {
	s, l := m.customers[survivor], m.customers[loser]
	for _, field := range []string{"website", "note"} {
		if s.value(field) == "" && l.value(field) != "" {
			s.fields[field] = append(s.fields[field], said{loser, l.value(field)})
		}
	}
	for element := range l.elements {
		add(s.elements, element, loser)
	}
	if s.value("name") != l.value("name") {
		add(s.elements, "alias "+l.value("name"), loser)
	}
	for tag := range l.tags {
		add(s.tags, tag, loser)
	}
	s.orders += l.orders
	l.into = survivor
}

func (m *mergeModel) unmerge(loser customer.ID) {
	l := m.customers[loser]
	s := m.customers[l.into]
	for field := range s.fields {
		s.fields[field] = slices.DeleteFunc(s.fields[field], func(x said) bool { return x.source == loser })
	}
	for _, set := range []map[string]map[customer.ID]bool{s.elements, s.tags} {
		for element, sources := range set {
			if delete(sources, loser); len(sources) == 0 {
				delete(set, element)
			}
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
func shown(c *customer.Customer) (fields map[string]string, elements []string) {
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

var modelPhones = []string{"+862161234567", "+862161234568", "+862161234569"}

func TestUnmergeRestoresBothSidesAndKeepsLaterEdits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := openBook(t)
		defer b.end()
		m := &mergeModel{customers: map[customer.ID]*modelCustomer{}}
		n := rapid.IntRange(3, 6).Draw(t, "customers")
		for i := range n {
			name := fmt.Sprintf("Customer %d", i%4)
			d := customer.Draft{Name: name, SourceKeys: []customer.SourceKey{{System: "erp", Key: fmt.Sprint(i)}}}
			mc := &modelCustomer{fields: map[string][]said{"name": {{0, name}}}, elements: map[string]map[customer.ID]bool{}, tags: map[string]map[customer.ID]bool{}}
			add(mc.elements, "source "+fmt.Sprint(i), 0)
			if rapid.Bool().Draw(t, "phone") {
				p := rapid.SampledFrom(modelPhones).Draw(t, "number")
				d.Phones = []customer.Phone{{Number: p}}
				add(mc.elements, "phone "+p, 0)
			}
			if rapid.Bool().Draw(t, "website") {
				d.Website = fmt.Sprintf("c%d.example", i)
				mc.set("website", d.Website)
			}
			c := b.create(d)
			m.customers[c.ID] = mc
		}
		steps := rapid.IntRange(1, 25).Draw(t, "steps")
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
func (b *book) step(t *rapid.T, m *mergeModel) {
	id := rapid.SampledFrom(m.standing()).Draw(t, "customer")
	mc := m.customers[id]
	switch rapid.SampledFrom([]string{"merge", "merge", "unmerge", "note", "phone", "drop phone", "order", "chain order"}).Draw(t, "step") {
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
		p := rapid.SampledFrom(modelPhones).Draw(t, "number")
		b.edit(id, func(c *customer.Customer) {
			if !slices.ContainsFunc(c.Phones, func(x customer.Phone) bool { return x.E164 == p }) {
				c.Phones = append(c.Phones, customer.Phone{Number: p})
			}
		})
		if mc.elements["phone "+p] == nil {
			add(mc.elements, "phone "+p, 0)
		}
	case "drop phone":
		p := rapid.SampledFrom(modelPhones).Draw(t, "number")
		b.edit(id, func(c *customer.Customer) {
			c.Phones = slices.DeleteFunc(c.Phones, func(x customer.Phone) bool { return x.E164 == p })
		})
		delete(mc.elements, "phone "+p)
	case "order", "chain order": // by any id that leads to the customer
		by := rapid.SampledFrom(slices.Sorted(maps.Keys(m.customers))).Draw(t, "by")
		b.update(func(tx *clientele.Tx) error { return tx.Customers.Record(by, customer.Event{Type: "order"}) })
		m.customers[m.end(by)].orders++
	}
}

// compare checks every customer that stands for itself, and what leads to it.
func (b *book) compare(t *rapid.T, m *mergeModel) {
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
			fields, elements := shown(c)
			for name := range fields {
				if fields[name] != mc.value(name) {
					t.Fatalf("customer %d: %s is %q, want %q", id, name, fields[name], mc.value(name))
				}
			}
			if want := slices.Sorted(maps.Keys(mc.elements)); !slices.Equal(elements, want) {
				t.Fatalf("customer %d has %q, want %q", id, elements, want)
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

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
