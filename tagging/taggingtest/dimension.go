package taggingtest

import (
	"regexp"

	"github.com/clientele-go/clientele/tagging/classify"
)

// TestDimension checks a dimension as a plug-in describes it: that a book takes it with
// all its tags, and twice without harm; names in en, zh-Hans and zh-Hant; parents, ranks
// and colours that make sense.
func TestDimension(t T, d classify.DimensionSpec) {
	t.Helper()
	checkDimensionNames(t, &d, languages)
	checkShape(t, &d)
	b, err := openBook(Setting{})
	if err != nil {
		t.Errorf("a book can't be opened: %v", err)
		return
	}
	defer b.close()
	for range 2 {
		if err := b.activate(classify.RuleSet{Name: "taggingtest", Dimensions: []classify.DimensionSpec{d}}); err != nil {
			t.Errorf("dimension %s: %v", d.Code, err)
			return
		}
	}
}

func checkDimensionNames(t T, d *classify.DimensionSpec, languages []string) {
	t.Helper()
	checkNames(t, "dimension "+d.Code, d.Names, languages)
	for _, tag := range d.Tags {
		checkNames(t, "tag "+d.Code+":"+tag.Code, tag.Names, languages)
	}
}

var colour = regexp.MustCompile(`^(#[0-9a-f]{6})?$`)

// checkShape checks what a book would take and nobody wants.
func checkShape(t T, d *classify.DimensionSpec) {
	t.Helper()
	seen, ranks := map[string]bool{}, map[int]string{}
	for _, tag := range d.Tags {
		name := "tag " + d.Code + ":" + tag.Code
		if seen[tag.Code] {
			t.Errorf("%s occurs twice", name)
		}
		seen[tag.Code] = true
		if tag.Parent != "" && !d.Tree {
			t.Errorf("%s has a parent, but the dimension is no tree", name)
		}
		if tag.Parent != "" && !seen[tag.Parent] {
			t.Errorf("%s: its parent %s must stand above it", name, tag.Parent)
		}
		if tag.Rank != 0 && !d.Ordered {
			t.Errorf("%s has a rank, but the dimension is not ordered", name)
		}
		if other := ranks[tag.Rank]; d.Ordered && !d.Tree && other != "" {
			t.Errorf("%s has the rank %d of %s, so ranges can't tell them apart", name, tag.Rank, other)
		}
		ranks[tag.Rank] = tag.Code
		if !colour.MatchString(tag.Colour) {
			t.Errorf("%s: the colour %q is none; write #rrggbb in lower case", name, tag.Colour)
		}
	}
	if !colour.MatchString(d.Colour) {
		t.Errorf("dimension %s: the colour %q is none; write #rrggbb in lower case", d.Code, d.Colour)
	}
}
