// Package text brings names and other short texts into the forms in which they are
// stored, compared, indexed and typed.
//
//   - [Clean] gives the form that is stored: what was written, in one encoding.
//   - [Fold] gives the key that equal names share: case, width, accents, punctuation and
//     traditional or simplified script make no difference.
//   - [LegalForm] sets "Co., Ltd." and 股份有限公司 apart from the name proper.
//   - [Pinyin], [Readings] and [Initials] give what people type to find a Chinese name.
//
// What is stored is never what Fold returns: the original is kept and the key computed.
//
// All functions are pure and safe for concurrent use. Their tables are embedded; those that
// are read in place cost nothing at start-up, and the few small ones that aren't are built on
// first use, once, in about a millisecond together.
//
// The lists in data come from elsewhere; data/SOURCE.md names their origin and licences.
// After a change there run go generate.
package text
