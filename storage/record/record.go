package record

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrMalformed is wrapped by every decoding error.
var ErrMalformed = errors.New("malformed record")

const (
	typeUint  = 0
	typeBytes = 1
)

// Writer appends fields to Buf. The zero Writer is ready to use. It is not safe
// for concurrent use.
type Writer struct{ Buf []byte }

// Uint writes an unsigned number; zero is left out.
func (w *Writer) Uint(field int, v uint64) {
	if v != 0 {
		w.tag(field, typeUint)
		w.Buf = binary.AppendUvarint(w.Buf, v)
	}
}

// Int writes a signed number; zero is left out.
func (w *Writer) Int(field int, v int64) {
	w.Uint(field, uint64(v)<<1^uint64(v>>63))
}

// String writes a text; the empty one is left out.
func (w *Writer) String(field int, s string) {
	if s != "" {
		w.Text(field, s)
	}
}

// Text writes a text even when it is empty, for elements of lists.
func (w *Writer) Text(field int, s string) {
	w.tag(field, typeBytes)
	w.Buf = binary.AppendUvarint(w.Buf, uint64(len(s)))
	w.Buf = append(w.Buf, s...)
}

// Bytes writes bytes; none are left out.
func (w *Writer) Bytes(field int, b []byte) {
	if len(b) > 0 {
		w.tag(field, typeBytes)
		w.Buf = binary.AppendUvarint(w.Buf, uint64(len(b)))
		w.Buf = append(w.Buf, b...)
	}
}

// Raw puts back fields that [Reader.Unknown] kept.
func (w *Writer) Raw(fields string) { w.Buf = append(w.Buf, fields...) }

// Begin opens a nested record, whose fields follow until End gets the result.
func (w *Writer) Begin(field int) (mark int) {
	w.tag(field, typeBytes)
	w.Buf = append(w.Buf, 0) // the length, when it fits one byte
	return len(w.Buf)
}

// End closes the nested record that Begin opened.
func (w *Writer) End(mark int) {
	n := len(w.Buf) - mark
	if n < 0x80 {
		w.Buf[mark-1] = byte(n)
		return
	}
	var length [binary.MaxVarintLen64]byte
	size := binary.PutUvarint(length[:], uint64(n))
	w.Buf = append(w.Buf, length[:size-1]...) // room
	copy(w.Buf[mark-1+size:], w.Buf[mark:mark+n])
	copy(w.Buf[mark-1:], length[:size])
}

func (w *Writer) tag(field, typ int) {
	w.Buf = binary.AppendUvarint(w.Buf, uint64(field)<<1|uint64(typ))
}

// Reader walks through the fields of a record. Texts that it returns share src's
// memory.
//
//	r := record.NewReader(src)
//	for r.Next() {
//		switch r.Field() {
//		case 1:
//			c.Name = r.String()
//		default:
//			r.Skip()
//		}
//	}
//	c.unknown = r.Unknown()
//	return r.Err()
type Reader struct {
	src     string
	at      int // of the next tag
	start   int // of the current field's tag
	field   int
	typ     int
	number  uint64
	text    string
	unknown string
	err     error
}

// NewReader returns a reader of src.
func NewReader(src string) Reader { return Reader{src: src} }

// Next moves to the next field. It returns false at the end and on an error.
func (r *Reader) Next() bool {
	if r.err != nil || r.at == len(r.src) {
		return false
	}
	r.start = r.at
	tag := r.uvarint()
	if tag>>1 == 0 || tag>>1 > 1<<29 {
		r.fail("field number")
		return false
	}
	r.field, r.typ = int(tag>>1), int(tag&1)
	r.number, r.text = r.uvarint(), ""
	if r.typ == typeBytes && r.err == nil {
		if r.number > uint64(len(r.src)-r.at) {
			r.fail("length")
			return false
		}
		r.text = r.src[r.at : r.at+int(r.number)]
		r.at += int(r.number)
	}
	return r.err == nil
}

// Field is the current field's number.
func (r *Reader) Field() int { return r.field }

// Uint returns the current field as an unsigned number.
func (r *Reader) Uint() uint64 {
	if r.typ != typeUint {
		r.fail("type: number wanted")
		return 0
	}
	return r.number
}

// Int returns the current field as a signed number.
func (r *Reader) Int() int64 {
	n := r.Uint()
	return int64(n>>1) ^ -int64(n&1)
}

// String returns the current field as text, or the bytes of a nested record.
func (r *Reader) String() string {
	if r.typ != typeBytes {
		r.fail("type: bytes wanted")
	}
	return r.text
}

// Skip keeps the current field's raw bytes among the unknown ones.
func (r *Reader) Skip() { r.unknown += r.src[r.start:r.at] }

// Unknown returns the raw bytes of all skipped fields.
func (r *Reader) Unknown() string { return r.unknown }

// Err returns the first error, which wraps [ErrMalformed] and tells where.
func (r *Reader) Err() error { return r.err }

// Fail records err, for a value that makes no sense to the caller.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: field %d at byte %d: %w", ErrMalformed, r.field, r.start, err)
	}
}

func (r *Reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: field %d at byte %d: bad %s", ErrMalformed, r.field, r.start, what)
	}
	r.at = len(r.src)
}

func (r *Reader) uvarint() uint64 {
	if r.at < len(r.src) && r.src[r.at] < 0x80 { // most tags and lengths
		r.at++
		return uint64(r.src[r.at-1])
	}
	return r.longUvarint()
}

func (r *Reader) longUvarint() uint64 {
	var n uint64
	for shift := 0; r.at < len(r.src) && shift < 64; shift += 7 {
		b := r.src[r.at]
		r.at++
		if shift == 63 && b > 1 {
			break
		}
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
	r.fail("number")
	return 0
}
