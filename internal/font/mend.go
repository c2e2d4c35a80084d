package font

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"

	"golang.org/x/image/font/sfnt"
)

// needed are the tables that outlines are read from.
var needed = []string{"CFF ", "OS/2", "cmap", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "name", "post"}

const (
	mostTables = 256
	mostBytes  = 64 << 20 // of a table
)

var errDirectory = errors.New("the directory of tables is damaged")

// mended reads the nth font of a file whose tables don't begin at multiples of four, as
// those of WenQuanYi Zen Hei, which package sfnt refuses: they are put together anew.
func mended(file io.ReaderAt, n int) (*sfnt.Font, error) {
	begin, err := fontAt(file, n)
	if err != nil {
		return nil, err
	}
	head, err := read(file, begin, 12)
	if err != nil {
		return nil, err
	}
	count := int64(binary.BigEndian.Uint16(head[4:]))
	if count > mostTables {
		return nil, errDirectory
	}
	directory, err := read(file, begin+12, 16*count)
	if err != nil {
		return nil, err
	}
	var tables []table
	for ; len(directory) >= 16; directory = directory[16:] {
		tag := string(directory[:4])
		if !slices.Contains(needed, tag) {
			continue
		}
		data, err := read(file, int64(binary.BigEndian.Uint32(directory[8:])), int64(binary.BigEndian.Uint32(directory[12:])))
		if err != nil {
			return nil, err
		}
		tables = append(tables, table{tag, data})
	}
	slices.SortFunc(tables, func(a, b table) int { return strings.Compare(a.tag, b.tag) })
	if !slices.ContainsFunc(tables, func(t table) bool { return t.tag == "head" && len(t.data) >= 12 }) {
		return nil, errDirectory
	}
	whole := assemble(tables)
	copy(whole, head[:4]) // the kind of its outlines
	return sfnt.Parse(whole)
}

// fontAt is where the nth font of a file begins.
func fontAt(file io.ReaderAt, n int) (int64, error) {
	head, err := read(file, 0, 12)
	if err != nil {
		return 0, err
	}
	if string(head[:4]) != "ttcf" {
		return 0, nil
	}
	at, err := read(file, 12+4*int64(n), 4)
	if err != nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint32(at)), nil
}

func read(file io.ReaderAt, at, n int64) ([]byte, error) {
	if n > mostBytes {
		return nil, errDirectory
	}
	data := make([]byte, n)
	if _, err := file.ReadAt(data, at); err != nil {
		return nil, err
	}
	return data, nil
}
