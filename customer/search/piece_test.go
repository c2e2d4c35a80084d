package search

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	index "github.com/blevesearch/bleve_index_api"
	segment "github.com/blevesearch/scorch_segment_api/v2"
	zap "github.com/blevesearch/zapx/v17"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample"
)

// described is a document as Bleve's own code takes it.
type described struct{ document }

var once, uncounted index.TokenFreq

func init() { once.SetFrequency(1) }

func (d *described) VisitFields(visit index.FieldVisitor) {
	visit(&describedField{name: "_id", value: []byte(d.id), terms: index.TokenFrequencies{d.id: &once}})
	terms := index.TokenFrequencies{}
	start := int32(0)
	for _, end := range d.ends {
		terms[string(d.buf[start:end])] = &uncounted
		start = end
	}
	visit(&describedField{name: field, value: appendStored(nil, d.version, d.stored), terms: terms})
}

type describedField struct {
	name  string
	value []byte
	terms index.TokenFrequencies
}

func (f *describedField) Name() string                                     { return f.name }
func (f *describedField) Value() []byte                                    { return f.value }
func (f *describedField) ArrayPositions() []uint64                         { return nil }
func (f *describedField) EncodedFieldType() byte                           { return 't' }
func (f *describedField) Analyze()                                         {}
func (f *describedField) AnalyzedLength() int                              { return 1 }
func (f *describedField) AnalyzedTokenFrequencies() index.TokenFrequencies { return f.terms }
func (f *describedField) NumPlainTextBytes() uint64                        { return 0 }
func (f *describedField) Options() index.FieldIndexingOptions {
	return index.IndexField | index.StoreField
}

// TestPieceMakesTheSegmentThatBleveMakes reads segments of both back through Bleve.
func TestPieceMakesTheSegmentThatBleveMakes(t *testing.T) {
	for _, n := range []int{1, 2, 50, longOr(200, 5000)} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			ours, theirs := bothSegments(t, shuffled(n))
			compareSegments(t, ours, theirs)
		})
	}
}

// shuffled are sample customers in random order, with versions of all lengths.
func shuffled(n int) []*customer.Customer {
	random := rand.New(rand.NewPCG(uint64(n), 1))
	list := slices.Collect(sample.Customers(9, n))
	random.Shuffle(n, func(i, j int) { list[i], list[j] = list[j], list[i] })
	for _, c := range list {
		c.Version = random.Uint64() >> random.IntN(64)
	}
	return list
}

func bothSegments(t *testing.T, customers []*customer.Customer) (ours, theirs segment.Segment) {
	t.Helper()
	var a analyser
	var forThem []index.Document
	p := newPiece()
	for _, c := range customers {
		d := new(document)
		d.fill(c, &a)
		p.add(d.customer, d.version, &d.terms)
		forThem = append(forThem, &described{*d})
	}
	ours, err := p.segment(nil)
	if err != nil {
		t.Fatal(err)
	}
	if theirs, _, err = new(zap.ZapPlugin).New(forThem); err != nil {
		t.Fatal(err)
	}
	return ours, theirs
}

// TestSegmentsAreInTheOrderOfIds, by which scopes are copied in runs.
func TestSegmentsAreInTheOrderOfIds(t *testing.T) {
	x := open(t, shuffled(300), Options{})
	v, err := x.view()
	if err != nil {
		t.Fatal(err)
	}
	defer v.close()
	shards, err := v.shards()
	if err != nil {
		t.Fatal(err)
	}
	if len(shards) != 1 || len(shards[0].runs()) != 1 {
		t.Errorf("%d segments, the first of %v, want one of one run", len(shards), shards[0].runs())
	}
}

// compareSegments compares what can be read of two segments.
func compareSegments(t *testing.T, a, b segment.Segment) {
	t.Helper()
	if a.Count() != b.Count() || !slices.Equal(a.Fields(), b.Fields()) {
		t.Fatalf("%d documents with %v, want %d with %v", a.Count(), a.Fields(), b.Count(), b.Fields())
	}
	for n := range a.Count() {
		if got, want := storedOf(t, a, n), storedOf(t, b, n); got != want {
			t.Fatalf("document %d stores %s, want %s", n, got, want)
		}
	}
	for _, name := range a.Fields() {
		got, want := postingsOf(t, a, name), postingsOf(t, b, name)
		if len(got) != len(want) {
			t.Fatalf("field %s has %d terms, want %d", name, len(got), len(want))
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("field %s: %s, want %s", name, got[i], want[i])
			}
		}
	}
}

func storedOf(t *testing.T, s segment.Segment, n uint64) string {
	t.Helper()
	id, err := s.DocID(n)
	text := fmt.Sprintf("%x", id)
	if err == nil {
		err = s.VisitStoredFields(n, func(name string, kind byte, value []byte, at []uint64) bool {
			text += fmt.Sprintf(" %s %c %x %v", name, kind, value, at)
			return true
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// postingsOf lists the terms of a field with their documents, read with and without
// frequencies.
func postingsOf(t *testing.T, s segment.Segment, name string) []string {
	t.Helper()
	dictionary, err := s.Dictionary(name)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for it := dictionary.AutomatonIterator(nil, nil, nil); ; {
		entry, err := it.Next()
		if err != nil {
			t.Fatal(err)
		}
		if entry == nil {
			return list
		}
		postings, err := dictionary.PostingsList([]byte(entry.Term), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var numbers []uint64
		for documents := postings.Iterator(true, true, true, nil); ; {
			p, err := documents.Next()
			if err != nil {
				t.Fatal(err)
			}
			if p == nil {
				break
			}
			if len(p.Locations()) > 0 {
				t.Fatalf("%q has locations", entry.Term)
			}
			numbers = append(numbers, p.Number())
		}
		list = append(list, fmt.Sprintf("%q %d %v %v", entry.Term, postings.Count(), numbers, documents(postings)))
	}
}

// TestPiecesMergeAsBlevesSegmentsDo merges segments of both kinds, some documents
// dropped, and compares, checksum included.
func TestPiecesMergeAsBlevesSegmentsDo(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	customers := shuffled(longOr(200, 3000))
	var ours, theirs []segment.Segment
	var drops []*roaring.Bitmap
	for part := range slices.Chunk(customers, (len(customers)+4)/5) {
		a, b := bothSegments(t, part)
		ours, theirs = append(ours, a), append(theirs, b)
		drop := roaring.New()
		for range len(part) / 5 {
			drop.Add(uint32(random.IntN(len(part))))
		}
		drops = append(drops, drop)
	}
	merge := func(name string, from []segment.Segment) segment.Segment {
		path := filepath.Join(t.TempDir(), name)
		if err := mergeSegments(context.Background(), from, drops, path); err != nil {
			t.Fatal(err)
		}
		if err := checkFile(path); err != nil {
			t.Fatal(err)
		}
		s, err := segments.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	compareSegments(t, merge("ours", ours), merge("theirs", theirs))
	mixed := []segment.Segment{ours[0], theirs[1], ours[2], theirs[3], ours[4]}
	compareSegments(t, merge("mixed", mixed), merge("again", theirs))
}

// TestDenseTermsAreChunkedAsBleveReadsThem has a term in more documents than one
// chunk of frequencies holds.
func TestDenseTermsAreChunkedAsBleveReadsThem(t *testing.T) {
	var customers []*customer.Customer
	for i := range 5000 {
		c := &customer.Customer{ID: customer.ID(i + 1), Version: 1, Name: "甲"}
		if i%3 == 0 {
			c.Name = "乙"
		}
		customers = append(customers, c)
	}
	ours, theirs := bothSegments(t, customers)
	compareSegments(t, ours, theirs)
}
