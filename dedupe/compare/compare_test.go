package compare

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

func comparator(t testing.TB, typ Type) Comparator {
	t.Helper()
	c, err := New(typ, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// levelName is the name of the level on which two values stand.
func levelName(c Comparator, a, b string) string {
	return c.Levels()[c.Compare(c.Prepare(a), c.Prepare(b)).Level].Name
}

type pair struct{ a, b, want string }

// check holds a table of pairs to their levels, in both directions.
func check(t *testing.T, typ Type, pairs []pair) {
	t.Helper()
	c := comparator(t, typ)
	for _, p := range pairs {
		if got := levelName(c, p.a, p.b); got != p.want {
			t.Errorf("%s: %q and %q are %q, want %q", typ, p.a, p.b, got, p.want)
		}
		if got := levelName(c, p.b, p.a); got != p.want {
			t.Errorf("%s: %q and %q are %q, want %q", typ, p.b, p.a, got, p.want)
		}
	}
}

func TestOrganisationsInChinese(t *testing.T) {
	check(t, OrganisationName, []pair{
		{"台灣水泥股份有限公司", "台湾水泥股份有限公司", "equal"},
		{"ＡＢＣ科技有限公司", "abc科技有限公司", "equal"},
		{"国元证券", "国元证券股份有限公司", "form"},
		{"深圳市翔通光电技术有限公司", "深圳翔通光电技术有限公司", "form"},
		{"米小米供应链管理（保定）有限公司", "保定米小米供应链管理有限公司", "form"},
		{"江阴金阳融资担保有限公司", "江阴市金阳融资担保有限公司", "form"},
		{"浙江司太立制药股份有限公司", "司太立制药", "contained"},
		{"上海海通证券资产管理有限公司", "海通证券资产管理有限公司", "contained"},
		{"中国石油化工股份有限公司", "中石化", "abbreviation"},
		{"臺灣水泥股份有限公司", "台泥", "abbreviation"},
		{"上海浦东发展银行股份有限公司", "浦发银行", "form"},
		{"建行湘江支行", "中国建设银行股份有限公司湘江支行", "form"},
		{"中国工商银行吴江支行", "中国工商银行股份有限公司吴江盛泽支行", "contained"},
		{"中国农业银行宁波分行", "中国农业银行股份有限公司", "related"}, // branch and head office
		{"招商银行长沙分行", "招商银行武汉分行", "related"},
		{"广州尚泽网络科技有限公司", "成都尚泽网络科技有限公司", "related"}, // sisters in other cities
		{"中铁一局集团有限公司", "中铁十一局集团有限公司", "related"},    // numbers must agree
		{"天水尚泽网络科技有限公司", "天水尚泽餐饮管理有限公司", "related"},
		{"深圳市拓搏实业有限公司", "深圳市拓博实业有限公司", "part"},        // sounds the same
		{"武汉熙悦房地产开发有限公司", "成都润置房地产开发有限公司", "distant"}, // the trade only
		{"武汉熙悦房地产开发有限公司", "台灣水泥股份有限公司", "different"},
	})
}

// Japanese names in kana or Latin letters have a legal form in Chinese characters.
func TestOrganisationsInJapanese(t *testing.T) {
	check(t, OrganisationName, []pair{
		{"ソフトバンク株式会社", "ソフトバンク", "form"},
		{"株式会社データ・アプリケーション", "データ・アプリケーション", "form"},
		{"ｲｰ･ｶﾞｰﾃﾞｨｱﾝ", "イー・ガーディアン株式会社", "form"},
		{"有限會社ソフト", "ソフト", "form"},
		{"㈱ティムス", "（株）ティムス", "equal"},
		{"ＹＥ ＤＩＧＩＴＡＬ", "株式会社YE DIGITAL", "form"},
		{"株式会社日本取引所", "日本取引所", "form"},
		{"ソフトバンク株式会社", "ソフトマックス株式会社", "different"},
	})
}

func TestOrganisationsAcrossScripts(t *testing.T) {
	check(t, OrganisationName, []pair{
		{"石家庄如意吉祥教育咨询有限公司", "Shijiazhuang Ruyijixiang Education Consulting Company Limited", "contained"},
		{"深圳市颐庐环保科技股份有限公司", "Shenzhen Yilu Environmental Technology Co., Ltd.", "contained"},
		{"深圳市颐庐环保科技股份有限公司", "Yilu Catering Co., Ltd.", "related"}, // another trade
		{"深圳市颐庐环保科技股份有限公司", "Acme Trading Co., Ltd.", "different"},
	})
}

func TestOrganisationsInLatinScript(t *testing.T) {
	check(t, OrganisationName, []pair{
		{"Circuit City Stores, Inc.", "CIRCUIT CITY STORES INC", "equal"},
		{"Acme GmbH", "Acme", "form"},
		{"Compaq Computer Corporation", "Compaq Computer Corp.", "form"},
		{"Wave Technologies International, Inc.", "WAVE TECH INTL", "form"},
		{"The Good Guys, Inc.", "GOOD GUYS INC", "form"},
		{"7th Level, Inc.", "7thLevel", "form"},
		{"Videonics, Inc.", "VIDEOONICS INC", "form"},
		{"Central Chief Limited", "Chief Central Limited", "form"},
		{"Müller & Söhne AG", "Muller Sohne", "form"},
		{"ООО «Ромашка»", "Romashka LLC", "form"},
		{"International Business Machines Corp", "IBM", "abbreviation"},
		{"Taiwan Semiconductor Manufacturing Co., Ltd.", "TSMC", "abbreviation"},
		{"NEC Corp", "NorAm Energy Corp.", "different"},
		{"Dell Computer Corporation", "Dell", "contained"},
		{"Acme 100 Ltd", "Acme 200 Ltd", "related"},
		{"Motorola, Inc.", "Avnet, Inc.", "different"},
		{"3Com Corporation", "THREE COM CORP", "form"},
		{"First Bancorp", "1st Bancorp", "form"},
		{"Neogen Corporation", "NEXGEN INC", "part"}, // two brands
		{"Werner Enterprises, Inc.", "CERNER CORP", "part"},
		{"Microsoft Systems", "Mikrosoft", "abbreviation"},      // a long word mistyped
		{"First USA, Inc.", "First USA Paymentech Inc", "part"}, // two firms of one house
		{"MTS Inc.", "MTS Systems Corp.", "part"},
		{"MTS", "MTS Systems Corp.", "contained"}, // a short name
		{"MTS Inc.", "MTS Systems, Incorporated", "contained"},
		{"MTS Company", "MTS Systems Corp.", "contained"},
		{"Chiron Corporation", "CHYRON CORP", "part"},
		{"Motorola, Inc.", "Moorola, Inc.", "contained"}, // a longer word is mistyped rather
	})
}

func TestPeopleInLatinScript(t *testing.T) {
	check(t, PersonName, []pair{
		{"Dr. Robert Smith", "robert smith", "equal"},
		{"LIU, Kaiying", "Kaiying Liu", "equal"},
		{"Liu Kaiying", "Kaiying Liu", "typo"}, // the other order
		{"Robert Smith", "Robert Smiht", "typo"},
		{"Bob Smith", "Robert Smith", "nickname"},
		{"Zachary (Zach) Kinney", "Zachary Kinney", "equal"},
		{"Jacob (Jake) Sagare", "Jake Sagare", "equal"},
		{`Jacob "Jake" Sagare`, "Jacob Sagare", "equal"},
		{"Sagare, Jacob (Jake)", "Jake Sagare", "equal"},
		{"Sagare, Jacob (Jake) M.", "Jake M. Sagare", "equal"},
		{"Edward (Chris) Denuna", "Edward (Eddie) Child", "part"},
		{"José García Márquez", "Jose Garcia", "nickname"},
		{"J. Smith", "John Smith", "similar"},
		{"Maria Sentosa", "Maria Medina", "part"},
		{"ВАСИЛЬЕВ, Александр", "Aleksandr Vasilev", "equal"},
		{"Παπαδόπουλος, Νίκος", "Nikos Papadopoulos", "equal"},
		{"David Dobbins Jr", "David Dobbins Sr", "different"}, // father and son
		{"David Dobbins Jr", "David Dobbins", "equal"},
		{"Morris I Klein", "Morris II Klein", "different"}, // within the name, where parts were put together
		{"Morris Jr Klein", "Morris Klein", "equal"},
		{"Morris I Klein", "Morris Ivan Klein", "similar"}, // an initial
		{"Robert Smith", "Anna Kowalska", "different"},
	})
	check(t, PersonGiven, []pair{
		{"Thomas", "thomas", "equal"},
		{"Tom", "Thomas", "nickname"},
		{"Hans", "Johannes", "nickname"},
		{"Danel", "Daniel", "typo"},
		{"Crhralie", "Charlie", "nickname"}, // two edits
		{"T", "Thomas", "initials"},
		{"Mark", "Marsha", "different"}, // a man's and a woman's
		{"Paul", "Paula", "different"},
		{"Stefan", "Stefanie", "different"},
		{"Gina", "Gino", "typo"},        // Gino is not in the list
		{"Vicky", "Vickie", "nickname"}, // spellings of one pet name …
		{"Peggie", "Margaret", "nickname"},
		{"Larry", "Harry", "part"}, // errors seldom meet the first letter
		{"Anna", "Robert", "different"},
	})
}

func TestPeopleInChinese(t *testing.T) {
	check(t, PersonName, []pair{
		{"羅剛德", "罗刚德", "equal"},
		{"李 英金", "李英金", "equal"},
		{"缪旭坤（收）", "缪旭坤", "equal"},
		{"Kaiying Liu", "刘凯英", "nickname"},
		{"NI, Daozhu", "倪道柱", "nickname"},
		{"Zhang Xiu Ying", "张秀英", "nickname"},
		{"Ouyang Feng", "欧阳锋", "nickname"},
		{"Y. Liu", "刘英", "initials"},
		{"陈慧敏", "陈惠珉", "similar"}, // sounds the same
		{"王小明", "小明", "initials"},
		{"王小明", "王大海", "distant"}, // the same family name
		{"王小明", "李四光", "different"},
	})
	c := comparator(t, PersonFamily)
	given := comparator(t, PersonGiven)
	if got := c.Compare(c.Prepare("张"), given.Prepare("Zhang")).Level; got < personNickname {
		t.Errorf("the forms of person types don't compare with one another: level %d", got)
	}
}

func TestNamesOfWhichTheKindIsUnknown(t *testing.T) {
	check(t, Name, []pair{
		{"刘丽", "刘丽", "equal"},
		{"怡然广告", "丽水市怡然广告有限公司", "contained"},
		{"CHEN, Huimin", "陈惠珉", "contained"},
		{"马应龙药业集团股份有限公司", "马应龙药业", "form"},
		{"刘丽", "丽水市怡然广告有限公司", "different"},
		{"Susan Meyer", "Susan Meyer Thomas", "contained"},
		{"David Dobbins Jr", "David Dobbins Senior", "different"}, // father and son
	})
	c := comparator(t, Name)
	for _, couple := range [][2]string{{"Paula Bergmann", "Paul Bergmann"}, {"Martina Silva", "Martin Silva"}} {
		if got := c.Compare(c.Prepare(couple[0]), c.Prepare(couple[1])).Level; got > personPart {
			t.Errorf("%q are on level %d; want %d at most", couple, got, personPart)
		}
	}
}

// A family name says nothing of its bearer's gender.
func TestFamilyNamesHaveNoGender(t *testing.T) {
	check(t, PersonFamily, []pair{{"Martin", "Martina", "nickname"}, {"Paul", "Paula", "nickname"}})
}

// Names in scripts that no rule brings together can't speak for or against anything.
func TestNamesInOtherScriptsAreMute(t *testing.T) {
	for _, typ := range []Type{Name, PersonName, PersonGiven, OrganisationName} {
		c := comparator(t, typ)
		for _, p := range []struct {
			a, b string
			mute bool
		}{
			{"Mohamed Ali", "محمد علي", true},
			{"Somchai Jaidee", "สมชาย ใจดี", true},
			{"삼성전자", "Samsung Electronics", true},
			{"삼성전자", "サムスン", true},
			{"王小明", "محمد علي", true},
			{"محمد علي", "محمد عمر", false}, // as written
			{"Иванов", "Ivanov", false},     // transliterated
			{"王小明", "Wang Xiaoming", false},
			{"Ali علي", "Ali", false}, // both
			{"محمد علي | Mohamed Ali", "Mohamed Ali", false},
		} {
			if o := c.Compare(c.Prepare(p.a), c.Prepare(p.b)); o.Mute != p.mute || o.Mute && o.Level != 0 {
				t.Errorf("%s: %q and %q compare as %+v; want mute %v", typ, p.a, p.b, o, p.mute)
			}
		}
	}
}

// The list of given names has none twice, none that needs folding and none of both kinds.
func TestGivenNamesHaveOneGender(t *testing.T) {
	seen := map[string]bool{}
	for line := range strings.Lines(genderText) {
		for _, name := range strings.Fields(line)[1:] {
			if seen[name] || folded(name) != name || strings.Contains(name, " ") {
				t.Errorf("%q stands twice, or is not folded", name)
			}
			seen[name] = true
		}
	}
	if len(seen) != len(genders()) {
		t.Errorf("%d names read of %d", len(genders()), len(seen))
	}
}

func TestPhones(t *testing.T) {
	check(t, Phone, []pair{
		{"+86 137 1502 2661", "13715022661", "equal"},
		{"(02)2531-7099", "02-25317099", "equal"},
		{"310/246-1501", "310-246-1501", "equal"},
		{"+7(4812)85-62-34", "(4812)85-62-34", "equal"},
		{"+44 20 7946 0958", "020 7946 0958", "equal"},
		{"2531-7099", "(02)2531-7099", "local"}, // without the area code
		{"010-62551234", "010-62551234-8001", "local"},
		{"13715022661", "13715022611", "typo"},
		{"13715022661", "13715022616", "typo"},          // transposed
		{"(010)74155715", "(010)68421190", "different"}, // a shared area code is no evidence
		{"13715022661", "13798765432", "different"},
	})
}

func TestEmails(t *testing.T) {
	check(t, Email, []pair{
		{"Wang.Li@Example.com", "wang.li@example.com", "equal"},
		{"Wang Li <wang.li@example.com>", "wang.li@example.com", "equal"},
		{"caleb.kay@morales.com", "caleb.kay@moralse.com", "typo"},
		{"afarrell@torres.com", "afoarrell@torre-s.com", "near"},
		{"wang.li@qq.com", "wang.li@163.com", "name"},
		{"sales@example.com", "wang.li@example.com", "domain"},
		{"sales@example.com", "wang.li@other.org", "different"},
	})
}

func TestWebsites(t *testing.T) {
	check(t, Website, []pair{
		{"http://www.acc.com.tw/", "www.acc.com.tw", "equal"},
		{"https://voltronic.com/zh-TW", "voltronic.com", "host"},
		{"www.easterseaslchicago.org", "www.eastersealschicago.org", "typo"},
		{"www.wallaby.com", "www.wallaby.com.au", "name"},
		{"www.acc.com.tw", "www.kinsus.com.tw", "different"},
		{"http://www.fpc.com.tw", "http://www.fcfc.com.tw", "different"}, // short sites are chosen to be unlike
		{"www.fpc.com.tw", "www.fpc.con.tw", "typo"},
	})
}

func TestAddresses(t *testing.T) {
	check(t, Address, []pair{
		{"台北市中山北路2段113號", "臺北市中山北路二段113號", "equal"},
		{"１２３ Main Street", "123 main st.", "equal"},
		{"定西市通渭县解放路602号", "甘肃省定西市通渭县解放路602号", "equal"}, // the city implies its province
		{"河北省邯郸市魏县创业路170号心一花园7栋1单元2406室", "河北邯郸魏县创业路170号7-1-2406", "contained"},
		{"1414 W 87th St", "1414 West 87th Street", "equal"},
		{"3212 W. 32nd St Palm Harbor, FL 60527", "3212 West 32nd Street", "contained"},
		{"11-1506, 康中广场, No.332 Chuangyelu, Jiangbeiqu", "江北区创业路332号康中广场11栋1506室", "near"},
		{"2610 N Francisco Ave", "2610 N Fransisco Ave", "near"},
		{"12 Oak Street", "14 Oak Street", "part"}, // numbers must agree
		{"12 Oak Street", "977 Pine Road", "different"},
	})
}

func TestPlaces(t *testing.T) {
	check(t, AddressCity, []pair{
		{"深圳", "深圳市", "equal"},
		{"台北市", "臺北市", "equal"},
		{"Birmingham", "Birminghma", "typo"},
		{"new south wales", "nsw", "abbreviation"},
		{"保定市", "Baoding", "abbreviation"},
		{"new york", "new york city", "contained"},
		{"广东省", "深圳市", "contained"},
		{"London", "Dudley", "different"},
	})
}

func TestDates(t *testing.T) {
	check(t, DateBirth, []pair{
		{"1980-03-12", "19800312", "equal"},
		{"1980年3月12日", "12 March 1980", "equal"},
		{"12/03/1980", "1980-03-12", "equal"}, // day first, or …
		{"3/13/80", "1980-03-13", "equal"},    // month first
		{"民國69年3月12日", "1980-03-12", "equal"}, // 69 + 1911
		{"1980-03-12 00:00:00", "1980-03-12", "equal"},
		{"1978-12-11", "1978-11-12", "swapped"},
		{"1980-03-12", "1980-03-21", "swapped"},
		{"1980-03-12", "1980-04-12", "digit"},
		{"1980-03-12", "1980", "days"},
		{"1980-03-30", "1980-04-01", "days"}, // two days apart
		{"1980-03-12", "1980-03-28", "two"},
		{"1944-09-03", "1944-11-03", "two"},    // another month
		{"1962-07-30", "1950-07-30", "days"},   // another year
		{"1957-01-16", "1956-12-29", "digits"}, // weeks apart
		{"1980-03-12", "1951-07-30", "different"},
	})
}

func TestIdentifiers(t *testing.T) {
	check(t, Identifier, []pair{
		{"123-45-6789", "123456789", "equal"},
		{"11010519491231002x", "11010519491231002X", "equal"},         // the example of GB 11643
		{"11010519491231002X", "440524188001010014", "contradiction"}, // both pass ISO 7064 MOD 11-2
		{"AB1O2345", "AB102345", "confusable"},
		{"5304218", "5304128", "typo"},
		{"5304218", "9239102", "different"},
	})
}

func TestOthers(t *testing.T) {
	check(t, AddressPostcode, []pair{
		{"tq13 8df", "TQ138DF", "equal"}, {"60624-1234", "60624", "short"}, {"60624", "60642", "typo"}, {"60624", "10115", "different"},
	})
	check(t, AddressNumber, []pair{{"12", "12", "equal"}, {"12a", "12", "suffix"}, {"112", "12", "typo"}, {"4", "977", "different"}})
	check(t, Category, []pair{{"M", "male", "equal"}, {"男", "male", "equal"}, {"french (new)", "french", "contained"}, {"politician", "archer", "different"}})
	check(t, DateYear, []pair{{"1999", "1999年", "equal"}, {"1989", "1998", "swapped"}, {"1967", "1968", "digit"}})
	check(t, Number, []pair{{"1,000", "1000.0", "equal"}, {"100", "93", "tenth"}, {"100", "4", "different"}})
	check(t, Text, []pair{
		{"Semantic integration of models", "Semantic Integration of Models.", "equal"},
		{"Semantic integration of environmental models", "Semantic integration of enviromental models", "near"},
		{"the quick brown fox", "lorem ipsum dolor", "different"},
	})
}

func TestSeveralValuesAreAsAlikeAsTheMostAlike(t *testing.T) {
	check(t, Phone, []pair{
		{"02-2531-7099 | 13715022661", "13715022661", "equal"},
		{"02-2531-7099 | 13715022661", "02-25317090 | 0755-83837348", "typo"},
	})
}

func TestWhatSaysNothingIsMissing(t *testing.T) {
	for _, typ := range Types() {
		c := comparator(t, typ)
		for _, v := range []string{"", "  ", "\xff\xfe", "N/A", "-", "未知", " | "} {
			if f := c.Prepare(v); f != nil {
				t.Errorf("%s: %q has the form %q, want none", typ, v, f.Key())
			}
		}
		if o := c.Compare(nil, c.Prepare("12 Oak Street")); o.Level != 0 {
			t.Errorf("%s: a missing value is on level %d", typ, o.Level)
		}
	}
	if f := comparator(t, Identifier).Prepare("000000000"); f != nil {
		t.Error("an identifier of zeros isn't missing")
	}
}

func TestLevelsAreEightAndBilingual(t *testing.T) {
	for _, typ := range Types() {
		c := comparator(t, typ)
		if c.Type() != typ || len(c.Levels()) != Exact+1 {
			t.Errorf("%s: type %s, %d levels", typ, c.Type(), len(c.Levels()))
		}
		for _, l := range c.Levels() {
			if l.Name == "" || l.En == "" || l.Zh == "" || strings.Contains(l.Name, " ") {
				t.Errorf("%s: level %+v", typ, l)
			}
		}
	}
}

func TestUnknownTypeIsNamed(t *testing.T) {
	_, err := New("person.nmae", Options{})
	var wrong *TypeError
	if !errors.Is(err, ErrType) || !errors.As(err, &wrong) || wrong.Type != "person.nmae" || !strings.Contains(err.Error(), "person.name") {
		t.Errorf("error %v", err)
	}
	if _, err := NewNames(Phone); !errors.Is(err, ErrType) {
		t.Errorf("error %v", err)
	}
}

// TestAlikeValuesMeet is about keys: what blocking must not lose.
func TestAlikeValuesMeet(t *testing.T) {
	for _, p := range []struct {
		typ  Type
		a, b string
	}{
		{OrganisationName, "中国石油化工股份有限公司", "中石化"},
		{OrganisationName, "臺灣水泥股份有限公司", "台泥"},
		{OrganisationName, "上海浦东发展银行股份有限公司", "浦发银行"},
		{OrganisationName, "深圳市颐庐环保科技股份有限公司", "Shenzhen Yilu Environmental Technology Co., Ltd."},
		{OrganisationName, "International Business Machines Corp", "IBM"},
		{OrganisationName, "Taiwan Semiconductor Manufacturing Co., Ltd.", "TSMC"},
		{OrganisationName, "Videonics, Inc.", "VIDEOONICS INC"},
		{PersonName, "Kaiying Liu", "刘凯英"},
		{PersonName, "张秀英", "Zhang Xiu Ying"},
		{PersonName, "Robert Smith", "Smiht, Robert"},
		{PersonFamily, "kerr", "carr"},
		{Phone, "2531-7099", "(02)2531-7099"},
		{Phone, "13715022661", "13715022611"},
		{Identifier, "5304218", "5304128"},
		{DateBirth, "1978-12-11", "1978-11-12"},
		{Email, "afarrell@torres.com", "afoarrell@torres.com"},
		{Address, "11-1506, 康中广场, No.332 Chuangyelu, Jiangbeiqu", "江北区创业路332号"},
	} {
		c := comparator(t, p.typ)
		if !meet(c, c.Prepare(p.a), c.Prepare(p.b)) {
			t.Errorf("%s: %q and %q have no key in common", p.typ, p.a, p.b)
		}
	}
}

// The exact key, which is one of the few that are kept for live candidates, brings names together that
// differ by what is written or left out at will: the word for a division, and the legal form.
func TestExactKeysLeaveOutWhatIsWrittenAtWill(t *testing.T) {
	exact := func(c Comparator, name string) (keys []Key) {
		KeysOf(c, name, KindsOf(KeyExact), func(k Key) { keys = append(keys, k) })
		return keys
	}
	for _, typ := range []Type{OrganisationName, Name} {
		c := comparator(t, typ)
		want := exact(c, "江阴市金阳设备租赁有限公司")
		if len(want) != 1 {
			t.Fatalf("%s: %d exact keys; want one", typ, len(want))
		}
		for _, alike := range []string{"江阴金阳设备租赁有限公司", "江阴市金阳设备租赁有限责任公司", "江陰市金陽設備租賃股份有限公司"} {
			if got := exact(c, alike); !slices.Equal(got, want) {
				t.Errorf("%s: %s has another exact key", typ, alike)
			}
		}
		for _, other := range []string{"江阴市金月设备租赁有限公司", "江阴市金阳设备租赁有限公司无锡分公司"} {
			if got := exact(c, other); slices.Equal(got, want) {
				t.Errorf("%s: %s has the same exact key", typ, other)
			}
		}
	}
}

func TestWholeNamesSayWhatTheirCountDoes(t *testing.T) {
	corpus := NewCorpus()
	c, err := New(OrganisationName, Options{Corpus: corpus})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1024 {
		name := "Gamma Pier Inc." // 511, and 464 that end in Delta
		switch {
		case i < 16:
			name = "Alpha Beta"
		case i < 32:
			name = "Alpha Harbour"
		case i < 48:
			name = "Harbour Beta"
		case i == 48:
			name = "Gamma Delta"
		case i < 513:
			name = "Epsilon Delta"
		}
		corpus.Learn(c, c.Prepare(name), 1)
	}
	corpus.Seal()
	for _, want := range []struct {
		a, b string
		bits float64
	}{
		// 32 of 1,024 have each word, 5 bits; both together stand in 16, 6 bits, and the words'
		// 10 bits count a sixteenth: 6 + (10 − 6)/16.
		{"Alpha Beta", "Alpha Beta Inc.", 6.25},
		// Each word stands in about half of the names, both together in one.
		{"Gamma Delta", "Gamma Delta Inc.", 10},
		{"Gamma Delta Inc.", "Gamma Delta Inc.", 10},
		// A part says what the word does.
		{"Alpha Beta", "Alpha Omega", 5},
	} {
		if got := c.Compare(c.Prepare(want.a), c.Prepare(want.b)).Bits; math.Abs(float64(got)-want.bits) > 0.05 {
			t.Errorf("%q and %q share %.2f bits; want %.2f", want.a, want.b, got, want.bits)
		}
	}
	corpus.WordsOnly()
	if got := c.Compare(c.Prepare("Alpha Beta"), c.Prepare("Alpha Beta Inc.")).Bits; math.Abs(float64(got)-10) > 0.05 {
		t.Errorf("with words only, Alpha Beta tells %.2f bits; want 10", got)
	}
}

// withStored returns a comparator with what storing keeps of a corpus.
func withStored(t *testing.T, typ Type, corpus *Corpus) Comparator {
	t.Helper()
	stored, _, err := CutCorpus(corpus.AppendBinary(nil))
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(typ, Options{Corpus: stored})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A stored corpus has no words of fewer than five values, but whoever asks for one has mostly two that
// share it.
func TestStoredCorporaSayWhatTwoNamesShare(t *testing.T) {
	corpus := NewCorpus()
	now, err := New(OrganisationName, Options{Corpus: corpus})
	if err != nil {
		t.Fatal(err)
	}
	corpus.Learn(now, now.Prepare("Zenith Quarry"), 1)
	corpus.Learn(now, now.Prepare("Zenith Quarry Inc."), 1)
	corpus.Learn(now, now.Prepare("Gamma Pier Inc."), 1021)
	corpus.Seal()
	then := withStored(t, OrganisationName, corpus)
	// 2 of 1,024 have each word, 9 bits, and both together, whose 9 bits the words' 18 lift by half
	// of what they have more: 9 + (18 − 9)/2.
	for which, c := range map[string]Comparator{"as it was learned": now, "as it was stored": then} {
		if got := c.Compare(c.Prepare("Zenith Quarry"), c.Prepare("Zenith Quarry Inc.")).Bits; math.Abs(float64(got)-13.5) > 0.05 {
			t.Errorf("%s: the names share %.2f bits; want 13.5", which, got)
		}
	}
}

func TestRareWordsSayMoreThanCommonOnes(t *testing.T) {
	corpus := NewCorpus()
	c, err := New(OrganisationName, Options{Corpus: corpus})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1024 {
		name := "Acme Harbour " + strings.Repeat("x", i%3+1)
		if i == 0 {
			name = "Zugzwang Harbour"
		}
		corpus.Learn(c, c.Prepare(name), 1)
	}
	corpus.Seal()
	rare := c.Compare(c.Prepare("Zugzwang Harbour"), c.Prepare("Zugzwang Pier"))
	common := c.Compare(c.Prepare("Acme Harbour"), c.Prepare("Acme Pier"))
	// Zugzwang stands in 1 of 1,024 names, Acme in 1,023: about 10 bits and none.
	if rare.Bits < 9.5 || rare.Bits > 10.5 || common.Bits > 0.1 || rare.Level <= common.Level {
		t.Errorf("rare %+v, common %+v", rare, common)
	}
	corpus.Learn(c, c.Prepare("Zugzwang"), 1000)
	if after := c.Compare(c.Prepare("Zugzwang Harbour"), c.Prepare("Zugzwang Pier")); after != rare {
		t.Errorf("a sealed corpus learned: %+v, then %+v", rare, after)
	}
}

func TestNamesAlone(t *testing.T) {
	for _, c := range []struct {
		typ  Type
		a, b string
		same bool
	}{
		{OrganisationName, "中国工商银行诸暨支行", "中国工商银行股份有限公司诸暨支行", true},
		{OrganisationName, "甘肃金塔恒盛农业发展有限责任公司", "甘肃金塔县恒盛农业发展有限责任公司", true},
		{OrganisationName, "深圳市拓搏实业有限公司", "深圳市拓博实业有限公司", false},
		{OrganisationName, "绍兴旭晖新能源科技有限公司", "绍兴曜晖新能源科技有限公司", false},
		{OrganisationName, "中国银行黄石市分行", "中国工商银行黄石分行", false},
		{OrganisationName, "杭州娃哈哈集团有限公司", "杭州娃哈哈饮料有限公司", false}, // one may own the other
		{OrganisationName, "中国建筑第三工程局有限公司", "中建三局", true},
		{OrganisationName, "Siemens AG", "Siemens Healthineers AG", false},
		{OrganisationName, "Gartner Group, Inc.", "GARTNER GROUP", true},
		{OrganisationName, "Thermo Voltek Corp.", "Thermo Electron Corp.", false},
		{PersonName, "Bob Smith", "Robert Smith", true},
		{PersonName, "TANG, Yingxiao", "WANG, Yinggui", false},
		{Name, "怡然广告", "丽水市怡然广告有限公司", true},
		{Name, "倪道柱", "NI, Daozhu", true},
		{Name, "", "", false},
	} {
		n, err := NewNames(c.typ)
		if err != nil {
			t.Fatal(err)
		}
		if p := n.Same(c.a, c.b); p < 0 || p > 1 || p >= 0.5 != c.same {
			t.Errorf("%s: %q and %q are the same with probability %.2f", c.typ, c.a, c.b, p)
		}
	}
}

func TestGenerationsAreDifferentValues(t *testing.T) {
	c, err := New(PersonFamily, Options{})
	if err != nil {
		t.Fatal(err)
	}
	// Values with one key are taken for equal without being compared.
	if father, son := c.Prepare("Dobbins Sr").Key(), c.Prepare("Dobbins Junior").Key(); father == son {
		t.Errorf("father and son have one key %q", father)
	}
	if a, b := c.Prepare("Dobbins Jr.").Key(), c.Prepare("DOBBINS junior").Key(); a != b {
		t.Errorf("one name has the keys %q and %q", a, b)
	}
}

// Words of addresses that begin with a Han character or a digit stand for themselves without
// being looked up.
func TestWordsOfAddressesBeginWithLetters(t *testing.T) {
	for w := range addressWords() {
		if class(first(w)) != otherClass {
			t.Errorf("%q has the abbreviation %q, which nobody looks up", w, addressWords()[w])
		}
	}
}

// What is known of words' lengths must not hide any of them.
func TestPlacesAndTradesAreFoundByTheirEnds(t *testing.T) {
	for name := range placeNames().names {
		if n, code := (&hanOrg{}).regionAt(name + "某某"); runeCount(name) > 1 && runeCount(name) <= 12 && !placeNames().names[name].doubtful && (n < len(name) || code == 0) {
			t.Errorf("a name that begins with %q has a region of %d bytes", name, n)
		}
	}
	for w := range trades().words {
		if n := tradeAtEnd("某某" + w); n < len(w) {
			t.Errorf("a name that ends with %q has a trade of %d bytes", w, n)
		}
	}
}
