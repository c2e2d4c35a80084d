// Package compare says how alike two values of a field are: names of people and
// organisations in Chinese and Latin script, phones, addresses, dates, numbers.
//
// The caller says what a field is, never which threshold. [New] gives the [Comparator] of
// a [Type]; its Prepare brings a value into a [Form] once, its Compare places two forms on
// one of eight ordered levels, from 0, which speaks against the two being the same, to
// [Exact]. What a level is worth is for the matcher to learn. Keys gives the hashes under
// which alike values meet in an index.
//
//	org, _ := compare.New(compare.OrganisationName, compare.Options{})
//	a, b := org.Prepare("中国石油化工股份有限公司"), org.Prepare("中石化")
//	org.Levels()[org.Compare(a, b).Level].Name // "abbreviation"
//
// Words that many values share say less than rare ones. A [Corpus] counts them in a first
// pass over a column; without one, a word weighs what its kind and length suggest.
//
// [Names] goes one step further for names alone: the probability that two names mean the
// same organisation or person, with nothing known besides.
//
// # What is compared
//
//   - Names of organisations in Chinese: region, core (字号), trade, legal form and branch
//     are told apart; a short form keeps characters of the name in order (台泥); sisters in
//     other places or trades, and branches, are "related", not the same.
//   - Names of organisations in other scripts: legal forms of many countries, usual
//     abbreviations, order, words written together, acronyms; Cyrillic and Greek
//     transliterated; pinyin and English trades against Chinese.
//   - Names of people: order, initials, nicknames, typing errors, sound, pinyin, Jr and Sr,
//     women's and men's given names.
//     The forms of person.given, person.family and person.name compare with one another.
//   - Phones by the subscriber's digits, as a shared area code is no evidence; e-mail and
//     websites by their parts; identifiers by their check digits and look-alikes.
//   - Addresses by divisions, names and numbers; numbers must agree.
//   - Dates in any layout; categories, texts, places, postcodes and numbers.
//
// A value may be a list, "a | b"; two lists are as alike as their most alike values. A name may give
// a second one (A t/a B, A / B, A (formerly B)), by which it is found as well; that two names have the
// same second one says nothing.
//
// # Limits
//
// At most [MaxRunes] of a value are looked at, 48 of its words, 64 runes of a word and 16
// values of a list. Kana, Hangul, Arabic and other scripts are compared as written, not by
// sound: beside a name in Latin letters they say nothing ([Outcome] is mute). Short
// names that no rule leads to (美团 for 北京三快在线科技) need other fields.
//
// Everything is safe for concurrent use once the corpus is sealed. Preparing costs some
// microseconds, comparing mostly less than one, and allocates nothing.
package compare
