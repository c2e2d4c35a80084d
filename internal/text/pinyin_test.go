package text

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPinyin(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"台灣水泥", "tai wan shui ni"},
		{"台湾水泥", "tai wan shui ni"},
		{"IBM 中国银行", "ibm zhong guo yin hang"},
		{"女人绿地", "nv ren lv di"},
		{"重庆长安汽车", "chong qing chang an qi che"},
		{"重慶長安汽車", "chong qing chang an qi che"},
		{"重庆重工", "chong qing zhong gong"},
		{"厦门国贸大厦", "xia men guo mao da sha"},
		{"成都市", "cheng du shi"},
		{"长城会计师事务所", "chang cheng kuai ji shi shi wu suo"},
		{"成长银行", "cheng zhang yin hang"},
		{"西藏旅游", "xi zang lv you"},
		{"番禺音乐厅", "pan yu yin yue ting"},
		{"美的集团", "mei di ji tuan"},
		{"东阿阿胶", "dong e e jiao"},
		{"六安瓜片", "lu an gua pian"},
		{"精密模具", "jing mi mu ju"},
		{"Café 3M（中国）", "cafe 3m zhong guo"},
		{"トヨタ自動車", "トヨタ zi dong che"},
		{"佛山", "fo shan"},
	} {
		if got := strings.Join(Pinyin(c.in), " "); got != c.want {
			t.Errorf("Pinyin(%q) = %q, want %q", c.in, got, c.want)
		}
		if got := string(AppendPinyin([]byte("x"), c.in)); strings.TrimSuffix(got, " ") != "x"+c.want {
			t.Errorf("AppendPinyin(x, %q) = %q, want x%s", c.in, got, c.want)
		}
	}
}

// The readings that 百家姓 teaches for family names.
func TestPinyinOfAPersonReadsTheFamilyName(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"曾國藩", "zeng guo fan"},
		{"单雄信", "shan xiong xin"},
		{"單雄信", "shan xiong xin"},
		{"仇英", "qiu ying"},
		{"解珍", "xie zhen"},
		{"查良镛", "zha liang yong"},
		{"区寄", "ou ji"},
		{"朴槿惠", "piao jin hui"},
		{"乐毅", "yue yi"},
		{"尉迟恭", "yu chi gong"},
		{"万俟卨", "mo qi xie"},
		{"长孙无忌", "zhang sun wu ji"},
		{"单于雄", "chan yu xiong"},
		{"任我行", "ren wo xing"},
		{"张三", "zhang san"},
		{"John Zhang", "john zhang"},
		{"", ""},
	} {
		if got := strings.Join(PinyinOf(c.in, true), " "); got != c.want {
			t.Errorf("PinyinOf(%q, true) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestInitials(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"台灣水泥", "twsn"},
		{"台灣水泥股份有限公司", "twsngfyxgs"},
		{"TCL集团", "tcljt"},
		{"3M中国", "3mzg"},
		{"重庆啤酒", "cqpj"},
		{"Acme Trading Co.", "atc"},
		{"Studio 54", "s54"},
		{"Émile Zola", "ez"},
		{"ООО Ромашка", "ор"},
		{"二〇二五", "elew"},
	} {
		if got := Initials(c.in); got != c.want {
			t.Errorf("Initials(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestReadings(t *testing.T) {
	for _, c := range []struct {
		r    rune
		want string
	}{
		{'中', "zhong"},
		{'行', "xing hang"},
		{'重', "zhong chong"},
		{'厦', "xia sha"},
		{'廈', "xia sha"}, // as the simplified form
		{'長', "chang zhang"},
		{'樂', "le yue"},
		{'家', "jia"}, // not gu, as the classics have it
		{'吕', "lv"},
		{'虐', "nve"},
		{'〇', "ling"},
		{'㐀', "qiu"}, // extension A
		{'a', ""},
		{'あ', ""},
		{utf8.RuneError, ""},
		{-1, ""},
	} {
		if got := strings.Join(Readings(c.r), " "); !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("Readings(%q) = %q, want %q", c.r, got, c.want)
		}
	}
}

func TestReadingsAreSyllables(t *testing.T) {
	for r := rune(0); r < trieLimit; r++ {
		list := Readings(r)
		for i, p := range list {
			if strings.Trim(p, "abcdefghijklmnopqrstuvwxyz") != "" || len(p) > 6 || slices.Contains(list[:i], p) {
				t.Errorf("Readings(%q) = %q", r, list)
			}
		}
	}
}

// Every word of the list has a syllable for each character, is folded, and changes
// something.
func TestPinyinWords(t *testing.T) {
	for _, p := range append(listPairs(pinyinWordText), listPairs(surnameText)...) {
		word, reading := p[0], strings.Fields(p[1])
		if len(reading) != utf8.RuneCountInString(word) || Fold(word) != word {
			t.Errorf("%s %s", word, reading)
		}
		var plain []string
		for _, r := range word {
			plain = append(plain, Readings(r)[0])
		}
		if slices.Equal(plain, reading) {
			t.Errorf("%s %s reads so without the list", word, reading)
		}
	}
}

func FuzzPinyin(f *testing.F) {
	for _, s := range []string{"台灣水泥", "银行 ABC", "尉迟", "重", "a\xFF"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		han := 0
		for _, r := range Fold(s) {
			if Han(r) {
				han++
			}
		}
		for _, person := range []bool{false, true} {
			items := PinyinOf(s, person)
			if len(items) < han || slices.Contains(items, "") {
				t.Errorf("PinyinOf(%q, %v) = %q for %d characters", s, person, items, han)
			}
		}
		if in := Initials(s); len(in) > 0 != (len(Fold(s)) > 0) {
			t.Errorf("Initials(%q) = %q", s, in)
		}
	})
}

func BenchmarkPinyin(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Pinyin("臺灣水泥股份有限公司北廠")
	}
}

func BenchmarkInitials(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		sink = Initials("臺灣水泥股份有限公司北廠")
	}
}

func BenchmarkReadings(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Readings('行')
	}
}
