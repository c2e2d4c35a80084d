package sample

// Each function maps n to a number of the scheme, different n to different
// numbers within the scheme's range, check characters included.

const usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY" // GB 32100-2015 §4.3: no I, O, S, V, Z

// unifiedCode returns a unified social credit code (GB 32100-2015) of an
// enterprise registered in division.
func unifiedCode(division string, n uint64) string {
	b := append(make([]byte, 0, 18), "91"...)
	b = append(b, division...)
	b = append(b, "MA"...)
	b = appendBase(b, spread(n, 31*31*31*31*31*31), usccAlphabet, 6)
	b = append(b, organisationCheck(b[8:16]))

	sum, weight := 0, 1 // §4.4: weights are the powers of 3 modulo 31
	for _, c := range b {
		sum += indexOf(usccAlphabet, c) * weight
		weight = weight * 3 % 31
	}
	return string(append(b, usccAlphabet[(31-sum%31)%31]))
}

// organisationCheck returns the check character of an organisation code (GB 11714-1997).
func organisationCheck(code []byte) byte {
	sum := 0
	for i, weight := range [8]int{3, 7, 9, 10, 5, 8, 4, 2} {
		sum += indexOf(alphanumeric, code[i]) * weight
	}
	return "0X987654321"[sum%11]
}

// residentNumber returns a resident identity number (GB 11643-1999).
func residentNumber(division string, n uint64) string {
	n = spread(n, 15000*1000)
	year, month, day := 1955+n/1000/300%50, 1+n/1000/25%12, 1+n/1000%25
	b := append(make([]byte, 0, 18), division...)
	b = appendDecimal(b, year, 4)
	b = appendDecimal(b, month, 2)
	b = appendDecimal(b, day, 2)
	b = appendDecimal(b, n%1000, 3)

	sum, weight := 0, 2 // the weight of position i from the right is 2^i modulo 11
	for i := len(b) - 1; i >= 0; i-- {
		sum += int(b[i]-'0') * weight
		weight = weight * 2 % 11
	}
	return string(append(b, "10X98765432"[sum%11]))
}

// businessNumber returns a unified business number of Taiwan: weights
// 1, 2, 1, 2, 1, 2, 4, 1, the sum of the products' digits divisible by 10.
func businessNumber(n uint64) string {
	b := appendDecimal(make([]byte, 0, 8), spread(n, 10_000_000), 7)
	sum := 0
	for i, weight := range [7]int{1, 2, 1, 2, 1, 2, 4} {
		product := int(b[i]-'0') * weight
		sum += product/10 + product%10
	}
	return string(append(b, '0'+byte((10-sum%10)%10)))
}

const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// entityIdentifier returns a legal entity identifier (ISO 17442, check digits by ISO 7064 MOD 97-10).
func entityIdentifier(n uint64) string {
	b := append(make([]byte, 0, 20), "529900"...)
	b = appendBase(b, spread(n, 36*36*36*36*36*36), alphanumeric, 12)
	remainder := 0
	for _, c := range append(b, "00"...) {
		if v := indexOf(alphanumeric, c); v >= 10 {
			remainder = (remainder*100 + v) % 97
		} else {
			remainder = (remainder*10 + v) % 97
		}
	}
	return string(appendDecimal(b, uint64(98-remainder), 2))
}

// spread maps 0 <= n < size to the same range, one to one and without visible
// order. The multiplier is a prime that divides none of the sizes in use.
func spread(n, size uint64) uint64 { return n % size * 7_368_787 % size }

func appendBase(b []byte, n uint64, alphabet string, width int) []byte {
	start := len(b)
	for range width {
		b = append(b, '0')
	}
	for i := len(b) - 1; i >= start; i-- {
		b[i] = alphabet[n%uint64(len(alphabet))]
		n /= uint64(len(alphabet))
	}
	return b
}

func appendDecimal(b []byte, n uint64, width int) []byte {
	return appendBase(b, n, "0123456789", width)
}

func indexOf(alphabet string, c byte) int {
	for i := range len(alphabet) {
		if alphabet[i] == c {
			return i
		}
	}
	return 0
}
