// Package taggingtest proves plug-ins of package tagging: what their authors promise by
// writing them is tried here the way a book would put it to the test.
//
//   - [TestClassifier]: a classifier written in Go. The same facts give the same verdict,
//     from many goroutines too; missing facts do no harm; the verdict stands until the
//     instant that it names; nothing hangs, panics or takes longer than its budget.
//   - [TestRuleSet]: a rule set, in a book in memory, with real customers. The tags of each
//     case, the instants at which the clock changes them, no failure for customers of whom
//     nothing is known, every rule shown at work.
//   - [TestScheme]: an identifier scheme. Valid numbers and their canonical form, refused
//     ones, typing errors that a check character must notice, garbage.
//   - [TestDimension]: a dimension and its tags can be created as they are described.
//
// A plug-in's own test gives examples whose results the author has worked out by hand:
//
//	func TestLoyalty(t *testing.T) {
//		taggingtest.TestClassifier(t, loyalty.Classifier{}, taggingtest.Verdict{
//			Name:  "a year of orders",
//			Facts: map[string]classify.Value{"activity.order.months_12": classify.IntegerValue(12)},
//			Want:  []classify.TagRef{{Dimension: "loyalty", Tag: "gold"}},
//		})
//	}
//
// Every complaint names the case, what was expected and what would be right. The kit
// itself is tested with plug-ins that are broken on purpose, each in one way.
package taggingtest
