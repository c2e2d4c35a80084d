// Package region recognises the administrative divisions of mainland China, Taiwan, Hong
// Kong and Macao in addresses: provinces, cities and districts with their codes (GB/T 2260,
// ISO 3166-2).
//
// [Parse] takes what people write in front of the street, whole or short, in traditional or
// simplified characters, and says where it is in official names, so that customers can be
// counted and selected by place:
//
//	广东深圳南山区科技园 → 广东省, 深圳市, 南山区, 440305
//	台北市中山北路2段113號 → 臺北市, 63000; the street isn't taken for 中山區
//
// [Provinces], [Cities] and [Districts] list the divisions, [Lookup] finds one by its code.
// Addresses in pinyin or English, and towns, villages and streets, are not recognised.
//
// All functions are safe for concurrent use. The first call builds an index of some 3,750
// divisions, in some 5 ms and 2 MB; the lists in data are described in
// data/SOURCE.md.
package region
