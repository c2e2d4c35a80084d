package match

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// twoLists are the records of a neighbourhood, dealt to two lists in turns of seven, so that
// there are duplicates between the lists and within them.
func twoLists(n int) (schema []Field, records iter.Seq2[Record, error]) {
	schema, list := neighbourhood(n)
	return schema, func(yield func(Record, error) bool) {
		for i, r := range list {
			r.Source = []string{"book", "list"}[i/7%2]
			if !yield(r, nil) {
				return
			}
		}
	}
}

// linked is all that a link says, save where it kept its pairs.
func linked(t *testing.T, o Options, records iter.Seq2[Record, error]) (said string, spilled int64) {
	t.Helper()
	r, err := Run(context.Background(), o, records)
	if err != nil {
		t.Fatal(err)
	}
	model, err := r.Model.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(r.Pairs, r.Links, r.Statistics.Candidates, model), r.Statistics.Spilled
}

// TestLinksOfAnyMemory wants a link with room for next to nothing, whose pairs stay in files,
// to say what one says that keeps all in memory.
func TestLinksOfAnyMemory(t *testing.T) {
	schema, records := twoLists(450)
	for _, once := range []bool{false, true} {
		o := Options{Schema: schema, Mode: Link, OneToOne: once, teaching: 300}
		want, _ := linked(t, o, records)
		for _, workers := range []int{1, 3} {
			if testing.Short() && workers == 1 {
				continue
			}
			o.Memory, o.Workers, o.TempDir = 1, workers, t.TempDir()
			got, spilled := linked(t, o, records)
			if got != want {
				t.Errorf("one to one %t, %d workers: in files, other links were found", once, workers)
			}
			if spilled == 0 {
				t.Error("nothing was spilled")
			}
			if left, err := os.ReadDir(o.TempDir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		}
	}
}

// TestLinksWithAModelOfAnyMemory does so with a model that was trained before.
func TestLinksWithAModelOfAnyMemory(t *testing.T) {
	schema, records := twoLists(450)
	r, err := Run(context.Background(), Options{Schema: schema, Mode: Link, teaching: 300}, records)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Model: r.Model, Mode: Link, teaching: 300}
	want, _ := linked(t, o, records)
	o.Memory, o.TempDir = 1, t.TempDir()
	if got, _ := linked(t, o, records); got != want {
		t.Error("in files, other links were found")
	}
}

// TestLinksGoOnWithOtherMemory ends links in memory and in files, and wants their
// continuations, in files and in memory, to find what an undisturbed one does.
func TestLinksGoOnWithOtherMemory(t *testing.T) {
	schema, records := twoLists(450)
	o := Options{Schema: schema, Mode: Link, teaching: 300, TempDir: t.TempDir()}
	want, _ := linked(t, o, records)
	for _, memory := range [][2]int64{{0, 1}, {1, 0}, {1, 1}} {
		if testing.Short() && memory[0] == memory[1] {
			continue
		}
		o.Checkpoint = filepath.Join(t.TempDir(), "checkpoint")
		ctx, cancel := context.WithCancel(context.Background())
		o.Memory, o.Progress = memory[0], func(p Progress) {
			if p.Stage == Scoring {
				cancel()
			}
		}
		if _, err := Run(ctx, o, records); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
		o.Memory, o.Progress = memory[1], nil
		if got, _ := linked(t, o, records); got != want {
			t.Errorf("with %d bytes and then %d, other links were found", memory[0], memory[1])
		}
		if got, _ := linked(t, o, records); got != want {
			t.Errorf("with %d bytes, then %d and %d again, other links were found", memory[0], memory[1], memory[1])
		}
	}
}

// TestFinderFindsScores looks for every pair of a list, and for pairs between them, in
// memory and in a file.
func TestFinderFindsScores(t *testing.T) {
	ctx := context.Background()
	s := &spill{dir: t.TempDir(), memory: 1}
	defer s.close()
	sorter := &pairSorter{most: 1, file: spilled{s: s}}
	var pairs []pair
	var scores []float32
	for i := range uint32(3 * pairsPerLook) {
		pairs, scores = append(pairs, pair{i, 2*i + 1}), append(scores, float32(i)/2)
	}
	for _, p := range pairs {
		sorter.pairs = append(sorter.pairs, p.packed())
	}
	if err := sorter.full(); err != nil {
		t.Fatal(err)
	}
	list, err := sortPairs(ctx, s, 3*pairsPerLook, []*pairSorter{sorter})
	if err != nil {
		t.Fatal(err)
	}
	inFile := &scoredPairs{list: list, file: &spilled{s: s}}
	if _, err := inFile.file.piece(func(put func(uint64)) {
		for _, x := range scores {
			put(uint64(math.Float32bits(x)))
		}
	}); err != nil {
		t.Fatal(err)
	}
	inMemory := &scoredPairs{list: &pairList{memory: pairs, count: len(pairs)}, memory: scores}
	for name, l := range map[string]*scoredPairs{"memory": inMemory, "file": inFile} {
		f, err := newFinder(ctx, l)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range pairs {
			if x, found := f.score(p); !found || x != scores[i] {
				t.Fatalf("in %s pair %v has the score %v, %t; want %v", name, p, x, found, scores[i])
			}
			if _, found := f.score(pair{p.a, p.b + 1}); found {
				t.Fatalf("in %s a pair beside %v was found", name, p)
			}
		}
		if _, found := f.score(pair{1 << 20, 1<<20 + 1}); found || f.err != nil {
			t.Errorf("in %s a pair behind all was found, or error %v", name, f.err)
		}
	}
}
