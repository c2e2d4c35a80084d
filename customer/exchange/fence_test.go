package exchange_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/storage"
)

// Two processes run one import, the second while the first is between two parts: the
// second one goes on, the first ends with an error, and each row is there once.
func TestTheSameImportInTwoProcesses(t *testing.T) {
	const rows = 50000
	var text strings.Builder
	text.WriteString("name\n")
	for i := range rows {
		fmt.Fprintf(&text, "Customer %d\n", i)
	}
	im := exchange.Import{File: file("a.csv", text.String()), Duplicates: exchange.AllowDuplicates}
	b := newBook(t)
	other := b.sameBook()
	var last error
	for p, err := range b.session().Run(t.Context(), im) {
		last = err
		if err != nil || p.Row > 30000 {
			continue
		}
		q, err := other.session().Import(t.Context(), im)
		if want := (exchange.Summary{Read: rows, Created: rows}); err != nil || !q.Resumed || q.Summary != want || q.Job != p.Job {
			t.Errorf("the other process: %+v, %v", q, err)
		}
	}
	if !errors.Is(last, exchange.ErrRunning) {
		t.Errorf("the first process: %v", last)
	}
	if got := len(b.all()); got != rows {
		t.Errorf("%d customers of %d rows", got, rows)
	}
	if _, err := b.session().Import(t.Context(), im); !errors.Is(err, exchange.ErrImported) {
		t.Errorf("once more: %v", err)
	}
}

// The same with a list that changes customers, in transactions.
func TestTheSameChangesInTwoProcesses(t *testing.T) {
	b := newBook(t)
	other := b.sameBook()
	var before, after strings.Builder
	before.WriteString("code,name\n")
	after.WriteString("code,name\n")
	const rows = 21000
	for i := range rows {
		fmt.Fprintf(&before, "C%d,Customer %d\n", i, i)
		if i%30 == 0 || i >= 20000 {
			fmt.Fprintf(&after, "C%d,Client %d\n", i, i)
		} else {
			fmt.Fprintf(&after, "C%d,Customer %d\n", i, i)
		}
	}
	b.imported(exchange.Import{File: file("a.csv", before.String()), Duplicates: exchange.AllowDuplicates})
	im := exchange.Import{File: file("b.csv", after.String())}
	var last error
	for p, err := range b.session().Run(t.Context(), im) {
		last = err
		if err != nil || p.Row > 20001 {
			continue
		}
		if q, err := other.session().Import(t.Context(), im); err != nil || q.Summary.Updated != rows/30-33+1000 {
			t.Errorf("the other process: %+v, %v", q, err)
		}
	}
	if !errors.Is(last, exchange.ErrRunning) {
		t.Errorf("the first process: %v", last)
	}
}

// One process takes an import over while another one has a load under way, which comes in
// late: after all is done, in the midst of a load of the same rows, or of a transaction.
// Each row is there once.
func TestALateLoadBringsNoRowTwice(t *testing.T) {
	const rows = 1000
	var text strings.Builder
	text.WriteString("name\n")
	for i := range rows {
		fmt.Fprintf(&text, "Customer %d\n", i)
	}
	type result struct {
		exchange.Progress
		error
	}
	for _, c := range []struct {
		name  string
		pause func(s *exchange.Session, here func()) // has a session call here once it has taken the import over
	}{
		{"after the end", func(*exchange.Session, func()) {}},
		{"in a load", func(s *exchange.Session, here func()) { s.Access = during(here) }},
		{"in a transaction", func(s *exchange.Session, here func()) {
			s.Single = func(*exchange.Reader) (bool, error) { return true, nil }
			s.Twin = func(*exchange.Reader, *customer.Customer) (customer.ID, error) {
				here()
				return 0, customer.ErrNotFound
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			im := exchange.Import{File: file("a.csv", text.String())}
			b := newBook(t)
			first, second := b.session(), b.sameBook().session()
			paused, firstEnded, secondEnded := make(chan struct{}), make(chan struct{}), make(chan result, 1)
			c.pause(&second, sync.OnceFunc(func() {
				close(paused)
				<-firstEnded
			}))
			var took result
			first.Access = during(func() {
				go func() {
					p, err := second.Import(t.Context(), im)
					secondEnded <- result{p, err}
				}()
				select {
				case <-paused:
				case took = <-secondEnded:
				}
			})
			if _, err := first.Import(t.Context(), im); !errors.Is(err, exchange.ErrRunning) {
				t.Errorf("the first process: %v", err)
			}
			close(firstEnded)
			if took.Job == 0 {
				took = <-secondEnded
			}
			if want := (exchange.Summary{Read: rows, Created: rows}); took.error != nil || !took.Resumed || took.Summary != want {
				t.Errorf("the second process: %+v, %v", took.Progress, took.error)
			}
			if got := len(b.all()); got != rows {
				t.Errorf("%d customers of %d rows", got, rows)
			}
			if report, err := b.storage.Verify(t.Context(), nil); err != nil || !report.OK() {
				t.Errorf("%+v, %v", report, err)
			}
			if err := b.session().Undo(t.Context(), took.Job); err != nil {
				t.Errorf("undo: %v", err)
			}
			if left := slices.DeleteFunc(b.all(), func(c string) bool { return !strings.Contains(c, "Customer") }); len(left) > 0 {
				t.Errorf("%d customers after undo, such as %s", len(left), left[0])
			}
		})
	}
}

// during is everybody's access, asked for within a load for the first time when f is
// called.
func during(f func()) customer.AccessAt {
	once := sync.OnceFunc(f)
	return func(*storage.Reader) (customer.Access, error) {
		once()
		return nil, nil
	}
}
