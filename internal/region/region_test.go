package region

import (
	"bufio"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func mainlandPlace(code, province, city, district, rest string) Place {
	return Place{Country: "CN", Province: province, City: city, District: district, Code: code, ISO: "CN-" + code[:2], Rest: rest}
}

func countyPlace(code, iso, county, district, rest string) Place {
	return Place{Country: "TW", Province: county, City: county, District: district, Code: code, ISO: "TW-" + iso, Rest: rest}
}

func hongKong(district, rest string) Place {
	return Place{Country: "HK", Province: "香港特別行政區", City: "香港特別行政區", District: district, Code: "810000", ISO: "CN-HK", Rest: rest}
}

// Codes of mainland China are those of GB/T 2260, ISO codes those of ISO 3166-2.
func TestParse(t *testing.T) {
	for address, want := range map[string]Place{
		// Mainland China, in full.
		"广东省深圳市南山区科技园南路1号":    mainlandPlace("440305", "广东省", "深圳市", "南山区", "科技园南路1号"),
		"深圳市南山区科技园":           mainlandPlace("440305", "广东省", "深圳市", "南山区", "科技园"),
		"广东省南山区":              mainlandPlace("440305", "广东省", "深圳市", "南山区", ""),
		"北京市朝阳区建国路":           mainlandPlace("110105", "北京市", "北京市", "朝阳区", "建国路"),
		"北京市北京市朝阳区":           mainlandPlace("110105", "北京市", "北京市", "朝阳区", ""),
		"吉林省长春市朝阳区":           mainlandPlace("220104", "吉林省", "长春市", "朝阳区", ""),
		"上海市市辖区徐汇区漕溪北路":       mainlandPlace("310104", "上海市", "上海市", "徐汇区", "漕溪北路"),
		"吉林省吉林市昌邑区":           mainlandPlace("220202", "吉林省", "吉林市", "昌邑区", ""),
		"湖北省仙桃市":              mainlandPlace("429004", "湖北省", "仙桃市", "", ""),
		"新疆维吾尔自治区石河子市北四路":     mainlandPlace("659001", "新疆维吾尔自治区", "石河子市", "", "北四路"),
		"广东省东莞市长安镇":           mainlandPlace("441900", "广东省", "东莞市", "", "长安镇"),
		"重庆市城口县":              mainlandPlace("500229", "重庆市", "重庆市", "城口县", ""),
		"昆山市前进路":              mainlandPlace("320583", "江苏省", "苏州市", "昆山市", "前进路"),
		"曹县长江路779号":           mainlandPlace("371721", "山东省", "菏泽市", "曹县", "长江路779号"),
		"518057 广东省深圳市南山区科苑路": mainlandPlace("440305", "广东省", "深圳市", "南山区", "科苑路"),
		"中华人民共和国，上海市，静安区":     mainlandPlace("310106", "上海市", "上海市", "静安区", ""),
		"上海市 200120 浦东新区世纪大道": mainlandPlace("310115", "上海市", "上海市", "浦东新区", "世纪大道"),
		// Traditional characters.
		"廣東省東莞市厚街鎮":  mainlandPlace("441900", "广东省", "东莞市", "", "厚街鎮"),
		"中國上海閔行區吳中路": mainlandPlace("310112", "上海市", "上海市", "闵行区", "吳中路"),
		"廣西壯族自治區桂林市": mainlandPlace("450300", "广西壮族自治区", "桂林市", "", ""),
		// Short names.
		"上海浦东新区世纪大道100号": mainlandPlace("310115", "上海市", "上海市", "浦东新区", "世纪大道100号"),
		"广西南宁青秀区民族大道":    mainlandPlace("450103", "广西壮族自治区", "南宁市", "青秀区", "民族大道"),
		"内蒙古呼和浩特市赛罕区":    mainlandPlace("150105", "内蒙古自治区", "呼和浩特市", "赛罕区", ""),
		"广东深圳南山科技园":      mainlandPlace("440305", "广东省", "深圳市", "南山区", "科技园"),
		"广东 深圳 南山 科技园":   mainlandPlace("440305", "广东省", "深圳市", "南山区", "科技园"),
		"江苏昆山 花桥":        mainlandPlace("320583", "江苏省", "苏州市", "昆山市", "花桥"),
		"恩施州利川市":         mainlandPlace("422802", "湖北省", "恩施土家族苗族自治州", "利川市", ""),
		"海南省昌江县石碌镇":      mainlandPlace("469026", "海南省", "昌江黎族自治县", "", "石碌镇"),
		"吉林长春南关区":        mainlandPlace("220102", "吉林省", "长春市", "南关区", ""),
		"海南海口":           mainlandPlace("460100", "海南省", "海口市", "", ""),
		"济南市中区经二路":       mainlandPlace("370103", "山东省", "济南市", "市中区", "经二路"),
		"青岛市北区延吉路":       mainlandPlace("370203", "山东省", "青岛市", "市北区", "延吉路"),
		// Former names.
		"上海市闸北区共和新路": mainlandPlace("310106", "上海市", "上海市", "静安区", "共和新路"),
		"浙江省杭州市萧山市":  mainlandPlace("330109", "浙江省", "杭州市", "萧山区", ""),
		"湖北省襄樊市":     mainlandPlace("420600", "湖北省", "襄阳市", "", ""),
		// Taiwan.
		"台北市中山北路2段113號":             countyPlace("63000", "TPE", "臺北市", "", "中山北路2段113號"),
		"臺北市大安區敦化南路2段207號":          countyPlace("63000", "TPE", "臺北市", "大安區", "敦化南路2段207號"),
		"台北市大安区敦化南路":                countyPlace("63000", "TPE", "臺北市", "大安區", "敦化南路"),
		"新北市板橋區文化路":                 countyPlace("65000", "NWT", "新北市", "板橋區", "文化路"),
		"10491台北市中山區":               countyPlace("63000", "TPE", "臺北市", "中山區", ""),
		"(421)臺中市后里區星科路":            countyPlace("66000", "TXG", "臺中市", "后里區", "星科路"),
		"台灣新竹市東區力行路":                countyPlace("10018", "HSZ", "新竹市", "東區", "力行路"),
		"新竹縣湖口鄉鳳凰村":                 countyPlace("10004", "HSQ", "新竹縣", "湖口鄉", "鳳凰村"),
		"新竹科學園區力行一路":                countyPlace("10018", "HSZ", "新竹市", "", "科學園區力行一路"),
		"(35053)新竹科學工業園區苗栗縣竹南鎮科東一路": countyPlace("10005", "MIA", "苗栗縣", "竹南鎮", "科東一路"),
		"内蒙呼伦贝尔市":                   mainlandPlace("150700", "内蒙古自治区", "呼伦贝尔市", "", ""),
		"74145南部科學園區台南市新市區":         countyPlace("67000", "TNN", "臺南市", "新市區", ""),
		"台北縣新店市中正路":                 countyPlace("65000", "NWT", "新北市", "新店區", "中正路"),
		"彰化縣員林鎮":                    countyPlace("10007", "CHA", "彰化縣", "員林市", ""),
		"北市松山區東興路":                  countyPlace("63000", "TPE", "臺北市", "松山區", "東興路"),
		"連江縣南竿鄉":                    countyPlace("09007", "LIE", "連江縣", "南竿鄉", ""),
		"连江县敖江镇":                    mainlandPlace("350122", "福建省", "福州市", "连江县", "敖江镇"),
		// Hong Kong and Macao.
		"香港灣仔駱克道3號":   hongKong("灣仔區", "駱克道3號"),
		"香港九龍觀塘道1號":   hongKong("", "觀塘道1號"),
		"香港特别行政区油尖旺区": hongKong("油尖旺區", ""),
		"新界荃灣區沙咀道":    hongKong("荃灣區", "沙咀道"),
		"澳門花地瑪堂區":     {Country: "MO", Province: "澳門特別行政區", City: "澳門特別行政區", District: "花地瑪堂區", Code: "820000", ISO: "CN-MO"},
	} {
		if got, ok := Parse(address); !ok || got != want {
			t.Errorf("Parse(%q) = %+v, %v\nwant %+v", address, got, ok, want)
		}
	}
}

func TestParseFindsNoPlaceInOtherTexts(t *testing.T) {
	for _, address := range []string{
		"", " ", "1", "台", "上海路5号", "北京路12号", "南京東路二段125號", "中山北路2段", "西藏中路", "香港中路",
		"重慶南路一段", "天津街", "长春大街", "四川北路", "延安高架路", "北京大学", "南京饭店", "台灣水泥股份有限公司", "台灣",
		"朝阳区建国路", // Beijing's or Changchun's
		"中山區中山北路", "城区光明路", "新丰乡", "北市後港街", "ask for Wang", "No.514 Xinhualu, Baodingshi",
		"越南海防市陽京郡", "8 Penjuru Lane,Singapore 609189", "\xff\xfe", "𠀀𠀀市",
	} {
		if got, ok := Parse(address); ok || got != (Place{}) {
			t.Errorf("Parse(%q) = %+v, %v, want nothing", address, got, ok)
		}
	}
}

// Streets, parks and squares are named after districts, in their own city too.
func TestParseTakesNoStreetForADistrict(t *testing.T) {
	for _, address := range []string{
		"台北市大安路一段", "台北市信義路五段", "台北中山北路", "高雄市三民一路", "深圳市南山大道", "深圳南山大道", "大连中山广场",
		"广州天河北路", "南昌市南昌市青云路", "长沙市长沙火车站", "石家庄市新华书店", "北京朝阳公园南路", "香港觀塘道",
	} {
		if got, ok := Parse(address); !ok || got.District != "" {
			t.Errorf("Parse(%q) = %+v, %v, want a city without a district", address, got, ok)
		}
	}
}

// every iterates over all divisions of the data.
func every() iter.Seq[Place] {
	return iterate(func(d *division) bool { return d.level != root })
}

// Every division is found in an address that names it in full, with its code and what
// follows.
func TestParseFindsEveryDivision(t *testing.T) {
	count := 0
	for want := range every() {
		count++
		address := want.Province
		if want.City != want.Province {
			address += want.City
		}
		want.Rest = "人民路1号"
		got, ok := Parse(address + want.District + want.Rest)
		if !ok || got != want {
			t.Errorf("Parse(%s%s) = %+v, want %+v", address, want.District, got, want)
		}
	}
	// The lines of cn.txt, and 22 counties and 368 districts of Taiwan, 18 of Hong Kong, 7
	// of Macao, and these two themselves.
	if want := strings.Count(mainland, "\n") + 22 + 368 + 18 + 7 + 2; count != want {
		t.Errorf("%d divisions, want %d", count, want)
	}
}

// No street is taken for the place that it is named after, whichever place that is.
func TestParseTakesNoStreetForAPlace(t *testing.T) {
	ix := divisions()
	for d := range every() {
		if d.District != "" {
			continue
		}
		name := d.City
		if name == "" {
			name = d.Province
		}
		base := ix.base(name)
		if utf8.RuneCountInString(base) < 2 {
			continue
		}
		for _, street := range []string{"路1号", "东路", "中路二段", "一路", "大道8号", "街", "大街", "巷", "北大街"} {
			if got, ok := Parse(base + street); ok {
				t.Errorf("Parse(%s%s) = %+v", base, street, got)
			}
		}
	}
}

// The addresses of testdata are real; see its SOURCE.md. Another way to the same answer is
// to search for the official name of a county anywhere in the address.
func TestRegisterOfListedCompanies(t *testing.T) {
	file, err := os.Open("testdata/tw_listed.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	compared, refused := 0, 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		address := strings.ReplaceAll(lines.Text(), "台", "臺")
		got, ok := Parse(lines.Text())
		county := ""
		for p := range Provinces() {
			if p.Country == "TW" && strings.Contains(address, p.Province) {
				county = p.Province
			}
		}
		switch {
		case county != "":
			compared++
			if got.Province != county {
				t.Errorf("Parse(%q) = %+v, want %s", address, got, county)
			}
		case !ok:
			refused++
		}
		if strings.Contains(address, "區") && got.Country == "TW" && got.District != "" && !strings.Contains(address, got.District) {
			t.Errorf("Parse(%q) = %+v", address, got)
		}
	}
	if compared < 1000 || refused > 40 {
		t.Errorf("%d addresses compared, %d without a place", compared, refused)
	}
}

func TestLookup(t *testing.T) {
	for code, want := range map[string]string{
		"110000": "北京市北京市", "11": "北京市北京市", "440305": "广东省深圳市南山区", "4403": "广东省深圳市", "44": "广东省",
		"CN-31": "上海市上海市", "CN-SH": "上海市上海市", "CN-GX": "广西壮族自治区", "CN-HK": "香港特別行政區香港特別行政區",
		"TW-TPE": "臺北市臺北市", "63000": "臺北市臺北市", "710000": "臺灣", "429004": "湖北省仙桃市",
		"": "", "99": "", "440399": "", "CN-99": "", "上海": "",
	} {
		p, ok := Lookup(code)
		if got := p.Province + p.City + p.District; got != want || ok != (want != "") {
			t.Errorf("Lookup(%q) = %+v, %v, want %s", code, p, ok, want)
		}
	}
}

func names(places iter.Seq[Place], name func(Place) string) []string {
	var out []string
	for p := range places {
		out = append(out, name(p))
	}
	return out
}

func TestProvinces(t *testing.T) {
	got := names(Provinces(), func(p Place) string { return p.Subdivision() })
	// 31 of the mainland, 22 of Taiwan, Hong Kong and Macao.
	if len(got) != 31+22+2 || got[0] != "CN-BJ" || got[31] != "TW-TPE" || got[54] != "CN-MO" {
		t.Errorf("Provinces() = %v", got)
	}
	slices.Sort(got)
	if unique := slices.Compact(got); len(unique) != 55 {
		t.Errorf("the ISO codes repeat: %v", got)
	}
	for range Provinces() {
		break
	}
}

func TestCitiesAndDistricts(t *testing.T) {
	city := func(p Place) string { return p.City }
	district := func(p Place) string { return p.District }
	for _, c := range []struct {
		got  []string
		want string
	}{
		{names(Cities("CN-46"), city)[:5], "海口市 三亚市 三沙市 儋州市 五指山市"},
		{names(Cities("310000"), city), "上海市"},
		{names(Cities("TW-KEE"), city), "基隆市"},
		{names(Cities("99"), city), ""},
		{names(Districts("1402"), district), "新荣区 平城区 云冈区 云州区 阳高县 天镇县 广灵县 灵丘县 浑源县 左云县 山西大同经济开发区"},
		{names(Districts("TW-CYI"), district), "東區 西區"},
		{names(Districts("4419"), district), ""},
		{names(Districts("99"), district), ""},
	} {
		if got := strings.Join(c.got, " "); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestParseDoesNotAllocate(t *testing.T) {
	for _, address := range []string{"广东省深圳市南山区科技园南路1号", "台北市中山北路2段113號", strings.Repeat("上海市", 50)} {
		if n := testing.AllocsPerRun(100, func() { Parse(address) }); n != 0 {
			t.Errorf("Parse(%s) allocates %v times", address, n)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, address := range []string{
		"518057 广东省深圳市南山区科技园", "(421)臺中市后里區星科路18號", "香港 九龍", "上海市上海市市辖区", "济南市中区",
		"吉林吉林吉林吉林市", "𠀀上海", "\xff上海市", strings.Repeat("深圳 ", 40),
	} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		p, ok := Parse(address)
		if !ok {
			if p != (Place{}) {
				t.Fatalf("Parse(%q) = %+v, false", address, p)
			}
			return
		}
		if !strings.HasSuffix(address, p.Rest) {
			t.Fatalf("Parse(%q) leaves %q, which isn't its end", address, p.Rest)
		}
		known, ok := Lookup(p.Code)
		if !ok || known.Country != p.Country || known.Province != p.Province || known.ISO != p.ISO {
			t.Fatalf("Parse(%q) = %+v, but Lookup gives %+v", address, p, known)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for name, address := range map[string]string{
		"mainland": "广东省深圳市南山区科技园南路1号", "taiwan": "台北市中山北路2段113號", "latin": "8 Penjuru Lane, Singapore 609189",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Parse(address)
			}
		})
	}
}

func BenchmarkFirstUse(b *testing.B) {
	for b.Loop() {
		build()
	}
}
