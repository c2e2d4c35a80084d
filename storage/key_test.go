package storage_test

import (
	"bytes"
	"cmp"
	"testing"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/storage"
)

// Keys compare as their parts do.
func TestKeysKeepOrder(t *testing.T) {
	type parts struct {
		s string
		n uint64
		u string
	}
	text := rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.SampledFrom([]rune{0, 1, 'a', 0x10ffff}), 0, 4, -1))
	gen := rapid.Custom(func(t *rapid.T) parts {
		return parts{text.Draw(t, "s"), rapid.Uint64().Draw(t, "n"), text.Draw(t, "u")}
	})
	key := func(p parts) storage.Key { return storage.Key(nil).String(p.s).Uint(p.n).String(p.u) }
	rapid.Check(t, func(t *rapid.T) {
		a, b := gen.Draw(t, "a"), gen.Draw(t, "b")
		want := cmp.Or(cmp.Compare(a.s, b.s), cmp.Compare(a.n, b.n), cmp.Compare(a.u, b.u))
		if got := bytes.Compare(key(a), key(b)); got != want {
			t.Fatalf("%+v and %+v compare as %d, their keys as %d", a, b, want, got)
		}
		s, rest, err := key(a).CutString()
		if err != nil || s != a.s {
			t.Fatalf("text came back as %q, %v", s, err)
		}
		n, rest, err := rest.CutUint()
		if err != nil || n != a.n {
			t.Fatalf("number came back as %d, %v", n, err)
		}
		u, rest, err := rest.CutString()
		if err != nil || u != a.u || len(rest) != 0 {
			t.Fatalf("text came back as %q, %x left, %v", u, []byte(rest), err)
		}
	})
}

func TestMalformedKeysAreErrors(t *testing.T) {
	for _, key := range []storage.Key{nil, {9}, {2, 1}, {0xff}} {
		if _, _, err := key.CutUint(); err == nil {
			t.Errorf("% x was read as a number", []byte(key))
		}
	}
	for _, key := range []storage.Key{nil, {'a'}, {'a', 0}, {'a', 0, 2}} {
		if s, _, err := key.CutString(); err == nil {
			t.Errorf("% x was read as the text %q", []byte(key), s)
		}
	}
}

func FuzzCutString(f *testing.F) {
	f.Add([]byte("abc\x00\xff\x00\x01rest"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, rest, err := storage.Key(raw).CutString()
		if err == nil && !bytes.Equal(append(storage.Key(nil).String(s), rest...), raw) {
			t.Fatalf("% x was read as %q, % x", raw, s, []byte(rest))
		}
	})
}
