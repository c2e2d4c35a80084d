// Package sample makes realistic customers for benchmarks and tests: mainland
// Chinese, Taiwanese and English-speaking organisations and people with names,
// phones, e-mails, addresses and identifiers that pass their checksums.
//
// Nothing here is a real party. Names are put together from common parts by
// rough frequency, numbers are derived from the index.
package sample
