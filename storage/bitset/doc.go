// Package bitset computes with sets of numbered records: a [Chunk] is a set of up to
// 65,536 neighbouring numbers, a [Set] any number of chunks. Sets of customers are
// such sets of customer ids: the result of a filter, the scope of a session.
//
// Chunks are dense, 8 KiB each, so that intersections of many sets run at the speed of
// memory; stored sets ([storage.Bitmap]) are compressed, and are read straight into a
// chunk.
//
// [storage.Bitmap]: https://pkg.go.dev/github.com/clientele-go/clientele/storage#Bitmap
package bitset
