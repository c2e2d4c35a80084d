package compare

import "strings"

// ordinals writes numbers behind 第 in one way, in Chinese as most names have them: 第8人民医院 as
// 第八人民医院, and from a hundred on by their digits, as 第309医院 and 第三零九医院 both 第三〇九医院.
func ordinals(s string) string {
	const mark = "第"
	at := strings.Index(s, mark)
	if at < 0 {
		return s
	}
	var out strings.Builder
	for ; at >= 0; at = strings.Index(s, mark) {
		out.WriteString(s[:at+len(mark)])
		s = s[at+len(mark):]
		digits := 0
		for digits < len(s) && '0' <= s[digits] && s[digits] <= '9' {
			digits++
		}
		if digits > 0 {
			out.WriteString(hanNumber(s[:digits]))
			s = s[digits:]
			continue
		}
		n := 0
		for n < len(s) {
			r := firstRune(s[n:])
			if !strings.Contains(hanDigits+"零○", r) {
				break
			}
			n += len(r)
		}
		out.WriteString(zeros.Replace(s[:n]))
		s = s[n:]
	}
	out.WriteString(s)
	return out.String()
}

const hanDigits = "〇一二三四五六七八九"

var zeros = strings.NewReplacer("零", "〇", "○", "〇")

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
