// Stocktake counts the customers of a book (客户盘点): it prints how the count at the
// opening of a period leads to that at its closing, and writes the report as a page, a
// workbook, a table and a PDF. Without -dir it makes a book of its own with two years of
// generated history.
//
//	go run ./examples/stocktake [-out FOLDER] [-lang zh]
//	go run ./examples/quickstart -dir BOOK; go run ./examples/stocktake -dir BOOK
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"golang.org/x/text/language"
)

// options are the flags.
type options struct {
	dir       string
	out       string
	lang      language.Tag
	from, to  time.Time // zero for the book's beginning, and for now
	font      string
	customers int
}

func main() {
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "stocktake:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	slog.SetLogLoggerLevel(slog.LevelWarn)
	if err := run(ctx, os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "stocktake:", err)
		os.Exit(1)
	}
}

// mostCustomers are what a book in memory holds with its history.
const mostCustomers = 1_000_000

// check says before the work what would fail after it.
func (o *options) check() error {
	if !o.from.IsZero() && !o.to.IsZero() && !o.from.Before(o.to) {
		return fmt.Errorf("-from %s: use a day before -to, %s", o.from.Format(time.DateOnly), o.to.Format(time.DateOnly))
	}
	if there, err := os.Stat(o.out); err == nil && !there.IsDir() {
		return fmt.Errorf("-out %s: is a file; name a folder", o.out)
	}
	if o.font != "" {
		if file, err := os.Stat(o.font); err != nil || file.IsDir() {
			return fmt.Errorf("-font %s: there is no such file; name a .ttf, .otf or .ttc", o.font)
		}
	}
	return nil
}

// parse reads the flags.
func parse(args []string, help io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("stocktake", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints the error
	flags.StringVar(&o.dir, "dir", "", "the folder of the book, such as quickstart -dir makes; without, a book with two years of generated history is made and thrown away")
	flags.StringVar(&o.out, "out", "stocktake", "the folder for the reports; it is made if need be, and reports in it are replaced")
	lang := flags.String("lang", "en", "the language of the reports and of what is printed: en or zh")
	from := flags.String("from", "", "the day with whose beginning (UTC) the period begins, as 2025-01-01; without, the book's beginning, or the last year of the generated one")
	to := flags.String("to", "", "the day with whose beginning (UTC) the period ends: 2026-01-01 for the whole of 2025; without, now")
	flags.StringVar(&o.font, "font", "", "a font file (.ttf, .otf, .ttc) for the PDF, before those of the system")
	flags.IntVar(&o.customers, "customers", 3000, "how many customers the generated book begins with")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(help)
			flags.Usage()
		}
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("%q is one argument too many: everything is said by flags; see -help", flags.Arg(0))
	}
	if *lang != "en" && *lang != "zh" {
		return nil, fmt.Errorf("-lang %q: use en or zh", *lang)
	}
	if o.customers < 100 || o.customers > mostCustomers {
		return nil, fmt.Errorf("-customers %d: use 100 to %d", o.customers, mostCustomers)
	}
	o.lang = language.MustParse(*lang)
	for _, day := range []struct {
		flag, text string
		into       *time.Time
	}{{"from", *from, &o.from}, {"to", *to, &o.to}} {
		if day.text == "" {
			continue
		}
		at, err := time.Parse(time.DateOnly, day.text)
		if err != nil {
			return nil, fmt.Errorf("-%s %q: use a day as 2025-12-31", day.flag, day.text)
		}
		*day.into = at
	}
	return o, o.check()
}
