package search

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// appendNational appends the national digits of a phone number: from the area
// code on, without country code and trunk prefix.
func appendNational(dst []byte, given, e164 string) []byte {
	if len(e164) > 1 && e164[0] == '+' {
		return append(dst, e164[1+callingCode(e164[1:]):]...)
	}
	given = norm.NFKC.String(given) // ０２－２５３１
	international := strings.HasPrefix(given, "+")
	start := len(dst)
	for _, r := range given {
		if '0' <= r && r <= '9' {
			dst = append(dst, byte(r))
		} else if len(dst)-start >= leastDigits && strings.ContainsRune(beforeExtension, r) {
			break
		}
	}
	d := dst[start:]
	zeros := 0
	for zeros < len(d) && d[zeros] == '0' {
		zeros++
	}
	if zeros >= 2 {
		international = true // 00, the international prefix of most countries
	}
	d = d[zeros:]
	if international {
		d = d[min(len(d), callingCode(string(d))):]
	}
	return append(dst[:start], d...)
}

// What may stand between a number, of so many digits at least, and an extension.
const (
	beforeExtension = "#xX;转轉分"
	leastDigits     = 6
)

// callingCode returns the length of the country code that opens an international
// number (ITU-T E.164 assignments: +1 and +7 have one digit, the listed zones two,
// the others three).
func callingCode(digits string) int {
	switch {
	case digits == "":
		return 0
	case digits[0] == '1' || digits[0] == '7':
		return 1
	case len(digits) >= 2 && strings.Contains(twoDigitCodes, digits[:2]+" "):
		return 2
	}
	return min(3, len(digits))
}

const twoDigitCodes = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 " +
	"51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 "

// websiteHost returns the host of a web address in lower case, without www.
func websiteHost(address string) string {
	host := foldAddress(strings.TrimSpace(address))
	if i := strings.Index(host, "://"); i >= 0 {
		host = host[i+3:]
	}
	if i := strings.IndexAny(host, "/?#:"); i >= 0 {
		host = host[:i]
	}
	return strings.TrimPrefix(host, "www.")
}

// foldAddress returns an e-mail or web address as it is compared: in lower case and half
// width. It allocates only for what isn't so already.
func foldAddress(s string) string { return strings.ToLower(norm.NFKC.String(s)) }
