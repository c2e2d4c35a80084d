package capacity

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/text/language"
)

// shown is a report with everything that a page can show.
func shown(t *testing.T) *Report {
	t.Helper()
	r := made("get=5ms,aging=2s,import=20000/s", t)
	for i := range r.Steps {
		r.Steps[i].OtherCores = 1.5
		r.Steps[i].Mixed = &Mixed{Rate: 100, All: &Result{Question: "mixed", P50: 0.001, P99: 0.02, Max: 0.1}, Kinds: []*Result{{Question: "get", P50: 0.0005}}}
	}
	r.Soak = &Soaked{Customers: 300_000, Seconds: 600, Verified: "in order", Findings: []Finding{{What: "heap_bytes", Before: 1e8, After: 2e8}}}
	for i := range 20 {
		r.Soak.Samples = append(r.Soak.Samples, Sample{OtherCores: 1.2, Second: float64(i), HeapBytes: 1e8, P50: 0.001, P99: 0.02, OpenFiles: 40, Goroutines: 60})
	}
	return r
}

func TestPageSaysTheAnswerInBothLanguages(t *testing.T) {
	for tag, texts := range map[language.Tag][]string{
		language.English:            {`lang="en"`, "about 1,000,000 customers", "Aging of all customers: at most 2.00 s", "Other programs kept 1.5 of 2 cores busy", ">5,000<", "Memory in use", "These creep: Heap", "Other programs kept 1.2 of 2 cores busy"},
		language.MustParse("zh-CN"): {`lang="zh-`, "约可容纳 1,000,000 个客户", "全部客户账龄:最多 2.00 s", "其他程序占用了 2 个核心中的 1.5 个", "堆内存"},
	} {
		var b bytes.Buffer
		if err := shown(t).WriteHTML(&b, tag); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		for _, want := range texts {
			if !strings.Contains(text, want) {
				t.Errorf("%v: the page doesn't say %q", tag, want)
			}
		}
		if away := regexp.MustCompile(`(?i)(src|href)="[^#"]|<script|url\(|@import|%!`).FindString(text); away != "" {
			t.Errorf("%v: the page needs something from elsewhere, or has a wrong format: %q", tag, away)
		}
	}
}

// Whatever was measured before a run was stopped, the page shows it.
func TestPageOfLittle(t *testing.T) {
	r := made("get=5ms", t)
	r.Steps = r.Steps[:1]
	r.conclude()
	nothing := &Report{Machine: &Machine{}, Stopped: Stop{Why: StoppedInterrupted}}
	for _, r := range []*Report{r, nothing} {
		var b bytes.Buffer
		if err := r.WriteHTML(&b, language.English); err != nil || !strings.Contains(b.String(), "</html>") {
			t.Errorf("%v, %d bytes", err, b.Len())
		}
	}
}

// Every question and every kind of request has a title in both languages, and none of
// them is a question's name.
func TestEverythingHasATitle(t *testing.T) {
	names := questionNames()
	for _, k := range mixture {
		names = append(names, k.name)
	}
	for _, name := range names {
		if en, zh := in(language.English).title(name), in(language.Chinese).title(name); en == name || zh == name || en == zh {
			t.Errorf("%s is called %q and %q", name, en, zh)
		}
	}
}
