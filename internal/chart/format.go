package chart

import (
	"math"
	"strconv"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	xnumber "golang.org/x/text/number"
)

// isChinese says whether a language's words are Chinese.
func isChinese(tag language.Tag) bool {
	base, _ := tag.Base()
	return base.String() == "zh"
}

// pick returns the word in a language: Chinese, or else English.
func pick(tag language.Tag, english, chinese string) string {
	if isChinese(tag) {
		return chinese
	}
	return english
}

// Number writes a value in full, with the groups of its language and at most two decimals:
// 1,234,567.89. The minus is U+2212, which is as wide as a digit.
// From 10¹⁹ on, which no count reaches, it has an exponent.
func Number(tag language.Tag, v float64) string {
	if math.Abs(v) >= 1e19 {
		return signed(strconv.FormatFloat(math.Abs(v), 'g', 3, 64), v)
	}
	return signed(message.NewPrinter(written(tag)).Sprint(xnumber.Decimal(math.Abs(v), xnumber.MaxFractionDigits(2))), v)
}

// Percent writes a share: 0.125 is 12.5%.
func Percent(tag language.Tag, share float64) string {
	return signed(message.NewPrinter(written(tag)).Sprint(xnumber.Percent(math.Abs(share), xnumber.MaxFractionDigits(1))), share)
}

func signed(text string, v float64) string {
	if v < 0 && strings.ContainsAny(text, "123456789") {
		return "−" + text
	}
	return text
}

// written is the language that numbers are written in, as words are.
func written(tag language.Tag) language.Tag {
	if isChinese(tag) {
		return language.Chinese
	}
	return language.English
}

// unit is a power of ten that a language has a name for.
type unit struct {
	size float64
	name string
}

var (
	englishUnits = []unit{{1e12, " tn"}, {1e9, " bn"}, {1e6, "M"}, {1e3, "k"}}
	chineseUnits = []unit{{1e12, "万亿"}, {1e8, "亿"}, {1e4, "万"}}
)

// Compact writes a value with three significant digits, as axes have it: 1.5M, 150万.
func Compact(tag language.Tag, v float64) string { return compact(tag, v, 3) }

func compact(tag language.Tag, v float64, significant int) string {
	units := englishUnits
	if isChinese(tag) {
		units = chineseUnits
	}
	size := math.Abs(v)
	for i, u := range units {
		below := 1.0
		if i+1 < len(units) {
			below = units[i+1].size
		}
		if size < 1e15 && size >= u.size-rounding(u.size, below, significant) {
			return signed(digits(tag, size/u.size, significant)+u.name, v)
		}
	}
	return signed(digits(tag, size, significant), v)
}

// rounding is how much less than a unit rounds up to it, when written in the unit below:
// 999,950 is 1M and not 1,000k.
func rounding(size, below float64, significant int) float64 {
	decimals := max(0, significant-int(math.Round(math.Log10(size/below))))
	return 0.5 * below * math.Pow10(-decimals)
}

// digits writes a positive value with some significant digits, or all before the point.
func digits(tag language.Tag, v float64, significant int) string {
	if v != 0 && (v < 1e-4 || v >= 1e15) {
		return strconv.FormatFloat(v, 'g', significant, 64)
	}
	decimals := significant - 1
	if v > 0 {
		decimals = max(0, significant-1-int(math.Floor(math.Log10(v))))
	}
	scale := math.Pow10(decimals)
	return message.NewPrinter(written(tag)).Sprint(xnumber.Decimal(math.Round(v*scale)/scale, xnumber.MaxFractionDigits(decimals)))
}
