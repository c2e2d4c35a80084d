package match

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// Stored models begin with these, and end with a checksum of what is before it.
const (
	modelMagic   = "CLMM"
	modelVersion = 3
	// versionWithoutWholes is that of models stored before whole names were counted, and
	// versionWithoutSites of those before sites were told apart.
	versionWithoutWholes = 2
	versionWithoutSites  = 1
)

// MarshalBinary stores the model. It takes some megabytes for a book of a million. Words that
// at most four values have are left out, so that scores by the model that [Load] returns
// differ from this one's by some tenths where such words count.
func (m *Model) MarshalBinary() ([]byte, error) {
	w := modelWriter{append([]byte(modelMagic), modelVersion)}
	w.uint(uint64(len(m.layout.schema)))
	for _, f := range m.layout.schema {
		w.text(f.Name)
		w.text(string(f.Type))
	}
	w.float(m.p.Prior)
	w.float(m.p.Related)
	w.float(m.p.Site)
	w.float(m.p.Shift)
	for i := range m.layout.columns {
		p := &m.p.Columns[i]
		for s := range absent {
			w.float(p.M[s])
			w.float(p.U[s])
			w.float(p.R[s])
			w.float(p.B[s])
			w.float(p.Mean[s])
		}
		w.uint(uint64(m.filled[i]))
		w.counts(m.frequent[i])
		w.counts(m.layout.columns[i].said)
		w.b = m.layout.columns[i].corpus.AppendBinary(w.b)
	}
	w.counts(m.common)
	return binary.LittleEndian.AppendUint32(w.b, crc32.ChecksumIEEE(w.b)), nil
}

// Load reads a stored model. The options say the comparators, as at its training; their
// schema, if there is one, must be that of the model. Errors are a [*Error].
func Load(stored []byte, o Options) (*Model, error) {
	bad := func(remedy string) (*Model, error) {
		return nil, &Error{Kind: ErrModel, Field: "model", Remedy: remedy}
	}
	head := len(modelMagic) + 1
	if len(stored) < head+4 || string(stored[:len(modelMagic)]) != modelMagic {
		return bad("these bytes are no stored model")
	}
	version := stored[head-1]
	if version < versionWithoutSites || version > modelVersion {
		return bad("this version of the model is unknown; train it again")
	}
	body := stored[:len(stored)-4]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(stored[len(body):]) {
		return bad("the model is damaged; restore it or train it again")
	}
	r := &modelReader{b: body[head:], sites: version > versionWithoutSites, wholes: version > versionWithoutWholes}
	m, err := r.model(&o)
	if err == nil && r.failed {
		return bad("the model is damaged; restore it or train it again")
	}
	return m, err
}

func (r *modelReader) model(o *Options) (*Model, error) {
	var schema []Field
	for range r.length() {
		schema = append(schema, Field{Name: r.text(), Type: compare.Type(r.text())})
	}
	if o.Schema != nil && !slices.Equal(o.Schema, schema) {
		return nil, &Error{Kind: ErrModel, Field: "schema", Remedy: "the model is of another schema; train it again"}
	}
	o.Schema = schema
	draft, err := newLayout(o, nil)
	if err != nil {
		return nil, err
	}
	n := len(draft.columns)
	p := &parameters{Columns: make([]weights, n), Prior: r.float(), Related: r.float(), Site: r.site(), Shift: r.float()}
	corpora, said := make([]*compare.Corpus, n), make([]translation, n)
	filled, frequent := make([]int, n), make([]map[uint64]uint32, n)
	for i := range n {
		for s := range absent {
			c := &p.Columns[i]
			c.M[s], c.U[s], c.R[s], c.B[s], c.Mean[s] = r.float(), r.float(), r.float(), r.site(), r.float()
		}
		filled[i] = int(r.uint())
		frequent[i] = r.counts()
		said[i] = r.counts()
		corpora[i] = r.corpus()
	}
	common := r.counts()
	if r.failed {
		return nil, nil
	}
	l, err := newLayout(o, corpora)
	if err != nil {
		return nil, err
	}
	for i, t := range said {
		if len(t) > 0 {
			l.columns[i].said, p.Columns[i].Translated = t, true
		}
	}
	m := newModel(l, p)
	m.filled, m.frequent, m.common = filled, frequent, common
	return m, nil
}

// modelWriter appends the parts of a model.
type modelWriter struct{ b []byte }

func (w *modelWriter) uint(n uint64) { w.b = binary.AppendUvarint(w.b, n) }
func (w *modelWriter) float(x float64) {
	w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(x))
}

func (w *modelWriter) text(s string) {
	w.uint(uint64(len(s)))
	w.b = append(w.b, s...)
}

// counts stores a map in the order of its keys, so that equal models have equal bytes.
func (w *modelWriter) counts(m map[uint64]uint32) {
	keys := make([]uint64, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sortUint64(keys)
	w.uint(uint64(len(keys)))
	for _, k := range keys {
		w.b = binary.LittleEndian.AppendUint64(w.b, k)
		w.uint(uint64(m[k]))
	}
}

// modelReader cuts the parts of a model. After a failure it returns zero values.
type modelReader struct {
	b      []byte
	failed bool
	sites  bool // whether the model has what it learned of sites
	wholes bool // whether its corpora count whole names
}

// site reads what was learned of sites: of a model without, that there are none.
func (r *modelReader) site() float64 {
	if !r.sites {
		return noSites
	}
	return r.float()
}

func (r *modelReader) fail() {
	r.b, r.failed = nil, true
}

func (r *modelReader) uint() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

// length is a number of parts to come, each of which takes at least a byte.
func (r *modelReader) length() int {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *modelReader) take(n int) []byte {
	if len(r.b) < n {
		r.fail()
		return make([]byte, n)
	}
	part := r.b[:n]
	r.b = r.b[n:]
	return part
}

func (r *modelReader) float() float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(r.take(8)))
}

func (r *modelReader) text() string { return string(r.take(r.length())) }

func (r *modelReader) counts() map[uint64]uint32 {
	m := map[uint64]uint32{}
	for range r.length() {
		k := binary.LittleEndian.Uint64(r.take(8))
		m[k] = uint32(r.uint())
		if r.failed {
			break
		}
	}
	return m
}

func (r *modelReader) corpus() *compare.Corpus {
	c, rest, err := compare.CutCorpus(r.b)
	if err != nil {
		r.fail()
		return compare.NewCorpus()
	}
	r.b = rest
	if !r.wholes {
		c.WordsOnly()
	}
	return c
}
