// Aging reads receivables and their allocations from CSV files and prints an aging report
// at any date.
//
//	go run ./examples/aging -items items.csv -allocations allocations.csv -as-of 2024-08-15
//	    [-known-on 2024-09-01] [-by due|document] [-buckets 30,60,90] [-fifo]
//	    [-currency document|base -rates rates.csv -base CNY] [-format table|csv|html] [-lang en|zh]
//
// Try it in this folder:
//
//	go run . -items testdata/items.csv -allocations testdata/allocations.csv -as-of 2024-08-15
//
// The files have a header each, in any order of columns:
//
//	items.csv        item,customer,kind,document_date,due_date,currency,amount,recorded_at
//	allocations.csv  credit_item,debit_item,amount,effective_date,recorded_at[,credit_amount]
//	rates.csv        date,currency,rate
//
// A kind is invoice, credit_note or payment; amounts of items are decimals of zero or
// more. An allocation's amount is in the debit item's currency; when the credit item has
// another, credit_amount says how much of that is used up. A negative allocation undoes
// one, and one between two customers' items is taken off both. Allocations of more than
// there is are added up as they stand; a message says where it shows. recorded_at is a time of ISO 8601, in UTC when it has no offset. A rate is what one
// unit of the currency is worth in the base currency.
//
// An item counts when its document date is not after -as-of and, with -known-on, it was
// recorded before that day's end in UTC. An allocation counts when its effective date and
// the document dates of both items are not after -as-of, and it and both items were
// recorded by then. A missing due date is the document date.
//
// The program reads in one pass, on all cores. It keeps some forty bytes an item and a
// hundred a customer.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/credit/aging"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
)

func main() {
	o, err := parseFlags(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "aging:", err)
		os.Exit(2)
	}
	debug.SetGCPercent(25) // most memory is without pointers, so collecting often is cheap
	out := bufio.NewWriter(os.Stdout)
	if o.fifo && o.format == "csv" {
		fmt.Fprintln(os.Stderr, "aging: -fifo is a simulation: allocations are ignored") // table and html say so themselves
	}
	err = run(o, out, os.Stderr)
	if flushed := out.Flush(); err == nil { // what failed in run may fail here again
		err = flushed
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "aging:", err)
		os.Exit(1)
	}
}

// options are what the flags say.
type options struct {
	items, allocations, rates string // files
	scheme                    aging.Scheme
	knownOn                   date.Date      // zero: everything is known
	base                      money.Currency // zero: document currencies
	fifo                      bool
	format                    string
	language                  language.Tag
}

// parseFlags reads and checks the flags before any file is opened.
func parseFlags(args []string, messages io.Writer) (options, error) {
	o := options{scheme: aging.Scheme{Buckets: aging.Standard()}}
	f := flag.NewFlagSet("aging", flag.ContinueOnError)
	f.SetOutput(io.Discard) // main prints the error
	f.StringVar(&o.items, "items", "", "CSV `file` of items")
	f.StringVar(&o.allocations, "allocations", "", "CSV `file` of allocations; without, nothing is allocated")
	f.TextVar(&o.scheme.AsOf, "as-of", date.Date(0), "the `date` of the report, such as 2024-08-15")
	f.TextVar(&o.knownOn, "known-on", date.Date(0), "leave out what was recorded after this `date` (UTC)")
	f.TextVar(&o.scheme.Basis, "by", aging.ByDue, "age by `due` or document date")
	f.TextVar(&o.scheme.Buckets, "buckets", o.scheme.Buckets, "`bounds` of the buckets in days past due")
	currency := f.String("currency", "document", "report in `document` or base currency")
	f.StringVar(&o.rates, "rates", "", "CSV `file` of exchange rates, for -currency base")
	f.TextVar(&o.base, "base", money.Currency(0), "the base currency's `code`, for -currency base")
	f.BoolVar(&o.fifo, "fifo", false, "simulate: ignore allocations, let credits settle the oldest debits first")
	f.StringVar(&o.format, "format", "table", "`table`, csv or html")
	f.TextVar(&o.language, "lang", language.English, "language of table and html, `en` or zh")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			f.SetOutput(messages)
			f.PrintDefaults()
		}
		return options{}, err
	}
	return o, o.check(*currency, f.Args())
}

func (o *options) check(currency string, rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("what is %q? Every input is named by a flag; -h lists them", rest[0])
	case o.items == "":
		return errors.New("-items is missing; name the CSV file of items")
	case o.scheme.AsOf.IsZero():
		return errors.New("-as-of is missing; give the report's date, such as 2024-08-15")
	case o.scheme.Buckets.String() == "":
		return errors.New("-buckets is empty; give bounds such as 30,60,90")
	case !isEnglishOrChinese(o.language):
		return fmt.Errorf("-lang %q: use en or zh", o.language)
	case !strings.Contains(" table csv html ", " "+o.format+" "):
		return fmt.Errorf("-format %q: use table, csv or html", o.format)
	}
	switch currency {
	case "document":
		o.base = 0
	case "base":
		if o.base == 0 || o.rates == "" {
			return errors.New("-currency base needs -base, such as CNY, and -rates, the CSV file of exchange rates")
		}
	default:
		return fmt.Errorf("-currency %q: use document or base", currency)
	}
	return nil
}

// isEnglishOrChinese reports whether there are words in a language.
func isEnglishOrChinese(tag language.Tag) bool {
	base, _ := tag.Base()
	return base.String() == "en" || base.String() == "zh"
}

// run makes the report, and then says in messages what is odd about it.
func run(o options, out, messages io.Writer) error {
	b := newBook(o)
	if err := b.readItems(); err != nil {
		return err
	}
	settle := b.readAllocations
	if o.fifo {
		settle = b.settleFIFO
	}
	if err := settle(); err != nil {
		return err
	}
	table := aging.Table{
		Scheme: o.scheme, Rows: b.rows(b.sums.RowsOf), Name: b.name,
		KnownOn: o.knownOn, Base: o.base, FIFO: o.fifo, Language: o.language,
	}
	if o.base != 0 {
		rates, err := readRates(o.rates, o.scheme.AsOf, o.base)
		if err != nil {
			return err
		}
		table.Rows = b.rows(func(customer uint64) rowSeq { return b.sums.InOf(customer, o.base, rates.at) })
	}
	if err := o.write(table, out); err != nil {
		return err
	}
	if b.overdrawn > 0 {
		fmt.Fprintf(messages, "aging: rows in which more is allocated than there is: %d, the first of %s; see to the file of allocations\n", b.overdrawn, b.firstOverdrawn)
	}
	return nil
}

func (o *options) write(table aging.Table, out io.Writer) error {
	switch o.format {
	case "csv":
		return table.WriteCSV(out)
	case "html":
		return table.WriteHTML(out)
	}
	return table.WriteText(out)
}
