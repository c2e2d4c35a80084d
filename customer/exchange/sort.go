package exchange

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"os"
	"slices"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer"
)

// sorter orders numbers by their keys' bytes. What doesn't fit into memory goes to a
// temporary file in sorted runs, which are merged.
type sorter struct {
	memory int

	keys    []byte
	entries []sortEntry
	spill   *os.File
	written int64
	runs    []sortRun
}

// sortEntry is a key within keys, and whose it is.
type sortEntry struct {
	from, to int
	number   uint64
}

type sortRun struct{ from, to int64 }

// sorted is a number with its key, which is valid until the next one is asked for.
type sorted struct {
	key    []byte
	number uint64
}

const sortMemory = 64 << 20

// entryBytes is what an entry takes beside its key.
const entryBytes = 24

func (s *sorter) add(key []byte, number uint64) error {
	from := len(s.keys)
	s.keys = append(s.keys, key...)
	s.entries = append(s.entries, sortEntry{from, len(s.keys), number})
	if len(s.keys)+entryBytes*len(s.entries) < s.memory {
		return nil
	}
	return s.flush()
}

// readers orders customers by a text, as readers of a language do.
type readers struct {
	sorter
	collator *collate.Collator
	buffer   collate.Buffer
}

func newReaders(tag language.Tag, memory int) *readers {
	if tag == language.Und {
		tag = language.Chinese
	}
	return &readers{sorter: sorter{memory: cmp.Or(memory, sortMemory)}, collator: collate.New(tag)}
}

func (r *readers) addText(text string, id customer.ID) error {
	key := r.collator.KeyFromString(&r.buffer, text)
	defer r.buffer.Reset()
	return r.add(key, uint64(id))
}

func (s *sorter) sort() {
	slices.SortFunc(s.entries, func(a, b sortEntry) int {
		return cmp.Or(bytes.Compare(s.keys[a.from:a.to], s.keys[b.from:b.to]), cmp.Compare(a.number, b.number))
	})
}

// flush writes what is in memory as one run.
func (s *sorter) flush() (err error) {
	if s.spill == nil {
		if s.spill, err = os.CreateTemp("", "clientele-sort-"); err != nil {
			return err
		}
	}
	s.sort()
	w := bufio.NewWriterSize(s.spill, 256<<10)
	run := sortRun{from: s.written}
	var head [2 * binary.MaxVarintLen64]byte
	for _, e := range s.entries {
		h := binary.AppendUvarint(binary.AppendUvarint(head[:0], e.number), uint64(e.to-e.from))
		if _, err := w.Write(h); err != nil {
			return err
		}
		if _, err := w.Write(s.keys[e.from:e.to]); err != nil {
			return err
		}
		s.written += int64(len(h) + e.to - e.from)
	}
	run.to = s.written
	s.runs = append(s.runs, run)
	s.keys, s.entries = s.keys[:0], s.entries[:0]
	return w.Flush()
}

// all yields what was added, in order.
func (s *sorter) all() iter.Seq2[sorted, error] {
	if len(s.runs) == 0 {
		s.sort()
		return func(yield func(sorted, error) bool) {
			for _, e := range s.entries {
				if !yield(sorted{s.keys[e.from:e.to], e.number}, nil) {
					return
				}
			}
		}
	}
	return func(yield func(sorted, error) bool) {
		if err := s.flush(); err != nil {
			yield(sorted{}, err)
			return
		}
		var merged runHeap
		for _, run := range s.runs {
			r := &runReader{from: bufio.NewReaderSize(io.NewSectionReader(s.spill, run.from, run.to-run.from), 64<<10)}
			if r.next() {
				merged = append(merged, r)
			}
		}
		heap.Init(&merged)
		for len(merged) > 0 {
			r := merged[0]
			if !yield(r.sorted, r.err) || r.err != nil {
				return
			}
			if r.next() {
				heap.Fix(&merged, 0)
			} else {
				heap.Pop(&merged)
			}
		}
	}
}

func (s *sorter) close() error {
	if s.spill == nil {
		return nil
	}
	return errors.Join(s.spill.Close(), os.Remove(s.spill.Name()))
}

// runReader reads a run entry by entry. An error is an entry too, so that it is seen.
type runReader struct {
	sorted
	from *bufio.Reader
	err  error
}

func (r *runReader) next() bool {
	number, err := binary.ReadUvarint(r.from)
	if errors.Is(err, io.EOF) {
		return false
	}
	var n uint64
	if err == nil {
		n, err = binary.ReadUvarint(r.from)
	}
	r.number, r.key = number, slices.Grow(r.key[:0], int(n))[:n]
	if err == nil {
		_, err = io.ReadFull(r.from, r.key)
	}
	r.err = err
	return true
}

// runHeap has the run with the least entry first.
type runHeap []*runReader

func (h runHeap) Len() int { return len(h) }
func (h runHeap) Less(i, j int) bool {
	return cmp.Or(bytes.Compare(h[i].key, h[j].key), cmp.Compare(h[i].number, h[j].number)) < 0
}
func (h runHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *runHeap) Push(x any)   { *h = append(*h, x.(*runReader)) }
func (h *runHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
