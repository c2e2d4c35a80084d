package kvtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

// Harness says how to get at the engine under test. Its functions fail t when they
// can't do their work. Open is required; where another function is nil, the properties
// that need it are skipped and say so.
type Harness struct {
	// Open returns a new, empty engine. The suite closes it.
	Open func(t testing.TB) kv.Engine
	// Reopen opens the data of e again; the suite has closed e.
	Reopen func(t testing.TB, e kv.Engine) kv.Engine
	// Crash opens what a loss of power at this moment would leave of e. The suite
	// makes no more calls on e; Crash may close it once the loss is staged.
	Crash func(t testing.TB, e kv.Engine) kv.Engine
	// OpenBackup opens the copy that Backup wrote into dir.
	OpenBackup func(t testing.TB, dir string) kv.Engine
	// Files shows the files in which e keeps its data, wherever they are.
	Files func(t testing.TB, e kv.Engine) fs.FS
	// Scale multiplies the length of random and concurrent runs. 0 takes it from the
	// environment variable CLIENTELE_TEST_SCALE, or else is 1.
	Scale int

	// patience bounds the wait for what must happen some time; 0 is 20 s.
	patience time.Duration
}

// Run checks every property as a subtest of t, one after the other.
func Run(t *testing.T, h Harness) {
	t.Helper()
	h, err := h.complete()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range properties() {
		t.Run(p.name, func(t *testing.T) { p.run(t, h) })
	}
}

// Check is Run without a *testing.T: it checks the named properties, or groups of
// them ("Journal"), or with no names all, and returns one error for each that
// fails, joined. It works in a test binary only. The testing.TB that it gives to the
// harness has no Setenv, Chdir, Attr or ArtifactDir.
func Check(h Harness, names ...string) error {
	h, err := h.complete()
	if err != nil {
		return err
	}
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	var failures []error
	for _, p := range chosen {
		failures = append(failures, record(p.name, func(t testing.TB) { p.run(t, h) }))
	}
	return errors.Join(failures...)
}

// property is one promise of the contract.
type property struct {
	name  string // Group/Promise
	check func(t *trial)
}

func (p property) run(tb testing.TB, h Harness) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Duration(h.Scale)*2*time.Minute)
	defer cancel()
	p.check(&trial{TB: tb, harness: h, ctx: ctx})
}

func properties() []property {
	return slices.Concat(
		readProperties(), snapshotProperties(), mergeProperties(), batchProperties(),
		conditionProperties(), transactionProperties(), retryProperties(),
		journalProperties(), ingestProperties(), persistProperties(),
		backupProperties(), purgeProperties(), lifeProperties(), historyProperties(),
	)
}

// choose returns the properties that one of names is, or is the group of.
func choose(names []string) ([]property, error) {
	all := properties()
	if len(names) == 0 {
		return all, nil
	}
	var chosen []property
	for _, name := range names {
		before := len(chosen)
		for _, p := range all {
			if p.name == name || strings.HasPrefix(p.name, name+"/") {
				chosen = append(chosen, p)
			}
		}
		if len(chosen) == before {
			return nil, fmt.Errorf("kvtest: no property or group is named %q", name)
		}
	}
	return chosen, nil
}

func (h Harness) complete() (Harness, error) {
	if h.Open == nil {
		return h, errors.New("kvtest: Harness.Open is nil; it must return a new, empty engine")
	}
	if h.patience == 0 {
		h.patience = 20 * time.Second
	}
	if h.Scale > 0 {
		return h, nil
	}
	h.Scale = 1
	text := os.Getenv("CLIENTELE_TEST_SCALE")
	if text == "" {
		return h, nil
	}
	scale, err := strconv.Atoi(text)
	if err != nil || scale < 1 {
		return h, fmt.Errorf("kvtest: CLIENTELE_TEST_SCALE is %q, want a whole number from 1", text)
	}
	h.Scale = scale
	return h, nil
}
