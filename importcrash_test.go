package clientele_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

// An import is killed at random points and gone on with, until it is done. What the book
// holds then is what an uninterrupted import makes, row by row. CLIENTELE_CRASH_RUNS sets
// how often it is killed at least, a quarter of it, and that the file has a thousand times
// as many rows: 50 kills of 200,000 rows for 200.

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

// importFile is the child: it imports a file into a book to its end.
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
	_, err = book.As(clientele.Actor{ID: "child"}).Exchange().Import(ctx, exchange.Import{File: f})
	if errors.Is(err, exchange.ErrImported) { // the last kill came when all was done
		return nil
	}
	return err
}

// startImport runs the child. The channel has its first line.
func startImport(t *testing.T, dir, name string) (cmd *exec.Cmd, begun <-chan struct{}) {
	t.Helper()
	cmd = exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), importChild+"="+dir+"\n"+name)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	first := make(chan struct{})
	go func() {
		out.Read(make([]byte, 6))
		close(first)
		io.Copy(io.Discard, out)
	}()
	return cmd, first
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

func TestKilledImportGoesOnAsIfNothingHadBeen(t *testing.T) {
	kills, rows := 2, 6_000
	if testing.Short() {
		rows = 1_500
	}
	if n, err := strconv.Atoi(os.Getenv("CLIENTELE_CRASH_RUNS")); err == nil {
		kills, rows = max(n/4, 2), 1000*n
	}
	name := importList(t, rows)
	whole := filepath.Join(t.TempDir(), "whole")
	cmd, begun := startImport(t, whole, name)
	<-begun
	start := time.Now()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	want := importOutcome(t, whole)
	if err := os.RemoveAll(whole); err != nil {
		t.Fatal(err)
	}

	killed, finished := 0, 0
	for killed < kills {
		dir := filepath.Join(t.TempDir(), fmt.Sprint("killed", finished))
		for done := false; !done; {
			cmd, begun := startImport(t, dir, name)
			<-begun
			alarm := time.AfterFunc(time.Duration(rand.Int64N(2*int64(took))), func() { cmd.Process.Kill() }) // half of them get to the end
			err := cmd.Wait()
			alarm.Stop()
			switch done = err == nil; {
			case cmd.ProcessState.Exited() && !done:
				t.Fatalf("import %d, after %d kills: %v", finished, killed, err)
			case !done:
				killed++
			}
		}
		finished++
		if got := importOutcome(t, dir); got != want {
			t.Fatalf("import %d, after %d kills:\n%s\nwant\n%s", finished, killed, got, want)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d kills of imports of %d rows, %d imports finished: %s", killed, rows, finished, want)
}
