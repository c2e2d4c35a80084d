// Package scale calculates, from the unit costs that [capacity] measured on one machine,
// what a hundred million or a billion customers take on a shared engine: storage, nodes,
// time to load, to search, to match and to restore. Where arithmetic isn't enough, the tail
// of a search that asks many nodes and the conflicts of transactions on the same customers
// are simulated, with a seed.
//
// Nothing here was run at that size. Every assumption is a field of [Assumptions] and is
// printed with the result; docs/scale.md discusses them.
package scale
