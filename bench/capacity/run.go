package capacity

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Options say what a run does. The zero value grows to a million customers in a temporary
// folder within ten minutes, and measures against [DefaultLevels].
type Options struct {
	Customers int           // the most; 0 is a million
	Levels    []Level       // nil is DefaultLevels
	Budget    time.Duration // for all of it; 0 is ten minutes
	// Dir keeps the book and what was measured, so that a run that was stopped goes on
	// with the next step; empty is a temporary folder, which is removed.
	Dir  string
	Seed uint64
	// Rate is that of the mixed load, in requests a second; 0 is 100.
	Rate float64
	// Reserve is how much of the disk is left free, in bytes; 0 is a tenth of the disk, at
	// least 2 and at most 20 GiB.
	Reserve int64
	// Speed below 1 makes repetitions fewer and shorter, for tests; 0 is 1.
	Speed float64
	// Steps are the sizes to measure at, ascending; nil is 10,000, 30,000, 100,000 and so
	// on up to Customers.
	Steps []int
	// Progress is told what happens; nil is nobody.
	Progress *Progress
	// Profiles is a folder for profiles of each question at each size: processor, blocking,
	// locks, allocations; empty is none.
	Profiles string
}

const (
	defaultCustomers = 1_000_000
	defaultBudget    = 10 * time.Minute
	defaultRate      = 100
)

func (o Options) withDefaults() (Options, error) {
	if o.Customers == 0 {
		o.Customers = defaultCustomers
	}
	if o.Budget == 0 {
		o.Budget = defaultBudget
	}
	if o.Rate == 0 {
		o.Rate = defaultRate
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.Progress == nil {
		o.Progress = &Progress{}
	}
	if o.Steps == nil {
		o.Steps = stepsUpTo(o.Customers)
	}
	var err error
	if o.Levels == nil {
		o.Levels, err = ParseLevels(DefaultLevels)
	}
	return o, err
}

// stepsUpTo are 10,000, 30,000, 100,000 … and at last the number itself. Numbers below
// 100,000 are measured at a tenth and at a third of them, too: a growth takes three sizes.
func stepsUpTo(customers int) (steps []int) {
	if customers < 100_000 {
		for _, part := range []int{10, 3} {
			if n := customers / part; n > 0 {
				steps = append(steps, n)
			}
		}
		return append(steps, customers)
	}
	for n, next := 10_000, 30_000; n < customers; n, next = next, n*10 {
		steps = append(steps, n)
	}
	return append(steps, customers)
}

// The files of a run's folder.
const (
	stateFile  = "capacity.json"
	bookFolder = "book"
)

// Run measures. Whatever ends it, a level, a resource or ctx, the report holds what was
// measured so far; the error is for what went wrong, such as a wrong answer. A run whose
// folder holds an earlier one goes on behind its last finished step.
func Run(ctx context.Context, o Options) (*Report, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	dir, clean, err := folder(o.Dir)
	if err != nil {
		return nil, err
	}
	r := &runner{Options: o, dir: dir, began: time.Now()}
	err = r.start(ctx)
	if err == nil {
		err = r.grow(ctx)
	}
	if r.report != nil {
		r.finish(err)
	}
	return r.report, errors.Join(r.problem(err), clean())
}

// folder makes the folder of a run; clean removes a temporary one.
func folder(dir string) (made string, clean func() error, err error) {
	if dir != "" {
		return dir, func() error { return nil }, os.MkdirAll(dir, 0o755)
	}
	made, err = os.MkdirTemp("", "clientele-capacity-")
	return made, func() error { return os.RemoveAll(made) }, err
}

// runner is one session of a run.
type runner struct {
	Options
	dir    string
	began  time.Time
	before float64 // seconds of earlier sessions
	report *Report
	book   *book
	watch  *watch
}

// stopError ends a run that has reached a bound.
type stopError struct{ Stop }

func (e *stopError) Error() string { return e.Why + ": " + e.Detail }

// start reads or begins the report and opens the book.
func (r *runner) start(ctx context.Context) error {
	report, err := r.resume()
	if err != nil {
		return err
	}
	if report == nil {
		r.Progress.say("measuring the machine")
		machine, err := measureMachine(ctx, r.dir, r.Speed)
		if err != nil {
			return err
		}
		report = &Report{Schema: Schema, Started: r.began.UTC().Truncate(time.Second), Machine: machine}
	}
	r.before = report.Seconds
	report.Settings = Settings{
		Customers: r.Customers, Seed: r.Seed, Workload: workloadVersion, Levels: r.Levels,
		BudgetSeconds: r.Budget.Seconds(), Rate: r.Rate, DiskReserve: r.reserve(report.Machine), Speed: r.Speed,
	}
	r.report = report
	r.book, err = openBook(ctx, filepath.Join(r.dir, bookFolder), workload{r.Seed})
	return err
}

// resume reads the report of the session before, nil when there was none.
func (r *runner) resume() (*Report, error) {
	path := filepath.Join(r.dir, stateFile)
	report, err := ReadReport(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, r.emptyFolder()
	case err != nil:
		return nil, err
	case report.Settings.Seed != r.Seed || report.Settings.Workload != workloadVersion:
		return nil, fmt.Errorf("%s holds a run with seed %d and workload %d, this one has %d and %d: give another -dir, or the same -seed",
			r.dir, report.Settings.Seed, report.Settings.Workload, r.Seed, workloadVersion)
	}
	if n := len(report.Steps); n > 0 {
		r.Progress.say("going on behind %s customers, measured before", count(report.Steps[n-1].Customers))
	}
	return report, nil
}

// emptyFolder refuses a folder with somebody's files.
func (r *runner) emptyFolder() error {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != bookFolder {
			return fmt.Errorf("%s holds %s and no %s of an earlier run: give a folder of its own for -dir", r.dir, e.Name(), stateFile)
		}
	}
	return nil
}

// reserve is what is left free of the disk.
func (r *runner) reserve(m *Machine) int64 {
	if r.Reserve > 0 {
		return r.Reserve
	}
	return min(max(m.DiskTotal/10, 2<<30), 20<<30)
}

// grow goes through the steps until something stops it.
func (r *runner) grow(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, r.book.Close()) }()
	ctx, cancel := context.WithDeadlineCause(ctx, r.began.Add(r.Budget), &stopError{Stop{Why: StoppedBudget, Detail: fmt.Sprintf("the budget of %v is used up", r.Budget)}})
	defer cancel()
	r.watch = startWatch(r.dir, r.report.Settings.DiskReserve, r.memoryBound())
	defer r.watch.stop()
	if len(r.report.Steps) > 0 {
		if err := r.broken(); err != nil {
			return err
		}
	}
	for i, n := range r.Steps {
		if r.done(n) {
			continue
		}
		if err := r.affordable(i, n); err != nil {
			return err
		}
		if err := r.step(ctx, n); err != nil {
			return err
		}
		if err := r.broken(); err != nil {
			return err
		}
	}
	return &stopError{Stop{Why: StoppedCustomers, Detail: fmt.Sprintf("all %s customers that were asked for are measured", count(r.Customers))}}
}

func (r *runner) done(customers int) bool {
	steps := r.report.Steps
	return len(steps) > 0 && steps[len(steps)-1].Customers >= customers
}

// memoryBound is how much of the memory a run may use: what is left serves the system's
// cache of files.
func (r *runner) memoryBound() int64 { return r.report.Machine.MemoryLimit / 100 * 85 }

// step grows the book to a size and measures it.
func (r *runner) step(ctx context.Context, n int) error {
	began := time.Now()
	ctx, cancel := r.watch.during(ctx)
	defer cancel()
	s := &Step{Customers: n, At: began.UTC().Truncate(time.Second)}
	r.watch.resetPeak()
	busy := startBusy()
	stop := r.profile("import", n)
	results, err := r.book.grow(ctx, n, r.Progress.part)
	stop()
	if err != nil {
		return r.cause(ctx, err)
	}
	for _, one := range results {
		r.Progress.result(n, one)
	}
	s.Results = withImports(results, r.report.Unfinished, n)
	r.report.Unfinished = s
	// Before the questions, whose writers add customers of their own.
	s.DiskBytes, s.SearchBytes = folderBytes(r.book.dir), folderBytes(filepath.Join(r.book.dir, "search"))
	if err := r.save(); err != nil {
		return err
	}
	if err := r.ask(ctx, s); err != nil {
		return r.cause(ctx, err)
	}
	runtime.GC()
	s.HeapBytes, s.ResidentBytes = liveHeap(), r.watch.peak()
	s.Seconds, s.OtherCores = time.Since(began).Seconds(), busy.others()
	r.report.Steps, r.report.Unfinished = append(r.report.Steps, *s), nil
	r.Progress.say("%s customers done in %.0f s: %.0f B of disk a customer, %s of memory; other programs used %.1f cores", count(n), s.Seconds, s.DiskPerCustomer(), bytesText(s.ResidentBytes), s.OtherCores)
	return r.save()
}

// save keeps what there is for a later session.
func (r *runner) save() error {
	r.report.Stopped = Stop{Why: StoppedInterrupted, Detail: "the run goes on from here when it is started again"}
	r.report.Seconds = r.before + time.Since(r.began).Seconds()
	return r.report.save(filepath.Join(r.dir, stateFile))
}

// withImports adds the imports that an earlier session measured at the same size, before it
// was cut off, to those of this one.
func withImports(results []*Result, before *Step, n int) []*Result {
	if before == nil || before.Customers != n {
		return results
	}
	now := Step{Results: results}
	for _, old := range before.Results {
		_, again := now.Result(old.Question)
		if q, _ := questionNamed(old.Question); strings.HasPrefix(q.name, "import") && !again {
			results = append(results, old)
		}
	}
	return results
}

// cause is why a step failed: the bound that cancelled it, or its error.
func (r *runner) cause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// ask puts all questions, again those whose level is broken: the machine may have been
// busy with something else.
func (r *runner) ask(ctx context.Context, s *Step) error {
	for _, q := range questions {
		result, err := r.one(ctx, q, s)
		if err != nil {
			return err
		}
		if result == nil {
			continue
		}
		if l, ok := r.level(q.name); ok && l.brokenBy(result) && q.name != "import" {
			r.Progress.say("%s is at %s, beyond %s: once more", q.name, valueText(result.Judged, q.unit), l)
			if result, err = r.one(ctx, q, s); err != nil {
				return err
			}
			result.Again = true
		}
		s.Results = append(s.Results, result)
		r.Progress.result(s.Customers, result)
	}
	return nil
}

// Durations of the mixed load, and the users of the measurement of throughput.
const (
	mixedFor        = 8 * time.Second
	throughputUsers = 32
)

// one asks one question; nil for what is measured while the book grows.
func (r *runner) one(ctx context.Context, q question, s *Step) (*Result, error) {
	if strings.HasPrefix(q.name, "import") {
		return nil, nil
	}
	defer r.profile(q.name, s.Customers)()
	switch {
	case q.name == "writers":
		return measureWriters(ctx, r.book, r.Speed)
	case q.name == "throughput":
		return measureThroughput(ctx, r.book, throughputUsers, r.Speed)
	case q.name == "mixed":
		m, err := measureMixed(ctx, r.book, r.Rate, time.Duration(r.Speed*float64(mixedFor)))
		if err != nil {
			return nil, err
		}
		s.Mixed = m
		return m.All, nil
	}
	return measure(ctx, r.book, q, r.Speed)
}

func (r *runner) level(question string) (Level, bool) {
	for _, l := range r.Levels {
		if l.Probe == question {
			return l, true
		}
	}
	return Level{}, false
}

// broken says which level the last step broke first, if any.
func (r *runner) broken() error {
	last := &r.report.Steps[len(r.report.Steps)-1]
	for _, l := range r.Levels {
		result, ok := last.Result(l.Probe)
		if !ok || !l.brokenBy(result) {
			continue
		}
		q, _ := questionNamed(l.Probe)
		return &stopError{Stop{Why: StoppedLevel, Level: l.String(), Detail: fmt.Sprintf("at %s customers %s is %s, beyond %s", count(last.Customers), l.Probe, valueText(result.Judged, q.unit), l)}}
	}
	return nil
}

// affordable refuses a step for which disk, memory or time will not do, by what the last
// one took.
func (r *runner) affordable(i, n int) error {
	free := r.report.Machine.DiskFree
	if _, now := diskSpace(r.dir); now > 0 {
		free = now
	}
	each, already := 4000.0, 0
	if steps := r.report.Steps; len(steps) > 0 {
		last := &steps[len(steps)-1]
		each, already = last.DiskPerCustomer(), last.Customers
		left := r.Budget.Seconds() - time.Since(r.began).Seconds()
		if need := last.Seconds * growthOfTime(last.Customers, n); need > left {
			return &stopError{Stop{Why: StoppedBudget, Detail: fmt.Sprintf("the step to %s customers would take about %.0f s, and %.0f s of the budget are left", count(n), need, left)}}
		}
		if need := float64(last.HeapBytes) * float64(n) / float64(last.Customers); r.memoryBound() > 0 && need > float64(r.memoryBound()) {
			return &stopError{Stop{Why: StoppedMemory, Detail: fmt.Sprintf("%s customers would take about %s of memory", count(n), bytesText(int64(need)))}}
		}
	}
	// The book's growth, as much again while it is compacted, and a backup of it all.
	need := each * (2*float64(n-already) + float64(n))
	if free > 0 && need > float64(free-r.report.Settings.DiskReserve) {
		return &stopError{Stop{Why: StoppedDisk, Detail: fmt.Sprintf("the step to %s customers takes about %s for a while; %s are free, of which %s stay so",
			count(n), bytesText(int64(need)), bytesText(free), bytesText(r.report.Settings.DiskReserve))}}
	}
	return nil
}

// growthOfTime is how much longer a step takes than the one before: half of it, with
// the questions that cost the same at any size, is taken not to grow.
func growthOfTime(from, to int) float64 {
	ratio := float64(to) / float64(from)
	if ratio <= 1 {
		return 1
	}
	return 0.5 + 0.5*ratio
}

// finish concludes the report from what was measured.
func (r *runner) finish(err error) {
	r.report.Seconds = r.before + time.Since(r.began).Seconds()
	r.report.Stopped = r.stopOf(err)
	r.report.conclude()
	if r.Dir != "" {
		if err := r.report.save(filepath.Join(r.dir, stateFile)); err != nil {
			r.Progress.say("the state could not be saved: %v", err)
		}
	}
}

func (r *runner) stopOf(err error) Stop {
	var stop *stopError
	switch {
	case errors.As(err, &stop):
		return stop.Stop
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		detail := "stopped by the user; start it again with the same -dir to go on"
		if r.Dir == "" {
			detail = "stopped by the user; with a -dir it could go on from there"
		}
		return Stop{Why: StoppedInterrupted, Detail: detail}
	case err != nil:
		return Stop{Why: StoppedError, Detail: err.Error()}
	}
	return Stop{Why: StoppedCustomers}
}

// problem is what is wrong about an end: nothing when a bound was reached or somebody
// stopped the run.
func (r *runner) problem(err error) error {
	if r.report != nil && r.report.Stopped.Why != StoppedError {
		return nil
	}
	return err
}
