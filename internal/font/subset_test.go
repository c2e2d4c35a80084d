package font

import (
	"bytes"
	"encoding/binary"
	"testing"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/language"
)

// A font whose tables begin anywhere is read all the same.
func TestTablesMayBeginAnywhere(t *testing.T) {
	good := Boxes("Boxes", []rune("A客"))
	shifted := bytes.Clone(good[:12])
	directory := 12 + 16*int(binary.BigEndian.Uint16(good[4:]))
	shifted = append(shifted, good[12:directory]...)
	shifted = append(shifted, 0) // all tables begin one byte later
	shifted = append(shifted, good[directory:]...)
	for at := 12; at < directory; at += 16 {
		binary.BigEndian.PutUint32(shifted[at+8:], binary.BigEndian.Uint32(shifted[at+8:])+1)
	}
	if _, err := sfnt.Parse(shifted); err == nil {
		t.Fatal("package sfnt reads it by itself")
	}
	face, err := open(bytes.NewReader(shifted), "shifted.ttf", language.Chinese)
	if err != nil {
		t.Fatal(err)
	}
	if face.glyph('客') == 0 || face.glyph('B') != 0 || face.Name != "Boxes" {
		t.Errorf("%s has 客 as glyph %d and B as %d", face.Name, face.glyph('客'), face.glyph('B'))
	}
	for n := range shifted { // and a part of it is an error
		if _, err := mended(bytes.NewReader(shifted[:n]), 0); err == nil && n < len(shifted)-4 {
			t.Errorf("%d of %d bytes are a font", n, len(shifted))
		}
	}
}

// The character map has 16 bits: a character beyond gets a code point for private use that
// nothing else has.
func TestCharactersBeyondSixteenBitsGetPrivateCodePoints(t *testing.T) {
	w := &writer{cmap: map[rune]int{0xE001: 1}, private: map[rune]rune{}}
	taken := map[rune]*Face{0xE000: {}} // the text has this one itself
	for _, c := range []struct{ r, want rune }{{'吉', '吉'}, {0x20BB7, 0xE002}, {0xFFFD, 0xFFFD}} {
		got, err := w.code(c.r, taken)
		if err != nil || got != c.want {
			t.Errorf("%U is called %U, want %U; error: %v", c.r, got, c.want, err)
		}
		w.cmap[got] = 2
	}
	if next, err := w.code(0x1F600, taken); err != nil || next != 0xE003 {
		t.Errorf("the next is called %U, error: %v", next, err)
	}
	if w.private[0x20BB7] != 0xE002 || len(w.private) != 2 {
		t.Errorf("private: %v", w.private)
	}
	for code := rune(privateUse); code <= lastPrivateUse; code++ {
		w.cmap[code] = 1
	}
	if _, err := w.code(0x1F601, taken); err == nil {
		t.Error("there are more private characters than code points for them")
	}
}
