package tagging

import (
	"maps"
	"time"

	"github.com/clientele-go/clientele/customer"
)

// DimensionID identifies a dimension for ever; 0 is none.
type DimensionID uint64

// Dimension is an axis of classification: region, industry, level.
type Dimension struct {
	ID      DimensionID
	Version uint64
	// Code is the dimension's name in filters: lower-case letters, digits and _, from a
	// letter, at most 64 bytes. Names of customer fields are taken.
	Code        string
	Names       customer.Names
	Description string
	Colour      string // "#rrggbb", or empty

	// Exclusive: a customer holds at most one tag at a time.
	Exclusive bool
	// Ordered: tags have ranks, and filters can ask for ranges.
	Ordered bool
	// Tree: tags may have parents.
	Tree bool
	// Required: the hygiene report lists customers without a tag.
	Required bool
	// RuleWins: in an exclusive dimension the tag of a rule beats that of a person or
	// an import. Without it it is the other way round.
	RuleWins bool
	// ValidDays is how long assignments last that name no end, in days; 0 is without end.
	ValidDays int
	// Retired: no tag of it can be assigned any more; what is assigned stays.
	Retired bool

	Recorded time.Time // when this version was recorded
	Actor    string    // who recorded it
	Reason   string    // why

	unsettled bool // what its customers hold may still follow an earlier version
	rest      string
}

// clone returns a copy that shares nothing that can be changed.
func (d *Dimension) clone() *Dimension {
	c := *d
	c.Names = maps.Clone(d.Names)
	return &c
}
