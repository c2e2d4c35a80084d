package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/clientele-go/clientele/dedupe/match"
)

// table is a CSV file in memory.
type table struct {
	header []string
	rows   [][]string
	marked bool // for spreadsheets, which take UTF-8 without a mark for the local encoding
}

// readTable reads a CSV file, whose columns are parted by commas, semicolons or tabs. Short
// rows are filled up; a row that is too long is an error, as a lost quotation mark makes
// one, and so is a quotation that runs to the end of the file.
func readTable(name string) (*table, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	raw, marked := bytes.CutPrefix(raw, []byte(mark))
	if !utf8.Valid(raw) {
		marked = true
		if raw, err = simplifiedchinese.GB18030.NewDecoder().Bytes(raw); err != nil || bytes.ContainsRune(raw, utf8.RuneError) {
			return nil, fmt.Errorf("%s: is neither UTF-8 nor GB18030; save it as CSV UTF-8", name)
		}
	}
	r := csv.NewReader(bytes.NewReader(raw))
	r.FieldsPerRecord, r.LazyQuotes, r.Comma = -1, true, delimiter(raw)
	t := &table{marked: marked}
	if t.header, err = r.Read(); errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: is empty; the first line must name the columns", name)
	}
	if err == nil {
		t.header, err = named(t.header)
	}
	for err == nil {
		var row []string
		if row, err = r.Read(); err == nil {
			if len(row) > len(t.header) {
				line, _ := r.FieldPos(0)
				return nil, fmt.Errorf("%s: line %d has %d values for %d columns; look for a missing quotation mark", name, line, len(row), len(t.header))
			}
			if last := row[len(row)-1]; len(row) < len(t.header) && r.InputOffset() == int64(len(raw)) && strings.Count(last, "\n") > 1 {
				line, _ := r.FieldPos(len(row) - 1)
				return nil, fmt.Errorf("%s: line %d: a quotation runs to the end of the file; look for a missing quotation mark", name, line)
			}
			t.rows = append(t.rows, append(row, make([]string, len(t.header)-len(row))...))
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// mark is the byte order mark of UTF-8.
const mark = "\xef\xbb\xbf"

// A cell that is an e-mail address, a website or a phone number is part of a record and names
// no column. Short figures may: years, months.
var (
	address = regexp.MustCompile(`^([^@\s]+@[^@\s]+\.[^@\s]+|https?://.*|www\..*)$`)
	figures = regexp.MustCompile(`^\+?[\d\s()-]{10,20}$`)
)

// named gives every column a name of its own. A first line that looks like a record is an
// error: it would be lost.
func named(header []string) ([]string, error) {
	seen := map[string]bool{}
	names := make([]string, len(header))
	for i, h := range header {
		if text := strings.TrimSpace(h); address.MatchString(text) || figures.MatchString(text) && strings.Count(text, "-") < 2 {
			return nil, fmt.Errorf("the first line looks like a record (%q); put one before it that names the columns", h)
		} else if text == "" {
			h = fmt.Sprint("column ", i+1)
		}
		names[i] = h
		for n := 2; seen[names[i]]; n++ {
			names[i] = fmt.Sprintf("%s (%d)", h, n)
		}
		seen[names[i]] = true
	}
	return names, nil
}

// delimiter is what parts the columns: what stands most often in the first line.
func delimiter(raw []byte) rune {
	header, _, _ := bytes.Cut(raw, []byte("\n"))
	best := ','
	for _, r := range ";\t" {
		if bytes.Count(header, []byte(string(r))) > bytes.Count(header, []byte(string(best))) {
			best = r
		}
	}
	return best
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
		if t.marked {
			if _, err := io.WriteString(out, mark); err != nil {
				return err
			}
		}
		w := csv.NewWriter(out)
		w.Write(append([]string{"cluster", "records"}, t.header...)) // errors stay until Error
		for _, row := range order {
			w.Write(append([]string{strconv.Itoa(cluster[row]), strconv.Itoa(size[row])}, t.rows[row]...))
		}
		w.Flush()
		return w.Error()
	})
}

// joinLinks makes clusters of the links between lists, so that they are shown as those of
// one list are: all rows that links connect.
func joinLinks(result *match.Result, rows int) {
	if len(result.Links) == 0 {
		return
	}
	root := make([]uint32, rows)
	for i := range root {
		root[i] = uint32(i)
	}
	find := func(i uint32) uint32 {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	for _, l := range result.Links {
		a, b := find(l.A), find(l.B)
		root[max(a, b)] = min(a, b)
	}
	members := map[uint32][]uint32{}
	for i := range root {
		r := find(uint32(i))
		members[r] = append(members[r], uint32(i))
	}
	for i := range root {
		if m := members[uint32(i)]; len(m) > 1 {
			result.Clusters = append(result.Clusters, m)
		}
	}
}
