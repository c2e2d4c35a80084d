package phone

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// maxDigits bounds what the rules look at: an international prefix, a calling code, a
// trunk prefix and 11 digits. More is left to the library.
const maxDigits = 20

// dialled is a number reduced to what one would dial.
type dialled struct {
	digits    [maxDigits]byte
	n         int
	plus      bool
	extension string
}

// scan reduces raw to its digits. It reports false for everything that the rules don't
// know, including several numbers in one text.
func (d *dialled) scan(raw string) bool {
	for i := 0; i < len(raw); {
		r, size := rune(raw[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(raw[i:])
		}
		c, ok := digit(r)
		switch {
		case ok && d.n == maxDigits:
			return false
		case ok:
			d.digits[d.n] = c
			d.n++
		case separator(r):
		case (r == '+' || r == '＋') && d.n == 0 && !d.plus:
			d.plus = true
		default:
			d.extension, ok = extensionAt(raw[i:])
			return ok && d.extension != ""
		}
		i += size
	}
	return true
}

// parseByPlan recognises the numbers of mainland China and Taiwan.
func parseByPlan(raw, country string) (Number, bool) {
	var d dialled
	if !d.scan(raw) {
		return Number{}, false
	}
	digits := d.digits[:d.n]
	if !d.plus {
		if n, ok := national(digits, country); ok {
			n.Extension = d.extension
			return n, true
		}
		digits = trimPrefix(digits, "00")
	}
	n, ok := international(digits)
	n.Extension = d.extension
	return n, ok
}

// national recognises digits as dialled within the country. Without the trunk prefix 0
// they must be too many for a local number, which has at most 8.
func national(digits []byte, country string) (Number, bool) {
	if len(digits) < 9 {
		return Number{}, false
	}
	switch country {
	case "CN":
		return china(trimPrefix(digits, "0"))
	case "TW":
		return taiwan(trimPrefix(digits, "0"))
	}
	return Number{}, false
}

// international recognises digits that begin with a calling code. A trunk prefix behind
// it, as in +86 (0)21, is not dialled.
func international(digits []byte) (Number, bool) {
	if rest := trimPrefix(digits, "886"); len(rest) < len(digits) {
		return taiwan(trimPrefix(rest, "0"))
	}
	if rest := trimPrefix(digits, "86"); len(rest) < len(digits) {
		return china(trimPrefix(rest, "0"))
	}
	return Number{}, false
}

func trimPrefix(digits []byte, prefix string) []byte {
	if len(digits) >= len(prefix) && string(digits[:len(prefix)]) == prefix {
		return digits[len(prefix):]
	}
	return digits
}

// china recognises a national number of mainland China: mobile numbers (11 digits from
// 13 to 19, but 179 selects a carrier), 400 and 800 services (10 digits), and landlines.
func china(digits []byte) (Number, bool) {
	if len(digits) < 10 || len(digits) > 11 || digits[0] == '0' { // two trunk prefixes
		return Number{}, false
	}
	mobile := len(digits) == 11 && digits[0] == '1' && digits[1] >= '3' && string(digits[:3]) != "179"
	if mobile || chinaService(digits) || chinaLandline(digits) {
		return number("+86", digits, "CN", mobile), true
	}
	return Number{}, false
}

func chinaService(digits []byte) bool {
	return len(digits) == 10 && (digits[0] == '4' || digits[0] == '8') && digits[1] == '0' && digits[2] == '0'
}

// chinaLandline tells an area code and a local number of a length that is in use there.
// Local numbers begin with 2 to 8, since 1 and 9 begin services; in Beijing and Shanghai,
// 800 does too.
func chinaLandline(digits []byte) bool {
	area := 3
	if digits[0] == '1' || digits[0] == '2' {
		area = 2
	}
	code := 0
	for _, c := range digits[:area] {
		code = code*10 + int(c-'0')
	}
	local := digits[area:]
	if local[0] < '2' || local[0] > '8' || (code == 10 || code == 21) && string(local[:3]) == "800" {
		return false
	}
	return localLengths()[code]&(1<<len(local)) != 0
}

//go:embed data/cn-area-codes.txt
var areaCodes string

// localLengths has, for each area code of mainland China without its leading 0, bit 7 or
// bit 8 set where local numbers have 7 or 8 digits.
var localLengths = sync.OnceValue(func() *[1000]uint16 {
	var lengths [1000]uint16
	for line := range strings.Lines(areaCodes) {
		area, local, _ := strings.Cut(strings.TrimSpace(line), " ")
		code, _ := strconv.Atoi(area)
		for _, n := range local {
			lengths[code] |= 1 << (n - '0')
		}
	}
	return &lengths
})

// taiwan recognises a national number of Taiwan by its first digits and its length.
func taiwan(digits []byte) (Number, bool) {
	if len(digits) != 8 && len(digits) != 9 {
		return Number{}, false
	}
	second := digits[1]
	ok := false
	switch {
	case len(digits) == 9:
		switch digits[0] {
		case '2': // Taipei, New Taipei, Keelung: 8 digits behind 02
			ok = second >= '2' && second <= '8'
		case '4': // Taichung 04-2, 04-3; Nantou 049
			ok = second == '2' || second == '3' || second == '9'
		case '8': // free of charge
			ok = second == '0' && digits[2] == '0'
		case '9': // mobile
			ok = second <= '8'
		}
	case digits[0] == '3': // Taoyuan, Hsinchu, Yilan, Hualien, Miaoli 037
		ok = second >= '2'
	case digits[0] == '4': // Changhua
		ok = second == '7' || second == '8'
	case digits[0] == '5': // Yunlin, Chiayi
		ok = second >= '2' && second <= '8'
	case digits[0] == '6': // Tainan, Penghu
		ok = second != '4' && second != '8'
	case digits[0] == '7': // Kaohsiung
		ok = second >= '1'
	case digits[0] == '8': // Pingtung, Taitung 089
		ok = second >= '7'
	}
	if !ok {
		return Number{}, false
	}
	return number("+886", digits, "TW", digits[0] == '9'), true
}

func number(code string, digits []byte, country string, mobile bool) Number {
	var buf [24]byte
	e164 := append(append(buf[:0], code...), digits...)
	return Number{E164: string(e164), Country: country, Mobile: mobile}
}
