package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
)

// files writes texts to a folder and returns flags that name them.
func files(t testing.TB, texts map[string]string) []string {
	t.Helper()
	dir := t.TempDir()
	var args []string
	for name, text := range texts {
		path := filepath.Join(dir, name+".csv")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, "-"+name, path)
	}
	return args
}

// report runs the program.
func report(args ...string) (string, error) {
	var out bytes.Buffer
	o, err := parseFlags(args, &out)
	if err == nil {
		err = run(o, &out, io.Discard)
	}
	return out.String(), err
}

// The files in testdata, as of 2024-08-15: A1 is 97 days past due and 1000 − 200 are open; A2 26 days and
// 500.50 − 0.50, since the 50 are of the 20th; A3 is due that day; A4 is of the next day,
// and so is what is allocated to it. Of the payment 100 are left, of the credit note 49.55.
func TestReports(t *testing.T) {
	base := strings.Fields("-items testdata/items.csv -allocations testdata/allocations.csv -rates testdata/rates.csv")
	const header = "customer,currency,not_due,d1_30,d31_60,d61_90,d90_plus,unapplied,balance\n"
	for name, c := range map[string]struct {
		flags string
		want  string
	}{
		"by due": {"", header +
			"acme,CNY,70.00,500.00,0.00,0.00,800.00,-149.55,1220.45\n" +
			"東京,JPY,10000,0,0,0,0,0,10000\n"},
		// The ages: A1 127, A2 56, A3 0, T1 14.
		"by document": {"-by document", header +
			"acme,CNY,0.00,70.00,500.00,0.00,800.00,-149.55,1220.45\n" +
			"東京,JPY,0,10000,0,0,0,0,10000\n"},
		"buckets": {"-buckets 26,97", "customer,currency,not_due,d1_26,d27_97,d97_plus,unapplied,balance\n" +
			"acme,CNY,70.00,500.00,800.00,0.00,-149.55,1220.45\n" +
			"東京,JPY,10000,0,0,0,0,10000\n"},
		// On August 1st neither the credit note was known nor, in UTC, T1: 23:30 at −02:00 is
		// the 2nd. A3 came later.
		"known on": {"-known-on 2024-08-01", header +
			"acme,CNY,0.00,500.50,0.00,0.00,800.00,-100.00,1200.50\n"},
		"known on the day after": {"-known-on 2024-08-02", header +
			"acme,CNY,0.00,500.50,0.00,0.00,800.00,-100.00,1200.50\n" +
			"東京,JPY,10000,0,0,0,0,0,10000\n"},
		// On March 1st nothing was open: K1 was paid.
		"nothing": {"-as-of 2024-03-01", header},
		// 350.05 settle A1 first. K1's payment settles it.
		"fifo": {"-fifo", header +
			"acme,CNY,70.00,500.50,0.00,0.00,649.95,0.00,1220.45\n" +
			"東京,JPY,10000,0,0,0,0,0,10000\n"},
		// 10000 × 0.0482 = 482, Kuwait needs no rate.
		"base": {"-currency base -base CNY", header +
			"acme,CNY,70.00,500.00,0.00,0.00,800.00,-149.55,1220.45\n" +
			"東京,CNY,482.00,0.00,0.00,0.00,0.00,0.00,482.00\n"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"-as-of", "2024-08-15", "-format", "csv"}, base...)
			got, err := report(append(args, strings.Fields(c.flags)...)...)
			if err != nil || got != c.want {
				t.Errorf("%v\ngot\n%swant\n%s", err, got, c.want)
			}
		})
	}
}

// 1 USD is owed by document date in two invoices of one due date; the older document is
// settled first.
func TestFIFOByDocumentDate(t *testing.T) {
	args := files(t, map[string]string{"items": `item,customer,kind,document_date,due_date,currency,amount,recorded_at
old,c,invoice,2024-01-01,2024-08-01,USD,40,
new,c,invoice,2024-08-01,2024-08-01,USD,60,
later,c,invoice,2024-01-01,2024-08-02,USD,5,
paid,c,payment,2024-08-02,,USD,45,
other,d,payment,2024-08-02,,USD,1,
`})
	got, err := report(append(args, "-as-of", "2024-08-15", "-format", "csv", "-by", "document", "-fifo")...)
	want := "customer,currency,not_due,d1_30,d31_60,d61_90,d90_plus,unapplied,balance\n" +
		"c,USD,0.00,55.00,0.00,0.00,5.00,0.00,60.00\n" +
		"d,USD,0.00,0.00,0.00,0.00,0.00,-1.00,-1.00\n"
	if err != nil || got != want {
		t.Errorf("%v\ngot\n%swant\n%s", err, got, want)
	}
}

// 2 USD of a payment in CNY: the debit loses 2.00 USD, the credit 14.20 CNY.
func TestAllocationBetweenCurrencies(t *testing.T) {
	args := files(t, map[string]string{
		"items":       "item,customer,kind,document_date,due_date,currency,amount\ni,c,invoice,2024-01-01,,USD,5\np,c,payment,2024-01-01,,CNY,20\n",
		"allocations": "credit_amount,credit_item,debit_item,amount,effective_date\n14.20,p,i,2,2024-01-01\n",
	})
	got, err := report(append(args, "-as-of", "2024-01-01", "-format", "csv", "-buckets", "30")...)
	want := "customer,currency,not_due,d1_30,d30_plus,unapplied,balance\n" +
		"c,CNY,0.00,0.00,0.00,-5.80,-5.80\nc,USD,3.00,0.00,0.00,0.00,3.00\n"
	if err != nil || got != want {
		t.Errorf("%v\ngot\n%swant\n%s", err, got, want)
	}
}

func TestBadFilesAreRefusedByRowAndColumn(t *testing.T) {
	const header = "item,customer,kind,document_date,due_date,currency,amount,recorded_at\n"
	const allocated = "credit_item,debit_item,amount,effective_date,recorded_at\n"
	const two = header + "i,c,invoice,2024-01-01,,USD,5,\np,c,payment,2024-01-01,,CNY,20,\n"
	item := func(row string) map[string]string { return map[string]string{"items": header + row} }
	allocation := func(row string) map[string]string {
		return map[string]string{"items": two, "allocations": allocated + row}
	}
	for _, c := range []struct {
		files  map[string]string
		row    int
		column string
		want   error
	}{
		{item("i,c,invoice,2024-01-01,,USD,1.005,"), 2, "amount", money.ErrPrecision},
		{item("i,c,invoice,2024-01-01,,USD,\"1,000\","), 2, "amount", money.ErrSyntax},
		{item("i,c,invoice,2024-01-01,,USD,-1,"), 2, "amount", errNegative},
		{item("i,c,invoice,2024-01-01,,USD,99999999999999999999,"), 2, "amount", money.ErrOverflow},
		{item("i,c,invoice,2024-01-01,,usd,1,"), 2, "currency", money.ErrCurrency},
		{item("i,c,Invoice,2024-01-01,,USD,1,"), 2, "kind", errKind},
		{item("i,c,invoice,2023-02-29,,USD,1,"), 2, "document_date", date.ErrNoSuchDay},
		{item("i,c,invoice,,,USD,1,"), 2, "document_date", date.ErrSyntax},
		{item("i,c,invoice,2024-01-01,01/02/2024,USD,1,"), 2, "due_date", date.ErrSyntax},
		{item("i,c,invoice,2024-01-01,2201-01-01,USD,1,"), 2, "due_date", date.ErrRange},
		{item("i,c,invoice,2024-01-01,,USD,1,yesterday"), 2, "recorded_at", errTime},
		{item("i,c,invoice,2024-01-01,,USD,1,2024-01-01T25:00:00Z"), 2, "recorded_at", errTime},
		{item(",c,invoice,2024-01-01,,USD,1,"), 2, "item", errMissing},
		{item("i,,invoice,2024-01-01,,USD,1,"), 2, "customer", errMissing},
		{item("i,\xbf\xcd\xbb\xa7,invoice,2024-01-01,,USD,1,"), 2, "customer", errUTF8}, // 客户 in GBK
		{item(strings.Repeat("i", 5000) + ",c,invoice,2024-01-01,,USD,1,"), 2, "item", errLongID},
		{item("i,c,invoice,2024-01-01,,USD,1,\n\ni,c,payment,2024-01-01,,USD,1,"), 4, "item", errDuplicate},
		{item("i,c,invoice,2024-01-01,,USD,1"), 2, "", nil}, // a field is missing
		{item("i,\"c,invoice,2024-01-01,,USD,1,\n"), 2, "", errClose},
		{item("i,c\"d,invoice,2024-01-01,,USD,1,\n"), 2, "", errQuote},
		{item("i,\"c\"d,invoice,2024-01-01,,USD,1,\n"), 2, "", errAfter},
		{map[string]string{"items": ""}, 1, "", errEmpty},
		{map[string]string{"items": "\xff\xfei\x00"}, 1, "", errUTF16},
		{map[string]string{"items": strings.ReplaceAll(two, "\n", "\r")}, 1, "", errReturn},
		{map[string]string{"items": "item,customer,kind,document_date,currency\n"}, 1, "amount", errHeader},
		{map[string]string{"items": "item,ITEM,customer,kind,document_date,currency,amount\n"}, 1, "item", errTwice},
		{allocation("p,i,2,2024-01-01,"), 2, "credit_amount", errCurrency},
		{allocation("p,nobody,2,2024-01-01,"), 2, "debit_item", errUnknown},
		{allocation("nobody,i,2,2024-01-01,"), 2, "credit_item", errUnknown},
		{allocation("i,i,2,2024-01-01,"), 2, "credit_item", errDebit},
		{allocation("p,p,2,2024-01-01,"), 2, "debit_item", errCredit},
		{map[string]string{"items": two, "rates": "date,currency,rate\n2024-01-01,USD,7\n2024-01-01,USD,8\n"}, 3, "rate", errTwoRate},
		{map[string]string{"items": two, "rates": "date,currency,rate\n2024-01-01,CNY,7\n"}, 2, "rate", errBase},
		{map[string]string{"items": two, "rates": "date,currency,rate\n2024-01-01,USD,0\n"}, 2, "rate", money.ErrRate},
	} {
		args := append(files(t, c.files), "-as-of", "2024-01-31", "-format", "csv")
		if _, ok := c.files["rates"]; ok {
			args = append(args, "-currency", "base", "-base", "CNY")
		}
		_, err := report(args...)
		var cell *RowError
		if !errors.As(err, &cell) || cell.Row != c.row || cell.Column != c.column || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%q: %v; want row %d, column %q, %v", c.files, err, c.row, c.column, c.want)
		}
	}
}

// Of a payment of 50, 80 are allocated to an invoice of 100: 20 are open, and the credit of
// −50 + 80 is none. What else is settled in full is not odd.
func TestAllocationsOfMoreThanThereIsAreTold(t *testing.T) {
	args := files(t, map[string]string{
		"items": "item,customer,kind,document_date,currency,amount\ni,客户,invoice,2024-01-01,CNY,100\np,客户,payment,2024-01-01,CNY,50\n" +
			"j,d,invoice,2024-01-01,CNY,50\nq,d,payment,2024-01-01,CNY,50\n",
		"allocations": "credit_item,debit_item,amount,effective_date\np,i,80,2024-01-01\nq,j,50,2024-01-01\n",
	})
	o, err := parseFlags(append(args, "-as-of", "2024-01-01", "-format", "csv"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out, messages strings.Builder
	if err := run(o, &out, &messages); err != nil {
		t.Fatal(err)
	}
	if want := "客户,CNY,20.00,0.00,0.00,0.00,0.00,30.00,50.00\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("got %s, want %s at the end", out.String(), want)
	}
	if want := "aging: rows in which more is allocated than there is: 1, the first of customer \"客户\" in CNY; see to the file of allocations\n"; messages.String() != want {
		t.Errorf("told %q, want %q", messages.String(), want)
	}
}

// 60 bytes are 20 characters; a letter before them shifts the cut into one.
func TestErrorsCutChineseBetweenCharacters(t *testing.T) {
	kind := "x" + strings.Repeat("票", 30)
	args := files(t, map[string]string{"items": "item,customer,kind,document_date,currency,amount\ni,c," + kind + ",2024-01-01,USD,5\n"})
	_, err := report(append(args, "-as-of", "2024-01-01")...)
	if want := `"x` + strings.Repeat("票", 19) + `…"`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s in it", err, want)
	}
}

func TestKnownOnNeedsTimes(t *testing.T) {
	args := files(t, map[string]string{"items": "item,customer,kind,document_date,currency,amount\ni,c,invoice,2024-01-01,USD,5\n"})
	_, err := report(append(args, "-as-of", "2024-01-01", "-known-on", "2024-01-01")...)
	var cell *RowError
	if !errors.As(err, &cell) || cell.Column != "recorded_at" || !errors.Is(err, errMissing) {
		t.Error(err)
	}
}

func TestMissingRateIsNamed(t *testing.T) {
	args := files(t, map[string]string{
		"items": "item,customer,kind,document_date,currency,amount\ni,c,invoice,2024-01-01,USD,5\n",
		"rates": "date,currency,rate\n2024-01-02,USD,7\n",
	})
	_, err := report(append(args, "-as-of", "2024-01-01", "-currency", "base", "-base", "CNY")...)
	want := `customer "c": there is no rate of USD on or before 2024-01-01; add one to the file of rates`
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestWrongFlagsAreRefused(t *testing.T) {
	for _, flags := range []string{
		"", "-items x", "-as-of 2024-01-01", "-items x -as-of 2024-02-30", "-items x -as-of 2024-01-01 -buckets 30,x",
		"-items x -as-of 2024-01-01 -by invoice", "-items x -as-of 2024-01-01 -format pdf", "-items x -as-of 2024-01-01 -currency base",
		"-items x -as-of 2024-01-01 -currency euro", "-items x -as-of 2024-01-01 y", "-items x -as-of 2024-01-01 -buckets=",
	} {
		if _, err := parseFlags(strings.Fields(flags), new(bytes.Buffer)); err == nil {
			t.Errorf("%s was accepted", flags)
		}
	}
}

func TestDaysOfTimesAreUTC(t *testing.T) {
	for text, want := range map[string]string{
		"2024-08-15":                     "2024-08-15",
		"2024-08-15T23:59:59Z":           "2024-08-15",
		"2024-08-15T23:59:59.999999999Z": "2024-08-15",
		"2024-08-15 10:00:00":            "2024-08-15",
		"2024-08-15T07:59:59+08:00":      "2024-08-14",
		"2024-08-15T08:00:00+08:00":      "2024-08-15",
		"2024-08-15T20:00:00-04:00":      "2024-08-16",
		"2024-08-15T20:00:00.5-0400":     "2024-08-16",
		"2024-08-15 20:00-04:00":         "2024-08-16",
		"2024-08-15 20:00:00-04":         "2024-08-16",
		"2024-08-15T20:00":               "2024-08-15",
		"2024-08-15 10:00:00 +0000":      "2024-08-15",
		"2024-08-15T24:00:00Z":           "",
		"2024-08-15T10:60:00Z":           "",
		"2024-08-15T":                    "",
		"2024-08-15x10:00:00":            "",
		"15.8.2024":                      "",
		"2024-08-15T10:00:00Zulu":        "",
		"2024-08-15T10:0a:00Z":           "",
		"1900-01-01T00:00:00+01:00":      "", // the year 1899
	} {
		got, ok := utcDay([]byte(text))
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%s: %v %v, want %s", text, got, ok, want)
		}
	}
}

// Rows of several lines and quotes across the borders of blocks, against a plain parser:
// the sum of a customer must be the number of its items.
func TestBlocksEndWithRows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	text.WriteString("item,customer,kind,document_date,currency,amount,note\r\n")
	const rows = 60_000
	for i := range rows {
		note := strings.Repeat("\n,\"\"", r.IntN(20))
		fmt.Fprintf(&text, "%d,\"c\"\"%d\",invoice,2024-01-01,JPY,1,\"%s\"\r\n", i, i%7, note)
	}
	if text.Len() < 2*blockSize {
		t.Fatal("the file is too small")
	}
	got, err := report(append(files(t, map[string]string{"items": text.String()}), "-as-of", "2024-01-01", "-format", "csv", "-buckets", "30")...)
	want := "customer,currency,not_due,d1_30,d30_plus,unapplied,balance\n"
	for c := range 7 {
		n := rows / 7
		if c < rows%7 {
			n++
		}
		want += fmt.Sprintf("\"c\"\"%d\",JPY,%d,0,0,0,%d\n", c, n, n)
	}
	if err != nil || got != want {
		t.Errorf("%v\ngot\n%swant\n%s", err, got, want)
	}
}

func TestIDs(t *testing.T) {
	m := newIDs()
	r := rand.New(rand.NewPCG(3, 4))
	plain := map[string]uint64{}
	for range 200_000 {
		id := fmt.Sprintf("%s%d", strings.Repeat("x", r.IntN(30)), r.IntN(50_000))
		at, isNew := m.add([]byte(id), m.hash([]byte(id)))
		if _, known := plain[id]; known == isNew || string(m.id(at)) != id {
			t.Fatalf("%s: new %v, known %v, %s", id, isNew, known, m.id(at))
		}
		plain[id]++
		m.set(at, m.value(at)+1)
	}
	n := 0
	for at := range m.all {
		n++
		if want := plain[string(m.id(at))]; m.value(at) != want || m.find(m.id(at), m.hash(m.id(at))) != at {
			t.Fatalf("%s: %d, want %d", m.id(at), m.value(at), want)
		}
	}
	if n != len(plain) || m.find([]byte("nobody"), m.hash([]byte("nobody"))) != 0 {
		t.Errorf("%d entries, want %d", n, len(plain))
	}
}

func TestPlacesSurvivePacking(t *testing.T) {
	for _, p := range []place{{}, {1<<31 - 1, money.USD, 61, true}, {5, money.CNY, 0, false}} {
		if got := unpack(p.pack()); got != p {
			t.Errorf("%v became %v", p, got)
		}
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("a,\"b\"\"\n\",c\r\nd,e,f\n"))
	f.Add([]byte("\"\",\n\n,"))
	f.Fuzz(func(t *testing.T, data []byte) {
		whole := bytes.Clone(data)
		var one, two [][]string
		all := func(text []byte) (rows [][]string, err error) {
			var r record
			for len(text) > 0 && err == nil {
				if text, err = r.scan(text); err == nil {
					var row []string
					for _, field := range r.all {
						row = append(row, string(field))
					}
					rows = append(rows, row)
				}
			}
			return rows, err
		}
		one, err := all(whole)
		if err != nil {
			return
		}
		// A cut at the end of a row changes nothing.
		cut := lastRowEnd(data[:len(data)/2])
		two, _ = all(bytes.Clone(data[:cut]))
		rest, err := all(bytes.Clone(data[cut:]))
		if got := append(two, rest...); err != nil || fmt.Sprintf("%q", got) != fmt.Sprintf("%q", one) {
			t.Errorf("%q cut at %d: %q, %v; whole %q", data, cut, got, err, one)
		}
	})
}

// BenchmarkItems reads 200,000 items of 20,000 customers and writes the report.
func BenchmarkItems(b *testing.B) {
	const n = 200_000
	var text strings.Builder
	text.WriteString("item,customer,kind,document_date,due_date,currency,amount,recorded_at\n")
	r := rand.New(rand.NewPCG(5, 6))
	for i := range n {
		document := time.Date(2022, 1, 1+r.IntN(900), 0, 0, 0, 0, time.UTC)
		fmt.Fprintf(&text, "INV-%09d,CUST-%07d,invoice,%s,%s,CNY,%d.25,%sT10:00:00Z\n", i, r.IntN(n/10),
			document.Format(time.DateOnly), document.AddDate(0, 1, 0).Format(time.DateOnly), r.IntN(100_000), document.Format(time.DateOnly))
	}
	args := append(files(b, map[string]string{"items": text.String()}), "-as-of", "2024-08-15", "-format", "csv")
	for b.Loop() {
		if _, err := report(args...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
