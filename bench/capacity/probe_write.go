package capacity

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/bench/stat"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample"
	"github.com/clientele-go/clientele/tagging"
)

// writing runs f in an Update, which is durable when it returns, and times it.
func (b *book) writing(ctx context.Context, f func(tx *clientele.Tx) error) (time.Duration, error) {
	began := time.Now()
	err := b.session.Update(ctx, f)
	return time.Since(began), err
}

// fresh returns a text that no earlier call on this book got, for codes and keys: how far
// its journal is.
func (b *book) fresh(ctx context.Context) (string, error) {
	h, err := b.Health(ctx)
	return fmt.Sprint(uint64(h.Journal)), err
}

// create enters new customers.
type create struct {
	*book
	drafts []customer.Draft
	prefix string
}

func newCreate(ctx context.Context, b *book) (probe, error) {
	prefix, err := b.fresh(ctx)
	p := &create{b, make([]customer.Draft, 1024), "N" + prefix + "-"}
	for i := range p.drafts {
		d := sample.Customer(b.work.seed+1, i).Draft()
		d.Identifiers, d.SourceKeys, d.Owner = nil, nil, b.units[i%len(b.units)]
		p.drafts[i] = d
	}
	return p, err
}

func (p *create) ask(ctx context.Context, number int) (time.Duration, error) {
	d := p.drafts[number%len(p.drafts)]
	d.Code = fmt.Sprint(p.prefix, number)
	var made *customer.Customer
	took, err := p.writing(ctx, func(tx *clientele.Tx) (err error) {
		made, err = tx.Customers.Create(d)
		return err
	})
	if err == nil && (made.Code != d.Code || made.Version != 1) {
		err = wrong("what was created", made.Code, d.Code)
	}
	return took, err
}

// update changes the note of customers.
type update struct {
	*book
	subjects []subject
	prefix   string
}

func newUpdate(ctx context.Context, b *book) (probe, error) {
	prefix, err := b.fresh(ctx) // the same note once more would change nothing
	return &update{b, b.subjects(6, 4096), prefix}, err
}

func (p *update) ask(ctx context.Context, number int) (time.Duration, error) {
	s := of(p.subjects, number)
	var before, after *customer.Customer
	took, err := p.writing(ctx, func(tx *clientele.Tx) (err error) {
		if before, err = tx.Customers.Get(s.id); err != nil {
			return err
		}
		version := before.Version
		before.Note = fmt.Sprintf("call %s-%d, of %s", p.prefix, number, reportDay)
		after, err = tx.Customers.Update(before)
		before.Version = version
		return err
	})
	if err == nil && after.Version != before.Version+1 {
		err = wrong("the version of "+s.draft.Code, after.Version, before.Version+1)
	}
	return took, err
}

// reserve takes credit for an order.
type reserve struct {
	*book
	subjects []subject
	prefix   string
}

func newReserve(ctx context.Context, b *book) (probe, error) {
	prefix, err := b.fresh(ctx)
	p := &reserve{b, make([]subject, 1024), "order " + prefix + "-"}
	skew := sample.NewSkew(b.work.seed, 7, min(limited, b.customers()))
	for i := range p.subjects {
		index := skew.Next()
		p.subjects[i] = subject{index: index, id: b.id(index)}
	}
	return p, err
}

func (p *reserve) ask(ctx context.Context, number int) (time.Duration, error) {
	s := of(p.subjects, number)
	q := credit.Request{
		Key: fmt.Sprint(p.prefix, number), Customer: s.id, Stage: credit.Ordered,
		Amount: money.Amount{Minor: 100_00, Currency: money.CNY},
	}
	var r *credit.Reservation
	took, err := p.writing(ctx, func(tx *clientele.Tx) (err error) {
		r, err = tx.Credit.Reserve(q)
		return err
	})
	if err == nil && (r.State != credit.Open || r.Open != q.Amount.Minor) {
		err = wrong("the reservation "+q.Key, fmt.Sprintf("%v of %d", r.State, r.Open), fmt.Sprintf("open, of %d", q.Amount.Minor))
	}
	return took, err
}

// tagOne moves a customer to another stage.
type tagOne struct {
	*book
	subjects []subject
}

func newTagOne(_ context.Context, b *book) (probe, error) {
	return &tagOne{b, b.subjects(8, 4096)}, nil
}

func (p *tagOne) ask(ctx context.Context, number int) (time.Duration, error) {
	s, stage := of(p.subjects, number), p.stage[number%len(p.stage)]
	var t *tagging.Tagged
	took, err := p.writing(ctx, func(tx *clientele.Tx) (err error) {
		t, err = tx.Tags.Replace(s.id, tagging.Assignment{Tag: stage})
		return err
	})
	if err == nil && !t.Has(stage) {
		err = wrong("the stage of "+s.draft.Code, t.Tags(), stage)
	}
	return took, err
}

// Writers that create customers at the same time, and for how long each repetition.
const (
	writers      = 16
	writersAsked = 5
	writersFor   = 500 * time.Millisecond
)

// measureWriters counts how many customers some writers create durably in a second.
func measureWriters(ctx context.Context, b *book, shorter float64) (*Result, error) {
	p, err := newCreate(ctx, b)
	if err != nil {
		return nil, err
	}
	var next atomic.Int64
	var rates []float64
	cpu, amount := processorTime(), 0
	for range max(2, int(shorter*writersAsked)) {
		began, before := time.Now(), next.Load()
		if err := crew(ctx, writers, began.Add(time.Duration(shorter*float64(writersFor))), &next, p); err != nil {
			return nil, fmt.Errorf("writers: %w", err)
		}
		n := int(next.Load() - before)
		amount += n
		rates = append(rates, float64(n)/time.Since(began).Seconds())
	}
	r := &Result{
		Question: "writers", Unit: customers.String(), Repetitions: rates, Value: stat.Median(rates), Answers: int64(amount),
		CPUSeconds: (processorTime() - cpu).Seconds() / float64(amount),
	}
	r.Judged = r.Value
	return r, nil
}

// crew asks from several goroutines until a time, each next number once.
func crew(ctx context.Context, n int, until time.Time, next *atomic.Int64, p probe) error {
	failed := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			for time.Now().Before(until) && failed[i] == nil {
				_, failed[i] = p.ask(ctx, int(next.Add(1)-1))
			}
		})
	}
	all.Wait()
	return firstError(failed)
}

func firstError(list []error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}
