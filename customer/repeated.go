package customer

import (
	"iter"
	"slices"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Common is what several customers may have in common to the letter.
type Common uint8

const (
	CommonPhone Common = iota + 1 // a phone number in E.164 form
	CommonEmail                   // an e-mail address, whatever the letter case
)

// Repeated yields the customers that have a key in common with others, a group of two or
// more for each key, in the order of keys. A group is in the order of ids and belongs to
// the caller. Archived customers are among them, those merged away and erased are not; so
// are only customers whose key the session sees. It reads one index and no record: about
// 0.2 µs for each entry.
func (r *Reader) Repeated(by Common) iter.Seq2[[]ID, error] {
	return func(yield func([]ID, error) bool) {
		x, field, err := r.common(by)
		if err != nil {
			yield(nil, err)
			return
		}
		shown := membersOf(r.withField(field))
		var last storage.Key
		var group []ID
		for e, err := range r.store.customer.Entries(r.storage, x, kv.Range{}, false) {
			var id ID
			var key storage.Key
			in := false
			if err == nil {
				key, id, err = entryOf(e)
			}
			if err == nil {
				in, err = shown.has(id)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !in {
				continue
			}
			if string(key) != string(last) {
				if len(group) > 1 && !yield(slices.Clone(group), nil) {
					return
				}
				last, group = append(last[:0], key...), group[:0]
			}
			group = append(group, id)
		}
		if len(group) > 1 {
			yield(group, nil)
		}
	}
}

// common returns the index of a key and the field that it is made of.
func (r *Reader) common(by Common) (x *storage.Index[*Customer], field string, err error) {
	switch by {
	case CommonPhone:
		return r.store.phone, "phone", nil
	case CommonEmail:
		return r.store.email, "email", nil
	}
	p := problems{}
	p.add("Common", "", CodeMalformed, "is no key", "use CommonPhone or CommonEmail")
	return nil, "", p.err()
}

// entryOf divides an entry of an index whose keys are one text; the key is lent.
func entryOf(e storage.IndexEntry[ID]) (key storage.Key, id ID, err error) {
	rest, err := e.Key().SkipString()
	if err != nil {
		return nil, 0, err
	}
	id, err = e.Primary(rest)
	return e.Key()[:len(e.Key())-len(rest)], id, err
}
