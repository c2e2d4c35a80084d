// Package packs has rule sets that are ready to switch on: plain rule sets in JSON
// (folder data) that one may read, copy and change, and functions that return them, with
// other parameters where wanted.
//
//	set, err := packs.Activity(packs.Options{Parameters: map[string]any{"dormant": 1.5}})
//	if err != nil { … }
//	_, err = book.Rules().Activate(ctx, me.Job(), set, nil)
//
// A pack brings its dimensions along, with names in English and in simplified and
// traditional Chinese. What it reads:
//
//	pack            facts                                                   attributes to declare
//	Region          customer.country, customer.division
//	Industry                                                                industry
//	Size            tag.industry                                            industry, employees, revenue, assets
//	PaymentTerms    receivables.terms_days                                  payment_days
//	PaymentHabit    receivables.days_late, .paid_items, .overdue_days
//	CreditGrade     receivables.score, .overdue_days
//	Lifecycle       activity.order
//	RFM             activity.order, receivables.invoiced_12m
//	Usage           activity.use
//	Activity        activity.order
//
// [Attributes] declares the attributes, and [Receivables] the facts of receivables.
// Activating a pack whose attributes or sources a book doesn't have is refused, with the
// name of what is missing; other names are given by [Options].Facts. A customer of whom a
// fact is not known gets no tag from the rules that need it.
//
// Thresholds are parameters. Those of Size and Region come from the standards that the
// packs cite; the others are customary starting points and no statement about anybody's
// customers: look at a dry run before you activate them, see [Quintiles].
package packs
