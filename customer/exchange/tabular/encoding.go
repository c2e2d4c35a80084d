package tabular

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// Encoding is a text file's, by the name of the IANA register.
type Encoding string

const (
	UTF8        Encoding = "UTF-8"
	UTF8BOM     Encoding = "UTF-8-BOM" // with a byte order mark, as spreadsheet programs like it
	UTF16LE     Encoding = "UTF-16LE"
	UTF16BE     Encoding = "UTF-16BE"
	GB18030     Encoding = "GB18030" // also GBK and GB2312, which it contains
	Big5        Encoding = "Big5"
	Windows1252 Encoding = "windows-1252" // Western European; also ISO 8859-1
)

// codec is an encoding that we know.
type codec struct {
	name Encoding
	encoding.Encoding
	mark string // byte order mark
}

var codecs = []codec{
	{UTF8, encoding.Nop, ""},
	{UTF8BOM, encoding.Nop, "\xEF\xBB\xBF"},
	{UTF16LE, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "\xFF\xFE"},
	{UTF16BE, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), "\xFE\xFF"},
	{GB18030, simplifiedchinese.GB18030, "\x84\x31\x95\x33"},
	{Big5, traditionalchinese.Big5, ""},
	{Windows1252, charmap.Windows1252, ""},
}

func encodingNames() []string {
	var names []string
	for _, e := range codecs {
		names = append(names, string(e.name))
	}
	return names
}

// ParseEncoding returns the encoding of a name, in any case; also GBK and GB2312.
func ParseEncoding(name string) (Encoding, error) {
	if strings.EqualFold(name, "GBK") || strings.EqualFold(name, "GB2312") {
		return GB18030, nil
	}
	for _, e := range codecs {
		if strings.EqualFold(name, string(e.name)) {
			return e.name, nil
		}
	}
	return "", &Error{Code: BadEncoding, Value: name, Err: ErrEncoding}
}

func (e Encoding) codec() (codec, error) {
	i := slices.IndexFunc(codecs, func(c codec) bool { return c.name == e })
	if i < 0 {
		return codec{}, &Error{Code: BadEncoding, Value: string(e), Err: ErrEncoding}
	}
	return codecs[i], nil
}

// Fit returns a text with a question mark for each character that the encoding hasn't,
// and whether it has them all.
func (e Encoding) Fit(text string) (fitting string, whole bool) {
	c, err := e.codec()
	if err != nil || c.Encoding == encoding.Nop {
		return text, true
	}
	encoder := c.NewEncoder()
	if _, err := encoder.String(text); err == nil {
		return text, true
	}
	return strings.Map(func(r rune) rune {
		if _, err := encoder.String(string(r)); err != nil {
			return '?'
		}
		return r
	}, text), false
}

// decoder returns the file's text in UTF-8, without a byte order mark and with U+FFFD for
// what isn't in the encoding.
func (e Encoding) decoder(f *File) (io.Reader, error) {
	c, err := e.codec()
	if err != nil {
		return nil, err
	}
	if e == UTF8 {
		c.mark = "\xEF\xBB\xBF" // as good as none
	}
	head := make([]byte, min(int64(len(c.mark)), f.Size))
	if _, err := f.Content.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	from := int64(0)
	if string(head) == c.mark {
		from = int64(len(c.mark))
	}
	body := io.NewSectionReader(f.Content, from, f.Size-from)
	if c.Encoding == encoding.Nop {
		return unicode.UTF8.NewDecoder().Reader(body), nil
	}
	return c.NewDecoder().Reader(body), nil
}

// sampleBytes is how much of a file is looked at to recognise its encoding and delimiter.
const sampleBytes = 256 << 10

// Recognise returns the encoding that the beginning of a text is most likely in. whole
// says that the text ends there.
//
// A byte order mark decides; then whether it is UTF-8 but for a few bytes and zeros, which
// are reported where they stand rather than all the text misread; then zero bytes, of which
// only UTF-16 has many. GB18030 and Big5 hold nearly any bytes, so what decides between them is how
// many of the characters are among the frequent ones, which both standards have put
// together: GB 2312-80 level 1 is rows 16 to 55 (B0A1–D7F9), Big5 level 1 is A440–C67E.
func Recognise(head []byte, whole bool) Encoding {
	for _, e := range codecs {
		if e.mark != "" && bytes.HasPrefix(head, []byte(e.mark)) {
			return e.name
		}
	}
	utf8 := valid(head, whole) || mostlyUTF8(head)
	if utf8 && bytes.Count(head, []byte{0}) <= max(len(head)/100, stray) {
		return UTF8
	}
	if e := wide(head); e != "" {
		return e
	}
	if utf8 {
		return UTF8
	}
	gb, big5 := frequent(head, isLevel1GB), frequent(head, isLevel1Big5)
	switch {
	case max(gb, big5) < 0.4:
		return Windows1252
	case big5 > gb:
		return Big5
	}
	return GB18030
}

// stray is how many zero bytes, or other control characters, a short text may have by a slip. In UTF-16
// a heading and a line end have more.
const stray = 2

// valid reports whether a text is UTF-8, but for a character cut off at its end.
func valid(head []byte, whole bool) bool {
	if utf8.Valid(head) {
		return true
	}
	for cut := 1; !whole && cut < utf8.UTFMax && cut < len(head); cut++ {
		if tail := head[len(head)-cut:]; utf8.RuneStart(tail[0]) {
			return !utf8.FullRune(tail) && utf8.Valid(head[:len(head)-cut])
		}
	}
	return false
}

// mostlyUTF8 reports whether nearly all that isn't ASCII is characters of UTF-8: of the
// two bytes of GBK and Big5 few happen to be.
func mostlyUTF8(text []byte) bool {
	characters, wrong := 0, 0
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case size > 1:
			characters++
		case r == utf8.RuneError:
			wrong++
		}
		text = text[size:]
	}
	return characters > 10*wrong
}

// wide returns the UTF-16 that a text without a mark is in: line ends, digits, commas and
// spaces have a zero byte, on one side only.
func wide(head []byte) Encoding {
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	switch {
	case zeros[1] > 10*zeros[0]:
		return UTF16LE
	case zeros[0] > 10*zeros[1]:
		return UTF16BE
	}
	return ""
}

// frequent returns the share of characters of two bytes that are frequent ones.
func frequent(text []byte, is func(lead, trail byte) bool) float64 {
	all, n := 0, 0
	for i := 0; i < len(text); i++ {
		if text[i] < 0x80 {
			continue
		}
		all++
		if i+1 < len(text) && is(text[i], text[i+1]) {
			n++
		}
		i++
	}
	return float64(n) / float64(max(all, 1))
}

func isLevel1GB(lead, trail byte) bool {
	return lead >= 0xB0 && lead <= 0xD7 && trail >= 0xA1 && trail <= 0xFE
}

func isLevel1Big5(lead, trail byte) bool {
	return lead >= 0xA4 && lead <= 0xC6 && (trail >= 0x40 && trail <= 0x7E || trail >= 0xA1 && trail <= 0xFE) &&
		!(lead == 0xC6 && trail > 0x7E)
}
