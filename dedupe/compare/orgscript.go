package compare

import (
	"strings"

	"github.com/clientele-go/clientele/internal/text"
)

// tradeEnglish gives the English words of a trade the Chinese ones, of which one should
// stand in the Chinese name.
var tradeEnglish = map[string][]string{
	"technology": {"科技", "技术", "工艺"}, "tech": {"科技", "技术"}, "technologies": {"科技", "技术"}, "biotech": {"生物"}, "biotechnology": {"生物"}, "bio": {"生物"},
	"information": {"信息", "资讯"}, "network": {"网络"}, "software": {"软件"}, "electronics": {"电子"}, "electronic": {"电子"}, "electric": {"电"}, "electrical": {"电"},
	"commerce": {"商务", "商贸", "商业"}, "trading": {"贸", "商"}, "trade": {"贸", "商"}, "supply": {"供应"}, "logistics": {"物流", "货运", "供应链"}, "transport": {"运输", "物流"},
	"culture": {"文化"}, "cultural": {"文化"}, "media": {"传媒", "媒体"}, "advertising": {"广告"}, "education": {"教育"}, "consulting": {"咨询", "顾问"}, "consultancy": {"咨询", "顾问"},
	"catering": {"餐饮"}, "restaurant": {"餐", "饭", "酒楼"}, "hotel": {"酒店", "宾馆"}, "food": {"食品"}, "foods": {"食品"}, "pharmaceutical": {"制药", "药业", "医药"}, "pharmaceuticals": {"制药", "药业", "医药"},
	"medical": {"医疗", "医"}, "health": {"健康"}, "chemical": {"化工", "化学"}, "chemicals": {"化工", "化学"}, "environmental": {"环保", "环境"}, "energy": {"能源"}, "power": {"电力", "动力"},
	"construction": {"建筑", "建设", "建工"}, "engineering": {"工程"}, "decoration": {"装饰", "装修"}, "estate": {"房地产", "地产", "置业"}, "property": {"物业", "置业"}, "building": {"建材", "建筑"},
	"materials": {"材料", "建材"}, "machinery": {"机械"}, "equipment": {"设备", "装备"}, "auto": {"汽车"}, "automobile": {"汽车"}, "automotive": {"汽车"}, "garments": {"服"}, "garment": {"服"}, "clothing": {"服"}, "textile": {"纺织"},
	"industrial": {"实业", "工业"}, "industry": {"实业", "工业"}, "industries": {"实业", "工业"}, "investment": {"投资"}, "securities": {"证券"}, "bank": {"银行"}, "insurance": {"保险"}, "agriculture": {"农"}, "agricultural": {"农"},
	"furniture": {"家具", "家居"}, "travel": {"旅"}, "tourism": {"旅"}, "cement": {"水泥"}, "steel": {"钢"}, "petroleum": {"石油"}, "semiconductor": {"半导体"}, "group": {"集团"}, "international": {"国际"},
}

// businessWords are other English words for what companies do.
var businessWords = wordsOf(`sales chain management instruments instrument e online science tea wine printing packaging art sports entertainment game games film home household mall plastic
 plastics rubber metal metals glass paper mining coal gas oil water farm garden landscape human labor labour security safety fire fishery dairy jewelry shoes toys gifts lighting cosmetics beauty real
 department auto car vehicle vehicles parts tools hardware appliances import export instrument device devices life care pet mechanical electromechanical photoelectric optoelectronics automation intelligent smart
 information`)

// compareScripts compares a Chinese name with one in Latin letters, by the pinyin of its
// region and core and the English words of its trade.
func (c *organisations) compareScripts(h *hanOrg, l *latinOrg) (level uint8, same, bits float32) {
	region := text.PinyinWord(withoutSuffix(h.regionText()))
	core, placed, strange := romanCover(h.pinyin, int(h.sounds), region, &l.bag)
	if core < 0.5 {
		return orgDifferent, 0.02, 0
	}
	if c.corpus.ready() {
		bits = c.corpus.bits(hashOf(KeyToken, h.coreText()))
	}
	trade := translated(h.tradeText(), &l.bag)
	if core < 0.99 { // 京东世纪, Jingdong Century
		if placed && trade == agree && strange <= 1 {
			return orgAbbreviation, 0.6, bits / 2
		}
		return orgDistant, 0.1, bits / 4
	}
	switch {
	case trade == apart || strange > 1:
		return orgRelated, 0.2, bits
	case placed && trade == agree && strange == 0:
		return orgContained, 0.93, bits
	case (placed || trade == agree && strange == 0) && h.sounds >= 4:
		return orgContained, 0.8, bits
	case runeCount(h.coreText()) >= 3 || trade == agree && h.sounds >= 4:
		return orgAbbreviation, 0.65, bits
	}
	return orgPart, 0.35, bits
}

// romanCover is the share of the letters of a core's pinyin, the first sounds letters of
// pinyin, that the words of a name spell, whether they spell the region too, and how many
// words remain that are neither.
func romanCover(pinyin string, sounds int, region string, b *bag) (share float32, placed bool, strange int) {
	if sounds == 0 {
		return 0, false, 0
	}
	whole := region + pinyin
	var used [256]bool
	for i := range b.words {
		w, at := b.words[i].text, -1
		if len(w) > 1 && len(whole) <= len(used) {
			at = strings.Index(whole, w)
		}
		switch {
		case at >= 0:
			for k := range len(w) {
				used[at+k] = true
			}
		case region != "" && strings.HasPrefix(w, region): // baodingshi
			placed = true
		case tradeEnglish[w] == nil && !plainWords[canonicalOrgWord(w)] && !smallWords[w] && !businessWords[w]:
			strange++
		}
	}
	n := 0
	for i := len(region); i < min(len(region)+sounds, len(used)); i++ {
		if used[i] {
			n++
		}
	}
	return float32(n) / float32(sounds), placed || region != "" && used[0], strange
}

// translated compares a trade with the English words for trades in a name.
func translated(trade string, b *bag) relation {
	result := unknown
	for i := range b.words {
		english := tradeEnglish[b.words[i].text]
		if len(english) == 0 || trade == "" {
			continue
		}
		if containsAny(trade, english) {
			return agree
		}
		result = apart
	}
	return result
}

func containsAny(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}
