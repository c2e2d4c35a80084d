package match

import (
	"github.com/clientele-go/clientele/dedupe/compare"
)

// Field is one column of the records, and what it holds.
type Field struct {
	Name string
	Type compare.Type
}

// Mode says which pairs may be the same customer.
type Mode uint8

const (
	// Dedupe looks for duplicates within one list.
	Dedupe Mode = iota
	// Link looks for pairs across the sources of the records only.
	Link
)

// Record is one row. Values stand in the order of the schema's fields, an empty one is
// missing; several values of one field are separated by " | ". The matcher never looks
// at ID, which may be any text unique in a run.
type Record struct {
	ID     string
	Source string // names the list in mode Link, ignored otherwise
	Values []string
}

// Prepared is a record in the form that a model compares: normal forms, made once.
// It belongs to the model that made it, is immutable, and may be shared by goroutines.
type Prepared struct {
	values []value
	texts  []string
}

// Key is one blocking key: records that share a key are worth comparing. The hash is
// stable across processes for one version of the model, so it can be an index key.
type Key struct {
	Hash uint64
	Kind compare.KeyKind
	// Joined is how many common keys were joined to make this one, 1 for a key alone.
	Joined int
}
