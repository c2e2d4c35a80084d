package compare

import "strings"

// hanNumerals writes the numbers in a Chinese name in one way, in Chinese as most names have them:
// 第8人民医院 as 第八人民医院, 25中 as 二十五中, and from a hundred on by their digits, 309医院 and
// 三零九医院 both as 三〇九医院. Numbers beside Latin letters (4S店, A8) stay, as do long ones.
func hanNumerals(s string) string {
	if !strings.ContainsAny(s, "0123456789零○") {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		n := 0
		for i+n < len(s) && isDigit(s[i+n]) {
			n++
		}
		switch {
		case n > 0 && n <= longestNumber && !(i > 0 && isASCII(s[i-1])) && !(i+n < len(s) && isASCII(s[i+n])):
			out.WriteString(hanNumber(s[i : i+n]))
		case n > 0:
			out.WriteString(s[i : i+n])
		default:
			r := firstRune(s[i:])
			n = len(r)
			if r == "○" || r == "零" && endsInNumeral(s[:i]) {
				r = "〇"
			}
			out.WriteString(r)
		}
		i += n
	}
	return out.String()
}

// longestNumber is how many digits are read as a number.
const longestNumber = 4

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isASCII(c byte) bool { return c > ' ' && c < 0x80 }

const hanDigits = "〇一二三四五六七八九"

func endsInNumeral(s string) bool {
	const size = len("〇")
	return len(s) >= size && strings.Contains(hanDigits+"零○", s[len(s)-size:])
}

// hanNumber writes a number: 8 as 八, 12 as 十二, 309 as 三〇九.
func hanNumber(digits string) string {
	const size = len("〇")
	digit := func(d byte) string { return hanDigits[int(d-'0')*size:][:size] }
	if len(digits) == 2 && digits[0] != '0' {
		tens, units := digit(digits[0]), digit(digits[1])
		if digits[0] == '1' {
			tens = ""
		}
		if digits[1] == '0' {
			units = ""
		}
		return tens + "十" + units
	}
	var out strings.Builder
	for i := range len(digits) {
		out.WriteString(digit(digits[i]))
	}
	return out.String()
}
