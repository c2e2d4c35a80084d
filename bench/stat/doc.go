// Package stat holds the statistics of the benchmarks: medians, how a cost grows with
// the size of a book, and whether two sets of measurements differ.
package stat
