package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/clientele-go/clientele/dedupe/match"
)

// runMatch measures deduplication of generated records.
func runMatch(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("match", flag.ContinueOnError)
	rows := flags.Int("rows", 100_000, "records to generate")
	seed := flags.Uint64("seed", 1, "of the generator")
	asJSON := flags.Bool("json", false, "print a JSON object")
	stages := flags.Bool("stages", false, "print the time of each stage")
	checkpoint := flags.String("checkpoint", "", "file from which a killed run goes on")
	memory := flags.Int64("memory", 0, "MiB that keys, and then pairs, may take before they go to files (0 is 2048)")
	profile := flags.String("profile", "", "file for a CPU profile")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("match takes flags only; what is %q?", flags.Arg(0))
	case *rows < 1:
		return fmt.Errorf("-rows %d: at least 1", *rows)
	case *memory < 0:
		return fmt.Errorf("-memory %d: not less than 0 MiB", *memory)
	}
	if *profile != "" {
		stop, err := startProfile(*profile)
		if err != nil {
			return err
		}
		defer stop()
	}
	peak := watchMemory()
	start := time.Now()
	result, err := match.Run(ctx, match.Options{Schema: generatedSchema, Checkpoint: *checkpoint, Memory: *memory << 20}, ahead(generated{*seed, *rows}.records()))
	if err != nil {
		return err
	}
	a := &accuracy{Set: fmt.Sprintf("generated_%d", *rows), Mode: "dedupe", Rows: len(result.IDs), Seconds: time.Since(start).Seconds(), PeakBytes: peak()}
	truth := generatedTruth(result.IDs)
	a.TruePairs = len(truth)
	a.judge(result, truth)
	if *stages {
		printStages(out, &result.Statistics)
	}
	if *asJSON {
		return json.NewEncoder(out).Encode(a)
	}
	printHeader(out)
	return a.print(out, false)
}

// printStages prints how long each stage took, in their order.
func printStages(out io.Writer, s *match.Statistics) {
	for _, stage := range []match.Stage{match.Reading, match.Preparing, match.Blocking, match.Comparing, match.Training, match.Scoring, match.Clustering} {
		fmt.Fprintf(out, "%-10s %v\n", stage, s.Duration[stage].Round(time.Millisecond))
	}
	fmt.Fprintf(out, "%-10s %d MiB\n", "spilled", s.Spilled>>20)
}

// ahead makes records while others are read: making them is not part of what is measured.
func ahead(records iter.Seq2[match.Record, error]) iter.Seq2[match.Record, error] {
	const atOnce = 1024
	return func(yield func(match.Record, error) bool) {
		made, enough := make(chan []match.Record, 4), make(chan struct{})
		defer close(enough)
		go func() {
			defer close(made)
			list := make([]match.Record, 0, atOnce)
			for r := range records { // the generator has no errors
				if list = append(list, r); len(list) < atOnce {
					continue
				}
				select {
				case made <- list:
					list = make([]match.Record, 0, atOnce)
				case <-enough:
					return
				}
			}
			select {
			case made <- list:
			case <-enough:
			}
		}()
		for list := range made {
			for _, r := range list {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// generatedTruth are the pairs of records of one customer, which stand together.
func generatedTruth(ids []string) map[rowPair]bool {
	truth := map[rowPair]bool{}
	customerOf := func(id string) string { return id[:strings.IndexByte(id, '.')] }
	for i := range ids {
		for j := i + 1; j < len(ids) && customerOf(ids[i]) == customerOf(ids[j]); j++ {
			truth[rowPair{uint32(i), uint32(j)}] = true
		}
	}
	return truth
}

// startProfile writes a CPU profile to a file until it is stopped.
func startProfile(name string) (stop func(), err error) {
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = file.Close()
	}, nil
}
