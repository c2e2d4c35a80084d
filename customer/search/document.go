package search

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"
	segment "github.com/blevesearch/scorch_segment_api/v2"
	zap "github.com/blevesearch/zapx/v17"

	"github.com/clientele-go/clientele/customer"
)

// field is the one Bleve field with the terms.
const field = "t"

// document is a customer as it goes through Bleve's index: with its terms, which
// only our own plug-in for segments looks at.
type document struct {
	terms
	customer customer.ID
	version  uint64
	id       string
}

// fill sets the document to c.
func (d *document) fill(c *customer.Customer, a *analyser) {
	a.customer(c)
	d.buf = append(d.buf[:0], a.buf...)
	d.ends = append(d.ends[:0], a.ends...)
	d.stored = append(d.stored[:0], a.stored...)
	d.customer, d.version, d.id = c.ID, c.Version, docID(c.ID)
}

// docID is the customer's id as Bleve's, big-endian so that their orders agree.
func docID(id customer.ID) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(id))
	return string(b[:])
}

// The rest of index.Document describes fields that Bleve would have to analyse.

func (d *document) ID() string                                 { return d.id }
func (d *document) Size() int                                  { return len(d.buf) }
func (d *document) VisitFields(index.FieldVisitor)             {}
func (d *document) VisitComposite(index.CompositeFieldVisitor) {}
func (d *document) HasComposite() bool                         { return false }
func (d *document) NumPlainTextBytes() uint64                  { return 0 }
func (d *document) AddIDField()                                {}
func (d *document) StoredFieldsBytes() uint64                  { return 0 }
func (d *document) Indexed() bool                              { return true }

// segments is Bleve's plug-in for segments, with our way to make them. Bleve finds it
// by its name, which the index stores; registering it changes nothing for others
// that use Bleve in the same process.
var segments plugin

const pluginType = "clientele"

func init() { scorch.RegisterSegmentPlugin(&segments, false) }

type plugin struct{ zap.ZapPlugin }

func (*plugin) Type() string { return pluginType }

func (p *plugin) New(documents []index.Document) (segment.Segment, uint64, error) {
	return p.NewUsing(documents, nil)
}

func (*plugin) NewUsing(documents []index.Document, config map[string]any) (segment.Segment, uint64, error) {
	p := pieces.Get().(*piece)
	defer pieces.Put(p)
	p.reset()
	ours := make([]*document, len(documents))
	for i, d := range documents {
		var ok bool
		if ours[i], ok = d.(*document); !ok {
			return nil, 0, fmt.Errorf("search: %T is none of our documents", d)
		}
	}
	// Bleve keeps a batch in a map. In order, scopes are copied by runs of ids.
	slices.SortFunc(ours, func(a, b *document) int { return cmp.Compare(a.customer, b.customer) })
	for _, d := range ours {
		p.add(d.customer, d.version, &d.terms)
	}
	made, err := p.segment(config)
	if err != nil {
		return nil, 0, err
	}
	return made, uint64(made.Size()), nil
}

// pieces are kept for the next batch.
var pieces = sync.Pool{New: func() any { return newPiece() }}
