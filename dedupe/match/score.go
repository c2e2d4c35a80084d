package match

import "math"

// Decision is what the evidence of a pair allows to say.
type Decision uint8

const (
	// Different: the pair is not worth anyone's time.
	Different Decision = iota
	// Possible: a person should look.
	Possible
	// Same: the pair is one customer by default.
	Same
)

// Score is a model's judgement of a pair.
type Score struct {
	// LogOdds are the natural logarithm of the posterior odds that the pair is one
	// customer; 0 is even.
	LogOdds     float64
	Probability float64
	Decision    Decision
	// Fields explain the score, in the order of the schema; they are filled by
	// [Model.Explain] only.
	Fields []FieldScore
}

// FieldScore is what one field brought to a score.
type FieldScore struct {
	Field string
	A, B  string // the values as they came
	Level string // the level's name, as in compare.Level
	// Bits are the field's weight of evidence, the binary logarithm of its likelihood
	// ratio: positive speaks for the same customer, negative against, 0 is neutral
	// (for example because a value is missing).
	Bits     float64
	Sentence map[string]string // by language: "en", "zh"
}

// possibleAbove is the log-odds from which a person should look: one chance in twenty.
const possibleAbove = -3

func newScore(logOdds float64) Score {
	return Score{LogOdds: logOdds, Probability: 1 / (1 + math.Exp(-logOdds)), Decision: decide(float32(logOdds))}
}

func decide(logOdds float32) Decision {
	switch {
	case logOdds > 0:
		return Same
	case logOdds > possibleAbove:
		return Possible
	}
	return Different
}

func (d Decision) String() string {
	switch d {
	case Same:
		return "same"
	case Possible:
		return "possible"
	}
	return "different"
}
