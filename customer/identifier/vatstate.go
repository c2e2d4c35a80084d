package identifier

import "strings"

// vatAT: Umsatzsteuer-Identifikationsnummer.
func vatAT(s string) (string, *fault) {
	if len(s) != 9 || s[0] != 'U' || !all(s[1:], isDigit) {
		return "", malformed
	}
	return checked(s, (luhn(s[1:8])+4+digit(s, 8))%10 == 0)
}

// vatBE: numéro d'entreprise; before 2008 it had nine digits.
func vatBE(s string) (string, *fault) {
	if len(s) == 9 {
		s = "0" + s
	}
	if !isNumber(s, 10) || s[0] > '1' {
		return "", malformed
	}
	return checked(s, (decimal(s[:8])+decimal(s[8:]))%97 == 0)
}

// vatBG: the number of a legal entity has nine digits. Ten are a citizen's (EGN), a
// foreigner's (PNF) or another number, each with its own check digit.
func vatBG(s string) (string, *fault) {
	switch {
	case isNumber(s, 9):
		check := weighted(s, 1, 2, 3, 4, 5, 6, 7, 8) % 11
		if check == 10 {
			check = weighted(s, 3, 4, 5, 6, 7, 8, 9, 10) % 11 % 10
		}
		return checked(s, check == digit(s, 8))
	case isNumber(s, 10):
		last := digit(s, 9)
		foreigner := weighted(s, 21, 19, 17, 13, 11, 9, 7, 3, 1) % 10
		other := (11 - weighted(s, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11) % 11
		return checked(s, last == foreigner || last == other || isCitizenBG(s))
	}
	return "", malformed
}

// isCitizenBG: the EGN begins with the date of birth; 20 is added to the months of the
// 19th century and 40 to those of the 21st.
func isCitizenBG(s string) bool {
	year, month := 1900+decimal(s[:2]), decimal(s[2:4])
	switch {
	case month > 40:
		year, month = year+100, month-40
	case month > 20:
		year, month = year-100, month-20
	}
	return isDate(year, month, decimal(s[4:6])) &&
		weighted(s, 2, 4, 8, 5, 10, 9, 7, 3, 6)%11%10 == digit(s, 9)
}

// vatCY: the digits in odd places count by a table of their own.
func vatCY(s string) (string, *fault) {
	if len(s) != 9 || !all(s[:8], isDigit) || !isLetter(s[8]) || s[:2] == "12" {
		return "", malformed
	}
	odd := [...]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21}
	sum := 0
	for i := 0; i < 8; i += 2 {
		sum += odd[digit(s, i)] + digit(s, i+1)
	}
	return checked(s, sum%26 == int(s[8]-'A'))
}

// vatCZ: organisations have eight digits; people their birth number, or nine digits from
// 6 on.
func vatCZ(s string) (string, *fault) {
	switch {
	case isNumber(s, 8) && s[0] != '9':
		check := (11 - weighted(s, 8, 7, 6, 5, 4, 3, 2)%11) % 11
		if check == 0 {
			check = 1
		}
		return checked(s, check%10 == digit(s, 7))
	case isNumber(s, 9) && s[0] == '6':
		return checked(s, (weighted(s[1:], 8, 7, 6, 5, 4, 3, 2)%11+8)%10 == digit(s, 8))
	case isNumber(s, 9), isNumber(s, 10):
		return birthNumberCZ(s)
	}
	return "", malformed
}

// birthNumberCZ: yymmdd and three digits until 1953, then four, the last a check digit.
// Women's months have 50 added, and 20 where a day's numbers ran out.
func birthNumberCZ(s string) (string, *fault) {
	year := 1900 + decimal(s[:2])
	if len(s) == 9 && year > 1953 {
		year -= 100
	}
	if len(s) == 10 && year < 1954 {
		year += 100
	}
	if year < 1880 || !isDate(year, decimal(s[2:4])%50%20, decimal(s[4:6])) {
		return "", noDate
	}
	return checked(s, len(s) == 9 || decimal(s[:9])%11%10 == digit(s, 9))
}

// vatDE: Umsatzsteuer-Identifikationsnummer.
func vatDE(s string) (string, *fault) {
	if !isNumber(s, 9) || s[0] == '0' {
		return "", malformed
	}
	return checked(s, mod1110(s))
}

// vatDK: CVR-nummer.
func vatDK(s string) (string, *fault) {
	if !isNumber(s, 8) || s[0] == '0' {
		return "", malformed
	}
	return checked(s, weighted(s, 2, 7, 6, 5, 4, 3, 2, 1)%11 == 0)
}

// vatEE: käibemaksukohustuslase number.
func vatEE(s string) (string, *fault) {
	if !isNumber(s, 9) {
		return "", malformed
	}
	return checked(s, weighted(s, 3, 7, 1, 3, 7, 1, 3, 7, 1)%10 == 0)
}

// vatEL: AFM; before 1999 it had eight digits.
func vatEL(s string) (string, *fault) {
	if len(s) == 8 {
		s = "0" + s
	}
	if !isNumber(s, 9) {
		return "", malformed
	}
	return checked(s, weighted(s, 256, 128, 64, 32, 16, 8, 4, 2)%11%10 == digit(s, 8))
}

// vatES: NIF. Citizens have eight digits and a letter (DNI), foreigners X, Y or Z, seven
// digits and a letter (NIE), both modulo 23; K, L and M are people without either.
// Entities have a letter, seven digits and a Luhn digit or the letter that stands for it;
// sources disagree which kinds have which, so either is taken.
func vatES(s string) (string, *fault) {
	if len(s) != 9 || !all(s[1:8], isDigit) {
		return "", malformed
	}
	const people = "TRWAGMYFPDXBNJZSQVHLCKE"
	middle := decimal(s[1:8])
	switch c := s[0]; {
	case isDigit(c):
		return checked(s, people[decimal(s[:8])%23] == s[8])
	case c >= 'X' && c <= 'Z':
		return checked(s, people[(int(c-'X')*10_000_000+middle)%23] == s[8])
	case c >= 'K' && c <= 'M':
		return checked(s, people[middle%23] == s[8])
	case strings.IndexByte("ABCDEFGHJNPQRSUVW", c) < 0:
		return "", malformed
	}
	check := (10 - luhn(s[1:8]+"0")%10) % 10
	return checked(s, s[8] == '0'+byte(check) || s[8] == "JABCDEFGHI"[check])
}

// vatFI: Y-tunnus without its hyphen.
func vatFI(s string) (string, *fault) {
	if !isNumber(s, 8) {
		return "", malformed
	}
	return checked(s, weighted(s, 7, 9, 10, 5, 8, 4, 2, 1)%11 == 0)
}

// vatFR: a key, then the SIREN with its Luhn digit; the numbers of Monaco begin with 000
// and have none. A key has digits, or at least one letter other than I and O.
func vatFR(s string) (string, *fault) {
	const alphabet = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	if len(s) != 11 || !all(s[2:], isDigit) {
		return "", malformed
	}
	first, second := strings.IndexByte(alphabet, s[0]), strings.IndexByte(alphabet, s[1])
	siren := decimal(s[2:])
	switch {
	case first < 0 || second < 0:
		return "", malformed
	case s[2:5] != "000" && luhn(s[2:])%10 != 0:
		return "", miscopied
	case first < 10 && second < 10:
		return checked(s, first*10+second == (siren*100+12)%97)
	}
	key := first*34 + second - 100
	if first < 10 {
		key = first*24 + second - 10
	}
	return checked(s, (siren+1+key/11)%11 == key%11)
}

// vatHR: OIB.
func vatHR(s string) (string, *fault) {
	if !isNumber(s, 11) {
		return "", malformed
	}
	return checked(s, mod1110(s))
}

// vatHU: the first eight digits of the adószám.
func vatHU(s string) (string, *fault) {
	if !isNumber(s, 8) {
		return "", malformed
	}
	return checked(s, weighted(s, 9, 7, 3, 1, 9, 7, 3, 1)%10 == 0)
}

// vatIE: seven digits, the check letter and, since 2013, perhaps one more letter that
// counts 9 times (W counts 0). In old numbers the second character is a letter, + or *.
func vatIE(s string) (string, *fault) {
	const alphabet = "WABCDEFGHIJKLMNOPQRSTUV"
	if len(s) != 8 && len(s) != 9 || !isDigit(s[0]) || !all(s[2:7], isDigit) || !isLetter(s[7]) {
		return "", malformed
	}
	sum := 0
	switch {
	case isDigit(s[1]):
		sum = weighted(s, 8, 7, 6, 5, 4, 3, 2)
	case len(s) == 8 && (isLetter(s[1]) || s[1] == '+' || s[1] == '*'):
		sum = weighted(s[2:7], 7, 6, 5, 4, 3) + 2*digit(s, 0)
	default:
		return "", malformed
	}
	if len(s) == 9 {
		extra := strings.IndexByte(alphabet, s[8])
		if extra < 0 {
			return "", malformed
		}
		sum += 9 * extra
	}
	return checked(s, alphabet[sum%23] == s[7])
}

// vatIT: partita IVA, seven digits, the office's three and a Luhn digit.
func vatIT(s string) (string, *fault) {
	if !isNumber(s, 11) || s[:7] == "0000000" {
		return "", malformed
	}
	switch office := decimal(s[7:10]); {
	case office >= 1 && office <= 100, office == 120, office == 121, office == 888, office == 999:
		return checked(s, luhn(s)%10 == 0)
	}
	return "", malformed
}

// vatLT: PVM kodas, nine digits for legal entities, twelve for others.
func vatLT(s string) (string, *fault) {
	last := len(s) - 1
	if !isNumber(s, 9) && !isNumber(s, 12) || s[last-1] != '1' {
		return "", malformed
	}
	check := weighted(s, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2}[:last]...) % 11
	if check == 10 {
		check = weighted(s, []int{3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4}[:last]...) % 11 % 10
	}
	return checked(s, check == digit(s, last))
}

// vatLU: six digits and their remainder by 89.
func vatLU(s string) (string, *fault) {
	if !isNumber(s, 8) {
		return "", malformed
	}
	return checked(s, decimal(s[:6])%89 == decimal(s[6:]))
}

// vatLV: legal entities begin with 4 or more. People's codes begin with the date of birth
// or, since 2017, with 32; their check digit isn't published.
func vatLV(s string) (string, *fault) {
	if !isNumber(s, 11) {
		return "", malformed
	}
	if s[0] > '3' {
		return checked(s, weighted(s, 9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1)%11 == 3)
	}
	if s[:2] != "32" && !isDate(1800+100*digit(s, 6)+decimal(s[4:6]), decimal(s[2:4]), decimal(s[:2])) {
		return "", noDate
	}
	return s, nil
}

// vatMT: eight digits, modulo 37.
func vatMT(s string) (string, *fault) {
	if !isNumber(s, 8) || s[0] == '0' {
		return "", malformed
	}
	return checked(s, weighted(s, 3, 4, 6, 7, 8, 9, 10, 1)%37 == 0)
}

// vatNL: the nine digits of companies are an RSIN (modulo 11); those of sole traders are
// random since 2020, and MOD 97-10 checks the whole. Lost leading zeros are put back.
func vatNL(s string) (string, *fault) {
	if missing := 12 - len(s); missing > 0 && missing <= 3 {
		s = "000"[:missing] + s
	}
	if len(s) != 12 || !all(s[:9], isDigit) || s[9] != 'B' || !all(s[10:], isDigit) || s[10:] == "00" {
		return "", malformed
	}
	if s[:9] == "000000000" {
		return "", placeholder
	}
	return checked(s, weighted(s, 9, 8, 7, 6, 5, 4, 3, 2, -1)%11 == 0 || mod97("NL"+s) == 1)
}

// vatPL: NIP.
func vatPL(s string) (string, *fault) {
	if !isNumber(s, 10) {
		return "", malformed
	}
	return checked(s, weighted(s, 6, 5, 7, 2, 3, 4, 5, 6, 7)%11 == digit(s, 9))
}

// vatPT: NIF.
func vatPT(s string) (string, *fault) {
	if !isNumber(s, 9) || s[0] == '0' {
		return "", malformed
	}
	return checked(s, (11-weighted(s, 9, 8, 7, 6, 5, 4, 3, 2)%11)%11%10 == digit(s, 8))
}

// vatRO: CUI, weighted from the right.
func vatRO(s string) (string, *fault) {
	if len(s) < 2 || len(s) > 10 || !all(s, isDigit) || s[0] == '0' {
		return "", malformed
	}
	last := len(s) - 1
	check := weighted(s, []int{7, 5, 3, 2, 1, 7, 5, 3, 2}[9-last:]...) * 10 % 11 % 10
	return checked(s, check == digit(s, last))
}

// vatSE: the organisation number, then 01, higher where one has several registrations.
func vatSE(s string) (string, *fault) {
	if !isNumber(s, 12) || s[10:] == "00" {
		return "", malformed
	}
	return checked(s, luhn(s[:10])%10 == 0)
}

// vatSI: davčna številka. A remainder of 0, which would need the check digit 11, is never issued.
func vatSI(s string) (string, *fault) {
	if !isNumber(s, 8) || s[0] == '0' {
		return "", malformed
	}
	remainder := weighted(s, 8, 7, 6, 5, 4, 3, 2) % 11
	return checked(s, remainder != 0 && (11-remainder)%10 == digit(s, 7))
}

// vatSK: ten digits, divisible by 11.
func vatSK(s string) (string, *fault) {
	if !isNumber(s, 10) || s[0] == '0' {
		return "", malformed
	}
	return checked(s, decimal(s)%11 == 0)
}

// vatXI: the United Kingdom's number: nine digits, three more for a branch, modulo 97, or
// with 55 added since 2010; GD and HA are government departments and health authorities.
func vatXI(s string) (string, *fault) {
	switch {
	case len(s) == 5 && all(s[2:], isDigit) && (s[:2] == "GD" && s[2] < '5' || s[:2] == "HA" && s[2] >= '5'):
		return s, nil
	case isNumber(s, 9), isNumber(s, 12):
		sum := weighted(s, 8, 7, 6, 5, 4, 3, 2) + decimal(s[7:9])
		return checked(s, sum%97 == 0 || (sum+55)%97 == 0)
	}
	return "", malformed
}
