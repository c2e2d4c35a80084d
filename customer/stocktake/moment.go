package stocktake

import (
	"context"
	"iter"
	"time"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// slack is how many entries may stand in the journal out of the order of their times, those of one
// time as one: transactions that ran at once, and the parts of a load, which all have the
// time at which it began.
const slack = 256

// moments are the times of the entries after a position, as [storage.Store.Times] yields them.
type moments func(ctx context.Context, after kv.Position) iter.Seq2[storage.Moment, error]

// positionAt returns the position of the state at an instant: the last entry before the
// first with a later time.
func (times moments) positionAt(ctx context.Context, at time.Time, end kv.Position) (kv.Position, error) {
	first, err := search(end, func(p kv.Position) (bool, error) { return times.isLater(ctx, p, at) })
	for err == nil {
		var earlier kv.Position
		if earlier, err = times.laterBefore(ctx, first, at); earlier == 0 {
			return first - 1, err
		}
		first = earlier
	}
	return 0, err
}

// laterBefore looks back over what is out of order, and returns an entry before first with a later
// time, 0 for none.
func (times moments) laterBefore(ctx context.Context, first kv.Position, at time.Time) (kv.Position, error) {
	var last time.Time
	for seen, from := 0, first; from > 1 && seen < slack; {
		to := from
		from -= min(from-1, slack)
		for entry, err := range times(ctx, from-1) {
			if err != nil {
				return 0, err
			}
			if entry.Position >= to {
				break
			}
			if entry.Time.After(at) {
				return entry.Position, nil
			}
			if !entry.Time.Equal(last) {
				last = entry.Time
				seen++
			}
		}
	}
	return 0, nil
}

// search returns the first position from 1 to end for which is holds, end+1 for none.
func search(end kv.Position, is func(kv.Position) (bool, error)) (kv.Position, error) {
	low, high := kv.Position(1), end+1
	for low < high {
		middle := low + (high-low)/2
		yes, err := is(middle)
		if err != nil {
			return 0, err
		}
		if yes {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low, nil
}

func (times moments) isLater(ctx context.Context, p kv.Position, at time.Time) (later bool, err error) {
	for entry, err := range times(ctx, p-1) {
		return entry.Time.After(at), err
	}
	return true, nil // not durable yet, so just now
}
