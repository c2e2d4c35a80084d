package orgtree

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
)

// instants are the times that are easily lost: none, 1970, before it, far ahead.
var instants = rapid.OneOf(
	rapid.Just(time.Time{}), rapid.Just(time.UnixMicro(0).UTC()), rapid.Just(time.UnixMicro(-1).UTC()),
	rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMicro(rapid.Int64Range(-1<<50, 1<<55).Draw(t, "µs")).UTC()
	}),
)

func drawID(t *rapid.T) customer.UnitID { return customer.UnitID(rapid.Uint64().Draw(t, "unit")) }

// fieldsOfTomorrow are what a newer program wrote.
func fieldsOfTomorrow(t *rapid.T) string {
	if !rapid.Bool().Draw(t, "newer") {
		return ""
	}
	w := record.Writer{}
	w.String(900, "tomorrow")
	return string(w.Buf)
}

func TestUnitsSurviveStorage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := &Unit{
			ID: drawID(t), Code: rapid.String().Draw(t, "code"), Kind: Kind(rapid.Uint8().Draw(t, "kind")),
			Closed: instants.Draw(t, "closed"), MergedInto: drawID(t),
			Quota: rapid.Int64().Draw(t, "quota"), RepQuota: rapid.Int64().Draw(t, "rep quota"), rest: fieldsOfTomorrow(t),
		}
		for range rapid.IntRange(0, 3).Draw(t, "names") {
			if u.Names == nil {
				u.Names = customer.Names{}
			}
			u.Names[rapid.String().Draw(t, "language")] = rapid.String().Draw(t, "name")
		}
		for range rapid.IntRange(0, 3).Draw(t, "moves") {
			u.Moves = append(u.Moves, Move{From: instants.Draw(t, "from"), Parent: drawID(t)})
		}
		if len(u.Moves) > 0 {
			u.Opened = u.Moves[0].From
		}
		for d := range u.Sharing {
			u.Sharing[d] = Policy(rapid.Uint8().Draw(t, "policy"))
		}
		stored, err := appendUnit(nil, u)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeUnit(string(stored), u.ID, storage.Meta{})
		if err != nil || !reflect.DeepEqual(back, u) {
			t.Fatalf("%+v came back as %+v: %v", u, back, err)
		}
	})
}

func TestPlacementsSurviveStorage(t *testing.T) {
	text := rapid.String()
	rapid.Check(t, func(t *rapid.T) {
		p := &Placement{Customer: 7, Team: drawID(t), rest: fieldsOfTomorrow(t)}
		for range rapid.IntRange(0, 3).Draw(t, "assignments") {
			p.Assignments = append(p.Assignments, Assignment{
				Unit: drawID(t), From: instants.Draw(t, "from"), Until: instants.Draw(t, "until"), Rep: text.Draw(t, "rep"),
				Team: drawID(t), live: rapid.Bool().Draw(t, "live"), rest: fieldsOfTomorrow(t),
			})
		}
		for range rapid.IntRange(0, 3).Draw(t, "overlays") {
			o := Overlay{Unit: drawID(t), Rep: text.Draw(t, "rep"), Terms: text.Draw(t, "terms"),
				LocalCode: text.Draw(t, "code"), Note: text.Draw(t, "note"), rest: fieldsOfTomorrow(t)}
			if rapid.Bool().Draw(t, "limited") {
				o.Limit = &Limit{Amount: rapid.Int64().Draw(t, "amount"), Currency: text.Draw(t, "currency")}
			}
			p.Overlays = append(p.Overlays, o)
		}
		stored, err := appendPlacement(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodePlacement(string(stored), 7, storage.Meta{})
		if err != nil || !reflect.DeepEqual(back, p) {
			t.Fatalf("%+v came back as %+v: %v", p, back, err)
		}
	})
}

// Whatever bytes there are, decoding them ends, and what it understood it can store
// again.
func FuzzDecode(f *testing.F) {
	unit, _ := appendUnit(nil, &Unit{Code: "A", Moves: []Move{{From: time.UnixMicro(5), Parent: 3}}, Sharing: Sharing{customer.Tags: Shared}})
	placement, _ := appendPlacement(nil, &Placement{Team: 1, Assignments: []Assignment{{Unit: 2}}, Overlays: []Overlay{{Unit: 3, Limit: &Limit{1, "CNY"}}}})
	last := &treeState{Latest: time.UnixMicro(9)}
	last.add(treeChange{3, 4})
	state, _ := appendTreeState(nil, last)
	for _, seed := range [][]byte{unit, placement, state, nil} {
		f.Add(string(seed))
	}
	f.Fuzz(func(t *testing.T, src string) {
		if u, err := decodeUnit(src, 1, storage.Meta{}); err == nil {
			stored, _ := appendUnit(nil, u)
			again, err := decodeUnit(string(stored), 1, storage.Meta{})
			if err != nil || !reflect.DeepEqual(again, u) {
				t.Errorf("unit %+v is stored as %+v: %v", u, again, err)
			}
		}
		if p, err := decodePlacement(src, 1, storage.Meta{}); err == nil {
			stored, _ := appendPlacement(nil, p)
			again, err := decodePlacement(string(stored), 1, storage.Meta{})
			if err != nil || !reflect.DeepEqual(again, p) {
				t.Errorf("placement %+v is stored as %+v: %v", p, again, err)
			}
		}
		_, _ = decodeTreeState(src, treeKey, storage.Meta{})
		_, _ = decodeRepQuota(src, "wang", storage.Meta{})
	})
}

// The changes since a state are known as long as it is among the latest, and since the
// beginning as long as all are.
func TestChangesSinceAState(t *testing.T) {
	s := &treeState{}
	if changes, known := s.after(0); !known || len(changes) != 0 || s.stamp() != 0 {
		t.Errorf("at first: %v %v", changes, known)
	}
	for i := range maxRecent + 1 {
		s.add(treeChange{Stamp: uint64(100 + i), Unit: customer.UnitID(i)})
	}
	for _, c := range []struct {
		stamp uint64
		known bool
		n     int
	}{{0, false, 0}, {100, false, 0}, {101, true, maxRecent - 1}, {100 + maxRecent, true, 0}, {7, false, 0}} {
		changes, known := s.after(c.stamp)
		if known != c.known || len(changes) != c.n {
			t.Errorf("after %d: %v %v", c.stamp, changes, known)
		}
	}
	if s.stamp() != 100+maxRecent || s.Version != maxRecent+1 {
		t.Errorf("stamp %d, version %d", s.stamp(), s.Version)
	}
}

// A stored cycle, which no transaction makes, is reported and not walked for ever.
func TestStoredCycleIsReported(t *testing.T) {
	at := time.UnixMicro(100)
	below := func(id, parent customer.UnitID) *Unit {
		return &Unit{ID: id, Moves: []Move{{From: at, Parent: parent}}}
	}
	merged := below(1, 0)
	merged.MergedInto, merged.Closed = 2, at
	other := below(2, 0)
	other.MergedInto, other.Closed = 1, at
	for name, units := range map[string][]*Unit{
		"parents": {below(1, 2), below(2, 1)}, "itself": {below(1, 1)}, "mergers": {merged, other}, "missing": {below(1, 9)},
	} {
		if _, err := newTree(units, at); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
