package lineage

import (
	"maps"
	"slices"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
)

var rowKeyCodec = storage.KeyCodec[rowKey]{
	Append: func(dst storage.Key, k rowKey) storage.Key { return dst.Uint(k.survivor).Uint(k.loser) },
	Decode: func(key storage.Key) (k rowKey, err error) {
		survivor, rest, err := key.CutUint()
		if err != nil {
			return k, err
		}
		loser, _, err := rest.CutUint()
		return rowKey{survivor, loser}, err
	},
}

// row is a survivor's lineage or, under a loser, its gift.
type row struct {
	lineage Lineage
	gift    Gift
}

// The fields of a stored row and of an edit in it.
const (
	rowMerges   = 1 // so far, and of a gift its number
	rowElements = 2 // of a gift
	rowOwn      = 3
	rowLeft     = 4
	rowEdit     = 5

	editElement = 1
	editMerges  = 2
)

func appendRow(dst []byte, x *row) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.Uint(rowMerges, x.lineage.merges+x.gift.merge) // one of them is 0
	w.String(rowElements, x.gift.Elements)
	w.String(rowOwn, x.lineage.Own)
	w.String(rowLeft, x.lineage.Left)
	for _, element := range slices.Sorted(maps.Keys(x.lineage.edited)) {
		mark := w.Begin(rowEdit)
		w.String(editElement, element)
		w.Uint(editMerges, x.lineage.edited[element])
		w.End(mark)
	}
	w.Raw(x.lineage.rest + x.gift.rest)
	return w.Buf, nil
}

func decodeRow(src string, key rowKey, _ storage.Meta) (*row, error) {
	x := &row{}
	l := &x.lineage
	r := record.NewReader(src)
	for r.Next() {
		switch r.Field() {
		case rowMerges:
			l.merges = r.Uint()
		case rowElements:
			x.gift.Elements = r.String()
		case rowOwn:
			l.Own = r.String()
		case rowLeft:
			l.Left = r.String()
		case rowEdit:
			l.readEdit(&r)
		default:
			r.Skip()
		}
	}
	l.rest = r.Unknown()
	if key.loser != 0 {
		x.gift.Loser, x.gift.merge, x.gift.rest = key.loser, l.merges, l.rest
		x.lineage = Lineage{}
	}
	return x, r.Err()
}

func (l *Lineage) readEdit(outer *record.Reader) {
	var element string
	var merges uint64
	r := record.NewReader(outer.String())
	for r.Next() {
		switch r.Field() {
		case editElement:
			element = r.String()
		case editMerges:
			merges = r.Uint()
		default:
			r.Skip()
		}
	}
	if r.Err() != nil {
		outer.Fail(r.Err())
		return
	}
	if l.edited == nil {
		l.edited = map[string]uint64{}
	}
	l.edited[element] = merges
}
