// Duplicates finds the records of any list that are one customer, and shows them on a page
// side by side or writes the list with their clusters. It reads CSV, TSV, XLSX and JSON
// Lines in any usual encoding; the first row names the columns.
//
//	go run ./examples/duplicates -in customers.csv [-schema schema.json] -out duplicates.html -out duplicates.csv
//
// The schema says what each column holds. Without one it is guessed from headers and
// content and printed; with the name of a file that doesn't exist it is written there, to
// be edited and used the next time.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/dedupe/compare"
	"github.com/clientele-go/clientele/dedupe/match"
)

func main() {
	c, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "duplicates:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := c.run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "duplicates:", err)
		os.Exit(1)
	}
}

// command is what the program was asked to do.
type command struct {
	in, schema, country string
	out                 []string
	limit               int
}

// parse reads the flags.
func parse(args []string, help io.Writer) (*command, error) {
	c := &command{}
	flags := flag.NewFlagSet("duplicates", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints the error
	flags.StringVar(&c.in, "in", "", "the `file`: CSV, TSV, XLSX or JSON Lines, whose first row names the columns")
	flags.StringVar(&c.schema, "schema", "", "the `file` that says what each column holds; without, it is guessed; it is written if it isn't there")
	flags.Func("out", "the `file` to write, .html or .csv; may be given twice", func(name string) error {
		c.out = append(c.out, name)
		return nil
	})
	flags.IntVar(&c.limit, "limit", 500, "pairs and clusters on the page at most")
	flags.StringVar(&c.country, "country", "CN", "ISO 3166-1 alpha-2 code of phones without a calling code")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(help)
			flags.Usage()
		}
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("what is %q? Every file stands behind its flag, such as -in FILE; -h lists them", flags.Arg(0))
	}
	return c, c.check()
}

func (c *command) check() error {
	if c.in == "" {
		return errors.New("name the file to read with -in")
	}
	if len(c.out) == 0 {
		return errors.New("name what to write with -out duplicates.html or -out duplicates.csv")
	}
	for i, name := range c.out {
		if ext := strings.ToLower(filepath.Ext(name)); ext != ".html" && ext != ".csv" {
			return fmt.Errorf("-out %s: use a name that ends in .html or .csv", name)
		}
		if err := c.checkPlace(name); err != nil {
			return err
		}
		if slices.ContainsFunc(append([]string{c.schema}, c.out[:i]...), func(other string) bool { return filepath.Clean(other) == filepath.Clean(name) }) {
			return fmt.Errorf("-out %s: is named by another flag, too; give each its own file", name)
		}
	}
	if c.limit < 0 {
		return fmt.Errorf("-limit %d: use 0 or more", c.limit)
	}
	if c.country != "" && len(c.country) != 2 || strings.ToUpper(c.country) != c.country {
		return fmt.Errorf("-country %q: use two capital letters, as CN or US", c.country)
	}
	return nil
}

// checkPlace says before the work whether a file can be written after it.
func (c *command) checkPlace(name string) error {
	if folder, err := os.Stat(filepath.Dir(name)); err != nil || !folder.IsDir() {
		return fmt.Errorf("-out %s: there is no such folder", name)
	}
	out, err := os.Stat(name)
	if err != nil {
		return nil
	}
	if out.IsDir() {
		return fmt.Errorf("-out %s: is a folder; name a file in it", name)
	}
	if in, err := os.Stat(c.in); err == nil && os.SameFile(in, out) {
		return fmt.Errorf("-out %s: is the file to read; use another name", name)
	}
	return nil
}

func (c *command) run(ctx context.Context, out io.Writer) error {
	t, err := readTable(ctx, c.in)
	if err != nil {
		return err
	}
	s, err := c.decideSchema(t, out)
	if err != nil {
		return err
	}
	began := time.Now()
	result, err := match.Run(ctx, match.Options{Schema: s.fields(t), Mode: s.mode(), Country: c.country}, s.records(t))
	if err != nil {
		return err
	}
	settleLinks(result)
	joinLinks(result, len(t.rows))
	fmt.Fprintf(out, "%s, %s of one customer, %s to look at, %.1f s\n",
		number(len(t.rows), "record"), number(len(result.Clusters), "cluster"), number(possible(result), "pair"), time.Since(began).Seconds())
	for _, name := range c.out {
		if strings.EqualFold(filepath.Ext(name), ".csv") {
			err = writeCSV(name, t, result)
		} else {
			err = c.writePage(name, t, s, result)
		}
		if err != nil {
			return err
		}
		fmt.Fprintln(out, "wrote", name)
	}
	return nil
}

// number is a number of things.
func number(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprint(n, " ", thing)
}

// settleLinks leaves, of pairs that are likely enough, only those for people to look at that
// were linked to another row instead.
func settleLinks(r *match.Result) {
	if len(r.Links) == 0 {
		return
	}
	final := make(map[[2]uint32]bool, len(r.Links))
	for _, l := range r.Links {
		final[[2]uint32{l.A, l.B}] = true
	}
	for i := range r.Pairs {
		if p := &r.Pairs[i]; p.Decision == match.Same && !final[[2]uint32{p.A, p.B}] {
			p.Decision = match.Possible
		}
	}
}

func possible(r *match.Result) (n int) {
	for _, p := range r.Pairs {
		if p.Decision == match.Possible {
			n++
		}
	}
	return n
}

// decideSchema reads the schema or guesses it, and shows what was guessed.
func (c *command) decideSchema(t *table, out io.Writer) (*schema, error) {
	if c.schema != "" {
		s, err := readSchema(c.schema, t)
		if !errors.Is(err, os.ErrNotExist) {
			return s, err
		}
	}
	s := guess(t)
	text := s.text()
	fmt.Fprintf(out, "guessed schema (types: %s):\n%s\n", strings.Join(typeNames(), ", "), text)
	if s.ID == "" {
		fmt.Fprintln(out, "no column that looks like one of ids has another in each row: rows go by their numbers")
	}
	if c.schema != "" {
		if err := os.WriteFile(c.schema, []byte(text+"\n"), 0o644); err != nil {
			return nil, err
		}
		fmt.Fprintf(out, "written to %s; edit it and run again if a column is something else\n", c.schema)
	}
	if len(s.Fields) == 0 {
		return nil, fmt.Errorf("%s: %w", c.in, errNothingGuessed)
	}
	return s, nil
}

func typeNames() []string {
	var names []string
	for _, t := range compare.Types() {
		names = append(names, string(t))
	}
	return names
}

// writePage writes the pairs in doubt first, where people are needed, then the clusters.
func (c *command) writePage(name string, t *table, s *schema, result *match.Result) error {
	report := &dedupe.Report{Title: filepath.Base(c.in), Made: time.Now().UTC(), Records: len(t.rows), Possible: possible(result), Groups: len(result.Clusters)}
	report.Same = len(result.Pairs) - report.Possible
	for _, f := range s.fields(t) {
		report.Fields = append(report.Fields, f.Name)
	}
	var rows []match.Record
	for r, err := range s.records(t) {
		if err != nil {
			return err
		}
		rows = append(rows, r)
	}
	shown := func(row uint32) dedupe.ReportRecord {
		return dedupe.ReportRecord{ID: t.name(int(row), s), Values: rows[row].Values}
	}
	for _, wanted := range []match.Decision{match.Possible, match.Same} {
		for _, p := range result.Pairs {
			if p.Decision != wanted {
				continue
			}
			if len(report.Pairs) >= c.limit {
				break
			}
			score, err := explain(result.Model, rows[p.A], rows[p.B])
			if err != nil {
				return err
			}
			report.Pairs = append(report.Pairs, dedupe.ReportPair{A: shown(p.A), B: shown(p.B), Score: score.as(p)})
		}
	}
	for i, cluster := range result.Clusters {
		if i == c.limit {
			break
		}
		group := dedupe.ReportCluster{ID: fmt.Sprint(i + 1)}
		for _, row := range cluster {
			group.Records = append(group.Records, shown(row))
		}
		report.Clusters = append(report.Clusters, group)
	}
	return create(name, report.WriteHTML)
}

// explained is a score of the model, which knows a pair by itself, to be shown with the
// run's judgement, which knows its neighbours too.
type explained match.Score

func explain(m *match.Model, a, b match.Record) (explained, error) {
	x, err := m.Prepare(a)
	if err != nil {
		return explained{}, err
	}
	y, err := m.Prepare(b)
	if err != nil {
		return explained{}, err
	}
	return explained(m.Explain(x, y)), nil
}

func (e explained) as(p match.Pair) match.Score {
	e.Decision = p.Decision
	e.LogOdds = float64(p.LogOdds)
	e.Probability = probability(e.LogOdds)
	return match.Score(e)
}

// create writes a file, and removes it when that fails.
func create(name string, write func(io.Writer) error) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(name)
		}
	}()
	w := bufio.NewWriter(f)
	if err := write(w); err != nil {
		return err
	}
	return w.Flush()
}
