package capacity

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"
)

// flagsOf makes a command's flags, whose usage tells of errors.
func flagsOf(name, usage string, log io.Writer) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(log)
	f.Usage = func() {
		fmt.Fprintf(log, "usage: go run ./bench %s\n", usage)
		f.PrintDefaults()
	}
	return f
}

// outputs are the files that a report is written to.
type outputs struct{ json, html, language string }

func (o *outputs) declare(f *flag.FlagSet) {
	f.StringVar(&o.json, "json", "", "write the report as JSON to this `file`")
	f.StringVar(&o.html, "html", "", "write the report as one HTML page to this `file`")
	f.StringVar(&o.language, "language", "en", "the page's `language`: en or zh")
}

// check finds out before the work whether the files can be written.
func (o *outputs) check() error {
	if base, _ := language.Make(o.language).Base(); base.String() != "en" && base.String() != "zh" {
		return fmt.Errorf("-language %q: en or zh", o.language)
	}
	return errors.Join(writable("-json", o.json), writable("-html", o.html))
}

// writable tries to open a file for writing, and leaves none behind that wasn't there: a
// run that is killed shall leave no empty report.
func writable(flag, path string) error {
	if path == "" {
		return nil
	}
	_, missing := os.Stat(path)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("%s %s: %w", flag, path, err)
	}
	if err := f.Close(); err != nil || missing == nil {
		return err
	}
	return os.Remove(path)
}

func (o *outputs) write(r *Report) error {
	if o.json != "" {
		if err := r.save(o.json); err != nil {
			return err
		}
	}
	if o.html == "" || r.Machine == nil {
		return nil
	}
	return writeFile(o.html, func(w io.Writer) error { return r.WriteHTML(w, language.Make(o.language)) })
}

// arguments refuses what isn't a flag.
func arguments(f *flag.FlagSet) error {
	if f.NArg() > 0 {
		return fmt.Errorf("%s takes flags only; what is %q?", f.Name(), f.Arg(0))
	}
	return nil
}

// Command is the command capacity: it runs, and writes the report.
func Command(ctx context.Context, args []string, out, log io.Writer) error {
	var o Options
	var files outputs
	f := flagsOf("capacity", "capacity [flags]: how many customers does this machine hold?", log)
	levels := f.String("slo", DefaultLevels, "service `levels`: the longest time of an answer or the lowest rate, for any of "+strings.Join(questionNames(), ", "))
	f.IntVar(&o.Customers, "customers", defaultCustomers, "the most `customers`")
	f.DurationVar(&o.Budget, "budget", defaultBudget, "the `time` for all of it")
	f.StringVar(&o.Dir, "dir", "", "keep book and results in this `folder`, to go on there later; without, a temporary one is used and removed")
	f.Uint64Var(&o.Seed, "seed", 1, "the `seed` of the customers; the same seed makes the same ones")
	f.Float64Var(&o.Rate, "rate", defaultRate, "`requests` a second of the mixed load")
	reserve := f.Float64("reserve", 0, "`GiB` of the disk to leave free; 0 is a tenth of it, from 2 to 20")
	f.StringVar(&o.Profiles, "profile", "", "write profiles of each question and size (processor, blocking, locks, allocations) to this `folder`")
	files.declare(f)
	if err := f.Parse(args); err != nil {
		return err
	}
	var err error
	if o.Levels, err = ParseLevels(*levels); err != nil {
		return fmt.Errorf("-slo: %w", err)
	}
	o.Reserve = int64(*reserve * (1 << 30))
	o.Progress = NewProgress(log)
	if err := errors.Join(arguments(f), o.check(), files.check()); err != nil {
		return err
	}
	report, err := Run(ctx, o)
	if report == nil {
		return err
	}
	return errors.Join(err, files.write(report), report.WriteText(out))
}

// check says which option can't be.
func (o *Options) check() error {
	switch {
	case o.Customers < 1:
		return fmt.Errorf("-customers %d: at least 1", o.Customers)
	case o.Budget < time.Second:
		return fmt.Errorf("-budget %v: at least a second, for instance 10m", o.Budget)
	case !(o.Rate > 0 && o.Rate <= 1e6):
		return fmt.Errorf("-rate %v: more than 0 requests a second, and at most a million", o.Rate)
	case o.Reserve < 0:
		return fmt.Errorf("-reserve %.3g: not less than 0 GiB", float64(o.Reserve)/(1<<30))
	case len(o.Levels) == 0:
		return errors.New("-slo: at least one service level, for instance get=1ms")
	}
	if o.Profiles != "" {
		return os.MkdirAll(o.Profiles, 0o755)
	}
	return nil
}

// WriteText writes the report for a terminal: a table of all sizes, and the verdict.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	if r.Machine != nil {
		m := r.Machine
		fmt.Fprintf(&b, "%s, %d cores, %s of memory, %s of disk free, %.0f syncs/s, %s/s copied\n\n",
			m.Processor, m.Cores, bytesText(m.MemoryLimit), bytesText(m.DiskFree), m.SyncsPerSecond, bytesText(int64(m.CopyBytes)))
	}
	r.writeSteps(&b)
	fmt.Fprintf(&b, "\nStopped: %s. %s\n", r.Stopped.Why, r.Stopped.Detail)
	if r.Verdict != nil {
		fmt.Fprintf(&b, "%s\n", r.Verdict)
		for _, t := range r.Verdict.Twice {
			fmt.Fprintf(&b, "%s\n", t)
		}
	}
	if busy := r.otherCores(); r.Machine != nil && busy > 0.1*float64(r.Machine.Cores) {
		fmt.Fprintf(&b, "Other programs kept %.1f of %d cores busy: measure again when the machine is quiet.\n", busy, r.Machine.Cores)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// String is the alternative in one English sentence.
func (t Twice) String() string {
	switch {
	case t.Customers == 0:
		return fmt.Sprintf("With twice the %s: the smallest book still breaks %s.", t.Of, t.First)
	case t.AtLeast:
		return fmt.Sprintf("With twice the %s: at least %s.", t.Of, count(t.Customers))
	default:
		return fmt.Sprintf("With twice the %s: about %s, then %s.", t.Of, count(t.Customers), t.First)
	}
}

func (r *Report) writeSteps(b *strings.Builder) {
	steps := r.allSteps()
	fmt.Fprintf(b, "%-14s", "customers")
	for i := range steps {
		fmt.Fprintf(b, "%18s", count(steps[i].Customers))
	}
	b.WriteByte('\n')
	for _, q := range questions {
		line, any := fmt.Sprintf("%-14s", q.name), false
		for i := range steps {
			text := "–"
			if result, ok := steps[i].Result(q.name); ok {
				text, any = valueText(result.Value, q.unit), true
			}
			line += strings.Repeat(" ", max(1, 18-len([]rune(text)))) + text
		}
		if any {
			b.WriteString(line + "\n")
		}
	}
	fmt.Fprintf(b, "%-14s", "disk each")
	for i := range steps {
		fmt.Fprintf(b, "%16.0f B", steps[i].DiskPerCustomer())
	}
	b.WriteByte('\n')
	if r.Unfinished != nil {
		fmt.Fprintf(b, "The run was cut off at %s customers; the verdict doesn't count them.\n", count(r.Unfinished.Customers))
	}
}

// allSteps are the steps and what was measured of one that was cut off.
func (r *Report) allSteps() []Step {
	if r.Unfinished == nil {
		return r.Steps
	}
	return append(slices.Clip(r.Steps), *r.Unfinished)
}

// SoakCommand is the command soak.
func SoakCommand(ctx context.Context, args []string, out, log io.Writer) error {
	var o SoakOptions
	var files outputs
	f := flagsOf("soak", "soak [flags]: a long mixed load, and what creeps", log)
	f.DurationVar(&o.For, "for", defaultSoak, "how `long`")
	f.IntVar(&o.Customers, "customers", defaultSoakCustomers, "the book's `customers`")
	f.StringVar(&o.Dir, "dir", "", "the `folder` of a run of capacity whose book to use, or for a new one; without, a temporary one is used and removed")
	f.Uint64Var(&o.Seed, "seed", 1, "the `seed` of the customers")
	f.Float64Var(&o.Rate, "rate", defaultRate, "`requests` a second")
	reserve := f.Float64("reserve", 0, "`GiB` of the disk to leave free; 0 is a tenth of it, from 2 to 20")
	files.declare(f)
	if err := f.Parse(args); err != nil {
		return err
	}
	o.Budget, o.Reserve, o.Progress = defaultBudget+o.For, int64(*reserve*(1<<30)), NewProgress(log)
	var err error
	if o.Levels, err = ParseLevels(DefaultLevels); err != nil {
		return err
	}
	if o.For < time.Second {
		err = fmt.Errorf("-for %v: at least a second, for instance 10m", o.For)
	}
	if err := errors.Join(err, arguments(f), o.check(), files.check()); err != nil {
		return err
	}
	report, err := Soak(ctx, o)
	if report == nil {
		return err
	}
	return errors.Join(err, files.write(report), report.writeSoak(out))
}

func (r *Report) writeSoak(w io.Writer) error {
	s := r.Soak
	if s == nil || s.Mixed == nil {
		_, err := fmt.Fprintf(w, "Stopped: %s. %s\n", r.Stopped.Why, r.Stopped.Detail)
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s customers, %.0f s of mixed load: %.1f of %.1f requests a second answered, p50 %s, p99 %s, slowest %s\n", count(s.Customers), s.Seconds,
		s.Mixed.Achieved, s.Mixed.Rate, valueText(s.Mixed.All.P50, seconds), valueText(s.Mixed.All.P99, seconds), valueText(s.Mixed.All.Max, seconds))
	for _, x := range s.Findings {
		fmt.Fprintf(&b, "%s creeps: from %.4g to %.4g, p = %.4f\n", x.What, x.Before, x.After, x.P)
	}
	if len(s.Findings) == 0 {
		b.WriteString("Nothing creeps.\n")
	}
	if busy := s.otherCores(); busy > 0.1*float64(r.Machine.Cores) {
		fmt.Fprintf(&b, "Other programs kept %.1f of %d cores busy: latencies follow them too.\n", busy, r.Machine.Cores)
	}
	fmt.Fprintf(&b, "The book was verified: %s.\n", s.Verified)
	_, err := io.WriteString(w, b.String())
	return err
}
