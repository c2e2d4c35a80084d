/*
Package classify gives customers tags by rules: conditions in CEL, or classifiers in Go.
Rules follow the facts: they are evaluated on every change, when the clock makes a
difference, and in bulk when a rule set changes.

# Rule sets

A [RuleSet] is data, with a JSON form for users ([ParseRuleSet]). Each rule narrows whom
it concerns by a filter (Where, see package tagging/filter), states a condition (When)
and gives a tag of a dimension, or the tags that an expression comes to (Value).
[Rules.Activate] stores a version and evaluates exactly those whom it can affect;
[Rules.DryRun], [Rules.Replay] and [Rules.Explain] tell before and after what happens
and why.

In an exclusive dimension the rule of the highest priority wins, among equals the first.
Persons' tags and denials, and imports, win over rules as package tagging says. Rules
that read the tags of other rules are evaluated after them; circles are refused.

# Expressions

Conditions are CEL (github.com/google/cel-spec) with the extensions of strings and
math, over facts and parameters (param.NAME):

	customer.*   the record: name, country, kind, created, has_phone, …
	attr.*       the book's custom attributes
	tag.*        tags by dimension
	activity.*   events counted: activity.order.last, activity.order.count_12, …

and those of the sources in [Options].Facts; [Rules.FactDocs] lists them all. Expressions
are checked when a rule set is activated. A fact that is not known of a customer is null:
attr.revenue != null asks for it, and a condition that can't be judged for want of a fact
is not met. Division by zero, a code that is no tag and the like are failures, reported by
[Rules.Failures]; they concern their customer alone. After [Options].Failures of them a
rule goes into quarantine.

# The clock

Days and months are those of UTC. Time occurs in comparisons alone:

	daysSince(t) > 90      calendar days from the day of t to today
	daysUntil(t) <= 7
	monthsSince(t) >= 12   whole months; from 31 January one has passed on the last of February
	t < now, now - t > duration("36h")

so that the book knows when each will come out differently. That instant is kept in a
due index, and [Rules.Tick] evaluates those who are due and nobody else. Other uses of
now are refused with ErrClock.

# Plug-ins

A [Classifier] and a [FactSource] are values in [Options]. A classifier that fails,
panics or hangs harms nothing else: see [Failure].

# Caveats

Tags follow changes some hundredths of a second behind; [Rules.Sync] waits for them. The
same facts give the same tags, except where a classifier or a source fails: then
customers keep what they had. Changes under the name [Actor] are taken for the rules' own
and not followed.
*/
package classify
