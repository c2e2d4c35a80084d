package clientele_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// smallDisk mounts a file system of some megabytes, which takes root's rights.
func smallDisk(t *testing.T, megabytes int) (dir string, remount func(flags uintptr) error) {
	t.Helper()
	dir = t.TempDir()
	options := fmt.Sprintf("size=%dm", megabytes)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("SKIPPED: a small disk can't be mounted (%v); run as root to test what happens on a full one", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir, func(flags uintptr) error {
		return syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, options)
	}
}

// A full disk ends writing with a typed error; what was acknowledged is there after
// room was made, and the book is whole.
func TestFullDisk(t *testing.T) {
	disk, _ := smallDisk(t, 160)
	dir, ballast := filepath.Join(disk, "book"), filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 60<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	book, err := clientele.Open(ctx, dir, clientele.Options{Logger: silent})
	if err != nil {
		t.Fatal(err)
	}
	me := book.As(clientele.Actor{ID: "chen"})
	var acknowledged []string
	for i := 0; err == nil && i < 20000; i++ {
		code := fmt.Sprint("K", i)
		err = me.Update(ctx, func(tx *clientele.Tx) error {
			_, err := tx.Customers.Create(customer.Draft{Code: code, Name: code, Note: incompressible(i)})
			return err
		})
		if err == nil {
			acknowledged = append(acknowledged, code)
		}
	}
	if err == nil {
		t.Fatal("the disk did not fill up")
	}
	if !errors.Is(err, storage.ErrNoSpace) && !errors.Is(err, storage.ErrFailed) {
		t.Errorf("a full disk is reported as: %v", err)
	}
	if err := me.Update(ctx, func(tx *clientele.Tx) error {
		_, err := tx.Customers.Create(customer.Draft{Name: "one more"})
		return err
	}); err == nil {
		t.Log("a later, smaller write found room")
	}
	book.Close() // may report what could not be written

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	again := openBook(t, dir, clientele.Options{})
	err = again.As(clientele.Actor{ID: "chen"}).View(ctx, func(tx *clientele.ReadTx) error {
		for _, code := range acknowledged {
			if _, err := tx.Customers.ByCode(code); err != nil {
				return fmt.Errorf("acknowledged %s: %w", code, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if report, err := again.Verify(ctx, nil); err != nil || !report.OK() {
		t.Errorf("%v, %v", report, err)
	}
	t.Logf("%d customers before the disk was full", len(acknowledged))
}

// incompressible returns 10 kB that no compression makes small.
func incompressible(seed int) string {
	var b strings.Builder
	x := uint64(seed)*2862933555777941757 + 3037000493
	for b.Len() < 10000 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		fmt.Fprintf(&b, "%016x", x)
	}
	return b.String()
}

func TestReadOnlyDirectory(t *testing.T) {
	disk, remount := smallDisk(t, 64)
	dir := filepath.Join(disk, "book")
	ctx := context.Background()
	book, err := clientele.Open(ctx, dir, clientele.Options{Logger: silent})
	if err != nil {
		t.Fatal(err)
	}
	create(t, book, "one")
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	if err := remount(syscall.MS_RDONLY); err != nil {
		t.Fatal(err)
	}
	_, err = clientele.Open(ctx, dir, clientele.Options{Logger: silent})
	if !errors.Is(err, storage.ErrReadOnly) {
		t.Errorf("opening in a read-only directory: %v", err)
	}
	if err := remount(0); err != nil {
		t.Fatal(err)
	}
	if got := find(t, openBook(t, dir, clientele.Options{}), "one"); len(got) != 1 {
		t.Errorf("found %q", got)
	}
}

// damagedBook makes a book of some thousand customers and lets damage change its
// record files.
func damagedBook(t *testing.T, pattern string, damage func(t *testing.T, path string)) (dir string) {
	t.Helper()
	dir = t.TempDir()
	ctx := context.Background()
	book, err := clientele.Open(ctx, dir, clientele.Options{Logger: silent, WithoutSearch: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = book.As(clientele.Actor{ID: "chen"}).Load(ctx, customer.LoadOptions{}, func(yield func(customer.Draft, error) bool) {
		for i := range 5000 {
			if !yield(customer.Draft{Name: fmt.Sprint("customer ", i), Note: incompressible(i)[:200]}, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	create(t, book, "the last")
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "records", pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	for _, path := range files {
		damage(t, path)
	}
	return dir
}

// Flipped bits in tables are found when they are read, and named; nothing panics and
// no wrong record is returned.
func TestCorruptTable(t *testing.T) {
	dir := damagedBook(t, "*.sst", func(t *testing.T, path string) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for at := len(b) / 10; at < len(b); at += len(b)/10 + 1 {
			b[at] ^= 0x10
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	})
	ctx := context.Background()
	book, err := clientele.Open(ctx, dir, clientele.Options{Logger: silent, WithoutSearch: true})
	if err == nil {
		var report *storage.Report
		if report, err = book.Verify(ctx, nil); err == nil {
			t.Errorf("verify found %v", report.Differences)
		}
		book.Close()
	}
	if !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("error is %v", err)
	}
}

// What a cut log lost was the end; the rest is whole.
func TestCutLog(t *testing.T) {
	dir := damagedBook(t, "*.log", func(t *testing.T, path string) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, info.Size()/2); err != nil {
			t.Fatal(err)
		}
	})
	book := openBook(t, dir, clientele.Options{})
	if report, err := book.Verify(context.Background(), nil); err != nil || !report.OK() || report.Records < 5000 {
		t.Errorf("%+v, %v", report, err)
	}
}
