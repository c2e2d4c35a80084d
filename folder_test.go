package clientele_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

func TestEngineOfTheCallersNeedsAPlaceForSearch(t *testing.T) {
	t.Chdir(t.TempDir())
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	book, err := clientele.Open(context.Background(), "", clientele.Options{Engine: engine, Logger: silent})
	if err == nil {
		book.Close()
	}
	if _, statErr := os.Stat("search"); statErr == nil || err == nil {
		t.Errorf("a search folder was made in the working directory: %v", err)
	}
}

func TestRestoreOverFilesIsRefused(t *testing.T) {
	book := openBook(t, t.TempDir(), clientele.Options{})
	create(t, book, "a")
	backup, to := filepath.Join(t.TempDir(), "backup"), t.TempDir()
	if _, err := book.Backup(context.Background(), backup, nil); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(to, "x"), nil, 0o644)
	if _, err := clientele.Restore(context.Background(), backup, to); !errors.Is(err, storage.ErrExists) {
		t.Error(err)
	}
	if _, err := clientele.Restore(context.Background(), backup, filepath.Join(to, "new", "deep")); err != nil {
		t.Error(err)
	}
}

func TestRestoreNeedsAFolder(t *testing.T) {
	book := openBook(t, t.TempDir(), clientele.Options{})
	create(t, book, "a")
	backup := filepath.Join(t.TempDir(), "backup")
	if _, err := book.Backup(context.Background(), backup, nil); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	_, err := clientele.Restore(context.Background(), backup, "")
	if files, _ := os.ReadDir("."); !errors.Is(err, storage.ErrInvalid) || len(files) > 0 {
		t.Errorf("restored into the working directory, %d files: %v", len(files), err)
	}
}

// A Restore that was cut off, at whatever file, can be called again.
func TestRestoreCanBeTriedAgain(t *testing.T) {
	book := openBook(t, t.TempDir(), clientele.Options{})
	create(t, book, "a")
	backup, to := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "new")
	if _, err := book.Backup(context.Background(), backup, nil); err != nil {
		t.Fatal(err)
	}
	for looks := 0; ; looks++ {
		_, err := clientele.Restore(&endingContext{context.Background(), looks}, backup, to)
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("cut off after %d looks: %v", looks, err)
		}
	}
	if n := len(openBook(t, to, clientele.Options{}).ID()); n != 32 {
		t.Errorf("the restored book's id has %d digits", n)
	}
}

// endingContext ends after it was asked some times.
type endingContext struct {
	context.Context
	left int
}

func (c *endingContext) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestBackupLeavesNoErasedNameInTheSearchIndex(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	book, err := clientele.Open(ctx, dir, clientele.Options{Logger: silent})
	if err != nil {
		t.Fatal(err)
	}
	create(t, book, "Zyxwvut Qponmlk", "somebody else")
	find(t, book, "zyxwvut")
	err = book.As(clientele.Actor{ID: "dpo"}).Update(ctx, func(tx *clientele.Tx) error {
		_, err := tx.Customers.Erase(1)
		return err
	})
	if err == nil {
		_, err = book.Backup(ctx, filepath.Join(t.TempDir(), "b"), nil)
	}
	if err == nil {
		_, err = book.Purge(ctx)
	}
	if err := errors.Join(err, book.Close()); err != nil {
		t.Fatal(err)
	}
	expectNowhere(t, dir, "zyxwvut")
}

func TestErasedHoldAndEventsLeaveTheFiles(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	book, err := clientele.Open(ctx, dir, clientele.Options{Logger: silent})
	if err != nil {
		t.Fatal(err)
	}
	create(t, book, "a")
	me := book.As(clientele.Actor{ID: "dpo"})
	err = me.Update(ctx, func(tx *clientele.Tx) error {
		return errors.Join(
			tx.Customers.SetHold(1, customer.Hold{Ground: "zyxwvut divorce"}),
			tx.Customers.Record(1, customer.Event{Type: "zyxwvut visit"}),
		)
	})
	if err == nil {
		err = me.Update(ctx, func(tx *clientele.Tx) error { return tx.Customers.ReleaseHold(1) })
	}
	if err == nil {
		err = me.Update(ctx, func(tx *clientele.Tx) error { _, err := tx.Customers.Erase(1); return err })
	}
	if err == nil {
		_, err = book.Purge(ctx)
	}
	if err := errors.Join(err, book.Close()); err != nil {
		t.Fatal(err)
	}
	expectNowhere(t, dir, "zyxwvut")
}
