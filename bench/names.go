package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// nameQuality is what one file of name pairs gave.
type nameQuality struct {
	File      string  `json:"file"`
	Pairs     int     `json:"pairs"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
	BestF1    float64 `json:"best_f1"`
}

// nameTypes are the values of -type.
var nameTypes = map[string]compare.Type{"organisation": compare.OrganisationName, "person": compare.PersonName, "name": compare.Name}

// runNames measures the comparison of names on a file of labelled pairs.
func runNames(_ context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("names", flag.ContinueOnError)
	path := flags.String("pairs", "", "CSV with the columns name1, name2 and label (1 same, 0 different)")
	kind := flags.String("type", "organisation", "organisation, person or name (unknown which)")
	asJSON := flags.Bool("json", false, "print a JSON object")
	wrong := flags.Bool("wrong", false, "print the pairs judged wrongly")
	if err := flags.Parse(args); err != nil {
		return err
	}
	typ, known := nameTypes[*kind]
	if *path == "" || !known {
		return errors.New("usage: go run ./bench names -pairs FILE -type organisation|person|name [-json]")
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("names takes flags only; what is %q?", flags.Arg(0))
	}
	pairs, err := readNamePairs(*path)
	if err != nil {
		return err
	}
	judge, err := compare.NewNames(typ)
	if err != nil {
		return err
	}
	q := nameQuality{File: *path, Pairs: len(pairs)}
	q.judge(judge, pairs)
	if *wrong {
		for _, p := range pairs {
			if (p.probability > 0.5) != p.same {
				fmt.Fprintf(out, "%.3f %t %s | %s\n", p.probability, p.same, p.a, p.b)
			}
		}
	}
	if *asJSON {
		return json.NewEncoder(out).Encode(q)
	}
	_, err = fmt.Fprintf(out, "%s: %d pairs, precision %.4f, recall %.4f, F1 %.4f, best F1 %.4f\n", q.File, q.Pairs, q.Precision, q.Recall, q.F1, q.BestF1)
	return err
}

// namePair is one labelled pair.
type namePair struct {
	a, b        string
	same        bool
	probability float64
}

func readNamePairs(path string) ([]namePair, error) {
	var pairs []namePair
	var at map[string]int
	row := 0
	for fields, err := range csvRows(path) {
		if err != nil {
			return nil, err
		}
		row++
		if at == nil {
			at = map[string]int{}
			for i, name := range fields {
				at[strings.TrimSpace(name)] = i
			}
			for _, name := range []string{"name1", "name2", "label"} {
				if _, ok := at[name]; !ok {
					return nil, fmt.Errorf("%s: columns %q: the header must have name1, name2 and label", path, fields)
				}
			}
			if err := once(path, fields, "name1", "name2", "label"); err != nil {
				return nil, err
			}
			continue
		}
		label := strings.TrimSpace(fields[at["label"]])
		if label != "0" && label != "1" {
			return nil, fmt.Errorf("%s, row %d: label %q: write 1 for the same or 0 for different", path, row, label)
		}
		for _, column := range []string{"name1", "name2"} {
			if name := fields[at[column]]; !utf8.ValidString(name) {
				return nil, fmt.Errorf("%s, row %d: %s %q: write the text in UTF-8", path, row, column, name)
			}
		}
		pairs = append(pairs, namePair{a: fields[at["name1"]], b: fields[at["name2"]], same: label == "1"})
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("%s: there are no pairs; the first row must name the columns name1, name2 and label, the next ones have the pairs", path)
	}
	return pairs, nil
}

// judge scores the pairs, and counts at the probability of 0.5 and at the best one.
func (q *nameQuality) judge(judge *compare.Names, pairs []namePair) {
	truth, found, right := 0, 0, 0
	for i := range pairs {
		p := &pairs[i]
		p.probability = judge.Same(p.a, p.b)
		if p.same {
			truth++
		}
		if p.probability > 0.5 {
			found++
			if p.same {
				right++
			}
		}
	}
	q.Precision, q.Recall, q.F1 = quality(right, found, truth)
	byProbability := slices.Clone(pairs)
	slices.SortFunc(byProbability, func(a, b namePair) int {
		switch {
		case a.probability > b.probability:
			return -1
		case a.probability < b.probability:
			return 1
		}
		return 0
	})
	right = 0
	for i, p := range byProbability {
		if p.same {
			right++
		}
		if i+1 == len(byProbability) || byProbability[i+1].probability < p.probability {
			_, _, f1 := quality(right, i+1, truth)
			q.BestF1 = max(q.BestF1, f1)
		}
	}
}
