package dedupe

import (
	"context"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// Job is what work on many customers needs of a session.
type Job struct {
	Storage *storage.Store
	Session storage.Session
	// Begin joins what takes part in a transaction, as the session may see it.
	Begin func(tx *storage.Tx) (*Tx, error)
	// View does so for a state.
	View func(r *storage.Reader) (*Reader, error)
	// Progress is called now and then; nil is not.
	Progress func(done, total int)
}

func (j *Job) progress(done, total int) {
	if j.Progress != nil {
		j.Progress(done, total)
	}
}

// update runs one transaction of a job.
func (j *Job) update(ctx context.Context, f func(*Tx) error) error {
	_, err := j.Storage.Update(ctx, j.Session, func(stx *storage.Tx) error {
		tx, err := j.Begin(stx)
		if err != nil {
			return err
		}
		return f(tx)
	})
	return err
}

// view reads one state for a job.
func (j *Job) view(ctx context.Context, f func(*Reader) error) error {
	return j.Storage.View(ctx, func(sr *storage.Reader) error {
		r, err := j.View(sr)
		if err != nil {
			return err
		}
		return f(r)
	})
}

// Clustered tells what MergeCluster did.
type Clustered struct {
	Survivor customer.ID // of all, also when the one that was named was merged itself
	Merged   int
	Already  int // stood for the same survivor before
}

// clusterBatch bounds one transaction of MergeCluster.
const clusterBatch = 100

// MergeCluster merges any number of customers, in one transaction for every hundred, so
// that it can be stopped by ctx and run again: what is merged already is passed over.
// Where one of them was merged otherwise meanwhile, also by a concurrent MergeCluster, its
// survivor is merged in its place, so that in the end one customer stands for all.
func (s *Store) MergeCluster(ctx context.Context, job Job, m Merge) (Clustered, error) {
	done := Clustered{Survivor: m.Survivor}
	if len(m.Losers) == 0 {
		return done, m.check()
	}
	for at := 0; at < len(m.Losers); at += clusterBatch {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		part := m
		part.Losers = m.Losers[at:min(at+clusterBatch, len(m.Losers))]
		var survivor customer.ID
		var merged int
		err := job.update(ctx, func(tx *Tx) (err error) {
			survivor, merged, err = tx.mergeStanding(part)
			return err
		})
		if err != nil {
			return done, err
		}
		done.Survivor = survivor
		done.Merged += merged
		done.Already += len(part.Losers) - merged
		job.progress(done.Merged+done.Already, len(m.Losers))
	}
	return done, nil
}

// mergeStanding merges the customers that stand for those named.
func (tx *Tx) mergeStanding(m Merge) (survivor customer.ID, merged int, err error) {
	to, err := tx.all().Get(m.Survivor)
	if err != nil {
		return 0, 0, err
	}
	standing := m
	standing.Survivor, standing.Losers = to.ID, nil
	seen := map[customer.ID]bool{to.ID: true}
	for _, id := range m.Losers {
		c, err := tx.all().Get(id)
		if err != nil {
			return 0, 0, err
		}
		if !seen[c.ID] {
			seen[c.ID] = true
			standing.Losers = append(standing.Losers, c.ID)
		}
	}
	if len(standing.Losers) > 0 {
		_, err = tx.Merge(standing)
	}
	return to.ID, len(standing.Losers), err
}
