package storage

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/record"
)

// FormatVersion is the version of the key space that this program writes. A book
// of a newer version is refused, one of an older version is upgraded on opening.
const FormatVersion = 1

// Options set how a store runs. The zero value works.
type Options struct {
	// Clock tells the time of changes; nil is time.Now. Recorded times are UTC, cut to
	// microseconds, and never go back when the clock does; see [Store.Now].
	Clock func() time.Time
	// Metrics receives counts and durations; nil drops them.
	Metrics Metrics
	// Logger receives what an operator should know; nil is slog.Default().
	Logger *slog.Logger
	// Attempts is how often Update runs its function before it gives up with
	// ErrConflict; 0 is 64. After 8 attempts a transaction has the store to itself,
	// so in one process none starves.
	Attempts int
}

// Store keeps the records of one book in an engine. Its methods are safe for
// concurrent use.
type Store struct {
	engine  kv.Engine
	schema  *Schema
	layouts [256]*layout // of the schema's tables, by id
	limits  kv.Limits
	clock   func() time.Time
	metrics Metrics
	log     *slog.Logger
	tries   int
	book    string // the book's id: 32 hex digits

	latest    atomic.Int64 // the last time that Now told, microseconds since 1970
	gate      sync.RWMutex // held for reading by attempts, for writing by a starving one
	sequences sequences
	cache     cache
	sets      cache     // only its eras; see Era
	changes   changeLog // see Recency
	ledger    *ledger
	runners   []*runner
	stop      context.CancelFunc
	running   sync.WaitGroup
	closed    atomic.Bool
}

// Open opens a book's store on an engine. It creates the book when the engine is
// empty, and makes indexes anew that another version of the program made; see
// [Index.Version]. Views are kept in step from then on; see [DerivedView]. Engine and
// views are the store's from the call on: it closes them, also when it fails.
//
// It fails with ErrFormat when the book was written by a newer program, and with
// ErrInvalid when the schema is ambiguous.
func Open(ctx context.Context, engine kv.Engine, schema *Schema, views []DerivedView, opts Options) (*Store, error) {
	s := &Store{
		engine: engine, schema: schema, limits: engine.Limits(),
		clock: opts.Clock, metrics: opts.Metrics, log: opts.Logger, tries: opts.Attempts,
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.metrics == nil {
		s.metrics = dropMetrics{}
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.tries == 0 {
		s.tries = 64
	}
	if err := s.prepare(ctx); err != nil {
		for _, v := range views {
			err = errors.Join(err, guardedView{v}.Close())
		}
		return nil, errors.Join(err, engine.Close())
	}
	background, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.ledger = &ledger{store: s}
	s.follow(background, &runner{view: s.ledger, own: true, pace: ledgerPace})
	for _, v := range views {
		s.follow(background, &runner{view: guardedView{v}, pace: viewPace})
	}
	return s, nil
}

// declares keeps an undeclared table, whose id may be another's, from writing.
func (s *Store) declares(l *layout) error {
	if s.layouts[l.id] == l {
		return nil
	}
	return fmt.Errorf("%w: table %s (id %d) is not in the schema that the store was opened with", ErrInvalid, l.label, l.id)
}

// prepare brings the book into a state in which it can be used.
func (s *Store) prepare(ctx context.Context) error {
	if err := s.schema.Validate(); err != nil {
		return err
	}
	for _, t := range s.schema.Tables {
		l := t.describe()
		s.layouts[l.id] = l
	}
	if err := s.readOrCreateMeta(ctx); err != nil {
		return err
	}
	if err := s.resumeTime(ctx); err != nil {
		return err
	}
	if !s.limits.Shared {
		s.cache.present.Store(newEra())
		s.sets.present.Store(newEra())
	}
	return s.buildParts(ctx)
}

// Close stops the views, waits for them and closes the engine. Transactions must
// have ended.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.stop()
	s.running.Wait()
	var errs []error
	for _, r := range s.runners {
		errs = append(errs, r.view.Close())
	}
	errs = append(errs, s.returnSequences(context.Background()))
	return errors.Join(append(errs, s.engine.Close())...)
}

// Book returns the book's id, made at its creation: 32 hex digits.
func (s *Store) Book() string { return s.book }

// Now returns the store's time: UTC, whole microseconds. It is the clock's, but never
// before a time that was told or recorded: when the clock is set back, time stands
// still until the clock has caught up, so that later versions have later times.
func (s *Store) Now() time.Time {
	now := s.clock().UnixMicro()
	for {
		latest := s.latest.Load()
		if now <= latest {
			return time.UnixMicro(latest).UTC()
		}
		if s.latest.CompareAndSwap(latest, now) {
			return time.UnixMicro(now).UTC()
		}
	}
}

// clockBehind is the difference from which an operator should know that time stands still.
const clockBehind = time.Minute

// resumeTime makes Now go on from the last time that the journal recorded.
func (s *Store) resumeTime(ctx context.Context) error {
	last := s.engine.Durable()
	if last == 0 {
		return nil
	}
	for c, err := range s.Changes(ctx, last-1) {
		if err != nil {
			return err
		}
		s.latest.Store(max(s.latest.Load(), c.Time.UnixMicro()))
	}
	recorded := time.UnixMicro(s.latest.Load()).UTC()
	if now := s.clock(); recorded.Sub(now) > clockBehind {
		s.log.Warn("the clock is behind the book: changes are recorded at the last recorded time until it has caught up", "clock", now.UTC(), "recorded", recorded)
	}
	return nil
}

// Position is the journal position that a reader opened now is at.
func (s *Store) Position(ctx context.Context) (kv.Position, error) {
	snap, err := s.engine.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	defer snap.Close()
	return snap.Position(ctx)
}

var metaKey = []byte{spaceMeta}

// The meta record's fields.
const (
	metaFormat  = 1
	metaBook    = 2
	metaCreated = 3
)

func (s *Store) readOrCreateMeta(ctx context.Context) error {
	snap, err := s.engine.Snapshot(ctx)
	if err != nil {
		return &Error{Op: "open", Err: err}
	}
	defer snap.Close()
	value, found, err := snap.Get(ctx, metaKey, nil)
	if err != nil {
		return &Error{Op: "open", Err: err}
	}
	if !found {
		return s.create(ctx, snap)
	}
	if s.book, err = readMeta(string(value)); err != nil {
		return &Error{Op: "open", Key: "meta", Err: err}
	}
	return nil
}

// readMeta returns the book's id from its meta record, if this program can open the book.
func readMeta(stored string) (book string, err error) {
	var format uint64
	r := record.NewReader(stored)
	for r.Next() {
		switch r.Field() {
		case metaFormat:
			format = r.Uint()
		case metaBook:
			book = r.String()
		default:
			r.Skip()
		}
	}
	switch {
	case r.Err() != nil:
		return "", fmt.Errorf("%w: %w", ErrCorrupt, r.Err())
	case format > FormatVersion:
		return "", fmt.Errorf("%w: the book has format %d, this program knows up to %d; open it with a newer Clientele", ErrFormat, format, FormatVersion)
	case format == 0:
		return "", fmt.Errorf("%w: the book states no format", ErrCorrupt)
	case book == "":
		return "", fmt.Errorf("%w: the book states no id", ErrCorrupt)
	}
	return book, nil
}

// verifyMeta reports a meta record with which the book could not be opened again as the same.
func (s *Store) verifyMeta(r *Reader, report *Report) error {
	stored, found, err := r.get(metaKey)
	if err != nil {
		return err
	}
	problem := ""
	switch book, err := readMeta(string(stored)); {
	case !found:
		problem = "is missing"
	case err != nil:
		problem = err.Error()
	case book != s.book:
		problem = fmt.Sprintf("says that the book is %s, it was opened as %s", book, s.book)
	}
	if problem != "" {
		report.add(Difference{Where: "book", Key: "meta", Problem: problem})
	}
	return nil
}

func (s *Store) create(ctx context.Context, snap kv.Snapshot) error {
	for _, err := range snap.Scan(ctx, kv.Range{Lower: []byte{1}}, false) {
		if err != nil {
			return &Error{Op: "open", Err: err}
		}
		return &Error{Op: "open", Err: fmt.Errorf("%w: the engine holds data but no book", ErrFormat)}
	}
	var id [16]byte
	rand.Read(id[:]) // never fails: crypto/rand, since Go 1.24
	s.book = hex.EncodeToString(id[:])
	var w record.Writer
	w.Uint(metaFormat, FormatVersion)
	w.String(metaBook, s.book)
	w.Int(metaCreated, s.Now().UnixMicro())
	b := kv.Batch{Since: snap.Stamp(), Reads: []kv.Range{kv.Point(metaKey)}}
	b.Set(metaKey, w.Buf)
	if _, err := s.engine.Apply(ctx, &b); err != nil {
		return &Error{Op: "create", Err: err}
	}
	return nil
}
