// Package measure has the standard measures of credit management: days sales outstanding,
// days to pay, days late, collection effectiveness, utilisation, concentration.
//
// Its functions take figures and give figures; whose they are, of one customer, of all
// that a filter means or of the book, and in which currency, is for the caller to say.
// Package credit fills them from its ledger. Amounts are minor units of one currency.
//
// Results are exact fractions rounded half to even: [Days] to hundredths of a day, [Share]
// to hundredths of a percent. A measure that would divide by nothing, such as days of
// sales without sales, reports false instead of a figure.
//
// The definitions are those of credit management's textbooks and of the Credit Research
// Foundation's list of standard metrics; each function says its formula.
package measure
