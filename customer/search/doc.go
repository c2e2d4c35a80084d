// Package search finds customers by what people type: parts of a name in
// characters, in pinyin or in pinyin initials (助记码), codes and identifiers, the last
// digits of a phone, e-mail addresses, words of the address, contacts and notes.
// Traditional and simplified characters are the same to it, so are letter case, width
// and accents, and it forgives typing errors in Latin names.
//
// An [Index] is a view on the customers that can be made anew at any time. Feed it
// with [Index.Apply], which stores a cursor with each batch, or all at once with
// [Index.Build]; ask it with [Index.Search] for pages with counts and facets, or with
// [Index.Pick] for the few best while the user types. Of texts it keeps the
// names only, folded: hits are ids, and a [Highlighter] marks in the records what was
// found.
//
// # What is found, and in which order
//
// All words of a text must match, each in any of the ways above. Hits come by [Rank]:
// exact codes, identifiers, phones and e-mail addresses; the whole name; names that
// begin with the text; names that contain it; everything else; similar names; and
// when nobody matches all words, customers that match at least half of them. A text is in
// a name when its words stand side by side there, spelled or not, or each of several words
// somewhere; one whose pieces the name has elsewhere, as 中大中国 those of 大中大, is found
// with everything else. Within a rank the shorter name comes first, and then the smaller id, so that the order is the
// same whatever changes happened before, and pages stay in place.
//
// One character, or one or two letters, are looked for in names only. A short text may
// begin more terms than are looked up; [Result.Bounded] then says so.
//
// Archived, merged and erased customers are found only on demand. Filters and the
// scope of [Query.Within] apply before anything is counted.
//
// # How it is made
//
// Bleve's index (scorch) keeps the terms; see terms.go for what a term is. Documents
// have one field, without positions, frequencies, doc values or stored text. All of a
// query is done on bitmaps of documents: which terms a word stands for, the ranks, the
// filter, facets. Ranks by the name are then confirmed by the stored names of the hits of
// a page, and of the better ranks that end on it. Segments are made by code of our own in Bleve's format, which takes
// a quarter of the time that Bleve takes.
//
// Measured with a million sample customers of about 430 bytes on two cores of a busy
// virtual machine: Build takes 29 µs of processor time a customer, making the samples
// included, and 260 bytes of disk, at 31,000 customers a second; Apply 32 µs in batches
// of 10,000, and 85 µs in batches of 100. Pick returns ten customers in 1 ms or less in
// the middle and in 5 to 13 ms at the 99th percentile, Search in 2 and 15 ms, with five
// facets in 6 and 36 ms.
// 8 bytes of memory for each customer hold the order of hits; after opening, or when
// large segments were merged, the next query reads them, 0.1 µs each.
//
// # Limits
//
// A text has at most [MaxTextRunes] characters and [MaxWords] words. Names are indexed
// to 200 characters, other texts to 2,000. An index holds up to 2^31 customers. Times
// of creation are kept to a quarter of an hour.
package search
