package match

import (
	"context"
	"math"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// translation is what pairs of one customer taught about the values of a column with few:
// which of them go together, though they may be written in other words or codes in
// another list, and how much more or less often than their level says. The key is a pair
// of values, the value the binary logarithm of that ratio in quarters, from translated.
type translation map[uint64]uint32

// translated stands for a ratio of one.
const translated = 128

// Columns that are translated have at most mostValues distinct values, each in
// leastUses records on the average.
const (
	mostValues = 500
	leastUses  = 8
)

// strange is how many pairs must be seen together for a ratio to be half believed.
const strange = 3

func (t translation) bits(a, b compare.Form) uint8 {
	if x, known := t[formPair(a, b)]; known {
		return uint8(x)
	}
	return translated
}

func formPair(a, b compare.Form) uint64 { return joinHash(formHash(a)) + joinHash(formHash(b)) }

// translatable reports whether a type's values may stand for one another.
func translatable(t compare.Type) bool {
	return t == compare.Category || t == compare.AddressCity || t == compare.AddressRegion
}

// translate learns the translations, notes them in the layout, and rewrites the evidence.
// It reports whether there are any.
func (r *runner) translate(ctx context.Context, tr *trainer) (bool, error) {
	any := false
	for i := range r.t.layout.columns {
		if !r.worthTranslating(i) {
			continue
		}
		if err := tr.expect(ctx, r.o); err != nil {
			return false, err
		}
		r.t.layout.columns[i].said = tr.translation(i)
		tr.p.Columns[i].Translated = true
		any = true
		r.retell(i)
	}
	return any, nil
}

func (r *runner) worthTranslating(i int) bool {
	d := r.t.dicts[i]
	values, uses := 0, 0
	for v := 1; v < len(d.count); v++ {
		if d.count[v] > 0 {
			values++
			uses += int(d.count[v])
		}
	}
	return translatable(r.t.layout.columns[i].typ) && values > 1 && values <= mostValues && uses >= leastUses*values
}

// retell puts the translations into the evidence of a column.
func (r *runner) retell(i int) {
	d, said := r.t.dicts[i], r.t.layout.columns[i].said
	for v := range d.count {
		if f := d.form(uint32(v)); f != nil {
			d.exact[v] = said.bits(f, f)
		}
	}
	again := func(pairs []pair, e *evidence) {
		for p, rows := range pairs {
			a, b := d.form(r.t.row(rows.a)[i]), d.form(r.t.row(rows.b)[i])
			if at := p*e.columns + i; e.state[at] < crossed {
				e.bits[at] = said.bits(a, b)
			}
		}
	}
	again(r.lesson.pairs, r.lesson.e)
	if r.e != nil && r.e != r.lesson.e {
		again(r.pairs.memory, r.e)
	}
	if r.ewithin != nil {
		again(r.within.memory, r.ewithin)
	}
}

// translation counts what goes together among the likely pairs of one customer, and
// compares with what the levels alone let expect.
func (tr *trainer) translation(i int) translation {
	d, w := tr.t.dicts[i], &tr.p.Columns[i]
	type seen struct {
		together float64
		state    uint8
		a, b     uint32
	}
	joint := map[[2]uint32]*seen{}
	total := 0.0
	for p, rows := range tr.pairs {
		state := tr.e.state[p*tr.e.columns+i]
		if state >= crossed || tr.post[p] < 0.05 {
			continue
		}
		a, b := tr.t.row(rows.a)[i], tr.t.row(rows.b)[i]
		key := [2]uint32{min(a, b), max(a, b)}
		if joint[key] == nil {
			joint[key] = &seen{state: state, a: a, b: b}
		}
		joint[key].together += float64(tr.post[p])
		total += float64(tr.post[p])
	}
	share := tr.t.shares(i)
	said := translation{}
	for _, s := range joint {
		blind := share[0][s.a]*share[1][s.b] + share[0][s.b]*share[1][s.a]
		if s.a == s.b {
			blind = share[0][s.a] * share[1][s.a]
		}
		expected := total * blind * w.M[s.state] / w.U[s.state]
		ratio := math.Log2((s.together+strange)/(expected+strange)) * 4
		said[formPair(d.form(s.a), d.form(s.b))] = uint32(min(max(translated+ratio, 0), 255))
	}
	return said
}

// shares are those of the values of a column, in each of two sources, or in all records.
func (t *table) shares(i int) [2][]float64 {
	var share [2][]float64
	for s := range share {
		share[s] = make([]float64, t.dicts[i].values())
		total := 0.0
		for row, v := range t.column(i) {
			if *v != missing && (len(t.names) != 2 || int(t.source[row]) == s) {
				share[s][*v]++
				total++
			}
		}
		for v := range share[s] {
			share[s][v] /= max(total, 1)
		}
	}
	return share
}
