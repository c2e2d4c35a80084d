package storage

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/clientele-go/clientele/storage/kv"
)

// Check has [Store.Verify] compare what a package derives by itself: it adds parts to a
// verification.
type Check func(*Verification) error

// Verification is the parts of one run of [Store.Verify], which all read one state and
// share the processor's cores. What they report comes in the order in which they were
// added, however they were run.
type Verification struct {
	ctx       context.Context
	reader    *Reader
	partBytes int64
	parts     []*verifyPart
	ends      []*verifyPart
	added     int
}

// verifyPart is a piece of a verification, run once in one goroutine.
type verifyPart struct {
	number int     // in the order of the report
	at     float64 // when it is run: parts of each kind are spread evenly from 0 to 1
	weight int     // of the progress
	name   string
	run    func(r *Reader, report *Report) error
	report Report
}

// A part is large enough to be worth a scan, and small enough that all cores have
// something to do, and progress moves, to the end.
const (
	minPartBytes = 1 << 20
	maxPartBytes = 32 << 20
	wantedParts  = 256
)

func newVerification(ctx context.Context, r *Reader) (*Verification, error) {
	v := &Verification{ctx: ctx, reader: r, partBytes: minPartBytes}
	size, err := kv.Size(ctx, r.snap, kv.Range{})
	v.partBytes = min(max(size/wantedParts, minPartBytes), maxPartBytes)
	return v, err
}

// Reader reads the state that is verified, while parts are added.
func (v *Verification) Reader() *Reader { return v.reader }

// Part adds a part: run is called once, beside others, with a reader that is good for the
// call. It must be done soon after the reader's context is.
func (v *Verification) Part(name string, run func(r *Reader, report *Report) error) {
	v.add(&verifyPart{name: name, run: run})
}

// Then adds what is run when all parts are done without an error: it compares what these
// found, and costs little unless there are differences to name.
func (v *Verification) Then(name string, run func(r *Reader, report *Report) error) {
	v.added++
	v.ends = append(v.ends, &verifyPart{name: name, number: v.added, run: run})
}

// Split adds a part for each of the ranges that a table's records are split into, of
// about as many bytes; each ends at the key of a record. run is as in Part.
func (v *Verification) Split(t AnyTable, run func(r *Reader, keys kv.Range, report *Report) error) error {
	space := []byte{spaceRecord, t.describe().id}
	ranges, err := v.ranges(kv.Prefix(space))
	if err != nil {
		return err
	}
	for i := 1; i < len(ranges); i++ {
		next, err := v.firstKey(ranges[i].Range)
		if err != nil {
			return err
		}
		ranges[i-1].Upper, ranges[i].Lower = next, next
	}
	for i := range ranges {
		keys := kv.Range{Lower: ranges[i].Lower[len(space):]}
		if i < len(ranges)-1 {
			keys.Upper = ranges[i].Upper[len(space):]
		}
		v.addSpread(t.Name(), i, ranges, func(r *Reader, report *Report) error { return run(r, keys, report) })
	}
	return nil
}

// firstKey is the first key of a range, its lower bound when it is empty.
func (v *Verification) firstKey(keys kv.Range) ([]byte, error) {
	for e, err := range v.reader.scan(keys, false) {
		return slices.Clone(e.Key), err
	}
	return keys.Lower, nil
}

// split adds a part for each of the ranges that a range of keys is split into.
func (v *Verification) split(name string, keys kv.Range, run func(r *Reader, keys kv.Range, report *Report) error) error {
	ranges, err := v.ranges(keys)
	if err != nil {
		return err
	}
	for i := range ranges {
		v.addSpread(name, i, ranges, func(r *Reader, report *Report) error { return run(r, ranges[i].Range, report) })
	}
	return nil
}

func (v *Verification) addSpread(name string, i int, ranges []sizedRange, run func(r *Reader, report *Report) error) {
	v.add(&verifyPart{name: name, run: run, weight: int(ranges[i].size >> 10), at: (float64(i) + 0.5) / float64(len(ranges))})
}

func (v *Verification) add(p *verifyPart) {
	v.added++
	p.number = v.added
	v.parts = append(v.parts, p)
}

// run runs all parts and what comes then, and puts their reports together.
func (v *Verification) run(report *Report, progress func(done, total int)) error {
	ahead := v.newAhead(progress)
	inOrder := slices.Clone(v.parts)
	slices.SortStableFunc(v.parts, func(a, b *verifyPart) int { return cmp.Compare(a.at, b.at) })
	err := v.each(v.parts, ahead)
	if err == nil {
		err = v.each(v.ends, nil)
	}
	all := append(inOrder, v.ends...)
	slices.SortFunc(all, func(a, b *verifyPart) int { return a.number - b.number })
	for _, p := range all {
		report.join(&p.report)
	}
	if err == nil {
		ahead.end()
	}
	return err
}

// each runs parts in as many goroutines as there are cores. The first error ends all.
func (v *Verification) each(parts []*verifyPart, ahead *ahead) error {
	ctx, cancel := context.WithCancelCause(v.ctx)
	defer cancel(nil)
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(parts)) {
		group.Go(func() {
			for i := next.Add(1); int(i) <= len(parts) && ctx.Err() == nil; i = next.Add(1) {
				p := parts[i-1]
				if err := v.one(ctx, p); err != nil {
					cancel(err)
					return
				}
				ahead.add(p.weight)
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// one runs a part. A panic, as of a table's own code on damaged bytes, ends the
// verification and not the program.
func (v *Verification) one(ctx context.Context, p *verifyPart) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &Error{Op: "verify", Table: p.name, Err: fmt.Errorf("panicked: %v\n%s", cause, debug.Stack())}
		}
	}()
	r := v.reader.Beside()
	if r == nil {
		return &Error{Op: "verify", Table: p.name, Err: ErrEnded}
	}
	r.ctx = ctx
	defer func() { r.ended = true }()
	if err := p.run(r, &p.report); err != nil {
		return &Error{Op: "verify", Table: p.name, Err: err}
	}
	return nil
}

// join adds what a later part found.
func (r *Report) join(p *Report) {
	r.Records += p.Records
	r.Versions += p.Versions
	r.IndexKeys += p.IndexKeys
	for _, d := range p.Differences {
		r.add(d)
	}
	r.More += p.More
}

// ahead tells how far a verification is: the weights of the parts that are done, and at
// the end one more. It calls progress from one goroutine at a time.
type ahead struct {
	mu          sync.Mutex
	done, total int
	progress    func(done, total int)
}

// newAhead weighs the parts. One of unknown size counts as much as a full one.
func (v *Verification) newAhead(progress func(done, total int)) *ahead {
	a := &ahead{total: 1, progress: progress}
	for _, p := range v.parts {
		if p.weight++; p.at == 0 {
			p.weight = int(v.partBytes >> 10)
		}
		a.total += p.weight
	}
	return a
}

func (a *ahead) add(weight int) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.done += weight
	if a.progress != nil {
		a.progress(a.done, a.total)
	}
}

func (a *ahead) end() { a.add(1) }

// sizedRange is a range of keys and about how many bytes it takes on disk.
type sizedRange struct {
	kv.Range
	size int64
}

// ranges splits a range into some of about equal size, neighbours and in order. Where
// sizes aren't known it stays whole.
func (v *Verification) ranges(keys kv.Range) ([]sizedRange, error) {
	size, err := kv.Size(v.ctx, v.reader.snap, keys)
	if err != nil {
		return nil, err
	}
	small, err := v.halve(nil, sizedRange{keys, size}, 0)
	if err != nil {
		return nil, err
	}
	ranges := small[:1]
	for _, next := range small[1:] {
		last := &ranges[len(ranges)-1]
		if last.size+next.size <= v.partBytes {
			last.Upper, last.size = next.Upper, last.size+next.size
			continue
		}
		ranges = append(ranges, next)
	}
	return ranges, nil
}

// mostHalvings bounds the search for a place to split at: one value may be larger than a part.
const mostHalvings = 128

// halve appends a range or, where it is too large, its halves.
func (v *Verification) halve(ranges []sizedRange, keys sizedRange, depth int) ([]sizedRange, error) {
	middle := between(keys.Lower, keys.Upper)
	if keys.size <= v.partBytes || middle == nil || depth == mostHalvings {
		return append(ranges, keys), nil
	}
	for _, half := range [2]kv.Range{{Lower: keys.Lower, Upper: middle}, {Lower: middle, Upper: keys.Upper}} {
		size, err := kv.Size(v.ctx, v.reader.snap, half)
		if err != nil {
			return nil, err
		}
		if ranges, err = v.halve(ranges, sizedRange{half, size}, depth+1); err != nil {
			return nil, err
		}
	}
	return ranges, nil
}

// between returns a key about halfway between two, nil when there is none. It reads keys
// as fractions in base 256.
func between(lower, upper []byte) []byte {
	if upper == nil {
		return nil
	}
	n := max(len(lower), len(upper)) + 1
	middle := make([]byte, n)
	carry := 0
	for i := n - 1; i >= 0; i-- {
		sum := digit(lower, i) + digit(upper, i) + carry
		middle[i], carry = byte(sum), sum>>8
	}
	for i := range middle {
		sum := carry<<8 + int(middle[i])
		middle[i], carry = byte(sum>>1), sum&1
	}
	middle = bytes.TrimRight(middle, "\x00")
	if bytes.Compare(middle, lower) <= 0 || bytes.Compare(middle, upper) >= 0 {
		return nil
	}
	return middle
}

func digit(key []byte, i int) int {
	if i < len(key) {
		return int(key[i])
	}
	return 0
}
