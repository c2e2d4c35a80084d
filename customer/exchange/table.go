package exchange

import (
	"sync"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
	"github.com/clientele-go/clientele/tagging"
)

// The ids of this package's tables and sequences in the key space.
const (
	tableJob   = 60
	tableRow   = 61
	tableScore = 62

	sequenceJob = 60
)

// JobID identifies an import.
type JobID uint64

// State is how far an import is.
type State uint8

const (
	Running State = iota // or cut off: running it again goes on
	Done
	Undone
)

var stateNames = enum.Names{"running", "done", "undone"}

func (s State) String() string { return stateNames.Of(uint8(s)) }

// MarshalText returns the name, for JSON.
func (s State) MarshalText() ([]byte, error) {
	return stateNames.Marshal(uint8(s), "exchange", "state")
}

// Outcome is what became of a row.
type Outcome uint8

const (
	Created Outcome = iota + 1
	Updated
	Unchanged
	Refused
	Duplicate // left out, as a duplicate
	takenBack // by Undo
)

var outcomeNames = enum.Names{"none", "created", "updated", "unchanged", "refused", "duplicate", "taken back"}

func (o Outcome) String() string { return outcomeNames.Of(uint8(o)) }

// MarshalText returns the name, for JSON.
func (o Outcome) MarshalText() ([]byte, error) {
	return outcomeNames.Marshal(uint8(o), "exchange", "outcome")
}

// Summary counts rows by what became of them. Read is the sum of the five that follow.
type Summary struct {
	Read, Created, Updated, Unchanged, Refused, Duplicates int
	// Kept counts the rows, created or updated, of which a value went to the note.
	Kept int
	// Missing counts the customers of the other system that the file hasn't; see [Sync].
	Missing int
}

func (s *Summary) count(o Outcome) {
	s.Read++
	switch o {
	case Created:
		s.Created++
	case Updated:
		s.Updated++
	case Unchanged:
		s.Unchanged++
	case Refused:
		s.Refused++
	case Duplicate:
		s.Duplicates++
	}
}

// Job is the record of an import.
type Job struct {
	ID      JobID
	Version uint64
	File    string // its name
	Size    int64
	Digest  [32]byte // SHA-256 of the file's content,
	Plan    [32]byte // and of the mapping and all that decides what a row becomes
	Mapping string   // as JSON
	State   State
	Row     int // of the file, the last that is settled, and all before it
	Summary Summary
	Started time.Time
	Ended   time.Time // zero while running
	Actor   string
	Reason  string

	turn    uint64 // how many runs have worked on it: only the last one goes on
	unknown string
}

// rowKey identifies a row of an import.
type rowKey struct {
	job JobID
	row uint64
}

// settled is what became of a row: kept for those that changed the book or have faults.
type settled struct {
	key     rowKey
	outcome Outcome
	id      customer.ID
	version uint64 // of the customer, that the row made
	line    int
	twin    customer.ID // of which the row is a duplicate
	faults  []Fault
	// entry is the unit, item or day of the score that the row made or changed, and
	// provider the score's; former is the unit's version before.
	entry    uint64
	provider string
	former   uint64
	tags     []tagging.TagID // that the row gave
	tagged   uint64          // the version of the customer's tags before

	unknown string
}

// Store describes how imports are remembered. A program makes one for each book and hands
// it to the storage's schema; the root package does so.
type Store struct {
	jobs    *storage.Table[JobID, *Job]
	rows    *storage.Table[rowKey, *settled]
	scores  *storage.Table[scoreKey, *Score]
	byFile  *storage.Index[*Job]
	quoting *storage.Index[*settled] // rows by the customer of whom they keep a file's cells
	numbers *storage.Sequence
	running sync.Map // imports of this program, by runningKey
}

// New returns the imports of one book.
func New() *Store {
	s := &Store{
		byFile:  &storage.Index[*Job]{ID: 1, Label: "file", Keys: jobKeys},
		quoting: &storage.Index[*settled]{ID: 1, Label: "quoting", Keys: quotingKeys},
		numbers: &storage.Sequence{ID: sequenceJob, Name: "import id", Block: 1},
	}
	s.jobs = &storage.Table[JobID, *Job]{
		ID: tableJob, Label: "import", Key: storage.UintKey[JobID](), Numbers: s.numbers,
		Indexes: []*storage.Index[*Job]{s.byFile}, Append: appendJob, Decode: decodeJob,
	}
	s.rows = &storage.Table[rowKey, *settled]{
		ID: tableRow, Label: "import_row", Key: rowKeyCodec, Indexes: []*storage.Index[*settled]{s.quoting}, Append: appendSettled, Decode: decodeSettled,
	}
	s.scores = &storage.Table[scoreKey, *Score]{ID: tableScore, Label: "score", Key: scoreKeyCodec, Append: appendScore, Decode: decodeScore}
	return s
}

// AddTo adds the tables to a book's schema.
func (s *Store) AddTo(schema *storage.Schema) {
	schema.Tables = append(schema.Tables, s.jobs, s.rows, s.scores)
	schema.Sequences = append(schema.Sequences, s.numbers)
}

var rowKeyCodec = storage.KeyCodec[rowKey]{
	Append: func(dst storage.Key, k rowKey) storage.Key { return dst.Uint(uint64(k.job)).Uint(k.row) },
	Decode: func(key storage.Key) (rowKey, error) {
		job, rest, err := key.CutUint()
		if err != nil {
			return rowKey{}, err
		}
		row, rest, err := rest.CutUint()
		if err == nil && len(rest) > 0 {
			err = storage.ErrCorrupt
		}
		return rowKey{JobID(job), row}, err
	},
}

// jobKeys finds an import by the file's content and the plan.
func jobKeys(set *storage.KeySet, j *Job) { set.Bytes(j.Digest[:]).Bytes(j.Plan[:]).End() }

// quotingKeys finds rows that keep cells of a customer.
func quotingKeys(set *storage.KeySet, s *settled) {
	if s.id != 0 && len(s.faults) > 0 {
		set.Uint(uint64(s.id)).End()
	}
	if s.twin != 0 && s.twin != s.id && len(s.faults) > 0 {
		set.Uint(uint64(s.twin)).End()
	}
}

// The stored records' fields. A number is never used again for another meaning.
const (
	jobFile    = 1
	jobSize    = 2
	jobDigest  = 3
	jobPlan    = 4
	jobMapping = 5
	jobState   = 6
	jobRow     = 7
	jobCounts  = 8 // each of the summary's, in its order
	jobStarted = 9
	jobEnded   = 10
	jobTurn    = 11

	settledOutcome  = 1
	settledID       = 2
	settledVersion  = 3
	settledLine     = 4
	settledTwin     = 5
	settledFault    = 6
	settledEntry    = 7
	settledFormer   = 8
	settledTag      = 9
	settledTagged   = 10
	settledProvider = 11

	faultColumn  = 1
	faultHeading = 2
	faultField   = 3
	faultValue   = 4
	faultCode    = 5
	faultDetail  = 6
	faultRemedy  = 7
	faultKept    = 8
)

func appendJob(dst []byte, j *Job) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.String(jobFile, j.File)
	w.Uint(jobSize, uint64(j.Size))
	w.Bytes(jobDigest, j.Digest[:])
	w.Bytes(jobPlan, j.Plan[:])
	w.String(jobMapping, j.Mapping)
	w.Uint(jobState, uint64(j.State))
	w.Uint(jobRow, uint64(j.Row))
	mark := w.Begin(jobCounts)
	for i, n := range j.Summary.fields() {
		w.Uint(i+1, uint64(*n))
	}
	w.End(mark)
	w.Int(jobStarted, micros(j.Started))
	w.Int(jobEnded, micros(j.Ended))
	w.Uint(jobTurn, j.turn)
	w.Raw(j.unknown)
	return w.Buf, nil
}

func (s *Summary) fields() []*int {
	return []*int{&s.Read, &s.Created, &s.Updated, &s.Unchanged, &s.Refused, &s.Duplicates, &s.Kept, &s.Missing}
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func instant(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

func decodeJob(src string, id JobID, m storage.Meta) (*Job, error) {
	j := &Job{ID: id, Version: m.Version, Actor: m.Actor, Reason: m.Reason}
	r := record.NewReader(src)
	for r.Next() {
		switch r.Field() {
		case jobFile:
			j.File = r.String()
		case jobSize:
			j.Size = int64(r.Uint())
		case jobDigest:
			copy(j.Digest[:], r.String())
		case jobPlan:
			copy(j.Plan[:], r.String())
		case jobMapping:
			j.Mapping = r.String()
		case jobState:
			j.State = State(r.Uint())
		case jobRow:
			j.Row = int(r.Uint())
		case jobCounts:
			if err := decodeCounts(r.String(), &j.Summary); err != nil {
				r.Fail(err)
			}
		case jobStarted:
			j.Started = instant(r.Int())
		case jobEnded:
			j.Ended = instant(r.Int())
		case jobTurn:
			j.turn = r.Uint()
		default:
			r.Skip()
		}
	}
	j.unknown = r.Unknown()
	return j, r.Err()
}

func decodeCounts(src string, s *Summary) error {
	fields := s.fields()
	r := record.NewReader(src)
	for r.Next() {
		if i := r.Field() - 1; i < len(fields) {
			*fields[i] = int(r.Uint())
		} else {
			r.Skip()
		}
	}
	return r.Err()
}

func appendSettled(dst []byte, s *settled) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.Uint(settledOutcome, uint64(s.outcome))
	w.Uint(settledID, uint64(s.id))
	w.Uint(settledVersion, s.version)
	w.Uint(settledLine, uint64(s.line))
	w.Uint(settledTwin, uint64(s.twin))
	for i := range s.faults {
		mark := w.Begin(settledFault)
		s.faults[i].append(&w)
		w.End(mark)
	}
	w.Uint(settledEntry, s.entry)
	w.Uint(settledFormer, s.former)
	for _, t := range s.tags {
		w.Uint(settledTag, uint64(t))
	}
	w.Uint(settledTagged, s.tagged)
	w.String(settledProvider, s.provider)
	w.Raw(s.unknown)
	return w.Buf, nil
}

func (f *Fault) append(w *record.Writer) {
	w.Uint(faultColumn, uint64(f.Column))
	w.String(faultHeading, f.Heading)
	w.String(faultField, string(f.Field))
	w.String(faultValue, f.Value)
	w.String(faultCode, f.Code)
	w.String(faultDetail, f.Detail)
	w.String(faultRemedy, f.Remedy)
	if f.Kept {
		w.Uint(faultKept, 1)
	}
}

func decodeSettled(src string, k rowKey, _ storage.Meta) (*settled, error) {
	s := &settled{key: k}
	r := record.NewReader(src)
	for r.Next() {
		switch r.Field() {
		case settledOutcome:
			s.outcome = Outcome(r.Uint())
		case settledID:
			s.id = customer.ID(r.Uint())
		case settledVersion:
			s.version = r.Uint()
		case settledLine:
			s.line = int(r.Uint())
		case settledTwin:
			s.twin = customer.ID(r.Uint())
		case settledFault:
			f, err := decodeFault(r.String())
			if err != nil {
				r.Fail(err)
			}
			f.Row = int(k.row)
			s.faults = append(s.faults, f)
		case settledEntry:
			s.entry = r.Uint()
		case settledFormer:
			s.former = r.Uint()
		case settledTag:
			s.tags = append(s.tags, tagging.TagID(r.Uint()))
		case settledTagged:
			s.tagged = r.Uint()
		case settledProvider:
			s.provider = r.String()
		default:
			r.Skip()
		}
	}
	for i := range s.faults {
		s.faults[i].Line = s.line
	}
	s.unknown = r.Unknown()
	return s, r.Err()
}

func decodeFault(src string) (f Fault, err error) {
	r := record.NewReader(src)
	for r.Next() {
		switch r.Field() {
		case faultColumn:
			f.Column = int(r.Uint())
		case faultHeading:
			f.Heading = r.String()
		case faultField:
			f.Field = Field(r.String())
		case faultValue:
			f.Value = r.String()
		case faultCode:
			f.Code = r.String()
		case faultDetail:
			f.Detail = r.String()
		case faultRemedy:
			f.Remedy = r.String()
		case faultKept:
			f.Kept = r.Uint() == 1
		default:
			r.Skip()
		}
	}
	return f, r.Err()
}
