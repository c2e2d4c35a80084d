package kvtest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/clientele-go/clientele/storage/kv"
)

// What a failure prints is cut to these lengths.
const (
	quotedBytes = 48
	listedItems = 24
)

func quote[S string | []byte](s S) string {
	text := string(s)
	if len(text) <= quotedBytes {
		return strconv.Quote(text)
	}
	return fmt.Sprintf("%q… (%d bytes)", text[:quotedBytes], len(text))
}

func describeStrings(list []string) string {
	var parts []string
	for i, s := range list {
		if i == listedItems {
			break
		}
		parts = append(parts, quote(s))
	}
	text := "[" + strings.Join(parts, " ") + "]"
	if len(list) > listedItems {
		text += fmt.Sprintf(" and %d more", len(list)-listedItems)
	}
	return text
}

func describeRange(r kv.Range) string {
	if string(r.Upper) == string(r.Lower)+"\x00" {
		return quote(r.Lower)
	}
	if r.Upper == nil {
		return fmt.Sprintf("[%s, ∞)", quote(r.Lower))
	}
	return fmt.Sprintf("[%s, %s)", quote(r.Lower), quote(r.Upper))
}

func describeScan(r kv.Range, reverse bool) string {
	if reverse {
		return "reverse Scan " + describeRange(r)
	}
	return "Scan " + describeRange(r)
}

func describeOp(o kv.Op) string {
	switch o.Kind {
	case kv.Set:
		return fmt.Sprintf("set %s=%s", quote(o.Key), describeValue(o.Key, o.Value))
	case kv.Delete:
		return "delete " + quote(o.Key)
	default:
		return fmt.Sprintf("merge %s %s", quote(o.Key), describeDelta(o.Value))
	}
}

func describeValue(key, raw []byte) string {
	value, err := normal(string(key), raw)
	if err != nil {
		return quote(raw)
	}
	return quote(value)
}

func describeDelta(delta []byte) string {
	if n, err := kv.Counter(delta); err == nil {
		return fmt.Sprintf("%+d", n)
	}
	value, err := kv.Fold(nil, delta, true)
	if err != nil {
		return quote(delta)
	}
	return fmt.Sprintf("members %s, %d bytes", describeValue([]byte{bitmapClass}, value), len(delta))
}

func describeOps(list []kv.Op) string {
	var parts []string
	for i, o := range list {
		if i == listedItems {
			parts = append(parts, fmt.Sprintf("… %d more", len(list)-i))
			break
		}
		parts = append(parts, describeOp(o))
	}
	return strings.Join(parts, ", ")
}

func describeBatch(b *kv.Batch) string {
	parts := []string{"apply {" + describeOps(b.Ops()) + "}"}
	if len(b.Reads) > 0 {
		var ranges []string
		for _, r := range b.Reads {
			ranges = append(ranges, describeRange(r))
		}
		parts = append(parts, fmt.Sprintf("if unchanged since %d: %s", b.Since, strings.Join(ranges, " ")))
	}
	if b.Journal != nil {
		parts = append(parts, "journal "+quote(b.Journal))
	}
	if b.ID != (kv.BatchID{}) {
		parts = append(parts, fmt.Sprintf("id %x", b.ID))
	}
	if b.Durability == kv.Relaxed {
		parts = append(parts, "relaxed")
	}
	return strings.Join(parts, "; ")
}

func describeLoad(l *kv.Load) string {
	var parts []string
	for _, r := range l.Runs {
		if r.Len() == 0 {
			parts = append(parts, "empty run")
			continue
		}
		parts = append(parts, fmt.Sprintf("run of %d keys %s … %s", r.Len(), quote(r.Key(0)), quote(r.Key(r.Len()-1))))
	}
	if len(l.Merges) > 0 {
		parts = append(parts, describeOps(l.Merges))
	}
	return fmt.Sprintf("ingest {%s} since %d; %d journal entries", strings.Join(parts, ", "), l.Since, len(l.Journal))
}

func outcome(what string, at kv.Position, err error) string {
	if err != nil {
		return fmt.Sprintf("%s → %v", what, err)
	}
	return fmt.Sprintf("%s → %d", what, at)
}

// name is the name of one of package kv's errors.
func name(err error) string {
	switch err {
	case kv.ErrConflict:
		return "ErrConflict"
	case kv.ErrLimit:
		return "ErrLimit"
	case kv.ErrInvalid:
		return "ErrInvalid"
	}
	return err.Error()
}
