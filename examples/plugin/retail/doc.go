// Package retail is a plug-in of Clientele for those who sell to shops: a dimension for
// the trade channel, a rule set that fills it from names and attributes, a classifier
// that says whom to visit, and a scheme for GS1 location numbers.
//
// Everything is a value that a program hands to the book:
//
//	book, err := clientele.Open(ctx, dir, clientele.Options{
//		Customers: customer.Options{Schemes: []identifier.Scheme{retail.GLN()}},
//		Rules:     classify.Options{Classifiers: []classify.Classifier{retail.Visits{EveryDays: 30}}},
//	})
//	channels, err := retail.Channels()
//	_, err = book.Rules().Activate(ctx, me.Job(), channels, nil)
package retail
