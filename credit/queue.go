package credit

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// Queue reserves for many callers who compete for the same limits, in the order in which
// they came: all that wait while one transaction is made durable are decided together in
// the next. One limit is then good for as many reservations a second as the processor
// allows, where transactions of their own would run again and again until each had its
// turn. Requests of a queue share its session, so they are recorded as its actor's; keep
// one queue for each. It is safe for concurrent use; other transactions and processes may
// use the same limits at any time.
type Queue struct {
	store *Store
	job   Job

	mu      sync.Mutex
	waiting []*waiter
	busy    bool // somebody decides
}

// waiter is one request and what came of it.
type waiter struct {
	ctx     context.Context
	request Request
	made    *Reservation
	err     error
	done    chan struct{}
	leads   chan struct{} // closed when it is this one's turn to decide for all who wait
}

// queuePart is how many requests one transaction decides at most.
const queuePart = 256

// NewQueue returns a queue of a session.
func (s *Store) NewQueue(j Job) *Queue { return &Queue{store: s, job: j} }

// Reserve is [Tx.Reserve] in a transaction that others may share: when it returns, what it
// decided is durable. A context that ends while the request waits takes it back.
func (q *Queue) Reserve(ctx context.Context, r Request) (*Reservation, error) {
	w := &waiter{ctx: ctx, request: r, done: make(chan struct{}), leads: make(chan struct{})}
	q.mu.Lock()
	q.waiting = append(q.waiting, w)
	if !q.busy {
		q.busy = true
		close(w.leads)
	}
	q.mu.Unlock()
	select {
	case <-w.done:
	case <-w.leads:
		q.lead()
	}
	return w.made, w.err
}

// lead decides for those who wait, its caller the first of them, and hands on to the next.
func (q *Queue) lead() {
	q.mu.Lock()
	n := min(len(q.waiting), queuePart)
	part := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	q.mu.Unlock()
	q.decide(part)
	for _, w := range part {
		close(w.done)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.busy = len(q.waiting) > 0; q.busy {
		close(q.waiting[0].leads)
	}
}

// decide makes one transaction of several requests, each with an outcome of its own. When
// one fails, rather than being declined, each is tried again alone.
func (q *Queue) decide(part []*waiter) {
	ctx := context.WithoutCancel(part[0].ctx) // the others don't share its fate
	_, err := q.job.Storage.Update(ctx, q.job.Session, func(tx *storage.Tx) error {
		access, err := q.job.Access.In(&tx.Reader)
		if err != nil {
			return err
		}
		t := q.store.Tx(tx, q.job.Customers.TxWith(tx, access))
		for _, w := range part {
			if w.err = w.ctx.Err(); w.err != nil {
				continue
			}
			if w.made, w.err = t.Reserve(w.request); w.err != nil && !isAnswer(w.err) {
				return w.err
			}
		}
		return nil
	})
	if err == nil {
		return
	}
	if len(part) == 1 || errors.Is(err, storage.ErrUncertain) {
		for _, w := range part {
			w.made, w.err = nil, err
		}
		return
	}
	for i := range part {
		q.decide(part[i : i+1])
	}
}

// answers are the errors by which Reserve declines a request before it has written
// anything of it.
var answers = []error{ErrRefused, ErrInvalid, ErrKeyUsed, ErrEnded, ErrNotFound, ErrRate, ErrOverflow, customer.ErrStatus, customer.ErrDenied}

func isAnswer(err error) bool {
	return slices.ContainsFunc(answers, func(answer error) bool { return errors.Is(err, answer) })
}
