package exchange

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
)

// Mode says what an import may do.
type Mode uint8

const (
	Upsert     Mode = iota // update customers that the book has, create others
	CreateOnly             // refuse rows of customers that the book has
	UpdateOnly             // refuse rows of customers that the book hasn't
)

// DuplicatePolicy says what becomes of a row that would create a customer which very
// likely duplicates another one, of the book or of an earlier row. What others add or change
// while a part of some thousand rows is loaded is found in the parts after it.
type DuplicatePolicy uint8

const (
	SkipDuplicates  DuplicatePolicy = iota // leave the row out, and say of whom it is a duplicate
	MergeDuplicates                        // update the other one with what it lacks
	FlagDuplicates                         // create it, and put the pair in the queue for review
	AllowDuplicates                        // create it, unasked
)

// Import is a file to be imported and how. Only File is required.
type Import struct {
	File   *tabular.File
	Format tabular.Format // nil is recognised
	// Mapping says what the columns hold; nil is what Inspect guesses, without columns
	// that it is in doubt about.
	Mapping *Mapping
	// Subject is what the rows are when Mapping is nil.
	Subject Subject
	Mode    Mode
	// Match are the fields by which customers of the book are found, surest first: Code,
	// identifier.SCHEME and source.SYSTEM. Empty is all of these that are mapped, source
	// keys first and Code last. A row may give the customer that it finds another Code, but
	// not after an earlier row of the file gave one: that is a fault.
	Match      []Field
	Duplicates DuplicatePolicy
	// ToNote puts values that the book refuses, but for names and codes, into the note
	// with a warning. Otherwise they have the row refused.
	ToNote bool
	// Clear lets empty cells of mapped columns clear what the customer has. Otherwise
	// they leave it alone. Lists (phones, identifiers, …) are only ever added to.
	Clear bool
	// FormerNames adds the name of a customer that the file renames to its aliases.
	FormerNames bool
	// Sync says that the file is another system's whole list.
	Sync *Sync
	// Day is that of documents and scores whose rows name none.
	Day time.Time
	// Currency is that of amounts whose rows name none; zero is the session's.
	Currency money.Currency
	// MaxRefused stops the import with ErrTooManyFaults once more rows are refused; 0 is
	// no limit.
	MaxRefused int
	// DryRun does everything but writing. Its summary is what the import would come to,
	// but for rows that depend on earlier ones; with Sync it tells who is missing, too.
	DryRun bool
	// Again imports a file that was imported before once more.
	Again  bool
	Limits tabular.Limits
	// Faults is called for each fault, in the order of rows within a part.
	Faults func(Fault)
	Reason string // kept with every change; empty is the session's
}

// Sync treats the file as the whole list of another system, whose ids are source keys.
type Sync struct {
	System string // the file must have the column source.SYSTEM
	// Archive archives customers that the list hasn't, and reactivates archived ones that it
	// has; otherwise those that it hasn't are counted.
	Archive bool
	// MaxPercent bounds the share of the system's active and suspended customers that
	// Archive may archive, in percent, from 1 to 100; 0 is 20. A list that lacks more was
	// likely cut off: nobody is archived then, and the import ends with a [*ShortListError].
	// Running it again with a higher one goes on there.
	MaxPercent int `json:"-"`
}

// Progress tells how far an import is. Those of one import only grow.
type Progress struct {
	Job     JobID // 0 in a dry run
	Row     int   // of the file
	Summary Summary
	Bytes   int64         // of Size, that are read and settled; about
	Size    int64         // of the file
	Elapsed time.Duration // of this run
	Resumed bool          // an earlier run was cut off, and this one goes on
	Done    bool
	skipped int64 // of Bytes, those that an earlier run settled
	earlier int   // of the rows that are read, those that an earlier run settled
}

// Remaining is about how long the import will still take at its rate so far; 0 when
// nothing tells.
func (p Progress) Remaining() time.Duration {
	if p.Bytes <= p.skipped {
		return 0
	}
	return time.Duration(float64(p.Elapsed) * float64(p.Size-p.Bytes) / float64(p.Bytes-p.skipped))
}

// Rate is the rows per second of this run so far.
func (p Progress) Rate(since Progress) float64 {
	read := since.Summary.Read
	if since.Elapsed == 0 {
		read = p.earlier
	}
	return float64(p.Summary.Read-read) / max((p.Elapsed-since.Elapsed).Seconds(), 1e-9)
}

// Import runs an import to its end; see Run.
func (s Session) Import(ctx context.Context, im Import) (last Progress, err error) {
	for p, err := range s.Run(ctx, im) {
		if err != nil {
			return last, err
		}
		last = p
	}
	return last, nil
}

// Run imports a file and yields how far it is, after each part of some thousand rows. A
// part is in the book and survives a crash when it is yielded. An error comes last:
// everything up to the last part is in the book then, and running the same import again
// goes on behind it, with no row lost and none twice; it is known again by the file's
// content and the mapping. Stopping the loop stops the import in the same way.
//
// A file that was imported to its end is refused with ErrImported, unless Again says so,
// and one whose import is running with ErrRunning. Of two processes with one book, the run
// that began last goes on, and the other ends with ErrRunning; no row comes in twice.
func (s Session) Run(ctx context.Context, im Import) iter.Seq2[Progress, error] {
	return func(yield func(Progress, error) bool) {
		r, err := s.prepare(ctx, &im)
		if err != nil {
			yield(Progress{}, err)
			return
		}
		defer r.release()
		if err := r.run(ctx, yield); err != nil && !errors.Is(err, errStopped) {
			yield(r.progress(), err)
		}
	}
}

// errStopped: the caller wants no more.
var errStopped = errors.New("stopped by the caller")

// run is one import under way.
type run struct {
	Session
	im        *Import
	format    tabular.Format
	converter *converter
	match     []Field
	job       *Job
	began     time.Time
	resumed   bool
	before    map[int]*settled // rows behind the job's that an earlier run settled
	single    bool             // create one by one
	subject   Subject
	read      int64 // bytes of the file, up to the last settled row
	skipped   int64 // of them, those that an earlier run settled
	earlier   int   // rows that an earlier run settled
	claimed   *Job
	coded     bitset.Set     // the customers of settled rows that have a code
	posted    map[string]int // rows of this run by the document that they post
	listed    listing        // whom the rows of a dry run with Sync are about
	sketch    *sketch        // of the book, if it may be used
	sketching bool
	ownTwin   bool // duplicates are found by Twin, and not by an embedder's
}

// prepare checks what is asked for and finds or begins the job.
func (s Session) prepare(ctx context.Context, im *Import) (*run, error) {
	r, mapping, err := s.newRun(ctx, im)
	if err != nil {
		return nil, err
	}
	if r.converter.partial { // without names nobody can be created
		im.Mode = UpdateOnly
	}
	if err := r.settleMatch(mapping); err != nil {
		return nil, err
	}
	if err := r.checkSync(mapping); err != nil {
		return nil, err
	}
	if err := s.view(ctx, func(tx *Reader) (err error) {
		if err = tx.Customers.PermitAll(customer.RightImport, customer.Identity); err == nil && s.Single != nil {
			r.single, err = s.Single(tx)
		}
		return err
	}); err != nil {
		return nil, err
	}
	if err := r.find(ctx, mapping); err != nil {
		r.release()
		return nil, err
	}
	return r, nil
}

// newRun returns a run that can read and convert the file, and its mapping.
func (s Session) newRun(ctx context.Context, im *Import) (*run, *Mapping, error) {
	if im.File == nil {
		return nil, nil, &MappingError{Reason: "no file is given"}
	}
	if im.Reason != "" {
		s.Actor.Reason = im.Reason
	}
	r := &run{Session: s, im: im, format: im.Format, began: time.Now(), before: map[int]*settled{}, posted: map[string]int{}}
	if s.Twin == nil {
		r.Twin, r.sketching, r.ownTwin = Twin, true, true
	}
	mapping, err := r.settleMapping(ctx)
	if err != nil {
		return nil, nil, err
	}
	if r.format.Name() == (tabular.JSONLines{}).Name() {
		if mapping, err = r.byKeys(ctx, mapping); err != nil {
			return nil, nil, err
		}
	}
	r.subject = mapping.Subject
	if r.converter, err = s.converter(ctx, im, mapping); err != nil {
		return nil, nil, err
	}
	r.converter.unescape = escapes(r.format)
	return r, mapping, nil
}

// escapes reports whether texts that would run as formulas are escaped in files of a format.
func escapes(f tabular.Format) bool {
	return f.Name() == (tabular.CSV{}).Name() || f.Name() == (tabular.TSV{}).Name()
}

// settleMapping returns the mapping, guessed if none is given.
func (r *run) settleMapping(ctx context.Context) (*Mapping, error) {
	m := r.im.Mapping
	if m == nil {
		var formats []tabular.Format
		if r.format != nil {
			formats = append(formats, r.format)
		}
		in, err := r.InspectAs(ctx, r.im.Subject, r.im.File, tabular.Options{Limits: r.im.Limits}, formats...)
		if err != nil {
			return nil, err
		}
		m, r.format = in.Mapping.Sure(), in.Format
	}
	if r.format != nil {
		return m, nil
	}
	for _, format := range tabular.Formats() {
		if format.Name() == m.Format {
			r.format = format
			return m, nil
		}
	}
	var err error
	r.format, err = tabular.Find(r.im.File)
	return m, err
}

// byKeys returns a mapping that fits a file of objects, whose first row is always their
// keys. These come in the order of the first objects, which may be another one in the next
// file: columns with a heading are found by it, and those that the file hasn't are left
// out.
func (r *run) byKeys(ctx context.Context, m *Mapping) (*Mapping, error) {
	var keys []string
	for row, err := range r.format.Read(ctx, r.im.File, m.options(r.im.Limits)) {
		if err != nil {
			return nil, err
		}
		for _, c := range row.Cells {
			keys = append(keys, strings.TrimSpace(c.Text))
		}
		break
	}
	fitting := *m
	fitting.HeaderRow, fitting.HeaderRows, fitting.Columns = 1, 1, nil
	for _, c := range m.Columns {
		if c.Heading == "" {
			fitting.Columns = append(fitting.Columns, c)
		} else if i := slices.Index(keys, strings.TrimSpace(c.Heading)); i >= 0 {
			c.Column = i + 1
			fitting.Columns = append(fitting.Columns, c)
		}
	}
	if len(fitting.Columns) == 0 && len(m.Columns) > 0 {
		return nil, &MappingError{Column: m.Columns[0].Column, Field: m.Columns[0].Field, Reason: fmt.Sprintf("the file has none of the keys, such as %q", m.Columns[0].Heading)}
	}
	return &fitting, nil
}

// settleMatch decides by which fields customers are found.
func (r *run) settleMatch(m *Mapping) error {
	r.match = r.im.Match
	for _, f := range r.match {
		if !identifies(f) || !m.has(f) {
			return &MappingError{Field: f, Reason: "customers are found by code, identifier.SCHEME or source.SYSTEM, of a column that is mapped"}
		}
	}
	if len(r.match) > 0 {
		return nil
	}
	for _, prefix := range []string{sourceOf, "identifier", string(Code)} {
		for _, f := range m.mapped() {
			if identifies(f) && strings.HasPrefix(string(f), prefix) {
				r.match = append(r.match, f)
			}
		}
	}
	if r.converter.partial && len(r.match) == 0 {
		return &MappingError{Reason: "no column is mapped to the name, nor to a code, an identifier or a source key, by which customers of the book are found"}
	}
	return nil
}

// checkSync refuses a list that can't be the whole one of another system.
func (r *run) checkSync(m *Mapping) error {
	sync := r.im.Sync
	switch {
	case sync == nil:
		return nil
	case !m.has(Field(sourceOf + sync.System)):
		return &MappingError{Field: Field(sourceOf + sync.System), Reason: "a list can be synchronised only with its ids"}
	case sync.MaxPercent < 0 || sync.MaxPercent > 100:
		return &MappingError{Reason: fmt.Sprintf("Sync.MaxPercent is %d; give 1 to 100, or 0 for %d", sync.MaxPercent, maxPercent)}
	}
	return nil
}

func identifies(f Field) bool {
	_, identifier := f.under(identifierOf)
	_, source := f.under(sourceOf)
	return identifier || source || f == Code || f == AnyIdentifier
}

// plan is what decides, with the file's content, what an import does.
func (r *run) plan(m *Mapping) ([32]byte, error) {
	type decisive struct {
		Mapping       *Mapping
		Mode          Mode
		Match         []Field
		Duplicates    DuplicatePolicy
		ToNote, Clear bool
		FormerNames   bool
		Sync          *Sync
		Day           time.Time
		Currency      money.Currency
	}
	bare := *m
	bare.Columns = slices.Clone(m.Columns)
	for i := range bare.Columns {
		bare.Columns[i].Confidence = 0
	}
	day := r.im.Day
	if !day.IsZero() { // whatever the time of day: the same import may be run again later
		day = time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC)
	}
	b, err := json.Marshal(decisive{&bare, r.im.Mode, r.match, r.im.Duplicates, r.im.ToNote, r.im.Clear, r.im.FormerNames, r.im.Sync, day, r.converter.currency})
	return sha256.Sum256(b), err
}

// find goes on with a job that was cut off, or begins one.
func (r *run) find(ctx context.Context, m *Mapping) error {
	job := &Job{File: r.im.File.Name, Size: r.im.File.Size}
	r.job = job
	if r.im.DryRun {
		return nil
	}
	text, err := m.JSON()
	if err != nil {
		return err
	}
	job.Mapping = string(text)
	if job.Plan, err = r.plan(m); err != nil {
		return err
	}
	if job.Digest, err = digest(ctx, r.im.File); err != nil {
		return err
	}
	if !r.Imports.claim(job) {
		return fmt.Errorf("exchange: %s: %w", job.File, ErrRunning)
	}
	r.claimed = job
	err = r.update(ctx, func(tx *Tx) error {
		earlier, err := r.Imports.like(&tx.Reader, job)
		if err != nil {
			return err
		}
		if earlier != nil && earlier.State == Running {
			earlier.turn++
			r.job, r.resumed, r.earlier = earlier, true, earlier.Summary.Read
			next := *earlier
			return r.Imports.jobs.Put(tx.Storage, next.ID, &next, uint8(Running)+1)
		}
		if earlier != nil && earlier.State == Done && !r.im.Again {
			return fmt.Errorf("exchange: %s: %w as import %d, on %s", job.File, ErrImported, earlier.ID, earlier.Ended.Format(time.DateOnly))
		}
		r.job, r.resumed = job, false
		job.Started = tx.Storage.Now()
		id, err := r.Imports.numbers.Next(tx.Storage, nil)
		job.ID = JobID(id)
		if err != nil {
			return err
		}
		return r.Imports.jobs.Insert(tx.Storage, job.ID, job, uint8(Running)+1)
	})
	if err != nil || !r.resumed {
		return err
	}
	return r.readSettled(ctx)
}

// runningKey tells imports apart that must not run at once: the file's content and plan.
type runningKey [2][32]byte

// claim reports that no import of the same file with the same plan is running in this
// program, and that this one is from now on.
func (s *Store) claim(j *Job) bool {
	_, running := s.running.LoadOrStore(runningKey{j.Digest, j.Plan}, true)
	return !running
}

// release lets the same import run again.
func (r *run) release() {
	if j := r.claimed; j != nil {
		r.Imports.running.Delete(runningKey{j.Digest, j.Plan})
	}
}

// hold makes a transaction conflict with another run's going on with the import, and fail
// once one has: as in another process that has the same book, where claim can't tell. A
// load can't be held so; what it brings in late, settled finds.
func (r *run) hold(tx *Reader) error {
	if r.im.DryRun {
		return nil
	}
	stored, err := r.Imports.jobs.Get(tx.Storage, r.job.ID)
	if err == nil && (stored.turn != r.job.turn || stored.State != Running) {
		err = fmt.Errorf("exchange: %s: %w: another run has gone on with import %d, now at row %d", r.job.File, ErrRunning, stored.ID, stored.Row)
	}
	return err
}

// holding is a session's update, for as long as the import is this run's.
func (r *run) holding(ctx context.Context, f func(*Tx) error) error {
	return r.update(ctx, func(tx *Tx) error {
		if err := r.hold(&tx.Reader); err != nil {
			return err
		}
		return f(tx)
	})
}

// digest returns the SHA-256 of a file's content.
func digest(ctx context.Context, f *tabular.File) (sum [32]byte, err error) {
	h := sha256.New()
	content := io.NewSectionReader(f.Content, 0, f.Size)
	for err == nil {
		if err = ctx.Err(); err == nil {
			_, err = io.CopyN(h, content, 8<<20)
		}
	}
	if !errors.Is(err, io.EOF) {
		return sum, err
	}
	return [32]byte(h.Sum(nil)), nil
}

// like returns the last import of a file's content with the same plan, nil if there is
// none.
func (s *Store) like(r *Reader, job *Job) (*Job, error) {
	var set storage.KeySet
	jobKeys(&set, job)
	key := set.Key(0)
	for e, err := range s.jobs.Entries(r.Storage, s.byFile, kv.Prefix(key), true) {
		if err != nil {
			return nil, err
		}
		id, err := e.Primary(e.Key()[len(key):])
		if err != nil {
			return nil, err
		}
		return s.jobs.Get(r.Storage, id)
	}
	return nil, nil
}

// readSettled reads what a run that was cut off did behind its last whole part.
func (r *run) readSettled(ctx context.Context) error {
	return r.view(ctx, func(tx *Reader) error {
		for s, err := range r.Imports.settledAfter(tx, r.job.ID, r.job.Row) {
			if err != nil {
				return err
			}
			r.before[int(s.key.row)] = s
		}
		return nil
	})
}

// settledAfter yields the kept rows of an import behind a row.
func (s *Store) settledAfter(r *Reader, job JobID, row int) iter.Seq2[*settled, error] {
	return s.rows.Records(r.Storage, kv.Range{
		Lower: rowKeyCodec.Append(nil, rowKey{job, uint64(row) + 1}), Upper: rowKeyCodec.Append(nil, rowKey{job + 1, 0}),
	}, false)
}

func (r *run) progress() Progress {
	p := Progress{
		Job: r.job.ID, Row: r.job.Row, Summary: r.job.Summary, Size: r.im.File.Size,
		Elapsed: time.Since(r.began), Resumed: r.resumed, Done: r.job.State == Done, Bytes: r.read, skipped: r.skipped, earlier: r.earlier,
	}
	if p.Done {
		p.Bytes = p.Size
	}
	return p
}

// Jobs returns the imports of the book, newest first: the actor's own, and those of others
// if the actor sees every customer and every field.
func (s Session) Jobs(ctx context.Context) (list []*Job, err error) {
	err = s.view(ctx, func(r *Reader) error {
		if err := r.Customers.PermitAll(customer.RightImport, customer.Identity); err != nil {
			return err
		}
		list = nil
		for j, err := range s.Imports.jobs.Records(r.Storage, kv.Range{}, true) {
			if err != nil {
				return err
			}
			if s.shows(r, j) {
				list = append(list, j)
			}
		}
		return nil
	})
	return list, err
}
