package search

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample"
)

// The crash tests run this test program again as a child that changes an index, kill
// it at some moment, and look at what it left.
const (
	childDir = "CLIENTELE_SEARCH_CRASH_DIR"
	childJob = "CLIENTELE_SEARCH_CRASH_JOB"
)

const (
	crashBatch     = 7  // customers put in each batch
	crashPopulated = 90 // different customers in all
)

// crashChange is the batch after a cursor: the state at each cursor is known.
func crashChange(after uint64) Batch {
	b := Batch{After: after, Cursor: after + 1}
	for i := range crashBatch {
		n := (int(after)*5 + i*13) % crashPopulated
		c := sample.Customer(3, n)
		c.Version = after + 1
		b.Put = append(b.Put, c)
	}
	b.Remove = []customer.ID{customer.ID(1 + (after*11)%crashPopulated)}
	b.Put = slicesWithout(b.Put, b.Remove[0])
	return b
}

func slicesWithout(list []*customer.Customer, id customer.ID) []*customer.Customer {
	var kept []*customer.Customer
	for _, c := range list {
		if c.ID != id {
			kept = append(kept, c)
		}
	}
	return kept
}

// crashState is the versions in an index with the cursor.
func crashState(cursor uint64) map[customer.ID]uint64 {
	state := map[customer.ID]uint64{}
	for after := range cursor {
		b := crashChange(after)
		delete(state, b.Remove[0])
		for _, c := range b.Put {
			state[c.ID] = c.Version
		}
	}
	return state
}

// runChild does a job until it is killed. Each line that it writes tells how far it is.
func runChild(dir, job string) int {
	x, err := Open(dir, Options{})
	if errors.Is(err, ErrMissing) {
		x, err = Create(dir, Options{})
	}
	fmt.Println("ready")
	for n := 0; err == nil; n++ {
		var cursor uint64
		if cursor, err = x.Cursor(); err != nil {
			break
		}
		switch {
		case job == "build":
			err = x.Build(context.Background(), crashCustomers(cursor+1), "", cursor+1, nil)
		case job == "compact" && n%20 == 19:
			err = x.Compact(context.Background())
		default:
			err = x.Apply(context.Background(), crashChange(cursor))
		}
		if err == nil && (n%10 == 9 || job == "build") {
			if err = x.Flush(context.Background()); err == nil {
				cursor, err = x.Cursor()
				fmt.Println(cursor)
			}
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// crashCustomers are the customers of the state at a cursor.
func crashCustomers(cursor uint64) iter.Seq2[*customer.Customer, error] {
	return func(yield func(*customer.Customer, error) bool) {
		for id, version := range crashState(cursor) {
			c := sample.Customer(3, int(id-1))
			c.Version = version
			if !yield(c, nil) {
				return
			}
		}
	}
}

// killAfter runs the child on dir, kills it some time after it is ready, and returns
// the highest cursor of which the child said that it would survive.
func killAfter(t *testing.T, dir, job string, after time.Duration) uint64 {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir, childJob+"="+job)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var durable uint64
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "ready" {
			defer time.AfterFunc(after, func() { _ = child.Process.Kill() }).Stop()
		} else if n, err := strconv.ParseUint(lines.Text(), 10, 64); err == nil {
			durable = n
		}
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	} else if exit := new(exec.ExitError); errors.As(err, &exit) && exit.ExitCode() == 1 {
		t.Fatal("the child failed before it was killed")
	}
	return durable
}

// TestKilledIndexHasAllOfItsCursor kills a process in the midst of batches, compactions
// or builds. Whatever the cursor in the index is, the documents are those of that
// cursor, and it isn't before what Flush promised.
func TestKilledIndexHasAllOfItsCursor(t *testing.T) {
	rounds := 3
	if n, err := strconv.Atoi(os.Getenv("CLIENTELE_CRASH_ROUNDS")); err == nil {
		rounds = n
	} else if testing.Short() {
		rounds = 1
	}
	for _, job := range []string{"apply", "compact", "build"} {
		t.Run(job, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "index")
			var reached uint64
			for round := range rounds {
				pause := time.Duration(30+round*97%270) * time.Millisecond
				promised := killAfter(t, dir, job, pause)
				cursor := checkKilled(t, dir)
				if cursor < promised {
					t.Fatalf("round %d: the cursor is %d, promised was %d", round, cursor, promised)
				}
				reached = max(reached, cursor)
			}
			if reached == 0 {
				t.Skip("SKIPPED: the machine was too slow for the child to do anything before it was killed")
			}
		})
	}
}

// checkKilled opens what was left and compares it with the state at its cursor.
func checkKilled(t *testing.T, dir string) uint64 {
	t.Helper()
	x, err := Open(dir, Options{})
	if errors.Is(err, ErrMissing) {
		return 0 // killed before there was an index
	}
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if err := x.Check(context.Background()); err != nil {
		t.Fatal(err)
	}
	cursor, err := x.Cursor()
	if err != nil {
		t.Fatal(err)
	}
	compareEntries(t, x, crashState(cursor))
	generations, err := filepath.Glob(filepath.Join(dir, generationPrefix+"*"))
	if err != nil || len(generations) != 1 {
		t.Fatalf("generations %v are left (%v), want one", generations, err)
	}
	return cursor
}

// compareEntries checks that the index has exactly the versions.
func compareEntries(t *testing.T, x *Index, want map[customer.ID]uint64) {
	t.Helper()
	n, last := 0, customer.ID(0)
	for e, err := range x.Entries(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.ID <= last {
			t.Fatalf("customer %d comes after %d", e.ID, last)
		}
		if want[e.ID] != e.Version {
			t.Fatalf("customer %d is indexed in version %d, want %d", e.ID, e.Version, want[e.ID])
		}
		n, last = n+1, e.ID
	}
	if n != len(want) {
		t.Fatalf("%d customers are indexed, want %d", n, len(want))
	}
}
