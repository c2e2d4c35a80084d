package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

// DerivedView is data derived from the records and kept in step with the journal,
// in a store of its own: a search index, an embedder's own table. It can be dropped
// and rebuilt at any time.
//
// The store calls a view from one goroutine at a time, except Cursor and Verify,
// which it may call at any time. A view makes its data and its cursor durable
// together, or the cursor after the data.
type DerivedView interface {
	// Name is the view's name in metrics and health reports: short, lower case.
	Name() string
	// Cursor is the last one that the view holds durably; the zero one for an empty or
	// unusable view, which is then rebuilt, as is one that follows another book.
	Cursor(ctx context.Context) (Cursor, error)
	// Apply brings the view up to a cursor. changes are all entries after the view's
	// own up to there; r reads a durable state at least as new. Applying the same
	// changes twice must do no harm.
	Apply(ctx context.Context, r *Reader, changes []Change, to Cursor) error
	// Rebuild replaces the view by one made from the state that r reads, at the cursor,
	// and calls progress now and then with the number of records done.
	Rebuild(ctx context.Context, r *Reader, to Cursor, progress func(done int)) error
	// Verify reports where the view differs from the records. It is called when the
	// view has caught up and nothing is written.
	Verify(ctx context.Context, r *Reader, report func(Difference)) error
	Close() error
}

// Cursor is a place in a book's journal. A view keeps the one that it was given, whole.
type Cursor struct {
	Book     string // see [Store.Book]
	Position kv.Position
}

// ViewState tells how far a view is.
type ViewState struct {
	Name     string
	Position kv.Position   // applied durably
	Lag      uint64        // journal entries behind the durable journal
	Rate     float64       // changed records applied in a second, lately
	Building bool          // a rebuild is under way
	Done     int           // records done by the rebuild under way
	Err      error         // why the view stands still, nil when it doesn't
	Since    time.Duration // how long it has stood still
}

// A batch of view work is bounded by entries and by changed records.
const (
	viewEntries = 4096
	viewRecords = 10000
	// viewRebuild is the number of changed records behind from which rebuilding a
	// view that holds nothing yet is cheaper than following.
	viewRebuild = 20000
	// Unhurried views rest between batches: a search index some hundredths of a
	// second, the ledger longer, since every batch rewrites its last chunk. Behind more
	// than viewFew records come more, and it rests for viewRest: a batch becomes a segment
	// of the index, and merging small ones costs several times what indexing does.
	viewPace   = 20 * time.Millisecond
	ledgerPace = time.Second
	viewFew    = 16
	viewRest   = 500 * time.Millisecond
)

// runner keeps one view in step.
type runner struct {
	store *Store
	view  DerivedView
	own   bool          // the view reads the journal by itself
	pace  time.Duration // between batches when nobody waits: small batches cost more
	hurry chan struct{} // somebody waits
	work  sync.Mutex    // one apply or rebuild at a time

	mu       sync.Mutex
	position kv.Position
	moved    chan struct{} // closed when position or err changes
	err      error
	failedAt time.Time
	building bool
	done     int
	rate     float64
}

func (s *Store) follow(ctx context.Context, r *runner) {
	r.store, r.hurry, r.moved = s, make(chan struct{}, 1), make(chan struct{})
	s.runners = append(s.runners, r)
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		r.run(ctx)
	}()
}

func (r *runner) run(ctx context.Context) {
	defer r.change(func() { r.err = cmp.Or(r.err, ErrClosed) }) // whoever waits must not wait for ever
	wait := 10 * time.Millisecond
	for ctx.Err() == nil {
		records, err := r.catchUp(ctx)
		if err == nil {
			wait = 10 * time.Millisecond
			err = r.store.engine.WaitDurable(ctx, r.at())
		}
		if err == nil || ctx.Err() != nil {
			pause := r.pace
			if records > viewFew {
				pause = max(pause, viewRest)
			}
			r.rest(ctx, pause)
			continue
		}
		r.fail(err)
		if errors.Is(err, ErrClosed) || errors.Is(err, ErrFailed) {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
			wait = min(2*wait, 10*time.Second)
		}
	}
}

// rest lets changes gather for a while, unless somebody waits for the view.
func (r *runner) rest(ctx context.Context, pause time.Duration) {
	select {
	case <-ctx.Done():
	case <-r.hurry:
	case <-time.After(pause):
	}
}

// catchUp applies the journal up to its durable end, and returns how many changed
// records that were.
func (r *runner) catchUp(ctx context.Context) (records int, err error) {
	r.work.Lock()
	defer r.work.Unlock()
	cursor, err := r.view.Cursor(ctx)
	if err != nil {
		return 0, err
	}
	if end := r.store.engine.Durable(); cursor.Position > end || cursor.Position > 0 && cursor.Book != r.store.book {
		// The view is ahead of a book that was restored from a backup, or another book's.
		return 0, r.rebuild(ctx)
	}
	at := cursor.Position
	r.change(func() { r.position = at })
	for {
		step, err := r.next(ctx, at)
		if err != nil {
			return records, err
		}
		if step.upTo == at {
			r.move(at)
			return records, nil
		}
		if at == 0 && step.records >= viewRebuild {
			return records, r.rebuild(ctx)
		}
		if err := r.apply(ctx, step); err != nil {
			return records, err
		}
		at = step.upTo
		records += step.records
	}
}

// step is one batch of a view's work.
type step struct {
	changes []Change
	records int
	upTo    kv.Position
}

// next reads the next batch of changes and counts their records. For a view that
// holds nothing it reads on until it knows that rebuilding is cheaper.
func (r *runner) next(ctx context.Context, at kv.Position) (step, error) {
	if r.own {
		end := max(at, r.store.engine.Durable())
		return step{records: int(end - at), upTo: end}, nil
	}
	limit := viewRecords
	if at == 0 {
		limit = viewRebuild
	}
	next := step{upTo: at}
	for c, err := range r.store.Changes(ctx, at) {
		if err != nil {
			return next, err
		}
		next.changes, next.upTo = append(next.changes, c), c.Position
		if next.records += len(c.Ops); len(next.changes) == viewEntries && at > 0 || next.records >= limit {
			break
		}
	}
	return next, nil
}

func (r *runner) apply(ctx context.Context, next step) error {
	start := time.Now()
	reader, err := r.store.durableReader(ctx)
	if err != nil {
		return err
	}
	defer reader.end()
	if err := r.view.Apply(ctx, reader, next.changes, Cursor{r.store.book, next.upTo}); err != nil {
		return fmt.Errorf("storage: view %s at position %d: %w", r.view.Name(), next.upTo, err)
	}
	took := time.Since(start)
	r.store.metrics.Observe("view."+r.view.Name()+".apply", took)
	r.mu.Lock()
	r.rate = 0.7*r.rate + 0.3*float64(next.records)/took.Seconds()
	r.mu.Unlock()
	r.move(next.upTo)
	return nil
}

// durableReader reads a state that no crash can take back: a view never holds more
// than the records do, and the journal can be read up to the reader's position.
func (s *Store) durableReader(ctx context.Context) (*Reader, error) {
	reader, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	position, err := reader.Position()
	if err == nil {
		err = s.WaitDurable(ctx, position)
	}
	if err != nil {
		reader.end()
		return nil, err
	}
	return reader, nil
}

func (r *runner) rebuild(ctx context.Context) error {
	reader, err := r.store.durableReader(ctx)
	if err != nil {
		return err
	}
	defer reader.end()
	r.setBuilding(true, 0)
	defer r.setBuilding(false, 0)
	upTo, err := reader.Position()
	if err != nil {
		return err
	}
	start := time.Now()
	records := 0
	err = r.view.Rebuild(ctx, reader, Cursor{r.store.book, upTo}, func(done int) {
		records = done
		r.setBuilding(true, done)
	})
	if err != nil {
		return fmt.Errorf("storage: rebuilding view %s: %w", r.view.Name(), err)
	}
	r.store.log.Info("view rebuilt", "view", r.view.Name(), "records", records, "took", time.Since(start).Round(time.Millisecond))
	r.move(upTo)
	return nil
}

func (r *runner) setBuilding(building bool, done int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.building, r.done = building, done
}

func (r *runner) at() kv.Position {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.position
}

// move notes that the view holds everything up to a position and is well.
func (r *runner) move(to kv.Position) {
	r.change(func() { r.position, r.err = to, nil })
	r.store.metrics.Level("view."+r.view.Name()+".lag", int64(r.state().Lag))
}

func (r *runner) fail(err error) {
	r.change(func() {
		if r.err == nil {
			r.failedAt = time.Now()
		}
		r.err = err
	})
	r.store.log.Error("view stands still and will be tried again", "view", r.view.Name(), "error", err)
}

// change changes position or err and wakes whoever waits for them.
func (r *runner) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	close(r.moved)
	r.moved = make(chan struct{})
}

func (r *runner) state() ViewState {
	durable := r.store.engine.Durable()
	r.mu.Lock()
	defer r.mu.Unlock()
	v := ViewState{Name: r.view.Name(), Position: r.position, Rate: r.rate, Building: r.building, Done: r.done, Err: r.err}
	if durable > r.position {
		v.Lag = uint64(durable - r.position)
	}
	if r.err != nil {
		v.Since = time.Since(r.failedAt)
	}
	return v
}

// wait returns when the view has reached a position, or can't.
func (r *runner) wait(ctx context.Context, position kv.Position) error {
	for {
		r.mu.Lock()
		reached, err, moved := r.position >= position, r.err, r.moved
		r.mu.Unlock()
		if reached || err != nil {
			return err
		}
		select {
		case r.hurry <- struct{}{}:
		default:
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-moved:
		}
	}
}

// Sync returns when the views hold everything that was committed before the call:
// all of them, or the one named. It returns the error of a view that stands still.
func (s *Store) Sync(ctx context.Context, view string) error {
	position, err := s.Position(ctx)
	if err != nil {
		return err
	}
	found := view == ""
	for _, r := range s.runners {
		if view != "" && r.view.Name() != view {
			continue
		}
		found = true
		if err := r.wait(ctx, position); err != nil {
			return &Error{Op: "sync", Table: r.view.Name(), Err: err}
		}
	}
	if !found {
		return &Error{Op: "sync", Table: view, Err: ErrNotFound}
	}
	return nil
}

// Rebuild makes a view anew from the records. Writers go on meanwhile.
func (s *Store) Rebuild(ctx context.Context, view string) error {
	for _, r := range s.runners {
		if r.view.Name() == view {
			r.work.Lock()
			defer r.work.Unlock()
			return r.rebuild(ctx)
		}
	}
	return &Error{Op: "rebuild", Table: view, Err: ErrNotFound}
}
