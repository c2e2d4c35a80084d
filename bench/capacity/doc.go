// Package capacity finds out how many customers a machine holds.
//
// [Run] grows one book in steps, asks it at each size what its users would, and stops at
// the first service level, resource or budget that is exceeded. From the measurements it
// computes how each cost grows, and how many customers fit; see [Verdict]. A [Report] is
// kept as JSON whose form is versioned, is compared with another by [Compare], and shown
// to people by [Report.WriteHTML]. [Soak] works on one book for a while and looks for what
// creeps.
//
// The customers are those of internal/sample: names in Chinese and English by their
// frequency, one in twelve recorded twice, with tags, units and receivables, and a few
// asked for far more often than others. They depend on the seed alone, so answers are
// known beforehand, and every question checks its answer.
//
// docs/capacity.md tells users how to read a report.
package capacity
