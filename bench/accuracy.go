package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/clientele-go/clientele/dedupe/match"
)

// accuracy is what one set gave.
type accuracy struct {
	Set              string  `json:"set"`
	Mode             string  `json:"mode"`
	Rows             int     `json:"rows"`
	TruePairs        int     `json:"true_pairs"`
	Candidates       int     `json:"candidates"`
	CandidateRecall  float64 `json:"candidate_recall"`
	Precision        float64 `json:"precision"`
	Recall           float64 `json:"recall"`
	F1               float64 `json:"f1"`
	BestF1           float64 `json:"best_f1"`
	ClusterPrecision float64 `json:"cluster_precision"`
	ClusterRecall    float64 `json:"cluster_recall"`
	ClusterF1        float64 `json:"cluster_f1"`
	Seconds          float64 `json:"seconds"`
	PeakBytes        uint64  `json:"peak_bytes"`
}

// runAccuracy measures duplicate detection on folders of labelled records.
func runAccuracy(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("accuracy", flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "print one JSON object a set")
	data := flags.Bool("data", false, "what follows are folders with records.csv, truth.csv and schema.json")
	errorsAt := flags.String("errors", "", "folder for the wrong pairs of each set, as CSV")
	weights := flags.Bool("weights", false, "print what the model learned of each set")
	dirs, err := parseMixed(flags, args)
	if err != nil {
		return err
	}
	if len(dirs) == 0 || !*data {
		return errors.New("usage: go run ./bench accuracy -data DIR... [-json] [-errors DIR]")
	}
	if *errorsAt != "" { // before the work, not after it
		if err := os.MkdirAll(*errorsAt, 0o755); err != nil {
			return err
		}
	}
	if !*asJSON {
		printHeader(out)
	}
	var failed []error // a set that can't be measured doesn't keep the others from it
	for _, dir := range dirs {
		a, err := measureSet(ctx, dir, *errorsAt, *weights)
		if err == nil {
			err = a.print(out, *asJSON)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", dir, err))
		}
	}
	return errors.Join(failed...)
}

func printHeader(out io.Writer) {
	fmt.Fprintf(out, "%-20s %8s %8s %9s %6s | %6s %6s %6s %6s | %6s %6s %6s | %7s %6s\n", "set", "rows", "true",
		"cand", "recall", "P", "R", "F1", "best", "P", "R", "F1", "s", "MiB")
}

// parseMixed parses flags that stand before, between and after the other arguments.
func parseMixed(flags *flag.FlagSet, args []string) ([]string, error) {
	var rest []string
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return rest, nil
		}
		rest = append(rest, flags.Arg(0))
		args = flags.Args()[1:]
	}
}

func (a *accuracy) print(out io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(a)
	}
	_, err := fmt.Fprintf(out, "%-20s %8d %8d %9d %6.4f | %6.4f %6.4f %6.4f %6.4f | %6.4f %6.4f %6.4f | %7.2f %6d\n", a.Set, a.Rows, a.TruePairs,
		a.Candidates, a.CandidateRecall, a.Precision, a.Recall, a.F1, a.BestF1,
		a.ClusterPrecision, a.ClusterRecall, a.ClusterF1, a.Seconds, a.PeakBytes>>20)
	return err
}

func measureSet(ctx context.Context, dir, errorsAt string, weights bool) (*accuracy, error) {
	set, err := openSet(dir)
	if err != nil {
		return nil, err
	}
	peak := watchMemory()
	start := time.Now()
	result, err := match.Run(ctx, match.Options{Schema: set.schema, Mode: set.mode}, set.records())
	if err != nil {
		return nil, err
	}
	took := time.Since(start)
	bytes := peak()
	truth, err := truePairs(set.truth, result.IDs)
	if err != nil {
		return nil, err
	}
	a := &accuracy{Set: set.name, Mode: "dedupe", Rows: len(result.IDs), TruePairs: len(truth), Seconds: took.Seconds(), PeakBytes: bytes}
	if set.mode == match.Link {
		a.Mode = "link"
	}
	a.judge(result, truth)
	if weights {
		printWeights(result.Model)
	}
	if errorsAt != "" {
		err = writeErrors(errorsAt, set, result, truth)
	}
	return a, err
}

// rowPair is two rows, the smaller first.
type rowPair [2]uint32

func ordered(a, b uint32) rowPair { return rowPair{min(a, b), max(a, b)} }

// truePairs turns ids into rows.
func truePairs(ids [][2]string, known []string) (map[rowPair]bool, error) {
	at := make(map[string]uint32, len(known))
	for i, id := range known {
		at[id] = uint32(i)
	}
	truth := make(map[rowPair]bool, len(ids))
	for i, p := range ids {
		a, okA := at[p[0]]
		b, okB := at[p[1]]
		if !okA || !okB {
			return nil, fmt.Errorf("truth.csv, row %d: pair %q, %q: both ids must be in records.csv", i+2, p[0], p[1])
		}
		if a != b {
			truth[ordered(a, b)] = true
		}
	}
	return truth, nil
}

// judge compares a result with the truth.
func (a *accuracy) judge(r *match.Result, truth map[rowPair]bool) {
	type judged struct {
		score float32
		right bool
	}
	var all []judged
	hits, same, right := 0, 0, 0
	for p := range r.Candidates() {
		ok := truth[rowPair{p.A, p.B}]
		all = append(all, judged{p.LogOdds, ok})
		if ok {
			hits++
		}
		if p.Decision == match.Same {
			same++
			if ok {
				right++
			}
		}
	}
	a.Candidates = r.Statistics.Candidates
	a.CandidateRecall = ratio(hits, len(truth)) // at least: of what didn't fit into memory Result.Pairs alone are left
	a.Precision, a.Recall, a.F1 = quality(right, same, len(truth))
	slices.SortFunc(all, func(x, y judged) int {
		switch {
		case x.score > y.score:
			return -1
		case x.score < y.score:
			return 1
		}
		return 0
	})
	right = 0
	for i, x := range all {
		if x.right {
			right++
		}
		if i+1 == len(all) || all[i+1].score < x.score {
			_, _, f1 := quality(right, i+1, len(truth))
			a.BestF1 = max(a.BestF1, f1)
		}
	}
	right, same = 0, 0
	for p := range finalPairs(r) {
		same++
		if truth[p] {
			right++
		}
	}
	a.ClusterPrecision, a.ClusterRecall, a.ClusterF1 = quality(right, same, len(truth))
}

// finalPairs are the pairs within the clusters, and the links.
func finalPairs(r *match.Result) func(yield func(rowPair) bool) {
	return func(yield func(rowPair) bool) {
		for _, c := range r.Clusters {
			for i := range c {
				for j := i + 1; j < len(c); j++ {
					if !yield(ordered(c[i], c[j])) {
						return
					}
				}
			}
		}
		for _, l := range r.Links {
			if !yield(ordered(l.A, l.B)) {
				return
			}
		}
	}
}

// quality is precision, recall and their harmonic mean.
func quality(right, found, truth int) (precision, recall, f1 float64) {
	return ratio(right, found), ratio(right, truth), ratio(2*right, found+truth)
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func printWeights(m *match.Model) {
	fmt.Fprintf(os.Stderr, "prior %.3g\n", m.Prior())
	for _, w := range m.Weights() {
		fmt.Fprintf(os.Stderr, "%-20s %-22s m %.4f u %.6f bits %6.2f\n", w.Field, w.Level, w.M, w.U, w.Bits)
	}
}
