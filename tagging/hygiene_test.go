package tagging

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

func hygieneOf(b *book, opts HygieneOptions) (h *Hygiene) {
	b.t.Helper()
	b.view(func(r *Reader) (err error) {
		h, err = r.Hygiene(opts)
		return err
	})
	return h
}

func TestNearlySameNamesAreFound(t *testing.T) {
	b := openBook(t, 0)
	d := b.dimension(Dimension{Code: "kind_of_trade", Tree: true})
	name := func(code, zh string, parent TagID) (id TagID) {
		names := customer.Names{}
		if zh != "" {
			names["zh-Hans"] = zh
		}
		b.update(func(tx *Tx) error {
			made, err := tx.CreateTag(Tag{Dimension: d.ID, Code: code, Names: names, Parent: parent})
			if err == nil {
				id = made.ID
			}
			return err
		})
		return id
	}
	name("wholesale", "批发商", 0)
	name("whole-sale", "", 0)      // the same word, but for a slip: one letter
	name("wholeslae", "", 0)       // two neighbours swapped
	name("long", "长期客户", 0)        // chang qi ke hu
	name("usual", "常期客户", 0)       // chang qi ke hu as well
	name("trad", "批發商", 0)         // the traditional form of 批发商
	name("AA", "", 0)              // grades differ by a sign
	name("AA-", "", 0)             //
	name("S-1001", "", 0)          // numbers differ by a digit
	name("S-1002", "", 0)          //
	name("east", "华东大区", 0)        // one character makes another word
	name("north", "华北大区", 0)       //
	bj := name("bj", "北京市", 0)     // the province,
	name("bj-city", "北京市区", bj)    //
	name("beijing", "北京市", bj)     // and the city below it
	name("platinum-card", "x1", 0) // far from all others
	var got []string
	for _, n := range hygieneOf(b, HygieneOptions{}).NearlySame {
		pair := []string{n.A.Code, n.B.Code}
		slices.Sort(pair)
		got = append(got, fmt.Sprintf("%s %s: %s", pair[0], pair[1], n.Why))
	}
	slices.Sort(got)
	want := []string{
		"long usual: same pinyin",
		"trad wholesale: same folded",
		"whole-sale wholesale: one slip", // "whole sale" against "wholesale"
		"wholesale wholeslae: one slip",
	}
	if !slices.Equal(got, want) {
		t.Errorf("found %q\nwant %q", got, want)
	}
}

func TestHygieneCountsWhatIsThere(t *testing.T) {
	b := openBook(t, 12)
	level := b.dimension(Dimension{Code: "level", Required: true, Exclusive: true})
	silver, bronze, gold := b.tag(level, "silver"), b.tag(level, "bronze"), b.tag(level, "gold")
	b.tag(level, "tin")
	flag := b.dimension(Dimension{Code: "flag"})
	twin, brother, old := b.tag(flag, "twin"), b.tag(flag, "brother"), b.tag(flag, "old")
	for id := range customer.ID(11) {
		id++
		switch {
		case id <= 5:
			b.assign(id, Assignment{Tag: twin}, Assignment{Tag: silver})
		case id <= 10:
			b.assign(id, Assignment{Tag: twin}, Assignment{Tag: bronze})
		}
		if id >= 2 {
			b.assign(id, Assignment{Tag: brother})
		}
	}
	b.assign(12, Assignment{Tag: gold, From: b.now.AddDate(0, 0, 1)})
	b.assign(3, Assignment{Tag: old})
	b.update(func(tx *Tx) error { _, err := tx.RetireTag(old); return err })

	check := func(h *Hygiene, customers, missing, both, either int64, most int) {
		t.Helper()
		if h.Customers != customers {
			t.Errorf("%d customers, want %d", h.Customers, customers)
		}
		if len(h.Missing) != 1 || h.Missing[0].Dimension.Code != "level" || h.Missing[0].Customers != missing {
			t.Errorf("missing %+v, want %d", h.Missing, missing)
		}
		if len(h.Overlapping) != 1 || h.Overlapping[0].Both != both || h.Overlapping[0].Either != either {
			t.Errorf("overlapping %+v, want %d of %d", h.Overlapping, both, either)
		}
		if len(h.OverTagged) != most || h.OverTaggedOf != int64(most) {
			t.Errorf("over-tagged %+v, want %d", h.OverTagged, most)
		}
	}
	// twin: 1 to 10, brother: 2 to 11, both: 9 of 11 customers.
	opts := HygieneOptions{Overlap: 0.8, TagsEach: 3, Query: Query{}}
	h := hygieneOf(b, opts)
	check(h, 12, 2, 9, 11, 1)
	if h.OverTagged[0] != (TagCount{3, 4}) {
		t.Errorf("over-tagged %+v", h.OverTagged)
	}
	if len(h.Unused) != 2 || h.Unused[0].Code != "gold" || h.Unused[1].Code != "tin" {
		t.Errorf("unused %+v", h.Unused)
	}
	if len(h.RetiredInUse) != 1 || h.RetiredInUse[0].Tag.Code != "old" || h.RetiredInUse[0].Customers != 1 {
		t.Errorf("retired in use %+v", h.RetiredInUse)
	}
	if h.Truncated {
		t.Error("truncated")
	}
	if h := hygieneOf(b, HygieneOptions{Overlap: 0.82}); len(h.Overlapping) != 0 { // 9/11 is 0.818
		t.Errorf("overlapping %+v", h.Overlapping)
	}
	if h := hygieneOf(b, HygieneOptions{List: 1}); len(h.Unused) != 1 || !h.Truncated {
		t.Errorf("list of one: %+v", h)
	}
	// A session that sees customers 2 to 12 but 5.
	b.within = bitset.Of(2, 3, 4, 6, 7, 8, 9, 10, 11, 12)
	opts.MinHolders = 5
	check(hygieneOf(b, opts), 10, 2, 8, 9, 1)
	b.within = nil
	b.now = b.now.AddDate(0, 0, 1) // gold begins, before Tick
	if h := hygieneOf(b, opts); h.Missing[0].Customers != 1 || len(h.Unused) != 1 {
		t.Errorf("after a day: %+v, %+v", h.Missing, h.Unused)
	}
}

func TestHygieneTakesTheRulesReport(t *testing.T) {
	b := openBook(t, 0)
	silent := []SilentRule{{RuleSet: "rfm", Rule: "champion", Version: 2, Evaluated: 10}}
	h := hygieneOf(b, HygieneOptions{Rules: func() ([]SilentRule, error) { return silent, nil }})
	if !slices.Equal(h.SilentRules, silent) {
		t.Errorf("rules %+v", h.SilentRules)
	}
}

func TestHygieneOptionsAreChecked(t *testing.T) {
	b := openBook(t, 1)
	for _, opts := range []HygieneOptions{{Overlap: -0.1}, {Overlap: 1.1}, {Overlap: math.NaN()}, {MinHolders: -1}, {TagsEach: -1}, {List: -1}} {
		b.view(func(r *Reader) error {
			_, err := r.Hygiene(opts)
			wants(t, fmt.Sprintf("%+v", opts), err, ErrInvalid)
			return nil
		})
	}
}
