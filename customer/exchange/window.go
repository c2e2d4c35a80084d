package exchange

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/tagging"
)

// How much of a file is worked on at once.
const (
	windowRows  = 20000
	windowBytes = 24 << 20 // of text
	dryRows     = 2000     // a dry run's windows are one transaction each
	pieceRows   = 250      // that one worker takes
	updateRows  = 100      // in one transaction
	loadAtLeast = 400      // new customers, below which transactions are as fast
)

// window is a part of a file: settled as a whole before the import is said to be there.
type window struct {
	lines []*line
	last  int // row of the file
	// from and to are where in the file the window is, about.
	from, to int64
}

// fate is what becomes of a line.
type fate struct {
	outcome Outcome
	id      customer.ID
	version uint64
	twin    customer.ID
	// entry and former are as in settled, tags those that the row gave, tagged the version
	// of the customer's tags before.
	entry, former uint64
	provider      string
	tags          []tagging.TagID
	tagged        uint64
}

// run works through the file.
func (r *run) run(ctx context.Context, yield func(Progress, error) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	windows, failed := make(chan *window), make(chan error, 1)
	after := r.job.Row
	go func() {
		defer close(windows)
		failed <- r.readWindows(ctx, after, windows)
	}()
	defer func() { // the reader is gone when run returns
		cancel()
		for range windows {
		}
	}()
	if r.resumed && !yield(r.progress(), nil) {
		return errStopped
	}
	for w := range windows {
		if err := r.settle(ctx, w); err != nil {
			return err
		}
		if r.read == 0 && r.resumed {
			r.skipped = w.from
		}
		r.read = max(r.read, w.to)
		if !yield(r.progress(), nil) {
			return errStopped
		}
		if most := r.im.MaxRefused; most > 0 && r.job.Summary.Refused > most {
			return fmt.Errorf("exchange: import: %w: %d of %d rows", ErrTooManyFaults, r.job.Summary.Refused, r.job.Summary.Read)
		}
	}
	if err := <-failed; err != nil {
		return err
	}
	if err := r.finish(ctx); err != nil {
		return err
	}
	yield(r.progress(), nil)
	return nil
}

// readWindows reads and converts the file behind a row, one window ahead of the one that
// is settled.
func (r *run) readWindows(ctx context.Context, after int, out chan<- *window) error {
	file := *r.im.File
	meter := &meter{ReaderAt: file.Content}
	file.Content = meter
	from := int64(0)
	most := windowRows
	if r.im.DryRun {
		most = dryRows
	}
	var rows []tabular.Row
	bytes := 0
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		if rows[0].Number <= after {
			lines := r.convert(rows)
			rows, bytes = nil, 0
			return r.recall(ctx, lines)
		}
		w := &window{lines: r.convert(rows), last: rows[len(rows)-1].Number, from: from, to: meter.at.Load()}
		rows, bytes = nil, 0
		select {
		case out <- w:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	first := r.converter.mapping.firstRow()
	for row, err := range r.format.Read(ctx, &file, r.converter.mapping.options(r.im.Limits)) {
		if err != nil {
			return errors.Join(flush(), err)
		}
		if row.Number < first || row.Number <= after && !r.recalls() || row.Blank() {
			continue
		}
		if len(rows) > 0 && rows[0].Number <= after && row.Number > after {
			if err := flush(); err != nil {
				return err
			}
		}
		if len(rows) == 0 {
			from = meter.at.Load()
		}
		kept, size := keptRow(row)
		bytes += size
		if rows = append(rows, kept); len(rows) == most || bytes > windowBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// keptRow is a row with cells of its own, and about how many bytes it takes.
func keptRow(row *tabular.Row) (kept tabular.Row, bytes int) {
	kept = *row
	kept.Cells = slices.Clone(row.Cells)
	for i := range kept.Cells {
		bytes += len(kept.Cells[i].Text) + 32
	}
	return kept, bytes
}

// meter knows where a file was read last.
type meter struct {
	io.ReaderAt
	at atomic.Int64
}

func (m *meter) ReadAt(p []byte, at int64) (n int, err error) {
	n, err = m.ReaderAt.ReadAt(p, at)
	m.at.Store(at + int64(n))
	return n, err
}

// convert makes lines of rows on all cores.
func (r *run) convert(rows []tabular.Row) []*line {
	lines := make([]*line, len(rows))
	_ = r.share(len(rows), func(from, to int) error { // conversion can't fail
		for i := from; i < to; i++ {
			lines[i] = r.converter.convert(&rows[i])
		}
		return nil
	})
	return lines
}

// share has pieces of n items worked on by all cores.
func (r *run) share(n int, work func(from, to int) error) error {
	var next atomic.Int64
	var group sync.WaitGroup
	errs := make([]error, runtime.GOMAXPROCS(0))
	for i := range errs {
		group.Go(func() {
			for errs[i] == nil {
				to := int(next.Add(pieceRows))
				if to-pieceRows >= n {
					return
				}
				errs[i] = work(to-pieceRows, min(to, n))
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// settle brings a window into the book.
func (r *run) settle(ctx context.Context, w *window) error {
	fates := make(map[*line]fate, len(w.lines))
	var open, refused []*line
	for _, l := range w.lines {
		switch s := r.before[l.row]; {
		case s != nil:
			fates[l], l.faults = s.fate(), s.faults
			if s.outcome != Refused && l.draft.Code != "" {
				r.coded.Add(uint64(s.id))
			}
		case l.refused:
			refused = append(refused, l)
		default:
			open = append(open, l)
		}
	}
	if err := r.trace(ctx, refused, fates); err != nil {
		return err
	}
	rest := open
	if r.subject == Units {
		rest = parentsFirst(open)
	}
	if !r.im.DryRun && !r.single && r.subject == Customers && r.im.Mode != UpdateOnly && len(open) >= loadAtLeast {
		fresh, others, err := r.divide(ctx, open)
		if err != nil {
			return err
		}
		if len(fresh) >= loadAtLeast {
			left, err := r.load(ctx, fresh, fates)
			if err != nil {
				return err
			}
			rest = inOrder(others, left)
		}
	}
	defer r.learn(open, fates)
	size := updateRows
	if r.im.DryRun {
		size = max(len(rest), 1)
	}
	for part := range slices.Chunk(rest, size) {
		if err := r.write(ctx, part, fates); err != nil {
			return err
		}
	}
	return r.close(ctx, w, fates)
}

// trace finds whom refused rows are about, so that their cells go when the customer is
// erased.
func (r *run) trace(ctx context.Context, lines []*line, fates map[*line]fate) error {
	err := r.share(len(lines), func(from, to int) error {
		return r.view(ctx, func(tx *Reader) error {
			for _, l := range lines[from:to] {
				l.checked = r.converter.rough(l, nil)
				id, err := r.find1(tx, l)
				if err != nil && !errors.Is(err, errAmbiguous) {
					return err
				}
				l.found = id
			}
			return nil
		})
	})
	for _, l := range lines {
		fates[l] = fate{outcome: Refused, id: l.found}
	}
	return err
}

// inOrder returns the lines of both lists in the file's order.
func inOrder(a, b []*line) []*line {
	return slices.SortedFunc(slices.Values(append(a, b...)), func(x, y *line) int { return x.row - y.row })
}

// divide finds the lines that surely create a customer: nothing that is unique about
// them, and no likely duplicate, is in the book or in an earlier line.
func (r *run) divide(ctx context.Context, lines []*line) (fresh, others []*line, err error) {
	if err := r.view(ctx, r.openSketch); err != nil {
		return nil, nil, err
	}
	known := make([]bool, len(lines))
	err = r.share(len(lines), func(from, to int) error {
		return r.view(ctx, func(tx *Reader) error {
			for i := from; i < to; i++ {
				var err error
				if known[i], err = r.known(tx, lines[i]); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, nil, err
	}
	seen := map[string]bool{}
	for i, l := range lines {
		if r.repeats(seen, l) || known[i] || len(l.tags) > 0 {
			others = append(others, l)
		} else {
			fresh = append(fresh, l)
		}
	}
	return fresh, others, nil
}

// known reports whether the book has a customer of a line, or one that it may duplicate.
func (r *run) known(tx *Reader, l *line) (bool, error) {
	if r.sketch.lacks(l.checked) {
		return false, nil
	}
	id, err := r.find1(tx, l)
	if err != nil || id != 0 {
		return id != 0, ignoreAmbiguous(err)
	}
	if r.im.Duplicates == AllowDuplicates {
		return false, nil
	}
	id, err = r.Twin(tx, l.checked)
	if isNotFound(err) {
		err = nil
	}
	return id != 0, err
}

// repeats reports whether an earlier line has something that is unique, or is alike as
// [Twin] compares them, and remembers what this one has.
func (r *run) repeats(seen map[string]bool, l *line) bool {
	c := l.checked
	repeated := false
	add := func(key string) {
		repeated = repeated || seen[key]
		seen[key] = true
	}
	if c.Code != "" {
		add("code " + foldCode(c.Code))
	}
	for _, x := range c.Identifiers {
		add("id " + x.Scheme + " " + x.Value)
	}
	for _, x := range c.SourceKeys {
		add("source " + x.System + " " + x.Key)
	}
	if r.im.Duplicates == AllowDuplicates {
		return repeated
	}
	core := coreName(c.Name)
	if !r.ownTwin {
		add("name " + core)
	} else if c.Party == customer.Organisation {
		add("name " + text.Fold(c.Name))
	}
	for _, p := range c.Phones {
		if p.E164 != "" {
			add("phone " + p.E164 + " " + core)
		}
	}
	for _, m := range c.Emails {
		add("email " + strings.ToLower(m.Address) + " " + core)
	}
	return repeated
}

// load creates customers in bulk, with their settled rows in the same parts. It returns
// the lines that turned out to have something that another customer has.
func (r *run) load(ctx context.Context, lines []*line, fates map[*line]fate) (left []*line, err error) {
	if err := r.view(ctx, r.hold); err != nil {
		return nil, err
	}
	refused := map[int]bool{}
	var lock sync.Mutex
	created := make([]fate, len(lines))
	opts := customer.LoadOptions{
		Access:  r.Access,
		Refused: func(row int, _ error) { refused[row] = true },
		Add: func(l *storage.Loader, row int, c *customer.Customer) error {
			lock.Lock()
			created[row] = fate{outcome: Created, id: c.ID, version: 1}
			lock.Unlock()
			s := r.settled(lines[row], created[row])
			return r.Imports.rows.Load(l, s.key, s, uint8(Created))
		},
	}
	_, err = r.Customers.Load(ctx, r.Storage, r.Actor, opts, func(yield func(customer.Draft, error) bool) {
		for _, l := range lines {
			if !yield(l.draft, nil) {
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	for i, l := range lines {
		if refused[i] {
			left = append(left, l)
		} else {
			fates[l] = created[i]
			if l.draft.Code != "" {
				r.coded.Add(uint64(created[i].id))
			}
		}
	}
	return left, nil
}

// settledBefore returns what became of a line if it is settled already: by a load that
// another run, in another process, had under way when this one took the import over. The
// load comes in with its settled rows or not at all, and never after this transaction has
// settled one of them.
func (r *run) settledBefore(tx *Reader, l *line) (fate, bool, error) {
	if !r.resumed {
		return fate{}, false, nil
	}
	s, err := r.Imports.rows.Get(tx.Storage, rowKey{r.job.ID, uint64(l.row)})
	if errors.Is(err, storage.ErrNotFound) {
		return fate{}, false, nil
	}
	if err != nil {
		return fate{}, false, err
	}
	l.faults = s.faults
	return s.fate(), true, nil
}

// fate is what became of a kept row.
func (s *settled) fate() fate {
	return fate{
		outcome: s.outcome, id: s.id, version: s.version, twin: s.twin, entry: s.entry, former: s.former, provider: s.provider, tags: s.tags, tagged: s.tagged,
	}
}

func (r *run) settled(l *line, f fate) *settled {
	return &settled{
		key: rowKey{r.job.ID, uint64(l.row)}, outcome: f.outcome, id: f.id, version: f.version, line: l.line, twin: f.twin, faults: l.faults,
		entry: f.entry, former: f.former, provider: f.provider, tags: f.tags, tagged: f.tagged,
	}
}

// errDry takes a dry run's transaction back.
var errDry = errors.New("dry run")

// write settles lines in one transaction, each as the book is by then. A line that the
// book refuses is left out, and the others are tried again.
func (r *run) write(ctx context.Context, lines []*line, fates map[*line]fate) error {
	for {
		var a attempt
		err := r.holding(ctx, func(tx *Tx) error {
			a.takeBack()
			a = attempt{done: map[*line]fate{}, faults: map[*line]int{}, coded: map[customer.ID]bool{}}
			return a.write(r, tx, lines, fates)
		})
		switch {
		case err == nil || errors.Is(err, errDry):
			maps.Copy(fates, a.done)
			if err == nil {
				r.remember(a.coded)
			}
			return nil
		case a.failed == nil:
			return err
		}
		a.takeBack()
		if !r.blame(a.failed, a.cause) {
			return err
		}
		fates[a.failed] = fate{outcome: Refused, id: a.failed.found}
	}
}

// attempt is one run of a transaction that settles lines.
type attempt struct {
	done   map[*line]fate
	faults map[*line]int        // how many faults lines had that were refused with nothing written
	coded  map[customer.ID]bool // the customers of lines that have a code
	failed *line                // the one that ended the attempt, since part of it was written
	cause  error
}

// takeBack forgets the faults that lines got, for the transaction runs once more.
func (a *attempt) takeBack() {
	for l, n := range a.faults {
		l.faults, l.refused = l.faults[:n], false
	}
}

func (a *attempt) write(r *run, tx *Tx, lines []*line, fates map[*line]fate) error {
	for _, l := range lines {
		if _, settled := fates[l]; settled {
			continue
		}
		f, before, err := r.settledBefore(&tx.Reader, l)
		if err == nil && !before {
			f, err = r.apply(tx, l, a.coded)
		}
		if err == nil && l.checked != nil && l.checked.Code != "" {
			a.coded[f.id] = true
		}
		if before := len(l.faults); err != nil && (r.im.DryRun || unwritten(err)) && r.blame(l, err) {
			a.faults[l] = before
			a.done[l] = fate{outcome: Refused, id: l.found}
			continue // what a dry run leaves of the row is taken back with all the rest
		}
		if err != nil {
			a.failed, a.cause = l, err
			return err
		}
		a.done[l] = f
		if before || !r.keeps(f) || r.im.DryRun {
			continue
		}
		s := r.settled(l, f)
		if err := r.Imports.rows.Put(tx.Storage, s.key, s, uint8(f.outcome)); err != nil {
			return err
		}
	}
	if r.im.DryRun {
		return errDry
	}
	return nil
}

// unwritten reports that a line failed before anything of it was written.
func unwritten(err error) bool {
	return errors.Is(err, errAmbiguous) || errors.Is(err, errNoCustomer) || errors.Is(err, errNoUnit) || errors.Is(err, errPresent) || errors.Is(err, errOtherCode)
}

// keeps reports whether a row is kept when it is settled in a transaction of changes.
func (r *run) keeps(f fate) bool {
	return f.outcome == Created || f.outcome == Updated || f.outcome == Unchanged && r.im.Sync != nil
}

// blame makes faults of an error that is about a line's values. It reports whether it is.
func (r *run) blame(l *line, err error) bool {
	var invalid *customer.ValidationError
	var duplicate *customer.DuplicateError
	var cell *cellError
	var f Fault
	switch {
	case errors.As(err, &cell):
		v := l.cells[cell.field]
		f = Fault{Column: v.column, Value: v.text, Code: string(cell.code), Detail: cell.detail, Remedy: cell.remedy}
	case errors.As(err, &invalid):
		r.converter.toRefusals(l, invalid)
		r.converter.name(l)
		return true
	case errors.As(err, &duplicate):
		f = Fault{Code: CodeDuplicate, Value: duplicate.Value, Detail: "belongs to another customer", Remedy: "correct it, or map a column by which the other customer is found"}
		_, f.Column = l.part(duplicate.Field)
		if f.Column == 0 {
			_, f.Column = l.part(element(duplicate.Field, 0))
		}
		if duplicate.Holder != 0 {
			f.Detail = fmt.Sprintf("belongs to customer %d", duplicate.Holder)
		}
	case errors.Is(err, errAmbiguous):
		f = Fault{Code: CodeAmbiguous, Detail: err.Error(), Remedy: "correct the row, or merge the customers"}
	case errors.Is(err, errOtherCode):
		_, column := l.part("Code")
		f = Fault{Column: column, Value: l.checked.Code, Code: CodeAmbiguous, Detail: err.Error(), Remedy: "correct the code, or the number that both rows have"}
	case errors.Is(err, errNoCustomer):
		f = Fault{Code: CodeNotFound, Detail: "no customer of the book fits", Remedy: "correct the key, or import in a mode that creates"}
	case errors.Is(err, errNoUnit):
		f = Fault{Code: CodeNotFound, Detail: "the book has no such unit", Remedy: "correct the code, or import in a mode that creates"}
	case errors.Is(err, errPresent):
		f = Fault{Code: CodeDuplicate, Detail: err.Error(), Remedy: "leave the row out, or import in a mode that updates"}
	case errors.Is(err, customer.ErrDenied):
		f = Fault{Code: CodeDenied, Detail: err.Error()}
	case errors.Is(err, customer.ErrConflict):
		f = Fault{Code: CodeStale, Detail: err.Error(), Remedy: "import the row once more"}
	case errors.Is(err, customer.ErrStatus), refusal(err):
		f = Fault{Code: string(customer.CodeManaged), Detail: err.Error()}
	default:
		known := false
		if r.Explain != nil {
			f, known = r.Explain(err)
		}
		if !known {
			return false
		}
		if f.Column = l.cells[f.Field].column; f.Column > 0 && f.Value == "" {
			f.Value = l.cells[f.Field].text
		}
	}
	f.Field = r.converter.fieldOf(f.Column)
	l.refuse(f)
	r.converter.name(l)
	return true
}

// close makes the window's end the import's, with its counts.
func (r *run) close(ctx context.Context, w *window, fates map[*line]fate) error {
	job := *r.job
	job.Row = w.last
	for _, l := range w.lines {
		f := fates[l]
		job.Summary.count(f.outcome)
		if r.im.DryRun && r.im.Sync != nil && f.outcome != Created { // whose ids were taken back
			r.listed.add(f.id, f.outcome)
		}
		if f.outcome != Refused && slices.ContainsFunc(l.faults, func(f Fault) bool { return f.Kept }) {
			job.Summary.Kept++
		}
	}
	if !r.im.DryRun {
		err := r.holding(ctx, func(tx *Tx) error {
			for _, l := range w.lines {
				f := fates[l]
				if f.outcome != Refused && f.outcome != Duplicate && (len(l.faults) == 0 || r.keeps(f)) {
					continue
				}
				s := r.settled(l, f)
				if err := r.Imports.rows.Put(tx.Storage, s.key, s, uint8(f.outcome)); err != nil {
					return err
				}
			}
			next := job
			return r.Imports.jobs.Put(tx.Storage, job.ID, &next, uint8(Running)+1)
		})
		if err != nil {
			return err
		}
	}
	r.job = &job
	if r.im.Faults != nil {
		for _, l := range w.lines {
			for _, f := range l.faults {
				r.im.Faults(f)
			}
		}
	}
	return nil
}

// finish ends the import.
func (r *run) finish(ctx context.Context) error {
	job := *r.job
	if r.im.Sync != nil {
		missing, err := r.synchronise(ctx)
		if err != nil {
			return err
		}
		job.Summary.Missing = missing
	}
	job.State = Done
	if r.im.DryRun {
		r.job = &job
		return nil
	}
	err := r.holding(ctx, func(tx *Tx) error {
		job.Ended = tx.Storage.Now()
		next := job
		return r.Imports.jobs.Put(tx.Storage, job.ID, &next, uint8(Done)+1)
	})
	r.job = &job
	return err
}

// everyRow is the range of an import's kept rows.
func everyRow(job JobID) kv.Range {
	return kv.Range{Lower: rowKeyCodec.Append(nil, rowKey{job, 0}), Upper: rowKeyCodec.Append(nil, rowKey{job + 1, 0})}
}
