package credit

import (
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/internal/enum"
)

// Outcome is what a check says, in ascending severity.
type Outcome uint8

const (
	Pass Outcome = iota
	Warn         // granted, and somebody should know
	Hold         // kept, without credit, until somebody decides
	Stop         // refused
)

var outcomeNames = enum.Names{"pass", "warn", "hold", "stop"}

func (o Outcome) String() string { return outcomeNames.Of(uint8(o)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (o Outcome) MarshalText() ([]byte, error) {
	return outcomeNames.Marshal(uint8(o), "credit", "outcome")
}

// UnmarshalText reads what MarshalText wrote.
func (o *Outcome) UnmarshalText(text []byte) error {
	return outcomeNames.Unmarshal(text, (*uint8)(o), "credit", "outcome")
}

// StepKind is what a step of a check looks at.
type StepKind uint8

const (
	// Utilisation: the exposure with what is asked for, in percent of the limit.
	Utilisation StepKind = 1
	// OldestOverdue: the days by which the oldest open debit is overdue, less the
	// policy's margin.
	OldestOverdue StepKind = 2
	// LargestDocument: the amount of the document, in minor units of the step's currency.
	LargestDocument StepKind = 3
	// PaymentBehaviour: the days by which the customer usually pays late.
	PaymentBehaviour StepKind = 4
	// DunningLevel: the level of dunning that the customer has reached.
	DunningLevel StepKind = 5
	// Unlimited: no limit is set for the customer, its group or a unit above it. It is a
	// finding, not a step; see [Policy.WithoutLimit].
	Unlimited StepKind = 6
)

var stepNames = enum.Names{"none", "utilisation", "oldest overdue", "largest document", "payment behaviour", "dunning level", "no limit"}

func (k StepKind) String() string { return stepNames.Of(uint8(k)) }

// unit is what stands behind the numbers of a finding.
func (k StepKind) unit() string {
	switch k {
	case Utilisation:
		return " %"
	case OldestOverdue, PaymentBehaviour:
		return " days"
	}
	return ""
}

// MarshalText returns the lower-case English name, for JSON and maps.
func (k StepKind) MarshalText() ([]byte, error) {
	return stepNames.Marshal(uint8(k), "credit", "step")
}

// UnmarshalText reads what MarshalText wrote.
func (k *StepKind) UnmarshalText(text []byte) error {
	return stepNames.Unmarshal(text, (*uint8)(k), "credit", "step")
}

// Step is one test of a check: it gives its outcome when what it looks at is above a
// threshold. Several steps of one kind escalate: the severest that applies counts.
type Step struct {
	Kind     StepKind
	Above    int64          // percent, days, minor units of Currency, or a level
	Outcome  Outcome        // Warn, Hold or Stop
	Currency money.Currency // of a LargestDocument
}
