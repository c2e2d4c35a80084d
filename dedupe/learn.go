package dedupe

import (
	"context"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe/match"
	"github.com/clientele-go/clientele/storage/kv"
)

// maxFeedback is how many decisions a model learns from; more change little.
const maxFeedback = 2000

// learn returns the model with what people decided taken to heart, see [match.Model.Learn].
// Customers that were merged since count as they were recorded last.
func (s *Store) learn(ctx context.Context, job Job, model *match.Model) (*match.Model, error) {
	var judged []match.Feedback
	err := job.view(ctx, func(r *Reader) error {
		judged = judged[:0]
		for p, err := range s.pair.Records(r.storage, kv.Range{}, true) { // the latest customers first
			if err != nil {
				return err
			}
			if p.Verdict != Same && p.Verdict != Different {
				continue
			}
			f, usable, err := r.feedback(model, p)
			if err != nil {
				return err
			}
			if usable {
				judged = append(judged, f)
			}
			if len(judged) == maxFeedback {
				return nil
			}
		}
		return nil
	})
	if err != nil || len(judged) == 0 {
		return model, err
	}
	return model.Learn(judged), nil
}

// feedback is a decision as a model takes it, unless a customer of it was erased.
func (r *Reader) feedback(model *match.Model, p *Pair) (f match.Feedback, usable bool, err error) {
	var prepared [2]*match.Prepared
	for i, id := range []customer.ID{p.A, p.B} {
		c, err := r.all().Exact(id)
		if err != nil || c.Status == customer.Erased {
			return f, false, err
		}
		if prepared[i], err = model.Prepare(recordOf(r.store.fields, c)); err != nil {
			return f, false, err
		}
	}
	return match.Feedback{A: prepared[0], B: prepared[1], Same: p.Verdict == Same}, true, nil
}
