package identifier

import "strings"

const (
	// usccAlphabet is the order of GB 32100-2015 §4.3, which has no I, O, S, V and Z.
	usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	// residentChecks are the check characters by remainder, ISO 7064 MOD 11-2.
	residentChecks = "10X98765432"
)

// usccValue is the place of each byte in usccAlphabet, -1 where it has none.
var usccValue = func() (table [256]int8) {
	for c := range table {
		table[c] = int8(strings.IndexByte(usccAlphabet, byte(c)))
	}
	return table
}()

var usccLetter = &fault{"has a letter that such codes don't have", "compare it with the document: there is no I, O, S, V or Z, but there are 1, 0, 5, U and 2"}

func usccRule() rule {
	return rule{
		name: "cn.uscc", country: "CN", en: "Unified social credit code", zh: "统一社会信用代码",
		form:  "give 18 digits and letters, the third to eighth a division's six digits",
		check: checkUSCC,
	}
}

// checkUSCC leaves the two characters for the registering department and the kind of
// entity free: amendments have added to the list of GB 32100-2015 §4.2.
func checkUSCC(number string) (string, *fault) {
	if len(number) != 18 || !all(number[2:8], isDigit) {
		return "", malformed
	}
	sum := 0
	for i, w := range [...]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28, 1} { // 3^i modulo 31
		v := int(usccValue[number[i]])
		if v < 0 {
			return "", usccLetter
		}
		sum += v * w
	}
	return checked(number, sum%31 == 0 && organisationCheck(number[8:16]) == number[16])
}

func organisationRule() rule {
	return rule{
		name: "cn.org", country: "CN", en: "Organisation code", zh: "组织机构代码",
		form:  "give eight digits or letters and a check character that is a digit or X",
		check: checkOrganisation,
	}
}

func checkOrganisation(number string) (string, *fault) {
	if len(number) != 9 || !all(number, isAlphanumeric) {
		return "", malformed
	}
	return checked(number, organisationCheck(number[:8]) == number[8])
}

// organisationCheck returns the check character of an organisation code, GB 11714-1997 §3.3.
func organisationCheck(code string) byte {
	return "0X987654321"[weighted(code, 3, 7, 9, 10, 5, 8, 4, 2)%11]
}

func residentRule() rule {
	return rule{
		name: "cn.resident", country: "CN", en: "Resident identity number", zh: "居民身份证号码", sensitive: true,
		form:  "give 17 digits and a check character that is a digit or X, or the 15 digits of the old form",
		check: checkResident,
	}
}

var noProvince = &fault{"doesn't begin with a province's code", "compare it with the document"}

func checkResident(number string) (string, *fault) {
	if isNumber(number, 15) {
		number = modernResident(number)
	}
	if len(number) != 18 || !all(number[:17], isDigit) || !isDigit(number[17]) && number[17] != 'X' {
		return "", malformed
	}
	province := number[:2]
	if number[0] == '9' { // a foreigner's card: the province of the first application follows
		province = number[1:3]
	}
	if !isProvince(decimal(province)) {
		return "", noProvince
	}
	if year := decimal(number[6:10]); year < 1850 || year > 2099 || !isDate(year, decimal(number[10:12]), decimal(number[12:14])) {
		return "", noDate
	}
	return checked(number, residentCheck(number) == number[17:])
}

// modernResident inserts the century into a number of 15 digits and adds the check
// character. The sequence numbers from 996 on were kept for people born before 1900.
func modernResident(number string) string {
	century := "19"
	if number[12:] >= "996" {
		century = "18"
	}
	number = number[:6] + century + number[6:]
	return number + residentCheck(number)
}

// residentCheck returns the check character for the first 17 digits.
func residentCheck(number string) string {
	i := weighted(number, 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2) % 11 // 2^(17-i) modulo 11
	return residentChecks[i : i+1]
}

// isProvince knows the first two digits of GB/T 2260, and 83, which residence permits for
// people from Taiwan have instead of 71.
func isProvince(code int) bool {
	switch code {
	case 11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46,
		50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83:
		return true
	}
	return false
}
