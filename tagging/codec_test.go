package tagging

import (
	"reflect"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
)

var written = storage.Meta{Version: 3, Recorded: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), Actor: "chen", Reason: "test"}

func sampleDimension() *Dimension {
	return &Dimension{
		ID: 7, Version: 3, Code: "level", Names: customer.Names{"en": "Level", "zh-Hans": "等级"}, Description: "d", Colour: "#aabbcc",
		Exclusive: true, Ordered: true, Tree: true, Required: true, RuleWins: true, ValidDays: 30, Retired: true, unsettled: true,
		Recorded: written.Recorded, Actor: "chen", Reason: "test",
	}
}

func sampleTag() *Tag {
	return &Tag{
		ID: 7, Version: 3, Dimension: 2, Code: "gold", Aliases: []string{"黄金", "au"}, Parent: 3, Rank: -4, Names: customer.Names{"zh-Hant": "黃金"},
		Description: "d", Colour: "#ffd700", Until: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), Retired: true, MergedInto: 9, unsettled: true,
		Recorded: written.Recorded, Actor: "chen", Reason: "test",
	}
}

func sampleTagged() *Tagged {
	at := time.Date(2026, 5, 1, 8, 0, 0, 123000, time.UTC)
	return &Tagged{
		ID: 7, Version: 3, Recorded: written.Recorded, Actor: "chen", Reason: "test",
		Assignments: []Assignment{
			{Tag: 1, Dimension: 2, Reason: "why", Actor: "li", Assigned: at, From: time.Unix(0, 0).UTC(), Until: at.Truncate(time.Second)},
			{Tag: 2, Dimension: 2, Origin: Rule, State: Overruled, RuleSet: "s", Rule: "r", RuleVersion: 5, Priority: -1, Assigned: at},
			{Tag: 3, Dimension: 4, State: Denied, Assigned: time.Unix(0, 0).UTC()},
		},
	}
}

func TestRecordsSurviveTheirStoredForm(t *testing.T) {
	d, err := appendDimension(nil, sampleDimension())
	check(t, sampleDimension(), err, func() (any, error) { return decodeDimension(string(d), 7, written) })
	tag, err := appendTag(nil, sampleTag())
	check(t, sampleTag(), err, func() (any, error) { return decodeTag(string(tag), 7, written) })
	tagged, err := appendTagged(nil, sampleTagged())
	check(t, sampleTagged(), err, func() (any, error) { return decodeTagged(string(tagged), 7, written) })
	segment := &Segment{Name: "s", Version: 3, Filter: "level:vip", Names: customer.Names{"en": "S"}, Description: "d", Recorded: written.Recorded, Actor: "chen", Reason: "test"}
	s, err := appendSegment(nil, segment)
	check(t, segment, err, func() (any, error) { return decodeSegment(string(s), "s", written) })
}

func check(t *testing.T, want any, err error, decode func() (any, error)) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("decoded %+v, %v; want %+v", got, err, want)
	}
}

// A newer program's fields, here 90 and 91, outlive a change by this one.
func TestUnknownFieldsSurvive(t *testing.T) {
	b, silver, gold, _ := levels(t, 1, false)
	newer := func(src []byte) []byte {
		w := record.Writer{Buf: src}
		w.String(90, "from a newer program")
		return w.Buf
	}
	assignment := record.Writer{}
	mark := assignment.Begin(taggedAssignment)
	assignment.Uint(assignmentTag, uint64(silver))
	assignment.Uint(assignmentDimension, 1)
	assignment.String(91, "newer too")
	assignment.End(mark)
	future, err := decodeTagged(string(newer(assignment.Buf)), 1, written)
	if err != nil {
		t.Fatal(err)
	}
	b.update(func(tx *Tx) error { return b.tags.tagged.InsertNew(tx.tx, 1, future, 0) })
	d := b.dimension(Dimension{Code: "flag"})
	b.assign(1, Assignment{Tag: b.tag(d, "a")})
	now := b.of(1)
	if now.rest != future.rest || now.rest == "" {
		t.Errorf("the record lost %q", future.rest)
	}
	if now.Assignments[0].rest != future.Assignments[0].rest || now.Assignments[0].rest == "" {
		t.Errorf("the assignment lost %q", future.Assignments[0].rest)
	}
	b.update(func(tx *Tx) error {
		c, err := tx.define()
		if err != nil {
			return err
		}
		tag := c.tags[gold].clone()
		tag.rest = string(newer(nil))
		if _, err := tx.putTag(tag, tag.Version, Updated); err != nil {
			return err
		}
		_, err = tx.RetireTag(gold)
		return err
	})
	b.view(func(r *Reader) error {
		tag, err := r.TagByID(gold)
		if err != nil || tag.rest == "" {
			t.Errorf("the tag lost its newer fields: %+v, %v", tag, err)
		}
		return nil
	})
}

// Whatever the bytes, decoding ends with an error or with a record whose own stored form
// is stable.
func FuzzRecords(f *testing.F) {
	d, _ := appendDimension(nil, sampleDimension())
	tag, _ := appendTag(nil, sampleTag())
	tagged, _ := appendTagged(nil, sampleTagged())
	for kind, seed := range [][]byte{d, tag, tagged} {
		f.Add(uint8(kind), string(seed))
	}
	f.Fuzz(func(t *testing.T, kind uint8, src string) {
		switch kind % 4 {
		case 0:
			stable(t, src, func(s string) (*Dimension, error) { return decodeDimension(s, 7, written) }, appendDimension)
		case 1:
			stable(t, src, func(s string) (*Tag, error) { return decodeTag(s, 7, written) }, appendTag)
		case 2:
			stable(t, src, func(s string) (*Tagged, error) { return decodeTagged(s, 7, written) }, appendTagged)
		case 3:
			stable(t, src, func(s string) (*Segment, error) { return decodeSegment(s, "s", written) }, appendSegment)
		}
	})
}

func stable[T any](t *testing.T, src string, decode func(string) (*T, error), encode func([]byte, *T) ([]byte, error)) {
	first, err := decode(src)
	if err != nil {
		return
	}
	once, err := encode(nil, first)
	if err != nil {
		t.Fatal(err)
	}
	second, err := decode(string(once))
	if err != nil {
		t.Fatalf("own form % x can't be decoded: %v", once, err)
	}
	if twice, err := encode(nil, second); err != nil || string(twice) != string(once) {
		t.Fatalf("% x became % x, %v", once, twice, err)
	}
}
