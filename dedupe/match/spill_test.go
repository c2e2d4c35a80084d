package match_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/clientele-go/clientele/dedupe/match"
)

// foundAnywhere is all that a run says, save where it kept its keys and pairs.
func foundAnywhere(r *match.Result) string {
	r.Statistics.Spilled = 0
	return found(r)
}

// TestAnyMemoryFindsTheSame runs with room for next to nothing, so that keys and pairs go to
// files, and wants the bytes of a run that has room for all; no file may stay.
func TestAnyMemoryFindsTheSame(t *testing.T) {
	list := population(1000)
	for _, mode := range []match.Mode{match.Dedupe, match.Link} {
		want := foundAnywhere(run(t, match.Options{Schema: people, Mode: mode}, list))
		for _, memory := range []int64{1, 100_000} {
			for _, workers := range []int{1, 3} {
				if testing.Short() && (memory > 1 || workers == 1) {
					continue
				}
				o := match.Options{Schema: people, Mode: mode, Memory: memory, Workers: workers, TempDir: t.TempDir()}
				r := run(t, o, list)
				if memory == 1 && r.Statistics.Spilled == 0 {
					t.Error("nothing was spilled with room for a byte")
				}
				if got := foundAnywhere(r); got != want {
					t.Errorf("mode %d, %d bytes, %d workers: other things were found", mode, memory, workers)
				}
				wantEmpty(t, o.TempDir)
			}
		}
	}
}

func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
		t.Errorf("left behind: %v, error %v", left, err)
	}
}

// TestEndedRunsLeaveNoFiles ends runs that spill in every stage.
func TestEndedRunsLeaveNoFiles(t *testing.T) {
	list := population(1000)
	for _, stage := range []match.Stage{match.Blocking, match.Comparing, match.Training, match.Scoring} {
		ctx, cancel := context.WithCancel(context.Background())
		o := match.Options{Schema: people, Memory: 1, TempDir: t.TempDir(), Progress: func(p match.Progress) {
			if p.Stage == stage {
				cancel()
			}
		}}
		if _, err := match.Run(ctx, o, stream(list)); !errors.Is(err, context.Canceled) && stage != match.Scoring {
			t.Errorf("ended while it %ss: error %v; want %v", stage, err, context.Canceled)
		}
		cancel()
		wantEmpty(t, o.TempDir)
	}
}

func TestMissingFolderForFilesIsAnError(t *testing.T) {
	o := match.Options{Schema: people, Memory: 1, TempDir: filepath.Join(t.TempDir(), "absent")}
	if _, err := match.Run(context.Background(), o, stream(population(1000))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v; want %v", err, os.ErrNotExist)
	}
}

// TestSpilledRunGoesOn kills a run that spills, and wants its continuation, with other
// memory, to find what an undisturbed run does.
func TestSpilledRunGoesOn(t *testing.T) {
	list := population(1000)
	want := foundAnywhere(run(t, match.Options{Schema: people}, list))
	o := match.Options{Schema: people, Memory: 1, TempDir: t.TempDir(), Checkpoint: filepath.Join(t.TempDir(), "checkpoint")}
	ctx, cancel := context.WithCancel(context.Background())
	o.Progress = func(p match.Progress) {
		if p.Stage == match.Training {
			cancel()
		}
	}
	if _, err := match.Run(ctx, o, stream(list)); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v; want %v", err, context.Canceled)
	}
	o.Progress = func(p match.Progress) {
		if p.Stage == match.Blocking {
			t.Error("it blocks again")
		}
	}
	for _, o.Memory = range []int64{1, 0} {
		if got := foundAnywhere(run(t, o, list)); got != want {
			t.Errorf("with %d bytes the continuation found other things", o.Memory)
		}
	}
	wantEmpty(t, o.TempDir)
}
