package customer

import (
	"math"
	"strings"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// codeDraw draws the codes of one number range for a load, passing over those that are
// in use. It knows them by their numbers, so that ten million cost a megabyte.
type codeDraw struct {
	*numberRange
	key           storage.Key
	before, after string            // around the number, as written
	head, tail    string            // the same, as codes are compared
	taken         *roaring64.Bitmap // numbers whose codes are in use
	searched      uint64            // up to which number the book was searched
}

// drawID says which codes of a load count together.
type drawID struct {
	*numberRange
	unit UnitID // where it stands in the code
}

// codesSearched is how many numbers ahead the book is searched for codes in use.
const codesSearched = 4096

// draw returns how codes of a range are drawn for a unit.
func (ld *loading) draw(l *storage.Loader, r *numberRange, unit UnitID) *codeDraw {
	id := drawID{numberRange: r}
	if strings.Contains(r.Template, "{unit}") {
		id.unit = unit
	}
	d := ld.draws[id]
	if d == nil {
		before, after := r.expand(r.before, l.Now(), unit), r.expand(r.after, l.Now(), unit)
		d = &codeDraw{
			numberRange: r, key: r.key(before, after), before: before, after: after,
			head: strings.TrimSuffix(codeKey(before+"0"), "0"), tail: strings.TrimPrefix(codeKey("0"+after), "0"), taken: roaring64.New(),
		}
		ld.draws[id] = d
	}
	return d
}

// noteCode remembers a draft's own code, which no later draft may draw.
func (ld *loading) noteCode(l *storage.Loader, c *Customer) {
	var buf [MaxCode]byte
	folded := text.AppendFold(buf[:0], c.Code)
	for i := range ld.ranges {
		if r := &ld.ranges[i]; !r.Gapless {
			ld.draw(l, r, c.Owner).note(string(folded))
		}
	}
}

// drawCode returns the next free code for a customer.
func (ld *loading) drawCode(l *storage.Loader, c *Customer) (string, error) {
	r := ld.rangeFor(c.Owner)
	if r.Gapless {
		p := problems{}
		p.add("Code", r.Template, CodeRequired, "is required: a bulk load can't draw from a gapless range", "give codes, or create the customers one by one")
		return "", p.err()
	}
	d := ld.draw(l, r, c.Owner)
	for {
		n, err := ld.codes.Load(l, d.key)
		if err != nil {
			return "", err
		}
		if n > d.searched {
			if err := ld.search(d, n); err != nil {
				return "", err
			}
		}
		if !d.taken.Contains(n) {
			return d.code(n), nil
		}
	}
}

func (d *codeDraw) code(n uint64) string { return d.before + d.number(n) + d.after }

// note takes a code, as compared, out of those that can be drawn, if it is one of them.
func (d *codeDraw) note(folded string) {
	rest, ok := strings.CutPrefix(folded, d.head)
	if !ok {
		return
	}
	digits, ok := strings.CutSuffix(rest, d.tail)
	if !ok || len(digits) < d.digits || len(digits) > d.digits && digits[0] == '0' {
		return
	}
	value, ok := decimal(digits)
	if ok && value >= d.Start && value-d.Start < math.MaxUint64 {
		d.taken.Add(value - d.Start + 1)
	}
}

// decimal reads a number of at most 18 digits.
func decimal(digits string) (n uint64, ok bool) {
	if digits == "" || len(digits) > 18 {
		return 0, false
	}
	for i := range len(digits) {
		c := digits[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = 10*n + uint64(c)
	}
	return n, true
}

// search notes the codes that the book has of the numbers from one on. Numbers of the
// same length stand together in the index of codes.
func (ld *loading) search(d *codeDraw, from uint64) error {
	end := from + codesSearched
	for first := from; first < end; {
		last := first
		for step := end - 1 - first; step > 0; step /= 2 {
			for last+step < end && len(d.number(last+step)) == len(d.number(first)) {
				last += step
			}
		}
		if err := ld.searchRange(d, first, last); err != nil {
			return err
		}
		first = last + 1
	}
	d.searched = end - 1
	return nil
}

func (ld *loading) searchRange(d *codeDraw, first, last uint64) error {
	within := kv.Range{
		Lower: storage.Key(nil).String(codeKey(d.code(first))),
		Upper: append(storage.Key(nil).String(codeKey(d.code(last))), 0),
	}
	return ld.storage.View(ld.ctx, func(r *storage.Reader) error {
		for e, err := range ld.customer.Entries(r, ld.code, within, false) {
			if err != nil {
				return err
			}
			code, _, err := e.Key().CutString()
			if err != nil {
				return err
			}
			d.note(code)
		}
		return nil
	})
}
