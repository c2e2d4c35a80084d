package match

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"sync"
)

// spill is the temporary files of a run, for what doesn't fit into its memory. It is safe
// for concurrent use.
type spill struct {
	memory int64 // bytes that keys, or pairs, may take
	dir    string
	mu     sync.Mutex
	files  []*os.File
	bytes  int64
}

// fewestSpilled is the least number of keys or pairs that are kept before any are spilled.
const fewestSpilled = 1 << 10

// room is how many things of a size fit, when several workers keep some.
func (s *spill) room(workers, size int) int {
	return max(int(s.memory/int64(workers*size)), fewestSpilled)
}

// create makes a file that goes away with the run.
func (s *spill) create() (*os.File, error) {
	file, err := os.CreateTemp(s.dir, "clientele-match-*")
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files = append(s.files, file)
	return file, nil
}

// close removes the files.
func (s *spill) close() error {
	var failed []error
	for _, file := range s.files {
		failed = append(failed, file.Close(), os.Remove(file.Name()))
	}
	s.files = nil
	return errors.Join(failed...)
}

// piece is a part of a file.
type piece struct{ from, to int64 }

// spilled is a file written from its beginning to its end, in pieces.
type spilled struct {
	s    *spill
	file *os.File
	to   *bufio.Writer
	at   int64
}

// spillBuffer is how much of a file is written and read at once.
const spillBuffer = 1 << 16

// piece writes a piece of numbers; the file is made when the first is written.
func (f *spilled) piece(write func(put func(uint64))) (piece, error) {
	if f.file == nil {
		file, err := f.s.create()
		if err != nil {
			return piece{}, err
		}
		f.file, f.to = file, bufio.NewWriterSize(file, spillBuffer)
	}
	p := piece{from: f.at}
	write(func(x uint64) {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], x)
		_, _ = f.to.Write(b[:]) // Flush tells of its error
		f.at += int64(len(b))
	})
	p.to = f.at
	f.s.mu.Lock()
	f.s.bytes += p.to - p.from
	f.s.mu.Unlock()
	return p, f.to.Flush()
}

// numbers reads the numbers of a piece.
type numbers struct {
	from *bufio.Reader
	err  error
}

func (f *spilled) read(p piece, buffer int) *numbers {
	return &numbers{from: bufio.NewReaderSize(io.NewSectionReader(f.file, p.from, p.to-p.from), buffer)}
}

// next is the next number, and false at the end and when reading failed.
func (n *numbers) next() (uint64, bool) {
	var b [8]byte
	if _, err := io.ReadFull(n.from, b[:]); err != nil {
		if !errors.Is(err, io.EOF) {
			n.err = err
		}
		return 0, false
	}
	return binary.LittleEndian.Uint64(b[:]), true
}
