package classify_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging/classify"
)

// Expectations are those of the Go functions strings.Join and strings.Replace, which CEL's
// extension documents.
func TestExpressionsJoinAndReplaceTexts(t *testing.T) {
	b := newBook(t, classify.Options{})
	id := b.create(customer.Draft{Name: "banana"})
	when := []string{
		`["a", "b", "c"].join() == "abc"`, `["a", "b"].join(", ") == "a, b"`, `["a"].join("-") == "a"`,
		`customer.name.replace("an", "x") == "bxxa"`, `customer.name.replace("an", "x", 1) == "bxana"`,
		`customer.name.replace("an", "x", 0) == "banana"`, `customer.name.replace("an", "x", -1) == "bxxa"`,
		`customer.name.replace("", "-") == "-b-a-n-a-n-a-"`, `customer.name.replace("z", "y") == "banana"`,
	}
	b.activate(classify.RuleSet{Name: "c", Dimensions: []classify.DimensionSpec{levels("c", false, "right")}, Rules: []classify.Rule{
		{Name: "right", When: strings.Join(when, " && "), Dimension: "c", Tag: "right"},
	}})
	list, err := b.rules.Failures(ctx)
	if got := b.held(id, "c"); len(got) != 1 || len(list) > 0 || err != nil {
		t.Errorf("tags %v, failures %v, %v; want right", got, list, err)
	}
}

// 10,003 pieces with 5,000 bytes in between are 50 MB, and ten thousand each of ten thousand
// 100 MB: neither is made before it is refused.
func TestExpressionsThatMakeHugeTextsAreStoppedBefore(t *testing.T) {
	ten := `.replace("a", "aaaaaaaaaa")`
	for name, when := range map[string]string{
		"join":    `["a", "a", "a"].join("` + strings.Repeat("b", 5000) + `").split("").join("` + strings.Repeat("c", 5000) + `").size() > 0`,
		"replace": `("a"` + strings.Repeat(ten, 4) + `).replace("a", "a"` + strings.Repeat(ten, 4) + `).size() > 0`,
	} {
		b := newBook(t, classify.Options{Cost: 1e9}) // so that it is the length that stops it
		b.create(customer.Draft{Name: "X"})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		done := b.activate(classify.RuleSet{Name: "c", Dimensions: []classify.DimensionSpec{levels("c", false, "x")}, Rules: []classify.Rule{
			{Name: "x", When: when, Dimension: "c", Tag: "x"},
		}})
		runtime.ReadMemStats(&after)
		list, err := b.rules.Failures(ctx)
		if err != nil || done.Failed != 1 || len(list) != 1 || !strings.Contains(list[0].Error, "a text of more than 32768 bytes") {
			t.Errorf("%s: %d failed, %v, %v", name, done.Failed, list, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 20<<20 {
			t.Errorf("%s: took %d MiB", name, used>>20)
		}
	}
}
