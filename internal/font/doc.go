// Package font finds fonts that have given characters, and makes one small TrueType font
// of them for a document to embed.
//
// [Find] opens files and, when they don't suffice, the fonts of the system, until every
// character has a face. [Subset] writes the outlines of those characters, from as many
// faces as it takes, as one font. TrueType, OpenType (CFF) and collections of them are
// read; which of a collection's faces is taken depends on the language, since Chinese and
// Japanese draw the same character in different ways.
//
// Faces read their files when asked, and keep them open until [Set.Close].
package font
