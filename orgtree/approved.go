package orgtree

import (
	"errors"
	"fmt"
	"strings"

	"github.com/clientele-go/clientele/customer"
)

// ErrApproval: it takes a second person's approval first.
var ErrApproval = errors.New("a second person must approve it first")

// ApprovalError says that an [ApprovalRule] holds for what was tried, and no approval of
// it was used in the transaction. It wraps ErrApproval and customer.ErrDenied.
type ApprovalError struct {
	Right    customer.Right
	Data     customer.Data
	Customer customer.ID // 0 for none
}

func (e *ApprovalError) Error() string {
	text := fmt.Sprintf("orgtree: %s %s", strings.ReplaceAll(string(e.Right), "_", " "), e.Data)
	if e.Customer != 0 {
		text += " of customer " + e.Customer.String()
	}
	return text + ": " + ErrApproval.Error() + "; Ask for it, and Use the approval in the transaction that does it"
}

func (e *ApprovalError) Unwrap() []error { return []error{ErrApproval, customer.ErrDenied} }

// approvable is what an approval is about.
type approvable struct {
	right customer.Right
	data  customer.Data
	of    customer.ID
}

// checkApproved returns nil unless a rule without an amount holds for an action and no
// approval of it was used in this transaction.
func (a *Access) checkApproved(right customer.Right, d customer.Data, id customer.ID) error {
	if _, approved := a.used[approvable{right, d, id}]; approved || a.asking {
		return nil
	}
	for i := range a.plan.rules {
		if r := &a.plan.rules[i]; r.Above == nil && r.needs(right, d, nil) {
			return &ApprovalError{Right: right, Data: d, Customer: id}
		}
	}
	return nil
}

// stillApproved returns nil unless who approved a request may not do so any more.
func (tx *Tx) stillApproved(op string, a *Approval) error {
	if a.bySystem {
		return nil
	}
	approver, err := tx.accessOfAny(a.DecidedBy)
	if err != nil {
		return err
	}
	err = tx.mayApprove(approver, a)
	if isNotFound(err) || errors.Is(err, customer.ErrDenied) {
		return &Error{Op: op, Field: "DecidedBy", Value: a.DecidedBy, Remedy: "ask again; who approved it may not any more", Err: ErrState}
	}
	return err
}

// note keeps what an approval that was used in the transaction is about.
func (a *Access) note(x *Approval) {
	if a.used == nil {
		a.used = map[approvable]*Approval{}
	}
	a.used[approvable{x.Right, x.Data, x.Customer}] = x
}

// raises reports whether a limit is more than another, or it can't be told: in another
// currency, instead of none or none any more.
func raises(before, next *Limit) bool {
	if before == nil || next == nil {
		return !sameLimit(before, next)
	}
	return before.Currency != next.Currency || next.Amount > before.Amount
}

// mayRaise returns nil unless a rule holds for a limit that is higher than before, or taken
// away, and no approval of as much was used in this transaction.
func (tx *Tx) mayRaise(id customer.ID, before, next *Limit) error {
	own, ok := tx.access().(*Access)
	if !ok || !raises(before, next) {
		return nil
	}
	used, found := own.used[approvable{customer.RightSetLimit, customer.Credit, id}]
	if found && (used.Amount == nil || !raises(used.Amount, next)) {
		return nil
	}
	rule, err := tx.NeedsApproval(customer.RightSetLimit, customer.Credit, next)
	if err == nil && rule != nil {
		err = &ApprovalError{Right: customer.RightSetLimit, Data: customer.Credit, Customer: id}
	}
	return err
}
