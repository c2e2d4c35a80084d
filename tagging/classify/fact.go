package classify

import (
	"context"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// FactSource provides facts that rules can read by name, such as receivables.overdue.
// It is passed by value in [Options]; the built-in sources are customer, attr, tag and
// activity (see the package comment).
type FactSource struct {
	// Name is the first part of the names of all its facts.
	Name  string
	Facts []FactSpec
	// Load reads the facts that are asked for, in the order of Request.Want, and the
	// instant at which one of them may change by the clock alone, zero for never. An
	// absent fact is the zero Value. It is called from several goroutines, with
	// different readers. An error or a panic is a failure of the rules that read the
	// source, for this customer, so what is merely not known should be Missing.
	Load func(ctx context.Context, r *storage.Reader, q Request) ([]Value, time.Time, error)
	// Changed tells whose facts a changed record touches, if anybody's; nil for a
	// source whose facts change by the clock alone. It sees operations on tables
	// with History.
	Changed func(op storage.Op) (customer.ID, bool)
}

// FactSpec declares a fact.
type FactSpec struct {
	// Name is dotted: lower case letters, digits and _ in each part. A part that is *
	// stands for any one part.
	Name string
	Type Type
	Doc  string // one sentence, with the unit
}

// Request is what a source is asked for.
type Request struct {
	Customer customer.ID
	Want     []string // names of its own facts, always the same slice for the same rules
	Now      time.Time
	// Past asks for the facts as they were recorded at Now, which lies in the past; a
	// source that doesn't know leaves them missing.
	Past bool
}
