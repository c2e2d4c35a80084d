package tabular

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"
)

// markup reads the XML of a workbook's part: tags and the text between them. It knows
// what such parts use and no more: elements, attributes, the five entities, characters by
// number, CDATA; comments and instructions are passed over and a document type is refused,
// so that no entity can be defined. encoding/xml takes some five times as long, which
// would make it the slowest step of an import.
type markup struct {
	from  io.Reader
	limit int // bytes of a tag or of the text between two

	buffer []byte
	at     int
	ended  bool

	name  []byte // of the present tag, without a prefix
	attrs []byte // as in the file
	text  []byte // before the present tag, decoded
	open  bool   // it is a start tag
	close bool   // it is an end tag, or <tag/>, which is both
	depth int    // of open elements
	err   error
}

var (
	errMarkup    = errors.New("not well-formed XML")
	errDoctype   = errors.New("a document type, which a workbook has not")
	errTokenSize = errors.New("a text over the limit")
)

func newMarkup(from io.Reader, limit int) *markup { return &markup{from: from, limit: limit} }

// next goes to the next tag. It returns false at the end and after an error.
func (m *markup) next() bool {
	m.text = m.text[:0]
	for m.err == nil {
		i := m.find('<')
		if i < 0 {
			if m.depth > 0 && m.err == nil {
				m.err = errMarkup
			}
			return false
		}
		m.text = appendDecoded(m.text, m.buffer[m.at:m.at+i])
		m.at += i
		if len(m.text) > m.limit {
			m.err = errTokenSize
			return false
		}
		special, ok := m.special()
		if !ok {
			return false
		}
		if !special {
			return m.tag()
		}
	}
	return false
}

// find returns where a byte is, reading on until it is found.
func (m *markup) find(b byte) int {
	for from := 0; ; {
		if i := bytes.IndexByte(m.buffer[m.at+from:], b); i >= 0 {
			return from + i
		}
		from = len(m.buffer) - m.at
		if !m.fill() {
			return -1
		}
	}
}

// findEnd returns where a mark ends.
func (m *markup) findEnd(mark string) int {
	for from := 0; ; {
		if i := bytes.Index(m.buffer[m.at+from:], []byte(mark)); i >= 0 {
			return from + i + len(mark)
		}
		from = max(0, len(m.buffer)-m.at-len(mark))
		if !m.fill() {
			return -1
		}
	}
}

func (m *markup) fill() bool {
	if m.ended || m.err != nil {
		return false
	}
	if m.at > 0 {
		m.buffer = m.buffer[:copy(m.buffer, m.buffer[m.at:])]
		m.at = 0
	}
	if len(m.buffer) > m.limit+readBytes {
		m.err = errTokenSize
		return false
	}
	n := len(m.buffer)
	m.buffer = append(m.buffer, make([]byte, readBytes)...)
	got, err := io.ReadAtLeast(m.from, m.buffer[n:], 1)
	m.buffer = m.buffer[:n+got]
	if err != nil {
		m.ended = true
		if err != io.EOF {
			m.err = err
		}
	}
	return got > 0
}

// special passes over what begins with <! or <?, and keeps the text of CDATA.
func (m *markup) special() (special, ok bool) {
	for len(m.buffer)-m.at < len("<![CDATA[") && m.fill() {
	}
	rest := m.buffer[m.at:]
	if len(rest) > 1 && rest[1] != '!' && rest[1] != '?' {
		return false, true
	}
	end := -1
	switch {
	case bytes.HasPrefix(rest, []byte("<?")):
		end = m.findEnd("?>")
	case bytes.HasPrefix(rest, []byte("<!--")):
		end = m.findEnd("-->")
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		if end = m.findEnd("]]>"); end > 0 {
			m.text = append(m.text, m.buffer[m.at+len("<![CDATA["):m.at+end-len("]]>")]...)
		}
	case bytes.HasPrefix(rest, []byte("<!")):
		m.err = errDoctype
	default:
		return false, true
	}
	if end < 0 {
		if m.err == nil {
			m.err = errMarkup
		}
		return true, false
	}
	m.at += end
	return true, true
}

// tag takes the tag at m.at apart.
func (m *markup) tag() bool {
	end := m.findTagEnd()
	if end < 0 {
		if m.err == nil {
			m.err = errMarkup
		}
		return false
	}
	inner := m.buffer[m.at+1 : m.at+end]
	m.at += end + 1
	m.open, m.close = true, false
	if n := len(inner); n > 0 && inner[n-1] == '/' {
		inner, m.close = inner[:n-1], true
	}
	if len(inner) > 0 && inner[0] == '/' {
		inner, m.open, m.close = inner[1:], false, true
	}
	switch {
	case !m.close:
		m.depth++
	case !m.open:
		m.depth--
	}
	m.name, m.attrs = inner, nil
	if i := bytes.IndexAny(inner, " \t\r\n"); i >= 0 {
		m.name, m.attrs = inner[:i], inner[i:]
	}
	if i := bytes.IndexByte(m.name, ':'); i >= 0 {
		m.name = m.name[i+1:]
	}
	return true
}

// findTagEnd returns where the > is that ends the tag at m.at. One within an attribute's
// value doesn't.
func (m *markup) findTagEnd() int {
	var quote byte // around the value, 0 outside of one
	for i := 0; ; i++ {
		if m.at+i == len(m.buffer) && !m.fill() {
			return -1
		}
		switch b := m.buffer[m.at+i]; {
		case quote == 0 && b == '>':
			return i
		case quote == 0 && (b == '"' || b == '\''):
			quote = b
		case b == quote:
			quote = 0
		}
	}
}

// attr returns an attribute's value as it stands in the file, by its name without a
// prefix; nil if the tag has none.
func (m *markup) attr(name string) []byte {
	rest := m.attrs
	for {
		eq := bytes.IndexByte(rest, '=')
		if eq < 0 || eq+1 >= len(rest) {
			return nil
		}
		key := bytes.TrimSpace(rest[:eq])
		value := bytes.TrimLeft(rest[eq+1:], " \t\r\n")
		if len(value) == 0 {
			return nil
		}
		end := bytes.IndexByte(value[1:], value[0])
		if end < 0 {
			return nil
		}
		if i := bytes.IndexByte(key, ':'); i >= 0 {
			key = key[i+1:]
		}
		if string(key) == name {
			return value[1 : 1+end]
		}
		rest = value[end+2:]
	}
}

// attrText is attr with its entities decoded.
func (m *markup) attrText(name string) string { return string(appendDecoded(nil, m.attr(name))) }

// appendDecoded appends a text with its entities decoded. An unknown entity stays as it
// is.
func appendDecoded(to, text []byte) []byte {
	for {
		i := bytes.IndexByte(text, '&')
		if i < 0 {
			return append(to, text...)
		}
		to, text = append(to, text[:i]...), text[i:]
		end := bytes.IndexByte(text[:min(len(text), 12)], ';')
		r := rune(-1)
		if end > 0 {
			r = entity(string(text[1:end]))
		}
		if r < 0 {
			to, text = append(to, '&'), text[1:]
			continue
		}
		to, text = utf8.AppendRune(to, r), text[end+1:]
	}
}

func entity(name string) rune {
	switch name {
	case "amp":
		return '&'
	case "lt":
		return '<'
	case "gt":
		return '>'
	case "quot":
		return '"'
	case "apos":
		return '\''
	}
	if len(name) < 2 || name[0] != '#' {
		return -1
	}
	digits, base := name[1:], 10
	if digits[0] == 'x' || digits[0] == 'X' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n > utf8.MaxRune {
		return -1
	}
	return rune(n)
}
