package credit

import (
	"time"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/storage/record"
)

// wire describes a record's fields once for both directions: with w it writes each
// field, with r it reads the one that the reader is at. A field's number is never used
// again for another meaning.
type wire struct {
	w     *record.Writer
	r     *record.Reader
	taken bool          // the present field was read
	own   record.Writer // what w points to, allocated with it
}

// encode appends the fields that a description names, and those that an earlier decode
// didn't know.
func encode(dst []byte, rest string, describe func(*wire)) ([]byte, error) {
	x := &wire{own: record.Writer{Buf: dst}}
	x.w = &x.own
	describe(x)
	x.w.Raw(rest)
	return x.w.Buf, nil
}

// decode reads the fields that a description names and returns all others as they are.
func decode(src string, describe func(*wire)) (rest string, err error) {
	r := record.NewReader(src)
	readFields(&r, describe)
	return r.Unknown(), r.Err()
}

func readFields(r *record.Reader, describe func(*wire)) {
	x := wire{r: r}
	for r.Next() {
		x.taken = false
		describe(&x)
		if !x.taken {
			r.Skip()
		}
	}
}

// at reports whether the reader is at a field, which is then read.
func (x *wire) at(field int) bool {
	if x.taken || x.r.Field() != field {
		return false
	}
	x.taken = true
	return true
}

func (x *wire) text(field int, s *string) {
	if x.w != nil {
		x.w.String(field, *s)
	} else if x.at(field) {
		*s = x.r.String()
	}
}

func (x *wire) int(field int, n *int64) {
	if x.w != nil {
		x.w.Int(field, *n)
	} else if x.at(field) {
		*n = x.r.Int()
	}
}

func (x *wire) flag(field int, b *bool) {
	n := uint64(0)
	if *b {
		n = 1
	}
	wireUint(x, field, &n)
	*b = n != 0
}

func wireUint[T ~uint8 | ~uint16 | ~uint64](x *wire, field int, n *T) {
	if x.w != nil {
		x.w.Uint(field, uint64(*n))
	} else if x.at(field) {
		*n = T(x.r.Uint())
	}
}

func (x *wire) date(field int, d *date.Date) {
	n := uint64(*d)
	wireUint(x, field, &n)
	*d = date.Date(n)
}

// time is an instant to the microsecond, after 1970; the zero time is left out.
func (x *wire) time(field int, t *time.Time) {
	if x.w != nil {
		if !t.IsZero() {
			x.w.Uint(field, uint64(t.UnixMicro()))
		}
	} else if x.at(field) {
		*t = time.UnixMicro(int64(x.r.Uint())).UTC()
	}
}

func (x *wire) amount(field int, a *money.Amount) {
	x.nested(field, *a != money.Amount{}, func(x *wire) {
		x.int(1, &a.Minor)
		wireUint(x, 2, &a.Currency)
	})
}

func (x *wire) rate(field int, r *money.Rate) {
	x.nested(field, *r != money.Rate{}, func(x *wire) {
		wireUint(x, 1, &r.Coefficient)
		wireUint(x, 2, &r.Scale)
	})
}

// nested is a record within, written when there is something to write.
func (x *wire) nested(field int, present bool, describe func(*wire)) {
	if x.w != nil {
		if present {
			mark := x.w.Begin(field)
			describe(x)
			x.w.End(mark)
		}
		return
	}
	if x.at(field) {
		inner := record.NewReader(x.r.String())
		readFields(&inner, describe)
		if err := inner.Err(); err != nil {
			x.r.Fail(err)
		}
	}
}

// wireList is a list of nested records, one field each.
func wireList[T any](x *wire, field int, list *[]T, describe func(*wire, *T)) {
	if x.w != nil {
		for i := range *list {
			x.nested(field, true, func(x *wire) { describe(x, &(*list)[i]) })
		}
		return
	}
	if x.r.Field() == field && !x.taken {
		var element T
		x.nested(field, true, func(x *wire) { describe(x, &element) })
		*list = append(*list, element)
	}
}

// wireTexts is a list of texts.
func wireTexts(x *wire, field int, list *[]string) {
	if x.w != nil {
		for _, s := range *list {
			x.w.Text(field, s)
		}
	} else if x.at(field) {
		*list = append(*list, x.r.String())
	}
}
