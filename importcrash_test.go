package clientele_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

// An import is killed with kill -9 at random points, and gone on with and killed again,
// until it is done. What the book holds then is what an uninterrupted import makes, row by
// row. CLIENTELE_IMPORT_KILLS sets how often imports are killed, some five times each, and
// CLIENTELE_IMPORT_ROWS how long the file is. Without them CLIENTELE_CRASH_RUNS sets both:
// a quarter of it are the kills, and the file has a thousand times as many rows; 200, as
// `make crash` has it, are 50 kills of imports of 200,000 rows.

const importChild = "CLIENTELE_IMPORT_CHILD"

// importList writes a list of which some rows are refused, duplicates of others, or change
// customers of earlier rows, and returns its name.
func importList(t *testing.T, rows int) string {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("code,name,phone,email,note\n")
	for i := range rows {
		switch {
		case i%97 == 5:
			fmt.Fprintf(&b, "K%d,第%d有限公司,,no mail,\n", i, i)
		case i%89 == 7:
			fmt.Fprintf(&b, "D%d,第%d有限公司,,,\n", i, i-7) // the name of an earlier row
		case i%83 == 11:
			fmt.Fprintf(&b, "K%d,第%d有限公司,,,changed by row %d\n", i-11, i-11, i)
		default:
			fmt.Fprintf(&b, "K%d,第%d有限公司,021-2%07d,k%d@example.com,\n", i, i, i, i)
		}
	}
	name := filepath.Join(t.TempDir(), "list.csv")
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// importFile is the child: it imports a file into a book to its end, and tells each row
// that it has come to.
func importFile(dir, name string) error {
	ctx := context.Background()
	book, err := clientele.Open(ctx, dir, clientele.Options{Logger: slog.New(slog.DiscardHandler), WithoutSearch: true})
	if err != nil {
		return err
	}
	defer book.Close()
	f, closer, err := tabular.Open(name)
	if err != nil {
		return err
	}
	defer closer.Close()
	fmt.Println("begun")
	for p, err := range book.As(clientele.Actor{ID: "child"}).Exchange().Run(ctx, exchange.Import{File: f}) {
		if errors.Is(err, exchange.ErrImported) { // the last kill came when all was done
			return nil
		}
		if err != nil {
			return err
		}
		fmt.Println(p.Row)
	}
	return nil
}

// childImport is the child as its parent sees it.
type childImport struct {
	*exec.Cmd
	begun chan struct{} // closed once the import begins
	ended chan struct{} // closed once all that the child told is read
	told  string        // last; readable once ended
}

func startImport(t *testing.T, dir, name string) *childImport {
	t.Helper()
	c := &childImport{Cmd: exec.Command(os.Args[0], "-test.run=^$"), begun: make(chan struct{}), ended: make(chan struct{})}
	c.Env = append(os.Environ(), importChild+"="+dir+"\n"+name)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.ended)
		lines := bufio.NewScanner(out)
		begun := sync.OnceFunc(func() { close(c.begun) })
		defer begun()
		for lines.Scan() {
			c.told = lines.Text()
			begun()
		}
	}()
	return c
}

// end waits for the child and returns the row that it told last, and whether it got to
// its end.
func (c *childImport) end(t *testing.T) (row int, done bool) {
	t.Helper()
	<-c.ended
	err := c.Wait()
	if err != nil && c.ProcessState.Exited() {
		t.Fatalf("the import ended by itself: %v", err)
	}
	row, _ = strconv.Atoi(c.told) // "begun" is row 0
	return row, err == nil
}

// importOutcome is what an import left: its summary, every customer without ids and times,
// and every fault.
func importOutcome(t *testing.T, dir string) string {
	t.Helper()
	ctx := t.Context()
	book, err := clientele.Open(ctx, dir, clientele.Options{Logger: slog.New(slog.DiscardHandler), WithoutSearch: true})
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	me := book.As(clientele.Actor{ID: "parent"})
	x := me.Exchange()
	sum := sha256.New()
	n, err := x.Export(ctx, sum, exchange.Export{Sort: exchange.Code})
	if err != nil {
		t.Fatal(err)
	}
	versions := map[uint64]int{}
	err = me.View(ctx, func(tx *clientele.ReadTx) error {
		for c, err := range tx.Customers.List(customer.List{Statuses: customer.AllStatuses()}) {
			if err != nil {
				return err
			}
			versions[c.Version]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := x.Jobs(ctx)
	if err != nil || len(jobs) != 1 || jobs[0].State != exchange.Done {
		t.Fatalf("%d imports, %v", len(jobs), err)
	}
	faults, err := x.Faults(ctx, jobs[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	wrong := sha256.New()
	for _, f := range faults {
		fmt.Fprintln(wrong, f)
	}
	if report, err := book.Verify(ctx, nil); err != nil || !report.OK() {
		t.Fatalf("verify: %v, %v", report, err)
	}
	return fmt.Sprintf("%+v up to row %d; %d customers %x in versions %v; %d faults %x",
		jobs[0].Summary, jobs[0].Row, n, sum.Sum(nil)[:8], versions, len(faults), wrong.Sum(nil)[:8])
}

// crashSetting returns a number from the environment.
func crashSetting(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// killsEach is about how often one import of many parts, of partRows, is killed, and a part
// or two are done between two kills. After mostKills, as on a machine that got slow meanwhile,
// it is left alone: it might never come to its end.
const killsEach, mostKills, partRows = 5, 25, 20_000

func TestKilledImportGoesOnAsIfNothingHadBeen(t *testing.T) {
	kills, rows := 2, 6_000
	if testing.Short() {
		rows = 1_500
	}
	if n := crashSetting("CLIENTELE_CRASH_RUNS", 0); n > 0 {
		kills, rows = max(n/4, 2), 1000*n
	}
	kills, rows = crashSetting("CLIENTELE_IMPORT_KILLS", kills), crashSetting("CLIENTELE_IMPORT_ROWS", rows)

	name := importList(t, rows)
	whole := filepath.Join(t.TempDir(), "whole")
	child := startImport(t, whole, name)
	<-child.begun
	start := time.Now()
	if row, done := child.end(t); !done || row != rows+1 {
		t.Fatalf("the import that nobody kills ended at row %d of %d", row, rows+1)
	}
	took := time.Since(start)
	want := importOutcome(t, whole)
	if err := os.RemoveAll(whole); err != nil {
		t.Fatal(err)
	}

	within := 2 * took / time.Duration(min(killsEach, kills, 1+rows/(2*partRows)))
	killed, finished := 0, 0
	for killed < kills {
		dir := filepath.Join(t.TempDir(), fmt.Sprint("killed", finished))
		at := killUntilDone(t, dir, name, within)
		killed += len(at)
		finished++
		t.Logf("import %d was killed behind the rows %v", finished, at)
		if got := importOutcome(t, dir); got != want {
			t.Fatalf("import %d, killed behind the rows %v:\n%s\nwant\n%s", finished, at, got, want)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d kills of imports of %d rows, %d imports finished, each as one in %s: %s", killed, rows, finished, took.Round(time.Millisecond), want)
}

// killUntilDone runs one import, killing it again and again within a time from its beginning
// or going on, until it is done. It returns behind which rows of the file it was killed:
// parts that were in the book by then, as far as the child could tell.
func killUntilDone(t *testing.T, dir, name string, within time.Duration) (at []int) {
	t.Helper()
	for {
		child := startImport(t, dir, name)
		<-child.begun
		spared := len(at) >= mostKills
		alarm := time.AfterFunc(rand.N(within), func() {
			if !spared {
				child.Process.Kill()
			}
		})
		row, done := child.end(t)
		alarm.Stop()
		if done {
			return at
		}
		if len(at) > 0 {
			row = max(row, at[len(at)-1]) // killed before it told how far the former ones had come
		}
		at = append(at, row)
	}
}
