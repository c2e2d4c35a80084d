package identifier

func leiRule() rule {
	return rule{
		name: "lei", en: "Legal entity identifier", zh: "法人机构识别编码",
		form: "give 18 digits or letters and two check digits", check: checkLEI,
	}
}

func checkLEI(number string) (string, *fault) {
	if len(number) != 20 || !all(number, isAlphanumeric) || !isNumber(number[18:], 2) {
		return "", malformed
	}
	return checked(number, mod97(number) == 1)
}
