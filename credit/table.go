package credit

import (
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/storage"
)

// Action is what a journal entry says happened to a record of the ledger.
type Action uint8

const (
	Posted      Action = 1 // an item, an allocation, or what a customer owes by them
	Amended     Action = 2 // a dispute, a reference, a reversal
	Deallocated Action = 3
	Moved       Action = 4 // to another customer, at a merge or its undoing
	Forgot      Action = 5
	PeriodSet   Action = 6
)

var actionNames = enum.Names{"none", "posted", "amended", "deallocated", "moved", "forgotten", "period set"}

func (a Action) String() string { return actionNames.Of(uint8(a)) }

// The ids of the ledger's tables, counters and sequences in the key space. Tables whose
// changes others follow in the journal are exported.
const (
	TableItem       = 30
	TableAllocation = 31
	TableAccount    = 32 // keyed by customer
	tableOpen       = 33
	tableLog        = 34
	tableFigures    = 35
	tablePeriod     = 36

	counterOpen = 30
	counterDay  = 31

	sequenceItem       = 30
	sequenceAllocation = 31
)

// tables is the stored form of the ledger. Items, allocations and periods are what was
// posted; all else is derived from them.
type tables struct {
	item         *storage.Table[ItemID, *Item]
	document     *storage.Index[*Item]
	holder       *storage.Index[*Item]
	itemIDs      *storage.Sequence
	allocation   *storage.Table[AllocationID, *Allocation]
	settles      *storage.Index[*Allocation]
	request      *storage.Index[*Allocation]
	allocationID *storage.Sequence
	account      *storage.Table[customer.ID, *account]
	open         *storage.Table[openKey, *openPage]
	log          *storage.Table[logKey, *logPage]
	figures      *storage.Table[figuresKey, *figures]
	period       *storage.Table[string, *Period]
	total        *storage.Counter
	days         *storage.Counter
}

func newTables() *tables {
	t := &tables{
		document:     &storage.Index[*Item]{ID: 1, Label: "document", Unique: true, Keys: documentKeys},
		holder:       &storage.Index[*Item]{ID: 2, Label: "customer", Keys: holderKeys},
		itemIDs:      &storage.Sequence{ID: sequenceItem, Name: "item id", Block: 1024},
		settles:      &storage.Index[*Allocation]{ID: 1, Label: "item", Keys: settlesKeys},
		request:      &storage.Index[*Allocation]{ID: 2, Label: "request", Unique: true, Keys: requestKeys},
		allocationID: &storage.Sequence{ID: sequenceAllocation, Name: "allocation id", Block: 1024},
		days:         &storage.Counter{ID: counterDay, Name: "log_day", Key: "day: entries of the log that count from it"},
		total:        &storage.Counter{ID: counterOpen, Name: "open", Key: "side, currency, due day: open minor units of all customers"},
	}
	t.item = &storage.Table[ItemID, *Item]{
		ID: TableItem, Label: "item", Key: storage.UintKey[ItemID](), History: true, Numbers: t.itemIDs,
		Indexes: []*storage.Index[*Item]{t.document, t.holder}, Append: appendItem, Decode: decodeItem,
	}
	t.allocation = &storage.Table[AllocationID, *Allocation]{
		ID: TableAllocation, Label: "allocation", Key: storage.UintKey[AllocationID](), History: true, Numbers: t.allocationID,
		Indexes: []*storage.Index[*Allocation]{t.settles, t.request}, Append: appendAllocation, Decode: decodeAllocation,
	}
	t.account = &storage.Table[customer.ID, *account]{
		ID: TableAccount, Label: "account", Key: storage.UintKey[customer.ID](), History: true,
		Append: appendAccount, Decode: decodeAccount,
	}
	t.open = &storage.Table[openKey, *openPage]{
		ID: tableOpen, Label: "open_page", Key: storage.KeyCodec[openKey]{Append: appendOpenKey, Decode: decodeOpenKey},
		Append: appendOpenPage, Decode: decodeOpenPage,
	}
	t.log = &storage.Table[logKey, *logPage]{
		ID: tableLog, Label: "log_page", Key: storage.KeyCodec[logKey]{Append: appendLogKey, Decode: decodeLogKey},
		Section: logSection, Append: appendLogPage, Decode: decodeLogPage,
	}
	t.figures = &storage.Table[figuresKey, *figures]{
		ID: tableFigures, Label: "figures", Key: storage.KeyCodec[figuresKey]{Append: appendFiguresKey, Decode: decodeFiguresKey},
		Append: appendFigures, Decode: decodeFigures,
	}
	t.period = &storage.Table[string, *Period]{
		ID: tablePeriod, Label: "period", Key: storage.StringKey[string](), History: true, Pinned: true,
		Append: appendPeriod, Decode: decodePeriod,
	}
	return t
}

func (t *tables) addTo(s *storage.Schema) {
	s.Tables = append(s.Tables, t.item, t.allocation, t.account, t.open, t.log, t.figures, t.period)
	s.Sequences = append(s.Sequences, t.itemIDs, t.allocationID)
	s.Counters = append(s.Counters, t.total, t.days)
}

// documentKeys makes posting idempotent: a document's instalment is posted once.
func documentKeys(set *storage.KeySet, i *Item) {
	set.String(i.Document).Uint(uint64(i.Instalment)).End()
}

// holderKeys lists a customer's items by due date.
func holderKeys(set *storage.KeySet, i *Item) {
	set.Uint(uint64(i.Customer)).Uint(uint64(i.Due)).End()
}

// settlesKeys finds the allocations of an item on either side.
func settlesKeys(set *storage.KeySet, a *Allocation) {
	set.Uint(uint64(a.Debit)).End()
	set.Uint(uint64(a.Credit)).End()
}

// requestKeys makes allocating idempotent for callers that name their request.
func requestKeys(set *storage.KeySet, a *Allocation) {
	if a.Request != "" {
		set.String(a.Request).End()
	}
}
