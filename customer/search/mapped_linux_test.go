package search

import (
	"errors"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample"
)

// A file that is cut off while it is mapped, as a bad sector of the disk looks too, fails
// what reads it and doesn't end the program. The index can be made anew in its place.
func TestFilesCutOffUnderAnOpenIndex(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "index")
	x, err := Create(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	customers := func() iter.Seq2[*customer.Customer, error] {
		return func(yield func(*customer.Customer, error) bool) {
			for i := range 3000 {
				if !yield(sample.Customer(1, i), nil) {
					return
				}
			}
		}
	}
	if err := x.Build(t.Context(), customers(), "", 1, nil); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.zap"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if err := os.Truncate(f, 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := x.Search(t.Context(), Query{Text: "有限公司"}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("search: %v", err)
	}
	if _, err := x.Pick(t.Context(), Query{Text: "sh"}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("pick: %v", err)
	}
	for _, err = range x.Entries(t.Context()) {
		if err != nil {
			break
		}
	}
	if !errors.Is(err, ErrCorrupt) {
		t.Errorf("entries: %v", err)
	}
	if err := x.Check(t.Context()); !errors.Is(err, ErrCorrupt) {
		t.Errorf("check: %v", err)
	}
	if err := x.Build(t.Context(), customers(), "", 2, nil); err != nil {
		t.Fatal(err)
	}
	if r, err := x.Search(t.Context(), Query{Text: "有限公司"}); err != nil || r.Total == 0 {
		t.Errorf("after it was made anew: %d found, %v", r.Total, err)
	}
}
