package exchange_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/customer/exchange"
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
