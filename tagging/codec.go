package tagging

import (
	"maps"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
)

// The stored records' fields. A number is never used again for another meaning.
const (
	dimensionCode        = 1
	dimensionName        = 2
	dimensionDescription = 3
	dimensionColour      = 4
	dimensionExclusive   = 5
	dimensionOrdered     = 6
	dimensionTree        = 7
	dimensionRequired    = 8
	dimensionRuleWins    = 9
	dimensionValidDays   = 10
	dimensionRetired     = 11
	dimensionUnsettled   = 12

	tagDimension   = 1
	tagCode        = 2
	tagAlias       = 3
	tagParent      = 4
	tagRank        = 5
	tagName        = 6
	tagDescription = 7
	tagColour      = 8
	tagUntil       = 9
	tagRetired     = 10
	tagMergedInto  = 11
	tagUnsettled   = 12

	taggedAssignment = 1

	assignmentTag         = 1
	assignmentDimension   = 2
	assignmentOrigin      = 3
	assignmentState       = 4
	assignmentRuleSet     = 5
	assignmentRule        = 6
	assignmentRuleVersion = 7
	assignmentPriority    = 8
	assignmentReason      = 9
	assignmentActor       = 10
	assignmentAssigned    = 11
	assignmentFrom        = 12
	assignmentUntil       = 13

	segmentFilter      = 1
	segmentTitle       = 2
	segmentDescription = 3

	nameLanguage = 1
	nameText     = 2
)

func appendFlag(w *record.Writer, field int, set bool) {
	if set {
		w.Uint(field, 1)
	}
}

// appendSecond writes an instant in whole seconds; the zero time is left out. The
// seconds are counted from a second before 1970, so that 1970 itself is kept.
func appendSecond(w *record.Writer, field int, t time.Time) {
	if !t.IsZero() {
		w.Int(field, t.Unix()+1)
	}
}

func readSecond(r *record.Reader) time.Time { return time.Unix(r.Int()-1, 0).UTC() }

func appendNames(w *record.Writer, field int, names customer.Names) {
	for _, key := range slices.Sorted(maps.Keys(names)) {
		mark := w.Begin(field)
		w.String(nameLanguage, key)
		w.String(nameText, names[key])
		w.End(mark)
	}
}

func readName(outer *record.Reader, names *customer.Names) {
	var key, text string
	r := record.NewReader(outer.String())
	for r.Next() {
		switch r.Field() {
		case nameLanguage:
			key = r.String()
		case nameText:
			text = r.String()
		default:
			r.Skip()
		}
	}
	if r.Err() != nil {
		outer.Fail(r.Err())
		return
	}
	if *names == nil {
		*names = customer.Names{}
	}
	(*names)[key] = text
}

func appendDimension(dst []byte, d *Dimension) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.String(dimensionCode, d.Code)
	appendNames(&w, dimensionName, d.Names)
	w.String(dimensionDescription, d.Description)
	w.String(dimensionColour, d.Colour)
	appendFlag(&w, dimensionExclusive, d.Exclusive)
	appendFlag(&w, dimensionOrdered, d.Ordered)
	appendFlag(&w, dimensionTree, d.Tree)
	appendFlag(&w, dimensionRequired, d.Required)
	appendFlag(&w, dimensionRuleWins, d.RuleWins)
	w.Int(dimensionValidDays, int64(d.ValidDays))
	appendFlag(&w, dimensionRetired, d.Retired)
	appendFlag(&w, dimensionUnsettled, d.unsettled)
	w.Raw(d.rest)
	return w.Buf, nil
}

func decodeDimension(src string, id DimensionID, m storage.Meta) (*Dimension, error) {
	d := &Dimension{ID: id, Version: m.Version, Recorded: m.Recorded, Actor: m.Actor, Reason: m.Reason}
	r := record.NewReader(src)
	for r.Next() {
		switch r.Field() {
		case dimensionCode:
			d.Code = r.String()
		case dimensionName:
			readName(&r, &d.Names)
		case dimensionDescription:
			d.Description = r.String()
		case dimensionColour:
			d.Colour = r.String()
		case dimensionValidDays:
			d.ValidDays = int(r.Int())
		default:
			if flag := d.flag(r.Field()); flag != nil {
				*flag = r.Uint() != 0
			} else {
				r.Skip()
			}
		}
	}
	d.rest = r.Unknown()
	return d, r.Err()
}

func (d *Dimension) flag(field int) *bool {
	switch field {
	case dimensionExclusive:
		return &d.Exclusive
	case dimensionOrdered:
		return &d.Ordered
	case dimensionTree:
		return &d.Tree
	case dimensionRequired:
		return &d.Required
	case dimensionRuleWins:
		return &d.RuleWins
	case dimensionRetired:
		return &d.Retired
	case dimensionUnsettled:
		return &d.unsettled
	}
	return nil
}

func appendTag(dst []byte, t *Tag) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.Uint(tagDimension, uint64(t.Dimension))
	w.String(tagCode, t.Code)
	for _, alias := range t.Aliases {
		w.Text(tagAlias, alias)
	}
	w.Uint(tagParent, uint64(t.Parent))
	w.Int(tagRank, int64(t.Rank))
	appendNames(&w, tagName, t.Names)
	w.String(tagDescription, t.Description)
	w.String(tagColour, t.Colour)
	appendSecond(&w, tagUntil, t.Until)
	appendFlag(&w, tagRetired, t.Retired)
	w.Uint(tagMergedInto, uint64(t.MergedInto))
	appendFlag(&w, tagUnsettled, t.unsettled)
	w.Raw(t.rest)
	return w.Buf, nil
}

func decodeTag(src string, id TagID, m storage.Meta) (*Tag, error) {
	t := &Tag{ID: id, Version: m.Version, Recorded: m.Recorded, Actor: m.Actor, Reason: m.Reason}
	r := record.NewReader(src)
	for r.Next() {
		switch r.Field() {
		case tagDimension:
			t.Dimension = DimensionID(r.Uint())
		case tagCode:
			t.Code = r.String()
		case tagAlias:
			t.Aliases = append(t.Aliases, r.String())
		case tagParent:
			t.Parent = TagID(r.Uint())
		case tagRank:
			t.Rank = int(r.Int())
		case tagName:
			readName(&r, &t.Names)
		case tagDescription:
			t.Description = r.String()
		case tagColour:
			t.Colour = r.String()
		case tagUntil:
			t.Until = readSecond(&r)
		case tagRetired:
			t.Retired = r.Uint() != 0
		case tagMergedInto:
			t.MergedInto = TagID(r.Uint())
		case tagUnsettled:
			t.unsettled = r.Uint() != 0
		default:
			r.Skip()
		}
	}
	t.rest = r.Unknown()
	return t, r.Err()
}

func appendTagged(dst []byte, t *Tagged) ([]byte, error) {
	w := record.Writer{Buf: dst}
	for i := range t.Assignments {
		appendAssignment(&w, &t.Assignments[i])
	}
	w.Raw(t.rest)
	return w.Buf, nil
}

func appendAssignment(w *record.Writer, a *Assignment) {
	mark := w.Begin(taggedAssignment)
	w.Uint(assignmentTag, uint64(a.Tag))
	w.Uint(assignmentDimension, uint64(a.Dimension))
	w.Uint(assignmentOrigin, uint64(a.Origin))
	w.Uint(assignmentState, uint64(a.State))
	w.String(assignmentRuleSet, a.RuleSet)
	w.String(assignmentRule, a.Rule)
	w.Uint(assignmentRuleVersion, a.RuleVersion)
	w.Int(assignmentPriority, int64(a.Priority))
	w.String(assignmentReason, a.Reason)
	w.String(assignmentActor, a.Actor)
	w.Int(assignmentAssigned, a.Assigned.UnixMicro())
	appendSecond(w, assignmentFrom, a.From)
	appendSecond(w, assignmentUntil, a.Until)
	w.Raw(a.rest)
	w.End(mark)
}

// decodedTags is a record together with room for the usual number of assignments, so
// that reading one costs a single allocation beside its bytes.
type decodedTags struct {
	tagged Tagged
	room   [4]Assignment
}

func decodeTagged(src string, id customer.ID, m storage.Meta) (*Tagged, error) {
	d := &decodedTags{}
	t := &d.tagged
	t.ID, t.Version, t.Recorded, t.Actor, t.Reason = id, m.Version, m.Recorded, m.Actor, m.Reason
	t.Assignments = d.room[:0]
	r := record.NewReader(src)
	for r.Next() {
		if r.Field() != taggedAssignment {
			r.Skip()
			continue
		}
		t.Assignments = append(t.Assignments, Assignment{})
		readAssignment(&r, &t.Assignments[len(t.Assignments)-1])
	}
	t.Assignments = slices.Clip(t.Assignments)
	t.rest = r.Unknown()
	return t, r.Err()
}

func readAssignment(outer *record.Reader, a *Assignment) {
	a.Assigned = time.UnixMicro(0).UTC() // what the left-out zero stands for
	r := record.NewReader(outer.String())
	for r.Next() {
		switch r.Field() {
		case assignmentTag:
			a.Tag = TagID(r.Uint())
		case assignmentDimension:
			a.Dimension = DimensionID(r.Uint())
		case assignmentOrigin:
			a.Origin = Origin(r.Uint())
		case assignmentState:
			a.State = State(r.Uint())
		case assignmentRuleSet:
			a.RuleSet = r.String()
		case assignmentRule:
			a.Rule = r.String()
		case assignmentRuleVersion:
			a.RuleVersion = r.Uint()
		case assignmentPriority:
			a.Priority = int(r.Int())
		case assignmentReason:
			a.Reason = r.String()
		case assignmentActor:
			a.Actor = r.String()
		case assignmentAssigned:
			a.Assigned = time.UnixMicro(r.Int()).UTC()
		case assignmentFrom:
			a.From = readSecond(&r)
		case assignmentUntil:
			a.Until = readSecond(&r)
		default:
			r.Skip()
		}
	}
	if r.Err() != nil {
		outer.Fail(r.Err())
	}
	a.rest = r.Unknown()
}

func appendSegment(dst []byte, s *Segment) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.String(segmentFilter, s.Filter)
	appendNames(&w, segmentTitle, s.Names)
	w.String(segmentDescription, s.Description)
	w.Raw(s.rest)
	return w.Buf, nil
}

func decodeSegment(src string, name string, m storage.Meta) (*Segment, error) {
	s := &Segment{Name: name, Version: m.Version, Recorded: m.Recorded, Actor: m.Actor, Reason: m.Reason}
	r := record.NewReader(src)
	for r.Next() {
		switch r.Field() {
		case segmentFilter:
			s.Filter = r.String()
		case segmentTitle:
			readName(&r, &s.Names)
		case segmentDescription:
			s.Description = r.String()
		default:
			r.Skip()
		}
	}
	s.rest = r.Unknown()
	return s, r.Err()
}
