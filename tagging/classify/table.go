package classify

import (
	"encoding/json"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// The ids of this package's tables and counters in the key space.
const (
	TableRuleSet = 15
	tableDue     = 16
	tableState   = 17
	tableFault   = 18
	tableJob     = 19

	counterFired = 15
)

// tables is the stored form of the package's data.
type tables struct {
	ruleSet *storage.Table[string, *storedSet]
	due     *storage.Table[customer.ID, *due]
	dueAt   *storage.Index[*due]
	state   *storage.Table[string, *string]
	fault   *storage.Table[string, *Failure]
	job     *storage.Table[uint64, *job]
	fired   *storage.Counter
}

// storedSet is a rule set as it is kept.
type storedSet struct {
	RuleSet
	// Since has, for each rule, the version of the set in which it got its present form.
	Since      map[string]uint64 `json:"since,omitempty"`
	Inactive   bool              `json:"inactive,omitempty"`
	Classifier bool              `json:"classifier,omitempty"` // stands for one written in Go

	meta   storage.Meta
	broken error // it can't be compiled any more
}

func (s *storedSet) since(rule string) uint64 { return s.Since[rule] }

// due is when a customer must be evaluated since the clock may change its tags.
type due struct{ at int64 } // microseconds since 1970-01-01 UTC

func newTables() *tables {
	t := &tables{
		dueAt: &storage.Index[*due]{ID: 1, Label: "at", Keys: func(set *storage.KeySet, d *due) { set.Uint(uint64(max(d.at, 0))).End() }},
		fired: &storage.Counter{ID: counterFired, Name: "rule fired", Key: "rule set, rule: customers that it gave a tag"},
	}
	t.ruleSet = &storage.Table[string, *storedSet]{
		ID: TableRuleSet, Label: "rule_set", Key: storage.StringKey[string](), History: true,
		Append: appendJSON[storedSet], Decode: decodeRuleSet,
	}
	t.due = &storage.Table[customer.ID, *due]{
		ID: tableDue, Label: "rule_due", Key: storage.UintKey[customer.ID](), Indexes: []*storage.Index[*due]{t.dueAt},
		Append: func(dst []byte, d *due) ([]byte, error) { return storage.Key(dst).Uint(uint64(max(d.at, 0))), nil },
		Decode: func(src string, _ customer.ID, _ storage.Meta) (*due, error) {
			at, _, err := storage.Key(src).CutUint()
			return &due{int64(at)}, err
		},
	}
	t.state = &storage.Table[string, *string]{
		ID: tableState, Label: "rule_state", Key: storage.StringKey[string](),
		Local:  func(key string) bool { return key == stateCursor },
		Append: func(dst []byte, s *string) ([]byte, error) { return append(dst, *s...), nil },
		Decode: func(src, _ string, _ storage.Meta) (*string, error) { return &src, nil },
	}
	t.fault = &storage.Table[string, *Failure]{
		ID: tableFault, Label: "rule_fault", Key: storage.StringKey[string](),
		Append: appendJSON[Failure], Decode: decodeJSON[string, Failure],
	}
	t.job = &storage.Table[uint64, *job]{
		ID: tableJob, Label: "rule_job", Key: storage.UintKey[uint64](),
		Append: appendJSON[job], Decode: decodeJSON[uint64, job],
	}
	return t
}

// AddTo adds the tables to a book's schema.
func (t *tables) AddTo(s *storage.Schema) {
	s.Tables = append(s.Tables, t.ruleSet, t.due, t.state, t.fault, t.job)
	s.Counters = append(s.Counters, t.fired)
}

func appendJSON[V any](dst []byte, v *V) ([]byte, error) {
	text, err := json.Marshal(v)
	return append(dst, text...), err
}

func decodeJSON[K, V any](src string, _ K, _ storage.Meta) (*V, error) {
	v := new(V)
	return v, json.Unmarshal([]byte(src), v)
}

func decodeRuleSet(src, _ string, m storage.Meta) (*storedSet, error) {
	s := &storedSet{meta: m}
	if err := unmarshalNumbers(src, s); err != nil {
		return nil, err
	}
	s.Version = m.Version
	return s, nil
}
