package match

import (
	"context"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// missing is the id of the value that says nothing.
const missing = 0

// dictionary is the distinct values of a column.
type dictionary struct {
	texts *texts             // until the forms are made, or for good where they are made anew
	by    compare.Comparator // makes the forms
	forms []compare.Form     // nil where they are made anew whenever they are needed
	held  []bool             // by value, where forms are made anew: whether it has one
	count []int32            // rows that have the value
	exact []uint8            // information of two records having it, in quarters of a bit
	said  []uint8            // the most that it can have in common with another value, in quarters of a bit

	sketcher compare.Sketcher
	sketch   []uint64 // what the sketcher keeps of the form, nil without one
	outlines outlines
}

func newDictionary(by compare.Comparator) *dictionary {
	d := &dictionary{texts: &texts{}, by: by, count: []int32{0}}
	d.texts.id("")
	return d
}

// values is how many there are, the missing one among them.
func (d *dictionary) values() int { return len(d.count) }

func (d *dictionary) id(text string) uint32 {
	if text == "" {
		d.count[missing]++
		return missing
	}
	id := d.texts.id(text)
	if int(id) == len(d.count) {
		d.count = append(d.count, 0)
	}
	d.count[id]++
	return id
}

// has reports whether a value has a form of its own.
func (d *dictionary) has(v uint32) bool {
	if d.forms == nil {
		return d.held[v]
	}
	return d.forms[v] != nil
}

// form is the form of a value, nil for none. One that is made anew isn't settled.
func (d *dictionary) form(v uint32) compare.Form {
	switch {
	case d.forms != nil:
		return d.forms[v]
	case d.held[v]:
		return d.by.Prepare(d.texts.text(v))
	}
	return nil
}

// formBytes is what a name or an address takes as a form, or somewhat less.
const formBytes = 256

// anew tells for each column whether its forms are made whenever they are needed, as all forms
// of names and addresses would take more than so much memory.
func (t *table) anew(memory int64) []bool {
	total := int64(0)
	list := make([]bool, len(t.dicts))
	for i, d := range t.dicts {
		if list[i] = isDear(t.layout.columns[i].typ); list[i] {
			total += int64(d.values()) * formBytes
		}
	}
	if total <= memory {
		clear(list)
	}
	return list
}

// prepare makes the normal form of every distinct value, learns the corpora, and joins
// the values whose normal forms are equal.
func (t *table) prepare(ctx context.Context, o *Options, learn bool) error {
	anew := t.anew(o.memory())
	hashes := make([][]uint64, len(t.dicts))
	for i, d := range t.dicts {
		d.texts.known = slots{}
		hashes[i] = make([]uint64, d.values())
		var err error
		if anew[i] {
			err = t.prepareAnew(ctx, o, i, hashes[i], learn)
		} else {
			d.forms = make([]compare.Form, d.values())
			err = d.prepare(ctx, o, 0, d.forms, hashes[i])
			d.texts = nil // the forms say it all
		}
		if err != nil {
			return err
		}
		o.report(Preparing, i+1, len(t.dicts))
	}
	return inTurn(ctx, o.workers(), len(t.dicts), func(i int) {
		c := &t.layout.columns[i]
		if learn {
			c.learn(t.dicts[i].forms, t.dicts[i].count)
			c.corpus.Seal()
		}
		t.join(i, hashes[i])
		hashes[i] = nil
	})
}

// prepare makes the forms of values, from one on, and their hashes.
func (d *dictionary) prepare(ctx context.Context, o *Options, from int, forms []compare.Form, hashes []uint64) error {
	return parallel(ctx, o.workers(), len(forms), func(i int) {
		forms[i] = nil
		if from+i == missing {
			return
		}
		if f := d.by.Prepare(d.texts.text(uint32(from + i))); f != nil {
			forms[i], hashes[from+i] = f, formHash(f)
		}
	})
}

// preparedAtOnce is how many forms of a column stay together where they are made anew.
const preparedAtOnce = 1 << 14

// prepareAnew makes the forms of a column for what is to be learned and known of them.
func (t *table) prepareAnew(ctx context.Context, o *Options, i int, hashes []uint64, learn bool) error {
	d := t.dicts[i]
	d.held = make([]bool, d.values())
	room := make([]compare.Form, min(preparedAtOnce, d.values()))
	for from := 0; from < d.values(); from += len(room) {
		forms := room[:min(len(room), d.values()-from)]
		if err := d.prepare(ctx, o, from, forms, hashes); err != nil {
			return err
		}
		if learn {
			t.layout.columns[i].learn(forms, d.count[from:])
		}
		for j, f := range forms {
			d.held[from+j] = f != nil
		}
	}
	return nil
}

// learn counts the words of forms, each of which so many rows have.
func (c *column) learn(forms []compare.Form, count []int32) {
	for v, f := range forms {
		c.corpus.Learn(c.cmp, f, int(count[v]))
	}
}

// join gives values with equal normal forms, which have equal hashes, one id, and those without
// a form the missing one.
func (t *table) join(i int, hashes []uint64) {
	d := t.dicts[i]
	var known slots
	to := make([]uint32, d.values())
	for v := range to {
		if !d.has(uint32(v)) {
			continue
		}
		first, joined := known.add(hashes[v], uint32(v), func(first uint32) bool {
			return hashes[first] == hashes[v] && d.form(first).Key() == d.form(uint32(v)).Key()
		})
		to[v] = first
		if joined {
			d.count[first] += d.count[v]
			d.drop(v)
		}
	}
	for _, v := range t.column(i) {
		*v = to[*v]
	}
}

// drop takes a value away that became another.
func (d *dictionary) drop(v int) {
	d.count[v] = 0
	if d.forms == nil {
		d.held[v] = false
	} else {
		d.forms[v] = nil
	}
}
