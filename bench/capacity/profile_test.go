package capacity

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Each question leaves a profile of the processor, and of waiting and allocations one from
// before it and one from after; all are gzipped, as pprof writes them.
func TestProfilesAreWrittenForEachQuestion(t *testing.T) {
	o := tiny(t, t.TempDir(), 300)
	o.Profiles = t.TempDir()
	mustRun(t, o)
	for _, q := range []string{"get", "writers", "mixed"} {
		for _, kind := range []string{"", ".block", ".mutex", ".allocs", ".block-before", ".mutex-before", ".allocs-before"} {
			content, err := os.ReadFile(filepath.Join(o.Profiles, q+"-300"+kind+".pprof"))
			if err != nil || !bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
				t.Errorf("%s%s: %v, %d bytes", q, kind, err, len(content))
			}
		}
	}
}
