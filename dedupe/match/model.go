package match

import (
	"math"
	"slices"
	"sync"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// Model is what a run learned about a book: the worth of every level of every field, how
// common values, words and keys are, and how many duplicates there are. It is immutable
// and safe for concurrent use.
type Model struct {
	layout *layout
	p      *parameters
	score  *scorer
	// common are the blocking keys that too many records share, with their size.
	common map[uint64]uint32
	// frequent are the values that several records have, by column and hash of the form.
	frequent []map[uint64]uint32
	filled   []int // records with a value, by column
	pool     sync.Pool
}

func newModel(l *layout, p *parameters) *Model {
	m := &Model{layout: l, p: p, score: newScorer(l, p), common: map[uint64]uint32{}}
	for range l.columns {
		m.frequent = append(m.frequent, map[uint64]uint32{})
		m.filled = append(m.filled, 1)
	}
	m.pool.New = func() any {
		n := len(l.columns)
		return &judging{newComparer(l), make([]uint8, n), make([]uint8, n)}
	}
	return m
}

// judging is the room that one comparison needs.
type judging struct {
	c           *comparer
	state, bits []uint8
}

// Schema is what the model's records hold. Do not change it.
func (m *Model) Schema() []Field { return m.layout.schema }

// Prepare makes the normal forms of a record. An [*Error] says that the record does not
// fit the schema.
func (m *Model) Prepare(r Record) (*Prepared, error) {
	if err := m.layout.check(&r, 0); err != nil {
		return nil, err
	}
	p := &Prepared{values: make([]value, len(m.layout.columns)), texts: make([]string, len(m.layout.columns))}
	for i := range m.layout.columns {
		c := &m.layout.columns[i]
		p.texts[i] = c.text(r.Values)
		if p.texts[i] == "" {
			continue
		}
		if f := c.cmp.Prepare(p.texts[i]); f != nil {
			said := m.layout.columns[i].cmp.Compare(f, f).Bits
			p.values[i] = value{form: f, exact: m.exact(i, f, said), said: mostShared(said)}
		}
	}
	return p, nil
}

// exact is the information of two records having the same value.
func (m *Model) exact(i int, f compare.Form, said float32) uint8 {
	if told := m.layout.columns[i].said; told != nil {
		return told.bits(f, f)
	}
	count := int32(max(m.frequent[i][formHash(f)], 2)) // two that have it are two
	counted := float32(math.Log2(float64(max(m.filled[i], int(count))) / float64(count)))
	return quarterBits(exactBits(counted, said, count))
}

// Score judges a pair. It takes some microseconds.
func (m *Model) Score(a, b *Prepared) Score {
	j := m.pool.Get().(*judging)
	defer m.pool.Put(j)
	j.c.records(a.values, b.values, j.state, j.bits)
	return newScore(float64(m.score.score(j.state, j.bits)))
}

// Explain judges a pair and tells field by field why.
func (m *Model) Explain(a, b *Prepared) Score {
	j := m.pool.Get().(*judging)
	defer m.pool.Put(j)
	j.c.records(a.values, b.values, j.state, j.bits)
	s := newScore(float64(m.score.score(j.state, j.bits)))
	for i, llr := range m.score.parts(j.state, j.bits) {
		level := m.levelOf(i, j.state[i])
		if j.state[i] == absent && a.values[i].form != nil && b.values[i].form != nil {
			level = mute
		}
		s.Fields = append(s.Fields, FieldScore{
			Field: m.layout.columns[i].name, A: a.texts[i], B: b.texts[i],
			Level: level.Name, Bits: float64(llr) / math.Ln2,
			Sentence: map[string]string{"en": level.En, "zh": level.Zh},
		})
	}
	return s
}

// mute is the level of two values that can't be compared.
var mute = compare.Level{Name: "mute", En: "the values are in scripts that can't be compared", Zh: "两者所用文字不同，无法比较"}

func (m *Model) levelOf(column int, state uint8) compare.Level {
	switch state {
	case absent:
		return compare.Level{Name: "missing", En: "one of the records has no value", Zh: "其中一条记录没有填写"}
	case crossed:
		return compare.Level{Name: "crossed", En: "agrees with another field of the other record", Zh: "与另一条记录的其他字段一致"}
	}
	return m.layout.columns[column].cmp.Levels()[state]
}

// Weight is what a model learned of one level of a field.
type Weight struct {
	Field, Level string
	// M and U are the shares of the level among pairs of one customer and among
	// unrelated pairs; Bits is the binary logarithm of their ratio.
	M, U, Bits float64
}

// Weights are all that the model learned, field by field from disagreement to equality.
func (m *Model) Weights() []Weight {
	var list []Weight
	for i := range m.layout.columns {
		w := &m.p.Columns[i]
		for s := range absent {
			list = append(list, Weight{
				m.layout.columns[i].name, m.levelOf(i, uint8(s)).Name, w.M[s], w.U[s], math.Log2(w.M[s] / w.U[s]),
			})
		}
	}
	return list
}

// Prior is the share of duplicates that the model expects among pairs drawn blindly.
func (m *Model) Prior() float64 { return 1 / (1 + math.Exp(-m.p.Prior)) }

// Keys are the blocking keys of a record: those that few records share, and the common
// ones joined in twos and threes. Sorted by hash, none twice.
func (m *Model) Keys(p *Prepared) []Key {
	var keys []Key
	var big []bigKey
	for i, v := range p.values {
		if v.form == nil {
			continue
		}
		salt := keySalt(m.layout.columns[i].typ)
		m.layout.columns[i].cmp.Keys(v.form, compare.AllKeys, func(k compare.Key) {
			h := mixHash(k.Hash, salt)
			if size, common := m.common[h]; common {
				big = append(big, newBigKey(h, size, uint8(i)))
			} else {
				keys = append(keys, Key{h, k.Kind, 1})
			}
		})
	}
	keys = m.joined(big, keys)
	slices.SortFunc(keys, func(a, b Key) int { return compareHash(a.Hash, b.Hash) })
	return slices.CompactFunc(keys, func(a, b Key) bool { return a.Hash == b.Hash })
}

// joined appends the common keys in twos and threes.
func (m *Model) joined(big []bigKey, keys []Key) []Key {
	join := newJoining(len(m.layout.columns))
	slices.SortFunc(big, func(a, b bigKey) int { return compareBig(&a, &b) })
	var rarest []joint
	for _, k := range join.rarest(big) {
		rarest = append(rarest, k.joint)
	}
	join.eachTwo(rarest, func(i, j int, two uint64) {
		if _, common := m.common[two]; !common {
			keys = append(keys, Key{two, compare.KeyPart, 2})
			return
		}
		join.eachThird(rarest, i, j, two, func(three uint64) {
			keys = append(keys, Key{three, compare.KeyPart, 3})
		})
	})
	return keys
}
