package credit

import (
	"reflect"
	"testing"
	"time"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
)

// fill sets every exported field of a record, in depth, to something that isn't zero.
func fill(v reflect.Value, n *int64) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.UnixMicro(1e15 + *n).UTC()))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), n)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Map:
		v.Set(reflect.ValueOf(customer.Names{"en": "a", "zh-Hans": "乙"}))
	case reflect.String:
		v.SetString("text " + time.Duration(*n).String())
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64, reflect.Int32:
		v.SetInt(1000 + *n)
	default:
		v.SetUint(uint64(1 + *n%6))
	}
}

// stored is a record of credit control without what the storage keeps beside it.
func stored[V any](v *V) *V {
	value := reflect.ValueOf(v).Elem()
	for _, name := range []string{"ID", "Key", "Code", "Scope", "Customer", "Version", "Recorded", "Actor", "Reason"} {
		if f := value.FieldByName(name); f.IsValid() && !isContent(value.Type().Name(), name) {
			f.SetZero()
		}
	}
	return v
}

// isContent names the fields that are stored in spite of their names.
func isContent(record, field string) bool {
	switch record {
	case "Reservation", "Override":
		return field == "Customer" || field == "Key" && record == "Override"
	case "Group":
		return field == "Code"
	}
	return false
}

func roundTrip[K, V any](t *testing.T, table *storage.Table[K, *V]) {
	t.Helper()
	v, n := new(V), int64(0)
	fill(reflect.ValueOf(v).Elem(), &n)
	stored(v)
	if o, ok := any(v).(*Override); ok {
		o.Steps = []StepKind{Utilisation, DunningLevel} // a set, in order
	}
	if r, ok := any(v).(*Reservation); ok {
		for i := range r.Findings {
			r.Findings[i].Hidden = false // is of the reader
		}
	}
	if a, ok := any(v).(*Approval); ok {
		stored(a.Proposal.Override)
		a.Proposal.Override.Steps = []StepKind{OldestOverdue}
	}
	encoded, err := table.Append(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	w := record.Writer{Buf: encoded}
	w.String(200, "of a later version")
	var key K
	read, err := table.Decode(string(w.Buf), key, storage.Meta{})
	if err != nil {
		t.Fatalf("%s: %v", table.Label, err)
	}
	again, err := table.Append(nil, read)
	if err != nil || string(again) != string(w.Buf) {
		t.Errorf("%s: written again as %q, %v; want %q", table.Label, again, err, w.Buf)
	}
	read, err = table.Decode(string(encoded), key, storage.Meta{})
	if err != nil || !reflect.DeepEqual(read, v) {
		t.Errorf("%s: read back as\n%+v, %v; want\n%+v", table.Label, read, err, v)
	}
	for cut := range len(encoded) {
		_, _ = table.Decode(string(encoded[:cut]), key, storage.Meta{}) // must not panic
	}
}

func TestControlRecordsComeBackWhole(t *testing.T) {
	tables := newControlTables()
	roundTrip(t, tables.line)
	roundTrip(t, tables.policy)
	roundTrip(t, tables.profile)
	roundTrip(t, tables.group)
	roundTrip(t, tables.reservation)
	roundTrip(t, tables.override)
	roundTrip(t, tables.approval)
	roundTrip(t, tables.dunning)
	roundTrip(t, tables.reminded)
	roundTrip(t, tables.rate)
}

func TestScopesAndRatesHaveOrderedKeys(t *testing.T) {
	for _, s := range []Scope{OfCustomer(1), OfGroup(1 << 40), OfUnit(0)} {
		if back, err := scopeKeys.Decode(scopeKeys.Append(nil, s)); err != nil || back != s {
			t.Errorf("%v comes back as %v, %v", s, back, err)
		}
	}
	early := rateKeys.Append(nil, rateKey{money.USD, date.First})
	late := rateKeys.Append(nil, rateKey{money.USD, date.Last})
	if string(early) >= string(late) {
		t.Errorf("keys of rates: %x is not before %x", early, late)
	}
	if back, err := rateKeys.Decode(late); err != nil || back != (rateKey{money.USD, date.Last}) {
		t.Errorf("comes back as %v, %v", back, err)
	}
}

func TestPercentIsExactBeyond64Bits(t *testing.T) {
	const most = 1<<63 - 1
	for _, test := range []struct{ used, limit, percent int64 }{
		{1, 3, 34}, // rounded up
		{most, most, 100},
		{most, most - 1, 101},
		{1, 0, maxPercent},
		{most, 1, maxPercent},
	} {
		if got := percent(test.used, test.limit); got != test.percent {
			t.Errorf("%d of %d are %d percent, want %d", test.used, test.limit, got, test.percent)
		}
	}
	if exceeds(most, most, 100) || !exceeds(most, most-1, 100) || !exceeds(1, 0, 1000) || exceeds(1, 1, 100) {
		t.Error("exceeds is not exact")
	}
}
