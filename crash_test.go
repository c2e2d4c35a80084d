package clientele_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/search"
	"github.com/clientele-go/clientele/tagging"
)

// The kill -9 loop: a child process commits from several goroutines and tells each
// acknowledged transaction on its standard output; the parent kills it at a random
// moment, opens the book and looks for what was acknowledged. CLIENTELE_CRASH_RUNS
// sets how often.

const crashChild = "CLIENTELE_CRASH_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashChild); dir != "" {
		fmt.Fprintln(os.Stderr, crashWriter(dir))
		os.Exit(3)
	}
	if dir, name, ok := strings.Cut(os.Getenv(importChild), "\n"); ok {
		if err := importFile(dir, name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		return
	}
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 { // every book was closed
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// Each transaction of the child changes a pair of customers: it creates both, or
// gives both the same new note, and the tag of the same step. A torn transaction leaves
// a pair unequal.
func crashWriter(dir string) error {
	ctx := context.Background()
	book, err := clientele.Open(ctx, dir, clientele.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if err := book.As(clientele.Actor{ID: "child"}).Update(ctx, defineSteps); err != nil {
		return err
	}
	out := make(chan string, 64)
	for w := range 6 {
		go func() {
			for i := 0; ; i++ {
				pair := fmt.Sprintf("p%d-%d-%d", os.Getpid(), w, i/3)
				note := fmt.Sprint("n", i)
				err := book.As(clientele.Actor{ID: "child"}).Update(ctx, func(tx *clientele.Tx) error { return writePair(tx, pair, note, stepOf(i)) })
				if err != nil {
					out <- "error " + err.Error()
					return
				}
				out <- "done " + pair + " " + note
			}
		}()
	}
	go crashLoader(ctx, book, out)
	for line := range out {
		if _, err := fmt.Println(line); err != nil {
			return err
		}
	}
	return nil
}

// crashLoader loads customers in bulk beside the transactions.
func crashLoader(ctx context.Context, book *clientele.Book, out chan<- string) {
	for i := 0; ; i++ {
		name := fmt.Sprintf("load-%d-%d", os.Getpid(), i)
		loaded, err := book.As(clientele.Actor{ID: "child"}).Load(ctx, customer.LoadOptions{}, func(yield func(customer.Draft, error) bool) {
			for k := range 200 {
				if !yield(customer.Draft{Name: name, Code: fmt.Sprint(name, "-", k)}, nil) {
					return
				}
			}
		})
		if err != nil || loaded.Rows != 200 {
			out <- fmt.Sprintf("error load: %d rows, %v", loaded.Rows, err)
			return
		}
		out <- "done " + name + " load"
		time.Sleep(20 * time.Millisecond)
	}
}

// steps is how many tags the dimension "step" has.
const steps = 3

func stepOf(note int) string { return fmt.Sprint("s", note%steps) }

func defineSteps(tx *clientele.Tx) error {
	d, err := tx.Tags.CreateDimension(tagging.Dimension{Code: "step", Exclusive: true})
	if errors.Is(err, tagging.ErrExists) {
		return nil
	}
	for i := 0; i < steps && err == nil; i++ {
		_, err = tx.Tags.CreateTag(tagging.Tag{Dimension: d.ID, Code: stepOf(i)})
	}
	return err
}

func writePair(tx *clientele.Tx, pair, note, step string) error {
	tag, err := tx.Tags.Tag("step", step)
	if err != nil {
		return err
	}
	for _, half := range []string{"/a", "/b"} {
		c, err := tx.Customers.ByCode(pair + half)
		if errors.Is(err, customer.ErrNotFound) {
			c, err = tx.Customers.Create(customer.Draft{Name: "客户 " + pair, Code: pair + half, Note: note})
		} else if err == nil {
			c.Note = note
			_, err = tx.Customers.Update(c)
		}
		if err == nil {
			_, err = tx.Tags.Replace(c.ID, tagging.Assignment{Tag: tag.ID})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func TestKilledProcessLosesNothing(t *testing.T) {
	runs := 5
	if n, err := strconv.Atoi(os.Getenv("CLIENTELE_CRASH_RUNS")); err == nil {
		runs = n
	}
	dir := t.TempDir()
	acknowledged := map[string]int{} // pair -> highest note number, -1 for a load
	for run := range runs {
		for pair, n := range killedRun(t, dir) {
			acknowledged[pair] = n
		}
		checkAfterCrash(t, dir, acknowledged)
		if t.Failed() {
			t.Fatalf("after run %d", run+1)
		}
	}
	t.Logf("%d kills, %d pairs and loads acknowledged", runs, len(acknowledged))
}

func killedRun(t *testing.T, dir string) map[string]int {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), crashChild+"="+dir)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	acknowledged := map[string]int{}
	lines := make(chan struct{})
	first := make(chan struct{})
	go func() {
		defer close(lines)
		readAcknowledged(t, pipe, &mu, acknowledged, first)
	}()
	select {
	case <-first:
	case <-time.After(60 * time.Second):
		t.Error("the child did nothing for a minute")
	}
	time.Sleep(time.Duration(rand.IntN(150)) * time.Millisecond)
	cmd.Process.Kill()
	<-lines
	cmd.Wait() // reports the kill
	return acknowledged
}

func readAcknowledged(t *testing.T, pipe io.Reader, mu *sync.Mutex, acknowledged map[string]int, first chan struct{}) {
	scanner := bufio.NewScanner(pipe)
	for scanner.Scan() {
		fields := strings.Fields(scanner.Text())
		if len(fields) != 3 || fields[0] != "done" {
			t.Errorf("the child says %q", scanner.Text())
			continue
		}
		n := -1
		if fields[2] != "load" {
			n, _ = strconv.Atoi(fields[2][1:])
		}
		mu.Lock()
		if len(acknowledged) == 0 {
			close(first)
		}
		acknowledged[fields[1]] = n
		mu.Unlock()
	}
}

func checkAfterCrash(t *testing.T, dir string, acknowledged map[string]int) {
	ctx := context.Background()
	book, err := clientele.Open(ctx, dir, clientele.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	me := book.As(clientele.Actor{ID: "parent"})
	err = me.View(ctx, func(tx *clientele.ReadTx) error {
		for pair, n := range acknowledged {
			if n < 0 {
				checkLoad(t, tx, pair)
			} else {
				checkPair(t, tx, pair, n)
			}
		}
		return errors.Join(checkNothingTorn(t, tx), checkSteps(t, tx))
	})
	if err != nil {
		t.Fatal(err)
	}
	report, err := book.Verify(ctx, nil)
	if err != nil || !report.OK() {
		t.Fatalf("verify: %v, %v", report.Differences, err)
	}
	if err := me.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	for pair := range acknowledged {
		result, err := me.Search(ctx, search.Query{Text: pair + "/a"})
		if acknowledged[pair] >= 0 && (err != nil || len(result.Hits) == 0) {
			t.Errorf("search does not find %s: %v", pair, err)
		}
		break
	}
}

func checkPair(t *testing.T, tx *clientele.ReadTx, pair string, n int) {
	for _, half := range []string{"/a", "/b"} {
		c, err := tx.Customers.ByCode(pair + half)
		if err != nil {
			t.Errorf("acknowledged %s%s: %v", pair, half, err)
			continue
		}
		// A later transaction of the same pair may have been committed and not told.
		if got, _ := strconv.Atoi(c.Note[1:]); got < n {
			t.Errorf("acknowledged %s%s with note n%d has %s", pair, half, n, c.Note)
		}
	}
}

func checkLoad(t *testing.T, tx *clientele.ReadTx, name string) {
	for k := range 200 {
		if _, err := tx.Customers.ByCode(fmt.Sprint(name, "-", k)); err != nil {
			t.Errorf("acknowledged load: %v", err)
		}
	}
}

// checkSteps wants of each customer the one tag that its note says, by the sets of tags.
func checkSteps(t *testing.T, tx *clientele.ReadTx) error {
	for i := range steps {
		for id, err := range tx.Tags.IDs(tagging.Query{Filter: "step:" + stepOf(i)}, 0) {
			if err != nil {
				return err
			}
			c, err := tx.Customers.Get(id)
			if err != nil {
				return err
			}
			if n, _ := strconv.Atoi(c.Note[1:]); stepOf(n) != stepOf(i) {
				t.Errorf("customer %s with note %s has the tag %s", c.Code, c.Note, stepOf(i))
			}
		}
	}
	untagged, err := tx.Tags.Count(tagging.Query{Filter: "missing:step"})
	loaded := int64(0)
	for c, err := range tx.Customers.List(customer.List{}) {
		if err != nil {
			return err
		}
		if c.Note == "" {
			loaded++
		}
	}
	if untagged != loaded {
		t.Errorf("%d customers have no step, want the %d that were loaded", untagged, loaded)
	}
	return err
}

func checkNothingTorn(t *testing.T, tx *clientele.ReadTx) error {
	notes := map[string]string{}
	loads := map[string]int{}
	for c, err := range tx.Customers.List(customer.List{}) {
		if err != nil {
			return err
		}
		pair, half, isPair := strings.Cut(c.Code, "/")
		switch {
		case !isPair:
			loads[c.Name]++
		case notes[pair] == "":
			notes[pair] = c.Note
		case notes[pair] != c.Note:
			t.Errorf("pair %s is torn: %s and %s/%s", pair, notes[pair], half, c.Note)
		default:
			delete(notes, pair)
		}
	}
	for pair := range notes {
		t.Errorf("half of pair %s is missing", pair)
	}
	for name, n := range loads {
		if n != 200 {
			t.Errorf("load %s has %d rows", name, n)
		}
	}
	return nil
}
