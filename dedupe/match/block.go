package match

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// maxBlock is how many records may share a key before the key is too common to be used
// alone. Larger blocks are split by joining their keys in twos and threes.
const maxBlock = 60

// blocker builds an index.
type blocker struct {
	t    *table
	x    *index
	big  bigKeys
	join joining
	s    *spill
	keys int // that a worker may keep in memory
}

// buildIndex makes the blocks of a table.
func buildIndex(ctx context.Context, o *Options, s *spill, t *table) (*index, error) {
	b := &blocker{t: t, x: newIndex(t.rows()), join: newJoining(len(t.layout.columns)),
		s: s, keys: s.room(o.workers(), hashedBytes)}
	spaces := keySpaces(t.layout.columns)
	parts, failed := make([]*blockPart, len(spaces)), make([]error, len(spaces))
	err := inTurn(ctx, o.workers(), len(spaces), func(i int) {
		parts[i] = newBlockPart(t)
		failed[i] = parts[i].columns(spaces[i], newScattered(parts[i].guess(spaces[i]), b.keys, s))
	})
	if err := errors.Join(append(failed, err)...); err != nil {
		return nil, err
	}
	if err := b.alike(); err != nil {
		return nil, err
	}
	if b.big, err = newBigKeys(ctx, o.workers(), t.rows(), b.join, parts); err != nil {
		return nil, err
	}
	b.append(parts)
	o.report(Blocking, 1, 2)
	if err := b.composite(ctx, o.workers()); err != nil {
		return nil, err
	}
	return b.x, b.x.full()
}

// append puts parts of the index together, in their order.
func (b *blocker) append(parts []*blockPart) {
	for i, p := range parts {
		b.x.append(&p.blocks)
		for i := range p.common {
			b.x.common[p.common[i].hash] = p.common[i].noted()
		}
		parts[i] = nil // its memory can go
	}
}

// blockPart is a part of the index that one goroutine makes.
type blockPart struct {
	t      *table
	blocks blockList
	room   []uint32    // for the rows of a block
	in     []valueRows // by column
	common []commonKey
	large  []hashed // rows' keys that are too common
}

// valueRows are the rows of a column by value: those of v from start[v] to start[v+1].
type valueRows struct{ start, rows []uint32 }

func newBlockPart(t *table) *blockPart { return &blockPart{t: t} }

// columns makes the blocks of the keys of columns that may meet.
func (b *blockPart) columns(space []int, keys *scattered) error {
	b.in = make([]valueRows, len(b.t.dicts))
	for _, i := range space {
		b.in[i] = b.t.rowsOf(i)
		b.eachKey(i, keys.add)
	}
	return keys.eachGroup(func(group []hashed) {
		if len(group) > 1 || !group[0].lone {
			b.group(group)
		}
	})
}

// eachKey emits the keys of the values of a column. In place of a value that one row has stands
// that row: to look it up later would be to wait for memory.
func (b *blockPart) eachKey(i int, emit func(hashed)) {
	c, d, in := &b.t.layout.columns[i], b.t.dicts[i], &b.in[i]
	salt := keySalt(c.typ)
	var k hashed
	hashing := func(key compare.Key) { // once for all values, as it is allocated
		k.hash = mixHash(key.Hash, salt)
		emit(k)
	}
	for v := range uint32(d.values()) {
		if rows := in.of(v); d.has(v) && len(rows) > 0 {
			k = hashed{id: v, column: uint8(i)}
			if len(rows) == 1 {
				k.id, k.lone = rows[0], true
			}
			c.cmp.Keys(d.form(v), compare.AllKeys, hashing)
		}
	}
}

func (r *valueRows) of(v uint32) []uint32 { return r.rows[r.start[v]:r.start[v+1]] }

// guess estimates how many keys columns have, from some of their values.
func (b *blockPart) guess(space []int) int {
	const some = 512
	total := 0
	for _, i := range space {
		d := b.t.dicts[i]
		count, step := 0, max(d.values()/some, 1)
		for v := 0; v < d.values(); v += step {
			if f := d.form(uint32(v)); f != nil {
				d.by.Keys(f, compare.AllKeys, func(compare.Key) { count++ })
			}
		}
		total += count * step
	}
	return total
}

// appendRows appends the rows that have a key.
func (b *blockPart) appendRows(rows []uint32, k hashed) []uint32 {
	if k.lone {
		return append(rows, k.id)
	}
	return append(rows, b.in[k.column].of(k.id)...)
}

// group makes a block of the values that share a key, or notes that it is too common.
func (b *blockPart) group(group []hashed) {
	group = slices.Compact(group)
	b.room = b.room[:0]
	for _, k := range group {
		b.room = b.appendRows(b.room, k)
	}
	slices.Sort(b.room)
	rows := slices.Compact(b.room)
	switch size := len(rows); {
	case size < 2:
	case size > maxBlock:
		b.common = append(b.common, b.tooCommon(group, rows))
	default:
		b.blocks.add(group[0].column, rows)
	}
}

// tooCommon notes a key that values share, which so many rows have.
func (b *blockPart) tooCommon(group []hashed, rows []uint32) commonKey {
	c := commonKey{hash: group[0].hash, size: uint32(len(rows)), sole: true}
	for from := 0; from < len(group); {
		to := from + 1
		for to < len(group) && group[to].column == group[from].column {
			to++
		}
		c.sole = c.sole && to == from+1
		if to-from < len(group) {
			rows = b.rowsOf(group[from:to])
		} else {
			rows = slices.Clone(rows)
		}
		c.in = append(c.in, columnRows{group[from].column, rows})
		from = to
	}
	return c
}

// rowsOf are the rows of values of one column.
func (b *blockPart) rowsOf(group []hashed) []uint32 {
	var rows []uint32
	for _, k := range group {
		rows = b.appendRows(rows, k)
	}
	slices.Sort(rows)
	return rows
}

// The columns of blocks that two, three or all columns share.
const (
	pairColumn   = 253
	tripleColumn = 254
	wholeColumn  = 255
)

// composite splits the large blocks: the common keys of different columns are joined in
// twos, and where these are still too large, in threes.
func (b *blocker) composite(ctx context.Context, workers int) error {
	large, err := b.inParts(ctx, workers, pairColumn, b.t.rows(), func(from, to int, emit func(hash uint64, row uint32)) {
		var room []joint
		for row := from; row < to; row++ {
			room = b.big.row(row, room)
			b.join.eachTwo(room, func(_, _ int, two uint64) { emit(two, uint32(row)) })
		}
	})
	if err != nil {
		return err
	}
	sortByKey(large, make([]hashed, len(large)), func(k hashed) uint64 { return uint64(k.id) })
	_, err = b.inParts(ctx, workers, tripleColumn, len(large), func(from, to int, emit func(hash uint64, row uint32)) {
		var room []joint
		for i, k := range large[from:to] {
			if i == 0 || k.id != large[from+i-1].id {
				room = b.big.row(int(k.id), room)
			}
			b.join.eachTwo(room, func(i, j int, two uint64) {
				if two == k.hash {
					b.join.eachThird(room, i, j, two, func(three uint64) { emit(three, k.id) })
				}
			})
		}
	})
	return err
}

// keysAtOnce is how many joined keys are sorted together, if that doesn't take more than
// partsPerWorker turns of a worker: each turn makes all keys anew, so that as many turns as
// there are keys would make the work grow with their square. What is too much for memory then
// goes to a file.
const (
	keysAtOnce     = 8 << 20
	partsPerWorker = 2
)

// estimate is about how many keys n things have, of which some here and there are counted.
func estimate(n int, count func(from, to int) int) int {
	const some, apart = 256, 16
	counted, keys := 0, 0
	for from := 0; from < n; from += some * apart {
		to := min(from+some, n)
		counted, keys = counted+to-from, keys+count(from, to)
	}
	return keys * n / max(counted, 1)
}

// inParts makes the blocks of the keys that a function emits for n things, in several parts,
// and returns the keys too common.
func (b *blocker) inParts(ctx context.Context, workers int, column uint8, n int, each func(from, to int, emit func(hash uint64, row uint32))) (large []hashed, err error) {
	total := estimate(n, func(from, to int) (keys int) {
		each(from, to, func(uint64, uint32) { keys++ })
		return keys
	})
	count := uint64(min(total/keysAtOnce+1, partsPerWorker*workers))
	parts, failed := make([]*blockPart, count), make([]error, count)
	err = inTurn(ctx, workers, int(count), func(i int) {
		keys := newScattered(total/int(count), b.keys, b.s)
		each(0, n, func(hash uint64, row uint32) {
			if hash%count == uint64(i) {
				keys.add(hashed{hash: hash, id: row})
			}
		})
		parts[i] = newBlockPart(b.t)
		failed[i] = parts[i].ofRows(keys, column)
	})
	if err := errors.Join(append(failed, err)...); err != nil {
		return nil, err
	}
	for _, p := range parts {
		large = append(large, p.large...)
	}
	b.append(parts)
	return large, nil
}

// ofRows makes the blocks of rows' keys, and notes those too common.
func (b *blockPart) ofRows(keys *scattered, column uint8) error {
	return keys.eachGroup(func(group []hashed) {
		if len(group) < 2 {
			return
		}
		if len(group) > maxBlock {
			b.large = append(b.large, group...)
			b.common = append(b.common, commonKey{hash: group[0].hash, size: uint32(len(group))})
			return
		}
		b.room = b.room[:0]
		for _, k := range group {
			b.room = append(b.room, k.id)
		}
		b.blocks.add(column, b.room)
	})
}

// alike makes blocks of the rows that agree in all columns, as the copies of one record do,
// however common their keys are. Where there are more than maxBlock each block has the first
// of them, so that all are neighbours of one.
func (b *blocker) alike() error {
	keys := newScattered(b.t.rows(), b.keys, b.s)
	var room []byte
	for row := range b.t.rows() {
		room = room[:0]
		some := uint32(0)
		for _, v := range b.t.row(uint32(row)) {
			room, some = binary.LittleEndian.AppendUint32(room, v), some|v
		}
		if some != missing {
			keys.add(hashed{hash: xxhash.Sum64(room), id: uint32(row)})
		}
	}
	p := newBlockPart(b.t)
	err := keys.eachGroup(p.alike)
	b.append([]*blockPart{p})
	return err
}

// alike makes the blocks of rows that agree in all columns.
func (b *blockPart) alike(group []hashed) {
	for from := 1; from < len(group); from += maxBlock - 1 {
		b.room = append(b.room[:0], group[0].id)
		for _, k := range group[from:min(from+maxBlock-1, len(group))] {
			b.room = append(b.room, k.id)
		}
		b.blocks.addCopies(len(group), b.room)
	}
}

// spaceOf is the type whose keys a type's keys may meet: a phone may stand under fax,
// a given name where the family name belongs.
func spaceOf(t compare.Type) compare.Type {
	if t == compare.PersonFamily {
		return compare.PersonGiven
	}
	return t
}

// keySalt keeps the keys of other types apart.
func keySalt(t compare.Type) uint64 { return xxhash.Sum64String(string(spaceOf(t))) }

// keySpaces groups the columns whose keys may meet.
func keySpaces(columns []column) [][]int {
	var spaces [][]int
	at := map[compare.Type]int{}
	for i := range columns {
		t := spaceOf(columns[i].typ)
		s, known := at[t]
		if !known {
			s = len(spaces)
			at[t] = s
			spaces = append(spaces, nil)
		}
		spaces[s] = append(spaces[s], i)
	}
	return spaces
}

func mixHash(a, b uint64) uint64 {
	x := a ^ (b*0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019)
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

func compareHash(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// formHash is the stable hash of a normal form.
func formHash(f compare.Form) uint64 { return xxhash.Sum64String(f.Key()) }
