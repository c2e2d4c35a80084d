package credit

import (
	"fmt"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/internal/lineage"
	"github.com/clientele-go/clientele/storage"
)

// ControlAction is what a journal entry says happened to a record of credit control.
type ControlAction uint8

const (
	LimitSet          ControlAction = 1
	PolicySet         ControlAction = 2
	ProfileSet        ControlAction = 3 // a customer's group or policy
	GroupSet          ControlAction = 4
	RateSet           ControlAction = 5
	ReservationMade   ControlAction = 6
	ReservationHeld   ControlAction = 7
	ReservationPassed ControlAction = 8 // on to a later document, or a part of it
	ReservationEnded  ControlAction = 9 // released or expired
	Overridden        ControlAction = 10
	ApprovalAsked     ControlAction = 11
	ApprovalVoted     ControlAction = 12
	Dunned            ControlAction = 13
	ControlMoved      ControlAction = 14 // to another customer, at a merge or its undoing
	ControlForgotten  ControlAction = 15
)

var controlNames = enum.Names{"none", "limit set", "policy set", "profile set", "group set", "rate set", "reservation made",
	"reservation held", "reservation passed on", "reservation ended", "overridden", "approval asked for", "approval voted on",
	"dunned", "moved", "forgotten"}

func (a ControlAction) String() string { return controlNames.Of(uint8(a)) }

// The ids of credit control in the key space. Tables whose changes others follow in the
// journal are exported.
const (
	TableLine        = 40
	TablePolicy      = 41
	TableProfile     = 42 // keyed by customer
	TableGroup       = 43
	TableRate        = 44
	TableReservation = 45
	TableOverride    = 46
	TableApproval    = 47
	tableReminded    = 48
	TableDunning     = 49 // keyed by customer
	tableLineage     = 37

	counterExposure = 35

	sequenceGroup    = 32
	sequenceOverride = 33
	sequenceApproval = 34
)

// controlTables is the stored form of credit control.
type controlTables struct {
	line        *storage.Table[Scope, *Line]
	lineDay     *storage.Index[*Line]
	policy      *storage.Table[string, *Policy]
	profile     *storage.Table[customer.ID, *Profile]
	member      *storage.Index[*Profile]
	group       *storage.Table[GroupID, *Group]
	groupCode   *storage.Index[*Group]
	groupIDs    *storage.Sequence
	rate        *storage.Table[rateKey, *dayRate]
	reservation *storage.Table[string, *Reservation]
	held        *storage.Index[*Reservation]
	expiry      *storage.Index[*Reservation]
	override    *storage.Table[OverrideID, *Override]
	overrideFor *storage.Index[*Override]
	overrideIDs *storage.Sequence
	approval    *storage.Table[ApprovalID, *Approval]
	pending     *storage.Index[*Approval]
	about       *storage.Index[*Approval]
	approvalIDs *storage.Sequence
	reminded    *storage.Table[string, *reminded]
	dunning     *storage.Table[customer.ID, *Dunning]
	dunned      *storage.Index[*Dunning]
	exposed     *storage.Counter
	lineage     *lineage.Table // of what merges lend survivors
}

func newControlTables() *controlTables {
	t := &controlTables{
		lineDay:     &storage.Index[*Line]{ID: 1, Label: "day", Keys: lineDayKeys},
		member:      &storage.Index[*Profile]{ID: 1, Label: "group", Keys: memberKeys},
		groupCode:   &storage.Index[*Group]{ID: 1, Label: "code", Unique: true, Keys: groupCodeKeys},
		groupIDs:    &storage.Sequence{ID: sequenceGroup, Name: "credit group id", Block: 16},
		held:        &storage.Index[*Reservation]{ID: 1, Label: "customer", Keys: heldKeys},
		expiry:      &storage.Index[*Reservation]{ID: 2, Label: "expiry", Keys: expiryKeys},
		overrideFor: &storage.Index[*Override]{ID: 1, Label: "customer", Keys: overrideKeys},
		overrideIDs: &storage.Sequence{ID: sequenceOverride, Name: "override id", Block: 16},
		pending:     &storage.Index[*Approval]{ID: 1, Label: "pending", Keys: pendingKeys},
		about:       &storage.Index[*Approval]{ID: 2, Label: "customer", Keys: aboutKeys},
		approvalIDs: &storage.Sequence{ID: sequenceApproval, Name: "credit approval id", Block: 16},
		dunned:      &storage.Index[*Dunning]{ID: 1, Label: "level", Keys: dunnedKeys},
		exposed:     &storage.Counter{ID: counterExposure, Name: "exposure", Key: "scope, currency, part: minor units"},
		lineage:     lineage.New(tableLineage, "credit_lineage"),
	}
	t.defineLines()
	t.defineReservations()
	return t
}

// defineLines describes the tables of limits and what they are read with.
func (t *controlTables) defineLines() {
	t.line = &storage.Table[Scope, *Line]{
		ID: TableLine, Label: "credit_line", Key: scopeKeys, History: true,
		Indexes: []*storage.Index[*Line]{t.lineDay}, Append: appendLine, Decode: decodeLine,
	}
	t.policy = &storage.Table[string, *Policy]{
		ID: TablePolicy, Label: "credit_policy", Key: storage.StringKey[string](), History: true, Pinned: true,
		Append: appendPolicy, Decode: decodePolicy,
	}
	t.profile = &storage.Table[customer.ID, *Profile]{
		ID: TableProfile, Label: "credit_profile", Key: storage.UintKey[customer.ID](), History: true,
		Indexes: []*storage.Index[*Profile]{t.member}, Append: appendProfile, Decode: decodeProfile,
	}
	t.group = &storage.Table[GroupID, *Group]{
		ID: TableGroup, Label: "credit_group", Key: storage.UintKey[GroupID](), History: true, Numbers: t.groupIDs,
		Indexes: []*storage.Index[*Group]{t.groupCode}, Append: appendGroup, Decode: decodeGroup,
	}
	t.rate = &storage.Table[rateKey, *dayRate]{
		ID: TableRate, Label: "rate", Key: rateKeys, History: true, Append: appendDayRate, Decode: decodeDayRate,
	}
}

// defineReservations describes the tables of what is asked for and decided.
func (t *controlTables) defineReservations() {
	t.reservation = &storage.Table[string, *Reservation]{
		ID: TableReservation, Label: "reservation", Key: storage.StringKey[string](), History: true,
		Indexes: []*storage.Index[*Reservation]{t.held, t.expiry}, Append: appendReservation, Decode: decodeReservation,
	}
	t.override = &storage.Table[OverrideID, *Override]{
		ID: TableOverride, Label: "override", Key: storage.UintKey[OverrideID](), History: true, Numbers: t.overrideIDs,
		Indexes: []*storage.Index[*Override]{t.overrideFor}, Append: appendOverride, Decode: decodeOverride,
	}
	t.approval = &storage.Table[ApprovalID, *Approval]{
		ID: TableApproval, Label: "credit_approval", Key: storage.UintKey[ApprovalID](), History: true, Numbers: t.approvalIDs,
		Indexes: []*storage.Index[*Approval]{t.pending, t.about}, Append: appendApproval, Decode: decodeApproval,
	}
	t.reminded = &storage.Table[string, *reminded]{
		ID: tableReminded, Label: "reminded", Key: storage.StringKey[string](), Append: appendReminded, Decode: decodeReminded,
	}
	t.dunning = &storage.Table[customer.ID, *Dunning]{
		ID: TableDunning, Label: "dunning", Key: storage.UintKey[customer.ID](), History: true,
		Indexes: []*storage.Index[*Dunning]{t.dunned}, Append: appendDunning, Decode: decodeDunning,
	}
}

func (t *controlTables) addTo(s *storage.Schema) {
	s.Tables = append(s.Tables, t.line, t.policy, t.profile, t.group, t.rate, t.reservation, t.override, t.approval, t.reminded, t.dunning)
	s.Sequences = append(s.Sequences, t.groupIDs, t.overrideIDs, t.approvalIDs)
	s.Counters = append(s.Counters, t.exposed)
	t.lineage.AddTo(s)
}

// rateKey is a currency's rate of a day.
type rateKey struct {
	Currency money.Currency
	Day      date.Date
}

var rateKeys = storage.KeyCodec[rateKey]{
	Append: func(dst storage.Key, k rateKey) storage.Key { return dst.Uint(uint64(k.Currency)).Uint(uint64(k.Day)) },
	Decode: func(key storage.Key) (rateKey, error) {
		currency, rest, err := key.CutUint()
		if err != nil {
			return rateKey{}, err
		}
		day, rest, err := rest.CutUint()
		if err == nil && len(rest) > 0 {
			err = fmt.Errorf("%d bytes after the key of a rate", len(rest))
		}
		return rateKey{money.Currency(currency), date.Date(day)}, err
	},
}
