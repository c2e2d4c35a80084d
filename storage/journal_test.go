package storage_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

func TestJournalNamesEveryChange(t *testing.T) {
	s := open(t, "", storage.Options{})
	put(t, s, 1, "one")
	update(t, s, func(tx *storage.Tx) error {
		if err := pages.Put(tx, 2, &page{Title: "two"}, 1); err != nil {
			return err
		}
		return pages.Put(tx, 1, &page{Title: "uno"}, 2)
	})
	update(t, s, func(tx *storage.Tx) error { return hits.Add(tx, nil, 1) }) // counters alone are no entry

	var got []string
	for c, err := range s.Changes(context.Background(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range c.Ops {
			id, _, _ := op.Key.CutUint()
			got = append(got, fmt.Sprintf("%d %s/%s: page %d version %d action %d", c.Position, c.Actor, c.Reason, id, op.Version, op.Action))
		}
	}
	want := "1 chen/test: page 1 version 1 action 1|2 chen/test: page 2 version 1 action 1|2 chen/test: page 1 version 2 action 2"
	if strings.Join(got, "|") != want {
		t.Errorf("journal is\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

func TestTimesAreThoseOfTheChanges(t *testing.T) {
	s := open(t, "", storage.Options{})
	for n := range uint64(5) {
		put(t, s, pageID(n)+1, fmt.Sprint("page ", n))
	}
	var want, got []storage.Moment
	for c, err := range s.Changes(context.Background(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, storage.Moment{Position: c.Position, Time: c.Time})
	}
	for m, err := range s.Times(context.Background(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, m)
	}
	if len(got) != 4 || !slices.Equal(got, want) {
		t.Errorf("times %v; want %v", got, want)
	}
	for _, err := range s.Times(context.Background(), 99) {
		if !errors.Is(err, storage.ErrInvalid) {
			t.Errorf("beyond the end: %v", err)
		}
	}
}

func TestFollowWaitsForTheNextChange(t *testing.T) {
	s := open(t, "", storage.Options{})
	put(t, s, 1, "one")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var seen []kv.Position
	for c, err := range s.Follow(ctx, 0) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			break
		}
		seen = append(seen, c.Position)
		switch len(seen) {
		case 1:
			go s.Update(context.Background(), clerk, func(tx *storage.Tx) error {
				return pages.Put(tx, 2, &page{Title: "two"}, 1)
			})
		case 2:
			cancel()
		}
	}
	if fmt.Sprint(seen) != "[1 2]" {
		t.Errorf("followed %v", seen)
	}
}

// The tree is checked against tlog's own in-memory computation of RFC 6962.
func TestHeadIsTheMerkleTreeOfTheJournal(t *testing.T) {
	s := open(t, "", storage.Options{})
	ctx := context.Background()
	heads := []storage.Head{}
	for i := range 600 { // more than two chunks of hashes
		put(t, s, pageID(i%7+1), fmt.Sprint("title ", i))
		if i == 2 || i == 255 || i == 599 {
			h, err := s.Head(ctx)
			if err != nil {
				t.Fatal(err)
			}
			heads = append(heads, h)
		}
	}
	hashes := memoryHashes{}
	n := int64(0)
	for c, err := range changesOf(s) {
		if err != nil {
			t.Fatal(err)
		}
		more, err := tlog.StoredHashes(n, c, hashes)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, more...)
		n++
		for _, h := range heads {
			if h.Size == n {
				if want, _ := tlog.TreeHash(n, hashes); h.Root != want {
					t.Errorf("head at %d is %s, want %s", n, h.Root, want)
				}
			}
		}
	}
	if len(heads) != 3 || heads[2].Size != 600 {
		t.Fatalf("heads %v", heads)
	}
	for _, position := range []kv.Position{1, 3, 256, 600} {
		proof, payload, err := s.ProveEntry(ctx, heads[2], position)
		if err != nil {
			t.Fatal(err)
		}
		if err := heads[2].CheckEntry(proof, position, payload); err != nil {
			t.Errorf("entry %d: %v", position, err)
		}
		if heads[2].CheckEntry(proof, position, append(payload, 'x')) == nil {
			t.Errorf("entry %d: a changed payload passes", position)
		}
	}
	for _, older := range heads[:2] {
		proof, err := s.ProveExtension(ctx, older, heads[2])
		if err != nil {
			t.Fatal(err)
		}
		if err := heads[2].CheckExtends(proof, older); err != nil {
			t.Error(err)
		}
		forged := older
		forged.Root[3] ^= 1
		if heads[2].CheckExtends(proof, forged) == nil {
			t.Error("a forged head passes")
		}
	}
}

type memoryHashes []tlog.Hash

func (m memoryHashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		list[i] = m[index]
	}
	return list, nil
}

func changesOf(s *storage.Store) func(func([]byte, error) bool) {
	return func(yield func([]byte, error) bool) {
		head, err := s.Head(context.Background())
		if err != nil {
			yield(nil, err)
			return
		}
		for p := kv.Position(1); p <= kv.Position(head.Size); p++ {
			_, payload, err := s.ProveEntry(context.Background(), head, p)
			if !yield(payload, err) || err != nil {
				return
			}
		}
	}
}

func TestSignedHead(t *testing.T) {
	s := open(t, "", storage.Options{})
	put(t, s, 1, "one")
	head, err := s.Head(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	private, public, err := note.GenerateKey(rand.Reader, "auditor")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := head.Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := storage.OpenHead(signed, note.VerifierList(verifier)); err != nil || got != head {
		t.Errorf("signed head came back as %+v, %v", got, err)
	}
	forged := strings.Replace(string(signed), "\n1\n", "\n2\n", 1)
	if _, err := storage.OpenHead([]byte(forged), note.VerifierList(verifier)); err == nil {
		t.Error("a forged size passes")
	}
}

// Somebody rewrites a stored version behind the library's back; the journal's digest
// tells.
func TestVerifyFindsTampering(t *testing.T) {
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := storage.Open(context.Background(), engine, schema(), nil, storage.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	put(t, s, 1, "honest", "w")
	put(t, s, 2, "other", "w")
	tamper(t, engine, storage.Key{0x02, 1}.Uint(1), func(v []byte) []byte {
		return []byte(strings.Replace(string(v), "honest", "forged", 1))
	})
	report, err := s.Verify(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !mentions(report, "content differs from what the journal committed") || !mentions(report, "page.title") {
		t.Errorf("report: %v", report.Differences)
	}
}

func tamper(t *testing.T, engine kv.Engine, key []byte, change func([]byte) []byte) {
	t.Helper()
	ctx := context.Background()
	snap, err := engine.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	value, found, err := snap.Get(ctx, key, nil)
	snap.Close()
	if err != nil || !found {
		t.Fatalf("nothing to tamper with: %v", err)
	}
	var b kv.Batch
	if value = change(value); value == nil {
		b.Delete(key)
	} else {
		b.Set(key, value)
	}
	if _, err := engine.Apply(ctx, &b); err != nil {
		t.Fatal(err)
	}
}

func mentions(r *storage.Report, text string) bool {
	for _, d := range r.Differences {
		if strings.Contains(d.String(), text) {
			return true
		}
	}
	return false
}
