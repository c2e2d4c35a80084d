package search

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
)

func ids(hits []Hit) string {
	list := make([]customer.ID, len(hits))
	for i, h := range hits {
		list[i] = h.ID
	}
	return fmt.Sprint(list)
}

// The expected ids follow from the table few by eye.
func TestFiltersNarrow(t *testing.T) {
	day := func(d int) time.Time { return time.Date(2026, 1, d, 0, 0, 0, 0, time.UTC) }
	x := open(t, few, Options{})
	for name, test := range map[string]struct {
		q    Query
		want string
	}{
		"none: neither archived nor erased": {Query{}, "[1 2 3 4 5 6 7 8 9 11 12]"},
		"all statuses":                      {Query{AllStatuses: true}, "[1 2 3 4 5 6 7 8 9 10 11 12]"},
		"archived":                          {Query{Filter: []Condition{{Field: FieldStatus, Values: []string{"archived"}}}}, "[10]"},
		"active":                            {Query{Filter: []Condition{{Field: FieldStatus, Values: []string{"active"}}}}, "[1 2 3 4 5 6 7 8 9 12]"},
		"active or archived":                {Query{Filter: []Condition{{Field: FieldStatus, Values: []string{"archived", "active"}}}}, "[1 2 3 4 5 6 7 8 9 10 12]"},
		"not active":                        {Query{Filter: []Condition{{Field: FieldStatus, Values: []string{"active"}, Not: true}}}, "[10 11]"},
		"not suspended, of all":             {Query{Filter: []Condition{{Field: FieldStatus, Values: []string{"suspended"}, Not: true}}}, "[1 2 3 4 5 6 7 8 9 10 12]"},
		"person":                            {Query{Filter: []Condition{{Field: FieldParty, Values: []string{"person"}}}}, "[7]"},
		"prospect":                          {Query{Filter: []Condition{{Field: FieldKind, Values: []string{"prospect"}}}}, "[3]"},
		"not buyer":                         {Query{Filter: []Condition{{Field: FieldKind, Values: []string{"buyer"}, Not: true}}}, "[3]"},
		"owner":                             {Query{Filter: []Condition{{Field: FieldOwner, Values: []string{"3"}}}}, "[1]"},
		"rep":                               {Query{Filter: []Condition{{Field: FieldRep, Values: []string{"wang.li"}}}}, "[1]"},
		"two provinces":                     {Query{Filter: []Condition{{Field: FieldProvince, Values: []string{"臺北市", "福建省"}}}}, "[1 2 4]"},
		"two conditions":                    {Query{Filter: []Condition{{Field: FieldCountry, Values: []string{"TW"}}, {Field: FieldCity, Values: []string{"臺北市"}}}}, "[1]"},
		"district":                          {Query{Filter: []Condition{{Field: FieldDistrict, Values: []string{"江北区"}}}}, "[3]"},
		"no value":                          {Query{Filter: []Condition{{Field: FieldRep}}}, "[]"},
		"not no value":                      {Query{Filter: []Condition{{Field: FieldRep, Not: true}}}, "[1 2 3 4 5 6 7 8 9 11 12]"},
		"created from":                      {Query{CreatedFrom: day(11)}, "[11 12]"},
		"created before":                    {Query{CreatedBefore: day(3)}, "[1 2]"},
		"created in a range of hours":       {Query{CreatedFrom: day(3).Add(8 * time.Hour), CreatedBefore: day(3).Add(8*time.Hour + 15*time.Minute)}, "[3]"},
		"created in a long range":           {Query{CreatedFrom: day(1).AddDate(-20, 0, 0), CreatedBefore: day(5)}, "[1 2 3 4]"},
		"created in an empty range":         {Query{CreatedFrom: day(5), CreatedBefore: day(5)}, "[]"},
		"with a text":                       {Query{Text: "水泥", Filter: []Condition{{Field: FieldCountry, Values: []string{"TW"}}}}, "[1 2]"},
		"within a scope":                    {Query{Text: "水泥", Within: only(2)}, "[2]"},
	} {
		t.Run(name, func(t *testing.T) {
			test.q.Exact = true
			r := find(t, x, test.q)
			if got := ids(r.Hits); got != test.want || r.Total != len(r.Hits) {
				t.Errorf("got %s of %d, want %s", got, r.Total, test.want)
			}
		})
	}
}

// TestCreatedRangesAgreeWithTheClock compares ranges of all lengths with the instants.
func TestCreatedRangesAgreeWithTheClock(t *testing.T) {
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var customers []*customer.Customer
	for i := range 400 { // every 5 hours, over two months and a half
		customers = append(customers, &customer.Customer{
			ID: customer.ID(i + 1), Name: "a", Created: start.Add(time.Duration(i) * 5 * time.Hour),
		})
	}
	x := open(t, customers, Options{})
	for from := range 40 {
		for _, length := range []time.Duration{time.Hour, 26 * time.Hour, 130 * time.Hour, 700 * time.Hour} {
			q := Query{CreatedFrom: start.Add(time.Duration(from) * 29 * time.Hour), Limit: MaxLimit}
			q.CreatedBefore = q.CreatedFrom.Add(length)
			want := 0
			for _, c := range customers {
				if !c.Created.Before(q.CreatedFrom) && c.Created.Before(q.CreatedBefore) {
					want++
				}
			}
			if r := find(t, x, q); r.Total != want {
				t.Fatalf("from %v for %v: %d customers, want %d", q.CreatedFrom, length, r.Total, want)
			}
		}
	}
}

func TestAttributesFilterAndCount(t *testing.T) {
	level := func(id customer.ID, v customer.Value) *customer.Customer {
		return &customer.Customer{ID: id, Name: "客户", Attributes: []customer.Attribute{
			{Name: "level", Value: v}, {Name: "secret", Value: customer.TextValue("x")},
		}}
	}
	x := open(t, []*customer.Customer{
		level(1, customer.EnumValue("A")), level(2, customer.EnumValue("AB")), level(3, customer.NumberValue(-5)),
		level(4, customer.BooleanValue(true)), level(5, customer.DateValue(time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC))),
		{ID: 6, Name: "客户"},
	}, Options{Attributes: []string{"level"}})
	for value, want := range map[string]string{"A": "[1]", "AB": "[2]", "-5": "[3]", "true": "[4]", "2026-05-01": "[5]", "": "[]"} {
		r := find(t, x, Query{Filter: []Condition{{Field: Attribute("level"), Values: []string{value}}}})
		if got := ids(r.Hits); got != want {
			t.Errorf("level %q: %s, want %s", value, got, want)
		}
	}
	r := find(t, x, Query{Text: "客户", Facets: []Field{Attribute("level")}})
	want := "[{-5 1} {2026-05-01 1} {A 1} {AB 1} {true 1}]"
	if got := fmt.Sprint(r.Facets[Attribute("level")]); got != want {
		t.Errorf("facet %s, want %s", got, want)
	}
}

func TestLongAttributesAreCutBetweenCharacters(t *testing.T) {
	long := strings.Repeat("长", 100) // of three bytes: 66 fit into 200
	x := open(t, []*customer.Customer{{ID: 1, Name: "客户", Attributes: []customer.Attribute{{Name: "a", Value: customer.TextValue(long)}}}}, Options{Attributes: []string{"a"}})
	for _, value := range []string{long, long[:66*3]} {
		r := find(t, x, Query{Filter: []Condition{{Field: Attribute("a"), Values: []string{value}}}, Facets: []Field{Attribute("a")}})
		if got, want := r.Facets[Attribute("a")], []FacetCount{{long[:66*3], 1}}; !slices.Equal(got, want) {
			t.Errorf("facet %v, want %v", got, want)
		}
	}
}

func TestErasedCustomersAreCountedAsTheirRecordsSay(t *testing.T) {
	x := open(t, []*customer.Customer{
		{ID: 1, Status: customer.Erased, Kind: customer.Prospect, Party: customer.Person, Owner: 7},
		{ID: 2, Name: "客户"},
	}, Options{})
	r := find(t, x, Query{AllStatuses: true, Facets: []Field{FieldKind, FieldParty, FieldOwner}})
	if got, want := fmt.Sprint(r.Facets), "map[kind:[{buyer 1} {prospect 1}] owner:[{7 1}] party:[{organisation 1} {person 1}]]"; got != want {
		t.Errorf("facets %s, want %s", got, want)
	}
	r = find(t, x, Query{AllStatuses: true, Filter: []Condition{{Field: FieldKind, Values: []string{"buyer"}}}})
	if got := ids(r.Hits); got != "[2]" {
		t.Errorf("buyers are %s, want [2]", got)
	}
}

func TestFacetsCountWhatWasFound(t *testing.T) {
	x := open(t, few, Options{})
	apply(t, x, Batch{Put: few[:2], After: 1, Cursor: 2}) // twice, in another segment
	for name, test := range map[string]struct {
		q    Query
		want map[Field]string
	}{
		"all": {
			Query{AllStatuses: true, Limit: 1},
			map[Field]string{
				FieldStatus:  "[{active 10} {archived 1} {suspended 1}]",
				FieldKind:    "[{buyer 11} {prospect 1}]",
				FieldParty:   "[{organisation 11} {person 1}]",
				FieldCountry: "[{CN 6} {TW 2} {FR 1} {GB 1} {US 1}]",
				FieldCity:    "[{厦门市 1} {臺北市 1} {重庆市 1}]",
			},
		},
		"of a text and a scope": {
			Query{Text: "水泥", Within: evens{}},
			map[Field]string{FieldStatus: "[{active 2}]", FieldCountry: "[{CN 1} {TW 1}]", FieldCity: "[]"},
		},
		"of nobody": {Query{Text: "不存在"}, map[Field]string{FieldStatus: "[]", FieldKind: "[]"}},
	} {
		t.Run(name, func(t *testing.T) {
			for f := range test.want {
				test.q.Facets = append(test.q.Facets, f)
			}
			r := find(t, x, test.q)
			for f, want := range test.want {
				if got := fmt.Sprint(r.Facets[f]); got != want {
					t.Errorf("%s: %s, want %s", f, got, want)
				}
			}
		})
	}
}
