package classify

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/cel-go/cel"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/tagging"
)

// Options set how rules are evaluated. The zero value works.
type Options struct {
	// Facts are sources of facts beside the built-in ones.
	Facts []FactSource
	// Classifiers are rules written in Go.
	Classifiers []Classifier
	// Cost bounds one evaluation of an expression, in CEL's units of about a
	// comparison; 0 is 100,000, some milliseconds.
	Cost uint64
	// Timeout bounds one call of a classifier; 0 is 100 ms.
	Timeout time.Duration
	// Failures is the number of failures after which a rule is put in quarantine; 0 is
	// 100, negative is never.
	Failures int
	// TickEvery is how often the book looks for customers whose tags change by the
	// clock; 0 is a minute, negative is never: call Tick.
	TickEvery time.Duration
}

// Actor is who the rules' own changes are recorded for; the reason says what caused
// them. Changes by this actor are not evaluated again.
const Actor = "clientele.rules"

// ViewName is the name under which the rules follow the journal: in health reports and
// for storage.Store.Sync.
const ViewName = "rules"

// Rules evaluates a book's rules: on every change, on the clock and in bulk. Its
// methods are safe for concurrent use.
type Rules struct {
	*tables
	customers   *customer.Store
	tags        *tagging.Store
	sources     []source
	classifiers []Classifier
	calls       map[string]*calls // by classifier
	cost        uint64
	timeout     time.Duration
	failures    int
	tickEvery   time.Duration
	language    func() (*cel.Env, error)

	started    chan struct{} // closed by Start
	store      *storage.Store
	background context.Context // ends with Close
	stop       context.CancelFunc
	running    sync.WaitGroup
	wake       chan struct{} // there may be something to do in the background

	planned   atomic.Pointer[plan]
	compile   sync.Mutex                     // one compilation at a time
	jobs      sync.Mutex                     // one pass over many customers at a time
	counters  sync.Map                       // *ruleCounter by set and rule, of this process
	reached   atomic.Pointer[storage.Cursor] // in the journal, in memory
	kept      atomic.Uint64                  // the position that was stored last
	lastError atomic.Pointer[error]
}

// New checks the options. The caller adds the tables and the view to the book, and
// calls Start once the book's store is open.
func New(opts Options, customers *customer.Store, tags *tagging.Store) (*Rules, error) {
	e := &Rules{
		tables: newTables(), customers: customers, tags: tags,
		classifiers: slices.SortedFunc(slices.Values(opts.Classifiers), func(a, b Classifier) int { return cmp.Compare(a.Name(), b.Name()) }),
		cost:        cmp.Or(opts.Cost, 100_000),
		timeout:     cmp.Or(opts.Timeout, 100*time.Millisecond),
		failures:    cmp.Or(opts.Failures, 100),
		tickEvery:   cmp.Or(opts.TickEvery, time.Minute),
		language:    sync.OnceValues(newLanguage),
		started:     make(chan struct{}),
		wake:        make(chan struct{}, 1),
	}
	e.background, e.stop = context.WithCancel(context.Background())
	if err := e.addSources(opts.Facts); err != nil {
		return nil, err
	}
	if err := e.checkClassifiers(); err != nil {
		return nil, err
	}
	customers.OnEvent(e.eventRecorded)
	return e, nil
}

// Start hands over the book's store, and begins what runs in the background.
func (e *Rules) Start(store *storage.Store) error {
	e.store = store
	if err := e.installClassifiers(e.background); err != nil {
		return err
	}
	close(e.started)
	if e.tickEvery > 0 {
		e.running.Add(1)
		go e.run()
	}
	return nil
}

// errNotStarted: the rules are used before the book is open.
var errNotStarted = errors.New("classify: the book is not open yet")

// book returns the store once there is one.
func (e *Rules) book(ctx context.Context) (*storage.Store, error) {
	select {
	case <-e.started:
		return e.store, ctx.Err()
	default:
		return nil, errNotStarted
	}
}

// The keys of the table of states.
const (
	stateEdition = "edition"
	stateCursor  = "cursor"
)

// newEdition makes all programs compile the rules anew.
func (e *Rules) newEdition(tx *storage.Tx) error {
	name := rand.Text()
	return e.state.Put(tx, stateEdition, &name, 0)
}

// plan returns the active rules, compiled against the state that a reader reads. It
// costs two or three reads while no definition changes, and some milliseconds after.
func (e *Rules) plan(r *storage.Reader, tags *tagging.Reader) (*plan, error) {
	key, err := e.planKey(r, tags)
	if err != nil {
		return nil, err
	}
	schema, err := e.customers.Reader(r).Schema()
	if err != nil {
		return nil, err
	}
	fits := func(p *plan) bool {
		return p != nil && p.key == key && (p.schema == schema || reflect.DeepEqual(p.schema, schema))
	}
	if p := e.planned.Load(); fits(p) {
		return p, nil
	}
	e.compile.Lock()
	defer e.compile.Unlock()
	if p := e.planned.Load(); fits(p) {
		return p, nil
	}
	p, err := e.compilePlan(r)
	if err != nil {
		return nil, err
	}
	p.key = key
	e.planned.Store(p)
	return p, nil
}

func (e *Rules) planKey(r *storage.Reader, tags *tagging.Reader) (key planKey, err error) {
	edition, err := e.state.Get(r, stateEdition)
	if err == nil {
		key.edition = *edition
	} else if !errors.Is(err, storage.ErrNotFound) {
		return key, err
	}
	key.tags, err = tags.Edition()
	return key, err
}

func (e *Rules) compilePlan(r *storage.Reader) (*plan, error) {
	sets, err := e.activeSets(r)
	if err != nil {
		return nil, err
	}
	for {
		p, err := e.newPlan(r, sets)
		if err == nil || !setAside(sets, err) {
			return p, err
		}
	}
}

// setAside marks the rule set that an error is about, so that the others go on: a
// dimension or segment that it names may be gone since it was activated.
func setAside(sets []*storedSet, err error) bool {
	var rule *RuleError
	var cycle *CycleError
	name := ""
	switch {
	case errors.As(err, &rule):
		name = rule.Set
	case errors.As(err, &cycle):
		name = cycle.Path[0].Set
	}
	for _, s := range sets {
		if s.Name == name && s.broken == nil {
			s.broken = err
			return true
		}
	}
	return false
}

// activeSets returns the active rule sets by name.
func (e *Rules) activeSets(r *storage.Reader) (sets []*storedSet, err error) {
	for s, err := range e.ruleSet.Records(r, kv.Range{}, false) {
		if err != nil {
			return nil, err
		}
		if !s.Inactive {
			sets = append(sets, s)
		}
	}
	slices.SortFunc(sets, func(a, b *storedSet) int { return cmp.Compare(a.Name, b.Name) })
	return sets, nil
}

// unmarshalNumbers keeps numbers as they are written, so that 5 stays an integer.
func unmarshalNumbers(src string, v any) error {
	d := json.NewDecoder(bytes.NewReader([]byte(src)))
	d.UseNumber()
	return d.Decode(v)
}

// because is the session of the rules' own changes.
func because(reason string) storage.Session { return storage.Session{Actor: Actor, Reason: reason} }

func reasonOf(what, set string, version uint64) string {
	return fmt.Sprintf("%s %s version %d", what, set, version)
}
