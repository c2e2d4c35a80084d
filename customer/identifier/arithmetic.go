package identifier

// The check digit methods that several schemes share. Numbers are compact; what must be
// digits is.

func isDigit(c byte) bool        { return c >= '0' && c <= '9' }
func isLetter(c byte) bool       { return c >= 'A' && c <= 'Z' }
func isAlphanumeric(c byte) bool { return isDigit(c) || isLetter(c) }

func all(s string, is func(byte) bool) bool {
	for i := range len(s) {
		if !is(s[i]) {
			return false
		}
	}
	return true
}

// isNumber reports whether s is n digits.
func isNumber(s string, n int) bool { return len(s) == n && all(s, isDigit) }

// value returns what a digit or letter counts in ISO/IEC 7064 and GB 11714: A is 10, Z is 35.
func value(c byte) int {
	if c >= 'A' {
		return int(c-'A') + 10
	}
	return int(c - '0')
}

// digit returns what the digit at a place counts.
func digit(s string, i int) int { return int(s[i] - '0') }

// decimal returns the number that digits stand for, at most 18 of them.
func decimal(digits string) int {
	n := 0
	for i := range len(digits) {
		n = n*10 + digit(digits, i)
	}
	return n
}

// weighted returns the sum of the values times their weights, for as many as there are weights.
func weighted(s string, weights ...int) int {
	sum := 0
	for i, w := range weights {
		sum += value(s[i]) * w
	}
	return sum
}

// luhn returns the sum of ISO/IEC 7812-1 annex B: every second digit from the right
// doubled, the products' digits added. It is divisible by 10 for a number with its check digit.
func luhn(digits string) int {
	sum := 0
	for i := range len(digits) {
		d := digit(digits, len(digits)-1-i)
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return sum
}

// mod97 returns the remainder of ISO/IEC 7064 MOD 97-10: 1 for a number with its check digits.
func mod97(s string) int {
	remainder := 0
	for i := range len(s) {
		if v := value(s[i]); v > 9 {
			remainder = (remainder*100 + v) % 97
		} else {
			remainder = (remainder*10 + v) % 97
		}
	}
	return remainder
}

// mod1110 checks digits by ISO/IEC 7064 MOD 11,10.
func mod1110(digits string) bool {
	product := 10
	last := len(digits) - 1
	for i := range last {
		sum := (product + digit(digits, i)) % 10
		if sum == 0 {
			sum = 10
		}
		product = sum * 2 % 11
	}
	return (product+digit(digits, last))%10 == 1
}

// checked returns the number if it passes its check digit.
func checked(number string, passes bool) (string, *fault) {
	if !passes {
		return "", miscopied
	}
	return number, nil
}

// isDate reports whether a day exists in the Gregorian calendar.
func isDate(year, month, day int) bool {
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	days := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		days = 29
	}
	return day <= days
}
