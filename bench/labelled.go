package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/clientele-go/clientele/dedupe/compare"
	"github.com/clientele-go/clientele/dedupe/match"
)

// labelledSet is a folder with records.csv, truth.csv and schema.json.
type labelledSet struct {
	dir     string
	name    string
	mode    match.Mode
	idAt    int
	source  int // column, or -1
	columns []int
	schema  []match.Field
	truth   [][2]string
}

// schemaFile is schema.json; the order of its fields is that of the file.
type schemaFile struct {
	ID     string        `json:"id"`
	Mode   string        `json:"mode"`
	Source string        `json:"source"`
	Fields orderedFields `json:"fields"`
}

// names are the columns to compare.
func (f *schemaFile) names() []string {
	names := make([]string, len(f.Fields))
	for i, field := range f.Fields {
		names[i] = field.Name
	}
	return names
}

// once reports columns that a header names twice, of those that are to be read.
func once(file string, header []string, read ...string) error {
	seen := map[string]bool{}
	for _, name := range header {
		if name = strings.TrimSpace(name); name != "" && seen[name] && slices.Contains(read, name) {
			return fmt.Errorf("column %q is in %s twice; give one of them another name", name, file)
		}
		seen[name] = true
	}
	return nil
}

type orderedFields []match.Field

// UnmarshalJSON keeps the order of an object's members.
func (f *orderedFields) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(strings.NewReader(string(data)))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.New(`fields: give an object {"column": "type"}`)
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		var typ string
		if err := dec.Decode(&typ); err != nil {
			return fmt.Errorf("fields: the type of %q must be a text: %w", name, err)
		}
		*f = append(*f, match.Field{Name: name.(string), Type: compare.Type(typ)})
	}
	return nil
}

func openSet(dir string) (*labelledSet, error) {
	s := &labelledSet{dir: dir, name: filepath.Base(filepath.Clean(dir)), source: -1}
	if err := s.readSchema(); err != nil {
		return nil, err
	}
	truth, err := readTruth(filepath.Join(dir, "truth.csv"))
	s.truth = truth
	return s, err
}

func (s *labelledSet) readSchema() error {
	path := filepath.Join(s.dir, "schema.json")
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var file schemaFile
	if err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\uFEFF")), &file); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	switch file.Mode {
	case "dedupe":
	case "link":
		s.mode = match.Link
	default:
		return fmt.Errorf("%s: mode %q: write \"dedupe\" or \"link\"", path, file.Mode)
	}
	header, err := readHeader(filepath.Join(s.dir, "records.csv"))
	if err != nil {
		return err
	}
	at := map[string]int{}
	for i, name := range header {
		at[name] = i
	}
	if err := once("records.csv", header, append(file.names(), file.ID, file.Source)...); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	find := func(name string) (int, error) {
		i, ok := at[name]
		if !ok {
			return 0, fmt.Errorf("%s: column %q is not in records.csv, which has %q; commas part its columns, and its text is in UTF-8", path, name, header)
		}
		return i, nil
	}
	if s.idAt, err = find(file.ID); err != nil {
		return err
	}
	if s.mode == match.Link {
		if s.source, err = find(file.Source); err != nil {
			return err
		}
	}
	for _, f := range file.Fields {
		i, err := find(f.Name)
		if err != nil {
			return err
		}
		s.columns = append(s.columns, i)
	}
	s.schema = file.Fields
	return nil
}

func readHeader(path string) ([]string, error) {
	for row, err := range csvRows(path) {
		return row, err
	}
	return nil, fmt.Errorf("%s: the file is empty; its first row must name the columns", path)
}

// records streams records.csv.
func (s *labelledSet) records() iter.Seq2[match.Record, error] {
	return func(yield func(match.Record, error) bool) {
		header := true
		for row, err := range csvRows(filepath.Join(s.dir, "records.csv")) {
			if err != nil {
				yield(match.Record{}, err)
				return
			}
			if header {
				header = false
				continue
			}
			if !yield(s.record(row), nil) {
				return
			}
		}
	}
}

func (s *labelledSet) record(row []string) match.Record {
	r := match.Record{ID: row[s.idAt], Values: make([]string, len(s.columns))}
	if s.source >= 0 {
		r.Source = row[s.source]
	}
	for i, c := range s.columns {
		r.Values[i] = row[c]
	}
	return r
}

// csvRows streams the rows of a file; every row must have as many columns as the first.
func csvRows(path string) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.Close()
		buffered := bufio.NewReaderSize(f, 1<<20)
		if bom, _ := buffered.Peek(3); string(bom) == "\uFEFF" {
			_, _ = buffered.Discard(3)
		}
		r := csv.NewReader(buffered)
		r.LazyQuotes = true
		for {
			row, err := r.Read()
			if err == io.EOF {
				return
			}
			if err != nil {
				err = fmt.Errorf("%s: %w", path, err)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

func readTruth(path string) ([][2]string, error) {
	var pairs [][2]string
	l, r := -1, -1
	for row, err := range csvRows(path) {
		if err != nil {
			return nil, err
		}
		if l < 0 {
			for i, name := range row {
				switch name {
				case "id_l":
					l = i
				case "id_r":
					r = i
				}
			}
			if l < 0 || r < 0 {
				return nil, fmt.Errorf("%s: columns %q: the header must have id_l and id_r", path, row)
			}
			if err := once(path, row, "id_l", "id_r"); err != nil {
				return nil, err
			}
			continue
		}
		pairs = append(pairs, [2]string{row[l], row[r]})
	}
	if l < 0 {
		return nil, fmt.Errorf("%s: the file is empty; its first row must name the columns id_l and id_r", path)
	}
	return pairs, nil
}
