package compare

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/clientele-go/clientele/internal/text"
)

// doubleNames are the family names of two characters in use today.
var doubleNames = wordsOf(`欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 太叔 申屠 公孙
 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正 宰父 谷梁 拓跋 夹谷 轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌
 微生 公户 公玉 公仪 梁丘 公仲 公上 公门 公山 公坚 左丘 公伯 西门 公祖 第五 公乘 贯丘 公皙 南荣 东里 东宫 仲长 子书 子桑 即墨 达奚 褚师 吴铭 张简 范姜 欧陽`)

// honorifics follow a Chinese name.
var honorifics = []string{"先生", "女士", "小姐", "太太", "经理", "总经理", "老师", "老板", "收"}

func prepareHan(s string, t Type) *personForm {
	for _, h := range honorifics {
		if rest, ok := strings.CutSuffix(s, h); ok && runeCount(rest) >= 2 {
			s = rest
		}
	}
	h := &hanName{given: s}
	switch {
	case t == PersonFamily:
		h.family, h.given = s, ""
	case t != PersonGiven:
		h.family, h.given = splitHan(s)
	}
	h.pinyin = text.PinyinOf(s, t != PersonGiven)
	words := slices.DeleteFunc([]string{h.family, h.given}, func(w string) bool { return w == "" })
	return &personForm{key: s, han: h, bag: newBag(words, nil), joined: hashOf(KeyToken, strings.Join(h.pinyin, ""))}
}

// splitHan divides a Chinese name into family and given name.
func splitHan(s string) (family, given string) {
	_, n := utf8.DecodeRuneInString(s)
	_, m := utf8.DecodeRuneInString(s[n:])
	if doubleNames[s[:n+m]] && len(s) > n+m {
		n += m
	}
	return s[:n], s[n:]
}

func (c *person) compareHan(x, y *personForm) Outcome {
	if x.key == y.key {
		return Outcome{Level: Exact, Bits: c.bitsOf(x)}
	}
	level := hanNameLevel(x.key, y.key, x.han, y.han)
	return Outcome{Level: level, Bits: min(c.bitsOf(x), c.bitsOf(y)) * wordCredit[level]}
}

// hanNameLevel places two names in Han, v and w in whole.
func hanNameLevel(v, w string, x, y *hanName) uint8 {
	sound := slices.Equal(x.pinyin, y.pinyin)
	e := edits(v, w)
	n := max(runeCount(v), runeCount(w))
	family := x.family == y.family
	switch {
	case v == y.given+y.family || w == x.given+x.family:
		return personTypo // the family name last
	case sound && n >= 3, n >= 3 && x.given == y.given && soundsAlike(x.pinyin[0], y.pinyin[0]):
		return personSimilar
	case e == 1 && n >= 4:
		return personSimilar
	case strings.HasSuffix(v, w) || strings.HasSuffix(w, v): // a part of the name
		return personInitials
	case sound, e == 1 && n == 3 && family:
		return personInitials
	case e == 1 && n == 3:
		return personPart
	case family:
		return personDistant
	}
	return personDifferent
}

// compareRomanised compares a Chinese name with one in Latin letters.
func compareRomanised(chinese, latin *personForm) uint8 {
	if chinese.joined == latin.joined {
		return personNickname
	}
	han, words, whole := chinese.han, &latin.bag, latin.bag.joined()
	n := min(len(han.pinyin), runeCount(han.family))
	family, given := strings.Join(han.pinyin[:n], ""), strings.Join(han.pinyin[n:], "")
	if family != "" && !words.has(family) {
		family = otherReading(han.family, family, words)
	}
	if given != "" && family != "" && (whole == given+family || whole == family+given) {
		return personNickname
	}
	if !words.has(family) {
		return givenOnly(given, family, words, whole)
	}
	rest := strings.Replace(whole, family, "", 1)
	switch {
	case rest == "":
		return personPart
	case given != "" && (edits(rest, given) <= 1 && len(given) >= 4):
		return personSimilar
	case given != "" && rest == initialsInOrder(han.pinyin[n:]):
		return personInitials
	case given != "" && strings.HasPrefix(given, rest):
		return personInitials
	}
	return personDistant
}

// givenOnly is the level of a name in Latin letters that lacks the family name.
func givenOnly(given, family string, b *bag, whole string) uint8 {
	switch {
	case given == "" || !b.has(given) && whole != given:
		return personDifferent
	case len(b.words) == 2 && len(given) >= 4 && (soundsAlike(b.words[0].text, family) || soundsAlike(b.words[1].text, family)):
		return personSimilar
	}
	return personPart
}

// otherReading is another reading of a family name, where one of the words is that: 曾 is
// Zeng, but some write Ceng.
func otherReading(family, usual string, words *bag) string {
	if runeCount(family) != 1 {
		return usual
	}
	for _, r := range text.Readings(first(family)) {
		if words.has(r) {
			return r
		}
	}
	return usual
}

// soundsAlike reports whether two syllables are told apart with difficulty: chen and
// cheng, zhang and zang, liu and niu.
func soundsAlike(x, y string) bool { return blurred(x) == blurred(y) }

func blurred(s string) string {
	s = strings.TrimSuffix(s, "g")
	if len(s) > 2 && s[1] == 'h' {
		s = s[:1] + s[2:]
	}
	if s != "" && s[0] == 'n' {
		s = "l" + s[1:]
	}
	return s
}

func initialsInOrder(syllables []string) string {
	var b strings.Builder
	for _, s := range syllables {
		b.WriteString(firstRune(s))
	}
	return b.String()
}

func hanPersonKeys(h *hanName, whole string, e emitter) {
	joined := strings.Join(h.pinyin, "")
	e.text(KeyPinyin, sortedLetters(joined))
	e.text(KeyInitials, sortedLetters(initialsInOrder(h.pinyin)))
	if runeCount(h.given) >= 2 {
		e.text(KeyToken, h.given)
	}
	if runeCount(whole) >= 3 {
		e.deletions(whole)
	}
	if h.family == "" || h.given == "" {
		e.text(KeyToken, joined)
	}
}

// sortedLetters has the letters of a text in order, so that names meet whatever the order
// of their parts and wherever they are divided.
func sortedLetters(s string) string {
	rs := []rune(s)
	slices.Sort(rs)
	return string(rs)
}
