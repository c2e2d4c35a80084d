package match

import (
	"fmt"
	"reflect"
	"testing"
)

// Forms of names and addresses that are made anew must give the result of those kept.
func TestFormsMadeAnewChangeNothing(t *testing.T) {
	o := Options{Schema: []Field{{"name", "name"}, {"address", "address"}, {"phone", "phone"}, {"mail", "email"}}, teaching: 500}
	var records []Record
	for i := range 1500 {
		c := i * 2 / 3 // every other customer stands twice
		name := fmt.Sprintf("%s %s", []string{"Anna", "Peter", "María", "John", "Li"}[c%5], []string{"Schmidt", "Weber", "García", "Smith", "Wang", "Fischer", "Meyer"}[c%7])
		if i%3 == 1 {
			name = name[:len(name)-1]
		}
		records = append(records, Record{ID: fmt.Sprint(i), Values: []string{
			name, fmt.Sprintf("%d %s Street, %s", c%90+1, []string{"High", "Church", "Mill", "Station"}[c%4], []string{"London", "Leeds", "York"}[c%3]),
			fmt.Sprintf("+44 20 7%06d", c*7919%1_000_000), fmt.Sprintf("user%d@example.com", c),
		}})
	}
	run := func(memory int64) *Result {
		o.Memory, o.TempDir = memory, t.TempDir()
		r, err := Run(t.Context(), o, func(yield func(Record, error) bool) {
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	kept, anew := run(1<<30), run(100<<10)
	if len(kept.Clusters) == 0 || !reflect.DeepEqual(kept.Clusters, anew.Clusters) || !reflect.DeepEqual(kept.Pairs, anew.Pairs) {
		t.Errorf("%d clusters and %d pairs with forms kept, %d and %d with forms made anew", len(kept.Clusters), len(kept.Pairs), len(anew.Clusters), len(anew.Pairs))
	}
}

func TestFormsOfNamesAndAddressesAreMadeAnewBeyondTheMemory(t *testing.T) {
	o := Options{Schema: []Field{{"name", "name"}, {"phone", "phone"}, {"address", "address"}}}
	l, err := newLayout(&o, nil)
	if err != nil {
		t.Fatal(err)
	}
	table := &table{layout: l}
	for i := range l.columns {
		d := newDictionary(l.columns[i].cmp)
		for v := range 99 {
			d.id(fmt.Sprint(v))
		}
		table.dicts = append(table.dicts, d)
	}
	all := int64(2 * 100 * formBytes)
	if got := table.anew(all); !reflect.DeepEqual(got, []bool{false, false, false}) {
		t.Errorf("with room for all forms %v are made anew", got)
	}
	if got := table.anew(all - 1); !reflect.DeepEqual(got, []bool{true, false, true}) {
		t.Errorf("with too little room %v are made anew; want those of the name and the address", got)
	}
}
