package dedupe

import (
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/storage"
)

// Action is what a journal entry says happened to a record of this package.
type Action uint8

const (
	Merged    Action = 1
	Unmerged  Action = 2
	Found     Action = 3 // by a run, or when a customer was created
	Decided   Action = 4 // by a person
	Withdrawn Action = 5 // a decision
	Trained   Action = 6 // a model
	Forgot    Action = 7
	RunEnded  Action = 8
	RunBegan  Action = 9 // to store what it found
)

var actionNames = enum.Names{"none", "merged", "unmerged", "found", "decided", "withdrawn", "trained", "forgotten", "run ended", "run began"}

func (a Action) String() string { return actionNames.Of(uint8(a)) }

// The ids of this package's tables in the key space.
const (
	TableMerge   = 50
	TablePair    = 51
	TableModel   = 52
	TableCluster = 53
	TableRun     = 54

	tableModelPart = 55

	sequenceRun     = 50
	sequenceCluster = 51
)

// tables is the stored form of the package's data.
type tables struct {
	merge      *storage.Table[customer.ID, *MergeRecord] // by loser
	bySurvivor *storage.Index[*MergeRecord]
	pair       *storage.Table[pairKey, *Pair]
	queue      *storage.Index[*Pair]
	pairOf     *storage.Index[*Pair] // by customer and verdict
	models     *storage.Table[uint64, *ModelVersion]
	modelPart  *storage.Table[partKey, *modelPart]
	cluster    *storage.Table[customer.ID, *clustered]
	byCluster  *storage.Index[*clustered]
	run        *storage.Table[uint64, *RunRecord]
	runIDs     *storage.Sequence
	clusterIDs *storage.Sequence
}

func newTables() *tables {
	t := &tables{
		bySurvivor: &storage.Index[*MergeRecord]{ID: 1, Label: "survivor", Keys: survivorKeys},
		queue:      &storage.Index[*Pair]{ID: 1, Label: "queue", Keys: queueKeys},
		pairOf:     &storage.Index[*Pair]{ID: 2, Label: "customer", Keys: pairOfKeys},
		byCluster:  &storage.Index[*clustered]{ID: 1, Label: "cluster", Keys: clusterKeys},
		runIDs:     &storage.Sequence{ID: sequenceRun, Name: "dedupe run", Block: 1},
		clusterIDs: &storage.Sequence{ID: sequenceCluster, Name: "dedupe cluster", Block: 1024},
	}
	t.merge = &storage.Table[customer.ID, *MergeRecord]{
		ID: TableMerge, Label: "merge", Key: storage.UintKey[customer.ID](), History: true,
		Indexes: []*storage.Index[*MergeRecord]{t.bySurvivor},
		Append:  appendMerge, Decode: decodeMerge,
	}
	t.pair = &storage.Table[pairKey, *Pair]{
		ID: TablePair, Label: "pair", Key: pairKeyCodec, History: true,
		Indexes: []*storage.Index[*Pair]{t.queue, t.pairOf},
		Append:  appendPair, Decode: decodePair,
	}
	t.models = &storage.Table[uint64, *ModelVersion]{
		ID: TableModel, Label: "match_model", Key: storage.UintKey[uint64](), History: true, Pinned: true,
		Append: appendModel, Decode: decodeModel,
	}
	t.modelPart = &storage.Table[partKey, *modelPart]{
		ID: tableModelPart, Label: "match_model_part", Key: partKeyCodec,
		Append: appendPart, Decode: decodePart,
	}
	t.cluster = &storage.Table[customer.ID, *clustered]{
		ID: TableCluster, Label: "cluster", Key: storage.UintKey[customer.ID](),
		Indexes: []*storage.Index[*clustered]{t.byCluster},
		Append:  appendClustered, Decode: decodeClustered,
	}
	t.run = &storage.Table[uint64, *RunRecord]{
		ID: TableRun, Label: "dedupe_run", Key: storage.UintKey[uint64](), History: true,
		Append: appendRun, Decode: decodeRun,
	}
	return t
}

func (t *tables) addTo(s *storage.Schema) {
	s.Tables = append(s.Tables, t.merge, t.pair, t.models, t.modelPart, t.cluster, t.run)
	s.Sequences = append(s.Sequences, t.runIDs, t.clusterIDs)
}

func survivorKeys(set *storage.KeySet, m *MergeRecord) { set.Uint(uint64(m.Survivor)).End() }

func clusterKeys(set *storage.KeySet, m *clustered) { set.Uint(uint64(m.cluster)).End() }
