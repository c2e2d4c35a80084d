package clientele_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
	"github.com/clientele-go/clientele/tagging"
)

// testClock is a clock that a test moves while a book reads it.
type testClock struct{ micros atomic.Int64 }

func newTestClock(at time.Time) *testClock {
	c := &testClock{}
	c.micros.Store(at.UnixMicro())
	return c
}

func (c *testClock) now() time.Time          { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *testClock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// eventually waits until something that happens in the background has happened.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for limit := time.Now().Add(30 * time.Second); !happened(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("never happened: " + what)
		}
	}
}

// What has ended, and what follows from a merged tag, is written without anybody's doing.
func TestClockWritesWhatIsDue(t *testing.T) {
	ctx := context.Background()
	clock := newTestClock(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	book := openBook(t, "", clientele.Options{WithoutSearch: true, Clock: clock.now, TickEvery: 5 * time.Millisecond})
	create(t, book, "甲", "乙")
	me := book.As(clientele.Actor{ID: "chen"})
	var tags [2]*tagging.Tag
	err := me.Update(ctx, func(tx *clientele.Tx) error {
		d, err := tx.Tags.CreateDimension(tagging.Dimension{Code: "campaign"})
		if err != nil {
			return err
		}
		for i, code := range []string{"spring", "autumn"} {
			if tags[i], err = tx.Tags.CreateTag(tagging.Tag{Dimension: d.ID, Code: code}); err != nil {
				return err
			}
		}
		if _, err = tx.Tags.Assign(1, tagging.Assignment{Tag: tags[0].ID, Until: clock.now().Add(time.Hour)}); err != nil {
			return err
		}
		_, err = tx.Tags.Assign(2, tagging.Assignment{Tag: tags[1].ID})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	clock.advance(time.Hour)
	err = me.Update(ctx, func(tx *clientele.Tx) error {
		_, err := tx.Tags.MergeTag(tags[1].ID, tags[0].ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var first, second []*tagging.Tagged
	eventually(t, "both records written anew", func() bool {
		err := me.View(ctx, func(tx *clientele.ReadTx) (err error) {
			if first, err = tx.Tags.History(1); err == nil {
				second, err = tx.Tags.History(2)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return len(first) == 2 && len(second) == 2
	})
	if last := first[1]; len(last.Assignments) != 0 || last.Actor != clientele.ClockActor {
		t.Errorf("the ended assignment: %+v", last)
	}
	if last := second[1]; !last.Has(tags[0].ID) || last.Actor != clientele.ClockActor {
		t.Errorf("the merged tag's assignment: %+v", last)
	}
}

// A book whose background work fails says so, until it succeeds.
func TestHealthTellsOfFailedBackgroundWork(t *testing.T) {
	ctx := context.Background()
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true, Logger: silent})
	if err != nil {
		t.Fatal(err)
	}
	failing := &failingEngine{Engine: engine}
	clock := newTestClock(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	book := openBook(t, "", clientele.Options{WithoutSearch: true, Engine: failing, Clock: clock.now, TickEvery: 5 * time.Millisecond})
	create(t, book, "甲")
	err = book.As(clientele.Actor{ID: "chen"}).Update(ctx, func(tx *clientele.Tx) error {
		d, err := tx.Tags.CreateDimension(tagging.Dimension{Code: "campaign", ValidDays: 1})
		if err != nil {
			return err
		}
		spring, err := tx.Tags.CreateTag(tagging.Tag{Dimension: d.ID, Code: "spring"})
		if err != nil {
			return err
		}
		_, err = tx.Tags.Assign(1, tagging.Assignment{Tag: spring.ID})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	told := func() bool {
		health, err := book.Health(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(strings.Join(health.Problems, "\n"), "tags that begin or end")
	}
	if told() {
		t.Error("a book that is well tells of failures")
	}
	failing.fail.Store(true)
	clock.advance(25 * time.Hour)
	eventually(t, "a problem", told)
	failing.fail.Store(false)
	eventually(t, "no problem", func() bool { return !told() })
}

// failingEngine is an engine that can't be written to while fail is set.
type failingEngine struct {
	kv.Engine
	fail atomic.Bool
}

func (e *failingEngine) Apply(ctx context.Context, b *kv.Batch) (kv.Position, error) {
	if e.fail.Load() {
		return 0, errors.New("the disk is full")
	}
	return e.Engine.Apply(ctx, b)
}
