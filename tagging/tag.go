package tagging

import (
	"maps"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
)

// TagID identifies a tag for ever; 0 is none.
type TagID uint64

// Tag is a value of a dimension.
type Tag struct {
	ID        TagID
	Version   uint64
	Dimension DimensionID
	// Code is the tag's name in filters, unique in its dimension together with all
	// aliases: letters of any script, digits and - _ . +, at most 100 bytes. Letter case,
	// width and traditional or simplified script do not count in comparisons.
	Code        string
	Aliases     []string // other codes for the same tag
	Parent      TagID    // in a tree, 0 for a root
	Rank        int      // in an ordered dimension; low to high
	Names       customer.Names
	Description string
	Colour      string    // "#rrggbb", or empty
	Until       time.Time // assignments end then at the latest; zero for never
	Retired     bool      // can't be assigned any more; what is assigned stays
	MergedInto  TagID     // the tag that this one stands for since a merge

	Recorded time.Time // when this version was recorded
	Actor    string    // who recorded it
	Reason   string    // why

	unsettled bool // its assignments may still follow an earlier version
	rest      string
}

// clone returns a copy that shares nothing that can be changed.
func (t *Tag) clone() *Tag {
	c := *t
	c.Names, c.Aliases = maps.Clone(t.Names), slices.Clone(t.Aliases)
	return &c
}

// lapsed reports whether nobody can hold the tag any more at an instant.
func (t *Tag) lapsed(now time.Time) bool { return !t.Until.IsZero() && !now.Before(t.Until) }
