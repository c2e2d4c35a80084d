package storage_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/clientele-go/clientele/storage"
)

// What a load's check has read still holds when the part is committed: of a change between the
// two it is asked again.
func TestALoadIsCheckedInTheStateThatItIsAddedTo(t *testing.T) {
	s := openInMemory(t)
	defer s.Close()
	put(t, s, 1, "open")
	errClosed := errors.New("closed")
	load := func(id pageID, change func()) (storage.Loaded, error) {
		asked := 0
		check := func(r *storage.Reader) error {
			p, err := pages.Get(r, 1)
			if err == nil && p.Title != "open" {
				err = errClosed
			}
			if asked++; asked == 1 && err == nil {
				change()
			}
			return err
		}
		return s.Load(context.Background(), clerk, storage.LoadOptions{Check: check}, func(l *storage.Loader) error {
			if err := pages.Load(l, id, &page{Title: fmt.Sprint("new ", id)}, 1); err != nil {
				return err
			}
			return l.Next()
		})
	}
	if loaded, err := load(9, func() { put(t, s, 2, "another") }); err != nil || loaded.Rows != 1 {
		t.Errorf("after a change of what wasn't read: %+v, %v", loaded, err)
	}
	if loaded, err := load(10, func() { put(t, s, 1, "closed") }); !errors.Is(err, errClosed) || loaded.Rows != 0 {
		t.Errorf("after a change of what was: %+v, %v", loaded, err)
	}
	if loaded, err := load(11, func() {}); !errors.Is(err, errClosed) || loaded.Rows != 0 {
		t.Errorf("of what the check refuses: %+v, %v", loaded, err)
	}
}
