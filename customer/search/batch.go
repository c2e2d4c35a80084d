package search

import (
	"encoding/binary"
	"slices"

	index "github.com/blevesearch/bleve_index_api"

	"github.com/clientele-go/clientele/customer"
)

// batchMaker makes Bleve's batches and uses the documents of one for the next. It
// is for one goroutine.
type batchMaker struct {
	analyser  analyser
	documents []*document
}

// keepDocuments bounds the documents that wait for the next batch, some 4 KB each.
const keepDocuments = 10_000

func (m *batchMaker) prepare(b *Batch, indexed func(string) bool) *index.Batch {
	batch := index.NewBatch()
	for _, id := range b.Remove {
		batch.Delete(docID(id))
	}
	m.analyser.indexed = indexed
	for i, c := range b.Put {
		batch.Update(m.document(i, c))
	}
	batch.SetInternal(cursorKey, binary.BigEndian.AppendUint64(nil, b.Cursor))
	batch.SetInternal(bookKey, []byte(b.Book))
	return batch
}

// document returns the i-th document of a batch, filled from c.
func (m *batchMaker) document(i int, c *customer.Customer) *document {
	if i == len(m.documents) {
		m.documents = append(m.documents, new(document))
	}
	m.documents[i].fill(c, &m.analyser)
	return m.documents[i]
}

// release lets go of what only a very large batch needed.
func (m *batchMaker) release() {
	if len(m.documents) > keepDocuments {
		m.documents = slices.Clone(m.documents[:keepDocuments])
	}
}

// giveAway leaves the documents of the last batch to its receiver.
func (m *batchMaker) giveAway() { m.documents = nil }
