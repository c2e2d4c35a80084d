package match_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/clientele-go/clientele/dedupe/match"
)

// found is all that a run says, save how long it took.
func found(r *match.Result) string {
	s := r.Statistics
	s.Duration = nil
	stored, err := r.Model.MarshalBinary()
	return fmt.Sprint(r.IDs, r.Pairs, r.Clusters, r.Links, s, stored, err)
}

// TestKilledRunGoesOn ends runs in every stage, and cuts their checkpoints anywhere, as a
// kill may; started again they must end as a run does that nothing stopped.
func TestKilledRunGoesOn(t *testing.T) {
	for _, mode := range []match.Mode{match.Dedupe, match.Link} {
		list := population(400)
		o := match.Options{Schema: people, Mode: mode}
		want := found(run(t, o, list))
		o.Checkpoint = filepath.Join(t.TempDir(), "checkpoint")
		for _, stage := range []match.Stage{match.Blocking, match.Comparing, match.Training} {
			ctx, cancel := context.WithCancel(context.Background())
			o.Progress = func(p match.Progress) {
				if p.Stage == stage {
					cancel()
				}
			}
			if _, err := match.Run(ctx, o, stream(list)); !errors.Is(err, context.Canceled) {
				t.Fatalf("ended while it %ss: error %v; want %v", stage, err, context.Canceled)
			}
			cancel()
		}
		o.Progress = nil
		if got := found(run(t, o, list)); got != want {
			t.Fatalf("mode %d: a run that goes on found other things", mode)
		}
		whole, err := os.ReadFile(o.Checkpoint)
		if err != nil {
			t.Fatal(err)
		}
		cuts := 4
		if testing.Short() {
			cuts = 2
		}
		for cut := 0; cut <= len(whole); cut += len(whole)/cuts + 1 {
			damaged := append([]byte(nil), whole[:cut]...)
			if cut > 100 {
				damaged[cut-50] ^= 1
			}
			if err := os.WriteFile(o.Checkpoint, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			if got := found(run(t, o, list)); got != want {
				t.Fatalf("mode %d: going on from %d of %d bytes found other things", mode, cut, len(whole))
			}
		}
	}
}

// TestCheckpointSavesWork counts what a run compares: one that goes on compares nothing
// again.
func TestCheckpointSavesWork(t *testing.T) {
	list := population(200)
	o := match.Options{Schema: people, Checkpoint: filepath.Join(t.TempDir(), "checkpoint")}
	stages := func() map[match.Stage]int {
		seen := map[match.Stage]int{}
		o.Progress = func(p match.Progress) { seen[p.Stage]++ }
		run(t, o, list)
		return seen
	}
	if first := stages(); first[match.Blocking] == 0 || first[match.Training] == 0 {
		t.Fatalf("the first run reported %v", first)
	}
	if again := stages(); again[match.Blocking] != 0 || again[match.Training] != 0 {
		t.Errorf("the second run reported %v; want it neither to block nor to train", again)
	}
}

func TestCheckpointOfOtherRecordsIsNotUsed(t *testing.T) {
	list, file := population(300), filepath.Join(t.TempDir(), "checkpoint")
	run(t, match.Options{Schema: people, Checkpoint: file}, list)
	other := population(300)
	other[5].Values[0] = "Ottilie"
	want := found(run(t, match.Options{Schema: people}, other))
	if got := found(run(t, match.Options{Schema: people, Checkpoint: file}, other)); got != want {
		t.Error("a changed record was not noticed")
	}
	if err := match.RemoveCheckpoint(file); err != nil {
		t.Error(err)
	}
	if err := match.RemoveCheckpoint(file); err != nil {
		t.Errorf("removing it again: %v", err)
	}
}
