// Package match finds records that speak of the same customer. The caller says what
// each field is (a name, a phone, a date of birth: the types of package compare) and
// nothing else: thresholds, weights and the share of duplicates are estimated from the
// records themselves, without labels.
//
// [Run] does a whole list at once: it blocks, compares, trains a [Model], scores,
// decides and clusters. The model is immutable, can be saved, and scores records one
// at a time afterwards: [Model.Prepare] makes a record's normal forms, [Model.Keys]
// the keys under which an index finds its neighbours, and [Model.Score] judges a pair
// and explains itself field by field.
//
// The method is Fellegi and Sunter's (1969) sum of log-likelihood ratios, with levels
// of agreement, frequencies of values and an unsupervised calibration; docs/matching.md
// tells it with figures.
package match
