package packs

import (
	"embed"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/clientele-go/clientele/tagging/classify"
)

//go:embed data/*.json
var data embed.FS

// Options change a pack. The zero value is the pack as it is.
type Options struct {
	// Parameters replace the values of parameters by name.
	Parameters map[string]any
	// Facts have the pack read other facts than its own, by name or by the beginning of
	// a name: {"attr.industry": "attr.sic", "activity.order": "activity.invoice"}.
	Facts map[string]string
}

// Names returns the names of all packs, as [Load] takes them.
func Names() []string {
	entries, _ := data.ReadDir("data") // is embedded
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".json")
	}
	return names
}

// JSON returns a pack as it is written, to be copied.
func JSON(name string) ([]byte, error) {
	text, err := data.ReadFile(path.Join("data", name+".json"))
	if err != nil {
		return nil, fmt.Errorf("packs: there is no pack %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return text, nil
}

// Load returns a pack. It fails for parameters and facts that the pack doesn't have;
// types and bounds of parameters are checked when it is activated.
func Load(name string, o Options) (classify.RuleSet, error) {
	text, err := JSON(name)
	if err != nil {
		return classify.RuleSet{}, err
	}
	set, err := classify.ParseRuleSet(text)
	if err != nil {
		return set, err
	}
	for _, param := range slices.Sorted(maps.Keys(o.Parameters)) {
		if set, err = set.WithParameter(param, o.Parameters[param]); err != nil {
			return set, err
		}
	}
	for _, fact := range slices.Sorted(maps.Keys(o.Facts)) {
		if !rename(&set, fact, o.Facts[fact]) {
			return set, fmt.Errorf("packs: %s reads no fact %q", name, fact)
		}
	}
	return set, nil
}

// rename replaces a fact, or the beginning of facts, in all expressions.
func rename(set *classify.RuleSet, from, to string) bool {
	name := regexp.MustCompile(`(^|[^\w.])` + regexp.QuoteMeta(from) + `($|\W)`)
	found := false
	for i := range set.Rules {
		for _, text := range []*string{&set.Rules[i].When, &set.Rules[i].Value} {
			found = found || name.MatchString(*text)
			*text = name.ReplaceAllString(*text, "${1}"+strings.ReplaceAll(to, "$", "$$")+"${2}")
		}
	}
	return found
}

// Region is the place of the first address, in a tree of countries, provinces and
// cities: GB/T 2260 for mainland China, ISO 3166-2 for Taiwan, Hong Kong and Macao. The
// tag of Shenzhen is CN-4403, below CN-44, Guangdong; 440300 and 深圳市 are aliases.
func Region(o Options) (classify.RuleSet, error) { return Load("region", o) }

// Industry is the section and division of GB/T 4754-2017, in a tree, from the code in
// attr.industry: "C", "C39", "39", "3921" or "C3921". Other texts give no tag.
func Industry(o Options) (classify.RuleSet, error) { return Load("industry", o) }

// Size is large, medium, small or micro by the statistical classification of the National
// Bureau of Statistics (统计上大中小微型企业划分办法（2017）, 国统字〔2017〕213号), from
// tag.industry, which the pack Industry gives, or a person; attr.employees, and
// attr.revenue and attr.assets in 10,000 CNY. An enterprise must reach the lower bounds of
// all indicators of its industry, and is micro when it misses the lowest of one; so with an
// indicator unknown it may have no tag. Without a known industry, employees decide alone.
// Industries that the standard leaves out have none.
func Size(o Options) (classify.RuleSet, error) { return Load("size", o) }

// PaymentTerms is what was agreed about payment: in advance, on delivery, or short,
// medium, long, very long terms by days.
func PaymentTerms(o Options) (classify.RuleSet, error) { return Load("payment_terms", o) }

// PaymentHabit is how the customer pays: early, prompt, slightly late to extremely late by
// its mean days late, or default.
func PaymentHabit(o Options) (classify.RuleSet, error) { return Load("payment_habit", o) }

// CreditGrade is AAA to D by a score of 0 to 100 and by default.
func CreditGrade(o Options) (classify.RuleSet, error) { return Load("credit_grade", o) }

// Lifecycle is introduction, growth, maturity or decline by the events of type order. Of
// the trend, whole calendar months count, so a stage changes at the beginning of a month,
// except for those who fall silent.
func Lifecycle(o Options) (classify.RuleSet, error) { return Load("lifecycle", o) }

// RFM is recency, frequency and monetary value in points of 1 to 5, and a segment by them:
// champion, loyal, at_risk, hibernating and others.
func RFM(o Options) (classify.RuleSet, error) { return Load("rfm", o) }

// Usage is daily, weekly, monthly, occasional or none by the events of type use.
func Usage(o Options) (classify.RuleSet, error) { return Load("usage", o) }

// Activity is active, dormant or lost by the customer's own cadence of events of type
// order: dormant after 2, lost after 4 of its mean intervals.
func Activity(o Options) (classify.RuleSet, error) { return Load("activity", o) }
