package record_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/storage/record"
)

// The bytes follow from the format by hand: tag = number<<1|type, then a varint,
// or a length and bytes.
func TestWireForm(t *testing.T) {
	var w record.Writer
	w.Uint(1, 300)   // 02, 300 = AC 02
	w.Int(2, -1)     // 04, zigzag(-1) = 01
	w.String(3, "台") // 07, 03, E5 8F B0
	w.String(4, "")  // left out
	w.Uint(5, 0)     // left out
	m := w.Begin(6)  // 0D, length 2
	w.Uint(1, 7)     // 02 07
	w.End(m)
	w.Text(7, "") // 0F 00: an empty element of a list
	want := []byte{0x02, 0xac, 0x02, 0x04, 0x01, 0x07, 0x03, 0xe5, 0x8f, 0xb0, 0x0d, 0x02, 0x02, 0x07, 0x0f, 0x00}
	if !bytes.Equal(w.Buf, want) {
		t.Errorf("got  % x\nwant % x", w.Buf, want)
	}
}

func TestNestedRecordsOfEveryLengthClass(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 129, 16383, 16384, 70000} {
		var w record.Writer
		w.Uint(1, 9)
		m := w.Begin(2)
		w.Text(1, strings.Repeat("x", n))
		w.End(m)
		w.Uint(3, 8)

		r := record.NewReader(string(w.Buf))
		got := map[int]uint64{}
		inner := -1
		for r.Next() {
			if r.Field() == 2 {
				in := record.NewReader(r.String())
				for in.Next() {
					inner = len(in.String())
				}
				continue
			}
			got[r.Field()] = r.Uint()
		}
		if r.Err() != nil || inner != n || got[1] != 9 || got[3] != 8 {
			t.Errorf("n=%d: inner %d, around %v, err %v", n, inner, got, r.Err())
		}
	}
}

// A program that knows only field 1 rewrites a record that has more.
func TestUnknownFieldsSurviveARewrite(t *testing.T) {
	var newer record.Writer
	newer.String(1, "old name")
	newer.Uint(40, 12)
	newer.String(41, "new in 2030")

	r := record.NewReader(string(newer.Buf))
	for r.Next() {
		if r.Field() != 1 {
			r.Skip()
		}
	}
	var rewritten record.Writer
	rewritten.String(1, "new name")
	rewritten.Raw(r.Unknown())

	var number uint64
	var text string
	back := record.NewReader(string(rewritten.Buf))
	for back.Next() {
		switch back.Field() {
		case 40:
			number = back.Uint()
		case 41:
			text = back.String()
		}
	}
	if number != 12 || text != "new in 2030" {
		t.Errorf("unknown fields came back as %d, %q", number, text)
	}
}

func TestExtremeNumbers(t *testing.T) {
	for _, n := range []int64{math.MinInt64, -1 << 40, -1, 1, 63, 64, 1 << 40, math.MaxInt64} {
		var w record.Writer
		w.Int(1, n)
		r := record.NewReader(string(w.Buf))
		if !r.Next() || r.Int() != n {
			t.Errorf("%d came back as %d (%v)", n, r.Int(), r.Err())
		}
	}
}

func TestMalformedInput(t *testing.T) {
	for name, src := range map[string]string{
		"cut in a tag":            "\x80",
		"cut in a number":         "\x02\x80",
		"number over 64 bits":     "\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
		"text longer than source": "\x03\x05abc",
		"field number 0":          "\x00\x00",
	} {
		r := record.NewReader(src)
		for r.Next() {
			r.Skip()
		}
		if !errors.Is(r.Err(), record.ErrMalformed) {
			t.Errorf("%s: error is %v", name, r.Err())
		}
	}
}

func TestWrongTypeIsAnError(t *testing.T) {
	var w record.Writer
	w.Uint(1, 5)
	r := record.NewReader(string(w.Buf))
	r.Next()
	if got := r.String(); got != "" || !errors.Is(r.Err(), record.ErrMalformed) {
		t.Errorf("reading a number as text gave %q, %v", got, r.Err())
	}
}

// Whatever the bytes, reading ends, and what is kept as unknown reads the same again.
func FuzzReader(f *testing.F) {
	f.Add("\x02\xac\x02\x07\x03abc")
	f.Add("\x0f\x00\x02\x80\x01")
	f.Fuzz(func(t *testing.T, src string) {
		walk := func(s string) (string, string, error) {
			r := record.NewReader(s)
			var seen strings.Builder
			for r.Next() {
				fmt.Fprintf(&seen, "%d;", r.Field())
				r.Skip()
			}
			return r.Unknown(), seen.String(), r.Err()
		}
		unknown, seen, err := walk(src)
		if err == nil && unknown != src {
			t.Fatalf("skipping every field of %q kept %q", src, unknown)
		}
		again, seenAgain, errAgain := walk(unknown)
		if errAgain != nil || again != unknown || (err == nil && seen != seenAgain) {
			t.Fatalf("kept fields %q read differently: %q, %v", unknown, again, errAgain)
		}
	})
}

func ExampleReader() {
	var w record.Writer
	w.String(1, "Taiwan Cement")
	w.Uint(2, 1946)

	r := record.NewReader(string(w.Buf))
	for r.Next() {
		switch r.Field() {
		case 1:
			fmt.Println(r.String())
		case 2:
			fmt.Println(r.Uint())
		default:
			r.Skip()
		}
	}
	fmt.Println(r.Err())
	// Output:
	// Taiwan Cement
	// 1946
	// <nil>
}
