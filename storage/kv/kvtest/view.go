package kvtest

import (
	"context"
	"fmt"

	"github.com/clientele-go/clientele/storage/kv"
)

// view is a snapshot under test. Its methods in lower case fail the trial when the
// snapshot answers otherwise than they say.
type view struct {
	kv.Snapshot
	t *trial
}

// pair is one entry, copied.
type pair struct{ key, value string }

func (v *view) want(key, value string) {
	v.t.Helper()
	got, found, err := readKey(v.t.ctx, v.Snapshot, key)
	switch {
	case err != nil:
		v.t.Fatalf("%v", err)
	case !found:
		v.t.Fatalf("Get(%s): absent, want %s", quote(key), quote(value))
	case got != value:
		v.t.Fatalf("Get(%s) = %s, want %s", quote(key), quote(got), quote(value))
	}
}

func (v *view) wantAbsent(key string) {
	v.t.Helper()
	got, found, err := readKey(v.t.ctx, v.Snapshot, key)
	if err != nil {
		v.t.Fatalf("%v", err)
	}
	if found {
		v.t.Fatalf("Get(%s) = %s, want it absent", quote(key), quote(got))
	}
}

// wantScan checks the keys of a scan, in order.
func (v *view) wantScan(r kv.Range, reverse bool, want ...string) {
	v.t.Helper()
	pairs, err := collect(v.t.ctx, v.Snapshot, r, reverse)
	if err != nil {
		v.t.Fatalf("%v", err)
	}
	got := make([]string, 0, len(pairs))
	for _, p := range pairs {
		got = append(got, p.key)
	}
	if describeStrings(got) != describeStrings(want) {
		v.t.Fatalf("%s yields the keys %s, want %s", describeScan(r, reverse), describeStrings(got), describeStrings(want))
	}
}

// wantState checks all keys by a scan, and each by a get.
func (v *view) wantState(want model) {
	v.t.Helper()
	if err := sameState(v.t.ctx, v.Snapshot, want); err != nil {
		v.t.Fatalf("%v", err)
	}
}

// sameState compares a snapshot with a model, by a scan and by gets.
func sameState(ctx context.Context, s kv.Snapshot, want model) error {
	got, err := readState(ctx, s)
	if err != nil {
		return err
	}
	if diff := got.difference(want); diff != "" {
		return fmt.Errorf("the snapshot is not as it should be: %s", diff)
	}
	for key, value := range want {
		read, found, err := readKey(ctx, s, key)
		if err != nil {
			return err
		}
		if !found || read != value {
			return fmt.Errorf("Get(%s) = %s (found: %v), but Scan yields %s", quote(key), quote(read), found, quote(value))
		}
	}
	return nil
}

// readState scans a whole snapshot into a model.
func readState(ctx context.Context, s kv.Snapshot) (model, error) {
	pairs, err := collect(ctx, s, kv.Range{}, false)
	if err != nil {
		return nil, err
	}
	state := model{}
	for _, p := range pairs {
		value, err := normal(p.key, []byte(p.value))
		if err != nil {
			return nil, fmt.Errorf("the scanned value of %s: %w", quote(p.key), err)
		}
		state[p.key] = value
	}
	return state, nil
}

// readKey gets a key's value in normal form; see [normal].
func readKey(ctx context.Context, s kv.Snapshot, key string) (string, bool, error) {
	raw, found, err := s.Get(ctx, []byte(key), nil)
	if err != nil || !found {
		return "", false, wrap(err, "Get(%s)", quote(key))
	}
	value, err := normal(key, raw)
	return value, true, wrap(err, "Get(%s)", quote(key))
}

// collect copies the entries of a scan and checks their order.
func collect(ctx context.Context, s kv.Snapshot, r kv.Range, reverse bool) ([]pair, error) {
	var pairs []pair
	for entry, err := range s.Scan(ctx, r, reverse) {
		if err != nil {
			return nil, wrap(err, "%s", describeScan(r, reverse))
		}
		p := pair{string(entry.Key), string(entry.Value)}
		if len(pairs) > 0 {
			last := pairs[len(pairs)-1].key
			if last == p.key || last > p.key != reverse {
				return nil, fmt.Errorf("%s yields %s after %s", describeScan(r, reverse), quote(p.key), quote(last))
			}
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err)
}
