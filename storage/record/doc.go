// Package record is the wire form of stored records: numbered fields, each either
// an integer or bytes, in any order, absent when zero.
//
// It is the part of the Protocol Buffers wire format that records need, with two
// wire types instead of six. A reader that meets a field it doesn't know keeps its
// raw bytes ([Reader.Unknown]) and a writer puts them back ([Writer.Raw]), so a
// program of last year can rewrite a record of this year without losing anything.
//
// A field is a uvarint tag (number<<1 | type) and then
//
//	type 0: a uvarint (signed numbers zigzag)
//	type 1: a uvarint length and that many bytes (text, nested record)
//
// Encoding appends to a caller's buffer; decoding shares the memory of its source
// string, so a record costs one copy however many texts it holds. Field numbers are
// never reused for another meaning.
package record
