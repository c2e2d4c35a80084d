package stocktake

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// A set of up to 4,096 members is stored by gaps, a larger one by words; both come back.
func TestMembersComeBack(t *testing.T) {
	for _, n := range []int{1, 2, maxGaps, maxGaps + 1, 65536} {
		c := &memberChunk{chunk: 7}
		for i := range n {
			c.members.Add(uint16(65535 - i*(65535/max(n-1, 1))))
		}
		stored, err := appendMembers(nil, c)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeMembers(string(stored), memberKey{chunk: 7}, storage.Meta{})
		if err != nil || *back != *c {
			t.Errorf("%d members don't come back: %v", n, err)
		}
	}
}

func FuzzMembers(f *testing.F) {
	f.Add([]byte{2, 1, 65})
	f.Add([]byte{1, 255, 255, 3})
	f.Add(append([]byte{0}, make([]byte, 8192)...))
	f.Fuzz(func(t *testing.T, stored []byte) {
		c, err := decodeMembers(string(stored), memberKey{}, storage.Meta{})
		if err != nil {
			if !errors.Is(err, storage.ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		again, err := appendMembers(nil, c)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeMembers(string(again), memberKey{}, storage.Meta{})
		if err != nil || *back != *c {
			t.Fatalf("%d bytes are another set after a rewrite: %v", len(stored), err)
		}
	})
}

// Of an erased customer counts know what it was in which version; versions between are as
// the one before.
func TestGoneTellsByVersion(t *testing.T) {
	g := &gone{id: 4}
	g.add(&customer.Customer{Version: 1, Kind: customer.Prospect, Owner: 3})
	g.add(&customer.Customer{Version: 2, Kind: customer.Prospect, Owner: 3, Name: "a change that doesn't count"})
	g.add(&customer.Customer{Version: 3, Kind: customer.Buyer, Owner: 3, Status: customer.Archived})
	if len(g.eras) != 2 {
		t.Errorf("%d eras; want 2", len(g.eras))
	}
	stored, err := appendGone(nil, g)
	if err != nil {
		t.Fatal(err)
	}
	back, err := decodeGone(string(stored), 4, storage.Meta{})
	if err != nil || !reflect.DeepEqual(back, g) {
		t.Fatalf("%+v comes back as %+v: %v", g, back, err)
	}
	if c := back.at(2); c.Kind != customer.Prospect || c.Status != customer.Active || c.Owner != 3 {
		t.Errorf("version 2: %+v", c)
	}
	if c := back.at(9); c.Kind != customer.Buyer || c.Status != customer.Archived {
		t.Errorf("version 9: %+v", c)
	}
}

// A program that knows less keeps what it doesn't know.
func TestUnknownFieldsStay(t *testing.T) {
	stored, err := appendDefinition(nil, &Definition{Name: "all", Every: Monthly})
	if err != nil {
		t.Fatal(err)
	}
	newer := append(bytes.Clone(stored), 9<<1|1, 1, 'x') // field 9, one byte
	d, err := decodeDefinition(string(newer), "all", storage.Meta{Version: 3})
	if err != nil {
		t.Fatal(err)
	}
	if d.Version != 3 || d.Every != Monthly {
		t.Errorf("%+v", d)
	}
	if again, err := appendDefinition(nil, d); err != nil || !bytes.Equal(again, newer) {
		t.Errorf("% x is rewritten as % x: %v", newer, again, err)
	}
}

// The medians are by hand; of an even number of values the lower one counts.
func TestRoundingAndMedian(t *testing.T) {
	for _, c := range []struct{ n, by, want int64 }{{1, 2, 1}, {-1, 2, -1}, {5, 10, 1}, {4, 10, 0}, {-14, 10, -1}, {-15, 10, -2}} {
		if got := rounded(c.n, c.by); got != c.want {
			t.Errorf("%d / %d is %d; want %d", c.n, c.by, got, c.want)
		}
	}
	if got := median([]int64{9, 1, 4, 7}); got != 4 {
		t.Errorf("the median is %d; want 4", got)
	}
	if g := growth(0, 5); g.Rate != nil || g.Net != 5 {
		t.Errorf("growth from nothing: %+v", g)
	}
	if g := growth(8, 9); *g.Rate != 1250 {
		t.Errorf("growth from 8 to 9 is %d; want 1250, 12.5 %%", *g.Rate)
	}
}
