package compare

import (
	"slices"
	"testing"
)

// BenchmarkCompare compares the values of a column of a labelled set with one another.
func BenchmarkCompare(b *testing.B) {
	for _, c := range []struct{ set, column string }{
		{"historical_50k", "full_name"}, {"historical_50k", "first_name"}, {"historical_50k", "dob"}, {"historical_50k", "birth_place"}, {"fake_20000", "email"},
		{"cn_listed_short", "name"}, {"ss_business", "name"}, {"zh_customers_synth", "name"}, {"zh_customers_synth", "address"}, {"zh_customers_synth", "phone"},
		{"chicago_childcare", "Site name"}, {"chicago_childcare", "Address"}, {"dblp_acm", "title"}, {"febrl3", "soc_sec_id"},
	} {
		b.Run(c.set+"/"+c.column, func(b *testing.B) {
			col := load(b, c.set).column(b, c.column)
			forms := slices.DeleteFunc(col.forms, func(f Form) bool { return f == nil })
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i = (i + 7919) % (len(forms) - 1)
				col.cmp.Compare(forms[i], forms[i+1])
			}
		})
	}
}

// BenchmarkPrepare prepares and makes the keys of values.
func BenchmarkPrepare(b *testing.B) {
	for _, c := range []struct{ set, column string }{
		{"historical_50k", "full_name"}, {"cn_listed_short", "name"}, {"ss_business", "name"}, {"zh_customers_synth", "name"}, {"zh_customers_synth", "address"}, {"zh_customers_synth", "phone"},
	} {
		b.Run(c.set+"/"+c.column, func(b *testing.B) {
			l := load(b, c.set)
			cmp, err := New(l.fields[c.column], Options{})
			if err != nil {
				b.Fatal(err)
			}
			column := slices.Index(l.header, c.column)
			b.ReportAllocs()
			i, keys := 0, 0
			for b.Loop() {
				i = (i + 7919) % len(l.rows)
				cmp.Keys(cmp.Prepare(l.rows[i][column]), AllKeys, func(Key) { keys++ })
			}
			b.ReportMetric(float64(keys)/float64(b.N), "keys/value")
		})
	}
}
