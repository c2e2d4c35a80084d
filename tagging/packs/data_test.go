package packs_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/internal/region"
	"github.com/clientele-go/clientele/tagging/classify"
	"github.com/clientele-go/clientele/tagging/packs"
)

func dimension(t *testing.T, set classify.RuleSet, code string) map[string]classify.TagSpec {
	t.Helper()
	found := map[string]classify.TagSpec{}
	for _, d := range set.Dimensions {
		if d.Code == code {
			for _, tag := range d.Tags {
				found[tag.Code] = tag
			}
		}
	}
	return found
}

// cityCode is the tag of a city: prefectures have four digits, counties six.
func cityCode(p region.Place) string {
	if p.Code[2:4] == "90" {
		return "CN-" + p.Code
	}
	return "CN-" + p.Code[:4]
}

// The divisions of package region are another copy of GB/T 2260, made apart from the
// pack's rule set.
func TestRegionHasEveryProvinceAndCity(t *testing.T) {
	tags := dimension(t, load(t, "region"), "region")
	want := map[string]bool{"CN": true, "TW": true, "HK": true, "MO": true}
	for p := range region.Provinces() {
		code, language := p.ISO, "zh-Hant"
		switch p.Country {
		case "CN":
			language = "zh-Hans"
		case "HK", "MO":
			code = p.Country
		}
		want[code] = true
		if tags[code].Names[language] != p.Province || !slices.Contains(tags[code].Aliases, p.Code) {
			t.Errorf("%s %s: the tag is %+v", p.Code, p.Province, tags[code])
		}
		if p.Country != "CN" {
			continue
		}
		for city := range region.Cities(p.Code) {
			if city.City == p.Province {
				continue // a municipality
			}
			tag := tags[cityCode(city)]
			want[tag.Code] = true
			if tag.Names["zh-Hans"] != city.City || tag.Parent != p.ISO || !slices.Contains(tag.Aliases, city.City) {
				t.Errorf("%s %s: the tag is %+v", city.Code, city.City, tag)
			}
		}
	}
	for code := range tags {
		if !want[code] {
			t.Errorf("%s %v is no division that package region knows", code, tags[code].Names)
		}
	}
}

func TestRegionsParametersNameItsTags(t *testing.T) {
	set := load(t, "region")
	tags := dimension(t, set, "region")
	named := map[string]bool{"CN": true, "TW": true, "HK": true, "MO": true}
	for _, param := range []string{"provinces", "cities", "counties"} {
		for _, digits := range set.Parameters[param].Value.([]any) {
			named["CN-"+digits.(string)] = true
		}
	}
	for _, code := range set.Parameters["taiwan"].Value.(map[string]any) {
		named[code.(string)] = true
	}
	if !maps.EqualFunc(named, tags, func(bool, classify.TagSpec) bool { return true }) {
		t.Errorf("parameters name %d tags, the dimension has %d", len(named), len(tags))
	}
}

// GB/T 4754-2017, table 1: the divisions of each section.
func TestIndustryHasEverySectionAndDivision(t *testing.T) {
	last := map[string]string{
		"A": "05", "B": "12", "C": "43", "D": "46", "E": "50", "F": "52", "G": "60", "H": "62", "I": "65", "J": "69",
		"K": "70", "L": "72", "M": "75", "N": "79", "O": "82", "P": "83", "Q": "85", "R": "90", "S": "96", "T": "97",
	}
	tags := dimension(t, load(t, "industry"), "industry")
	if len(tags) != 20+97 {
		t.Errorf("there are %d tags, want 20 sections and 97 divisions", len(tags))
	}
	for code, tag := range tags {
		if tag.Parent == "" {
			continue
		}
		first := "01"
		if tag.Parent > "A" {
			first = last[string(tag.Parent[0]-1)]
		}
		if code > last[tag.Parent] || tag.Parent > "A" && code <= first {
			t.Errorf("division %s stands in section %s, which ends with %s", code, tag.Parent, last[tag.Parent])
		}
	}
}

func TestEveryPackSaysWhereItComesFrom(t *testing.T) {
	if names := packs.Names(); len(names) != 10 {
		t.Errorf("there are %d packs: %v", len(names), names)
	}
	sources := map[string]string{
		"region": "GB/T 2260", "industry": "GB/T 4754-2017", "size": "2017", "payment_habit": "CRE36",
		"credit_grade": "银发〔2006〕95号", "lifecycle": "Levitt", "rfm": "Hughes",
	}
	for name, source := range sources {
		set := load(t, name)
		if !slices.ContainsFunc(slices.Collect(maps.Values(set.Description)), func(text string) bool { return strings.Contains(text, source) }) {
			t.Errorf("pack %s doesn't cite %s", name, source)
		}
	}
}

func TestParametersAndFactsCanBeReplaced(t *testing.T) {
	set, err := packs.Activity(packs.Options{Parameters: map[string]any{"dormant": 1.5}, Facts: map[string]string{"activity.order": "activity.invoice"}})
	if err != nil {
		t.Fatal(err)
	}
	if set.Parameters["dormant"].Value != 1.5 {
		t.Errorf("dormant is %v", set.Parameters["dormant"].Value)
	}
	for _, rule := range set.Rules {
		if text := rule.When + rule.Value; strings.Contains(text, "activity.order") || !strings.Contains(text, "activity.invoice.last") {
			t.Errorf("rule %s reads %s", rule.Name, text)
		}
	}
	unchanged := load(t, "activity")
	if unchanged.Parameters["dormant"].Value == 1.5 {
		t.Error("the pack itself was changed")
	}
}

func TestReplacingWhatThereIsNotIsRefused(t *testing.T) {
	for _, o := range []packs.Options{
		{Parameters: map[string]any{"dormnat": 1.5}},
		{Facts: map[string]string{"activity.orders": "activity.invoice"}},
		{Facts: map[string]string{"activity.ord": "activity.invoice"}},
		{Facts: map[string]string{"order.last": "activity.invoice.last"}},
	} {
		if _, err := packs.Activity(o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
	if _, err := packs.Load("activty", packs.Options{}); err == nil || !strings.Contains(err.Error(), "activity") {
		t.Errorf("an unknown pack: %v; want one that lists the packs", err)
	}
}

func TestPacksAreReadWhole(t *testing.T) {
	for _, name := range packs.Names() {
		text, err := packs.JSON(name)
		if err != nil {
			t.Fatal(err)
		}
		set, err := classify.ParseRuleSet(text)
		if err != nil || set.Name != name || !reflect.DeepEqual(set, load(t, name)) {
			t.Errorf("pack %s is rule set %q (error %v)", name, set.Name, err)
		}
	}
}

func TestQuintiles(t *testing.T) {
	values := []int64{3, 1, 4, 1, 5, 9, 2, 6, 5, 3} // sorted: 9 6 | 5 5 | 4 3 | 3 2 | 1 1
	if got, want := packs.Quintiles(values), []any{int64(6), int64(5), int64(3), int64(2)}; !reflect.DeepEqual(got, want) {
		t.Errorf("quintiles are %v, want %v", got, want)
	}
	if got, want := packs.LeastQuintiles(values), []any{int64(1), int64(3), int64(4), int64(5)}; !reflect.DeepEqual(got, want) {
		t.Errorf("least quintiles are %v, want %v", got, want) // 1 1 | 2 3 | 3 4 | 5 5 | 6 9
	}
	if got := packs.Quintiles([]int64{1, 2, 3, 4}); got != nil {
		t.Errorf("four values have the quintiles %v", got)
	}
	if values[0] != 3 {
		t.Error("the values were sorted in place")
	}
}
