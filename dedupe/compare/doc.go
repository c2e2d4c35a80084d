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
// Everything is safe for concurrent use once the corpus is sealed. Preparing costs some
// microseconds, comparing mostly less than one, and allocates nothing.
package compare
