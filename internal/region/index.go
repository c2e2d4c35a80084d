package region

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/clientele-go/clientele/internal/text"
)

// The levels of divisions. A country is a level only for Taiwan, which may stand in front of
// its counties in an address.
const (
	root = uint8(iota)
	province
	city
	district
)

// none is the parent of provinces.
const none = int16(-1)

type division struct {
	place  Place
	name   string // its own
	parent int16
	level  uint8
}

// A form is how an address may write a division, the most explicit first.
type form uint8

const (
	full   form = iota // 南山区: anywhere
	former             // 闸北区, 萧山市: within its parent
	lead               // 北市 for 臺北市: only before a division within it
	short              // 深圳, 广西: unless it begins the name of a street
	bare               // 南山: as short, behind a short name or at the end of a part of the address
)

// A ref is a division and the form in which a name means it.
type ref struct {
	node int16
	form form
}

// index finds divisions by code and by name.
type index struct {
	all     []division
	byCode  map[string]int16
	names   map[string][]ref   // by simplified name
	lengths map[[2]rune]uint32 // of how many runes there are names, as bits, by their first two
	simple  [lastHan - firstHan + 1]uint16
}

const (
	firstHan = 0x4E00
	lastHan  = 0x9FFF
)

//go:embed data/cn.txt
var mainland string

//go:embed data/tw-hk-mo.txt
var others string

//go:embed data/aliases.txt
var aliases string

// divisions is built on first use, in some 5 ms.
var divisions = sync.OnceValue(build)

func build() *index {
	ix := &index{
		all:     make([]division, 0, 4096),
		byCode:  make(map[string]int16, 4096),
		names:   make(map[string][]ref, 8192),
		lengths: make(map[[2]rune]uint32, 6144),
	}
	for r := range ix.simple {
		s, _ := utf8.DecodeRuneInString(text.Simplify(string(rune(firstHan + r))))
		ix.simple[r] = uint16(s)
	}
	for line := range strings.Lines(mainland) {
		code, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		ix.addMainland(code, name)
	}
	for line := range strings.Lines(others) {
		ix.addOthers(strings.Fields(line))
	}
	for i := range ix.all {
		ix.nameDivision(int16(i))
	}
	for line := range strings.Lines(aliases) {
		if f := strings.Fields(line); f[0] != "#" {
			ix.nameAlias(f[0], f[1], f[2])
		}
	}
	return ix
}

// addMainland adds a division of GB/T 2260, whose code tells its parent: the province by
// two digits, the city by four. Where there is no such city, the province governs directly.
func (ix *index) addMainland(code, name string) {
	p := Place{Country: "CN", Province: name, Code: code}
	if code[2:] == "0000" {
		p.ISO = "CN-" + code[:2]
		if municipality(name) {
			p.City = name
		}
		ix.add(p, name, none, province)
		return
	}
	parent, ok := ix.byCode[code[:4]+"00"]
	if !ok {
		parent = ix.byCode[code[:2]+"0000"]
	}
	within := &ix.all[parent].place
	p.Province, p.City, p.ISO = within.Province, within.City, within.ISO
	if p.City == "" {
		p.City = name
		ix.add(p, name, parent, city)
		return
	}
	p.District = name
	ix.add(p, name, parent, district)
}

func municipality(name string) bool { return strings.HasSuffix(name, "市") }

// addOthers adds a county of Taiwan, or Hong Kong or Macao, with its districts: country,
// code, ISO code, name, districts.
func (ix *index) addOthers(f []string) {
	p := Place{Country: f[0], Code: f[1], ISO: f[2], Province: f[3], City: f[3]}
	if f[1] == taiwanCode {
		ix.add(Place{Country: "TW", Code: f[1], ISO: f[2], Province: f[3]}, f[3], none, root)
		return
	}
	parent := none
	if f[0] == "TW" {
		parent = ix.byCode[taiwanCode]
	}
	county := ix.add(p, f[3], parent, province)
	for _, name := range f[4:] {
		p.District = name
		ix.add(p, name, county, district)
	}
}

// taiwanCode is the whole of Taiwan in GB/T 2260.
const taiwanCode = "710000"

func (ix *index) add(p Place, name string, parent int16, level uint8) int16 {
	n := int16(len(ix.all))
	ix.all = append(ix.all, division{place: p, name: name, parent: parent, level: level})
	if _, taken := ix.byCode[p.Code]; !taken {
		ix.byCode[p.Code] = n
	}
	if level == province {
		ix.byCode[p.ISO] = n
		ix.byCode[p.Subdivision()] = n
	}
	return n
}

// nameDivision enters the names that addresses use for a division.
func (ix *index) nameDivision(n int16) {
	d := &ix.all[n]
	ix.name(d.name, n, full)
	base := ix.base(d.name)
	if utf8.RuneCountInString(base) < 2 {
		return
	}
	switch {
	case d.level == district:
		ix.nameDistrict(d, base, n)
	case d.level == city && d.place.Code[2:4] == direct:
		ix.nameDistrict(d, base, n)
	case strings.HasSuffix(d.name, "自治州"):
		ix.name(base+"州", n, full)
		ix.name(base, n, short)
	default:
		ix.name(base, n, short)
	}
}

// direct marks, in the third and fourth digit, counties that a province governs directly.
const direct = "90"

// nameDistrict enters a district without its suffix, which may have been another before:
// counties and towns become districts and cities.
func (ix *index) nameDistrict(d *division, base string, n int16) {
	if d.place.Country == "HK" || d.place.Country == "MO" {
		ix.name(base, n, short)
		return
	}
	ix.name(base, n, bare)
}

// nameAlias enters a name from aliases.txt.
func (ix *index) nameAlias(parent, name, successor string) {
	f := former
	switch parent {
	case "-":
		f = short
	case "+":
		f = lead
	case taiwanCode:
		f = full
	}
	ix.name(name, ix.byCode[successor], f)
}

// name enters one name of a division, unless it has the same already.
func (ix *index) name(name string, n int16, f form) {
	key := []rune(name)
	for i, r := range key {
		key[i] = ix.simplify(r)
	}
	k := string(key)
	for _, x := range ix.names[k] {
		if x.node == n {
			return
		}
	}
	ix.names[k] = append(ix.names[k], ref{n, f})
	ix.lengths[[2]rune{key[0], key[1]}] |= 1 << len(key)
}

func (ix *index) simplify(r rune) rune {
	if r >= firstHan && r <= lastHan {
		return rune(ix.simple[r-firstHan])
	}
	return r
}

// suffixes of divisions, of which the first that fits is taken off.
var suffixes = []string{
	"特别行政区", "壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "自治州", "自治县", "自治旗",
	"地区", "新区", "林区", "堂区", "省", "市", "县", "区", "盟", "旗", "镇", "乡",
}

// peoples in the names of autonomous prefectures and counties. A name that ends with
// another stands behind it.
var peoples = []string{
	"蒙古族", "蒙古", "回族", "藏族", "维吾尔族", "维吾尔", "苗族", "彝族", "壮族", "布依族", "朝鲜族", "满族", "侗族",
	"瑶族", "白族", "土家族", "哈尼族", "哈萨克族", "哈萨克", "傣族", "黎族", "傈僳族", "佤族", "畲族", "拉祜族", "水族",
	"东乡族", "纳西族", "景颇族", "柯尔克孜族", "柯尔克孜", "土族", "达斡尔族", "仫佬族", "羌族", "布朗族", "撒拉族",
	"毛南族", "仡佬族", "锡伯族", "锡伯", "塔吉克", "怒族", "俄罗斯族", "鄂温克族", "保安族", "裕固族", "京族",
	"独龙族", "鄂伦春", "普米族", "各族",
}

// base takes the suffix off a division's name, simplified: 延边 of 延边朝鲜族自治州.
func (ix *index) base(name string) string {
	name = text.Simplify(name)
	for _, s := range suffixes {
		base, ok := strings.CutSuffix(name, s)
		if !ok {
			continue
		}
		if s == "自治州" || s == "自治县" || s == "自治旗" {
			base = withoutPeoples(base)
		}
		return base
	}
	return name
}

func withoutPeoples(base string) string {
	for {
		shorter := base
		for _, p := range peoples {
			shorter = strings.TrimSuffix(shorter, p)
		}
		if shorter == base || utf8.RuneCountInString(shorter) < 2 {
			return base
		}
		base = shorter
	}
}

// under reports whether a division is part of another, and whether that is its parent.
func (ix *index) under(n, ancestor int16) (part, direct bool) {
	parent := ix.all[n].parent
	direct = parent == ancestor
	for p := parent; p != none; p = ix.all[p].parent {
		if p == ancestor {
			return true, direct
		}
	}
	return false, false
}
