package classify

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging"
)

// follower is the rules as a view of the journal. What it keeps is in the book itself:
// the assignments and, in the same transaction, the position they were made for.
type follower struct{ *Rules }

// View returns the rules as a view, for the book's store.
func (e *Rules) View() storage.DerivedView { return follower{e} }

// Name implements [storage.DerivedView].
func (follower) Name() string { return ViewName }

// Close implements [storage.DerivedView]: it ends what runs in the background.
func (f follower) Close() error {
	f.stop()
	f.running.Wait()
	return nil
}

// keepEvery is the number of journal entries without work for the rules after which
// the position is stored all the same.
const keepEvery = 4096

// Cursor implements [storage.DerivedView].
func (f follower) Cursor(ctx context.Context) (storage.Cursor, error) {
	select {
	case <-f.started:
	case <-ctx.Done():
		return storage.Cursor{}, ctx.Err()
	}
	if at := f.reached.Load(); at != nil {
		return *at, nil
	}
	var at storage.Cursor
	err := f.store.View(ctx, func(r *storage.Reader) (err error) {
		at, err = f.cursor(r)
		return err
	})
	if err == nil {
		f.reached.Store(&at)
		f.kept.Store(uint64(at.Position))
	}
	return at, err
}

func (e *Rules) cursor(r *storage.Reader) (at storage.Cursor, err error) {
	text, err := e.state.Get(r, stateCursor)
	if errors.Is(err, storage.ErrNotFound) {
		return at, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(*text), &at)
	}
	return at, err
}

func (e *Rules) putCursor(tx *storage.Tx, at storage.Cursor) error {
	stored, err := json.Marshal(at)
	if err != nil {
		return err
	}
	text := string(stored)
	return e.state.Put(tx, stateCursor, &text, 0)
}

// Apply implements [storage.DerivedView].
func (f follower) Apply(ctx context.Context, _ *storage.Reader, changes []storage.Change, to storage.Cursor) error {
	touched, definitions := f.touched(changes)
	if definitions {
		if err := f.redefine(ctx, changes); err != nil {
			return err
		}
	}
	if idle, err := f.idle(ctx); err != nil || idle {
		if err == nil {
			err = f.moved(ctx, to, false)
		}
		return err
	}
	ids := make([]customer.ID, 0, len(touched))
	for id := range touched {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	masks := make([]uint64, len(ids))
	for i, id := range ids {
		masks[i] = touched[id]
	}
	for from := 0; from < len(ids); from += part {
		end := min(from+part, len(ids))
		w := work{ids: ids[from:end], changed: masks[from:end], reason: "facts changed"}
		_, err := f.do(ctx, w, func(tx *storage.Tx) error {
			if end < len(ids) {
				return nil
			}
			return f.putCursor(tx, to)
		})
		if err != nil {
			return err
		}
	}
	return f.moved(ctx, to, len(ids) > 0)
}

// idle reports whether there is no rule. Whoever activates one evaluates everybody whom it
// concerns, so nothing is missed.
func (f follower) idle(ctx context.Context) (idle bool, err error) {
	err = f.store.View(ctx, func(r *storage.Reader) error {
		p, err := f.planAt(r)
		idle = err == nil && len(p.stages) == 0
		return err
	})
	return idle, err
}

// moved notes the position, durably now and then.
func (f follower) moved(ctx context.Context, to storage.Cursor, stored bool) error {
	if !stored && uint64(to.Position)-f.kept.Load() >= keepEvery {
		if err := f.keep(ctx, to); err != nil {
			return err
		}
		stored = true
	}
	if stored {
		f.kept.Store(uint64(to.Position))
	}
	f.reached.Store(&to)
	return nil
}

func (f follower) keep(ctx context.Context, to storage.Cursor) error {
	_, err := f.store.Update(ctx, because("position"), func(tx *storage.Tx) error { return f.putCursor(tx, to) })
	return err
}

// touched returns whose facts changed, with the mask of their sources, and whether a
// definition did. The rules' own changes don't count.
func (e *Rules) touched(changes []storage.Change) (ids map[customer.ID]uint64, definitions bool) {
	ids = map[customer.ID]uint64{}
	for _, c := range changes {
		if c.Actor == Actor {
			continue
		}
		for _, op := range c.Ops {
			for i, s := range e.sources {
				if s.changed == nil {
					continue
				}
				if id, is := s.changed(op); is {
					ids[id] |= 1 << i
					if entered(op) {
						ids[id] = allSources
					}
				}
			}
			definitions = definitions || isDefinition(op)
		}
	}
	return ids, definitions
}

// allSources is the mask of a customer whom all rules must look at, whatever they read.
const allSources = ^uint64(0)

// entered reports whether an operation may make a customer one that is classified, or
// one that is no longer: anything but an edit.
func entered(op storage.Op) bool {
	return op.Table == customer.TableCustomer && customer.Action(op.Action) != customer.Updated
}

// isDefinition reports whether an operation may change what filters mean. New
// dimensions and tags have no holders yet.
func isDefinition(op storage.Op) bool {
	switch op.Table {
	case tagging.TableSegment, customer.TableSchema:
		return true
	case tagging.TableTag, tagging.TableDimension:
		return tagging.Action(op.Action) != tagging.Created
	}
	return false
}

// redefine has those rules evaluated for everybody whose filters name what was
// redefined.
func (e *Rules) redefine(ctx context.Context, changes []storage.Change) error {
	j := &job{Kind: jobDefinitions, Reason: "definitions changed"}
	for _, c := range changes {
		for _, op := range c.Ops {
			switch {
			case op.Table == tagging.TableSegment:
				j.Segments = true
			case op.Table == customer.TableSchema:
				j.Schema = true
			default:
				j.Tags = j.Tags || isDefinition(op)
			}
		}
	}
	_, err := e.store.Update(ctx, because("definitions changed"), func(tx *storage.Tx) error {
		customers := e.customers.Tx(tx)
		p, err := e.plan(&tx.Reader, &e.tags.Tx(tx, customers).Reader)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(p.allRules(), j.redefines) {
			return nil
		}
		return e.addJob(tx, j)
	})
	e.nudge()
	return err
}

// Rebuild implements [storage.DerivedView]: it evaluates everybody.
func (f follower) Rebuild(ctx context.Context, _ *storage.Reader, to storage.Cursor, progress func(done int)) error {
	_, err := f.pass(ctx, passing{reason: "rebuild", progress: func(p Progress) { progress(int(p.Done)) }})
	if err != nil {
		return err
	}
	if err := f.keep(ctx, to); err != nil {
		return err
	}
	return f.moved(ctx, to, true)
}

// Verify implements [storage.DerivedView]: it reports the customers whose tags do not
// follow from their facts. Who is due by the clock is left out, as are rules that can't
// be evaluated.
func (f follower) Verify(ctx context.Context, r *storage.Reader, report func(storage.Difference)) error {
	t := trial{Rules: f.Rules, now: f.store.Now()}
	return t.read(ctx, r, func(v *evaluator, id customer.ID) error {
		if d, err := f.due.Get(r, id); err == nil && d.at <= t.now.UnixMicro() {
			return nil
		}
		for _, set := range v.changes() {
			report(storage.Difference{Where: ViewName, Key: id.String(), Problem: "tags of rule set " + set.RuleSet + " do not follow from the facts", Derived: true})
		}
		return nil
	})
}
