package compare

import (
	"strings"

	"github.com/clientele-go/clientele/internal/text"
)

// nameForm is a name of which it is unknown whether it is a person's: both readings, the
// one held to be less likely nil where sure.
type nameForm struct {
	person *personForm
	org    *orgForm
}

func (f *nameForm) Key() string {
	if f.org != nil {
		return f.org.key
	}
	return f.person.key
}

func (f *nameForm) script() script {
	if f.org != nil {
		return f.org.script
	}
	return f.person.script
}

type names struct {
	persons person
	orgs    organisations
}

func newName(_ Type, o Options) Comparator {
	return &names{person{PersonName, o.Corpus}, organisations{o.Corpus}}
}

func (c *names) Type() Type      { return Name }
func (c *names) Levels() []Level { return nameLevels }

var nameLevels = []Level{
	{"different", "the names differ", "名称不同"},
	{"distant", "the names have little in common", "名称略有相似"},
	{"related", "the names share a part; the rest differs", "名称部分相同，其余不同"},
	{"part", "the names share a part, initials, or sound alike", "名称部分一致、首字母一致或读音相同"},
	{"abbreviation", "one name may be short for the other, or they are spelled alike", "一个名称可能是另一个的简称，或拼写相近"},
	{"contained", "one name is more complete, a nickname or the other's pinyin; the rest agrees", "一个名称更完整，或为昵称、拼音，其余一致"},
	{"form", "the names differ in legal form, in order or by a letter", "仅组织形式、次序或一个字母不同"},
	{"equal", "the names agree", "名称一致"},
}

func (c *names) Prepare(value string) Form {
	key := folded(value)
	if key == "" {
		return nil
	}
	f := &nameForm{}
	switch personLike(value, key) {
	case likely:
		f.person = preparePerson(value, PersonName)
	case unlikely:
		f.org = prepareOrganisation(value, key)
	default:
		f.person, f.org = preparePerson(value, PersonName), prepareOrganisation(value, key)
	}
	if f.person == nil && f.org == nil {
		return nil
	}
	return f
}

// How likely a name is a person's.
const (
	unlikely = iota
	unsure
	likely
)

func personLike(value, key string) int {
	if hasHan(key) {
		return hanPersonLike(value, key)
	}
	if hasLegalForm(value) {
		return unlikely
	}
	words := strings.Fields(key)
	for _, w := range words {
		if hasDigit(w) || plainWords[canonicalOrgWord(w)] {
			return unlikely
		}
	}
	if len(words) > 5 {
		return unlikely
	}
	return unsure
}

func hasLegalForm(name string) bool {
	_, form := text.LegalForm(name)
	return form != ""
}

// hanPersonLike knows that Chinese people have names of two to four characters that begin
// with one of some hundred family names, and that trades are in few of them.
func hanPersonLike(value, key string) int {
	bare := key
	if rest := stripRemark(value); len(rest) < len(value) || len(value) > MaxRunes {
		bare = text.Fold(rest)
	}
	n := runeCount(bare)
	switch {
	case n > 5 || tradeAtEnd(key) > 0 && n > 3 || hasLegalForm(value):
		return unlikely
	case n < 2 || !familyNames[firstRune(bare)] && !doubleNames[string([]rune(bare)[:2])]:
		return unsure
	case n <= 3 && tradeAtEnd(bare) == 0:
		return likely
	}
	return unsure
}

// familyNames are the commonest family names of one character, those of more than 99 % of
// people in China.
var familyNames = func() map[string]bool {
	m := map[string]bool{}
	for _, r := range `王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平计索宣晋相初门云容敬来扈晁芮都普阙浦戈伏鹿薄邸雍辜羊阿乌母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戎勾茅利於呼居揭干但尉冶斯元束檀衣信展阴昝智幸奉植衡富尧闭由` {
		m[string(r)] = true
	}
	return m
}()

func (c *names) Compare(a, b Form) Outcome {
	x, ok := a.(*nameForm)
	y, too := b.(*nameForm)
	if !ok || !too {
		return Outcome{}
	}
	var best Outcome
	if x.person != nil && y.person != nil {
		if anotherGeneration(x.person, y.person) {
			return best
		}
		if coupled(&x.person.bag, &y.person.bag) {
			return c.persons.compare(x.person, y.person)
		}
	}
	if x.script() != y.script() {
		return Outcome{Mute: true}
	}
	if x.org != nil && y.org != nil {
		level, _, bits := c.orgs.compare(x.org, y.org)
		best = Outcome{Level: level, Bits: bits}
	}
	if x.person != nil && y.person != nil {
		if o := c.persons.compare(x.person, y.person); best.Level == 0 || x.org == nil || y.org == nil || o.Level > best.Level {
			best = o
		}
	}
	return best
}

func (c *names) Tokens(f Form, emit func(uint64)) {
	n, ok := f.(*nameForm)
	switch {
	case !ok:
	case n.org != nil:
		c.orgs.Tokens(n.org, emit)
	default:
		c.persons.Tokens(n.person, emit)
	}
}

func (c *names) settle(f Form) {
	n, ok := f.(*nameForm)
	if !ok {
		return
	}
	if n.org != nil {
		c.orgs.settle(n.org)
	}
	if n.person != nil {
		c.persons.settle(n.person)
	}
}

func (c *names) Keys(f Form, want KeyKinds, emit func(Key)) {
	n, ok := f.(*nameForm)
	if !ok {
		return
	}
	if n.org != nil {
		c.orgs.Keys(n.org, want, emit)
	}
	if n.person != nil {
		c.persons.Keys(n.person, want, emit)
	}
}
