package identifier

import "strings"

func companyRule() rule {
	return rule{
		name: "gb.company", country: "GB", en: "Company registration number", zh: "英国公司注册号", serial: true,
		form:  "give eight digits, or two letters and six digits such as SC123456",
		check: checkCompany,
	}
}

// companyPrefixes are those of the Companies House register.
const companyPrefixes = "AC BR CE CS EN ES FC FE GE GN GS IC IP LP NA NC NF NI NL NO NP NR NV NZ OC OE OS PC RC RS SA SC SE SF SG SI SL SO SP SR SZ ZC "

// checkCompany fills up missing zeros, which spreadsheets cut off.
func checkCompany(number string) (string, *fault) {
	const zeros = "00000000"
	rest := strings.TrimLeft(number, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	prefix := number[:len(number)-len(rest)]
	switch {
	case len(number) > 8 || rest == "":
		return "", malformed
	case prefix == "R": // Northern Ireland before 1922
	case prefix != "" && (len(prefix) != 2 || !strings.Contains(companyPrefixes, prefix+" ")):
		return "", malformed
	}
	digits := strings.TrimSuffix(rest, "R") // industrial and provident societies: IP12345R
	if digits == "" || !all(digits, isDigit) || digits != rest && (prefix != "IP" && prefix != "SP" && prefix != "NP") {
		return "", malformed
	}
	if missing := 8 - len(number); missing > 0 {
		number = prefix + zeros[:missing] + rest
	}
	return number, nil
}
