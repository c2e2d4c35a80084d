package taggingtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging/classify"
)

// T is where the kit reports; *testing.T is one.
type T interface {
	Helper()
	Errorf(format string, args ...any)
}

// Start is the time of cases that name none: noon UTC of 15 January 2026, a Thursday.
var Start = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

// languages are those in which people read names if an author says nothing else.
var languages = []string{"en", "zh-Hans", "zh-Hant"}

// checkNames reports languages in which a name is missing or malformed.
func checkNames(t T, what string, names customer.Names, wanted []string) {
	t.Helper()
	if err := names.Validate(what); err != nil {
		t.Errorf("%v", err)
	}
	var missing []string
	for _, tag := range wanted {
		if names[tag] == "" {
			missing = append(missing, tag)
		}
	}
	if len(missing) > 0 {
		t.Errorf("%s has no name in %s; it has %s", what, strings.Join(missing, ", "), strings.Join(slices.Sorted(maps.Keys(names)), ", "))
	}
}

// checkLanguages reports what is no language tag in its canonical form.
func checkLanguages(t T, list []string) []string {
	t.Helper()
	if list == nil {
		return languages
	}
	for _, tag := range list {
		if parsed, err := language.Parse(tag); err != nil || parsed.String() != tag {
			t.Errorf("%q is no language tag in canonical form; use en, zh-Hans or zh-Hant", tag)
		}
	}
	return list
}

// sortedRefs returns tags in order, for comparison.
func sortedRefs(refs []classify.TagRef) []classify.TagRef {
	return slices.SortedFunc(slices.Values(refs), func(a, b classify.TagRef) int { return strings.Compare(a.String(), b.String()) })
}

func sameRefs(a, b []classify.TagRef) bool { return slices.Equal(sortedRefs(a), sortedRefs(b)) }

// list writes tags for people.
func list(refs []classify.TagRef) string {
	if len(refs) == 0 {
		return "no tag"
	}
	var words []string
	for _, r := range sortedRefs(refs) {
		words = append(words, r.String())
	}
	return strings.Join(words, ", ")
}

// written is the facts as text, to see whether they were changed and to name them.
func written(facts map[string]classify.Value) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(facts)) {
		words = append(words, fmt.Sprintf("%s=%s", name, facts[name]))
	}
	return strings.Join(words, " ")
}
