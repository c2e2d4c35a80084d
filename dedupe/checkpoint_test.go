package dedupe_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/dedupe/match"
)

// A run that ends while it stores what it found goes on from its checkpoint, finds the
// same, and removes the file.
func TestRunGoesOnFromItsCheckpoint(t *testing.T) {
	b := openFor(t)
	first, second := b.create(cement), b.create(cementAgain)
	for _, name := range []string{"统一企业股份有限公司", "Northwind Traders Ltd", "王丽"} {
		b.create(customer.Draft{Name: name})
	}
	opts := dedupe.RunOptions{Checkpoint: filepath.Join(t.TempDir(), "run")}
	ctx, cancel := context.WithCancel(b.ctx)
	job := b.DedupeJob()
	job.Progress = func(int, int) { cancel() }
	if _, err := b.Dedupe().Run(ctx, job, opts); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v; want %v", err, context.Canceled)
	}
	if _, err := os.Stat(opts.Checkpoint); err != nil {
		t.Fatalf("the run that was ended left no checkpoint: %v", err)
	}
	opts.Progress = func(p match.Progress) {
		if p.Stage == match.Blocking || p.Stage == match.Training {
			t.Errorf("the run that goes on does stage %q again", p.Stage)
		}
	}
	run, err := b.Dedupe().Run(b.ctx, b.DedupeJob(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Groups) != 1 || len(run.Groups[0].Members) != 2 || run.Groups[0].Members[0] != first.ID || run.Groups[0].Members[1] != second.ID {
		t.Errorf("groups %v; want one of customers %d and %d", run.Groups, first.ID, second.ID)
	}
	if _, err := os.Stat(opts.Checkpoint); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("checkpoint of a run that ended well: %v; want it removed", err)
	}
}

// A phone without calling code is one of the book's country.
func TestPhonesAreOfTheBooksCountry(t *testing.T) {
	b := openFor(t, func(o *clientele.Options) { o.Customers.Country = "DE" })
	want := b.create(customer.Draft{Name: "Anna Adler", Phones: []customer.Phone{{Number: "+49 30 12345678"}}})
	found := b.candidates(customer.Draft{Name: "A. Adler", Country: "ZZ", Phones: []customer.Phone{{Number: "030 12345678"}}})
	if len(found) != 1 || found[0].Customer.ID != want.ID {
		t.Errorf("candidates %v; want customer %d", found, want.ID)
	}
}
