package identifier

import "strings"

func hongKongRule() rule {
	return rule{
		name: "hk.br", country: "HK", en: "Business registration number", zh: "商業登記號碼",
		form:  "give eight digits, or the certificate's number with branch and dates (8-3-2-2-1 digits)",
		check: checkHongKong,
	}
}

func checkHongKong(number string) (string, *fault) {
	switch len(number) {
	case 8, 11, 16: // alone, with branch, with the certificate's dates and check digit
		if all(number, isDigit) {
			return number[:8], nil
		}
	}
	return "", malformed
}

func corporateRule() rule {
	return rule{
		name: "jp.corporate", country: "JP", en: "Corporate number", zh: "日本法人番号",
		form: "give 13 digits, the first not 0", check: checkCorporate,
	}
}

// checkCorporate applies the ordinance on corporate numbers (Ministry of Finance 2014,
// No. 70): the first digit is 9 less the remainder by 9 of the others, weighted 1 and 2
// in turn from the right.
func checkCorporate(number string) (string, *fault) {
	number = strings.TrimPrefix(number, "T")
	if !isNumber(number, 13) || number[0] == '0' {
		return "", malformed
	}
	sum := weighted(number[1:], 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1)
	return checked(number, digit(number, 0) == 9-sum%9)
}

func uenRule() rule {
	return rule{
		name: "sg.uen", country: "SG", en: "Unique entity number", zh: "新加坡单一机构识别号",
		form:  "give eight or nine digits and a letter, or R, S or T, two digits, two letters, four digits and a letter",
		check: checkUEN,
	}
}

func checkUEN(number string) (string, *fault) {
	switch last := len(number) - 1; {
	case last == 8 && isNumber(number[:8], 8): // a business
		return checked(number, number[8] == "XMKECAWLJDB"[weighted(number, 10, 4, 9, 3, 8, 2, 7, 1)%11])
	case last == 9 && isNumber(number[:9], 9): // a local company, its year first
		return checked(number, number[9] == "ZKCMDNERGWH"[weighted(number, 10, 8, 6, 4, 9, 7, 5, 3, 1)%11])
	case last == 9 && strings.IndexByte("RST", number[0]) >= 0 && isNumber(number[1:3], 2) &&
		all(number[3:5], isLetter) && isNumber(number[5:9], 4):
		return checked(number, number[9] == otherUENCheck(number))
	}
	return "", malformed
}

// otherUENCheck returns the check letter of entities that are neither businesses nor
// local companies, or 0 where a letter has no value.
func otherUENCheck(number string) byte {
	const alphabet = "ABCDEFGHJKLMNPQRSTUVWX0123456789"
	sum := -5
	for i, w := range [...]int{4, 3, 5, 3, 10, 2, 2, 5, 7} {
		v := strings.IndexByte(alphabet, number[i])
		if v < 0 {
			return 0
		}
		sum += v * w
	}
	return alphabet[(sum+11)%11]
}
