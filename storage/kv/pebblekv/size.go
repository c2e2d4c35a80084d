package pebblekv

import (
	"bytes"
	"context"

	"github.com/clientele-go/clientele/storage/kv"
)

var _ kv.Sizer = (*snapshot)(nil)

// Size implements [kv.Sizer], by the tables that the engine has now.
func (s *snapshot) Size(ctx context.Context, r kv.Range) (int64, error) {
	r = callersPart(r)
	if r.Upper == nil {
		r.Upper = bytes.Repeat([]byte{0xff}, 16) // beyond every key that begins otherwise: an estimate
	}
	return s.size(ctx, r)
}

// JournalSize implements [kv.Sizer].
func (s *snapshot) JournalSize(ctx context.Context, after, upTo kv.Position) (int64, error) {
	return s.size(ctx, kv.Range{Lower: journalKey(after + 1), Upper: journalKey(upTo + 1)})
}

func (s *snapshot) size(ctx context.Context, r kv.Range) (int64, error) {
	if err := s.enter(ctx, "size"); err != nil {
		return 0, err
	}
	defer s.calls.leave()
	if bytes.Compare(r.Lower, r.Upper) >= 0 {
		return 0, nil
	}
	n, err := s.engine.db.EstimateDiskUsage(r.Lower, r.Upper)
	return int64(n), wrap("size", err)
}
