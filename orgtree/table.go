package orgtree

import (
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/internal/lineage"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
)

// Action is what a journal entry says happened to a unit, a placement or a quota.
type Action uint8

const (
	UnitCreated     Action = 1
	UnitUpdated     Action = 2
	UnitMoved       Action = 3
	UnitMerged      Action = 4
	UnitClosed      Action = 5
	PlacementSet    Action = 6 // assigned, withdrawn, team or overlay set
	PlacementDue    Action = 7 // an assignment began or ended on its day
	PlacementErased Action = 8
	QuotaSet        Action = 9
	PlacementMerged Action = 24 // with its customer, or restored with it
)

var actionNames = enum.Names{"none", "unit created", "unit updated", "unit moved", "unit merged", "unit closed",
	"placement set", "placement due", "placement erased", "quota set",
	"principal set", "role set", "role removed", "grant given", "grant revoked", "delegation set", "delegation ended", "policy set",
	"approval asked", "approval decided", "approval used", "approval erased", "campaign set", "grant certified", "placement merged"}

func (a Action) String() string { return actionNames.Of(uint8(a)) }

// The ids of units and placements in the key space. Those of access are in
// accesstable.go.
const (
	TableUnit      = 20
	tableTree      = 21
	TablePlacement = 22
	TableRepQuota  = 23
	tableLineage   = 84

	sequenceUnit = 20

	bitmapUnit = 10
	bitmapTeam = 11
)

// tables is the stored form of units and placements.
type tables struct {
	unit      *storage.Table[customer.UnitID, *Unit]
	unitCode  *storage.Index[*Unit]
	unitIDs   *storage.Sequence
	tree      *storage.Table[string, *treeState]
	placement *storage.Table[customer.ID, *Placement]
	due       *storage.Index[*Placement]
	local     *storage.Index[*Placement]
	rep       *storage.Index[*Placement]
	named     *storage.Index[*Placement]
	byUnit    *storage.Bitmap[*Placement] // now assigned, by unit
	byTeam    *storage.Bitmap[*Placement] // by the team that serves it
	byRep     *storage.Bitmap[*Placement] // now assigned, by the assignment's representative
	repQuota  *storage.Table[string, *repQuota]
	lineage   *lineage.Table // of the placements of survivors of merges
	*accessTables
}

func newTables() *tables {
	t := &tables{
		accessTables: newAccessTables(),
		lineage:      lineage.New(tableLineage, "placement_lineage"),

		unitCode: &storage.Index[*Unit]{ID: 1, Label: "code", Unique: true, Keys: unitCodeKeys},
		unitIDs:  &storage.Sequence{ID: sequenceUnit, Name: "unit id", Block: 16},
		due:      &storage.Index[*Placement]{ID: 1, Label: "due", Keys: dueKeys},
		local:    &storage.Index[*Placement]{ID: 2, Label: "local_code", Unique: true, Keys: localCodeKeys},
		rep:      &storage.Index[*Placement]{ID: 3, Label: "rep", Keys: placementRepKeys},
		named:    &storage.Index[*Placement]{ID: 4, Label: "named_unit", Keys: namedUnitKeys},
		byUnit:   &storage.Bitmap[*Placement]{ID: bitmapUnit, Label: "unit", Keys: assignedKeys, Versioned: everyKey},
		byRep:    &storage.Bitmap[*Placement]{ID: bitmapRep, Label: "rep", Keys: assignedRepKeys, Versioned: everyKey},
		byTeam:   &storage.Bitmap[*Placement]{ID: bitmapTeam, Label: "team", Keys: teamKeys, Versioned: everyKey},
	}
	t.unit = &storage.Table[customer.UnitID, *Unit]{
		ID: TableUnit, Label: "unit", Key: storage.UintKey[customer.UnitID](), History: true, Numbers: t.unitIDs,
		Indexes: []*storage.Index[*Unit]{t.unitCode},
		Append:  appendUnit, Decode: decodeUnit,
	}
	t.tree = &storage.Table[string, *treeState]{
		ID: tableTree, Label: "tree", Key: storage.StringKey[string](), Pinned: true,
		Append: appendTreeState, Decode: decodeTreeState,
	}
	t.placement = &storage.Table[customer.ID, *Placement]{
		ID: TablePlacement, Label: "placement", Key: storage.UintKey[customer.ID](), History: true,
		Indexes: []*storage.Index[*Placement]{t.due, t.local, t.rep, t.named},
		Bitmaps: []*storage.Bitmap[*Placement]{t.byUnit, t.byTeam, t.byRep},
		Append:  appendPlacement, Decode: decodePlacement,
	}
	t.repQuota = &storage.Table[string, *repQuota]{
		ID: TableRepQuota, Label: "rep_quota", Key: storage.StringKey[string](), History: true, Pinned: true,
		Append: appendRepQuota, Decode: decodeRepQuota,
	}
	return t
}

func (t *tables) addTo(s *storage.Schema) {
	s.Tables = append(s.Tables, t.unit, t.tree, t.placement, t.repQuota)
	t.lineage.AddTo(s)
	s.Sequences = append(s.Sequences, t.unitIDs)
	t.accessTables.addTo(s)
}

func everyKey(storage.Key) bool { return true }

func unitCodeKeys(set *storage.KeySet, u *Unit) {
	if u.Code != "" {
		set.String(text.Fold(u.Code)).End()
	}
}

// dueKeys orders placements by when an assignment next begins or ends.
func dueKeys(set *storage.KeySet, p *Placement) {
	if due := p.due(); !due.IsZero() {
		set.Uint(uint64(max(0, due.UnixMicro()))).End()
	}
}

func localCodeKeys(set *storage.KeySet, p *Placement) {
	for i := range p.Overlays {
		if o := &p.Overlays[i]; o.LocalCode != "" {
			set.Uint(uint64(o.Unit)).String(text.Fold(o.LocalCode)).End()
		}
	}
}

// placementRepKeys finds what names a representative beside the customer's own.
func placementRepKeys(set *storage.KeySet, p *Placement) {
	for i := range p.Assignments {
		if rep := p.Assignments[i].Rep; rep != "" {
			set.String(rep).End()
		}
	}
	for i := range p.Overlays {
		if rep := p.Overlays[i].Rep; rep != "" {
			set.String(rep).End()
		}
	}
}

// namedUnitKeys finds what names a unit in whatever role, for merges and closures.
func namedUnitKeys(set *storage.KeySet, p *Placement) {
	for _, unit := range p.units() {
		set.Uint(uint64(unit)).End()
	}
}

func assignedKeys(set *storage.KeySet, p *Placement) {
	for i := range p.Assignments {
		if a := &p.Assignments[i]; a.live {
			set.Uint(uint64(a.Unit)).End()
		}
	}
}

func teamKeys(set *storage.KeySet, p *Placement) {
	if p.Team != 0 {
		set.Uint(uint64(p.Team)).End()
	}
	for i := range p.Assignments {
		if a := &p.Assignments[i]; a.live && a.Team != 0 {
			set.Uint(uint64(a.Team)).End()
		}
	}
}
