package search

import (
	"fmt"
	"testing"
)

func TestAppendNational(t *testing.T) {
	for _, test := range []struct{ given, e164, want string }{
		{"(02)2531-7099", "+886225317099", "225317099"}, // Taiwan +886
		{"138 1234 5678", "+8613812345678", "13812345678"},
		{"", "+12125550100", "2125550100"},
		{"", "+35315550100", "15550100"}, // Ireland +353
		{"(02)2531-7099", "", "225317099"},
		{"+886 2 2531 7099", "", "225317099"},
		{"0086 21 5555 6666", "", "2155556666"},
		{"021-5555 6666 转 123", "", "2155556666"},
		{"02-2733-8000#123", "", "227338000"},
		{"02-2733-8000 分機123", "", "227338000"},
		{"fax 5551234", "", "5551234"},
		{"＋８８６－２－２５３１－７０９９", "", "225317099"},
		{"", "", ""}, {"0", "", ""}, {"+", "", ""}, {"none", "", ""},
	} {
		if got := string(appendNational(nil, test.given, test.e164)); got != test.want {
			t.Errorf("%q, %q: %q, want %q", test.given, test.e164, got, test.want)
		}
	}
}

func TestWebsiteHost(t *testing.T) {
	for address, want := range map[string]string{
		"http://www.taiwancement.com/zh": "taiwancement.com", "HTTPS://Shop.Acme.co.uk:8443?x": "shop.acme.co.uk",
		" www.acc.com.tw ": "acc.com.tw", "acme.com": "acme.com", "": "", "//": "",
	} {
		if got := websiteHost(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

func TestSplitPinyin(t *testing.T) {
	for _, test := range []struct {
		letters string
		whole   bool
		want    string
	}{
		{"taiwan", true, "[[tai wan]]"},
		{"xian", true, "[[xian] [xi an]]"},
		{"fangan", true, "[[fang an] [fan gan]]"},
		{"taiwansh", true, "[]"},
		{"taiwansh", false, "[[tai wan sh]]"},
		{"nv", true, "[[nv]]"},
		{"acme", true, "[]"},
		{"tai1", true, "[]"},
		{"", true, "[[]]"},
	} {
		if got := splitPinyin(test.letters, test.whole); fmt.Sprint(got) != test.want {
			t.Errorf("%q: %v, want %s", test.letters, got, test.want)
		}
	}
	// As many ways as there are pairs of xian, halted in time.
	if got := splitPinyin("xianxianxianxianxianxianxianxianxianxian", true); len(got) != maxSplits {
		t.Errorf("%d ways, want %d", len(got), maxSplits)
	}
}
