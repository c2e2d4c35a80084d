package kvtest

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/storage/kv"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// Mutants fail on purpose: nobody wants their histories on disk, or shortened for long.
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.shrinktime": "10ms"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func TestReferencePasses(t *testing.T) {
	Run(t, referenceHarness())
}

func TestPropertiesThatNeedMoreThanOpenAreSkipped(t *testing.T) {
	h := Harness{Open: func(testing.TB) kv.Engine {
		return &faulty{Engine: newReference(emptyVersion()), limits: func(e kv.Engine) kv.Limits {
			l := e.Limits()
			l.RangeReads = false
			return l
		}}
	}}
	if err := Check(h, "Persist", "Backup", "Purge", "Condition", "Retry/SurvivesReopen", "Transaction/Phantom"); err != nil {
		t.Fatal(err)
	}
}

func TestCheckRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, c := range []struct {
		h     Harness
		scale string
		name  string
		want  string
	}{
		{Harness{}, "", "Read", "Harness.Open is nil"},
		{referenceHarness(), "", "Reed", `"Reed"`},
		{referenceHarness(), "", "Read/Scan", `"Read/Scan"`}, // the start of a name is not a name
		{referenceHarness(), "fast", "Read", `CLIENTELE_TEST_SCALE is "fast"`},
		{referenceHarness(), "0", "Read", `CLIENTELE_TEST_SCALE is "0"`},
	} {
		t.Setenv("CLIENTELE_TEST_SCALE", c.scale)
		if err := Check(c.h, c.name); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Check(%q) with scale %q = %v, want an error that says %s", c.name, c.scale, err, c.want)
		}
	}
}

func TestRecorderReportsPanicsAndFailuresInCleanup(t *testing.T) {
	err := record("it", func(t testing.TB) {
		t.Cleanup(func() { t.Error("in cleanup") })
		panic("in check")
	})
	if err == nil || !strings.Contains(err.Error(), "it: panic: in check") || !strings.Contains(err.Error(), "in cleanup") {
		t.Fatalf("record of a panic = %v, want it to tell the panic and the cleanup", err)
	}
	if err := record("it", func(t testing.TB) { t.Skip("no need") }); err != nil {
		t.Fatalf("record of a skipped check = %v, want nil", err)
	}
}
