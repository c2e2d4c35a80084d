package search

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"os"
	"path/filepath"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"
	segment "github.com/blevesearch/scorch_segment_api/v2"

	"github.com/clientele-go/clientele/customer"
)

// Stats describe an index.
type Stats struct {
	Documents int    // customers
	Deleted   int    // documents removed or replaced that still take space
	Segments  int    // files, or parts in memory
	Unwritten int    // changes that a crash would take back
	Bytes     int64  // on disk, or in memory for an index without files
	Cursor    uint64 // see [Index.Cursor]
}

// Stats returns the present numbers.
func (x *Index) Stats() (Stats, error) {
	v, err := x.view()
	if err != nil {
		return Stats{}, err
	}
	defer v.close()
	var s Stats
	for _, part := range v.snapshot.Segments() {
		s.Segments++
		s.Documents += int(part.LiveSize())
		s.Deleted += int(part.FullSize() - part.LiveSize())
		if x.dir == "" {
			s.Bytes += int64(part.Segment().Size())
		} else {
			s.Bytes += part.FileSize()
		}
	}
	if g := x.current(); g != nil {
		g.mu.Lock()
		s.Unwritten = g.waiting
		g.mu.Unlock()
	}
	s.Cursor, err = v.cursor()
	return s, err
}

// Compact removes from the files what belonged to removed customers and to older
// versions: afterwards the terms of an erased customer are nowhere in the folder. It
// writes the whole index anew, which takes about half the time of a Build and as much
// space on disk as the index has; until it returns, Apply waits and searches go on. It
// refuses an index that fails [Index.Check].
func (x *Index) Compact(ctx context.Context) (err error) {
	defer damaged(&err)()
	x.build.Lock()
	defer x.build.Unlock()
	x.write.Lock()
	defer x.write.Unlock()
	g := x.current()
	if g == nil {
		return ErrClosed
	}
	if g.memory != nil {
		batch := index.NewBatch()
		g.memory.all(batch)
		return g.introduce(batch)
	}
	if err := g.checkFiles(ctx); err != nil {
		return err // and don't give damaged content a new checksum
	}
	v, err := g.view()
	if err != nil {
		return err
	}
	defer v.close()
	name, err := x.prepare(func(path string) (map[string][]byte, []string, error) {
		files, err := v.rewrite(ctx, path, x.options.Workers)
		return v.snapshot.Internal(), files, err
	})
	if err != nil {
		return err
	}
	return x.takeOver(name)
}

// rewrite merges the live documents of the view into segments in a folder.
func (v *view) rewrite(ctx context.Context, path string, workers int) (files []string, err error) {
	var live []*scorch.SegmentSnapshot
	documents := 0
	for _, part := range v.snapshot.Segments() {
		if n := int(part.LiveSize()); n > 0 {
			live = append(live, part)
			documents += n
		}
	}
	var failed firstError
	var merging sync.WaitGroup
	for i, share := range shares(live, mergeParts(documents, workers)) {
		file := filepath.Join(path, fmt.Sprintf("piece-%06d", i))
		files = append(files, file)
		merging.Go(func() { failed.set(mergeLive(ctx, share, file)) })
	}
	merging.Wait()
	return files, failed.err
}

// mergeLive merges the live documents of segments.
func mergeLive(ctx context.Context, parts []*scorch.SegmentSnapshot, file string) (err error) {
	defer damaged(&err)()
	var from []segment.Segment
	var drops []*roaring.Bitmap
	for _, part := range parts {
		from, drops = append(from, part.Segment()), append(drops, part.Deleted())
	}
	return mergeSegments(ctx, from, drops, file)
}

// Entry is a document of the index: a customer and the version that was indexed.
type Entry struct {
	ID      customer.ID
	Version uint64
}

// Entries yields all documents in the order of their ids, so that a verifier can
// walk them beside the records: same ids, same versions, nothing missing and nothing
// more. It costs about 2 µs each. An error is the last thing it yields.
func (x *Index) Entries(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		v, err := x.view()
		if err != nil {
			yield(Entry{}, err)
			return
		}
		defer v.close()
		stopped := false
		err = v.entries(ctx, func(e Entry) bool {
			stopped = !yield(e, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(Entry{}, err)
		}
	}
}

// entries merges the ids of the segments, which each has in order.
func (v *view) entries(ctx context.Context, yield func(Entry) bool) (err error) {
	defer damaged(&err)()
	var sources []*entrySource
	for _, part := range v.snapshot.Segments() {
		ids, err := part.Segment().Dictionary("_id")
		if err != nil {
			return fmt.Errorf("search: %w: %w", ErrCorrupt, err)
		}
		s := &entrySource{ids: ids, it: ids.AutomatonIterator(nil, nil, nil), segment: part.Segment(), deleted: part.Deleted()}
		if s.next() {
			sources = append(sources, s)
		}
	}
	for n := 0; len(sources) > 0; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		least := 0
		for i := range sources {
			if sources[i].entry.ID < sources[least].entry.ID {
				least = i
			}
		}
		if !yield(sources[least].entry) {
			return nil
		}
		if !sources[least].next() {
			sources = append(sources[:least], sources[least+1:]...)
		}
	}
	return nil
}

// entrySource walks the live documents of a segment by id.
type entrySource struct {
	ids     segment.TermDictionary
	it      segment.DictionaryIterator
	segment segment.Segment
	deleted *roaring.Bitmap
	entry   Entry
}

// next moves to the next live document and reports whether there is one.
func (s *entrySource) next() bool {
	for {
		term, err := s.it.Next()
		if err != nil {
			panic(damage{err})
		}
		if term == nil {
			return false
		}
		list, err := s.ids.PostingsList([]byte(term.Term), nil, nil)
		if err != nil {
			panic(damage{err})
		}
		numbers := documents(list)
		if numbers == nil || s.deleted != nil && s.deleted.Contains(numbers.Minimum()) {
			continue
		}
		s.entry = Entry{
			ID:      customer.ID(binary.BigEndian.Uint64([]byte(term.Term))),
			Version: s.version(uint64(numbers.Minimum())),
		}
		return true
	}
}

// version reads the stored version of a document.
func (s *entrySource) version(number uint64) (version uint64) {
	err := s.segment.VisitStoredFields(number, func(name string, _ byte, value []byte, _ []uint64) bool {
		if name == field {
			version, _ = binary.Uvarint(value)
		}
		return true // Bleve's buffer is returned to its pool twice on false
	})
	if err != nil {
		panic(damage{err})
	}
	return version
}

// Check reads every file of the index and compares its checksum. It returns an error
// matching [ErrCorrupt] that names the first damaged file. What Open and searches
// notice of damage is by chance; Check sees every changed bit.
func (x *Index) Check(ctx context.Context) error {
	g := x.current()
	if g == nil {
		return ErrClosed
	}
	if err := g.flush(ctx); err != nil {
		return err
	}
	return g.checkFiles(ctx)
}

// checkFiles checks the files of the newest view. Merging may remove one meanwhile, of
// which a newer view doesn't know any more.
func (g *generation) checkFiles(ctx context.Context) (err error) {
	for range 5 {
		var v *view
		if v, err = g.view(); err != nil {
			return err
		}
		err = v.check(ctx)
		v.close()
		if !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return err
}

func (v *view) check(ctx context.Context) error {
	for _, part := range v.snapshot.Segments() {
		stored, ok := part.Segment().(segment.PersistedSegment)
		if !ok {
			continue
		}
		if err := errors.Join(ctx.Err(), checkFile(stored.Path())); err != nil {
			return err
		}
	}
	return nil
}

// checkFile compares a segment's last four bytes with the CRC-32 of the others.
func checkFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("search: %w: %w", ErrCorrupt, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	sum := crc32.NewIEEE()
	var stored [4]byte
	_, err = io.Copy(sum, io.LimitReader(f, info.Size()-int64(len(stored))))
	if err == nil {
		_, err = io.ReadFull(f, stored[:])
	}
	if err != nil || binary.BigEndian.Uint32(stored[:]) != sum.Sum32() {
		return fmt.Errorf("search: %s fails its checksum: %w", path, errors.Join(ErrCorrupt, err))
	}
	return nil
}
