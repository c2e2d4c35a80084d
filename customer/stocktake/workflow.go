package stocktake

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// A run goes from draft to review, to approved, to signed, and is filed at last. In review
// it can be adjusted, or returned to draft; who made or adjusted it can't approve it, unless
// the definition allows one person to do all, and nobody signs twice.

// maxReason bounds a reason, in bytes.
const maxReason = 1000

// step moves a run on.
func (tx *Tx) step(op string, id RunID, from, to State, right customer.Right, reason string, change func(*Run) error) (*Run, error) {
	if err := tx.customers.PermitAll(right, customer.Identity); err != nil {
		return nil, err
	}
	if len(reason) > maxReason {
		return nil, invalid(op, "reason", fmt.Sprintf("of %d bytes", len(reason)), fmt.Sprintf("use at most %d", maxReason))
	}
	run, err := tx.Run(id)
	if err != nil {
		return nil, err
	}
	if run.State != from {
		return nil, &Error{Op: op, Field: "run", Value: fmt.Sprintf("%d is %s", id, run.State), Remedy: "it must be " + from.String(), Err: ErrState}
	}
	if change != nil {
		if err := change(run); err != nil {
			return nil, err
		}
	}
	if from != to {
		run.State = to
		run.History = append(run.History, Step{To: to, At: tx.tx.Now(), By: tx.tx.Session().Actor, Reason: reason})
	}
	return run, tx.store.run.Put(tx.tx, id, run, uint8(Moved))
}

// Submit gives a draft to review.
func (tx *Tx) Submit(id RunID, reason string) (*Run, error) {
	return tx.step("submit", id, Draft, Review, customer.RightReview, reason, nil)
}

// Return gives a run in review back, with the reason.
func (tx *Tx) Return(id RunID, reason string) (*Run, error) {
	if strings.TrimSpace(reason) == "" {
		return nil, invalid("return", "reason", "", "say what is to be looked into")
	}
	return tx.step("return", id, Review, Draft, customer.RightReview, reason, nil)
}

// Adjust adds n customers to what a run in review counted, or takes some off, for a reason
// that the book doesn't know. The count itself stays as it was.
func (tx *Tx) Adjust(id RunID, n int64, reason string) (*Run, error) {
	const op = "adjust"
	if n == 0 || strings.TrimSpace(reason) == "" {
		return nil, invalid(op, "n", fmt.Sprint(n), "give a number other than 0 and a reason")
	}
	return tx.step(op, id, Review, Review, customer.RightReview, reason, func(run *Run) error {
		run.Adjustments = append(run.Adjustments, Adjustment{N: n, Reason: reason, By: tx.tx.Session().Actor, At: tx.tx.Now()})
		if after := run.adjusted(); after < 0 {
			return invalid(op, "n", fmt.Sprint(n), fmt.Sprintf("it would leave %d customers", after))
		}
		return nil
	})
}

// adjusted is the closing count with all adjustments.
func (r *Run) adjusted() int64 {
	n := r.Reconciliation.Closing
	for _, a := range r.Adjustments {
		n += a.N
	}
	return n
}

// Approve approves a run in review. Who made the run or adjusted it can't, which is an error
// that wraps ErrFourEyes, unless its definition says OnePerson.
func (tx *Tx) Approve(id RunID, reason string) (*Run, error) {
	const op = "approve"
	return tx.step(op, id, Review, Approved, customer.RightApprove, reason, func(run *Run) error {
		actor := tx.tx.Session().Actor
		adjusted := slices.ContainsFunc(run.Adjustments, func(a Adjustment) bool { return a.By == actor })
		if run.MadeBy != actor && !adjusted {
			return nil
		}
		d, err := tx.DefinitionVersion(run.Definition, run.DefinitionVersion)
		if err != nil || d.OnePerson {
			return err
		}
		return &Error{Op: op, Field: "run", Value: fmt.Sprint(id), Remedy: "have someone else approve what you made or adjusted, or say OnePerson in the definition and run it again", Err: ErrFourEyes}
	})
}

// File closes a signed run for good.
func (tx *Tx) File(id RunID, reason string) (*Run, error) {
	return tx.step("file", id, Signed, Filed, customer.RightReview, reason, nil)
}

// Sign signs an approved run, or adds a signature to a signed one: the signature binds
// result, adjustments and the head of the journal at this moment, in which everything that
// was counted stands. It needs the right to approve. Who has signed already can't again,
// which is an error that wraps ErrFourEyes.
func (s Session) Sign(ctx context.Context, id RunID, role string) (*Run, error) {
	head, err := s.Storage.Head(ctx)
	if err != nil {
		return nil, err
	}
	var signed *Run
	err = s.update(ctx, func(tx *Tx) error {
		signed, err = tx.sign(id, role, head)
		return err
	})
	return signed, err
}

func (tx *Tx) sign(id RunID, role string, head storage.Head) (*Run, error) {
	const op = "sign"
	if len(role) > maxReason {
		return nil, invalid(op, "role", fmt.Sprintf("of %d bytes", len(role)), fmt.Sprintf("use at most %d", maxReason))
	}
	run, err := tx.Run(id)
	if err != nil {
		return nil, err
	}
	from := Approved
	if run.State == Signed {
		from = Signed
	}
	return tx.step(op, id, from, Signed, customer.RightApprove, role, func(run *Run) error {
		actor := tx.tx.Session().Actor
		if slices.ContainsFunc(run.Signatures, func(x Signature) bool { return x.By == actor }) {
			return &Error{Op: op, Field: "run", Value: fmt.Sprint(id), Remedy: "it has your signature; a further one must be another person's", Err: ErrFourEyes}
		}
		if uint64(head.Size) < run.Closing.Position {
			return &Error{Op: op, Field: "run", Value: fmt.Sprint(id), Remedy: "try again when the journal is durable", Err: ErrState}
		}
		digest, err := run.signedDigest()
		if err != nil {
			return err
		}
		run.Signatures = append(run.Signatures, Signature{
			By: actor, Role: role, At: tx.tx.Now(), Digest: digest, Position: uint64(head.Size), Root: head.Root.String(),
		})
		return nil
	})
}

// signedDigest is the digest of what is signed: the result's own and the adjustments.
func (r *Run) signedDigest() (string, error) {
	text, err := json.Marshal(struct {
		Result      string       `json:"result"`
		Adjustments []Adjustment `json:"adjustments"`
	}{r.Digest, r.Adjustments})
	return digestOf(text), err
}

// Verify reads a run's result and checks it against its digest and all signatures, the
// customers of its terms against the counts, and the journal against the heads in the
// signatures. It fails with ErrDamaged, naming the first that doesn't fit.
func (s Session) Verify(ctx context.Context, id RunID) error {
	var run *Run
	err := s.view(ctx, func(r *Reader) (err error) {
		if run, err = r.Run(id); err != nil {
			return err
		}
		if _, err = r.stored(run); err != nil {
			return err
		}
		return r.verifyTerms(run)
	})
	if err != nil {
		return err
	}
	now, err := s.Storage.Head(ctx)
	if err != nil {
		return err
	}
	for _, x := range run.Signatures {
		if err := s.verifySignature(ctx, run, &x, now); err != nil {
			return damaged(id, fmt.Errorf("the signature of %s: %w", x.By, err))
		}
	}
	return nil
}

// verifyTerms checks that as many customers are stored for each term as were counted.
func (r *Reader) verifyTerms(run *Run) error {
	counts := run.Reconciliation.movements()
	counts[termOpening], counts[termClosing] = run.Reconciliation.Opening, run.Reconciliation.Closing
	for _, term := range Terms() {
		want, counted := counts[term]
		if !counted {
			continue
		}
		members, err := r.membersOf(run.Digest, term)
		if err != nil {
			return damaged(run.Run, err)
		}
		if n := members.Len(); n != want {
			return damaged(run.Run, fmt.Errorf("%d customers are stored as %s, %d were counted", n, term, want))
		}
	}
	return nil
}

func (s Session) verifySignature(ctx context.Context, run *Run, x *Signature, now storage.Head) error {
	digest, err := run.signedDigest()
	if err != nil {
		return err
	}
	if digest != x.Digest {
		return fmt.Errorf("what was signed has the digest %s, what is stored %s", x.Digest, digest)
	}
	root, err := tlog.ParseHash(x.Root)
	if err != nil {
		return err
	}
	then := storage.Head{Book: now.Book, Size: int64(x.Position), Root: root}
	proof, err := s.Storage.ProveExtension(ctx, then, now)
	if err != nil {
		return err
	}
	return now.CheckExtends(proof, then)
}
