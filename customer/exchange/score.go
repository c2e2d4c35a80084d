package exchange

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/record"
)

// Score is a credit score that a bureau gave a customer.
type Score struct {
	Customer customer.ID
	Provider string
	Day      date.Date
	Value    int64 // on the provider's own scale

	unknown string
}

// scoreRows reads credit scores.
type scoreRows struct{}

var scoreFields = []plainField{
	{ScoreProvider, []string{"provider", "bureau", "agency", "rating agency", "source", "评级机构", "机构", "征信机构", "来源", "评分来源"}},
	{ScoreValue, []string{"score", "credit score", "rating", "value", "评分", "信用评分", "信用分", "分数", "得分"}},
	{ScoreDay, []string{"date", "score date", "as of", "rated on", "日期", "评分日期", "评级日期", "截止日期"}},
}

func (scoreRows) fields() []plainField { return scoreFields }
func (scoreRows) required() [][]Field  { return [][]Field{{ScoreProvider}, {ScoreValue}} }
func (scoreRows) about() bool          { return true }

func (scoreRows) put(_ *converter, l *line, column int, f Field, value string) bool {
	switch f {
	case ScoreProvider, ScoreValue, ScoreDay:
		return l.set(f, column, value)
	}
	return false
}

func (scoreRows) finish(c *converter, l *line) entry {
	e := &scoreEntry{score: Score{Provider: l.cells[ScoreProvider].text, Day: day(l, ScoreDay, c.day)}}
	if e.score.Provider == "" {
		l.bad(ScoreProvider, customer.CodeRequired, "is missing", "name who gave the score")
	}
	if len(e.score.Provider) > customer.MaxCode {
		l.bad(ScoreProvider, customer.CodeTooLong, "is too long", fmt.Sprintf("at most %d bytes", customer.MaxCode))
	}
	var err error
	if e.score.Value, err = strconv.ParseInt(l.cells[ScoreValue].text, 10, 64); err != nil {
		l.bad(ScoreValue, customer.CodeMalformed, "is no whole number", "give the score as its provider gave it")
	}
	if e.score.Day.IsZero() && l.cells[ScoreDay].text == "" {
		l.bad(ScoreDay, customer.CodeRequired, "is missing", "map a column of dates, or give the import's Day")
	}
	if l.refused {
		return nil
	}
	return e
}

// scoreEntry is a score on its way into the book.
type scoreEntry struct{ score Score }

func (e *scoreEntry) apply(r *run, tx *Tx, l *line) (fate, error) {
	id, err := r.customerOf(tx, l)
	if err != nil {
		return fate{}, err
	}
	l.found = id
	if err := tx.Customers.Permit(customer.RightSetLimit, customer.Credit, id); err != nil {
		return fate{}, err
	}
	s := e.score
	s.Customer = id
	former, err := r.Imports.scores.Get(&tx.Storage.Reader, s.key())
	switch {
	case err == nil && former.Value == s.Value:
		return fate{outcome: Unchanged, id: id}, nil
	case err == nil:
		return fate{}, &cellError{field: ScoreValue, code: CodeDuplicate, detail: "differs from the score that the provider gave for that day, " + strconv.FormatInt(former.Value, 10),
			remedy: "correct the score or its date"}
	case !errors.Is(err, storage.ErrNotFound):
		return fate{}, err
	}
	return fate{outcome: Created, id: id, entry: uint64(s.Day), provider: s.Provider}, r.Imports.scores.Put(tx.Storage, s.key(), &s, uint8(Created))
}

// undoScore takes back the score that a row gave a customer.
func (s Session) undoScore(tx *Tx, row *settled) error {
	key := scoreKey{row.id, row.provider, date.Date(row.entry)}
	err := s.Imports.scores.Delete(tx.Storage, key, uint8(takenBack))
	if errors.Is(err, storage.ErrNotFound) { // it went with its customer
		return nil
	}
	return err
}

// Scores yields the scores that bureaus gave a customer, and those that were merged into
// it, by provider and day. Hidden credit data has none.
func (s *Store) Scores(r *storage.Reader, customers *customer.Reader, id customer.ID) (list []Score, err error) {
	if err := customers.Permit(customer.RightRead, customer.Credit, id); err != nil {
		return nil, err
	}
	add := func(id customer.ID) error {
		for score, err := range s.scoresOf(r, id) {
			if err != nil {
				return err
			}
			list = append(list, *score)
		}
		return nil
	}
	all := customer.Unscoped(customers)
	open := []customer.ID{id}
	for len(open) > 0 {
		next := open[0]
		open = open[1:]
		if err := add(next); err != nil {
			return nil, err
		}
		for loser, err := range all.MergedInto(next) {
			if err != nil {
				return nil, err
			}
			open = append(open, loser)
		}
	}
	return list, nil
}

func (s *Store) scoresOf(r *storage.Reader, id customer.ID) func(func(*Score, error) bool) {
	return s.scores.Records(r, kv.Range{Lower: storage.Key(nil).Uint(uint64(id)), Upper: storage.Key(nil).Uint(uint64(id) + 1)}, false)
}

type scoreKey struct {
	customer customer.ID
	provider string
	day      date.Date
}

func (s *Score) key() scoreKey { return scoreKey{s.Customer, s.Provider, s.Day} }

var scoreKeyCodec = storage.KeyCodec[scoreKey]{
	Append: func(dst storage.Key, k scoreKey) storage.Key {
		return dst.Uint(uint64(k.customer)).String(k.provider).Uint(uint64(k.day))
	},
	Decode: func(key storage.Key) (k scoreKey, err error) {
		id, rest, err := key.CutUint()
		if err != nil {
			return k, err
		}
		provider, rest, err := rest.CutString()
		if err != nil {
			return k, err
		}
		n, rest, err := rest.CutUint()
		if err == nil && len(rest) > 0 {
			err = storage.ErrCorrupt
		}
		return scoreKey{customer.ID(id), provider, date.Date(n)}, err
	},
}

const scoreValue = 1

func appendScore(dst []byte, s *Score) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.Int(scoreValue, s.Value)
	w.Raw(s.unknown)
	return w.Buf, nil
}

func decodeScore(src string, k scoreKey, _ storage.Meta) (*Score, error) {
	s := &Score{Customer: k.customer, Provider: k.provider, Day: k.day}
	r := record.NewReader(src)
	for r.Next() {
		if r.Field() == scoreValue {
			s.Value = r.Int()
		} else {
			r.Skip()
		}
	}
	s.unknown = r.Unknown()
	return s, r.Err()
}
