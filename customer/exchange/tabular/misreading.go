package tabular

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/transform"
)

// misreading finds rows of UTF-8 in files of another encoding, as they come of putting
// several files together. Two encodings take such bytes for characters, others nearly
// always find wrong ones: GB18030, in which two characters of UTF-8 are three other ones,
// and windows-1252.
type misreading struct {
	encoder transform.Transformer
	lead    byte                // the least that a row of UTF-8 begins with, ASCII left out
	of      *unicode.RangeTable // characters that count, nil for all
	least   int                 // so many of them are no chance
	raw     []byte
}

// newMisreading returns nil for encodings in which wrong bytes show.
func newMisreading(e Encoding) *misreading {
	c, err := e.codec()
	switch {
	case err != nil:
		return nil
	case e == GB18030: // six characters, all of them rare ones in the right places
		return &misreading{encoder: c.NewEncoder(), lead: 0xE2, of: unicode.Han, least: 4}
	case e == Windows1252: // such as Ã before ©
		return &misreading{encoder: c.NewEncoder(), lead: 0xC2, least: 1}
	}
	return nil
}

// finds reports whether the bytes of a decoded row are UTF-8.
func (m *misreading) finds(row []byte) bool {
	if m == nil {
		return false
	}
	first := 0
	for first < len(row) && row[first] < utf8.RuneSelf {
		first++
	}
	if first == len(row) {
		return false
	}
	_, size := utf8.DecodeRune(row[first:])
	if !m.encode(row[first:first+size]) || m.raw[0] < m.lead || !m.encode(row[first:]) || !utf8.Valid(m.raw) {
		return false
	}
	n := 0
	for i := 0; i < len(m.raw); {
		r, size := utf8.DecodeRune(m.raw[i:])
		if i += size; size > 1 && (m.of == nil || unicode.Is(m.of, r)) {
			n++
		}
	}
	return n >= m.least
}

// encode sets raw to what a text was in the file.
func (m *misreading) encode(text []byte) bool {
	m.encoder.Reset()
	m.raw = append(m.raw[:0], make([]byte, 2*len(text)+4)...)
	n, _, err := m.encoder.Transform(m.raw, text, true)
	m.raw = m.raw[:n]
	return err == nil && n > 0
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
