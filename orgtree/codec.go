package orgtree

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
)

// The stored unit's fields. A number is never used again for another meaning.
const (
	unitCodeField  = 1
	unitName       = 2 // 1 language, 2 text
	unitKind       = 3
	unitMove       = 4 // 1 from, 2 parent
	unitClosed     = 5
	unitMergedInto = 6
	unitSharing    = 7 // 1 kind of data + 1, 2 policy
	unitQuota      = 8
	unitRepQuota   = 9

	treeVersion = 1
	treeRecent  = 2
	treeLatest  = 3
)

// writeTime writes an instant to the microsecond; the zero time is left out.
func writeTime(w *record.Writer, field int, t time.Time) {
	if t.IsZero() {
		return
	}
	micro := t.UnixMicro()
	if micro >= 0 {
		micro++ // since 0 is left out too
	}
	w.Int(field, micro)
}

func readTime(r *record.Reader) time.Time {
	micro := r.Int()
	if micro > 0 {
		micro--
	}
	return time.UnixMicro(micro).UTC()
}

func appendUnit(dst []byte, u *Unit) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.String(unitCodeField, u.Code)
	for _, language := range slices.Sorted(maps.Keys(u.Names)) {
		mark := w.Begin(unitName)
		w.String(1, language)
		w.String(2, u.Names[language])
		w.End(mark)
	}
	w.Uint(unitKind, uint64(u.Kind))
	for _, m := range u.Moves {
		mark := w.Begin(unitMove)
		writeTime(&w, 1, m.From)
		w.Uint(2, uint64(m.Parent))
		w.End(mark)
	}
	writeTime(&w, unitClosed, u.Closed)
	w.Uint(unitMergedInto, uint64(u.MergedInto))
	for d, p := range u.Sharing {
		if p != Inherit {
			mark := w.Begin(unitSharing)
			w.Uint(1, uint64(d)+1)
			w.Uint(2, uint64(p))
			w.End(mark)
		}
	}
	w.Int(unitQuota, u.Quota)
	w.Int(unitRepQuota, u.RepQuota)
	w.Raw(u.rest)
	return w.Buf, nil
}

func decodeUnit(src string, id customer.UnitID, m storage.Meta) (*Unit, error) {
	u := &Unit{ID: id, Version: m.Version, Recorded: m.Recorded, Actor: m.Actor, Reason: m.Reason}
	r := record.NewReader(src)
	for r.Next() {
		u.readField(&r)
	}
	u.rest = r.Unknown()
	if len(u.Moves) > 0 {
		u.Opened = u.Moves[0].From
	}
	return u, r.Err()
}

func (u *Unit) readField(r *record.Reader) {
	switch r.Field() {
	case unitCodeField:
		u.Code = r.String()
	case unitName:
		var language, name string
		readNested(r, func(n *record.Reader) { readInto(n, &language, &name) })
		if u.Names == nil {
			u.Names = customer.Names{}
		}
		u.Names[language] = name
	case unitKind:
		u.Kind = Kind(r.Uint())
	case unitMove:
		u.Moves = append(u.Moves, readMove(r))
	case unitClosed:
		u.Closed = readTime(r)
	case unitMergedInto:
		u.MergedInto = customer.UnitID(r.Uint())
	case unitSharing:
		var pair [2]uint64
		readNested(r, func(n *record.Reader) { readNumbers(n, pair[:]) })
		if d := pair[0] - 1; d < uint64(dataKinds) {
			u.Sharing[d] = Policy(pair[1])
		}
	case unitQuota:
		u.Quota = r.Int()
	case unitRepQuota:
		u.RepQuota = r.Int()
	default:
		r.Skip()
	}
}

func readMove(r *record.Reader) (m Move) {
	readNested(r, func(n *record.Reader) {
		switch n.Field() {
		case 1:
			m.From = readTime(n)
		case 2:
			m.Parent = customer.UnitID(n.Uint())
		default:
			n.Skip()
		}
	})
	return m
}

// readNested calls f for each field of a nested record and returns the raw fields that
// f skipped.
func readNested(outer *record.Reader, f func(*record.Reader)) (rest string) {
	r := record.NewReader(outer.String())
	for r.Next() {
		f(&r)
	}
	if r.Err() != nil {
		outer.Fail(r.Err())
	}
	return r.Unknown()
}

// readInto reads field 1, 2, … into texts.
func readInto(r *record.Reader, texts ...*string) {
	if i := r.Field() - 1; i < len(texts) {
		*texts[i] = r.String()
	} else {
		r.Skip()
	}
}

// readNumbers reads field 1, 2, … into numbers.
func readNumbers(r *record.Reader, numbers []uint64) {
	if i := r.Field() - 1; i < len(numbers) {
		numbers[i] = r.Uint()
	} else {
		r.Skip()
	}
}

func appendTreeState(dst []byte, s *treeState) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.Uint(treeVersion, s.Version)
	w.String(treeRecent, s.Recent)
	writeTime(&w, treeLatest, s.Latest)
	return w.Buf, nil
}

func decodeTreeState(src string, _ string, _ storage.Meta) (*treeState, error) {
	s := &treeState{}
	r := record.NewReader(src)
	for r.Next() {
		switch r.Field() {
		case treeVersion:
			s.Version = r.Uint()
		case treeRecent:
			s.Recent = r.String()
		case treeLatest:
			s.Latest = readTime(&r)
		default:
			r.Skip()
		}
	}
	if len(s.Recent)%changeBytes != 0 {
		r.Fail(fmt.Errorf("changes of %d bytes", len(s.Recent)))
	}
	return s, r.Err()
}

// The stored placement's fields, and those of its nested records.
const (
	placementTeam       = 1
	placementAssignment = 2
	placementOverlay    = 3

	assignmentUnit  = 1
	assignmentFrom  = 2
	assignmentUntil = 3
	assignmentRep   = 4
	assignmentTeam  = 5
	assignmentLive  = 6

	overlayUnit   = 1
	overlayRep    = 2
	overlayTerms  = 3
	overlayLimit  = 4 // 1 amount, 2 currency
	overlayCode   = 5
	overlayNote   = 6
	limitAmount   = 1
	limitCurrency = 2
	quotaMaximum  = 1
)

func appendPlacement(dst []byte, p *Placement) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.Uint(placementTeam, uint64(p.Team))
	for i := range p.Assignments {
		appendAssignment(&w, &p.Assignments[i])
	}
	for i := range p.Overlays {
		appendOverlay(&w, &p.Overlays[i])
	}
	w.Raw(p.rest)
	return w.Buf, nil
}

func appendAssignment(w *record.Writer, a *Assignment) {
	mark := w.Begin(placementAssignment)
	w.Uint(assignmentUnit, uint64(a.Unit))
	writeTime(w, assignmentFrom, a.From)
	writeTime(w, assignmentUntil, a.Until)
	w.String(assignmentRep, a.Rep)
	w.Uint(assignmentTeam, uint64(a.Team))
	if a.live {
		w.Uint(assignmentLive, 1)
	}
	w.Raw(a.rest)
	w.End(mark)
}

func appendOverlay(w *record.Writer, o *Overlay) {
	mark := w.Begin(placementOverlay)
	w.Uint(overlayUnit, uint64(o.Unit))
	w.String(overlayRep, o.Rep)
	w.String(overlayTerms, o.Terms)
	if o.Limit != nil {
		inner := w.Begin(overlayLimit)
		w.Int(limitAmount, o.Limit.Amount)
		w.String(limitCurrency, o.Limit.Currency)
		w.End(inner)
	}
	w.String(overlayCode, o.LocalCode)
	w.String(overlayNote, o.Note)
	w.Raw(o.rest)
	w.End(mark)
}

func decodePlacement(src string, id customer.ID, m storage.Meta) (*Placement, error) {
	p := &Placement{Customer: id, Version: m.Version, Recorded: m.Recorded, Actor: m.Actor, Reason: m.Reason}
	r := record.NewReader(src)
	for r.Next() {
		switch r.Field() {
		case placementTeam:
			p.Team = customer.UnitID(r.Uint())
		case placementAssignment:
			a := Assignment{}
			a.rest = readNested(&r, a.readField)
			p.Assignments = append(p.Assignments, a)
		case placementOverlay:
			o := Overlay{}
			o.rest = readNested(&r, o.readField)
			p.Overlays = append(p.Overlays, o)
		default:
			r.Skip()
		}
	}
	p.rest = r.Unknown()
	return p, r.Err()
}

func (a *Assignment) readField(r *record.Reader) {
	switch r.Field() {
	case assignmentUnit:
		a.Unit = customer.UnitID(r.Uint())
	case assignmentFrom:
		a.From = readTime(r)
	case assignmentUntil:
		a.Until = readTime(r)
	case assignmentRep:
		a.Rep = r.String()
	case assignmentTeam:
		a.Team = customer.UnitID(r.Uint())
	case assignmentLive:
		a.live = r.Uint() != 0
	default:
		r.Skip()
	}
}

func (o *Overlay) readField(r *record.Reader) {
	switch r.Field() {
	case overlayUnit:
		o.Unit = customer.UnitID(r.Uint())
	case overlayRep:
		o.Rep = r.String()
	case overlayTerms:
		o.Terms = r.String()
	case overlayLimit:
		o.Limit = readLimit(r)
	case overlayCode:
		o.LocalCode = r.String()
	case overlayNote:
		o.Note = r.String()
	default:
		r.Skip()
	}
}

func readLimit(r *record.Reader) *Limit {
	l := &Limit{}
	readNested(r, func(n *record.Reader) {
		switch n.Field() {
		case limitAmount:
			l.Amount = n.Int()
		case limitCurrency:
			l.Currency = n.String()
		default:
			n.Skip()
		}
	})
	return l
}

func appendRepQuota(dst []byte, q *repQuota) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.Int(quotaMaximum, q.Max)
	return w.Buf, nil
}

func decodeRepQuota(src string, _ string, _ storage.Meta) (*repQuota, error) {
	q := &repQuota{}
	r := record.NewReader(src)
	for r.Next() {
		if r.Field() == quotaMaximum {
			q.Max = r.Int()
		} else {
			r.Skip()
		}
	}
	return q, r.Err()
}
