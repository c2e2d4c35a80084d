package tagging

import (
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/internal/lineage"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
)

// The ids of this package's tables, bitmaps and sequences in the key space. Tables
// whose changes others follow in the journal are exported.
const (
	TableDimension = 10
	TableTag       = 11
	TableTagged    = 12 // keyed by customer
	TableSegment   = 13
	tableEdition   = 14
	tableLineage   = 90

	bitmapTag = 2

	sequenceDimension = 10
	sequenceTag       = 11
)

// Action is what a journal entry says happened to a record of this package.
type Action uint8

const (
	Created  Action = 1
	Updated  Action = 2
	Settled  Action = 3 // the clock or a changed definition made it so
	Removed  Action = 4
	Combined Action = 5 // of two customers, at a merge or its undoing
	Forgot   Action = 6
)

var actionNames = enum.Names{"none", "created", "updated", "settled", "removed", "combined", "forgotten"}

func (a Action) String() string { return actionNames.Of(uint8(a)) }

// tables is the stored form of the package's data.
type tables struct {
	dimension    *storage.Table[DimensionID, *Dimension]
	tag          *storage.Table[TagID, *Tag]
	tagged       *storage.Table[customer.ID, *Tagged]
	segment      *storage.Table[string, *Segment]
	edition      *storage.Table[uint64, *edition]
	lineage      *lineage.Table // of the tags of survivors of merges
	dimensionBy  *storage.Index[*Dimension]
	tagBy        *storage.Index[*Tag]
	due          *storage.Index[*Tagged]
	held         *storage.Bitmap[*Tagged]
	dimensionIDs *storage.Sequence
	tagIDs       *storage.Sequence
}

func newTables() *tables {
	t := &tables{
		lineage:      lineage.New(tableLineage, "tagged_lineage"),
		dimensionBy:  &storage.Index[*Dimension]{ID: 1, Label: "code", Unique: true, Keys: dimensionKeys},
		tagBy:        &storage.Index[*Tag]{ID: 1, Label: "code", Unique: true, Keys: tagKeys, Version: text.Fingerprint()},
		due:          &storage.Index[*Tagged]{ID: 1, Label: "due", Keys: dueKeys},
		held:         &storage.Bitmap[*Tagged]{ID: bitmapTag, Label: "tag", Keys: heldKeys},
		dimensionIDs: &storage.Sequence{ID: sequenceDimension, Name: "dimension id", Block: 16},
		tagIDs:       &storage.Sequence{ID: sequenceTag, Name: "tag id", Block: 64},
	}
	t.dimension = &storage.Table[DimensionID, *Dimension]{
		ID: TableDimension, Label: "dimension", Key: storage.UintKey[DimensionID](), History: true,
		Indexes: []*storage.Index[*Dimension]{t.dimensionBy}, Numbers: t.dimensionIDs,
		Append: appendDimension, Decode: decodeDimension,
	}
	t.tag = &storage.Table[TagID, *Tag]{
		ID: TableTag, Label: "tag", Key: storage.UintKey[TagID](), History: true,
		Indexes: []*storage.Index[*Tag]{t.tagBy}, Numbers: t.tagIDs,
		Append: appendTag, Decode: decodeTag,
	}
	t.tagged = &storage.Table[customer.ID, *Tagged]{
		ID: TableTagged, Label: "tagged", Key: storage.UintKey[customer.ID](), History: true,
		Indexes: []*storage.Index[*Tagged]{t.due},
		Bitmaps: []*storage.Bitmap[*Tagged]{t.held},
		Append:  appendTagged, Decode: decodeTagged,
	}
	t.segment = &storage.Table[string, *Segment]{
		ID: TableSegment, Label: "segment", Key: storage.StringKey[string](), History: true,
		Append: appendSegment, Decode: decodeSegment,
	}
	t.edition = &storage.Table[uint64, *edition]{
		ID: tableEdition, Label: "edition", Key: storage.UintKey[uint64](), Pinned: true,
		Append: appendEdition, Decode: decodeEdition,
	}
	return t
}

func (t *tables) addTo(s *storage.Schema) {
	s.Tables = append(s.Tables, t.dimension, t.tag, t.tagged, t.segment, t.edition)
	t.lineage.AddTo(s)
	s.Sequences = append(s.Sequences, t.dimensionIDs, t.tagIDs)
}

func dimensionKeys(set *storage.KeySet, d *Dimension) { set.String(d.Code).End() }

func tagKeys(set *storage.KeySet, t *Tag) {
	set.Uint(uint64(t.Dimension)).String(foldCode(t.Code)).End()
	for _, alias := range t.Aliases {
		set.Uint(uint64(t.Dimension)).String(foldCode(alias)).End()
	}
}

// dueKeys orders customers by when their tags change by the clock alone.
func dueKeys(set *storage.KeySet, t *Tagged) {
	if at, due := t.nextDue(); due {
		set.Uint(uint64(max(at.Unix(), 0))).End()
	}
}

// anyTag is the tag number under which a dimension's bitmap has the holders of any tag.
const anyTag = TagID(0)

// heldKeys marks a customer under its tags and, with anyTag, under their dimensions.
func heldKeys(set *storage.KeySet, t *Tagged) {
	for a := range t.Held() {
		set.Uint(uint64(a.Dimension)).Uint(uint64(anyTag)).End()
		set.Uint(uint64(a.Dimension)).Uint(uint64(a.Tag)).End()
	}
}

// heldKey is the bitmap key of a tag's holders.
func heldKey(dst storage.Key, d DimensionID, t TagID) storage.Key {
	return dst.Uint(uint64(d)).Uint(uint64(t))
}
