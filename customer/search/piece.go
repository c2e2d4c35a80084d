package search

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"hash/maphash"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	index "github.com/blevesearch/bleve_index_api"
	segment "github.com/blevesearch/scorch_segment_api/v2"
	"github.com/blevesearch/vellum"
	zap "github.com/blevesearch/zapx/v17"
	"github.com/golang/snappy"

	"github.com/clientele-go/clientele/customer"
)

// piece collects documents and makes a segment of them in Bleve's format, zap 17 (see
// zap.md in the module of that name). Bleve makes a segment from a map of terms for
// each document, which takes three look-ups in large tables and a growing bitmap for
// every term of every document. A piece numbers the terms once, counts, and then
// has all documents of a term side by side: a quarter of the work. A test compares
// its segments with those that Bleve makes.
type piece struct {
	ids      []customer.ID // by document number
	versions []uint64
	names    []byte // one after the other
	nameEnds []int
	terms    vocabulary
	pairs    []pairing

	out  output
	fst  bytes.Buffer
	tree *vellum.Builder
	bits *roaring.Bitmap
}

// pairing says that a document has a term.
type pairing struct{ term, document uint32 }

func newPiece() *piece {
	return &piece{terms: vocabulary{seed: maphash.MakeSeed()}, bits: roaring.New()}
}

func (p *piece) reset() {
	p.ids, p.versions, p.pairs = p.ids[:0], p.versions[:0], p.pairs[:0]
	p.names, p.nameEnds = p.names[:0], p.nameEnds[:0]
	p.terms.reset()
}

// add adds a document with its terms, of which some may come several times.
func (p *piece) add(id customer.ID, version uint64, t *terms) {
	number := uint32(len(p.ids))
	p.ids = append(p.ids, id)
	p.versions = append(p.versions, version)
	p.names = append(p.names, t.stored...)
	p.nameEnds = append(p.nameEnds, len(p.names))
	start := int32(0)
	for _, end := range t.ends {
		term := p.terms.number(t.buf[start:end])
		start = end
		if p.terms.last[term] != number+1 {
			p.terms.last[term] = number + 1
			p.terms.count[term]++
			p.pairs = append(p.pairs, pairing{term, number})
		}
	}
}

// vocabulary numbers terms in the order in which they come.
type vocabulary struct {
	seed  maphash.Seed
	slots []uint32 // numbers plus one, 0 for a free slot; a power of two of them
	text  []byte   // the terms one after the other
	ends  []uint32 // by number, where each ends in text
	hash  []uint32
	count []uint32 // documents that have the term
	last  []uint32 // the last of them, plus one
}

func (v *vocabulary) reset() {
	clear(v.slots)
	v.text, v.ends, v.hash, v.count, v.last = v.text[:0], v.ends[:0], v.hash[:0], v.count[:0], v.last[:0]
}

func (v *vocabulary) term(n uint32) []byte {
	if n == 0 {
		return v.text[:v.ends[0]]
	}
	return v.text[v.ends[n-1]:v.ends[n]]
}

// number returns the number of a term, a new one for a new term.
func (v *vocabulary) number(term []byte) uint32 {
	if 2*len(v.ends) >= len(v.slots) {
		v.grow()
	}
	hash := uint32(maphash.Bytes(v.seed, term))
	mask := uint32(len(v.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		n := v.slots[i]
		if n == 0 {
			v.text = append(v.text, term...)
			v.ends = append(v.ends, uint32(len(v.text)))
			v.hash = append(v.hash, hash)
			v.count = append(v.count, 0)
			v.last = append(v.last, 0)
			v.slots[i] = uint32(len(v.ends))
			return uint32(len(v.ends) - 1)
		}
		if v.hash[n-1] == hash && bytes.Equal(v.term(n-1), term) {
			return n - 1
		}
	}
}

func (v *vocabulary) grow() {
	v.slots = make([]uint32, max(1<<12, 2*len(v.slots)))
	mask := uint32(len(v.slots) - 1)
	for n, hash := range v.hash {
		i := hash & mask
		for v.slots[i] != 0 {
			i = (i + 1) & mask
		}
		v.slots[i] = uint32(n + 1)
	}
}

// sorted returns the numbers of the terms in byte order.
func (v *vocabulary) sorted() []uint32 {
	type entry struct {
		front uint64 // the first eight bytes
		n     uint32
	}
	entries := make([]entry, len(v.ends))
	for n := range entries {
		var front [8]byte
		copy(front[:], v.term(uint32(n)))
		entries[n] = entry{binary.BigEndian.Uint64(front[:]), uint32(n)}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		if a.front != b.front {
			return cmp.Compare(a.front, b.front)
		}
		return bytes.Compare(v.term(a.n), v.term(b.n))
	})
	numbers := make([]uint32, len(entries))
	for i, e := range entries {
		numbers[i] = e.n
	}
	return numbers
}

const (
	idNumber      = 0 // of the fields, Bleve's _id is the first
	termsNumber   = 1
	storedText    = 't' // type of a stored value
	fieldOptions  = uint64(index.IndexField | index.StoreField)
	noValues      = ^uint64(0) // a field has no doc values
	onlyDocument  = 1 << 63    // a dictionary's value is the term's one document
	normOfOnly    = 1 << 31    // with frequency and norm 1
	postingsChunk = 1024       // postings to a chunk of frequencies
	bytesStored   = 600        // of a document in a segment, roughly
)

// segment returns a segment of the documents, at least one, in memory.
func (p *piece) segment(config map[string]any) (*zap.SegmentBase, error) {
	p.out = make(output, 0, len(p.ids)*bytesStored)
	stored := p.writeStored()
	ids, err := p.writeIDs()
	if err != nil {
		return nil, err
	}
	termsAt, err := p.writeTerms()
	if err != nil {
		return nil, err
	}
	fields := p.writeFields(ids, termsAt)
	stats, ok := config[segment.StatsKey].(*segment.Stats)
	if !ok {
		stats = new(segment.Stats)
	}
	return zap.InitSegmentBase(p.out, crc32.ChecksumIEEE(p.out), zap.DefaultChunkMode,
		uint64(len(p.ids)), stored, fields, config, stats)
}

// writeStored writes the id, version and name of each document, and where each is.
func (p *piece) writeStored() (at uint64) {
	offsets := make([]uint64, len(p.ids))
	var meta, data, value []byte
	start := 0
	for n, id := range p.ids {
		offsets[n] = p.out.here()
		value = appendStored(value[:0], p.versions[n], p.names[start:p.nameEnds[n]])
		start = p.nameEnds[n]
		meta = binary.AppendUvarint(meta[:0], 8)
		for _, v := range [...]uint64{termsNumber, storedText, 0, uint64(len(value)), 0} {
			meta = binary.AppendUvarint(meta, v)
		}
		data = snappy.Encode(data[:cap(data)], value)
		p.out.uvarint(uint64(len(meta)))
		p.out.uvarint(uint64(8 + len(data)))
		p.out.bytes(meta)
		p.out.uint64(uint64(id))
		p.out.bytes(data)
	}
	at = p.out.here()
	for _, offset := range offsets {
		p.out.uint64(offset)
	}
	p.out.uvarint(0) // no nested documents
	return at
}

// writeIDs writes the field of the documents' ids.
func (p *piece) writeIDs() (at uint64, err error) {
	order := make([]uint32, len(p.ids))
	for n := range order {
		order[n] = uint32(n)
	}
	slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(p.ids[a], p.ids[b]) })
	if err := p.plant(); err != nil {
		return 0, err
	}
	var key [8]byte
	for _, n := range order {
		binary.BigEndian.PutUint64(key[:], uint64(p.ids[n]))
		if err := p.tree.Insert(key[:], alone(n)); err != nil {
			return 0, err
		}
	}
	return p.writeDictionary()
}

// alone is the dictionary's value for a term of one document.
func alone(number uint32) uint64 { return onlyDocument | normOfOnly | uint64(number) }

// writeTerms writes the field of the terms.
func (p *piece) writeTerms() (at uint64, err error) {
	documents, ends := p.byTerm()
	if err := p.plant(); err != nil {
		return 0, err
	}
	for _, term := range p.terms.sorted() {
		end := ends[term]
		list := documents[end-p.terms.count[term] : end]
		value := alone(list[0])
		if len(list) > 1 {
			value = p.writePostings(list)
		}
		if err := p.tree.Insert(p.terms.term(term), value); err != nil {
			return 0, err
		}
	}
	return p.writeDictionary()
}

// byTerm puts the documents of each term side by side, and returns where each
// term's end.
func (p *piece) byTerm() (documents, ends []uint32) {
	ends = make([]uint32, len(p.terms.count))
	total := uint32(0)
	for term, count := range p.terms.count {
		ends[term] = total // for now where they begin
		total += count
	}
	documents = make([]uint32, total)
	for _, pair := range p.pairs {
		documents[ends[pair.term]] = pair.document
		ends[pair.term]++
	}
	return documents, ends
}

// writePostings writes the documents of a term and returns where they are.
func (p *piece) writePostings(list []uint32) (at uint64) {
	frequencies := p.out.here()
	p.out.frequencies(list, len(p.ids))
	p.bits.Clear()
	p.bits.AddMany(list)
	at = p.out.here()
	p.out.uvarint(frequencies)
	p.out.uvarint(0) // no positions
	p.out.uvarint(p.bits.GetSerializedSizeInBytes())
	_, _ = p.bits.WriteTo(&p.out) // appending doesn't fail
	return at
}

// treeOptions makes vellum look for equal ends of terms among few nodes only. It
// finds hardly any, as each term has another value, and merging makes new trees anyway.
var treeOptions = vellum.BuilderOpts{Encoder: 1, RegistryTableSize: 256, RegistryMRUSize: 1}

// plant begins a dictionary.
func (p *piece) plant() (err error) {
	p.fst.Reset()
	if p.tree == nil {
		p.tree, err = vellum.New(&p.fst, &treeOptions)
		return err
	}
	return p.tree.Reset(&p.fst)
}

// writeDictionary ends and writes a dictionary, and returns where its field begins.
func (p *piece) writeDictionary() (at uint64, err error) {
	if err := p.tree.Close(); err != nil {
		return 0, err
	}
	dictionary := p.out.here()
	p.out.uvarint(uint64(p.fst.Len()))
	p.out.bytes(p.fst.Bytes())
	at = p.out.here()
	p.out.uvarint(noValues)
	p.out.uvarint(noValues)
	p.out.uvarint(dictionary)
	return at, nil
}

// writeFields writes the table of the fields.
func (p *piece) writeFields(ids, termsAt uint64) (at uint64) {
	var starts [2]uint64
	for number, f := range [...]struct {
		name string
		at   uint64
	}{idNumber: {"_id", ids}, termsNumber: {field, termsAt}} {
		starts[number] = p.out.here()
		p.out.uvarint(uint64(len(f.name)))
		p.out.bytes([]byte(f.name))
		p.out.uvarint(fieldOptions)
		p.out.uvarint(1) // one section, of two bytes and an address
		p.out.bytes([]byte{0, zap.SectionInvertedTextIndex})
		p.out.uint64(f.at)
	}
	at = p.out.here()
	p.out.uvarint(uint64(len(starts)))
	for _, start := range starts {
		p.out.uint64(start)
	}
	return at
}

// output is a segment under construction.
type output []byte

func (o output) here() uint64                     { return uint64(len(o)) }
func (o *output) bytes(b []byte)                  { *o = append(*o, b...) }
func (o *output) uvarint(v uint64)                { *o = binary.AppendUvarint(*o, v) }
func (o *output) uint64(v uint64)                 { *o = binary.BigEndian.AppendUint64(*o, v) }
func (o *output) Write(b []byte) (n int, e error) { o.bytes(b); return len(b), nil }

// frequencies writes for each document the frequency zero, that is not counted, in
// chunks of which the reader knows the size: see getChunkSize of zap.
func (o *output) frequencies(list []uint32, documents int) {
	size := documents / (len(list)/postingsChunk + 1)
	chunks := (documents-1)/size + 1
	o.uvarint(uint64(chunks))
	for chunk, n := 1, 0; chunk <= chunks; chunk++ {
		for n < len(list) && int(list[n]) < chunk*size {
			n++
		}
		o.uvarint(uint64(n))
	}
	for range list {
		*o = append(*o, 0)
	}
}
