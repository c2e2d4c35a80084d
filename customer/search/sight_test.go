package search

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// sieve is an access that shows some of the customers of few, each without some fields.
type sieve map[customer.ID]customer.Mask

func (s sieve) Sees(c *customer.Customer) (bool, error) { _, seen := s[c.ID]; return seen, nil }

func (s sieve) Mask(c *customer.Customer) (customer.Mask, error) { return s[c.ID], nil }

func (s sieve) Allows(customer.Right, customer.Data, *customer.Customer) error { return nil }

func (s sieve) Within() bitset.Source { return s.WithinUnmasked("") }

func (s sieve) WithinUnmasked(field string) bitset.Source {
	shown := &bitset.Set{}
	for id, mask := range s {
		if !mask.Hides(field) {
			shown.Add(uint64(id))
		}
	}
	return shown
}

// shown are the customers of few as the sieve shows them.
func (s sieve) shown() (list []*customer.Customer) {
	for _, c := range few {
		if mask, seen := s[c.ID]; seen {
			list = append(list, mask.Apply(c))
		}
	}
	return list
}

// Fields whose terms the index doesn't tell apart, and those that have terms of their own.
var (
	sharedFields = []string{"alias", "contact", "address", "note", "phone", "email", "website", "identifier", "source"}
	singleFields = []string{"rep"}
)

// texts finds every customer of few by every field, and some by parts.
func drawSightQuery(t *rapid.T) Query {
	c := rapid.SampledFrom(few).Draw(t, "customer")
	texts := []string{c.Name, c.Code, c.Note, c.Website, ""}
	texts = append(texts, c.Aliases...)
	for _, x := range c.Identifiers {
		texts = append(texts, x.Value)
	}
	for _, x := range c.Phones {
		texts = append(texts, x.Number)
	}
	for _, x := range c.Emails {
		texts = append(texts, x.Address)
	}
	for _, x := range c.Addresses {
		texts = append(texts, x.Text, x.City)
	}
	for _, x := range c.Contacts {
		texts = append(texts, x.Name, x.Phone)
	}
	q := Query{Text: rapid.SampledFrom(texts).Draw(t, "text"), Exact: true, AllStatuses: true, Facets: []Field{FieldCity, FieldProvince, FieldRep, FieldCountry}}
	if rapid.Bool().Draw(t, "filtered") {
		f := rapid.SampledFrom([]Condition{
			{Field: FieldRep, Values: []string{"wang.li"}}, {Field: FieldRep, Values: []string{"wang.li"}, Not: true},
			{Field: FieldProvince, Values: []string{"臺北市", "福建省"}}, {Field: FieldCity, Values: []string{"臺北市"}, Not: true},
		}).Draw(t, "filter")
		q.Filter = []Condition{f}
	}
	if len(q.Text) > MaxTextRunes {
		q.Text = ""
	}
	return q
}

// A search through an access finds, ranks and counts what it would in an index of nothing
// but what the access shows, where fields that share terms are hidden together. Where
// only some of them are, it finds no more.
func TestSearchShowsNoMoreThanAnIndexOfWhatIsShown(t *testing.T) {
	x := open(t, few, Options{})
	rapid.Check(t, func(rt *rapid.T) {
		together := rapid.Bool().Draw(rt, "together")
		s := sieve{}
		for _, c := range few {
			if rapid.Bool().Draw(rt, "seen") {
				s[c.ID] = drawSightMask(rt, together)
			}
		}
		shown := s.shown()
		if len(shown) == 0 {
			return
		}
		reference := open(t, shown, Options{})
		for range 5 {
			q := drawSightQuery(rt)
			want := find(t, reference, q)
			q.Access = s
			got := find(t, x, q)
			if together && (show(got.Hits) != show(want.Hits) || got.Total != want.Total || !sameFacets(got, want)) {
				rt.Fatalf("%+v: got %s %v, want %s %v", q, show(got.Hits), got.Facets, show(want.Hits), want.Facets)
			}
			for _, h := range got.Hits {
				if !slices.ContainsFunc(want.Hits, func(w Hit) bool { return w.ID == h.ID }) {
					rt.Fatalf("%+v finds %v, which is hidden", q, h)
				}
			}
		}
	})
}

func drawSightMask(t *rapid.T, together bool) customer.Mask {
	fields := rapid.SliceOfN(rapid.SampledFrom(slices.Concat(sharedFields, singleFields)), 0, 4).Draw(t, "hidden")
	if together {
		fields = nil
		if rapid.Bool().Draw(t, "hide shared") {
			fields = sharedFields
		}
		if rapid.Bool().Draw(t, "hide rep") {
			fields = append(slices.Clone(fields), singleFields...)
		}
	}
	mask, err := customer.NewMask(fields...)
	if err != nil {
		t.Fatal(err)
	}
	return mask
}

func sameFacets(a, b Result) bool {
	for field, counts := range a.Facets {
		if !slices.Equal(counts, b.Facets[field]) {
			return false
		}
	}
	return len(a.Facets) == len(b.Facets)
}
