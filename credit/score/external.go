package score

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/clientele-go/clientele/credit/date"
)

// External is a score that a credit bureau gave.
type External struct {
	Customer uint64
	Provider string
	Value    int64 // as the bureau gave it
	Score    int   // on our scale, 0 to Best
	Date     date.Date
}

// Scale is a bureau's scale. Worst may be the larger number, as for indexes of risk.
type Scale struct{ Worst, Best int64 }

// score returns a value on our scale; false when it is off the bureau's.
func (s Scale) score(value int64) (int, bool) {
	low, high := min(s.Worst, s.Best), max(s.Worst, s.Best)
	const most = 1 << 30 // keeps the product in range; bureaus use a few hundred
	if low == high || low < -most || high > most || value < low || value > high {
		return 0, false
	}
	over, under := value-s.Worst, s.Best-s.Worst
	return halfEven(int(max(over, -over))*Best, int(max(under, -under))), true
}

// Import reads external scores.
type Import struct {
	// Providers are the bureaus whose scores are taken, and their scales.
	Providers map[string]Scale
	// Find returns the customer of a code; false when there is none.
	Find func(code string) (uint64, bool, error)
	// Today is the last day that a score may be of; zero for no check.
	Today date.Date
}

var externalColumns = []string{"customer", "provider", "score", "date"}

// ReadExternal reads a CSV file in UTF-8 with a header and the columns customer (a code),
// provider, score and date (ISO 8601), in any order. It returns the good rows and, in the
// order of rows, what is wrong with the others. The error is for a file that can't be read
// at all, and for Find's errors.
func (i Import) ReadExternal(r io.Reader) (scores []External, bad []*RowError, err error) {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	in.FieldsPerRecord = -1
	header, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil, &RowError{1, externalColumns[0], "", "the first row must name the columns", ErrHeader}
	}
	if err != nil {
		return nil, nil, err
	}
	places, err := findColumns(header)
	if err != nil {
		return nil, nil, err
	}
	width := len(header)        // which the next row overwrites
	seen := map[External]bool{} // by customer, provider and date
	for {
		record, err := in.Read()
		var malformed *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return scores, bad, nil
		case errors.As(err, &malformed):
			bad = append(bad, &RowError{Row: malformed.StartLine, Remedy: `write "…" around a field with a quote, and "" for the quote`, Err: errors.Join(ErrRow, malformed.Err)})
			continue
		case err != nil:
			return nil, nil, err
		}
		fields, wrong := fieldsOf(record, places, width)
		var score External
		if wrong == nil {
			if score, wrong, err = i.parse(fields); err != nil {
				return nil, nil, err
			}
		}
		key := External{Customer: score.Customer, Provider: score.Provider, Date: score.Date}
		if wrong == nil && seen[key] {
			wrong = &RowError{Column: "customer", Value: fields[0], Remedy: "keep one of them", Err: ErrTwice}
		}
		if wrong != nil {
			wrong.Row, _ = in.FieldPos(0) // blank lines are rows to who looks for it
			bad = append(bad, wrong)
			continue
		}
		seen[key] = true
		scores = append(scores, score)
	}
}

func findColumns(header []string) (places [4]int, err error) {
	names := make([]string, len(header))
	for i, name := range header {
		names[i] = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
	}
	for i, column := range externalColumns {
		places[i] = slices.Index(names, column)
		if places[i] < 0 || slices.Contains(names[places[i]+1:], column) {
			return places, &RowError{1, column, strings.Join(names, ","), "name the columns customer, provider, score and date, each once", ErrHeader}
		}
	}
	return places, nil
}

// fieldsOf returns the wanted fields of a row; those that it lacks are empty. A row with
// more fields than the header is refused, since a comma within a number shifts them.
func fieldsOf(record []string, places [4]int, width int) (fields [4]string, wrong *RowError) {
	for n := width; n < len(record); n++ {
		if record[n] != "" {
			return fields, &RowError{Value: strings.Join(record, ","), Remedy: "write numbers without commas, or in quotes", Err: ErrRow}
		}
	}
	for n, place := range places {
		if place < len(record) {
			fields[n] = strings.TrimSpace(record[place])
		}
	}
	return fields, nil
}

// parse reads a row; what is wrong with it is not an error, since others go on.
func (i Import) parse(fields [4]string) (e External, wrong *RowError, err error) {
	refuse := func(column int, remedy string, err error) (External, *RowError, error) {
		return External{}, &RowError{Column: externalColumns[column], Value: fields[column], Remedy: remedy, Err: err}, nil
	}
	scale, known := i.Providers[fields[1]]
	if !known {
		return refuse(1, "declare it with its scale", ErrProvider)
	}
	e.Provider = fields[1]
	if e.Value, err = strconv.ParseInt(fields[2], 10, 64); err != nil {
		return refuse(2, "write a whole number", ErrValue)
	}
	if e.Score, known = scale.score(e.Value); !known {
		return refuse(2, "the scale of "+e.Provider+" goes from "+strconv.FormatInt(scale.Worst, 10)+" (worst) to "+strconv.FormatInt(scale.Best, 10), ErrValue)
	}
	if e.Date, err = date.Parse(fields[3]); err != nil {
		return refuse(3, "write it as 2024-08-15", ErrValue)
	}
	if !i.Today.IsZero() && e.Date > i.Today {
		return refuse(3, "it is after "+i.Today.String(), ErrValue)
	}
	if fields[0] == "" {
		return refuse(0, "give the customer's code", ErrValue)
	}
	e.Customer, known, err = i.Find(fields[0])
	if err == nil && !known {
		return refuse(0, "use the code of a customer", ErrCustomer)
	}
	return e, nil, err
}
