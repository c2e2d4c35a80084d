package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

// settings are the flags.
type settings struct {
	in, dir, mapping, bad, of string
	sheet, sync               string
	preview, dryRun           bool
	again, toNote, archive    bool
	maxMissing                int

	policy     exchange.DuplicatePolicy
	importMode exchange.Mode
	encoding   tabular.Encoding // empty is recognised,
	delimiter  rune             // and so is 0
	tag        language.Tag
}

// words are flags of which the value is one of some words.
type words struct{ duplicates, mode, encoding, delimiter, language string }

// parse reads the flags, and says what is wrong with those that are.
func parse(args []string, log io.Writer) (*settings, error) {
	o, w := &settings{}, words{}
	flags := flag.NewFlagSet("importer", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints the error
	flags.StringVar(&o.in, "in", "", "the `file` to import")
	flags.StringVar(&o.dir, "dir", "", "the book's `directory`, which is made if need be")
	flags.StringVar(&o.of, "of", "customers", "what the rows are: customers, units, items (receivables), balances or scores")
	flags.StringVar(&o.mapping, "map", "", "a `file` that says what the columns hold; it is written if it isn't there, to be edited")
	flags.StringVar(&o.bad, "errors", "", "the `file` for rows that are refused, with what is wrong")
	flags.StringVar(&o.sheet, "sheet", "", "the workbook's sheet of this `name`, instead of the first one that isn't hidden")
	flags.StringVar(&w.encoding, "encoding", "", "the text file's encoding, if it isn't recognised, such as UTF-8, GB18030 or Big5")
	flags.StringVar(&w.delimiter, "delimiter", "", "the `character` between cells, if it isn't recognised, or comma, semicolon, tab or pipe")
	flags.BoolVar(&o.preview, "preview", false, "show what cleaning the file needs: normalisation, repeated rows, invalid numbers, empty and test records; -dir may be left out")
	flags.BoolVar(&o.dryRun, "dry-run", false, "say what would happen, and write nothing")
	flags.BoolVar(&o.again, "again", false, "import the file although it was imported before")
	flags.BoolVar(&o.toNote, "to-note", false, "move values that are not in order to the note, instead of refusing the row")
	flags.StringVar(&w.mode, "mode", "upsert", "create: refuse customers that the book has; update: refuse others; upsert: take both")
	flags.StringVar(&w.duplicates, "duplicates", "skip", "what becomes of likely duplicates: skip, merge, flag or create")
	flags.StringVar(&o.sync, "sync", "", "the file is the whole list of this `system`: tell who isn't on it")
	flags.BoolVar(&o.archive, "archive", false, "with -sync, archive the customers that aren't on the list")
	flags.IntVar(&o.maxMissing, "max-missing", 0, "with -archive, the `percent` of the system's customers that may be archived; 0 is 20")
	flags.StringVar(&w.language, "lang", "en", "language of messages: en or zh")
	flags.StringVar(&w.language, "language", "en", "the same as -lang")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(log)
			flags.Usage()
		}
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("%q: every value stands behind its flag, such as -in FILE", flags.Arg(0))
	}
	if o.in == "" || o.dir == "" && !o.preview {
		return nil, errors.New("say -in FILE and -dir DIRECTORY; -h lists the flags")
	}
	return o, errors.Join(o.understand(w), o.check())
}

// understand reads the words.
func (o *settings) understand(w words) (err error) {
	policies := map[string]exchange.DuplicatePolicy{
		"skip": exchange.SkipDuplicates, "merge": exchange.MergeDuplicates, "flag": exchange.FlagDuplicates, "create": exchange.AllowDuplicates,
	}
	modes := map[string]exchange.Mode{"create": exchange.CreateOnly, "update": exchange.UpdateOnly, "upsert": exchange.Upsert}
	languages := map[string]language.Tag{"en": language.English, "zh": language.Chinese}
	return errors.Join(
		oneOf("-duplicates", w.duplicates, policies, &o.policy), oneOf("-mode", w.mode, modes, &o.importMode), oneOf("-lang", w.language, languages, &o.tag),
		o.setEncoding(w.encoding), o.setDelimiter(w.delimiter),
	)
}

func oneOf[T any](flag, value string, meanings map[string]T, to *T) error {
	meaning, known := meanings[value]
	if !known {
		return fmt.Errorf("%s %q: one of %s", flag, value, strings.Join(slices.Sorted(maps.Keys(meanings)), ", "))
	}
	*to = meaning
	return nil
}

func (o *settings) setEncoding(value string) (err error) {
	if value == "" {
		return nil
	}
	o.encoding, err = tabular.ParseEncoding(value)
	if bad, ok := errors.AsType[*tabular.Error](err); ok {
		return fmt.Errorf("-encoding %q: %s", value, bad.Remedy())
	}
	return err
}

func (o *settings) setDelimiter(value string) error {
	named := map[string]rune{"comma": ',', "semicolon": ';', "tab": '\t', `\t`: '\t', "pipe": '|'}
	if d, ok := named[value]; ok {
		o.delimiter = d
	} else if utf8.RuneCountInString(value) > 1 {
		return fmt.Errorf("-delimiter %q: one character, or comma, semicolon, tab or pipe", value)
	} else if value != "" {
		o.delimiter, _ = utf8.DecodeRuneInString(value)
	}
	return nil
}

// subjects are the words of -of.
var subjects = []string{"customers", "units", "items", "balances", "scores"}

// check refuses flags that don't go together.
func (o *settings) check() error {
	switch {
	case !slices.Contains(subjects, o.of):
		return fmt.Errorf("-of %q: one of %s", o.of, strings.Join(subjects, ", "))
	case same(o.in, o.bad) || same(o.in, o.mapping):
		return fmt.Errorf("-in %s: it would be overwritten; give -errors and -map files of their own", o.in)
	case o.bad != "" && filepath.Clean(o.bad) == filepath.Clean(o.mapping):
		return fmt.Errorf("-errors %s: is the file of -map, too; give each its own", o.bad)
	case o.preview && o.dryRun:
		return errors.New("-preview looks at the file alone and -dry-run at the book, too: give one of them")
	case o.sync == "" && o.archive:
		return errors.New("-archive: whom? say with -sync SYSTEM whose whole list the file is")
	case !o.archive && o.maxMissing != 0:
		return errors.New("-max-missing says how many -archive may archive, which isn't given")
	case o.maxMissing < 0 || o.maxMissing > 100:
		return fmt.Errorf("-max-missing %d: a percentage from 1 to 100, or 0 for 20", o.maxMissing)
	case o.sync != "" && o.of != "customers":
		return fmt.Errorf("-sync %s: only a list of customers can be synchronised, not one of %s", o.sync, o.of)
	}
	return checkPlace("-errors", o.bad)
}

// checkPlace says before the work whether a file can be written after it.
func checkPlace(flag, name string) error {
	if name == "" {
		return nil
	}
	if folder, err := os.Stat(filepath.Dir(name)); err != nil || !folder.IsDir() {
		return fmt.Errorf("%s %s: there is no such folder", flag, name)
	}
	if there, err := os.Stat(name); err == nil && there.IsDir() {
		return fmt.Errorf("%s %s: is a folder; name a file in it", flag, name)
	}
	return nil
}

// checkFile refuses a file that can't be read, before a book is made for it, and a name for
// its refused rows that promises another format than its own.
func (o *settings) checkFile(ctx context.Context, file *tabular.File) error {
	format, err := tabular.Find(file)
	if err != nil {
		return err
	}
	shape, err := format.Inspect(ctx, file, tabular.Options{Encoding: o.encoding, Delimiter: o.delimiter, Sheet: o.sheet})
	if err != nil {
		return err
	}
	if err := hasRows(format.Read(ctx, file, shape.Options())); err != nil {
		return fmt.Errorf("%s: %w", file.Name, err)
	}
	end := strings.ToLower(filepath.Ext(o.bad))
	other := func(f tabular.Format) bool { return f.Extension() == end && f.Name() != format.Name() }
	if slices.ContainsFunc(tabular.Formats(), other) && end != strings.ToLower(filepath.Ext(o.in)) {
		return fmt.Errorf("-errors %s: refused rows are written as %s, as they stand in %s; use a name that ends in %s", o.bad, format.Name(), file.Name, format.Extension())
	}
	return nil
}

// hasRows refuses a file of which all rows are blank.
func hasRows(rows iter.Seq2[*tabular.Row, error]) error {
	for row, err := range rows {
		if err != nil || row.Err != nil || !row.Blank() {
			return err
		}
	}
	return errors.New("the file is empty")
}

// same reports whether two paths lead to one file.
func same(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}
