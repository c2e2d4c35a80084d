// Importer brings a list of customers into a book: any CSV, TSV, XLSX or JSON Lines file,
// in any usual encoding, with headings in English or Chinese. With -of it brings units,
// receivables, opening balances or credit scores.
//
//	go run ./examples/importer -in customers.xlsx -dir book -dry-run
//	go run ./examples/importer -in customers.xlsx -dir book -errors bad.xlsx
//
// Run it again after it was cut off, and it goes on.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/text/language"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "importer:", err)
		}
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	in, dir, mapping, bad, duplicates string
	of                                string
	dryRun, again, toNote             bool
	language                          string
}

func run(ctx context.Context, args []string, out, log io.Writer) (err error) {
	var o settings
	flags := flag.NewFlagSet("importer", flag.ContinueOnError)
	flags.SetOutput(log)
	flags.StringVar(&o.in, "in", "", "the `file` to import")
	flags.StringVar(&o.dir, "dir", "", "the book's `directory`, which is made if need be")
	flags.StringVar(&o.of, "of", "customers", "what the rows are: customers, units, items (receivables), balances or scores")
	flags.StringVar(&o.mapping, "map", "", "a `file` that says what the columns hold; it is written if it isn't there, to be edited")
	flags.StringVar(&o.bad, "errors", "", "the `file` for rows that are refused, with what is wrong")
	flags.BoolVar(&o.dryRun, "dry-run", false, "say what would happen, and write nothing")
	flags.BoolVar(&o.again, "again", false, "import the file although it was imported before")
	flags.BoolVar(&o.toNote, "to-note", false, "move values that are not in order to the note, instead of refusing the row")
	flags.StringVar(&o.duplicates, "duplicates", "skip", "what becomes of likely duplicates: skip, merge, flag or create")
	flags.StringVar(&o.language, "language", "en", "language of messages: en or zh")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.in == "" || o.dir == "" {
		flags.Usage()
		return errors.New("say -in FILE and -dir DIRECTORY")
	}
	if same(o.in, o.bad) || same(o.in, o.mapping) {
		return fmt.Errorf("-in %s: it would be overwritten; give -errors and -map files of their own", o.in)
	}
	file, closer, err := tabular.Open(o.in)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	book, err := clientele.Open(ctx, o.dir, clientele.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	i := &importer{settings: o, ctx: ctx, out: out, log: log, file: file, session: book.As(clientele.Actor{ID: "importer", Reason: "import of " + file.Name}).Exchange()}
	return i.run()
}

// same reports whether two paths lead to one file.
func same(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// importer is one run of the program.
type importer struct {
	settings
	ctx      context.Context
	out, log io.Writer
	file     *tabular.File
	session  exchange.Session
}

func (i *importer) run() error {
	policy, err := i.policy()
	if err != nil {
		return err
	}
	tag, err := language.Parse(i.language)
	if err != nil {
		return fmt.Errorf("-language %q: en or zh", i.language)
	}
	mapping, err := i.settleMapping()
	if err != nil {
		return err
	}
	shown := 0
	im := exchange.Import{
		File: i.file, Subject: i.subject(), Mapping: mapping, DryRun: i.dryRun, Again: i.again, ToNote: i.toNote, Duplicates: policy,
		Faults: func(f exchange.Fault) {
			if shown++; shown <= maxShown {
				fmt.Fprintln(i.out, "  "+f.In(tag))
			}
		},
	}
	last, err := i.follow(im)
	if shown > maxShown {
		fmt.Fprintf(i.out, "  … and %d more\n", shown-maxShown)
	}
	i.report(last)
	if err != nil || i.dryRun || i.bad == "" || last.Summary.Refused == 0 {
		return err
	}
	return i.writeBad(last.Job, tag)
}

// maxShown is how many faults are printed.
const maxShown = 20

func (i *importer) policy() (exchange.DuplicatePolicy, error) {
	switch i.duplicates {
	case "skip":
		return exchange.SkipDuplicates, nil
	case "merge":
		return exchange.MergeDuplicates, nil
	case "flag":
		return exchange.FlagDuplicates, nil
	case "create":
		return exchange.AllowDuplicates, nil
	}
	return 0, fmt.Errorf("-duplicates %q: skip, merge, flag or create", i.duplicates)
}

func (i *importer) subject() exchange.Subject {
	if i.of == "customers" {
		return exchange.Customers
	}
	return exchange.Subject(i.of)
}

// settleMapping reads the mapping, or guesses and shows it.
func (i *importer) settleMapping() (*exchange.Mapping, error) {
	if i.mapping != "" {
		text, err := os.ReadFile(i.mapping)
		if err == nil {
			return exchange.ParseMapping(text)
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	in, err := i.session.InspectAs(i.ctx, i.subject(), i.file, tabular.Options{})
	if err != nil {
		return nil, err
	}
	i.show(in)
	if i.mapping == "" {
		return nil, nil // guessed again, without what is in doubt
	}
	sure := in.Mapping.Sure() // as it is used, so that the next run does the same
	text, err := sure.JSON()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(i.mapping, append(text, '\n'), 0o644); err != nil {
		return nil, err
	}
	fmt.Fprintf(i.out, "The mapping is in %s.\n", i.mapping)
	return sure, nil
}

func (i *importer) show(in *exchange.Inspection) {
	what := strings.ToUpper(in.Shape.Format)
	if in.Shape.Encoding != "" {
		what += fmt.Sprintf(", %s, divided by %q", in.Shape.Encoding, in.Shape.Delimiter)
	}
	if in.Shape.Sheet != "" {
		what += fmt.Sprintf(", sheet %q of %d", in.Shape.Sheet, len(in.Shape.Sheets))
	}
	fmt.Fprintf(i.out, "%s: %s\n", i.file.Name, what)
	for _, c := range in.Columns {
		field := string(c.Field)
		if field == "" {
			field = "–"
		}
		fmt.Fprintf(i.out, "  %2d %-24s %-24s %3.0f %%  %s\n", c.Column.Column, c.Heading, field, 100*c.Confidence, strings.Join(c.Samples, " · "))
	}
}

// follow runs the import and shows how far it is.
func (i *importer) follow(im exchange.Import) (last exchange.Progress, err error) {
	show, done := i.progress()
	defer func() { err = errors.Join(err, done()) }()
	for p, err := range i.session.Run(i.ctx, im) {
		if err != nil {
			return last, err
		}
		if p.Resumed && last.Job == 0 {
			fmt.Fprintf(i.out, "An import that was cut off goes on behind row %d.\n", p.Row)
		}
		last = p
		if err := show(p); err != nil {
			return last, err
		}
	}
	return last, nil
}

// every is how often a log, which is no terminal, is told of the progress.
const every = 10 * time.Second

// progress returns what shows how far an import is, and what ends it: a bar on a terminal,
// a line now and then elsewhere.
func (i *importer) progress() (show func(exchange.Progress) error, done func() error) {
	if !isTerminal(i.log) {
		told := time.Duration(0)
		return func(p exchange.Progress) error {
			if p.Elapsed-told < every {
				return nil
			}
			told = p.Elapsed
			_, err := fmt.Fprintf(i.log, "%d rows, %.0f a second, %s left\n", p.Summary.Read, p.Rate(exchange.Progress{}), p.Remaining().Round(time.Second))
			return err
		}, func() error { return nil }
	}
	bar := progressbar.NewOptions64(i.file.Size,
		progressbar.OptionSetWriter(i.log), progressbar.OptionSetDescription("importing"), progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
	)
	return func(p exchange.Progress) error {
		bar.Describe(fmt.Sprintf("%d rows, %.0f a second", p.Summary.Read, p.Rate(exchange.Progress{})))
		return bar.Set64(p.Bytes)
	}, bar.Finish
}

// isTerminal reports whether what is written is shown to somebody.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	stat, err := f.Stat()
	return err == nil && stat.Mode()&os.ModeCharDevice != 0
}

func (i *importer) report(p exchange.Progress) {
	s := p.Summary
	verb := "Imported"
	if i.dryRun {
		verb = "Would import"
	}
	fmt.Fprintf(i.out, "%s %d rows in %s: %d created, %d updated, %d unchanged, %d duplicates left out, %d refused.\n",
		verb, s.Read, p.Elapsed.Round(time.Millisecond), s.Created, s.Updated, s.Unchanged, s.Duplicates, s.Refused)
	if s.Kept > 0 {
		fmt.Fprintf(i.out, "In %d of them a value that is not in order went to the note.\n", s.Kept)
	}
}

func (i *importer) writeBad(job exchange.JobID, tag language.Tag) (err error) {
	f, err := os.Create(i.bad)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	n, err := i.session.Rejects(i.ctx, job, i.file, f, tag)
	if err == nil {
		fmt.Fprintf(i.out, "The %d refused rows are in %s: mend them there and import that file.\n", n, i.bad)
	}
	return err
}
