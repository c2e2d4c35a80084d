package identifier

func einRule() rule {
	return rule{
		name: "us.ein", country: "US", en: "Employer identification number", zh: "美国雇主识别号",
		form:    "give nine digits, such as 91-1144442",
		dummies: []string{"123456789"},
		check:   checkEIN,
	}
}

var noPrefix = &fault{"has a prefix that the IRS doesn't issue", "compare the first two digits with the document"}

func checkEIN(number string) (string, *fault) {
	if !isNumber(number, 9) {
		return "", malformed
	}
	if !isEINPrefix(decimal(number[:2])) {
		return "", noPrefix
	}
	return number, nil
}

// isEINPrefix knows the list "Valid EIN prefixes" of irs.gov by what it leaves out.
func isEINPrefix(n int) bool {
	switch n {
	case 0, 7, 8, 9, 17, 18, 19, 28, 29, 49, 69, 70, 78, 79, 89, 96, 97:
		return false
	}
	return true
}

func dunsRule() rule {
	return rule{
		name: "duns", en: "D-U-N-S number", zh: "邓白氏编码",
		form:    "give nine digits",
		dummies: []string{"123456789"},
		check:   checkDUNS,
	}
}

func checkDUNS(number string) (string, *fault) {
	if !isNumber(number, 9) {
		return "", malformed
	}
	return number, nil
}
