package compare

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// sketched is what sketches of two values tell.
func sketched(t *testing.T, typ Type, a, b string) (level uint8, told bool, compared Outcome) {
	t.Helper()
	c, err := New(typ, Options{Country: "CN"})
	if err != nil {
		t.Fatal(err)
	}
	x, y, s := c.Prepare(a), c.Prepare(b), SketcherOf(c)
	v, w := s.Sketch(x), s.Sketch(y)
	if v != 0 && w != 0 && x.Key() != y.Key() {
		level, told = s.Sketched(v, w)
	}
	return level, told, c.Compare(x, y)
}

func TestSketchesTellWhatFormsDo(t *testing.T) {
	for _, test := range []struct {
		typ  Type
		a, b string
		told bool
	}{
		{Phone, "13800138000", "13800138001", true},
		{Phone, "13800138000", "010-62551234", true},
		{Phone, "010-62551234", "62551234", true},
		{Phone, "010-62551234-8001", "010-62551234", false}, // an extension doesn't fit
		{Phone, "13800138000 | 13900139000", "13800138001", false},
		{Phone, "13800138000", "138 0013 8000", false}, // the same number
		{Email, "anna.adler@example.com", "zq77@firm.example", true},
		{Email, "anna.adler@example.com", "zq77@example.com", false}, // one domain
		{Email, "anna.adler@example.com", "ana.adler@firm.example", false},
		{Email, "änne@example.com", "zq77@firm.example", false},
		{Identifier, "91110108MA0PX1FD4C", "91110105MA0FXMLK8U", true},
		{Identifier, "91110108MA0PX1FD4C", "91110108MA0PX1FD4D", false}, // fails the checksum
		{Identifier, "10566574", "10566575", false},
	} {
		level, told, compared := sketched(t, test.typ, test.a, test.b)
		if told != test.told || told && (level != compared.Level || compared.Bits != 0) {
			t.Errorf("%s %q, %q: level %d, told %t; want %d, %t", test.typ, test.a, test.b, level, told, compared.Level, test.told)
		}
	}
}

func TestSketchesOfPhonesAgreeWithComparing(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	number := func() string { return fmt.Sprintf("%0*d", 3+rng.IntN(14), rng.Uint64N(1e9)*rng.Uint64N(1e7)) }
	told := 0
	for range 5000 {
		a := number()
		b := []byte(a)
		for range rng.IntN(6) {
			b[rng.IntN(len(b))] = byte('0' + rng.IntN(10))
		}
		other := string(b[rng.IntN(2):])
		level, tells, compared := sketched(t, Phone, a, other)
		if tells {
			told++
		}
		if tells && level != compared.Level {
			t.Fatalf("%q, %q: level %d; want %d", a, other, level, compared.Level)
		}
	}
	if told < 2000 {
		t.Errorf("%d of 5000 sketches tell anything", told)
	}
}

func TestSketchesOfEmailsAgreeWithComparing(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 2))
	letters := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "abcdefghijklmnopqrstuvwxyz0123456789.-_"[rng.IntN(39)]
		}
		return string(b)
	}
	told := 0
	for range 20000 {
		local, domain := letters(1+rng.IntN(12)), letters(1+rng.IntN(5))+".io"
		other := []byte(local)
		for range rng.IntN(8) {
			other[rng.IntN(len(other))] = letters(1)[0]
		}
		a, b := local+"@"+domain, string(other)+letters(rng.IntN(3))+"@"+[]string{domain, "x" + domain, letters(8)}[rng.IntN(3)]
		c, err := New(Email, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if c.Prepare(a) == nil || c.Prepare(b) == nil {
			continue
		}
		level, tells, compared := sketched(t, Email, a, b)
		if tells {
			told++
		}
		if tells && level != compared.Level {
			t.Fatalf("%q, %q: level %d; want %d", a, b, level, compared.Level)
		}
	}
	if told < 2000 {
		t.Errorf("%d of 20000 sketches tell anything", told)
	}
}

func TestOnlySomeTypesHaveSketches(t *testing.T) {
	c, err := New(Address, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if SketcherOf(c) != nil {
		t.Error("addresses have sketches")
	}
}
