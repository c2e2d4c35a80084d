package text

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// TestReadingsAgreeWithTheOrderOfGB2312 uses that GB 2312-80 sorts its 3,755 level 1
// characters by pinyin: one of each character's readings must form that order too.
func TestReadingsAgreeWithTheOrderOfGB2312(t *testing.T) {
	runes := gb2312Level1(t)
	if len(runes) != 3755 {
		t.Fatalf("%d characters, the standard has 3755", len(runes))
	}
	// 帧 was zheng until 1985.
	if out := string(outOfOrder(runes)); out != "帧" {
		t.Errorf("out of order are %s, want only 帧", out)
	}
}

// outOfOrder returns the fewest runes whose removal leaves a sequence that can be read in
// alphabetical order: all but a longest non-decreasing subsequence.
func outOfOrder(runes []rune) []rune {
	type step struct {
		reading string
		rune    int
		prev    *step
	}
	var best []*step // best[n] ends the sequence of n+1 readings with the smallest last one
	for i, r := range runes {
		var readings []string
		for _, p := range Readings(r) {
			readings = append(readings, umlautAsU(p))
		}
		slices.Sort(readings)
		slices.Reverse(readings) // so that a rune can't follow itself
		for _, p := range readings {
			n, _ := slices.BinarySearchFunc(best, p, func(s *step, p string) int {
				if s.reading <= p {
					return -1
				}
				return 1
			})
			s := &step{reading: p, rune: i}
			if n > 0 {
				s.prev = best[n-1]
			}
			if n == len(best) {
				best = append(best, s)
			} else {
				best[n] = s
			}
		}
	}
	inOrder := map[int]bool{}
	for s := best[len(best)-1]; s != nil; s = s.prev {
		inOrder[s.rune] = true
	}
	var out []rune
	for i, r := range runes {
		if !inOrder[i] {
			out = append(out, r)
		}
	}
	return out
}

// umlautAsU writes a reading so that it sorts as in the standard: lü after lu, before
// luan; lüe as lue.
func umlautAsU(p string) string {
	if strings.HasSuffix(p, "v") {
		return p[:len(p)-1] + "u!"
	}
	return strings.Replace(p, "v", "u", 1)
}

// gb2312Level1 are the characters of rows 16 to 55, in order.
func gb2312Level1(t *testing.T) []rune {
	var runes []rune
	for row := byte(0xB0); row <= 0xD7; row++ {
		for col := byte(0xA1); col <= 0xFE; col++ {
			s, err := simplifiedchinese.GBK.NewDecoder().String(string([]byte{row, col}))
			if err != nil {
				t.Fatal(err)
			}
			if r := []rune(s)[0]; Han(r) {
				runes = append(runes, r)
			}
		}
	}
	return runes
}
