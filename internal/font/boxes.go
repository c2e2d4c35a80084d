package font

// Boxes writes a font that has the characters as boxes, for tests on machines that have no
// fonts: a box is as wide as the character's code point is long in UTF-8, in thirds of the
// em. It draws nothing for blanks.
func Boxes(name string, runes []rune) []byte {
	w := &writer{cmap: map[rune]int{}, private: map[rune]rune{}}
	w.add(box(1))
	for _, r := range runes {
		if _, twice := w.cmap[r]; twice || r > 0xFFFF {
			continue
		}
		w.cmap[r] = len(w.advances)
		if r == ' ' {
			w.add(glyph{advance: Em / 3})
			continue
		}
		w.add(box(len(string(r))))
	}
	return w.write(name)
}

func box(thirds int) glyph {
	right, top := thirds*Em/3-Em/16, Em*7/10
	return glyph{thirds * Em / 3, [][]point{{{x: Em / 16}, {x: Em / 16, y: top}, {x: right, y: top}, {x: right}}}}
}
