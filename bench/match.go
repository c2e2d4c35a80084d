package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
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
	profile := flags.String("profile", "", "file for a CPU profile")
	if err := flags.Parse(args); err != nil {
		return err
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
	result, err := match.Run(ctx, match.Options{Schema: generatedSchema, Checkpoint: *checkpoint}, generated{*seed, *rows}.records())
	if err != nil {
		return err
	}
	a := &accuracy{Set: fmt.Sprintf("generated_%d", *rows), Mode: "dedupe", Rows: len(result.IDs), Seconds: time.Since(start).Seconds(), PeakBytes: peak()}
	truth := generatedTruth(result.IDs)
	a.TruePairs = len(truth)
	a.judge(result, truth)
	if *stages {
		for stage, took := range result.Statistics.Duration {
			fmt.Fprintf(out, "%-10s %v\n", stage, took.Round(time.Millisecond))
		}
	}
	if *asJSON {
		return json.NewEncoder(out).Encode(a)
	}
	printHeader(out)
	return a.print(out, false)
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
