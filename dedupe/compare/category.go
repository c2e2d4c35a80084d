package compare

import "strings"

var categoryLevels = []Level{
	{"different", "the values differ", "取值不同"},
	{"distant", "the values have little in common", "取值略有相似"},
	{"part", "a word agrees", "部分词语一致"},
	{"most", "most words agree", "多数词语一致"},
	{"contained", "one value contains the other", "一个取值包含另一个"},
	{"abbreviation", "one value is short for the other", "一个取值是另一个的缩写"},
	{"typo", "the values differ by one letter", "取值差一个字母"},
	{"equal", "the values agree", "取值一致"},
}

type categoryForm struct {
	key   string
	words []string
}

func (f *categoryForm) Key() string { return f.key }

type categories struct{}

func newCategory(Type, Options) Comparator { return &categories{} }

func (c *categories) Type() Type      { return Category }
func (c *categories) Levels() []Level { return categoryLevels }

// synonyms are the ways of writing a few categories that every book has.
var synonyms = map[string]string{
	"m": "male", "man": "male", "mr": "male", "男": "male", "男性": "male", "先生": "male",
	"f": "female", "w": "female", "woman": "female", "mrs": "female", "ms": "female", "女": "female", "女性": "female", "女士": "female",
	"y": "yes", "true": "yes", "是": "yes", "有": "yes", "n": "no", "false": "no", "否": "no",
	"个人": "person", "individual": "person", "自然人": "person",
	"公司": "company", "企业": "company", "单位": "company", "organisation": "company", "organization": "company", "org": "company", "corporate": "company",
}

func (c *categories) Prepare(value string) Form {
	s := folded(value)
	if s == "" {
		return nil
	}
	if known := synonyms[s]; known != "" {
		s = known
	}
	words := strings.Fields(s)
	return &categoryForm{s, words[:min(len(words), maxWords)]}
}

func (c *categories) Compare(a, b Form) Outcome {
	x, ok := a.(*categoryForm)
	y, too := b.(*categoryForm)
	if !ok || !too {
		return Outcome{}
	}
	return Outcome{Level: categoryLevel(x, y)}
}

func categoryLevel(x, y *categoryForm) uint8 {
	if x.key == y.key {
		return Exact
	}
	short, long := x, y
	if longer(short.key, long.key) {
		short, long = long, short
	}
	common := 0
	for _, w := range short.words {
		for _, v := range long.words {
			if v == w {
				common++
				break
			}
		}
	}
	switch {
	case edits(x.key, y.key) == 1 && runeCount(short.key) >= 4:
		return 6
	case len(long.words) > 1 && len(short.words) == 1 && len(short.key) > 1 && short.key == initialsInOrder(long.words):
		return 5
	case common == len(short.words) || hasHan(short.key) && runeCount(short.key) >= 2 && strings.Contains(long.key, short.key):
		return 4
	case 2*common > len(long.words):
		return 3
	case common > 0:
		return 2
	case jaroWinkler(x.key, y.key) >= 0.85:
		return 1
	}
	return 0
}

func (*categories) Tokens(Form, func(uint64)) {}

func (c *categories) Keys(f Form, want KeyKinds, emit func(Key)) {
	if f != nil {
		emitter{want, emit}.text(KeyExact, f.Key())
	}
}
