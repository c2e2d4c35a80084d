package tabular

import (
	"bytes"
	"unicode/utf16"
)

// foreign returns what a file is that users take for a table but that isn't readable.
func foreign(head []byte) string {
	text := bytes.ToLower(bytes.TrimLeft(head, "\xEF\xBB\xBF \r\n\t"))
	switch {
	case bytes.HasPrefix(head, []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")):
		return "an .xls workbook, or one with a password"
	case bytes.HasPrefix(head, []byte("%PDF-")):
		return "a PDF document"
	case bytes.HasPrefix(head, []byte("\x1F\x8B")):
		return "a gzip archive"
	case bytes.HasPrefix(head, []byte("7z\xBC\xAF\x27\x1C")), bytes.HasPrefix(head, []byte("Rar!")):
		return "an archive"
	case bytes.HasPrefix(text, []byte("<!doctype html")), bytes.HasPrefix(text, []byte("<html")):
		return "a web page, even if it is named .xls"
	case bytes.HasPrefix(text, []byte("<?xml")):
		return "XML"
	case bytes.HasPrefix(text, []byte("[")) && bytes.HasPrefix(bytes.TrimLeft(text[1:], " \r\n\t"), []byte("{")):
		return "a JSON array instead of one object a line"
	}
	return ""
}

func isZip(head []byte) bool { return bytes.HasPrefix(head, []byte("PK\x03\x04")) }

// binary reports whether a file isn't text: it has control characters that no text has,
// and isn't UTF-16.
func binary(head []byte) bool {
	switch Recognise(head, false) {
	case UTF16LE:
		return oddControls(head, 0)
	case UTF16BE:
		return oddControls(head, 1)
	}
	controls := 0
	for _, b := range head {
		if b < ' ' && b != '\t' && b != '\r' && b != '\n' && b != '\f' && b != 0x1A {
			controls++
		}
	}
	return controls > max(len(head)/100, stray)
}

// oddControls is binary for UTF-16, low being where the low byte of a unit is.
func oddControls(head []byte, low int) bool {
	controls, units := 0, 0
	for i := 0; i+1 < len(head); i += 2 {
		u := uint16(head[i+low]) | uint16(head[i+1-low])<<8
		units++
		if u < ' ' && u != '\t' && u != '\r' && u != '\n' || u >= 0xFFFE || u == 0 {
			controls++
		} else if utf16.IsSurrogate(rune(u)) {
			units--
		}
	}
	return controls*20 > units
}
