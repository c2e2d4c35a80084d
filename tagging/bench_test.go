package tagging

import (
	"context"
	"fmt"
	"testing"

	"github.com/clientele-go/clientele/customer"
)

// BenchmarkChanges measures one customer's change in a transaction of its own, on an
// engine in memory.
func BenchmarkChanges(b *testing.B) {
	const customers = 1000
	book := newBook(b, customers)
	defer book.close()
	level := book.dimension(Dimension{Code: "level", Exclusive: true})
	silver, gold := book.tag(level, "silver"), book.tag(level, "gold")
	for name, change := range map[string]func(tx *Tx, id customer.ID, n int) error{
		"Replace": func(tx *Tx, id customer.ID, n int) error {
			_, err := tx.Replace(id, Assignment{Tag: []TagID{silver, gold}[n%2]})
			return err
		},
		"SetRuleTags": func(tx *Tx, id customer.ID, n int) error {
			_, err := tx.SetRuleTags(id, "rules", []Assignment{{Tag: []TagID{silver, gold}[n%2], Rule: "r"}})
			return err
		},
		"Of": func(tx *Tx, id customer.ID, _ int) error { _, err := tx.Of(id); return err },
	} {
		b.Run(name, func(b *testing.B) {
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				n++
				err := book.try(func(tx *Tx) error { return change(tx, customer.ID(1+n%customers), n/customers) })
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCatalogue measures reading all definitions after a change of one of them.
func BenchmarkCatalogue(b *testing.B) {
	for _, tags := range []int{100, 5000} {
		b.Run(fmt.Sprint(tags), func(b *testing.B) {
			book := newBook(b, 0)
			defer book.close()
			d := book.dimension(Dimension{Code: "region", Tree: true})
			book.update(func(tx *Tx) error {
				for i := range tags {
					if _, err := tx.CreateTag(Tag{Dimension: d.ID, Code: fmt.Sprint("r", i)}); err != nil {
						return err
					}
				}
				return nil
			})
			book.view(func(r *Reader) error {
				for b.Loop() {
					if _, err := book.tags.readCatalogue(r.storage, edition{}); err != nil {
						b.Fatal(err)
					}
				}
				return nil
			})
		})
	}
}

// BenchmarkLoad measures first tags in bulk, three a customer, on an engine in memory.
func BenchmarkLoad(b *testing.B) {
	const customers = 20_000
	for b.Loop() {
		b.StopTimer()
		book := newBook(b, customers)
		d := book.dimension(Dimension{Code: "flag"})
		one, two, three := book.tag(d, "one"), book.tag(d, "two"), book.tag(d, "three")
		rows := func(yield func(LoadRow, error) bool) {
			for id := range customer.ID(customers) {
				if !yield(LoadRow{id + 1, []Assignment{{Tag: one}, {Tag: two}, {Tag: three}}}, nil) {
					return
				}
			}
		}
		b.StartTimer()
		if _, err := book.tags.Load(context.Background(), book.job(), rows); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		book.close()
		b.StartTimer()
	}
	b.ReportMetric(float64(customers*b.N)/b.Elapsed().Seconds(), "customers/s")
}
