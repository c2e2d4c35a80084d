package customer

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
)

// NumberRange makes the codes of customers that are created without one.
type NumberRange struct {
	// Owner is the unit whose customers the range is for; the range of unit 0 serves
	// all units that have none of their own.
	Owner UnitID
	// Template is text with {seq:n}, the running number with at least n digits, and
	// any of {yyyy} {yy} {mm} {dd} (of the creation, UTC) and {unit}. Numbers start
	// anew for each different text around {seq}. Empty is "C{seq:6}".
	Template string
	// Start is the first number; 0 is 1.
	Start uint64
	// Gapless loses no number, at a price: creations wait for one another. Otherwise
	// a crash may skip some numbers.
	Gapless bool
}

const defaultTemplate = "C{seq:6}"

// numberRange is a checked NumberRange.
type numberRange struct {
	NumberRange
	before, after string // the template around {seq:n}
	digits        int
}

func newNumberRange(n NumberRange) (numberRange, error) {
	if n.Template == "" {
		n.Template = defaultTemplate
	}
	if n.Start == 0 {
		n.Start = 1
	}
	r := numberRange{NumberRange: n}
	wrong := func(reason string) (numberRange, error) {
		p := problems{}
		p.add("Codes.Template", n.Template, CodeMalformed, reason, "write text with one {seq:6} and any of {yyyy} {yy} {mm} {dd} {unit}, such as C{yyyy}{seq:6}")
		return r, p.err()
	}
	before, rest, ok := strings.Cut(n.Template, "{seq:")
	if !ok {
		return wrong("has no {seq:n}")
	}
	digits, after, ok := strings.Cut(rest, "}")
	width, err := strconv.Atoi(digits)
	if !ok || err != nil || width < 1 || width > 18 {
		return wrong("has a {seq:n} without a width from 1 to 18")
	}
	r.before, r.after, r.digits = before, after, width
	if around := r.expand(before+after, time.Unix(0, 0), 1); strings.ContainsAny(around, "{}") {
		return wrong("has braces that mean nothing")
	}
	first := r.expand(before, time.Unix(0, 0), 1) + r.number(1) + r.expand(after, time.Unix(0, 0), 1)
	if clean, err := text.Clean(first); err != nil || clean != first {
		return wrong("makes codes that would be stored otherwise, or not at all")
	}
	if len(first) > MaxCode {
		return wrong(fmt.Sprintf("makes codes of more than %d bytes", MaxCode))
	}
	return r, nil
}

func (r *numberRange) expand(s string, at time.Time, unit UnitID) string {
	if !strings.Contains(s, "{") {
		return s
	}
	return strings.NewReplacer(
		"{yyyy}", at.Format("2006"), "{yy}", at.Format("06"), "{mm}", at.Format("01"), "{dd}", at.Format("02"),
		"{unit}", strconv.FormatUint(uint64(unit), 10),
	).Replace(s)
}

// code makes the next code, given how to draw the next number of a key.
func (r *numberRange) code(at time.Time, unit UnitID, next func(key storage.Key) (uint64, error)) (string, error) {
	before, after := r.expand(r.before, at, unit), r.expand(r.after, at, unit)
	n, err := next(r.key(before, after))
	if err != nil {
		return "", err
	}
	return before + r.number(n) + after, nil
}

// key is the sequence's key of the numbers between two texts.
func (r *numberRange) key(before, after string) storage.Key {
	return storage.Key(nil).Uint(uint64(r.Owner)).String(before).String(after)
}

// number is what stands in a code for the n-th number, from 1.
func (r *numberRange) number(n uint64) string {
	digits := strconv.FormatUint(r.Start+n-1, 10)
	if pad := r.digits - len(digits); pad > 0 {
		digits = strings.Repeat("0", pad) + digits
	}
	return digits
}

// rangeFor returns the number range of a unit's customers.
func (s *Store) rangeFor(owner UnitID) *numberRange {
	var general *numberRange
	for i := range s.ranges {
		switch s.ranges[i].Owner {
		case owner:
			return &s.ranges[i]
		case 0:
			general = &s.ranges[i]
		}
	}
	return general
}

// codeAttempts bounds the search for a number that nobody has typed in by hand.
const codeAttempts = 1000

// assignCode gives a customer the next free code of its unit's range.
func (tx *Tx) assignCode(c *Customer) error {
	r := tx.store.rangeFor(c.Owner)
	next := func(key storage.Key) (uint64, error) { return tx.store.codes.Next(tx.tx, key) }
	if r.Gapless {
		next = func(key storage.Key) (uint64, error) { return tx.store.codes.NextGapless(tx.tx, key) }
	}
	for range codeAttempts {
		code, err := r.code(tx.tx.Now(), c.Owner, next)
		if err != nil {
			return err
		}
		_, err = tx.ByCode(code)
		if isNotFound(err) {
			c.Code = code
			return nil
		}
		if err != nil {
			return err
		}
	}
	p := problems{}
	p.add("Code", r.Template, CodeRepeated, fmt.Sprintf("has no free number among the next %d", codeAttempts), "give a code, or a range that is not in use")
	return p.err()
}
