// Package orgtree keeps the organisation that a book's customers belong to: units in a
// tree, the customers' placement in it, and how far units share what they know.
//
// A [Unit] is a company group, a company, a branch, a department, a team or a region.
// Units are opened, moved, merged and closed on dates ([Tx.CreateUnit], [Tx.MoveUnit],
// [Tx.MergeUnits], [Tx.CloseUnit]), also ahead and in arrears: a [Tree] is the
// organisation on one instant, immutable and shared by everyone who reads the same
// version, with tests of ancestry that cost nanoseconds. [Reader.TreeAt] is that of
// another instant, [Reader.TreeKnown] what was known of it at the time.
//
// Every change of the tree writes one small record, and every transaction that depends
// on the tree reads it. So transactions stay serializable, concurrent moves never make a
// cycle, and a move costs the same whatever is below: the customers' records name their
// unit and nothing above it.
//
// # Placement
//
// A customer has one owner unit and one sales representative, in its record, and a
// [Placement] beside it: the team, further units for a time, and an [Overlay] for each
// unit that sees something otherwise (representative, terms, limit, its own code). Credit
// control goes by its terms and limit where the unit reserves and posts.
// [Tx.Transfer] moves one customer, [Store.TransferAll] any number, with progress,
// cancellable and resumable; [Store.TransferRep] all customers of one who leaves.
// Quotas bound how many customers a representative or a unit may have, also with many
// writers at once ([QuotaError]).
//
// # Sharing
//
// Each unit says, for each kind of [customer.Data], how far its customers are shared: a [Policy],
// inherited from the unit above. [Tree.Shares] is the one predicate.
//
// # Access
//
// A [Principal] is a person or a program; a [Role] a set of rights on kinds of data; a
// [Grant] gives a principal a role on a [Scope]: what is seen from a unit, own customers,
// a filter, or several of these at once; without some fields ([customer.Mask]) and for a
// time. A denial wins over every grant. Nothing granted, nothing seen. A [Delegation]
// lets one act for another.
//
// Access is enforced once somebody who may administer the book says so ([Tx.Enforce]).
// From then on [Store.Access] tells what an actor may see and do in a state, as sets for
// lists, counts and searches, and customer by customer: both from the same grants, so
// that they agree. Each change of access writes one small record, which every
// transaction reads: a revocation holds for whatever commits after it.
//
// [Reader.Explain] names the grant or the lack, [Reader.EffectiveRights] and
// [Reader.RightsOnCustomer] report, [Reader.EffectiveRightsAt] for a day that has passed;
// [Reader.Review] finds what is unused, wider than used, in conflict, expired or orphaned,
// by a compact log ([Use]); a [Campaign] has each grant confirmed or revoked. An
// [ApprovalRule] names what waits for a second person; an [Approval] is that person's, used
// exactly once. [Reader.Consolidate] shows a unit by its parts.
//
// # The book
//
// Unit 0 stands for the whole book: it is above every unit, owns the customers that
// have no owner unit, and holds the book's default policies and quotas.
package orgtree
