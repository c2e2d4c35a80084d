package compare

import (
	_ "embed"
	"math/bits"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/clientele-go/clientele/internal/region"
	"github.com/clientele-go/clientele/internal/text"
)

// hanOrg is the name of an organisation in Chinese: 〔region〕〔core〕〔trade〕〔branch〕, the
// legal form left out. 北京 | 科电亿恒 | 电力技术, 中国 | 工商 | 银行 | 吴江盛泽.
type hanOrg struct {
	body   string // region, core and trade
	core   uint16 // where in body the core begins
	trade  uint16 // and the trade
	branch string // which branch, without the words for a branch
	// place are the codes of the region, most specific last, 0 for none.
	place      [2]uint32
	isPart     bool   // whether it is a branch at all
	formal     bool   // whether a legal form stands in the name, so that it is no short name
	pinyin     string // of core and trade
	sounds     uint16 // how much of it is the core's
	branchKind byte   // what the word for the branch tells: b for 分行, s for 支行, o for others
	// short is the province that a name begins with in one character, as 粤 in 粤电力.
	short uint32
}

func (o *hanOrg) regionText() string { return o.body[:o.core] }
func (o *hanOrg) coreText() string   { return o.body[o.core:o.trade] }
func (o *hanOrg) tradeText() string  { return o.body[o.trade:] }

// sound is the pinyin of the core.
func (o *hanOrg) sound() string { return o.pinyin[:o.sounds] }

// placeName is a division by one of its names.
type placeName struct {
	code uint32
	// doubtful says that the name alone may be a word: a district without its suffix.
	doubtful bool
}

// lengths tell of how many runes words are, as bits, by the two runes that they begin or end
// with: most texts begin and end as none does, which costs less to see than to look each up.
type lengths map[[2]rune]uint16

func (l lengths) add(r, s rune, n int) { l[[2]rune{r, s}] |= 1 << n }

// placeList is the divisions of China by folded name, with and without suffix.
type placeList struct {
	names  map[string]placeName
	starts lengths
}

var placeNames = sync.OnceValue(func() *placeList {
	m := map[string]placeName{"中国": {1, false}, "中华": {1, true}, "台湾": {710000, false}, "香港": {810000, false}, "澳门": {820000, false}, "蒙": {150000, true}}
	add := func(name, code string, doubtful bool) {
		name = text.Fold(name)
		n := codeNumber(code)
		if _, taken := m[name]; !taken {
			m[name] = placeName{n, false}
		}
		short := withoutSuffix(name)
		for _, people := range []string{"壮族", "回族", "维吾尔", "藏族", "蒙古族", "羌族", "彝族", "土家族", "苗族", "布依族", "侗族", "哈尼族", "傣族", "白族", "景颇族", "傈僳族", "朝鲜族", "柯尔克孜", "哈萨克"} {
			if i := strings.Index(short, people); i >= 6 {
				short = short[:i]
			}
		}
		if _, taken := m[short]; !taken && runeCount(short) >= 2 {
			m[short] = placeName{n, doubtful}
		}
	}
	for p := range region.Provinces() {
		add(p.Province, p.Code, false)
	}
	for p := range region.Provinces() {
		for c := range region.Cities(p.Code) {
			add(c.City, c.Code, c.Code[4:] != "00") // counties that a province governs itself: 东方市
		}
	}
	for p := range region.Provinces() {
		for c := range region.Cities(p.Code) {
			for d := range region.Districts(c.Code) {
				add(d.District, d.Code, true)
			}
		}
	}
	l := &placeList{m, lengths{}}
	for name := range m {
		if rs := []rune(name); len(rs) > 1 {
			l.starts.add(rs[0], rs[1], len(rs))
		}
	}
	return l
})

func codeNumber(code string) uint32 {
	var n uint32
	for i := range 6 {
		n *= 10
		if i < len(code) && code[i] >= '0' && code[i] <= '9' {
			n += uint32(code[i] - '0')
		}
	}
	return n
}

//go:embed data/trades.txt
var tradeText string

// tradeList is the words for trades.
type tradeList struct {
	words map[string]bool
	ends  lengths
}

var trades = sync.OnceValue(func() *tradeList {
	l := &tradeList{wordsOf(tradeText), lengths{}}
	for w := range l.words {
		if rs := []rune(w); len(rs) > 1 {
			l.ends.add(rs[len(rs)-2], rs[len(rs)-1], len(rs))
		}
	}
	return l
})

// heads are the words behind which the name of a branch begins, and branchWords those at
// its end.
var (
	heads       = []string{"银行", "证券", "信托", "保险", "人寿", "农村信用合作联社", "信用社", "集团", "公司", "酒店", "大药房", "超市", "期货"}
	branchWords = []string{"证券营业部", "直属支行", "分公司", "支公司", "分行", "支行", "营业部", "营业厅", "办事处", "代表处", "分理处", "分店", "分厂", "分社", "分部", "门市部", "经营部", "销售部", "总行"}
)

// bankNames are short names that no rule would find, by the full name without legal form.
var bankNames = map[string]string{
	"建行": "中国建设银行", "建设银行": "中国建设银行", "工行": "中国工商银行", "工商银行": "中国工商银行", "农行": "中国农业银行", "农业银行": "中国农业银行", "中行": "中国银行", "交行": "交通银行",
	"招行": "招商银行", "邮储银行": "中国邮政储蓄银行", "邮储": "中国邮政储蓄银行", "光大银行": "中国光大银行", "民生银行": "中国民生银行", "农发行": "中国农业发展银行", "国开行": "国家开发银行",
	"浦发银行": "上海浦东发展银行", "浦发": "上海浦东发展银行", "浦东发展银行": "上海浦东发展银行", "上海浦发银行": "上海浦东发展银行", "广发行": "广发银行",
}

// parseHanOrg parses a name, folded key.
func parseHanOrg(name, key string) *hanOrg {
	o := &hanOrg{}
	before, inside, after := bracketed(name)
	placed := uint32(0)
	if inside != "" {
		inside = text.Fold(inside)
		placed = placeNames().names[inside].code
	}
	if placed > 0 {
		key = text.Fold(before + after)
	}
	s := o.takeBranch(withoutMarks(hanNumerals(key)))
	head, form := text.LegalForm(s)
	if head = text.Fold(head); runeCount(head) < 2 {
		head = s
	}
	o.formal = strings.ContainsAny(form, "公司企社") || strings.HasSuffix(s, "企业")
	o.divide(strings.ReplaceAll(expandBank(head), "有限", ""))
	o.regionBehind()
	if placed > 1 {
		o.addPlace(placed)
	}
	if placed > 0 && o.core == 0 {
		o.prepend(inside)
	}
	core := text.PinyinWord(o.coreText())
	o.pinyin, o.sounds = core+text.PinyinWord(o.tradeText()), uint16(len(core))
	return o
}

// withoutMarks cuts the marks that exchanges put on the short names of companies: *ST中地,
// 万科Ａ.
func withoutMarks(s string) string {
	for _, mark := range []string{"st", "xd", "dr", "n", "c"} {
		if rest, ok := strings.CutPrefix(s, mark); ok && text.Han(first(rest)) {
			s = rest
		}
	}
	if n := len(s); n > 6 && (s[n-1] == 'a' || s[n-1] == 'b') && s[n-2] >= 0x80 {
		s = s[:n-1]
	}
	return s
}

func (o *hanOrg) addPlace(code uint32) {
	o.place[0], o.place[1] = o.place[1], code
}

func (o *hanOrg) prepend(region string) {
	o.body = region + o.body
	o.core += uint16(len(region))
	o.trade += uint16(len(region))
}

// regionBehind moves a region from the end of the core to the front: 同煤漳泽上海 | 融资租赁.
func (o *hanOrg) regionBehind() {
	core := o.coreText()
	if o.core != 0 || runeCount(core) < 4 {
		return
	}
	var room [8]int
	ends := runeEnds(room[:0], core, len(room))
	for k := 1; k < len(ends)-1; k++ {
		name := core[ends[k]:]
		if p, ok := placeNames().names[name]; ok && !p.doubtful && p.code > 0 && runeCount(name) >= 2 {
			if p.code > 1 {
				o.addPlace(p.code)
			}
			o.body = core[:ends[k]] + o.tradeText()
			o.trade = uint16(ends[k])
			o.prepend(name)
			return
		}
	}
}

// takeBranch cuts the branch from the end of a folded name.
func (o *hanOrg) takeBranch(s string) string {
	rest, ok := s, false
	for _, w := range branchWords {
		if rest, ok = strings.CutSuffix(s, w); ok {
			o.branchKind = branchKind(w)
			break
		}
	}
	if !ok {
		return s
	}
	at := -1
	for _, w := range heads {
		if i := strings.Index(rest, w); i >= 0 && (at < 0 || i+len(w) < at || w == "公司" && strings.HasPrefix(rest[at:], "股份有限公司")) {
			at = i + len(w)
		}
	}
	if i := strings.Index(rest, "有限公司"); i >= 0 && at >= 0 && i+len("有限公司") > at {
		at = i + len("有限公司")
	}
	if n := shortBank(rest); n > 0 && at < 0 {
		at = n
	}
	if at < 0 {
		return s
	}
	o.isPart = true
	o.branch = branchName(rest[at:])
	return rest[:at]
}

// shortBank is the length of the short name of a bank, of two characters, that s begins
// with: 建行湘江.
func shortBank(s string) int {
	var room [2]int
	if ends := runeEnds(room[:0], s, len(room)); len(ends) == 2 && strings.HasSuffix(s[:ends[1]], "行") && bankNames[s[:ends[1]]] != "" {
		return ends[1]
	}
	return 0
}

func branchKind(w string) byte {
	switch w {
	case "分行":
		return 'b'
	case "支行":
		return 's'
	}
	return 'o'
}

// branchName leaves out what clerks write or leave out at will: 股份有限公司杭州市宝石 → 杭州宝石.
func branchName(s string) string {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "股份有限公司"), "有限责任公司")
	return branchDivisions.Replace(s)
}

var branchDivisions = strings.NewReplacer("分行", "", "支行", "", "省", "", "市", "", "县", "", "区", "")

// expandBank replaces a known short name, and the word for a rural bank wherever it stands.
func expandBank(s string) string {
	if full, ok := bankNames[s]; ok {
		return full
	}
	if !strings.Contains(s, "农商") {
		return s
	}
	return ruralBanks.Replace(s)
}

var ruralBanks = strings.NewReplacer("农商银行", "农村商业银行", "农商行", "农村商业银行")

// divide parts the head of a name into region, core and trade.
func (o *hanOrg) divide(s string) {
	at, last := 0, 0
	for range 4 {
		n, code := o.regionAt(s[at:])
		if n == 0 {
			break
		}
		if code != 1 {
			o.addPlace(code)
		}
		at, last = at+n, at
	}
	n, plain := coreLength(s[at:])
	if plain && at > 0 && (n == len(s)-at || placeNames().names[s[last:at]].code != 1) {
		// 江苏银行, 上海机场: the place is what tells it from others.
		short := withoutSuffix(s[last:at])
		s = s[:last] + short + s[at:]
		at, n = last, len(short)
	}
	o.body, o.core, o.trade = s, uint16(at), uint16(at+n)
	if at == 0 {
		o.short = provinceSigns[first(s)]
	}
}

// provinceSigns are the characters that stand for a province and for little else.
var provinceSigns = map[rune]uint32{'皖': 340000, '粤': 440000, '沪': 310000, '渝': 500000, '闽': 350000, '赣': 360000, '鄂': 420000, '湘': 430000, '豫': 410000,
	'冀': 130000, '陕': 610000, '桂': 450000, '琼': 460000, '黔': 520000, '滇': 530000, '浙': 330000, '鲁': 370000, '津': 120000, '京': 110000, '川': 510000, '苏': 320000, '晋': 140000, '深': 440300}

// regionAt is the length of the region that s begins with, and its code. A doubtful name
// counts only within the region before it, and where enough is left for a core.
func (o *hanOrg) regionAt(s string) (n int, code uint32) {
	var room [12]int
	ends := runeEnds(room[:0], s, len(room))
	if len(ends) < 2 {
		return 0, 0
	}
	places := placeNames()
	known := places.starts[[2]rune{first(s), first(s[ends[0]:])}]
	for i := min(len(ends), bits.Len16(known)) - 1; i >= 1; i-- {
		if known>>(i+1)&1 == 0 {
			continue
		}
		p, ok := places.names[s[:ends[i]]]
		if !ok {
			continue
		}
		n := ends[i]
		if n < len(s) && p.code > 1 {
			n += divisionSuffix(s[n:])
		}
		rest := s[n:]
		if runeCount(rest) < 2 || o.place[1] != 0 && !nested(o.place[1], p.code) || p.doubtful && n == ends[i] && !o.plausible(p.code, rest) {
			continue
		}
		return n, p.code
	}
	return 0, 0
}

func divisionSuffix(s string) int {
	for _, suffix := range []string{"省", "市", "县", "区"} {
		if strings.HasPrefix(s, suffix) {
			return len(suffix)
		}
	}
	return 0
}

// plausible reports whether a district without its suffix is meant, with rest behind it.
func (o *hanOrg) plausible(code uint32, rest string) bool {
	n, plain := coreLength(rest)
	return o.place[1] != 0 && nested(o.place[1], code) && !plain && n >= 6
}

// runeEnds appends the ends of the first runes of s, at most most.
func runeEnds(ends []int, s string, most int) []int {
	for i, r := range s {
		if len(ends) == most {
			break
		}
		ends = append(ends, i+utf8.RuneLen(r))
	}
	return ends
}

// coreLength is the length of what stands before the words for a trade. A name of such
// words only is plain and has the first of them as its core.
func coreLength(s string) (n int, plain bool) {
	end := len(s)
	for {
		n := tradeAtEnd(s[:end])
		switch {
		case n == 0:
			return end, false
		case n == end:
			return end, true
		case runeCount(s[:end-n]) < 2:
			return end, false
		}
		end -= n
	}
}

// tradeAtEnd is the length of the longest word for a trade that s ends with.
func tradeAtEnd(s string) int {
	var room [6]int
	starts, last := room[:0], [2]rune{}
	for i := len(s); i > 0 && len(starts) < len(room); {
		r, n := utf8.DecodeLastRuneInString(s[:i])
		i -= n
		if starts = append(starts, i); len(starts) <= 2 {
			last[2-len(starts)] = r
		}
	}
	known := trades().ends[last]
	for k := min(len(starts), bits.Len16(known)) - 1; k >= 1; k-- {
		if known>>(k+1)&1 != 0 && trades().words[s[starts[k]:]] {
			return len(s) - starts[k]
		}
	}
	return 0
}
