package identifier_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/customer/identifier"
)

// FuzzParse holds every scheme to its contract: a canonical number is compact, parses to
// itself and doesn't depend on separators or case; a refusal says why and what to do.
func FuzzParse(f *testing.F) {
	for _, numbers := range published {
		for _, number := range numbers {
			f.Add(number)
		}
	}
	f.Add("２２０９－９１３１")
	f.Add("1101051949123100\xff")
	f.Add("BE (0)428.759.497")
	set := newSet(f)
	f.Fuzz(func(t *testing.T, raw string) {
		for _, scheme := range set.All() {
			canonical, err := set.Parse(scheme.Name, raw)
			if err != nil {
				bad, ok := errors.AsType[*identifier.Error](err)
				if !ok || !errors.Is(err, identifier.ErrInvalid) || bad.Reason == "" || bad.Remedy == "" || bad.Value != raw || canonical != "" {
					t.Fatalf("%s %q: %q, %+v", scheme.Name, raw, canonical, err)
				}
				continue
			}
			if strings.Trim(canonical, digits+letters+"+*") != "" {
				t.Fatalf("%s %q: canonical %q", scheme.Name, raw, canonical)
			}
			for _, same := range []string{canonical, strings.ToLower(canonical), " " + strings.Join(strings.Split(canonical, ""), "-")} {
				if again, err := set.Parse(scheme.Name, same); err != nil || again != canonical {
					t.Fatalf("%s %q: %q parses to %q, %v", scheme.Name, raw, same, again, err)
				}
			}
		}
	})
}
