package search

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clientele-go/clientele/customer"
)

// TestRanksGoByTheNameItself has names with all pieces of a text that don't begin with
// it, or don't contain it.
func TestRanksGoByTheNameItself(t *testing.T) {
	x := open(t, named("科大科技", "科技大学", "新科技", "中大中国", "新大中大贸易", "大中大有限公司", "Nanaban", "Banana Ltd", "Big Banana",
		"Acme Pacific Trading", "Acme Trading", "TCL华星科技", "TCL科技", "深圳市华鑫", "深圳华鑫"), Options{})
	for _, test := range []struct{ what, text, want string }{
		{"the head's character, and the text further on", "科技", "2:prefix 3:contains 1:contains 13:contains 12:contains"},
		{"the same in pinyin", "keji", "2:prefix 3:contains 1:contains 13:contains 12:contains"},
		{"all pairs, but elsewhere", "大中大", "6:prefix 5:contains 4:other"},
		{"all pairs of syllables", "dazhongda", "6:prefix 5:contains 4:other"},
		{"into the legal form", "大中大有限", "6:prefix"},
		{"all threes of letters", "banana", "8:prefix 9:contains 7:other"},
		{"words side by side, and apart", "acme trading", "11:name 10:contains"},
		{"an unfinished word", "acme tr", "11:prefix 10:contains"},
		{"letters and characters, written as one", "TCL科技", "13:name 12:other"},
		{"words and characters apart", "tcl 科技", "13:name 12:contains"},
		{"spaces mean nothing beside characters", "深圳 华鑫", "15:name 14:contains"},
		{"pinyin and characters side by side, and apart", "shenzhen 华鑫", "15:prefix 14:contains"},
	} {
		t.Run(test.what, func(t *testing.T) {
			if got := show(find(t, x, Query{Text: test.text, Exact: true}).Hits); got != test.want {
				t.Errorf("%q finds %s, want %s", test.text, got, test.want)
			}
		})
	}
}

func named(names ...string) []*customer.Customer {
	list := make([]*customer.Customer, len(names))
	for i, n := range names {
		list[i] = &customer.Customer{ID: customer.ID(i + 1), Version: 1, Name: n}
	}
	return list
}

// TestRanksAreThoseOfANaiveSearch compares names and texts of a small alphabet, where
// pieces often stand elsewhere, with what strings tells of them, in pages of all sizes.
func TestRanksAreThoseOfANaiveSearch(t *testing.T) {
	for _, letters := range []string{"大中国", "abc"} {
		random := rand.New(rand.NewPCG(7, uint64(len(letters))))
		word := func(least, most int) string {
			var s strings.Builder
			for range least + random.IntN(most-least+1) {
				s.WriteRune([]rune(letters)[random.IntN(3)])
			}
			return s.String()
		}
		names := make([]string, 300)
		for i := range names {
			names[i] = word(3, 9)
		}
		customers := named(names...)
		x := open(t, customers[:200], Options{})
		apply(t, x, Batch{Put: customers[200:], After: 1, Cursor: 2})
		for range longOr(40, 400) {
			text := word(3, 6)
			want := naive(customers, text)
			for _, size := range []int{1, 4, MaxLimit} {
				if got := walkAll(t, x, Query{Text: text, Exact: true, Limit: size}); !slices.Equal(shown(got), want) {
					t.Fatalf("%q by %d finds\n%v, want\n%v", text, size, shown(got), want)
				}
			}
		}
	}
}

// walkAll returns the hits of all pages.
func walkAll(t *testing.T, x *Index, q Query) (all []Hit) {
	t.Helper()
	for {
		r := find(t, x, q)
		all = append(all, r.Hits...)
		if q.After = r.Next; r.Next == "" {
			return all
		}
	}
}

func shown(hits []Hit) []string {
	var all []string
	for _, h := range hits {
		all = append(all, fmt.Sprintf("%d:%s", h.ID, h.Rank))
	}
	return all
}

// naive ranks by looking at every name.
func naive(customers []*customer.Customer, text string) []string {
	var hits []Hit
	for _, c := range customers {
		rank := RankListed
		switch {
		case c.Name == text:
			rank = RankName
		case strings.HasPrefix(c.Name, text):
			rank = RankPrefix
		case strings.Contains(c.Name, text):
			rank = RankContains
		case hasPieces(c.Name, text):
			rank = RankOther
		}
		if rank != RankListed {
			hits = append(hits, Hit{c.ID, rank})
		}
	}
	slices.SortFunc(hits, func(a, b Hit) int {
		length := func(h Hit) int { return utf8.RuneCountInString(customers[h.ID-1].Name) }
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), length(a)-length(b), cmp.Compare(a.ID, b.ID))
	})
	return shown(hits)
}

// hasPieces reports whether a name has every two neighbouring characters of a text, or
// every three letters.
func hasPieces(name, text string) bool {
	runes, n := []rune(text), 2
	if text[0] < utf8.RuneSelf {
		n = 3
	}
	for i := 0; i+n <= len(runes); i++ {
		if !strings.Contains(name, string(runes[i:i+n])) {
			return false
		}
	}
	return true
}
