package tagging

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

func TestDefinitionsAreChecked(t *testing.T) {
	b := openBook(t, 0)
	region := b.dimension(Dimension{Code: "region"})
	for name, d := range map[string]Dimension{
		"no code":             {},
		"capital letter":      {Code: "Region"},
		"begins with a digit": {Code: "2nd"},
		"name of a field":     {Code: "status"},
		"word of filters":     {Code: "has"},
		"dot":                 {Code: "attr.size"},
		"code too long":       {Code: strings.Repeat("a", 65)},
		"colour":              {Code: "size", Colour: "red"},
		"days":                {Code: "size", ValidDays: -1},
		"rule wins what":      {Code: "size", RuleWins: true},
		"language":            {Code: "size", Names: customer.Names{"chinese": "规模"}},
		"description":         {Code: "size", Description: "a\x00b"},
	} {
		err := b.try(func(tx *Tx) error { _, err := tx.CreateDimension(d); return err })
		wants(t, name, err, ErrInvalid)
	}
	for name, tag := range map[string]Tag{
		"no code":    {},
		"space":      {Code: "very important"},
		"colon":      {Code: "a:b"},
		"asterisk":   {Code: "a*"},
		"signs only": {Code: "-.-"},
		"not UTF-8":  {Code: "a\xff"},
		"too long":   {Code: strings.Repeat("a", 101)},
		"alias":      {Code: "a", Aliases: []string{"a b"}},
		"same alias": {Code: "VIP", Aliases: []string{"vip"}},
		"until":      {Code: "a", Until: time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)},
		"no tree":    {Code: "a", Parent: 1},
	} {
		tag.Dimension = region.ID
		err := b.try(func(tx *Tx) error { _, err := tx.CreateTag(tag); return err })
		wants(t, name, err, ErrInvalid)
	}
	b.view(func(r *Reader) error {
		if tags, err := r.Tags("region"); err != nil || len(tags) != 0 {
			t.Errorf("tags after refusals: %v, %v", tags, err)
		}
		return nil
	})
	wants(t, "code taken", b.try(func(tx *Tx) error { _, err := tx.CreateDimension(Dimension{Code: "region"}); return err }), ErrExists)
	wants(t, "unknown dimension", b.try(func(tx *Tx) error { _, err := tx.CreateTag(Tag{Dimension: 99, Code: "a"}); return err }), ErrUnknownDimension)
}

func TestCodesAreFoundAsPeopleTypeThem(t *testing.T) {
	b := openBook(t, 0)
	d := b.dimension(Dimension{Code: "grade"})
	b.tag(d, "AA-", "AA", "AA+", "台灣", "CN-31")
	b.update(func(tx *Tx) error {
		_, err := tx.CreateTag(Tag{Dimension: d.ID, Code: "vip", Aliases: []string{"重要客户", "key"}})
		return err
	})
	b.view(func(r *Reader) error {
		for typed, want := range map[string]string{
			"aa-": "AA-", "Aa": "AA", "AA+": "AA+", "台湾": "台灣", "cn-31": "CN-31", "ＶＩＰ": "vip", "重要客戶": "vip", "KEY": "vip",
		} {
			tag, err := r.Tag("grade", typed)
			if err != nil || tag.Code != want {
				t.Errorf("%s found %v, %v; want %s", typed, tag, err, want)
			}
		}
		_, err := r.Tag("grade", "CN31")
		wants(t, "CN31", err, ErrUnknownTag)
		wants(t, "CN31", err, ErrNotFound)
		if !strings.Contains(err.Error(), "do you mean CN-31?") {
			t.Errorf("no suggestion: %v", err)
		}
		_, err = r.Dimension("grde")
		if wants(t, "grde", err, ErrUnknownDimension); !strings.Contains(err.Error(), "do you mean grade?") {
			t.Errorf("no suggestion: %v", err)
		}
		return nil
	})
	for _, taken := range []string{"Key", "aa", "台湾"} {
		wants(t, taken, b.try(func(tx *Tx) error { _, err := tx.CreateTag(Tag{Dimension: d.ID, Code: taken}); return err }), ErrExists)
	}
	b.verified()
}

func TestNamesComeInTheReadersLanguage(t *testing.T) {
	b := openBook(t, 0)
	b.dimension(Dimension{Code: "level", Names: customer.Names{"en": "Level", "zh-Hans": "客户等级", "zh-Hant": "客戶等級"}})
	b.view(func(r *Reader) error {
		d, err := r.Dimension("level")
		if err != nil {
			return err
		}
		for reader, want := range map[string]string{"zh-TW": "客戶等級", "zh-CN": "客户等级", "en-GB": "Level"} {
			if got := d.Names.In(language.Make(reader)); got != want {
				t.Errorf("%s reads %s, want %s", reader, got, want)
			}
		}
		return nil
	})
}

func TestChangedDefinitionsKeepWhatTheyMust(t *testing.T) {
	b := openBook(t, 1)
	d := b.dimension(Dimension{Code: "level"})
	silver := b.tag(d, "silver")
	read := func() (tag *Tag) {
		b.view(func(r *Reader) (err error) { tag, err = r.TagByID(silver); return err })
		return tag
	}
	tag := read()
	tag.Code, tag.Colour = "argent", "#c0c0c0"
	b.update(func(tx *Tx) error { _, err := tx.UpdateTag(tag); return err })
	wants(t, "stale tag", b.try(func(tx *Tx) error { _, err := tx.UpdateTag(tag); return err }), ErrConflict)
	b.view(func(r *Reader) error {
		found, err := r.Tag("level", "silver")
		if err != nil || found.ID != silver || found.Code != "argent" || found.Version != 2 {
			t.Errorf("the former code finds %+v, %v", found, err)
		}
		return nil
	})
	changed := *d
	changed.Code = "rank"
	wants(t, "other code", b.try(func(tx *Tx) error { _, err := tx.UpdateDimension(&changed); return err }), ErrInvalid)
	changed.Code, changed.Version = "level", 7
	wants(t, "stale dimension", b.try(func(tx *Tx) error { _, err := tx.UpdateDimension(&changed); return err }), ErrConflict)

	gold := b.tag(d, "gold")
	b.assign(1, Assignment{Tag: silver}, Assignment{Tag: gold})
	changed.Version, changed.Exclusive = 1, true
	wants(t, "exclusive with two", b.try(func(tx *Tx) error { _, err := tx.UpdateDimension(&changed); return err }), ErrInUse)
	b.update(func(tx *Tx) error { _, err := tx.Remove(1, gold); return err })
	b.update(func(tx *Tx) error { _, err := tx.UpdateDimension(&changed); return err })
	wants(t, "second of exclusive", b.try(func(tx *Tx) error { _, err := tx.Assign(1, Assignment{Tag: gold}); return err }), ErrExclusive)
}

func TestRetiredTagsStayWithTheirHolders(t *testing.T) {
	b := openBook(t, 2)
	d := b.dimension(Dimension{Code: "level"})
	tag := b.tag(d, "bronze")
	b.assign(1, Assignment{Tag: tag})
	b.update(func(tx *Tx) error { _, err := tx.RetireTag(tag); return err })
	wants(t, "retired tag", b.try(func(tx *Tx) error { _, err := tx.Assign(2, Assignment{Tag: tag}); return err }), ErrRetired)
	b.holds(1, tag)
	other := b.tag(d, "iron")
	b.update(func(tx *Tx) error { _, err := tx.RetireDimension(d.ID); return err })
	wants(t, "retired dimension", b.try(func(tx *Tx) error { _, err := tx.Assign(2, Assignment{Tag: other}); return err }), ErrRetired)
	wants(t, "tag in retired dimension", b.try(func(tx *Tx) error { _, err := tx.CreateTag(Tag{Dimension: d.ID, Code: "tin"}); return err }), ErrRetired)
	b.holds(1, tag)
}

// tree makes region: cn (cn-31, cn-32 (cn-3201)), tw.
func tree(b *book) (*Dimension, map[string]TagID) {
	d := b.dimension(Dimension{Code: "region", Tree: true})
	ids := map[string]TagID{}
	b.update(func(tx *Tx) error {
		for _, node := range [][2]string{{"cn", ""}, {"tw", ""}, {"cn-32", "cn"}, {"cn-31", "cn"}, {"cn-3201", "cn-32"}} {
			made, err := tx.CreateTag(Tag{Dimension: d.ID, Code: node[0], Parent: ids[node[1]]})
			if err != nil {
				return err
			}
			ids[node[0]] = made.ID
		}
		return nil
	})
	return d, ids
}

func TestMovesChangeWhatIsBelow(t *testing.T) {
	b := openBook(t, 2)
	d, ids := tree(b)
	b.assign(1, Assignment{Tag: ids["cn-3201"]})
	b.assign(2, Assignment{Tag: ids["tw"]})
	count := func(filter string) (n int64) {
		b.view(func(r *Reader) (err error) { n, err = r.Count(Query{Filter: filter}); return err })
		return n
	}
	if n := count("region:cn/*"); n != 1 {
		t.Errorf("%d below cn, want 1", n)
	}
	b.update(func(tx *Tx) error { _, err := tx.MoveTag(ids["cn-32"], ids["tw"]); return err })
	if n := count("region:cn/*"); n != 0 {
		t.Errorf("%d below cn after the move, want 0", n)
	}
	if n := count("region:tw/*"); n != 2 {
		t.Errorf("%d below tw after the move, want 2", n)
	}
	for _, parent := range []string{"cn-32", "cn-3201"} {
		wants(t, "into "+parent, b.try(func(tx *Tx) error { _, err := tx.MoveTag(ids["cn-32"], ids[parent]); return err }), ErrCycle)
	}
	b.view(func(r *Reader) error {
		tags, err := r.Tags("region")
		var codes []string
		for _, tag := range tags {
			codes = append(codes, tag.Code)
		}
		if want := []string{"cn", "cn-31", "tw", "cn-32", "cn-3201"}; !slices.Equal(codes, want) {
			t.Errorf("tags %v, want %v", codes, want)
		}
		return err
	})
	flat := *d
	flat.Tree = false
	wants(t, "no tree any more", b.try(func(tx *Tx) error { _, err := tx.UpdateDimension(&flat); return err }), ErrInUse)
	deep := ids["cn"]
	err := b.try(func(tx *Tx) error {
		for i := range maxDepth {
			made, err := tx.CreateTag(Tag{Dimension: d.ID, Code: strings.Repeat("x", i+1), Parent: deep})
			if err != nil {
				return err
			}
			deep = made.ID
		}
		return nil
	})
	wants(t, "too deep", err, storage.ErrLimit)
}

func TestMergedTagsStandForTheOther(t *testing.T) {
	b := openBook(t, 3)
	d, ids := tree(b)
	b.assign(1, Assignment{Tag: ids["cn-32"]}, Assignment{Tag: ids["cn-31"]})
	b.assign(2, Assignment{Tag: ids["cn-32"]})
	b.assign(3, Assignment{Tag: ids["cn-3201"]})
	wants(t, "into its child", b.try(func(tx *Tx) error { _, err := tx.MergeTag(ids["cn-32"], ids["cn-3201"]); return err }), ErrCycle)
	b.update(func(tx *Tx) error { _, err := tx.MergeTag(ids["cn-32"], ids["cn-31"]); return err })
	check := func() {
		t.Helper()
		b.holds(1, ids["cn-31"])
		b.holds(2, ids["cn-31"])
		b.holds(3, ids["cn-3201"])
		b.view(func(r *Reader) error {
			for filter, want := range map[string]int64{"region:cn-31": 2, "region:cn-32": 2, "region:cn-31/*": 3, "region:cn/*": 3, "has:region": 3} {
				if n, err := r.Count(Query{Filter: filter}); err != nil || n != want {
					t.Errorf("%s: %d, %v; want %d", filter, n, err, want)
				}
			}
			path, err := r.Path(ids["cn-3201"])
			if err != nil || len(path) != 3 || path[1].Code != "cn-31" {
				t.Errorf("path %v, %v", path, err)
			}
			return nil
		})
	}
	check()
	b.assign(2, Assignment{Tag: ids["cn-32"], Reason: "by its former id"})
	check()
	if n := b.settle(); n != 1 { // customer 2 was rewritten when it was assigned again
		t.Errorf("settled %d customers, want 1", n)
	}
	check()
	if n := b.settle(); n != 0 {
		t.Errorf("settled %d customers again", n)
	}
	b.view(func(r *Reader) error {
		if tag, err := r.TagByID(ids["cn-32"]); err != nil || tag.unsettled {
			t.Errorf("%+v, %v", tag, err)
		}
		return nil
	})
	wants(t, "merged twice", b.try(func(tx *Tx) error { _, err := tx.MergeTag(ids["cn-32"], ids["tw"]); return err }), ErrRetired)
	other := b.dimension(Dimension{Code: "size"})
	small := b.tag(other, "small")
	wants(t, "across dimensions", b.try(func(tx *Tx) error { _, err := tx.MergeTag(ids["tw"], small); return err }), ErrInvalid)
	_ = d
	b.verified()
}

// Precedence is part of the definition, but kept with each customer.
func TestRuleWinsReachesCustomersBySettle(t *testing.T) {
	b := openBook(t, 1)
	d := b.dimension(Dimension{Code: "level", Exclusive: true})
	silver, gold := b.tag(d, "silver"), b.tag(d, "gold")
	b.assign(1, Assignment{Tag: silver})
	b.update(func(tx *Tx) error { _, err := tx.SetRuleTags(1, "levels", []Assignment{{Tag: gold}}); return err })
	b.holds(1, silver)
	b.update(func(tx *Tx) error {
		d, err := tx.Dimension("level")
		if err == nil {
			d.RuleWins = true
			_, err = tx.UpdateDimension(d)
		}
		return err
	})
	b.marked(1)
	if n := b.settle(); n != 1 {
		t.Errorf("settled %d, want 1", n)
	}
	b.holds(1, gold)
	b.update(func(tx *Tx) error {
		d, err := tx.Dimension("level")
		if err == nil {
			d.RuleWins, d.Exclusive = false, false
			_, err = tx.UpdateDimension(d)
		}
		return err
	})
	b.settle()
	b.holds(1, silver, gold)
	b.verified()
}

func TestAnEarlierEndReachesEverybody(t *testing.T) {
	b := openBook(t, 2)
	d := b.dimension(Dimension{Code: "campaign"})
	spring, other := b.tag(d, "spring"), b.tag(d, "other")
	b.assign(1, Assignment{Tag: spring}, Assignment{Tag: other})
	b.assign(2, Assignment{Tag: spring})
	end := func(at time.Time) {
		b.update(func(tx *Tx) error {
			tag, err := tx.TagByID(spring)
			if err == nil {
				tag.Until = at
				_, err = tx.UpdateTag(tag)
			}
			return err
		})
	}
	end(b.now.Add(time.Hour))
	b.holds(2, spring)
	if n := b.settle(); n != 2 {
		t.Errorf("settled %d, want 2", n)
	}
	b.now = b.now.Add(59 * time.Minute)
	b.holds(2, spring)
	b.now = b.now.Add(time.Minute)
	b.holds(1, other)
	b.holds(2)
	if n := b.tick(); n != 2 {
		t.Errorf("%d were due, want 2", n)
	}
	end(b.now.Add(time.Hour))
	b.assign(2, Assignment{Tag: spring})
	end(b.now) // at once
	b.holds(2)
	b.view(func(r *Reader) error {
		if n, err := r.Count(Query{Filter: "has:campaign"}); err != nil || n != 1 {
			t.Errorf("has:campaign: %d, %v; want 1", n, err)
		}
		return nil
	})
	b.settle()
	b.holds(2)
	b.verified()
}

// Definitions are held in memory: no reader may see those of another state.
func TestDefinitionsFollowTheTransaction(t *testing.T) {
	b := openBook(t, 1)
	failed := errors.New("gave up")
	err := b.try(func(tx *Tx) error {
		d, err := tx.CreateDimension(Dimension{Code: "level"})
		if err != nil {
			return err
		}
		other := b.tags.Tx(tx.tx, b.customers.Tx(tx.tx))
		tag, err := other.CreateTag(Tag{Dimension: d.ID, Code: "vip"})
		if err != nil {
			return err
		}
		if _, err := tx.Assign(1, Assignment{Tag: tag.ID}); err != nil {
			t.Errorf("the first does not know what the second made: %v", err)
		}
		b.view(func(r *Reader) error {
			if all, err := r.Dimensions(); err != nil || len(all) != 0 {
				t.Errorf("others see %v, %v before the commit", all, err)
			}
			return nil
		})
		return failed
	})
	wants(t, "transaction", err, failed)
	b.view(func(r *Reader) error {
		_, err := r.Dimension("level")
		wants(t, "after giving up", err, ErrUnknownDimension)
		return nil
	})
	d := b.dimension(Dimension{Code: "level"})
	var gold TagID
	b.view(func(before *Reader) error {
		gold = b.tag(d, "gold")
		_, err := before.Tag("level", "gold")
		wants(t, "an older state", err, ErrUnknownTag)
		return nil
	})
	b.assign(1, Assignment{Tag: gold})
	b.holds(1, gold)
}

// A merge whose children would lie too deep changes nothing, not even in a transaction
// that goes on.
func TestMergeTagIsWholeOrNotAtAll(t *testing.T) {
	b := openBook(t, 1)
	d := b.dimension(Dimension{Code: "region", Tree: true})
	add := func(code string, parent TagID) (id TagID) {
		b.update(func(tx *Tx) error {
			made, err := tx.CreateTag(Tag{Dimension: d.ID, Code: code, Parent: parent})
			if err == nil {
				id = made.ID
			}
			return err
		})
		return id
	}
	deep := TagID(0)
	for i := range maxDepth - 1 {
		deep = add(fmt.Sprintf("level%d", i+1), deep)
	}
	from := add("from", 0)
	shallow := add("a-shallow", from)
	add("below", add("b-high", from))
	b.update(func(tx *Tx) error {
		_, err := tx.MergeTag(from, deep) // a-shallow fits below deep, b-high doesn't
		wants(t, "merge", err, storage.ErrLimit)
		return nil
	})
	b.view(func(r *Reader) error {
		tag, err := r.TagByID(shallow)
		if err == nil && tag.Parent != from {
			t.Errorf("a child was moved to %d", tag.Parent)
		}
		return err
	})
}

func TestErrorsQuoteValuesOnce(t *testing.T) {
	b := openBook(t, 0)
	for code, want := range map[string]string{"Level": `Code "Level": is no`, strings.Repeat("层", 41): `Code "` + strings.Repeat("层", 40) + `…": is`} {
		err := b.try(func(tx *Tx) error { _, err := tx.CreateDimension(Dimension{Code: code}); return err })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
