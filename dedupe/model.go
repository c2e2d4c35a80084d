package dedupe

import (
	"fmt"
	"math"
	"time"

	"github.com/clientele-go/clientele/dedupe/match"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// ModelVersion is a trained match model of the book. Versions count from 1; the last is
// in use.
type ModelVersion struct {
	Version  uint64
	Records  int // customers that it was trained from
	Parts    int // that it is stored in
	Recorded time.Time
	Actor    string
	Reason   string

	rest string
}

// modelPart is one piece of a stored model.
type modelPart struct{ bytes []byte }

// partKey numbers the pieces of a version from 0.
type partKey struct{ version, part uint64 }

var partKeyCodec = storage.KeyCodec[partKey]{
	Append: func(dst storage.Key, k partKey) storage.Key { return dst.Uint(k.version).Uint(k.part) },
	Decode: func(key storage.Key) (k partKey, err error) {
		version, rest, err := key.CutUint()
		if err != nil {
			return k, err
		}
		part, _, err := rest.CutUint()
		return partKey{version, part}, err
	},
}

// partBytes bounds a piece of a stored model.
const partBytes = 256 << 10

// loaded is a model in memory.
type loaded struct {
	version uint64 // 0 for the starter
	model   *match.Model
}

// ModelVersion returns the version in use, or an error that wraps ErrNoModel.
func (r *Reader) ModelVersion() (*ModelVersion, error) {
	for v, err := range r.store.models.Records(r.storage, kv.Range{}, true) {
		return v, err
	}
	return nil, &Error{Op: "read model", Remedy: "run once over the book", Err: ErrNoModel}
}

// Model returns the match model in use: the last that was trained, or else one that has
// learned nothing from this book. It is cached, and shared by all.
func (r *Reader) Model() (*match.Model, error) { return r.model() }

func (r *Reader) model() (*match.Model, error) {
	v := &ModelVersion{}
	for last, err := range r.store.models.Records(r.storage, kv.Range{}, true) {
		if err != nil {
			return nil, err
		}
		v = last
		break
	}
	if cached := r.store.latest.Load(); cached != nil && cached.version == v.Version {
		return cached.model, nil
	}
	model, err := r.readModel(v)
	if err != nil {
		return nil, err
	}
	r.store.latest.Store(&loaded{v.Version, model})
	return model, nil
}

func (r *Reader) readModel(v *ModelVersion) (*match.Model, error) {
	if v.Version == 0 {
		return match.Starter(r.store.matchOptions())
	}
	var stored []byte
	for part := range uint64(v.Parts) {
		p, err := r.store.modelPart.Get(r.storage, partKey{v.Version, part})
		if err != nil {
			return nil, err
		}
		stored = append(stored, p.bytes...)
	}
	model, err := match.Load(stored, r.store.matchOptions())
	if err != nil {
		return nil, fmt.Errorf("dedupe: read model %d: %w", v.Version, err)
	}
	return model, nil
}

// saveModel stores a model as the version in use and returns that. The pieces of older
// versions are removed: their records stay and tell when they were in use.
func (tx *Tx) saveModel(model *match.Model, records int) (uint64, error) {
	stored, err := model.MarshalBinary()
	if err != nil {
		return 0, err
	}
	v := &ModelVersion{Records: records, Parts: int(math.Ceil(float64(len(stored)) / partBytes))}
	for last, err := range tx.store.models.Records(tx.storage, kv.Range{}, true) {
		if err != nil {
			return 0, err
		}
		v.Version = last.Version
		for part := range uint64(last.Parts) {
			if err := tx.store.modelPart.Delete(tx.tx, partKey{last.Version, part}, uint8(Trained)); err != nil {
				return 0, err
			}
		}
		break
	}
	v.Version++
	for part := range v.Parts {
		piece := &modelPart{stored[part*partBytes : min((part+1)*partBytes, len(stored))]}
		if err := tx.store.modelPart.Put(tx.tx, partKey{v.Version, uint64(part)}, piece, uint8(Trained)); err != nil {
			return 0, err
		}
	}
	return v.Version, tx.store.models.Put(tx.tx, v.Version, v, uint8(Trained))
}
