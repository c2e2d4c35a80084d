package region

import (
	"iter"
	"strings"
)

// Place is what an address says about where it is. A level that the address doesn't tell is
// empty. Names are official and in the script of their country: simplified for CN,
// traditional for TW, HK and MO.
type Place struct {
	Country string // ISO 3166-1 alpha-2: CN, TW, HK or MO

	// Province is the first-level division: 广东省, 上海市, 臺北市, 彰化縣, 香港特別行政區.
	Province string
	// City is the prefecture (深圳市), or the county that its province governs directly
	// (仙桃市). Where a province is a city or county itself, as in 上海市 and all of TW, HK
	// and MO, City repeats Province.
	City string
	// District is the county level: 南山区, 昆山市, 大安區, 鹿港鎮.
	District string

	// Code is the GB/T 2260 code, of six digits, of the deepest division found. For TW it is
	// the county's code of five digits, as issued by Taiwan's Ministry of the Interior, since
	// GB/T 2260 doesn't divide 710000; for HK and MO it is 810000 and 820000.
	Code string
	// ISO is the ISO 3166-2 code of the province: TW-TPE, or CN-31 in the numeric form that
	// ISO used until 2017 and whose digits are those of GB/T 2260. See [Place.Subdivision].
	ISO string
	// Rest is what follows in the address: street, number, building.
	Rest string
}

// letters are the ISO 3166-2 codes of mainland China since 2017, by the digits of GB/T 2260.
var letters = map[string]string{
	"11": "BJ", "12": "TJ", "13": "HE", "14": "SX", "15": "NM",
	"21": "LN", "22": "JL", "23": "HL",
	"31": "SH", "32": "JS", "33": "ZJ", "34": "AH", "35": "FJ", "36": "JX", "37": "SD",
	"41": "HA", "42": "HB", "43": "HN", "44": "GD", "45": "GX", "46": "HI",
	"50": "CQ", "51": "SC", "52": "GZ", "53": "YN", "54": "XZ",
	"61": "SN", "62": "GS", "63": "QH", "64": "NX", "65": "XJ",
}

// Subdivision returns the province's code in ISO 3166-2:2020, where mainland China has
// letters: CN-SH for 上海市. Elsewhere it is the same as ISO.
func (p Place) Subdivision() string {
	digits, ok := strings.CutPrefix(p.ISO, "CN-")
	if l := letters[digits]; ok && l != "" {
		return "CN-" + l
	}
	return p.ISO
}

// Lookup returns the division with a code: GB/T 2260 with six digits, or with two or four
// for provinces and prefectures; a county's five digits for TW; or ISO 3166-2, with
// mainland China in letters or digits.
func Lookup(code string) (Place, bool) {
	ix := divisions()
	if len(code) == 2 || len(code) == 4 {
		code = (code + "0000")[:6]
	}
	n, ok := ix.byCode[code]
	if !ok {
		return Place{}, false
	}
	return ix.all[n].place, true
}

// Provinces iterates over the first-level divisions of CN, TW, HK and MO, in this order,
// and by code within CN.
func Provinces() iter.Seq[Place] {
	return iterate(func(d *division) bool { return d.level == province })
}

// Cities iterates over the second-level divisions of a province, given by any code that
// [Lookup] takes. A province that is a city or county itself is its own only city.
func Cities(province string) iter.Seq[Place] {
	parent, ok := Lookup(province)
	return iterate(func(d *division) bool {
		return ok && d.place.Province == parent.Province && d.place.Country == parent.Country &&
			d.place.City != "" && d.place.District == ""
	})
}

// Districts iterates over the third-level divisions of a city, given by any code that
// [Lookup] takes.
func Districts(city string) iter.Seq[Place] {
	parent, ok := Lookup(city)
	return iterate(func(d *division) bool {
		return ok && d.level == district && d.place.City == parent.City &&
			d.place.Province == parent.Province && d.place.Country == parent.Country
	})
}

func iterate(keep func(*division) bool) iter.Seq[Place] {
	return func(yield func(Place) bool) {
		ix := divisions()
		for i := range ix.all {
			if d := &ix.all[i]; keep(d) && !yield(d.place) {
				return
			}
		}
	}
}
