package customer

import (
	"errors"

	"github.com/clientele-go/clientele/storage"
)

// permission is what decides whether a draft may be loaded, as far as drafts differ.
type permission struct {
	owner    UnitID
	rep      string
	contacts bool
}

// permit asks for the right to create a draft, once in some thousand drafts that are
// alike. A draft that may not be created ends the load: it is no mistake in the data.
func (ld *loading) permit(d *Draft) error {
	if ld.opts.Access == nil {
		return nil
	}
	p := permission{d.Owner, d.Rep, len(d.Phones)+len(d.Emails)+len(d.Addresses)+len(d.Contacts) > 0}
	if err, known := ld.asked[p]; known {
		return err
	}
	c := d.customer()
	err := ld.storage.View(ld.ctx, func(r *storage.Reader) error {
		a, err := ld.opts.Access(r)
		if err != nil || a == nil {
			return err
		}
		return mayCreate(a, c)
	})
	ld.asked[p] = err
	return err
}

// taken is the error of a unique value that another customer has, as the actor may know
// it.
func (ld *loading) taken(err error) error {
	err = ld.duplicate(err)
	var d *DuplicateError
	if ld.opts.Access == nil || !errors.As(err, &d) {
		return err
	}
	told := error(&DuplicateError{Field: d.Field, Value: d.Value})
	failed := ld.storage.View(ld.ctx, func(r *storage.Reader) error {
		a, failed := ld.opts.Access(r)
		if failed == nil {
			told = ld.ReaderWith(r, a).conceal(err, nil)
		}
		return failed
	})
	return errors.Join(told, failed)
}
