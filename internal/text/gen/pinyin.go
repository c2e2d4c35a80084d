package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/mozillazg/go-pinyin"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/unicode/norm"
)

// startsWord marks in a value of the pinyin trie that pinyin-phrases.txt has a word that
// starts with the rune; package text knows it too.
const startsWord = 1 << 15

// pinyinTable lays out pinyin.bin: index, blocks, lists. A value of the trie is the
// number of a list, 0 being the empty one; a list is a line of syllables.
func pinyinTable(f *folder, curated, words []pair) ([]byte, error) {
	lists := []string{""}
	number := map[string]uint16{"": 0}
	own := map[rune]string{}
	for _, p := range curated {
		own[[]rune(p.key)[0]] = p.value
	}
	known := allReadings()
	for r, list := range own {
		if len(known[r]) == 0 {
			return nil, fmt.Errorf("pinyin-readings.txt: %c %s: not in go-pinyin's dictionary", r, list)
		}
	}
	first := map[rune]uint16{}
	for _, w := range words {
		first[[]rune(w.key)[0]] = startsWord
	}
	trie := newTrie(foldLimit, func(r rune) uint16 {
		list := strings.Join(readingsOf(f, r, known, own), " ")
		n, ok := number[list]
		if !ok {
			n = uint16(len(lists))
			number[list] = n
			lists = append(lists, list)
		}
		return n | first[r]
	})
	out := appendSection(nil, append16(nil, trie.index...))
	out = appendSection(out, append16(nil, trie.blocks...))
	return appendSection(out, []byte(strings.Join(lists, "\n"))), nil
}

// readingsOf are the readings of r in use today. The dictionary also knows those of
// the classics, such as gu for 家 and fang for 方. For the 3,755 everyday
// characters pinyin-readings.txt therefore lists what has more than one reading or
// another than the dictionary's first; for the others the dictionary's first two serve. A
// traditional character reads like its simplified form, as far as it can.
func readingsOf(f *folder, r rune, known map[rune][]string, own map[rune]string) []string {
	if list, ok := own[r]; ok {
		return strings.Fields(list)
	}
	all := known[r]
	if s := f.simple(r); s != r && len(all) > 0 {
		var shared []string
		for _, p := range readingsOf(f, s, known, own) {
			if slices.Contains(all, p) {
				shared = append(shared, p)
			}
		}
		if len(shared) > 0 {
			return shared
		}
	}
	keep := 2
	if everyday(r) {
		keep = 1
	}
	return all[:min(keep, len(all))]
}

// everyday tells the characters of GB 2312-80 level 1 (rows 16 to 55).
func everyday(r rune) bool {
	gb, err := simplifiedchinese.GBK.NewEncoder().String(string(r))
	return err == nil && len(gb) == 2 && gb[0] >= 0xB0 && gb[0] <= 0xD7 && gb[1] >= 0xA1
}

func allReadings() map[rune][]string {
	known := map[rune][]string{}
	for r, list := range pinyin.PinyinDict {
		var out []string
		for _, p := range strings.Split(list, ",") {
			if t := toneless(p); hasVowel(t) && !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
		known[rune(r)] = out
	}
	return known
}

// toneless strips the tone mark and writes ü as v: lǜ becomes lv.
func toneless(p string) string {
	var b strings.Builder
	for _, r := range norm.NFC.String(strings.ReplaceAll(norm.NFD.String(p), "u\u0308", "v")) {
		for _, d := range norm.NFD.String(string(r)) {
			if !unicode.Is(unicode.M, d) {
				b.WriteRune(d)
			}
		}
	}
	return b.String()
}

// hasVowel excludes the interjections m, n, ng, hm, hng.
func hasVowel(p string) bool { return strings.ContainsAny(p, "aeiouv") }
