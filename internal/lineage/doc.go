// Package lineage remembers what a survivor of merges has of itself and what each of the
// merged brought, so that the merges can be undone in any order: what two of them brought
// stays as long as one is merged, and what was edited since is the survivor's own.
//
// A package that keeps elements of customers, such as tags, declares a [Table]. At a merge
// it stores, by [Table.Give], what the loser brings and what is the survivor's own. An
// element that people change or remove is noted by [Lineage.Edit], and as it is then belongs
// to the survivor's own: as it is edited, by [Table.Put], or at the next merge or undoing,
// by comparison with what the last one left. An undoing leaves the survivor its own elements
// and those that the others brought, by [Table.Brought], as far as they count, and
// [Table.TakeBack] stores that.
//
// What an element is, which of two alike counts and how they are stored is the caller's:
// this package sees bytes, and keys that name elements.
package lineage
