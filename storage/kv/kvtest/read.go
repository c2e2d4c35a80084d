package kvtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

func readProperties() []property {
	return []property{
		{"Read/GetReturnsLastValue", getReturnsLastValue},
		{"Read/GetAppendsToDst", getAppendsToDst},
		{"Read/GetResultBelongsToCaller", getResultBelongsToCaller},
		{"Read/FindIsGetOfEach", findIsGetOfEach},
		{"Read/ScanBounds", scanBounds},
		{"Read/ScanPrefixes", scanPrefixes},
		{"Read/ScanLendsUntilNextStep", scanLendsUntilNextStep},
		{"Read/ScanStopsEarly", scanStopsEarly},
		{"Read/ScanHonoursContext", scanHonoursContext},
		{"Read/BigValues", bigValues},
		{"Read/EngineKeysStayHidden", engineKeysStayHidden},
		{"Read/SnapshotIsSafeForConcurrentUse", snapshotIsSafeForConcurrentUse},
	}
}

func getReturnsLastValue(t *trial) {
	s := t.open()
	s.wantAbsent("a")
	s.apply(set("a", "1"))
	s.want("a", "1")
	s.apply(set("a", "2"))
	s.want("a", "2")
	s.apply(del("a"))
	s.wantAbsent("a")
	s.apply(del("a"), del("never"))
	s.wantAbsent("a", "never")
	s.apply(set("a", "")) // an empty value is not an absent key
	s.want("a", "")
	s.wantAbsent("a\x00", "A", "\xff")
	s.apply(set("a\x00", "zero"), set("\xff\xff", "high"))
	s.want("a", "")
	s.want("a\x00", "zero")
	s.want("\xff\xff", "high")
	s.wantAbsent("a\x00\x00", "\xff")
}

func getAppendsToDst(t *trial) {
	s := t.open()
	s.apply(set("key", "value"), set("empty", ""))
	v := s.snapshot()
	for _, c := range []struct {
		key, dst, want string
		found          bool
	}{
		{"key", "", "value", true},
		{"key", "dst:", "dst:value", true},
		{"empty", "dst:", "dst:", true},
		{"absent", "dst:", "dst:", false},
	} {
		for _, spare := range []int{0, 64} {
			dst := append(make([]byte, 0, len(c.dst)+spare), c.dst...)
			got, found, err := v.Get(t.ctx, []byte(c.key), dst)
			if err != nil || found != c.found || string(got) != c.want {
				t.Fatalf("Get(%q) into %q with %d bytes to spare = (%q, %v, %v), want (%q, %v, nil)",
					c.key, c.dst, spare, got, found, err, c.want, c.found)
			}
			if string(dst) != c.dst {
				t.Fatalf("Get(%q) changed dst from %q to %q, want it to append only", c.key, c.dst, dst)
			}
		}
	}
}

// The caller may change what Get returned, and it doesn't change by itself.
func getResultBelongsToCaller(t *trial) {
	s := t.open()
	value := strings.Repeat("value ", 100)
	s.apply(set("key", value))
	v := s.snapshot()
	first, _, err := v.Get(t.ctx, []byte("key"), nil)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	kept, _, err := v.Get(t.ctx, []byte("key"), nil)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	clear(first)
	t.note("zero the bytes that the first Get returned")
	v.want("key", value)
	for i := range 50 {
		s.apply(set("key", fmt.Sprint("newer ", i)), set(fmt.Sprint("other", i), value), relaxed)
	}
	s.want("other7", value)
	if string(kept) != value {
		t.Fatalf("the bytes that Get returned became %s after later calls, want them unchanged", quote(kept))
	}
}

// Find of keys near and far, present and absent, once and twice, beside a Get of each.
func findIsGetOfEach(t *trial) {
	s := t.open()
	var edits []edit
	for i := range 400 {
		edits = append(edits, set(fmt.Sprintf("key %03d", i), strings.Repeat("v", i%7)+fmt.Sprint(i)))
	}
	s.apply(edits...)
	s.apply(del("key 017"), set("key 018", "newer"), set("zz", ""))
	v := s.snapshot()
	s.apply(set("key 000", "later"), set("key 001x", "later"), del("key 021"))
	for name, keys := range map[string][]string{
		"none":    nil,
		"each":    numbered(0, 400, 1),
		"far":     numbered(0, 400, 37),
		"near":    numbered(10, 30, 2),
		"edges":   {"\x01", "a", "key", "key 000", "key 399", "key 3990", "zz", "zz\x00", "\xff\xff"},
		"repeats": {"key 005", "key 005", "key 005x", "key 005x", "key 300", "key 300", "zz", "zz"},
		"absent":  {"key 001x", "key 017", "key 017x", "zzz"},
	} {
		checkFind(t, v, name, keys)
	}
	stop := errors.New("enough")
	calls := 0
	err := kv.Find(t.ctx, v.Snapshot, 2, func(i int) []byte { return []byte(numbered(1, 3, 1)[i]) }, func(int, []byte) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Fatalf("Find, told to stop: %v after %d calls, want the error of the first", err, calls)
	}
}

func numbered(from, to, step int) (keys []string) {
	for i := from; i < to; i += step {
		keys = append(keys, fmt.Sprintf("key %03d", i))
	}
	return keys
}

func checkFind(t *trial, v *view, name string, keys []string) {
	var want, got []string
	for i, key := range keys {
		value, found, err := readKey(t.ctx, v.Snapshot, key)
		if err != nil {
			t.Fatalf("%v", err)
		}
		if found {
			want = append(want, fmt.Sprint(i, "=", value))
		}
	}
	lent := make([]byte, 0, 64)
	key := func(i int) []byte {
		lent = append(lent[:0], keys[i]...)
		return lent
	}
	err := kv.Find(t.ctx, v.Snapshot, len(keys), key, func(i int, value []byte) error {
		got = append(got, fmt.Sprint(i, "=", string(value)))
		return nil
	})
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("Find of %s keys: %q, %v; want, as by a Get of each, %q", name, got, err, want)
	}
}

// edgeKeys are keys at which bounds go wrong, in order.
var edgeKeys = []string{
	"\x01", "a", "a\x00", "a\x00\x00", "a\x00\xff", "a\xff", "a\xff\xff", "b", "b\x00", "c",
	"\xfe", "\xfe\xff", "\xff", "\xff\x00", "\xff\xff", "\xff\xff\xff",
}

// Every pair of bounds at and beside every edge, both ways, against Range.Contains.
func scanBounds(t *trial) {
	s := t.open()
	var edits []edit
	for _, key := range edgeKeys {
		edits = append(edits, set(key, "of "+key))
	}
	s.apply(edits...)
	v := s.snapshot()
	bounds := [][]byte{nil, {0}}
	for _, key := range edgeKeys {
		bounds = append(bounds, []byte(key), []byte(key+"\x00"))
	}
	uppers := append(slices.Clone(bounds[2:]), nil, []byte{})
	for _, lower := range bounds {
		for _, upper := range uppers {
			checkScan(t, v, kv.Range{Lower: lower, Upper: upper})
		}
	}
}

func checkScan(t *trial, v *view, r kv.Range) {
	t.Helper()
	var want []string
	for _, key := range edgeKeys {
		if r.Contains([]byte(key)) {
			want = append(want, key)
		}
	}
	inverted := r.Upper != nil && bytes.Compare(r.Lower, r.Upper) > 0
	for _, reverse := range []bool{false, true} {
		pairs, err := collect(t.ctx, v, r, reverse)
		if inverted && errors.Is(err, kv.ErrInvalid) {
			continue // no key lies in it; an engine may also say that it makes no sense
		}
		var got []string
		for _, p := range pairs {
			got = append(got, p.key)
			if p.value != "of "+p.key {
				t.Fatalf("%s yields value %s for %s, want %s", describeScan(r, reverse), quote(p.value), quote(p.key), quote("of "+p.key))
			}
		}
		if reverse {
			slices.Reverse(got)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%s yields, in ascending order, %s and error %v, want %s", describeScan(r, reverse), describeStrings(got), err, describeStrings(want))
		}
	}
}

func scanPrefixes(t *trial) {
	s := t.open()
	s.apply(set("p", ""), set("p\x00", ""), set("p1", ""), set("p\xff", ""), set("p\xff\xff", ""),
		set("q", ""), set("\xfe\xff", ""), set("\xff", ""), set("\xffz", ""), set("\xff\xff", ""))
	v := s.snapshot()
	v.wantScan(kv.Prefix([]byte("p")), false, "p", "p\x00", "p1", "p\xff", "p\xff\xff")
	v.wantScan(kv.Prefix([]byte("p")), true, "p\xff\xff", "p\xff", "p1", "p\x00", "p")
	v.wantScan(kv.Prefix([]byte("p\xff")), false, "p\xff", "p\xff\xff")
	v.wantScan(kv.Prefix([]byte("\xfe\xff")), true, "\xfe\xff")
	v.wantScan(kv.Prefix([]byte("\xff")), false, "\xff", "\xffz", "\xff\xff")
	v.wantScan(kv.Prefix([]byte("\xff")), true, "\xff\xff", "\xffz", "\xff")
	v.wantScan(kv.Prefix([]byte("\xff\xff")), false, "\xff\xff")
	v.wantScan(kv.Prefix([]byte("absent")), false)
	v.wantScan(point("p"), true, "p")
}

// Within one step of a scan the lent bytes stay, whatever else is called; copies stay for good.
func scanLendsUntilNextStep(t *trial) {
	s := t.open()
	want := numberedKeys(t, s, 40)
	v := s.snapshot()
	for _, reverse := range []bool{false, true} {
		for e, err := range v.Scan(t.ctx, kv.Range{}, reverse) {
			if err != nil {
				t.Fatalf("Scan: %v", err)
			}
			key, value := string(e.Key), string(e.Value)
			v.want("k20", want["k20"])
			v.wantScan(between("k10", "k13"), !reverse, inOrder(!reverse, "k10", "k11", "k12")...)
			s.apply(set(key, "newer"), set("other", key), relaxed)
			if string(e.Key) != key || string(e.Value) != value {
				t.Fatalf("Scan lent %s=%s, which became %s=%s before its next step",
					quote(key), quote(value), quote(e.Key), quote(e.Value))
			}
			if value != want[key] {
				t.Fatalf("Scan yields %s=%s, want %s", quote(key), quote(value), quote(want[key]))
			}
		}
	}
}

// numberedKeys sets k00, k01, … to values of different lengths.
func numberedKeys(t *trial, s *subject, n int) model {
	t.Helper()
	want := model{}
	var list []op
	for i := range n {
		o := op{key: fmt.Sprintf("k%02d", i), value: strings.Repeat(fmt.Sprint(i), i%7)}
		want.do(o)
		list = append(list, o)
	}
	s.apply(ops(list))
	return want
}

func inOrder(reverse bool, keys ...string) []string {
	if reverse {
		slices.Reverse(keys)
	}
	return keys
}

func scanStopsEarly(t *trial) {
	s := t.open()
	want := numberedKeys(t, s, 20)
	v := s.snapshot()
	for _, reverse := range []bool{false, true} {
		for stop := range len(want) {
			seen := 0
			for _, err := range v.Scan(t.ctx, kv.Range{}, reverse) {
				if err != nil {
					t.Fatalf("Scan: %v", err)
				}
				if seen == stop {
					break
				}
				seen++
			}
		}
	}
	v.wantState(want)
	t.note("break out of 40 scans, close the snapshot")
	if err := v.Close(); err != nil {
		t.Fatalf("Snapshot.Close after scans that ended early: %v", err)
	}
	s.close() // an engine that counts open iterators complains here
}

func scanHonoursContext(t *trial) {
	s := t.open()
	const n, before = 20_000, 10
	fill(t, s, n)
	v := s.snapshot()
	for _, reverse := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.ctx)
		entries, last := 0, error(nil)
		for _, err := range v.Scan(ctx, kv.Range{}, reverse) {
			if last != nil {
				t.Fatalf("Scan goes on after it yielded the error %v", last)
			}
			if last = err; err == nil {
				entries++
			}
			if entries == before {
				cancel()
			}
		}
		cancel()
		if entries == n || !errors.Is(last, context.Canceled) {
			t.Fatalf("a Scan whose context ended after %d entries yielded %d of %d entries and the error %v, want fewer and context.Canceled",
				before, entries, n, last)
		}
	}
}

// fill sets n keys f00000000, f00000001, ….
func fill(t *trial, s *subject, n int) {
	t.Helper()
	for i := 0; i < n; {
		b := kv.Batch{Durability: kv.Relaxed}
		for end := min(n, i+2_000); i < end; i++ {
			b.Set(fmt.Appendf(nil, "f%08d", i), []byte("filling"))
		}
		if _, err := s.Apply(t.ctx, &b); err != nil {
			t.Fatalf("Apply of %d sets: %v", len(b.Ops()), err)
		}
	}
	t.note("apply relaxed batches that set %d keys f00000000 …", n)
}

func bigValues(t *trial) {
	s := t.open()
	want := model{}
	for _, size := range []int{1, 255, 256, 4 << 10, 32<<10 - 1, 64 << 10, 64<<10 + 1, 1 << 20} {
		if l := s.Limits(); size > l.ValueBytes || int64(size)+16 > l.BatchBytes {
			break
		}
		value := make([]byte, size)
		for i, r := 0, t.random(size); i < size; i++ {
			value[i] = byte(r.Uint32())
		}
		o := op{key: fmt.Sprintf("size %07d", size), value: string(value)}
		want.do(o)
		s.apply(o.edit)
	}
	s.wantState(want)
}

// The journal, batch ids and whatever else the engine keeps are not the caller's keys.
func engineKeysStayHidden(t *trial) {
	s := t.open()
	s.apply(set("a", "1"), entry("first"), identified(kv.NewBatchID(time.Now())))
	s.apply(add("#n", 1), entry("second"), identified(kv.NewBatchID(time.Now())))
	v := s.snapshot()
	for _, lower := range [][]byte{nil, {}, {0}, {0, 0xff}} {
		v.wantScan(kv.Range{Lower: lower}, false, "#n", "a")
		v.wantScan(kv.Range{Lower: lower}, true, "a", "#n")
	}
	pairs, err := collect(t.ctx, v, between("\x00", "\x01"), false)
	if len(pairs) > 0 || err != nil && !errors.Is(err, kv.ErrLimit) {
		t.Fatalf("a scan of the reserved keys yields %d entries and the error %v, want none", len(pairs), err)
	}
	for _, key := range []string{"\x00", "\x00j", "\x00j\x00\x00\x00\x00\x00\x00\x00\x01", "\x00f"} {
		value, found, err := v.Get(t.ctx, []byte(key), nil)
		if found || err != nil && !errors.Is(err, kv.ErrLimit) {
			t.Fatalf("Get of the reserved key %s = (%s, %v, %v), want it absent or ErrLimit", quote(key), quote(value), found, err)
		}
	}
}

func snapshotIsSafeForConcurrentUse(t *trial) {
	s := t.open()
	want := numberedKeys(t, s, 40)
	v := s.snapshot()
	ready := newBarrier(8)
	t.parallel(8, func(ctx context.Context, i int) error {
		for range t.times(5) {
			if err := ready.wait(ctx); err != nil {
				return err
			}
			n := 0
			for e, err := range v.Scan(ctx, kv.Range{}, i%2 == 1) {
				if err != nil {
					return err
				}
				if got := string(e.Value); got != want[string(e.Key)] {
					return fmt.Errorf("a scan beside others yields %s=%s, want %s", quote(e.Key), quote(got), quote(want[string(e.Key)]))
				}
				n++
				runtime.Gosched()
				key := fmt.Sprintf("k%02d", (n*7+i)%40)
				if got, found, err := readKey(ctx, v, key); err != nil || !found || got != want[key] {
					return fmt.Errorf("a Get(%s) beside others = (%s, %v, %v), want %s", quote(key), quote(got), found, err, quote(want[key]))
				}
			}
			if n != len(want) {
				return fmt.Errorf("a scan beside others yields %d entries, want %d", n, len(want))
			}
		}
		return nil
	})
}
