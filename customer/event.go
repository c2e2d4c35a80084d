package customer

import (
	"fmt"
	"iter"
	"time"
	"unicode/utf8"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Event is something that happened with a customer: a visit, an order, a use of the
// product. Events are not kept one by one but counted for each month, and the time
// of the last is kept, so that rules can use frequency and recency.
type Event struct {
	Type  string    // the embedder's word: "order", "visit", …
	Time  time.Time // zero for now; months are those of UTC
	Count int64     // 0 is 1; negative takes back
}

// MonthCount is the number of events of one type in one month.
type MonthCount struct {
	Type  string
	Month time.Time // its first instant, UTC
	Count int64
}

// eventKey is one customer's events of one type.
type eventKey struct {
	id  ID
	typ string
}

var eventKeyCodec = storage.KeyCodec[eventKey]{
	Append: func(dst storage.Key, k eventKey) storage.Key { return dst.Uint(uint64(k.id)).String(k.typ) },
	Decode: func(key storage.Key) (k eventKey, err error) {
		id, rest, err := key.CutUint()
		if err == nil {
			k.typ, _, err = rest.CutString()
		}
		k.id = ID(id)
		return k, err
	},
}

func appendInstant(dst []byte, t *time.Time) ([]byte, error) {
	return storage.Key(dst).Uint(uint64(t.UnixMicro()) ^ 1<<63), nil
}

func decodeInstant(src string, _ eventKey, _ storage.Meta) (*time.Time, error) {
	n, _, err := storage.Key(src).CutUint()
	t := time.UnixMicro(int64(n ^ 1<<63)).UTC()
	return &t, err
}

// month numbers months from January of the year 0.
func month(t time.Time) uint64 {
	y, m, _ := t.UTC().Date()
	return uint64(y*12 + int(m) - 1)
}

func monthStart(n uint64) time.Time {
	return time.Date(int(n/12), time.Month(n%12+1), 1, 0, 0, 0, 0, time.UTC)
}

// Record counts an event of a customer that is not erased. Concurrent events of one customer and type conflict only
// while they move the time of the last.
func (tx *Tx) Record(id ID, e Event) error {
	if e.Type == "" || len(e.Type) > MaxCode || !utf8.ValidString(e.Type) {
		p := problems{}
		p.add("Type", e.Type, CodeMalformed, "is no event type", fmt.Sprintf("use 1 to %d bytes of UTF-8", MaxCode))
		return p.err()
	}
	c, err := tx.Get(id)
	if err != nil {
		return err
	}
	if c.Status == Erased {
		return &StatusError{ID: id, Status: c.Status, Action: "record an event of"}
	}
	id = c.ID // of the survivor
	if err := tx.Permit(RightUpdate, Identity, id); err != nil {
		return err
	}
	if e.Time.IsZero() {
		e.Time = tx.tx.Now()
	}
	if y := e.Time.UTC().Year(); y < 1 || y > 9999 {
		p := problems{}
		p.add("Time", e.Time.String(), CodeMalformed, "is no time between the years 1 and 9999", "")
		return p.err()
	}
	if e.Count == 0 {
		e.Count = 1
	}
	key := eventKey{id, e.Type}
	if err := tx.store.events.Add(tx.tx, eventKeyCodec.Append(nil, key).Uint(month(e.Time)), e.Count); err != nil {
		return err
	}
	if tx.store.onEvent != nil {
		if err := tx.store.onEvent(tx.tx, id, e); err != nil {
			return err
		}
	}
	last, err := tx.lastEvent(id, e.Type)
	if err != nil || e.Count < 0 || !e.Time.After(last) {
		return err
	}
	at := e.Time.UTC().Truncate(time.Microsecond)
	return tx.store.lastEvent.Put(tx.tx, key, &at, 0)
}

// OnEvent has f called in every transaction that records an event, which leaves no trace
// in the journal. It is set before the book is opened.
func (s *Store) OnEvent(f func(tx *storage.Tx, id ID, e Event) error) { s.onEvent = f }

// LastEvent returns when the last event of a type was, the zero time for never.
func (r *Reader) LastEvent(id ID, typ string) (time.Time, error) {
	if r.access != nil {
		if seen, err := r.Visible(id); err != nil || !seen {
			return time.Time{}, err
		}
	}
	return r.lastEvent(id, typ)
}

// lastEvent is LastEvent of any customer.
func (r *Reader) lastEvent(id ID, typ string) (time.Time, error) {
	t, err := r.store.lastEvent.Get(r.storage, eventKey{id, typ})
	if isNotFound(err) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return *t, nil
}

// Events yields a customer's event counts by type, then month, that are not zero.
func (r *Reader) Events(id ID) iter.Seq2[MonthCount, error] {
	return func(yield func(MonthCount, error) bool) {
		if r.access != nil {
			if seen, err := r.Visible(id); err != nil {
				yield(MonthCount{}, err)
				return
			} else if !seen {
				return
			}
		}
		err := r.eachEvent(id, func(_ storage.Key, e MonthCount) error {
			if e.Count != 0 && !yield(e, nil) {
				return errStop
			}
			return nil
		})
		if err != nil && err != errStop {
			yield(MonthCount{}, err)
		}
	}
}

// eachEvent calls f with every count of a customer and its counter's key, until f
// returns an error, which it returns.
func (r *Reader) eachEvent(id ID, f func(key storage.Key, e MonthCount) error) error {
	prefix := storage.Key(nil).Uint(uint64(id))
	return r.store.events.Scan(r.storage, kv.Prefix(prefix), func(key storage.Key, n int64) error {
		typ, rest, err := key[len(prefix):].CutString()
		if err != nil {
			return err
		}
		m, _, err := rest.CutUint()
		if err != nil {
			return err
		}
		return f(key, MonthCount{Type: typ, Month: monthStart(m), Count: n})
	})
}
