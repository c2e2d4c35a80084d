package compare

import "strings"

// skeleton is how a word in Latin letters sounds, roughly: its first letter and its
// consonants, those that are easily taken for one another made one. Words of another
// script are their own skeleton.
func skeleton(s string) string {
	var buf [32]byte
	out := buf[:0]
	var last byte
	for i := 0; i < len(s) && len(out) < len(buf); i++ {
		c := s[i]
		if c >= 0x80 {
			return s
		}
		code := soundOf(s, i)
		if i == 0 && code == 0 {
			code = 'a' // any vowel
		}
		if code != 0 && code != last {
			out = append(out, code)
		}
		if code != 0 || c != 'h' {
			last = code
		}
	}
	return string(out)
}

// soundOf is the sound of the letter at i, 0 for one that is not heard or a vowel.
func soundOf(s string, i int) byte {
	next := byte(0)
	if i+1 < len(s) {
		next = s[i+1]
	}
	c := s[i]
	switch c {
	case 'a', 'e', 'i', 'o', 'u', 'y', 'h', 'w':
		if i == 0 && (c == 'w' || c == 'h') {
			return c
		}
		return 0
	case 'p':
		if next == 'h' {
			return 'f'
		}
		return 'p'
	case 'c':
		if strings.IndexByte("eiy", next) >= 0 && next != 0 {
			return 's'
		}
		return 'k'
	case 'k', 'q', 'g', 'x':
		if c == 'g' && next == 'h' && i > 0 {
			return 0
		}
		return 'k'
	case 'z', 's':
		return 's'
	case 'd', 't':
		return 't'
	case 'v', 'b':
		return c
	case 'j':
		return 'j'
	case 'm', 'n':
		return 'n'
	}
	return c
}
