package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/clientele-go/clientele/dedupe/match"
)

// writeErrors writes a set's wrong pairs, those to look at first on top: pairs found and
// not true, true and not found, with whether blocking found them and their log-odds.
func writeErrors(dir string, set *labelledSet, r *match.Result, truth map[rowPair]bool) error {
	var rows []match.Record
	for rec, err := range set.records() {
		if err != nil {
			return err
		}
		rows = append(rows, rec)
	}
	scores := map[rowPair]float32{}
	for p := range r.Candidates() {
		scores[rowPair{p.A, p.B}] = p.LogOdds
	}
	found := map[rowPair]bool{}
	for p := range finalPairs(r) {
		found[p] = true
	}
	f, err := os.Create(filepath.Join(dir, set.name+".csv"))
	if err != nil {
		return err
	}
	w := csv.NewWriter(f)
	for _, wrong := range []struct {
		what    string
		in, out map[rowPair]bool
	}{{"false", found, truth}, {"missed", truth, found}} {
		for _, p := range difference(wrong.in, wrong.out) {
			score, candidate := scores[p]
			said := "not compared"
			if candidate {
				said = fmt.Sprintf("%.1f", score)
			}
			for _, row := range p {
				if err := w.Write(append([]string{wrong.what, said, rows[row].ID}, rows[row].Values...)); err != nil {
					return err
				}
			}
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	return f.Close()
}

func difference(in, out map[rowPair]bool) []rowPair {
	var rest []rowPair
	for p := range in {
		if !out[p] {
			rest = append(rest, p)
		}
	}
	slices.SortFunc(rest, func(a, b rowPair) int { return slices.Compare(a[:], b[:]) })
	return rest
}
