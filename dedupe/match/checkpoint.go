package match

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// checkpoint is the file in which a run notes what it has done: sections, each with its
// length and checksum, in the order of the run. What a crash left behind the last whole
// section is cut off. A nil checkpoint notes nothing.
type checkpoint struct {
	file  *os.File
	known int64 // where the sections end that an earlier run left
	at    int64
}

// The sections of a checkpoint.
const (
	sectionPairs = 1 + iota
	sectionBlocked
	sectionCompared
	sectionTrained
	sectionScored
	sectionTaught
	sectionWithin
)

// checkpointMagic begins the file. The fingerprint of the run follows.
const checkpointMagic = "CLMC\x01"

// sectionHead is the kind of a section, the length of what follows, and its checksum.
const sectionHead = 1 + 8 + 4

// openCheckpoint opens the file, and begins it anew where it is not of this run.
func openCheckpoint(name string, fingerprint uint64) (*checkpoint, error) {
	if name == "" {
		return nil, nil
	}
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	head := binary.LittleEndian.AppendUint64([]byte(checkpointMagic), fingerprint)
	found := make([]byte, len(head))
	if _, err := file.ReadAt(found, 0); err == nil && bytes.Equal(found, head) {
		info, err := file.Stat()
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
		return &checkpoint{file, info.Size(), int64(len(head))}, nil
	}
	err = file.Truncate(0)
	if err == nil {
		_, err = file.WriteAt(head, 0)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &checkpoint{file, 0, int64(len(head))}, nil
}

// take returns the next section if an earlier run left it whole.
func (c *checkpoint) take(kind byte) ([]byte, bool, error) {
	if c == nil || c.at+sectionHead > c.known {
		return nil, false, nil
	}
	var head [sectionHead]byte
	if _, err := c.file.ReadAt(head[:], c.at); err != nil {
		return nil, false, err
	}
	length := binary.LittleEndian.Uint64(head[1:])
	if head[0] != kind {
		return nil, false, nil
	}
	if length > uint64(c.known-c.at-sectionHead) {
		c.known = 0
		return nil, false, nil
	}
	body := make([]byte, length)
	if _, err := c.file.ReadAt(body, c.at+sectionHead); err != nil && !errors.Is(err, io.EOF) {
		return nil, false, err
	}
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(head[9:]) {
		c.known = 0
		return nil, false, nil
	}
	c.at += sectionHead + int64(length)
	return body, true, nil
}

// put notes a section in the place of what may be left of an earlier one.
func (c *checkpoint) put(kind byte, body []byte) error {
	if c == nil {
		return nil
	}
	c.known = 0
	head := binary.LittleEndian.AppendUint64([]byte{kind}, uint64(len(body)))
	head = binary.LittleEndian.AppendUint32(head, crc32.ChecksumIEEE(body))
	if err := c.file.Truncate(c.at); err != nil {
		return err
	}
	if _, err := c.file.WriteAt(append(head, body...), c.at); err != nil {
		return err
	}
	c.at += int64(len(head) + len(body))
	return c.file.Sync()
}

// takeValue decodes the next section into a value.
func (c *checkpoint) takeValue(kind byte, to any) (bool, error) {
	body, found, err := c.take(kind)
	if err != nil || !found {
		return false, err
	}
	return true, gob.NewDecoder(bytes.NewReader(body)).Decode(to)
}

func (c *checkpoint) putValue(kind byte, value any) error {
	if c == nil {
		return nil
	}
	var body bytes.Buffer
	if err := gob.NewEncoder(&body).Encode(value); err != nil {
		return err
	}
	return c.put(kind, body.Bytes())
}

func (c *checkpoint) close() error {
	if c == nil {
		return nil
	}
	return c.file.Close()
}

// blocked is what blocking found, save for the pairs, which stand before it, in parts: those
// between sources, or all, and then those within.
type blocked struct {
	Blocks int
	Common map[uint64]uint32
}

// takeBlocked takes over what blocking found in an earlier run.
func (r *runner) takeBlocked(ctx context.Context) (bool, error) {
	if r.done == nil {
		return false, nil
	}
	begin := r.done.at
	pairs, err := r.takePairs(ctx, sectionPairs)
	if err != nil {
		return false, err
	}
	within, err := r.takePairs(ctx, sectionWithin)
	if err != nil {
		return false, err
	}
	var saved blocked
	found, err := r.done.takeValue(sectionBlocked, &saved)
	if err != nil || !found {
		r.done.at, r.done.known = begin, 0
		return false, err
	}
	r.blocks, r.common, r.pairs, r.within = saved.Blocks, saved.Common, pairs, within
	return true, nil
}

// takePairs takes over the pairs of all sections of a kind that follow.
func (r *runner) takePairs(ctx context.Context, kind byte) (*pairList, error) {
	sorter := &pairSorter{most: r.spill.room(1, r.t.pairBytes()), file: spilled{s: r.spill}}
	for {
		part, found, err := r.done.take(kind)
		if err != nil {
			return nil, err
		}
		if !found {
			return sortPairs(ctx, r.spill, r.t.rows(), []*pairSorter{sorter})
		}
		for ; len(part) >= 8; part = part[8:] {
			sorter.pairs = append(sorter.pairs, binary.LittleEndian.Uint64(part))
		}
		if err := sorter.full(); err != nil {
			return nil, err
		}
	}
}

// putBlocked notes what blocking found.
func (r *runner) putBlocked(ctx context.Context) error {
	if r.done == nil {
		return nil
	}
	if err := r.putPairs(ctx, sectionPairs, r.pairs); err != nil {
		return err
	}
	if r.t.link {
		if err := r.putPairs(ctx, sectionWithin, r.within); err != nil {
			return err
		}
	}
	return r.done.putValue(sectionBlocked, blocked{r.blocks, r.common})
}

func (r *runner) putPairs(ctx context.Context, kind byte, list *pairList) error {
	return list.each(ctx, func(_ int, part []pair) error {
		note := make([]byte, 0, 8*len(part))
		for _, p := range part {
			note = binary.LittleEndian.AppendUint64(note, p.packed())
		}
		return r.done.put(kind, note)
	})
}

// trained is what training found.
type trained struct {
	Parameters *parameters
	Single     []bool
	Said       []translation // by column
}

// runVersion changes whenever the same records would give other pairs or weights.
const runVersion = 5

// fingerprint begins the hash of all that a run's checkpoint depends on; the records follow.
// People's judgements are not among it: they come in after what is noted.
func (o *Options) fingerprint() (*xxhash.Digest, error) {
	h := xxhash.New()
	types := make([]compare.Type, 0, len(o.Comparators))
	for t := range o.Comparators {
		types = append(types, t)
	}
	slices.Sort(types)
	_, err := fmt.Fprintf(h, "%d %q %d %t %d %q %q", runVersion, o.Schema, o.Mode, o.OneToOne, o.Candidates, o.Country, types)
	if err != nil || o.Model == nil {
		return h, err
	}
	model, err := o.Model.MarshalBinary()
	if err == nil {
		_, err = h.Write(model)
	}
	return h, err
}

// hashRecord adds a record to a fingerprint.
func hashRecord(h *xxhash.Digest, r *Record) error {
	for _, s := range append([]string{r.ID, r.Source}, r.Values...) {
		var length [8]byte
		binary.LittleEndian.PutUint64(length[:], uint64(len(s)))
		if _, err := h.Write(length[:]); err != nil {
			return err
		}
		if _, err := h.WriteString(s); err != nil {
			return err
		}
	}
	return nil
}

// RemoveCheckpoint removes the file of a run that ended well, if there is one.
func RemoveCheckpoint(name string) error {
	if name == "" {
		return nil
	}
	err := os.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
