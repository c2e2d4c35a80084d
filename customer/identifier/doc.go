// Package identifier checks and normalises typed numbers that someone issues to people
// and organisations: unified social credit codes, tax numbers, legal entity identifiers.
//
// A [Set] knows the built-in schemes and those that the embedder adds. [Set.Parse] brings
// a number as it was typed or imported (full-width digits, lower case, spaces, hyphens,
// points, slashes, colons, parentheses) into the one form in which it is stored and
// compared, and refuses what can't be such a number:
//
//	set, err := identifier.NewSet()
//	number, err := set.Parse("tw.ubn", "２２０９ ９１３１") // "22099131"
//
// A number that passes is well-formed; whether it was ever issued, and to whom, only the
// register knows. Numbers of one repeated digit and other usual placeholders are refused
// although some of them satisfy the arithmetic.
//
// # Built-in schemes
//
// Ordered as [Builtin] gives them, strictest first. Unless said otherwise a canonical
// number has no separators, and at most one customer of a book may hold it.
//
//   - cn.resident: China, resident identity number, GB 11643-1999, check character by ISO
//     7064 MOD 11-2. Province, date of birth and check character are checked, districts
//     aren't: numbers keep codes long abolished. The 15 digits of GB 11643-1989 become 18.
//     Also the residence permits of people from Hong Kong, Macao and Taiwan (81, 82, 83)
//     and the cards of foreign permanent residents since 2023 (9). Personal data.
//   - cn.uscc: China, unified social credit code, GB 32100-2015 §4, with the check
//     character of its inner organisation code by GB 11714-1997.
//   - lei: legal entity identifier, ISO 17442-1:2020, check digits by ISO/IEC 7064 MOD 97-10.
//   - eu.vat: VAT identification numbers of the 27 member states and of Northern Ireland
//     (XI), with their prefix (Directive 2006/112/EC Article 215; Greece is EL, GR is
//     accepted) and national check digits. The members of a VAT group share its number
//     (Article 11), so several customers may hold it.
//   - tw.resident: Taiwan, national identification number and both forms of the foreign
//     residents' UI number, with check digit. Personal data.
//   - sg.uen: Singapore, unique entity number, its three forms with check letter.
//   - jp.corporate: Japan, corporate number of the National Tax Agency (Ministry of Finance
//     ordinance 70 of 2014). The T of a qualified invoice issuer is accepted and dropped.
//   - cn.org: China, organisation code, GB 11714-1997.
//   - tw.ubn: Taiwan, unified business number. The rule is that of April 2023 (sum
//     divisible by 5), which includes all numbers of the earlier one (by 10).
//   - us.ein: United States, employer identification number, nine digits whose first two
//     are a prefix that the IRS issues. No check digit.
//   - gb.company: United Kingdom, company registration number, eight characters, digits
//     filled up with zeros, known prefixes. No check digit.
//   - hk.br: Hong Kong, business registration number (since December 2023 the unique
//     business identifier), eight digits. The longer number of a certificate, with branch
//     and dates, is cut to them. No check digit.
//   - duns: D-U-N-S number, nine digits. No check digit since 2006.
//
// # Adding a scheme
//
// A scheme is a value, handed to [NewSet] (an embedder puts it into the book's options).
// Its Parse refuses a number with [Invalid] or with an error of its own; the Set fills in
// the rest and wraps it, so that errors.Is finds both.
package identifier
