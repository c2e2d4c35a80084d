package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
)

// The printed lines add up, and the four reports are there.
func TestReconciliationAddsUp(t *testing.T) {
	dir := t.TempDir()
	for _, lang := range []string{"en", "zh"} {
		o, err := parse([]string{"-customers", "200", "-lang", lang, "-out", dir}, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := run(context.Background(), &out, o); err != nil {
			t.Fatal(err)
		}
		sum, closing := 0, -1
		for _, m := range regexp.MustCompile(`(?m)^([ +−=]) +(\d+)  \S+`).FindAllStringSubmatch(out.String(), 10) {
			n, err := strconv.Atoi(m[2])
			if err != nil {
				t.Fatal(err)
			}
			switch m[1] {
			case "−":
				sum -= n
			case "=":
				closing = n
			default:
				sum += n
			}
		}
		if sum != closing || closing < 100 {
			t.Errorf("the terms add up to %d, the closing is %d:\n%s", sum, closing, &out)
		}
		for _, name := range []string{"stocktake.html", "stocktake.xlsx", "stocktake.csv", "stocktake.pdf"} {
			if i, err := os.Stat(filepath.Join(dir, name)); strings.Contains(out.String(), name+": not written") {
				t.Logf("%s needs a font", name)
			} else if err != nil || i.Size() == 0 {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestWrongFlagsSayWhatIsRight(t *testing.T) {
	for args, want := range map[string]string{
		"-lang fr":              "use en or zh",
		"-from yesterday":       "use a day",
		"-customers 3":          "100 to 1000000",
		"-customers 1000000000": "100 to 1000000",
		"book":                  "everything is said by flags",
		"-font absent":          "there is no such file",
		"-out main.go":          "is a file; name a folder",

		"-from 2026-01-01 -to 2025-01-01": "use a day before -to, 2025-01-01",
	} {
		if _, err := parse(strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
	o, err := parse([]string{"-dir", t.TempDir()}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(context.Background(), io.Discard, o); err == nil || !strings.Contains(err.Error(), "is not a book") {
		t.Errorf("a folder that is no book: %v", err)
	}
}

// A second run of a kept book leaves the definition as it is.
func TestAnUnchangedDefinitionIsNotSavedAgain(t *testing.T) {
	dir := t.TempDir()
	book, err := clientele.Open(t.Context(), dir, clientele.Options{WithoutSearch: true})
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	for range 2 {
		r, err := count(t.Context(), book, &options{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Definition.Version != 1 {
			t.Errorf("version %d of the definition; want 1", r.Definition.Version)
		}
	}
}

// A book whose only invoice is older than a year shows it; one without invoices has no
// revenue at all.
func TestRevenueIsOfTheBooksOwnInvoices(t *testing.T) {
	book, err := clientele.Open(t.Context(), "", clientele.Options{InMemory: true, WithoutSearch: true})
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	var id customer.ID
	err = book.System("test").Update(t.Context(), func(tx *clientele.Tx) error {
		c, err := tx.Customers.Create(customer.Draft{Name: "A"})
		if err == nil {
			id = c.ID
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := count(t.Context(), book, &options{})
	if err != nil || len(r.Figures) != 0 || len(r.Definition.Figures) != 0 {
		t.Fatalf("without invoices: %+v, %v", r.Figures, err)
	}
	err = book.System("test").Update(t.Context(), func(tx *clientele.Tx) error {
		_, err := tx.Credit.Post(credit.Document{
			Key: "I", Customer: id, Kind: credit.Invoice, Date: date.Of(time.Now().UTC().AddDate(-2, 0, 0)), Amount: money.Amount{Minor: 700, Currency: money.TWD},
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if r, err = count(t.Context(), book, &options{}); err != nil || len(r.Figures) != 1 || r.Figures[0].Amount != 700 {
		t.Errorf("with an invoice of two years ago: %+v, %v", r.Figures, err)
	}
}
