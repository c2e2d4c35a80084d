// Package lint holds the rules about this repository's own source that no general
// tool knows: which package may import which, what code and documents may not
// contain, what every package must have. They are tests, so go test ./... applies
// them; each rule is itself shown to find what it forbids.
package lint
