package compare

import (
	"fmt"
	"testing"
)

// townsfolk has names, streets and places of which some are common and some rare.
func townsfolk(t *testing.T, typ Type) []string {
	t.Helper()
	list := []string{"Anna Adler", "Adler & Söhne GmbH", "Adler Söhne", "12 High Street Leeds", "12 High St", "北京科电亿恒电力技术有限公司", "科电亿恒", "王小明", "上海市黄浦区人民路123号", "上海",
		"1961-02-03", "3 Feb 1961", "anna@adler.example", "adler.example", "0301234567", "91110108MA0PX1FD4C", "LS1 4AP", "red", "42"}
	for i := range 300 {
		list = append(list, fmt.Sprintf("%s %d", list[i%19], i%7))
	}
	switch typ {
	case Name, Text:
		list = append(list, "Anna Adler | Söhne GmbH")
	case Identifier:
		list = append(issued(t, "tw.ubn", "", 8, 60, 1), list...)
	}
	return list
}

// learned is a comparator of a type whose corpus has counted the values, and the number of words
// counted.
func learned(t *testing.T, typ Type, values []string) (c Comparator, words int) {
	t.Helper()
	corpus := NewCorpus()
	c, err := New(typ, Options{Corpus: corpus})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		corpus.Learn(c, c.Prepare(v), 1)
	}
	words = len(corpus.count)
	corpus.Seal()
	return c, words
}

// Types whose words no corpus counts weigh none: with any corpus they say the same. The
// others don't, so that the values here could tell.
func TestCorporaCountWhatIsWeighed(t *testing.T) {
	for _, typ := range Types() {
		values := townsfolk(t, typ)
		with, words := learned(t, typ, values)
		without, err := New(typ, Options{})
		if err != nil {
			t.Fatal(err)
		}
		differ := false
		for _, a := range values[:25] {
			for _, b := range values[:25] {
				if x, y := with.Prepare(a), with.Prepare(b); x != nil && y != nil {
					differ = differ || with.Compare(x, y) != without.Compare(without.Prepare(a), without.Prepare(b))
				}
			}
		}
		if differ != (words > 0) {
			t.Errorf("%s: a corpus of %d words changes what comparing says: %t", typ, words, differ)
		}
	}
}

// What Compare says of settled forms is what it says of others, also where they were settled by
// another column's comparator.
func TestSettledFormsCompareAlike(t *testing.T) {
	for _, typ := range Types() {
		values := townsfolk(t, typ)
		c, _ := learned(t, typ, values)
		other, _ := learned(t, typ, values[100:])
		for _, a := range values[:25] {
			for _, b := range values[len(values)-25:] {
				x, y := c.Prepare(a), c.Prepare(b)
				if x == nil || y == nil {
					continue
				}
				want := c.Compare(x, y)
				Settle(other, x)
				if got := c.Compare(x, y); got != want {
					t.Errorf("%s %q, %q settled by another: %+v; want %+v", typ, a, b, got, want)
				}
				Settle(c, x)
				Settle(c, y)
				if got := c.Compare(x, y); got != want {
					t.Errorf("%s %q, %q settled: %+v; want %+v", typ, a, b, got, want)
				}
			}
		}
	}
}
