package capacity

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"
)

func TestMain(m *testing.M) {
	if Child() {
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// easy are levels that no machine breaks, for tests of other things.
func easy(t *testing.T) []Level {
	t.Helper()
	levels, err := ParseLevels("get=1h,import=0.001/s,mixed=1h")
	if err != nil {
		t.Fatal(err)
	}
	return levels
}

func tiny(t *testing.T, dir string, steps ...int) Options {
	return Options{
		Customers: steps[len(steps)-1], Steps: steps, Levels: easy(t), Budget: 10 * time.Minute, Dir: dir,
		Seed: 1, Rate: 200, Reserve: 1, Speed: 0.02,
	}
}

func mustRun(t *testing.T, o Options) *Report {
	t.Helper()
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A run measures every question at each size, its report survives JSON, and a second run
// in the same folder goes on behind the sizes that are done.
func TestRunMeasuresEverythingAndResumes(t *testing.T) {
	dir := t.TempDir()
	first := mustRun(t, tiny(t, dir, 300))
	if first.Stopped.Why != StoppedCustomers || len(first.Steps) != 1 {
		t.Fatalf("stopped %+v after %d steps", first.Stopped, len(first.Steps))
	}
	second := mustRun(t, tiny(t, dir, 300, 700))
	if len(second.Steps) != 2 || !reflect.DeepEqual(asJSON(t, second.Steps[0]), asJSON(t, first.Steps[0])) {
		t.Fatalf("%d steps; the first must be as it was measured before", len(second.Steps))
	}
	for _, s := range second.Steps {
		for _, q := range questions {
			result, ok := s.Result(q.name)
			if !ok || result.Value <= 0 || len(result.Repetitions) == 0 || result.Unit != q.unit.String() {
				t.Errorf("%d customers: %s gave %+v", s.Customers, q.name, result)
			}
		}
		if s.Mixed == nil || len(s.Mixed.Kinds) < 8 || s.DiskBytes <= 0 || s.ResidentBytes <= 0 || s.HeapBytes <= 0 {
			t.Errorf("%d customers: %+v", s.Customers, s)
		}
	}
	if v := second.Verdict; v == nil || v.Measured != 700 || v.Customers < 700 || len(v.Twice) != 3 || second.Plan == nil {
		t.Errorf("verdict %+v", second.Verdict)
	}
	path := filepath.Join(t.TempDir(), "report.json")
	if err := second.save(path); err != nil {
		t.Fatal(err)
	}
	read, err := ReadReport(path)
	if err != nil || !reflect.DeepEqual(asJSON(t, read), asJSON(t, second)) {
		t.Errorf("the report read is another: %v", err)
	}
	checkMembers(t, path)
	differences, err := Compare(first, second)
	if err != nil || len(differences) != len(questions) {
		t.Errorf("%d differences, %v; want one for each of %d questions", len(differences), err, len(questions))
	}
}

// checkMembers holds the JSON to what docs/capacity.md promises.
func checkMembers(t *testing.T, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(text, &top); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"schema", "started", "seconds", "settings", "machine", "steps", "stopped", "growth", "verdict", "plan"} {
		if top[name] == nil {
			t.Errorf("the report has no %s", name)
		}
	}
	if string(top["schema"]) != `"clientele.capacity/1"` {
		t.Errorf("schema %s", top["schema"])
	}
}

func asJSON(t *testing.T, v any) (generic any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &generic); err != nil {
		t.Fatal(err)
	}
	return generic
}

// A run that is stopped keeps the sizes that are done, and a later one finishes the rest,
// from the middle of a load too.
func TestCancelKeepsWhatIsMeasured(t *testing.T) {
	dir := t.TempDir()
	mustRun(t, tiny(t, dir, 200))
	ctx, cancel := context.WithCancel(t.Context())
	o := tiny(t, dir, 200, 500)
	o.Progress = NewProgress(onLine{"import", cancel})
	stopped, err := Run(ctx, o)
	if err != nil || stopped.Stopped.Why != StoppedInterrupted || len(stopped.Steps) != 1 {
		t.Fatalf("%v; stopped %+v after %d steps; want the first step kept and no error", err, stopped.Stopped, len(stopped.Steps))
	}
	o.Progress = nil
	if done := mustRun(t, o); done.Stopped.Why != StoppedCustomers || len(done.Steps) != 2 {
		t.Errorf("stopped %+v after %d steps; want 2", done.Stopped, len(done.Steps))
	}
}

// A run that is stopped within its only size keeps what was asked there, apart from what
// the verdict goes by; the next session asks the rest again, but what was imported before
// it has from the first.
func TestCancelKeepsAnUnfinishedSize(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	o := tiny(t, dir, 200)
	o.Progress = NewProgress(onLine{"  facet", cancel})
	stopped, err := Run(ctx, o)
	if err != nil || stopped.Stopped.Why != StoppedInterrupted || len(stopped.Steps) != 0 || stopped.Verdict != nil || stopped.Unfinished == nil {
		t.Fatalf("%v; stopped %+v with %+v", err, stopped.Stopped, stopped.Unfinished)
	}
	for _, name := range []string{"import", "import.items", "get", "facet"} {
		if _, ok := stopped.Unfinished.Result(name); !ok {
			t.Errorf("%s is lost", name)
		}
	}
	var text, page bytes.Buffer
	if err := errors.Join(stopped.WriteText(&text), stopped.WriteHTML(&page, language.English)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "cut off at 200 customers") || !strings.Contains(page.String(), "All measurements") {
		t.Errorf("neither text nor page may hide what was measured:\n%s", text.String())
	}
	// At a smaller size its answers would be those of a larger book.
	if _, err := Run(t.Context(), tiny(t, dir, 150)); err == nil || !strings.Contains(err.Error(), "more than 150 customers already") {
		t.Errorf("%v; want a word about the larger book", err)
	}
	o.Progress = nil
	done := mustRun(t, o)
	if done.Unfinished != nil || len(done.Steps) != 1 {
		t.Fatalf("%d steps, unfinished %+v", len(done.Steps), done.Unfinished)
	}
	before, _ := stopped.Unfinished.Result("import")
	if after, ok := done.Steps[0].Result("import"); !ok || after.Value != before.Value {
		t.Errorf("the import of the first session is %+v afterwards; want %+v", after, before)
	}
}

func TestStepsAreThreeOrMore(t *testing.T) {
	for n, want := range map[int][]int{
		2: {2}, 300: {30, 100, 300}, 30_000: {3000, 10_000, 30_000}, 99_999: {9999, 33_333, 99_999},
		100_000: {10_000, 30_000, 100_000}, 500_000: {10_000, 30_000, 100_000, 300_000, 500_000},
	} {
		if got := stepsUpTo(n); !slices.Equal(got, want) {
			t.Errorf("up to %d: %v; want %v", n, got, want)
		}
	}
}

// Where a sync costs nothing, many are measured; their file stays small.
func TestMeasuringSyncsDoesNotFillTheDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "probe")
	if _, err := (gauge{each: 100 * time.Millisecond}).syncRate(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > syncBlocks*4096 {
		t.Errorf("%v, %v; want at most 4 MiB", info.Size(), err)
	}
}

// onLine calls f when a line with a text is written.
type onLine struct {
	text string
	f    func()
}

func (o onLine) Write(line []byte) (int, error) {
	if strings.Contains(string(line), o.text) {
		o.f()
	}
	return len(line), nil
}

func TestRunStopsAtABrokenLevel(t *testing.T) {
	o := tiny(t, t.TempDir(), 200, 400)
	o.Levels = []Level{{Probe: "get", Most: 1e-9}}
	r := mustRun(t, o)
	if r.Stopped.Why != StoppedLevel || r.Stopped.Level != "get=1ns" || len(r.Steps) != 1 || r.Verdict.Measured != 0 {
		t.Errorf("stopped %+v after %d steps, verdict %+v", r.Stopped, len(r.Steps), r.Verdict)
	}
	get, _ := r.Steps[0].Result("get")
	if !get.Again {
		t.Error("a broken level was not measured a second time")
	}
	if r := mustRun(t, o); r.Stopped.Why != StoppedLevel || len(r.Steps) != 1 {
		t.Errorf("started again, it stopped %+v after %d steps; want the broken level still", r.Stopped, len(r.Steps))
	}
}

func TestRunKeepsTheDisksReserve(t *testing.T) {
	if total, _ := diskSpace("."); total == 0 {
		t.Skip("SKIPPED: the size of disks is not known on this system")
	}
	o := tiny(t, "", 200)
	o.Reserve = 1 << 60
	if r := mustRun(t, o); r.Stopped.Why != StoppedDisk || len(r.Steps) != 0 {
		t.Errorf("stopped %+v after %d steps", r.Stopped, len(r.Steps))
	}
}

func TestRunStopsWithinItsBudget(t *testing.T) {
	o := tiny(t, "", 200, 100_000_000)
	o.Reserve, o.Budget = 1, 8*time.Second
	r := mustRun(t, o)
	if r.Stopped.Why != StoppedBudget && r.Stopped.Why != StoppedDisk {
		t.Errorf("stopped %+v; want the budget, or a disk too small for 100 million", r.Stopped)
	}
}

// A run whose time ends while the book is closed to be opened again leaves it in order.
func TestBookIsOpenedThoughTimeIsUp(t *testing.T) {
	b, err := openBook(t.Context(), t.TempDir(), workload{1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.grow(t.Context(), 50, (&Progress{}).part); err != nil {
		t.Fatal(err)
	}
	p, err := newReopen(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.ask(ended, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("%v; want the end of the context", err)
	}
	if err := errors.Join(b.Close(), b.Close()); err != nil {
		t.Error(err)
	}
}

func TestRunRefusesOtherPeoplesFolders(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "letter.txt"), []byte("Dear"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), tiny(t, dir, 100)); err == nil || !strings.Contains(err.Error(), "letter.txt") {
		t.Errorf("%v; want an error that names the file", err)
	}
	other := t.TempDir()
	text := `{"schema":"clientele.capacity/1","settings":{"seed":7,"workload":1}}`
	if err := os.WriteFile(filepath.Join(other, stateFile), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), tiny(t, other, 100)); err == nil || !strings.Contains(err.Error(), "seed 7") {
		t.Errorf("%v; want an error that names the seed", err)
	}
}

func TestSoakWatchesAndVerifies(t *testing.T) {
	o := SoakOptions{Options: tiny(t, "", 300), For: 1500 * time.Millisecond}
	r, err := Soak(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	s := r.Soak
	if s == nil || s.Verified != "in order" || s.Customers != 300 || len(s.Samples) < 5 || s.Mixed.All.Answers != 300 {
		t.Fatalf("soaked: %+v", s)
	}
	if s.Samples[1].Goroutines == 0 || s.Samples[1].HeapBytes == 0 || s.Samples[1].ResidentBytes == 0 {
		t.Errorf("a sample is empty: %+v", s.Samples[1])
	}
}

func TestWrongFlagsExplainThemselves(t *testing.T) {
	for args, says := range map[string]string{
		"-customers 0":             "-customers 0: at least 1",
		"-budget 1ms":              "-budget 1ms: at least a second",
		"-rate 0":                  "-rate 0: more than 0",
		"-reserve -1":              "not less than 0",
		"-slo get":                 "write NAME=TIME or NAME=NUMBER/s",
		"-slo lookup=1ms":          `"lookup" is not measured; use one of import, import.tags`,
		"-slo get=fast":            `"fast" is not a time more than 0`,
		"-slo get=-1ms":            `"-1ms" is not a time more than 0`,
		"-slo import=1ms":          "import is a rate; write import=20000/s",
		"-slo import=NaN/s":        "import is a rate",
		"-slo get=1ms,get=2ms":     "get is there twice",
		"-slo ,":                   "at least one service level",
		"1000000":                  `what is "1000000"?`,
		"-json /nowhere/else.json": "-json /nowhere/else.json",
		"-size 5":                  "flag provided but not defined: -size",
		"-language fr":             `-language "fr": en or zh`,
	} {
		var log bytes.Buffer
		if err := Command(t.Context(), strings.Fields(args), &bytes.Buffer{}, &log); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v; want an error that says %q", args, err, says)
		}
	}
	for args, says := range map[string]string{"-for 1ms": "-for 1ms: at least a second", "-customers -1": "at least 1"} {
		if err := SoakCommand(t.Context(), strings.Fields(args), &bytes.Buffer{}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("soak %s: %v; want an error that says %q", args, err, says)
		}
	}
	page := filepath.Join(t.TempDir(), "page.html")
	if err := Command(t.Context(), []string{"-html", page, "-json", "/nowhere/else.json"}, &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
		t.Error("a report that can't be written is not refused")
	}
	if _, err := os.Stat(page); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused run leaves an empty page: %v", err)
	}
	if err := CompareCommand(t.Context(), []string{"one.json"}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "usage") {
		t.Errorf("compare of one: %v", err)
	}
}

func TestLevelsAreReadAsTheyAreWritten(t *testing.T) {
	levels, err := ParseLevels(" get=1ms, search=50ms ,import=20000/s,aging=2s,")
	want := []Level{{"get", 0.001, 0}, {"search", 0.05, 0}, {"import", 0, 20000}, {"aging", 2, 0}}
	if err != nil || !reflect.DeepEqual(levels, want) {
		t.Fatalf("%v, %v; want %v", levels, err, want)
	}
	for i, text := range []string{"get=1ms", "search=50ms", "import=20000/s", "aging=2s"} {
		if levels[i].String() != text {
			t.Errorf("%+v is written %s; want %s", levels[i], levels[i], text)
		}
	}
	if !levels[0].Broken(0.0011) || levels[0].Broken(0.001) || !levels[2].Broken(19999) || levels[2].Broken(20000) {
		t.Error("a level is broken by what is worse, and by nothing else")
	}
	if _, err := ParseLevels(DefaultLevels); err != nil {
		t.Error(err)
	}
}
