// Package tagging classifies customers: dimensions, the tags on them, who has which
// tag and why, and questions over all of it.
//
// A [Dimension] is an axis of classification, a [Tag] a value on it. Dimensions may be
// exclusive (one tag a customer), ordered (ranges), trees (questions about all that is
// below a tag); tags have aliases, names in several languages, an end. Definitions are
// small and few; moving or merging tags is one small record, however many customers have
// them.
//
// # Who has what
//
// A customer's record in this package, [Tagged], lists its [Assignment]s: one for each
// source that says something of a tag, be it a person, an import or a rule set. From
// these claims follows which tags the customer holds; each has its [State]. In an
// exclusive dimension a person's word beats a rule's, unless the dimension says
// otherwise; two persons' or imports' words that contradict one another are refused. What
// a rule said is kept while it is beaten, and counts again when the person's assignment
// ends. A person can deny a tag, which rules and imports respect. Every version of the
// record is kept ([Reader.At]).
//
// The set of each tag's holders is kept as a bitmap, changed in the record's own batch.
//
// # Time
//
// Assignments may begin and end later. A [Reader] looks from one instant, and is exact at
// it; [Store.Tick] writes what has become due, of which queries otherwise take account
// one by one. [Store.Settle] does the same for changed definitions, such as merged tags. The
// root package's Book calls both every minute, see its Options.TickEvery.
//
// # Scope
//
// Readers and transactions are made for a set of customers that the session may see.
// Others do not exist for them: not for reading or tagging (ErrNotFound), nor in any
// count, list, facet, sum or report.
//
// # Questions
//
// A [Query] has a filter in the language of package filter. A Reader counts, lists,
// samples, groups ([Reader.Facet], [Reader.CrossTab]) and sums up ([Reader.Figures]) whom
// it means. [Reader.Hygiene] reports what could be tidied up.
//
// # Concurrency and cost
//
// A Store is safe for concurrent use, Readers and transactions are not. Definitions are
// held in memory, some hundred bytes a tag, and read anew after a change of any of them:
// a transaction that runs at the same time as such a change is run again. An assignment
// costs some tens of microseconds beside the commit.
package tagging
