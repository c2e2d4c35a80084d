package identifier

func ubnRule() rule {
	return rule{
		name: "tw.ubn", country: "TW", en: "Unified business number", zh: "統一編號",
		form: "give eight digits", check: checkUBN,
	}
}

// checkUBN applies the rule of the Ministry of Finance since April 2023: the digits of
// the products with 1, 2, 1, 2, 1, 2, 4, 1 add up to a multiple of 5. Where the seventh
// digit is 7, its product 28 adds up to 10, which may count as 1 or as 0.
func checkUBN(number string) (string, *fault) {
	if !isNumber(number, 8) {
		return "", malformed
	}
	sum := 0
	for i, w := range [...]int{1, 2, 1, 2, 1, 2, 4, 1} {
		product := digit(number, i) * w
		sum += product/10 + product%10
	}
	return checked(number, sum%5 == 0 || number[6] == '7' && (sum+1)%5 == 0)
}

func taiwanResidentRule() rule {
	return rule{
		name: "tw.resident", country: "TW", en: "National identification or UI number", zh: "身分證統一編號", sensitive: true,
		form:    "give a letter, then 1, 2, 8, 9 or A to D, then eight digits",
		dummies: []string{"A123456789"},
		check:   checkTaiwanResident,
	}
}

// taiwanPlace is the number of each letter A to Z, in the order in which the places of
// first registration were founded.
var taiwanPlace = [26]int{10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21, 22, 35, 23, 24, 25, 26, 27, 28, 29, 32, 30, 31, 33}

func checkTaiwanResident(number string) (string, *fault) {
	if len(number) != 10 || !isLetter(number[0]) || !isNumber(number[2:], 8) {
		return "", malformed
	}
	var second int
	switch c := number[1]; c {
	case '1', '2', '8', '9': // citizens; foreign residents since 2021
		second = int(c - '0')
	case 'A', 'B', 'C', 'D': // foreign residents before
		second = taiwanPlace[c-'A'] % 10
	default:
		return "", malformed
	}
	place := taiwanPlace[number[0]-'A']
	sum := place/10 + place%10*9 + second*8 + weighted(number[2:], 7, 6, 5, 4, 3, 2, 1, 1)
	return checked(number, sum%10 == 0)
}
