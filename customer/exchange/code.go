package exchange

import (
	"context"
	"fmt"
	"slices"

	"github.com/clientele-go/clientele/customer"
)

// checkCode refuses a line whose customer an earlier one gave another code: branches, say, that have
// their tax number in common. The later would take the place of the earlier.
func (r *run) checkCode(tx *Tx, l *line, id customer.ID, coded map[customer.ID]bool) error {
	if l.checked.Code == "" || !coded[id] && !r.coded.Contains(uint64(id)) {
		return nil
	}
	c, err := tx.Customers.Get(id)
	if err == nil && foldCode(c.Code) != foldCode(l.checked.Code) {
		err = fmt.Errorf("%w: customer %d is %s", errOtherCode, id, c.Code)
	}
	return err
}

// remember notes the customers of lines that have a code, now that they are in the book.
func (r *run) remember(coded map[customer.ID]bool) {
	for id := range coded {
		r.coded.Add(uint64(id))
	}
}

// recalls reports whether rows that an earlier run settled are looked at again, for the codes that
// they gave to customers who are found otherwise, too.
func (r *run) recalls() bool {
	return r.subject == Customers && r.converter.mapping.has(Code) && slices.ContainsFunc(r.match, func(f Field) bool { return f != Code })
}

// recall notes the customers who have the codes of lines that an earlier run settled.
func (r *run) recall(ctx context.Context, lines []*line) error {
	return r.view(ctx, func(tx *Reader) error {
		for _, l := range lines {
			if l.refused || l.draft.Code == "" {
				continue
			}
			id, err := find(tx, Code, &customer.Customer{Code: l.draft.Code})
			if err != nil {
				return err
			}
			if id != 0 {
				r.coded.Add(uint64(id))
			}
		}
		return nil
	})
}
