package stocktake

import (
	"runtime"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// The ids of this package's tables and sequences in the key space.
const (
	tableDefinition = 70
	tableRun        = 71
	tablePart       = 72
	tableMembers    = 73
	tableGone       = 74

	sequenceRun = 70
)

// Action is what a journal entry says happened to a definition or a run.
type Action uint8

const (
	Saved   Action = 1
	Counted Action = 2
	Moved   Action = 3 // to another state
)

// Store describes how counts are kept. A program makes one for each book and hands it to
// the storage's schema; the root package does so.
type Store struct {
	opts Options

	definition *storage.Table[string, *Definition]
	run        *storage.Table[RunID, *Run]
	part       *storage.Table[partKey, *part]
	members    *storage.Table[memberKey, *memberChunk]
	gone       *storage.Table[customer.ID, *gone]
	byName     *storage.Index[*Run]
	byDigest   *storage.Index[*Run]
	runs       *storage.Sequence
}

// New returns the counts of one book.
func New(opts Options) *Store {
	if opts.Workers <= 0 {
		opts.Workers = runtime.GOMAXPROCS(0)
	}
	s := &Store{
		opts:     opts,
		byName:   &storage.Index[*Run]{ID: 1, Label: "definition", Keys: runNameKeys},
		byDigest: &storage.Index[*Run]{ID: 2, Label: "digest", Keys: runDigestKeys},
		runs:     &storage.Sequence{ID: sequenceRun, Name: "stocktake run id", Block: 1},
	}
	s.definition = &storage.Table[string, *Definition]{
		ID: tableDefinition, Label: "stocktake", Key: storage.StringKey[string](), History: true,
		Append: appendDefinition, Decode: decodeDefinition,
	}
	s.run = &storage.Table[RunID, *Run]{
		ID: tableRun, Label: "stocktake_run", Key: storage.UintKey[RunID](), History: true, Numbers: s.runs,
		Indexes: []*storage.Index[*Run]{s.byName, s.byDigest}, Append: appendRun, Decode: decodeRun,
	}
	s.part = &storage.Table[partKey, *part]{
		ID: tablePart, Label: "stocktake_part", Key: partCodec, Append: appendPart, Decode: decodePart,
	}
	s.members = &storage.Table[memberKey, *memberChunk]{
		ID: tableMembers, Label: "stocktake_members", Key: memberCodec, Append: appendMembers, Decode: decodeMembers,
	}
	s.gone = &storage.Table[customer.ID, *gone]{
		ID: tableGone, Label: "stocktake_gone", Key: storage.UintKey[customer.ID](), Append: appendGone, Decode: decodeGone,
	}
	return s
}

// AddTo adds the tables to a book's schema.
func (s *Store) AddTo(schema *storage.Schema) {
	schema.Tables = append(schema.Tables, s.definition, s.run, s.part, s.members, s.gone)
	schema.Sequences = append(schema.Sequences, s.runs)
}

func (s *Store) beside(r *storage.Reader, customers *customer.Reader) Beside {
	if s.opts.Beside == nil {
		return Beside{}
	}
	return s.opts.Beside(r, customers)
}

// runNameKeys finds the runs of a definition by their closing.
func runNameKeys(set *storage.KeySet, r *Run) {
	set.String(r.Definition).Uint(r.Closing.Position).End()
}

// runDigestKeys finds the runs that share a stored result.
func runDigestKeys(set *storage.KeySet, r *Run) { set.String(r.Digest).End() }
