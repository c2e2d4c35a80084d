package capacity

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/internal/sample/receivable"
	"github.com/clientele-go/clientele/storage/bitset"
)

// agingOne is what one customer owes by age.
type agingOne struct {
	*book
	subjects []subject
	owed     []map[money.Currency]int64
}

func newAgingOne(_ context.Context, b *book) (probe, error) {
	p := &agingOne{book: b, subjects: b.subjects(9, 512)}
	var a receivable.Account
	for _, s := range p.subjects {
		sums := map[money.Currency]int64{}
		b.work.account(s.index, &a)
		balances(&a, reportDay, sums)
		p.owed = append(p.owed, sums)
	}
	return p, nil
}

func (p *agingOne) ask(ctx context.Context, number int) (time.Duration, error) {
	s := of(p.subjects, number)
	q := credit.AgingQuery{AsOf: reportDay, Buckets: aging.Standard(), Customers: bitset.Of(uint64(s.id))}
	return p.age(ctx, "what "+s.draft.Code+" owes", p.owed[number%len(p.owed)], func(tx *clientele.ReadTx) iter.Seq2[aging.Row, error] {
		return tx.Credit.Aging(q)
	})
}

// age runs a report and compares its balances by currency.
func (b *book) age(ctx context.Context, what string, want map[money.Currency]int64, rows func(tx *clientele.ReadTx) iter.Seq2[aging.Row, error]) (time.Duration, error) {
	got := map[money.Currency]int64{}
	took, err := b.reading(ctx, func(tx *clientele.ReadTx) error {
		for row, err := range rows(tx) {
			if err != nil {
				return err
			}
			got[row.Currency] += row.Balance
		}
		return nil
	})
	if err == nil && !maps.Equal(withoutZero(got), withoutZero(want)) {
		err = wrong(what, got, want)
	}
	return took, err
}

func withoutZero(sums map[money.Currency]int64) map[money.Currency]int64 {
	left := maps.Clone(sums)
	maps.DeleteFunc(left, func(_ money.Currency, n int64) bool { return n == 0 })
	return left
}

// agingAll is the report of every customer and currency as of a day.
type agingAll struct {
	*book
	asOf date.Date
	owed map[money.Currency]int64
}

func newAging(_ context.Context, b *book) (probe, error) {
	return agingAll{b, reportDay, b.expected.owed[0]}, nil
}

func newAgingPast(_ context.Context, b *book) (probe, error) {
	return agingAll{b, pastDay, b.expected.owed[1]}, nil
}

func (p agingAll) ask(ctx context.Context, _ int) (time.Duration, error) {
	q := credit.AgingQuery{AsOf: p.asOf, Buckets: aging.Standard()}
	return p.age(ctx, fmt.Sprintf("what all owe as of %s", p.asOf), p.owed, func(tx *clientele.ReadTx) iter.Seq2[aging.Row, error] {
		return tx.Credit.Aging(q)
	})
}

// agingTotal is the sum of all customers by age.
type agingTotal struct{ *book }

func newAgingTotal(_ context.Context, b *book) (probe, error) { return agingTotal{b}, nil }

func (p agingTotal) ask(ctx context.Context, _ int) (time.Duration, error) {
	q := credit.AgingQuery{AsOf: reportDay, Buckets: aging.Standard()}
	return p.age(ctx, "what all owe together", p.expected.owed[0], func(tx *clientele.ReadTx) iter.Seq2[aging.Row, error] {
		sums, err := tx.Credit.AgingTotal(q)
		if err != nil {
			return func(yield func(aging.Row, error) bool) { yield(aging.Row{}, err) }
		}
		return sums.Rows()
	})
}
