package tabular

import (
	varint "encoding/binary"
	"errors"
	"os"
	"slices"
)

// sharedTexts are the texts that a workbook's cells refer to by number: in memory up to a
// limit, beyond it in a temporary file. Of every sixteenth text it is known where it is;
// those in between are passed over, each with its length in front. The index may take as
// much memory as the texts: 100 million of them by default, of which files that are
// made to take all memory have more.
type sharedTexts struct {
	limit  int
	count  int
	starts []uint64 // of each block, in memory and file together
	end    uint64
	inMem  []byte // whole blocks
	spill  *os.File
	room   []byte // behind inMem and spill, not yet written
	block  []byte // read last from the file,
	number int    // and its number
}

const (
	blockTexts = 16
	spillBytes = 256 << 10 // written at once
	leastIndex = 64 << 10  // bytes, whatever the limit
)

var errTextIndex = errors.New("more texts than the index may hold")

func (t *sharedTexts) add(text []byte) error {
	if t.count%blockTexts == 0 {
		if 8*len(t.starts) > max(t.limit, leastIndex) {
			return errTextIndex
		}
		if err := t.startBlock(); err != nil {
			return err
		}
	}
	t.count++
	before := len(t.room)
	t.room = append(varint.AppendUvarint(t.room, uint64(len(text))), text...)
	t.end += uint64(len(t.room) - before)
	return nil
}

// startBlock begins a block behind what was added.
func (t *sharedTexts) startBlock() error {
	t.starts = append(t.starts, t.end)
	if t.spill != nil && len(t.room) < spillBytes {
		return nil
	}
	return t.flush()
}

// flush makes what was added readable: in memory while there is room, and only whole blocks.
func (t *sharedTexts) flush() (err error) {
	if len(t.room) == 0 {
		return nil
	}
	if t.spill == nil && len(t.inMem)+len(t.room) <= t.limit {
		t.inMem = append(t.inMem, t.room...)
		t.room = t.room[:0]
		return nil
	}
	if t.spill == nil {
		if t.spill, err = os.CreateTemp("", "clientele-texts-"); err != nil {
			return err
		}
	}
	_, err = t.spill.Write(t.room)
	t.room = t.room[:0]
	return err
}

// at returns a text by its number. It is false if there is no such text.
func (t *sharedTexts) at(i int) (text string, ok bool, err error) {
	if i < 0 || i >= t.count {
		return "", false, nil
	}
	block, err := t.blockOf(i / blockTexts)
	if err != nil {
		return "", false, err
	}
	for range i % blockTexts {
		n, size := varint.Uvarint(block)
		block = block[size+int(n):]
	}
	n, size := varint.Uvarint(block)
	return string(block[size : size+int(n)]), true, nil
}

// blockOf returns a block of texts, with what follows it if that is in memory.
func (t *sharedTexts) blockOf(number int) ([]byte, error) {
	begin, end := t.starts[number], t.end
	if begin < uint64(len(t.inMem)) {
		return t.inMem[begin:], nil
	}
	if t.block != nil && t.number == number {
		return t.block, nil
	}
	if number+1 < len(t.starts) {
		end = t.starts[number+1]
	}
	t.block, t.number = slices.Grow(t.block[:0], int(end-begin))[:end-begin], number
	if _, err := t.spill.ReadAt(t.block, int64(begin)-int64(len(t.inMem))); err != nil {
		t.block = nil
		return nil, err
	}
	return t.block, nil
}

func (t *sharedTexts) close() error {
	if t.spill == nil {
		return nil
	}
	return errors.Join(t.spill.Close(), os.Remove(t.spill.Name()))
}
