// Importer brings a list of customers into a book: any CSV, TSV, XLSX or JSON Lines file,
// in any usual encoding, with headings in English or Chinese. With -of it brings units,
// receivables, opening balances or credit scores.
//
//	go run ./examples/importer -in customers.xlsx -preview
//	go run ./examples/importer -in customers.xlsx -dir book -dry-run
//	go run ./examples/importer -in customers.xlsx -dir book -errors bad.xlsx
//	go run ./examples/importer -in erp.csv -dir book -sync erp -archive
//
// Run it again after it was cut off, and it goes on.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintln(os.Stderr, "importer:", err)
	if _, wrong := errors.AsType[*usageError](err); wrong {
		os.Exit(2)
	}
	os.Exit(1)
}

// usageError is what is wrong with the flags.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

func run(ctx context.Context, args []string, out, log io.Writer) (err error) {
	o, err := parse(args, log)
	if err != nil {
		return &usageError{err}
	}
	file, closer, err := tabular.Open(o.in)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	if err := o.checkFile(ctx, file); err != nil {
		return err
	}
	// A preview asks the book for its fields only, and does without one.
	// So does a dry run without a book: it leaves no directory behind.
	dir := o.dir
	if _, err := os.Stat(dir); o.dryRun && errors.Is(err, os.ErrNotExist) {
		dir = ""
	}
	book, err := clientele.Open(ctx, dir, clientele.Options{InMemory: dir == ""})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	i := &importer{settings: *o, ctx: ctx, out: out, log: log, file: file, actor: book.As(clientele.Actor{ID: "importer", Reason: "import of " + file.Name})}
	i.session, i.printer = i.actor.Exchange(), message.NewPrinter(o.tag, message.Catalog(sentences))
	return i.run()
}

// importer is one run of the program.
type importer struct {
	settings
	ctx      context.Context
	out, log io.Writer
	file     *tabular.File
	actor    *clientele.Session
	session  exchange.Session
	printer  *message.Printer
}

// say prints a sentence in the language asked for.
func (i *importer) say(sentence string, values ...any) {
	if i.tag == language.English && len(values) > 0 && values[0] == 1 {
		sentence = cmp.Or(singular[sentence], sentence)
	}
	for n, v := range values {
		if count, ok := v.(int); ok {
			values[n] = number.Decimal(count, number.NoSeparator())
		}
	}
	fmt.Fprintln(i.out, i.printer.Sprintf(sentence, values...))
}

func (i *importer) run() error {
	mapping, err := i.settleMapping()
	if err != nil {
		return err
	}
	shown := 0
	im := exchange.Import{
		File: i.file, Subject: i.subject(), Mapping: mapping, DryRun: i.dryRun, Again: i.again, ToNote: i.toNote, Duplicates: i.policy, Mode: i.importMode, Sync: i.synchronise(),
	}
	if i.preview {
		p, err := i.session.Preview(i.ctx, im)
		if err == nil {
			fmt.Fprint(i.out, p.In(i.tag))
		}
		return err
	}
	im.Faults = func(f exchange.Fault) {
		if shown++; shown <= maxShown {
			fmt.Fprintln(i.out, "  "+f.In(i.tag))
		}
	}
	last, err := i.follow(im)
	if shown > maxShown {
		i.say("  … and %d more", shown-maxShown)
	}
	if err == nil || last.Summary.Read > 0 {
		i.report(last)
	}
	if err != nil {
		return i.hint(err)
	}
	if err := i.tellMissing(last); err != nil || i.dryRun {
		return err
	}
	if i.bad != "" && last.Summary.Refused > 0 {
		if err := i.writeBad(last.Job); err != nil {
			return err
		}
	}
	if n := last.Summary.Read; n > 0 && last.Summary.Refused == n {
		return fmt.Errorf("all %d rows were refused; nothing was imported", n)
	}
	return nil
}

// hint says which flag would help.
func (i *importer) hint(err error) error {
	switch {
	case errors.Is(err, context.Canceled) && !i.dryRun:
		return fmt.Errorf("interrupted; run it again, and it goes on (%w)", context.Canceled)
	case errors.Is(err, exchange.ErrShortList):
		return fmt.Errorf("%w (-max-missing PERCENT)", err)
	case errors.Is(err, exchange.ErrImported):
		return fmt.Errorf("%w (-again)", err)
	case errors.Is(err, exchange.ErrMapping) && i.mapping == "":
		return fmt.Errorf("%w (with -map FILE the mapping is written to a file, to be completed)", err)
	case errors.Is(err, exchange.ErrMapping):
		return fmt.Errorf("%w (mend it in %s)", err, i.mapping)
	}
	return err
}

// maxShown is how many faults, customers that are missing, and columns that aren't imported
// are printed.
const maxShown = 20

func (i *importer) subject() exchange.Subject {
	if i.of == "customers" {
		return exchange.Customers
	}
	return exchange.Subject(i.of)
}

func (i *importer) synchronise() *exchange.Sync {
	if i.sync == "" {
		return nil
	}
	return &exchange.Sync{System: i.sync, Archive: i.archive, MaxPercent: i.maxMissing}
}

// tellMissing lists customers that the other system's list hasn't.
func (i *importer) tellMissing(p exchange.Progress) error {
	if i.sync == "" {
		return nil
	}
	if i.archive && !i.dryRun {
		i.say("%d customers that the list of %s hasn't were archived.", p.Summary.Missing, i.sync)
		return nil
	}
	i.say("%d customers aren't on the list of %s.", p.Summary.Missing, i.sync)
	if i.dryRun {
		return nil
	}
	missing, err := i.session.Missing(i.ctx, p.Job, i.sync)
	if err != nil {
		return err
	}
	return i.actor.View(i.ctx, func(tx *clientele.ReadTx) error {
		for _, id := range missing[:min(len(missing), maxShown)] {
			c, err := tx.Customers.Get(id)
			if err != nil {
				return err
			}
			fmt.Fprintf(i.out, "  %s %s\n", c.Code, c.Name)
		}
		return nil
	})
}

// settleMapping reads the mapping, or guesses and shows it.
func (i *importer) settleMapping() (*exchange.Mapping, error) {
	if i.mapping != "" {
		text, err := os.ReadFile(i.mapping)
		if err == nil {
			return i.readMapping(text)
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	in, err := i.session.InspectAs(i.ctx, i.subject(), i.file, tabular.Options{Encoding: i.encoding, Delimiter: i.delimiter, Sheet: i.sheet})
	if err != nil {
		return nil, err
	}
	if err := i.checkShape(in.Shape); err != nil {
		return nil, err
	}
	i.show(in)
	sure := i.identified(in.Mapping.Sure()) // without what is in doubt, also when the next run reads it
	if i.mapping == "" {
		return sure, nil
	}
	text, err := sure.JSON()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(i.mapping, append(text, '\n'), 0o644); err != nil {
		return nil, err
	}
	i.say("The mapping is in %s.", i.mapping)
	return sure, nil
}

// readMapping reads a mapping that was kept. Flags say what this file has otherwise.
func (i *importer) readMapping(text []byte) (*exchange.Mapping, error) {
	m, err := exchange.ParseMapping(text)
	if err != nil {
		return nil, fmt.Errorf("-map %s: %w; mend it, or name a file that doesn't exist, and it is written there", i.mapping, err)
	}
	if i.encoding != "" {
		m.Encoding = i.encoding
	}
	if i.delimiter != 0 {
		m.Delimiter = string(i.delimiter)
	}
	if i.sheet != "" {
		m.Sheet = i.sheet
	}
	return i.identified(m), i.checkHeadings(m)
}

// checkHeadings refuses a mapping that was made for other columns: what they hold would go
// to the wrong fields. Keys of JSON are found by name.
func (i *importer) checkHeadings(m *exchange.Mapping) error {
	delimiter, _ := utf8.DecodeRuneInString(m.Delimiter)
	if m.Delimiter == "" {
		delimiter = 0
	}
	in, err := i.session.InspectAs(i.ctx, i.subject(), i.file, tabular.Options{Encoding: m.Encoding, Delimiter: delimiter, Sheet: m.Sheet})
	if err != nil || in.Shape.Format == (tabular.JSONLines{}).Name() || in.Mapping.HeaderRow != m.HeaderRow || in.Mapping.HeaderRows != m.HeaderRows {
		return err
	}
	for _, c := range m.Columns {
		at := slices.IndexFunc(in.Columns, func(s exchange.Sampled) bool { return s.Column.Column == c.Column })
		if at >= 0 && c.Field != "" && c.Heading != "" && strings.TrimSpace(in.Columns[at].Heading) != strings.TrimSpace(c.Heading) {
			return fmt.Errorf("-map %s: column %d of %s is headed %q, and the mapping is for one headed %q; mend the mapping, or name a new file and another is made",
				i.mapping, c.Column, i.file.Name, in.Columns[at].Heading, c.Heading)
		}
	}
	return nil
}

// identified gives the mapping of a list that is synchronised its ids: those in the
// column of codes, if it has no other.
func (i *importer) identified(m *exchange.Mapping) *exchange.Mapping {
	source := exchange.Field("source." + i.sync)
	has := func(c exchange.Column) bool { return c.Field == source || slices.Contains(c.Also, source) }
	code := func(c exchange.Column) bool { return c.Field == exchange.Code }
	if at := slices.IndexFunc(m.Columns, code); i.sync != "" && at >= 0 && !slices.ContainsFunc(m.Columns, has) {
		c := &m.Columns[at]
		c.Also = append(c.Also, source)
		i.say("The ids of %s are those of column %d (%s).", i.sync, c.Column, c.Heading)
	}
	return m
}

// checkShape refuses flags that mean nothing for the file's format.
func (i *importer) checkShape(s *tabular.Shape) error {
	switch {
	case i.sheet != "" && len(s.Sheets) == 0:
		return fmt.Errorf("-sheet %q: %s is no workbook but %s", i.sheet, i.file.Name, s.Format)
	case i.encoding != "" && s.Encoding != i.encoding:
		return fmt.Errorf("-encoding %s: %s is %s, whose encoding is given", i.encoding, i.file.Name, s.Format)
	case i.delimiter != 0 && s.Delimiter != i.delimiter:
		return fmt.Errorf("-delimiter %q: %s is %s, whose cells no delimiter divides", i.delimiter, i.file.Name, s.Format)
	}
	return nil
}

func (i *importer) show(in *exchange.Inspection) {
	what := strings.ToUpper(in.Shape.Format)
	if in.Shape.Encoding != "" {
		what += ", " + string(in.Shape.Encoding)
	}
	if in.Shape.Delimiter != 0 {
		what += ", " + i.printer.Sprintf("divided by %q", string(in.Shape.Delimiter))
	}
	if in.Shape.Sheet != "" {
		what += ", " + i.printer.Sprintf("sheet %q of %d", in.Shape.Sheet, len(in.Shape.Sheets))
	}
	fmt.Fprintf(i.out, "%s: %s\n", i.file.Name, what)
	for n, c := range in.Columns {
		field := string(c.Field)
		if field == "" && n >= maxShown {
			continue
		}
		if field == "" {
			field = "–"
		}
		fmt.Fprintf(i.out, "  %2d %-24s %-24s %3.0f %%  %s\n", c.Column.Column, c.Heading, field, 100*c.Confidence, strings.Join(c.Samples, " · "))
	}
	if more := len(in.Columns) - maxShown; more > 0 {
		i.say("  … of %d more columns those that are imported are shown.", more)
	}
	i.tellDoubts(in)
}

// tellDoubts names the columns that look like a field, but not enough to be imported as it.
func (i *importer) tellDoubts(in *exchange.Inspection) {
	var doubts []string
	for n, c := range in.Mapping.Sure().Columns {
		if c.Field == "" && in.Mapping.Columns[n].Field != "" {
			doubts = append(doubts, fmt.Sprintf("%d (%s)", c.Column, c.Heading))
		}
	}
	if len(doubts) > 0 {
		i.say("Not imported, as the guess is in doubt: column %s. With -map FILE you say what it holds.", strings.Join(doubts, ", "))
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
			i.say("An import that was cut off goes on behind row %d.", p.Row)
		}
		last = p
		if err := show(p); err != nil {
			return last, err
		}
	}
	return last, nil
}

// every is how often a log, which is no terminal, is told of the progress.
const every = 2 * time.Second

// progress returns what shows how far an import is, and what ends it: a bar on a terminal,
// a line now and then elsewhere.
func (i *importer) progress() (show func(exchange.Progress) error, done func() error) {
	if !isTerminal(i.log) {
		return i.lines(every), func() error { return nil }
	}
	bar := progressbar.NewOptions64(i.file.Size,
		progressbar.OptionSetWriter(i.log), progressbar.OptionSetDescription("importing"), progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
	)
	return func(p exchange.Progress) error {
		bar.Describe(i.printer.Sprintf("%v rows, %v a second", p.Summary.Read, int(p.Rate(exchange.Progress{}))))
		return bar.Set64(p.Bytes)
	}, bar.Finish
}

// lines returns what writes how far an import is, a line each time that so much of it has
// passed.
func (i *importer) lines(every time.Duration) func(exchange.Progress) error {
	told := time.Duration(0)
	return func(p exchange.Progress) error {
		if p.Elapsed-told < every || p.Done {
			return nil
		}
		told = p.Elapsed
		_, err := fmt.Fprintln(i.log, i.printer.Sprintf("%d %%: %v rows, %v a second, %s left",
			100*p.Bytes/max(p.Size, 1), p.Summary.Read, int(p.Rate(exchange.Progress{})), p.Remaining().Round(time.Second).String()))
		return err
	}
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
	sentence := "Imported %d rows in %s: %d created, %d updated, %d unchanged, %d duplicates left out, %d refused."
	if i.dryRun {
		sentence = "Would import %d rows in %s: %d created, %d updated, %d unchanged, %d duplicates left out, %d refused."
	}
	i.say(sentence, s.Read, p.Elapsed.Round(time.Millisecond).String(), s.Created, s.Updated, s.Unchanged, s.Duplicates, s.Refused)
	if s.Kept > 0 {
		i.say("In %d of them a value that is not in order went to the note.", s.Kept)
	}
}

func (i *importer) writeBad(job exchange.JobID) (err error) {
	f, err := os.Create(i.bad)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(i.bad)
		}
	}()
	n, err := i.session.Rejects(i.ctx, job, i.file, f, i.tag)
	if err == nil {
		i.say("The %d refused rows are in %s: mend them there and import that file.", n, i.bad)
	}
	return err
}
