package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/clientele-go/clientele/customer/exchange/tabular"
	"github.com/clientele-go/clientele/dedupe/match"
)

// table is a file's table in memory.
type table struct {
	header []string
	rows   [][]string
	marked bool // for spreadsheets, which take UTF-8 without a mark for the local encoding
}

// readTable reads a file of any format and encoding that package tabular recognises. Short
// rows are filled up. A row that is too long is an error, as a lost quotation mark makes one,
// and so is one that can't be read: what it hides would be missing among the duplicates.
func readTable(ctx context.Context, name string) (t *table, err error) {
	file, closer, err := tabular.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	format, err := tabular.Find(file)
	if err != nil {
		return nil, refusal(name, err)
	}
	shape, err := format.Inspect(ctx, file, tabular.Options{})
	if err != nil {
		return nil, refusal(name, err)
	}
	t = &table{marked: shape.Encoding != tabular.UTF8 && shape.Format != tabular.JSONLines{}.Name()}
	for row, err := range format.Read(ctx, file, shape.Options()) {
		if err == nil {
			err = t.add(row, shape)
		}
		if err != nil {
			return nil, refusal(name, err)
		}
	}
	switch {
	case t.header == nil:
		return nil, fmt.Errorf("%s: is empty; the first row must name the columns", name)
	case len(t.rows) == 0:
		return nil, fmt.Errorf("%s: has no row below the one that names the columns; nothing can be compared", name)
	}
	return t, nil
}

// refusal names the file as the user did, and says what would be right.
func refusal(name string, err error) error {
	if bad, ok := errors.AsType[*tabular.Error](err); ok {
		where := ""
		if bad.Row > 0 {
			where = fmt.Sprintf("row %d: ", bad.Row)
		}
		return fmt.Errorf("%s: %s%s", name, where, bad.Remedy())
	}
	return fmt.Errorf("%s: %w", name, err)
}

// add takes a row: the header first, before which rows may be blank.
func (t *table) add(row *tabular.Row, shape *tabular.Shape) error {
	if row.Err != nil {
		return row.Err
	}
	texts := make([]string, len(row.Cells), max(len(row.Cells), len(t.header)))
	for i, c := range row.Cells {
		if texts[i] = c.Text; c.Kind == tabular.Garbled {
			return fmt.Errorf("row %d, column %d: %q is not in the file's encoding, %s; save the file as CSV UTF-8", row.Number, i+1, c.Text, shape.Encoding)
		}
	}
	if t.header == nil {
		if row.Blank() {
			return nil
		}
		var err error
		t.header, err = named(texts)
		return err
	}
	for len(texts) > len(t.header) && texts[len(texts)-1] == "" {
		texts = texts[:len(texts)-1]
	}
	if len(texts) > len(t.header) {
		return fmt.Errorf("row %d has %d values for %d columns; look for a missing quotation mark", row.Number, len(texts), len(t.header))
	}
	t.rows = append(t.rows, append(texts, make([]string, len(t.header)-len(texts))...))
	return nil
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
