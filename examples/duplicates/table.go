package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/clientele-go/clientele/dedupe/match"
)

// table is a CSV file in memory.
type table struct {
	header []string
	rows   [][]string
}

// readTable reads a CSV file. Short rows are filled up; a row that is too long is an
// error, as a lost quotation mark makes one.
func readTable(name string) (*table, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(raw) {
		if raw, err = simplifiedchinese.GB18030.NewDecoder().Bytes(raw); err != nil || bytes.ContainsRune(raw, utf8.RuneError) {
			return nil, fmt.Errorf("%s: is neither UTF-8 nor GB18030; save it as CSV UTF-8", name)
		}
	}
	r := csv.NewReader(bytes.NewReader(raw))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	t := &table{}
	if t.header, err = r.Read(); errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: is empty; the first line must name the columns", name)
	}
	for err == nil {
		var row []string
		if row, err = r.Read(); err == nil {
			if len(row) > len(t.header) {
				line, _ := r.FieldPos(0)
				return nil, fmt.Errorf("%s: line %d has %d values for %d columns; look for a missing quotation mark", name, line, len(row), len(t.header))
			}
			t.rows = append(t.rows, append(row, make([]string, len(t.header)-len(row))...))
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// name is what a row is called on the page: its id, or its number from 1.
func (t *table) name(row int, s *schema) string {
	if at := t.column(s.ID); at >= 0 && t.rows[row][at] != "" {
		return t.rows[row][at]
	}
	return strconv.Itoa(row + 1)
}

func (t *table) column(name string) int {
	for i, h := range t.header {
		if h == name && name != "" {
			return i
		}
	}
	return -1
}

func probability(logOdds float64) float64 { return 1 / (1 + math.Exp(-logOdds)) }

// writeCSV writes the rows behind the number of their cluster, clusters together, and how
// many records it has; a row by itself is a cluster of one.
func writeCSV(name string, t *table, result *match.Result) error {
	cluster, size := make([]int, len(t.rows)), make([]int, len(t.rows))
	var order []int
	for i, rows := range result.Clusters {
		for _, row := range rows {
			cluster[row], size[row] = i+1, len(rows)
			order = append(order, int(row))
		}
	}
	next := len(result.Clusters)
	for row := range t.rows {
		if cluster[row] == 0 {
			next++
			cluster[row], size[row] = next, 1
			order = append(order, row)
		}
	}
	return create(name, func(out io.Writer) error {
		w := csv.NewWriter(out)
		w.Write(append([]string{"cluster", "records"}, t.header...)) // errors stay until Error
		for _, row := range order {
			w.Write(append([]string{strconv.Itoa(cluster[row]), strconv.Itoa(size[row])}, t.rows[row]...))
		}
		w.Flush()
		return w.Error()
	})
}
