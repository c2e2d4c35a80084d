package search

import (
	"encoding/binary"

	index "github.com/blevesearch/bleve_index_api"
	"github.com/clientele-go/clientele/customer"
)

// field is the one Bleve field with the terms.
const field = "t"

// document is a customer as Bleve's index takes it: analysed already, with the
// version as the only stored value. A document is filled anew for one batch after
// the other, since its map of terms is what allocates most.
type document struct {
	id      string
	idBytes []byte
	version []byte
	self    index.TokenFrequencies
	terms   index.TokenFrequencies
}

// Bleve writes a term of one document shortest when it is counted once, and a term
// of many when it isn't counted.
var once, uncounted index.TokenFreq

func init() { once.SetFrequency(1) }

// fill sets the document to c.
func (d *document) fill(c *customer.Customer, a *analyser) {
	a.customer(c)
	clear(d.terms)
	if d.terms == nil {
		d.terms = make(index.TokenFrequencies, len(a.ends))
		d.self = make(index.TokenFrequencies, 1)
	}
	all := string(a.buf)
	start := int32(0)
	for _, end := range a.ends {
		term := all[start:end]
		start = end
		d.terms[term] = frequency(term[0])
	}
	d.id = docID(c.ID)
	d.idBytes = append(d.idBytes[:0], d.id...)
	d.version = binary.AppendUvarint(d.version[:0], c.Version)
	clear(d.self)
	d.self[d.id] = &once
}

// docID is the customer's id as Bleve's, big-endian so that their orders agree.
func docID(id customer.ID) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(id))
	return string(b[:])
}

func frequency(space byte) *index.TokenFreq {
	switch space {
	case exactCode, exactKey, mailbox:
		return &once
	}
	return &uncounted
}

func (d *document) ID() string { return d.id }
func (d *document) Size() int  { return 0 }
func (d *document) VisitFields(visit index.FieldVisitor) {
	visit((*idField)(d))
	visit((*termField)(d))
}
func (d *document) VisitComposite(visit index.CompositeFieldVisitor) {}
func (d *document) HasComposite() bool                               { return false }
func (d *document) NumPlainTextBytes() uint64                        { return 0 }
func (d *document) AddIDField()                                      {}
func (d *document) StoredFieldsBytes() uint64                        { return 0 }
func (d *document) Indexed() bool                                    { return true }

type idField document

func (f *idField) Name() string                                     { return "_id" }
func (f *idField) Value() []byte                                    { return f.idBytes }
func (f *idField) ArrayPositions() []uint64                         { return nil }
func (f *idField) EncodedFieldType() byte                           { return 't' }
func (f *idField) Analyze()                                         {}
func (f *idField) Options() index.FieldIndexingOptions              { return index.IndexField | index.StoreField }
func (f *idField) AnalyzedLength() int                              { return 1 }
func (f *idField) AnalyzedTokenFrequencies() index.TokenFrequencies { return f.self }
func (f *idField) NumPlainTextBytes() uint64                        { return 0 }

type termField document

func (f *termField) Name() string                                     { return field }
func (f *termField) Value() []byte                                    { return f.version }
func (f *termField) ArrayPositions() []uint64                         { return nil }
func (f *termField) EncodedFieldType() byte                           { return 't' }
func (f *termField) Analyze()                                         {}
func (f *termField) Options() index.FieldIndexingOptions              { return index.IndexField | index.StoreField }
func (f *termField) AnalyzedLength() int                              { return 1 }
func (f *termField) AnalyzedTokenFrequencies() index.TokenFrequencies { return f.terms }
func (f *termField) NumPlainTextBytes() uint64                        { return 0 }
