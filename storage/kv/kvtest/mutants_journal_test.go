package kvtest

import (
	"bytes"
	"context"
	"iter"
	"testing"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

func retryMutants() []mutant {
	anonymous := func(b *kv.Batch) *kv.Batch {
		to := rebuilt(b, b.Ops()...)
		to.ID = kv.BatchID{}
		return to
	}
	return []mutant{
		wrong("Retry/SameIDAppliesOnce", "ids are ignored", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				return e.Apply(ctx, anonymous(b))
			}
		}),
		wrong("Retry/SameIDAppliesOnce", "a retry has no position", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				if known(e, b.ID) {
					return 0, nil
				}
				return e.Apply(ctx, b)
			}
		}),
		wrong("Retry/SameIDAppliesOnce", "ids are forgotten after an hour", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				if time.Since(b.ID.Time()) > time.Hour {
					b = anonymous(b)
				}
				return e.Apply(ctx, b)
			}
		}),
		wrong("Retry/ComesBeforeTheCondition", "the condition comes first", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				if _, err := e.Apply(ctx, &kv.Batch{Since: b.Since, Reads: b.Reads}); err != nil {
					return 0, err
				}
				return e.Apply(ctx, b)
			}
		}),
		wrong("Retry/DifferentIDsApplyBoth", "ids are told apart by their time", cutID(8, 16)),
		wrong("Retry/DifferentIDsApplyBoth", "ids are told apart by their random part", cutID(0, 8)),
		wrong("Retry/ConcurrentSameID", "an id is looked up before it is locked", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				if known(e, b.ID) {
					return e.Apply(ctx, b)
				}
				time.Sleep(50 * time.Microsecond)
				at, err := e.Apply(ctx, anonymous(b))
				if err == nil && b.ID != (kv.BatchID{}) {
					remember(e, b.ID, at)
				}
				return at, err
			}
		}),
		wrong("Retry/RefusedIDIsFree", "a refused id counts as applied", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				at, err := e.Apply(ctx, b)
				if err != nil && b.ID != (kv.BatchID{}) {
					remember(e, b.ID, 0)
				}
				return at, err
			}
		}),
		wrong("Retry/AfterUncertainOutcome", "the context's error hides a success", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				at, err := e.Apply(ctx, b)
				if ctx.Err() != nil {
					return 0, ctx.Err()
				}
				return at, err
			}
		}),
		wrong("Retry/AfterUncertainOutcome", "an uncertain id is free", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				at, err := e.Apply(ctx, anonymous(b))
				if ctx.Err() != nil {
					return 0, kv.ErrUnknownOutcome
				}
				return at, err
			}
		}),
		reopenedAs("Retry/SurvivesReopen", "a reopening forgets the ids", func(v *version) { clear(v.IDs) }),
	}
}

func known(e kv.Engine, id kv.BatchID) bool {
	r := e.(*reference)
	r.mu.Lock()
	defer r.mu.Unlock()
	_, found := r.now.IDs[id]
	return found
}

func remember(e kv.Engine, id kv.BatchID, at kv.Position) {
	r := e.(*reference)
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.now.clone()
	next.IDs[id] = at
	r.now = next
}

func cutID(from, to int) func(*faulty) {
	return func(f *faulty) {
		f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
			clear(b.ID[from:to])
			return e.Apply(ctx, b)
		}
	}
}

// reopenedAs makes a mutant whose state suffers from being reopened.
func reopenedAs(property, fault string, change func(*version)) mutant {
	m := wrong(property, fault, func(*faulty) {})
	m.harness.Reopen = func(t testing.TB, e kv.Engine) kv.Engine {
		next := inner(e).(*reference).now.clone()
		change(next)
		return &faulty{Engine: newReference(next)}
	}
	return m
}

func journalMutants() []mutant {
	type changes = iter.Seq2[kv.Change, error]
	withChanges := func(change func(ctx context.Context, e kv.Engine, after kv.Position) changes) func(*faulty) {
		return func(f *faulty) { f.changes = change }
	}
	return []mutant{
		wrong("Journal/CountsWithoutGaps", "a refused batch takes a position", takesPositions),
		wrong("Journal/CountsWithoutGaps", "every batch takes a position", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				if b.Journal == nil {
					b.Journal = []byte{}
				}
				return e.Apply(ctx, b)
			}
		}),
		wrong("Journal/KeepsPayloads", "an empty entry is none", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				if len(b.Journal) == 0 {
					b.Journal = nil
				}
				return e.Apply(ctx, b)
			}
		}),
		wrong("Journal/PayloadsBelongToCaller", "Changes lends one buffer", withChanges(func(ctx context.Context, e kv.Engine, after kv.Position) changes {
			buffer := make([]byte, 0, 1<<10)
			return each(e.Changes(ctx, after), func(c kv.Change) kv.Change {
				c.Payload = append(buffer[:0], c.Payload...)
				return c
			})
		})),
		wrong("Journal/PayloadsBelongToCaller", "Changes lends the journal's own bytes", withChanges(func(ctx context.Context, e kv.Engine, after kv.Position) changes {
			return each(e.Changes(ctx, after), func(c kv.Change) kv.Change {
				c.Payload = e.(*reference).now.Journal[c.Position-1]
				return c
			})
		})),
		wrong("Journal/ResumesAfterAnyPosition", "Changes repeats the cursor's entry", withChanges(func(ctx context.Context, e kv.Engine, after kv.Position) changes {
			return e.Changes(ctx, max(after, 1)-1)
		})),
		wrong("Journal/ResumesAfterAnyPosition", "a cursor beyond the end starts over", withChanges(func(ctx context.Context, e kv.Engine, after kv.Position) changes {
			if after > e.Durable() {
				after = 0
			}
			return e.Changes(ctx, after)
		})),
		wrong("Journal/EndsAtTheCall", "Changes follows the journal", withChanges(func(ctx context.Context, e kv.Engine, after kv.Position) changes {
			return func(yield func(kv.Change, error) bool) {
				for more := true; more; {
					more = false
					for c, err := range e.Changes(ctx, after) {
						if !yield(c, err) {
							return
						}
						after, more = c.Position, true
					}
				}
			}
		})),
		wrong("Journal/TailMissesNothing", "the last entry but one shows late", withChanges(func(ctx context.Context, e kv.Engine, after kv.Position) changes {
			late := e.Durable() - 1
			return func(yield func(kv.Change, error) bool) {
				for c, err := range e.Changes(ctx, after) {
					if c.Position == late && after+1 < late {
						continue
					}
					if !yield(c, err) {
						return
					}
				}
			}
		})),
		wrong("Journal/TailMissesNothing", "Apply returns the position before", func(f *faulty) {
			f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
				_, err := e.Apply(ctx, b)
				return e.(*reference).left().last(), err
			}
		}),
		wrong("Journal/WaitDurableWakesAll", "WaitDurable returns too early", func(f *faulty) {
			f.waitDurable = func(context.Context, kv.Engine, kv.Position) error { return nil }
		}),
		wrong("Journal/OrderIsCommitOrder", "neighbours change places", withChanges(func(ctx context.Context, e kv.Engine, after kv.Position) changes {
			last := e.Durable()
			return each(e.Changes(ctx, after), func(c kv.Change) kv.Change {
				if other := (c.Position - 1) ^ 1 + 1; other <= last {
					c.Payload = bytes.Clone(e.(*reference).left().Journal[other-1])
				}
				return c
			})
		})),
		wrong("Journal/ShowsOnlyDurable", "Changes shows what a crash takes back", showsAll(false)),
		wrong("Journal/SyncedIsDurableOnReturn", "synced is relaxed", func(f *faulty) { relaxedAll(f) }),
		wrong("Journal/RelaxedBecomesDurable", "relaxed commits wait for a synced one", func(f *faulty) { f.Engine.(*reference).lazy = true }),
		wrong("Journal/WaitDurableWakesAll", "WaitDurable sleeps on", func(f *faulty) {
			f.waitDurable = func(ctx context.Context, e kv.Engine, after kv.Position) error {
				if e.Durable() > after {
					return nil
				}
				<-ctx.Done()
				return ctx.Err()
			}
		}),
		wrong("Journal/WaitDurableWakesAll", "WaitDurable returns one entry early", func(f *faulty) {
			f.waitDurable = func(ctx context.Context, e kv.Engine, after kv.Position) error {
				return e.WaitDurable(ctx, max(after, 1)-1)
			}
		}),
		wrong("Journal/WaitDurableHonoursContext", "WaitDurable doesn't look at its context", func(f *faulty) {
			f.waitDurable = func(ctx context.Context, e kv.Engine, after kv.Position) error {
				return e.WaitDurable(context.WithoutCancel(ctx), after)
			}
		}),
	}
}

func relaxedAll(f *faulty) {
	f.Engine.(*reference).lazy = true
	f.apply = func(ctx context.Context, e kv.Engine, b *kv.Batch) (kv.Position, error) {
		to := rebuilt(b, b.Ops()...)
		to.Durability = kv.Relaxed
		return e.Apply(ctx, to)
	}
}

// showsAll shows the journal up to the present, and, when lying, says that it is durable.
func showsAll(lying bool) func(*faulty) {
	return func(f *faulty) {
		f.Engine.(*reference).lazy = true
		f.changes = func(ctx context.Context, e kv.Engine, after kv.Position) iter.Seq2[kv.Change, error] {
			r := e.(*reference)
			r.mu.Lock()
			defer r.mu.Unlock()
			return newReference(r.now).Changes(ctx, after)
		}
		if !lying {
			return
		}
		f.durable = func(e kv.Engine) kv.Position {
			r := e.(*reference)
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.now.last()
		}
	}
}
