package match

import "github.com/clientele-go/clientele/dedupe/compare"

// Where a list has few duplicates or none, relatives and namesakes are what its candidates
// have most of, and training would make them its class of one customer. So the class is held
// to what makes it that: expectation and maximisation under convex constraints (Winkler 1993,
// "Improved decision rules in the Fellegi-Sunter model of record linkage").
const (
	// contradicted is the largest share of pairs of one customer with two valid numbers of
	// one kind that differ.
	contradicted = 0.003
	// mostUnlike is the largest share that differ in what tells customers apart.
	mostUnlike = 0.2
	// mostRenamed is the largest share of which neither given nor family name is alike.
	mostRenamed = 0.01
	// mostSwapped is the largest share with a value in another's column.
	mostSwapped = 0.25
	// swappedApart is how often at least a value is in the wrong column where it agrees by
	// chance, against where it is the same customer's: clerks err whoever else is in the list.
	swappedApart = 0.05
)

// hold keeps the shares among pairs of one customer within their bounds.
func hold(m *[absent]float64, t compare.Type) {
	if t == compare.Identifier {
		m[0] = min(m[0], contradicted)
	}
	if tells(t) {
		lower(m, mostUnlike, 0, 2)
	}
	lower(m, mostSwapped, crossed, crossed+1)
}

// holdSwapped keeps few namesakes, all of them taken for one customer, from making values in the
// wrong column look as if they never were by chance.
func (w *weights) holdSwapped() {
	w.U[crossed] = max(w.U[crossed], swappedApart*w.U[compare.Exact]*w.M[crossed]/w.M[compare.Exact])
}

// holdOtherNumbers keeps numbers that differ from speaking for one customer where those of unrelated
// pairs contradict one another as well: such a number is of a kind that hardly anybody has.
func (w *weights) holdOtherNumbers(t compare.Type) {
	if t == compare.Identifier {
		w.U[otherNumber] = max(w.U[otherNumber], w.M[otherNumber])
	}
}

// otherNumber is the level of numbers that differ without being two valid ones of one kind.
const otherNumber = 1

// lower brings the states from one on to before another down to a share, and gives what is
// left to the others.
func lower(m *[absent]float64, most float64, from, to int) {
	total := 0.0
	for _, share := range m[from:to] {
		total += share
	}
	if total <= most {
		return
	}
	for s := range m {
		if s >= from && s < to {
			m[s] *= most / total
		} else {
			m[s] *= (1 - most) / (1 - total)
		}
	}
}
