package exchange

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/identifier"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage/bitset"
)

// repeatFinder finds rows of a file that are likely of one customer. Each row is entered
// under what it can be known by; sorted, equal entries stand together.
type repeatFinder struct {
	schemes *identifier.Set
	entries sorter
	key     []byte
	rows    bitset.Set // that repeat an earlier one
	groups  int
	samples []Repeat // by their first rows
}

func newRepeatFinder(schemes *identifier.Set, memory int) *repeatFinder {
	return &repeatFinder{schemes: schemes, entries: sorter{memory: memory}}
}

// repeatMemory is what entries take before they go to a temporary file.
const repeatMemory = 16 << 20

// The parts of an entry's key, divided by 0, which no stored text has: the field, what
// equal rows share, the identifiers of the row if others may contradict them, and what is
// shown.
const entryParts = 4

func (r *repeatFinder) enter(row int, by Field, shared, identifiers, shown string) error {
	r.key = r.key[:0]
	for i, part := range []string{string(by), shared, identifiers, shown} {
		if i > 0 {
			r.key = append(r.key, 0)
		}
		r.key = append(r.key, strings.ReplaceAll(part, "\x00", "")...)
	}
	return r.entries.add(r.key, uint64(row))
}

// add enters a row under its unique fields and, as [Twin] compares, its name.
func (r *repeatFinder) add(l *line) (err error) {
	c := l.checked
	enter := func(by Field, shared, identifiers, shown string) {
		if err == nil {
			err = r.enter(l.row, by, shared, identifiers, shown)
		}
	}
	if c.Code != "" {
		enter(Code, foldCode(c.Code), "", excerpt(c.Code))
	}
	var own []string
	for _, x := range c.Identifiers {
		scheme, _ := r.schemes.Scheme(x.Scheme)
		own = append(own, x.Scheme+"="+x.Value)
		if !scheme.Unique {
			continue
		}
		shown := x.Value
		if scheme.Sensitive {
			shown = ""
		}
		enter(Field(identifierOf+x.Scheme), x.Value, "", shown)
	}
	for _, x := range c.SourceKeys {
		enter(Field(sourceOf+x.System), x.Key, "", excerpt(x.Key))
	}
	if c.Name == "" {
		return err
	}
	slices.Sort(own)
	identifiers, shown := strings.Join(own, "\n"), excerpt(c.Name)
	if identifiers == "" {
		identifiers = noIdentifier
	}
	core := c.Party.String() + " " + coreName(c.Name)
	for _, p := range c.Phones {
		if p.E164 != "" {
			enter(Phone, core+"\n"+p.E164, identifiers, shown)
		}
	}
	for _, m := range c.Emails {
		enter(Email, core+"\n"+strings.ToLower(m.Address), identifiers, shown)
	}
	if c.Party == customer.Organisation {
		enter(Name, text.Fold(c.Name), identifiers, shown)
	}
	return err
}

// noIdentifier comes after all identifiers: so a row that has none joins one of the groups
// that they make, and not both of two that contradict one another.
const noIdentifier = "\xff"

// repeatGroup is a group that is being gathered.
type repeatGroup struct {
	Repeat
	first       int
	identifiers string
}

// found sorts what was entered and returns the groups.
func (r *repeatFinder) found(ctx context.Context) (Repeats, error) {
	var shared []byte
	var groups []*repeatGroup // of one key; more than one if identifiers contradict
	n := 0
	for e, err := range r.entries.all() {
		if n++; err == nil && n%4096 == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return Repeats{}, err
		}
		parts := bytes.SplitN(e.key, []byte{0}, entryParts)
		same := e.key[:len(parts[0])+1+len(parts[1])]
		if !bytes.Equal(same, shared) {
			r.settle(groups)
			groups, shared = nil, append(shared[:0], same...)
		}
		groups = r.join(groups, int(e.number), parts)
	}
	r.settle(groups)
	return Repeats{Rows: int(r.rows.Len()), Groups: r.groups, Samples: r.samples}, nil
}

// join adds a row to the first group that it doesn't contradict. Beyond maxAlike groups
// of a name, the name says nothing.
func (r *repeatFinder) join(groups []*repeatGroup, row int, parts [][]byte) []*repeatGroup {
	identifiers := string(parts[2])
	for _, g := range groups {
		if g.identifiers == identifiers || !contradictory(g.identifiers, identifiers) {
			r.put(g, row, parts[3])
			return groups
		}
	}
	if len(groups) == maxAlike {
		return groups
	}
	g := &repeatGroup{Repeat: Repeat{By: Field(parts[0])}, first: math.MaxInt, identifiers: identifiers}
	r.put(g, row, parts[3])
	return append(groups, g)
}

// put adds a row to a group. All but the group's first row repeat it. A row comes twice
// under one key when it has something twice.
func (r *repeatFinder) put(g *repeatGroup, row int, shown []byte) {
	i, twice := slices.BinarySearch(g.Rows, row)
	if twice {
		return
	}
	if row < g.first {
		if g.first < math.MaxInt {
			r.rows.Add(uint64(g.first))
		}
		g.first, g.Value = row, string(shown)
	} else {
		r.rows.Add(uint64(row))
	}
	g.Count++
	if g.Rows = slices.Insert(g.Rows, i, row); len(g.Rows) > repeatRows {
		g.Rows = g.Rows[:repeatRows]
	}
}

// settle counts groups of one key and keeps those that begin first.
func (r *repeatFinder) settle(groups []*repeatGroup) {
	for _, g := range groups {
		if g.Count < 2 {
			continue
		}
		r.groups++
		i, _ := slices.BinarySearchFunc(r.samples, g, func(a Repeat, g *repeatGroup) int {
			return cmp.Or(cmp.Compare(a.Rows[0], g.first), cmp.Compare(a.By, g.By), cmp.Compare(a.Value, g.Value))
		})
		if r.samples = slices.Insert(r.samples, i, g.Repeat); len(r.samples) > repeatSamples {
			r.samples = r.samples[:repeatSamples]
		}
	}
}

// contradictory reports whether two rows have different identifiers of a scheme.
func contradictory(a, b string) bool {
	for x := range strings.SplitSeq(a, "\n") {
		scheme, value, _ := strings.Cut(x, "=")
		for y := range strings.SplitSeq(b, "\n") {
			if other, otherValue, _ := strings.Cut(y, "="); scheme != "" && scheme == other && value != otherValue {
				return true
			}
		}
	}
	return false
}

// close removes the temporary file, whatever became of the search.
func (r *repeatFinder) close(err error) error { return errors.Join(err, r.entries.close()) }
