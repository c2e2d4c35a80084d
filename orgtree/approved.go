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
	if a.asking || a.used[approvable{right, d, id}] {
		return nil
	}
	for i := range a.plan.rules {
		if r := &a.plan.rules[i]; r.Above == nil && r.needs(right, d, nil) {
			return &ApprovalError{Right: right, Data: d, Customer: id}
		}
	}
	return nil
}

// note keeps what an approval that was used in the transaction is about.
func (a *Access) note(x *Approval) {
	if a.used == nil {
		a.used = map[approvable]bool{}
	}
	a.used[approvable{x.Right, x.Data, x.Customer}] = true
}

// mayRaise returns nil unless a rule holds for a limit that is higher than before, and no
// approval of it was used in this transaction.
func (tx *Tx) mayRaise(id customer.ID, before, next *Limit) error {
	own, ok := tx.access().(*Access)
	lower := next == nil || before != nil && before.Currency == next.Currency && next.Amount <= before.Amount
	if !ok || lower || own.used[approvable{customer.RightSetLimit, customer.Credit, id}] {
		return nil
	}
	rule, err := tx.NeedsApproval(customer.RightSetLimit, customer.Credit, next)
	if err == nil && rule != nil {
		err = &ApprovalError{Right: customer.RightSetLimit, Data: customer.Credit, Customer: id}
	}
	return err
}
