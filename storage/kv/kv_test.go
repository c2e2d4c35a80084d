package kv_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

func TestPrefixEndsWhereTheLastByteThatCanGrowDoes(t *testing.T) {
	for _, c := range []struct {
		prefix string
		upper  []byte
	}{
		{"a", []byte("b")},
		{"ab", []byte("ac")},
		{"a\x00", []byte("a\x01")},
		{"a\xff", []byte("b")},
		{"a\xff\xff", []byte("b")},
		{"\xfe\xff", []byte("\xff")},
		{"\xff", nil}, // nothing is greater than all of its extensions
		{"\xff\xff", nil},
		{"", nil}, // every key
	} {
		prefix := []byte(c.prefix)
		r := kv.Prefix(prefix)
		if string(r.Lower) != c.prefix || !bytes.Equal(r.Upper, c.upper) || (r.Upper == nil) != (c.upper == nil) {
			t.Errorf("Prefix(%q) = [%q, %q), want [%q, %q)", c.prefix, r.Lower, r.Upper, c.prefix, c.upper)
		}
		if string(prefix) != c.prefix {
			t.Errorf("Prefix changed its argument from %q to %q", c.prefix, prefix)
		}
	}
}

// edges are keys at which ranges go wrong, in order.
var edges = []string{
	"", "\x00", "a", "a\x00", "a\x00\x00", "a\x00\xff", "a\x01", "a\xff", "a\xff\x00", "a\xff\xff", "b",
	"\xfe\xff\xff", "\xff", "\xff\x00", "\xff\xff", "\xff\xff\xff",
}

func TestPrefixContainsWhatBeginsWithIt(t *testing.T) {
	for _, prefix := range edges {
		for _, key := range edges {
			want := bytes.HasPrefix([]byte(key), []byte(prefix))
			if got := kv.Prefix([]byte(prefix)).Contains([]byte(key)); got != want {
				t.Errorf("Prefix(%q).Contains(%q) = %v, want %v", prefix, key, got, want)
			}
		}
	}
}

func TestPointContainsItsKeyAlone(t *testing.T) {
	for _, point := range edges {
		for _, key := range edges {
			if got := kv.Point([]byte(point)).Contains([]byte(key)); got != (key == point) {
				t.Errorf("Point(%q).Contains(%q) = %v", point, key, got)
			}
		}
	}
}

func TestPointLeavesTheBytesBehindItsKey(t *testing.T) {
	buffer := []byte("key and more")
	r := kv.Point(buffer[:3])
	if string(buffer) != "key and more" || string(r.Upper) != "key\x00" {
		t.Fatalf("Point of a slice with room behind it = [%q, %q), the room now %q", r.Lower, r.Upper, buffer[3:])
	}
}

func TestRangeIsHalfOpen(t *testing.T) {
	for _, c := range []struct {
		lower, upper []byte
		want         string
	}{
		{nil, nil, "abc"},
		{[]byte("b"), nil, "bc"},
		{nil, []byte("b"), "a"},
		{[]byte("a"), []byte("c"), "ab"},
		{[]byte("b"), []byte("b"), ""},
		{[]byte("c"), []byte("a"), ""},
		{nil, []byte{}, ""}, // empty, but not nil: an end before every key
	} {
		got := ""
		for _, key := range []string{"a", "b", "c"} {
			if (kv.Range{Lower: c.lower, Upper: c.upper}).Contains([]byte(key)) {
				got += key
			}
		}
		if got != c.want {
			t.Errorf("of a, b and c, [%q, %q) contains %q, want %q", c.lower, c.upper, got, c.want)
		}
	}
}

func TestBatchIDKeepsItsTimeInMilliseconds(t *testing.T) {
	at := time.Date(2024, time.February, 29, 23, 59, 59, 123_999_999, time.UTC)
	id := kv.NewBatchID(at)
	if want := at.Truncate(time.Millisecond); !id.Time().Equal(want) {
		t.Fatalf("NewBatchID(%v).Time() = %v, want %v", at, id.Time(), want)
	}
	// 2024-02-29T23:59:59.123Z is 1709251199123 ms after 1970, 0x18df74f8093.
	if want := []byte{0, 0, 0x01, 0x8d, 0xf7, 0x4f, 0x80, 0x93}; !bytes.Equal(id[:8], want) {
		t.Fatalf("NewBatchID(%v) begins with % x, want % x", at, id[:8], want)
	}
}

func TestBatchIDsSortByTime(t *testing.T) {
	start := time.UnixMilli(0)
	var ids []kv.BatchID
	for _, after := range []time.Duration{0, time.Millisecond, 255 * time.Millisecond, 256 * time.Millisecond, time.Hour, 100 * 365 * 24 * time.Hour} {
		ids = append(ids, kv.NewBatchID(start.Add(after)))
	}
	if !slices.IsSortedFunc(ids, func(a, b kv.BatchID) int { return bytes.Compare(a[:], b[:]) }) {
		t.Fatalf("ids made for ascending times are not in order: %x", ids)
	}
}

func TestBatchIDsOfOneMomentDiffer(t *testing.T) {
	at := time.Now()
	seen := map[kv.BatchID]bool{}
	for range 10_000 {
		seen[kv.NewBatchID(at)] = true
	}
	if len(seen) != 10_000 {
		t.Fatalf("10000 ids of one moment are only %d different ones", len(seen))
	}
}

func TestBatchCopiesWhatItIsGiven(t *testing.T) {
	key, value := []byte("key"), []byte("value")
	var b kv.Batch
	b.Set(key, value)
	b.Delete(key)
	b.Merge(key, value)
	clear(key)
	clear(value)
	b.Journal = []byte("entry")
	want := []kv.Op{
		{Kind: kv.Set, Key: []byte("key"), Value: []byte("value")},
		{Kind: kv.Delete, Key: []byte("key")},
		{Kind: kv.Merge, Key: []byte("key"), Value: []byte("value")},
	}
	equal := func(a, b kv.Op) bool {
		return a.Kind == b.Kind && bytes.Equal(a.Key, b.Key) && bytes.Equal(a.Value, b.Value)
	}
	if !slices.EqualFunc(b.Ops(), want, equal) {
		t.Fatalf("Ops() = %q, want %q", b.Ops(), want)
	}
	if got := b.Bytes(); got != 8+3+8+5 { // three keys, two values, the entry
		t.Fatalf("Bytes() = %d, want 24", got)
	}
}

func TestAppendingToABatchKeyLeavesItsValue(t *testing.T) {
	var b kv.Batch
	b.Set([]byte("key"), []byte("value"))
	_ = append(b.Ops()[0].Key, "overrun"...)
	if got := string(b.Ops()[0].Value); got != "value" {
		t.Fatalf("after an append to its key the value is %q, want it unchanged", got)
	}
}
