package dedupe

import (
	"slices"
	"strings"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe/compare"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
)

// keysVersion names what the keys of the index of likenesses are made of, beside what
// text.Fingerprint stands for. It changes with every change of a comparator's keys.
const keysVersion = "6"

// indexLikeness is the id of the index among the customer table's.
const indexLikeness = 16

// liveKinds are the keys by type that are worth an index entry of every customer: of those
// that find the same neighbours, the fewest. A word or a number meets its like under the
// deletions, the sound or the last digits as well as by itself. The others, one for each
// pair of characters or each digit left out, are for runs. docs/matching.md has the figures.
func liveKinds(t compare.Type) compare.KeyKinds {
	switch t {
	case compare.Name, compare.PersonName, compare.OrganisationName:
		return compare.KindsOf(compare.KeyExact, compare.KeySound, compare.KeyPinyin, compare.KeyDeletion)
	case compare.Phone:
		return compare.KindsOf(compare.KeyPart)
	case compare.Category, compare.AddressPostcode, compare.AddressCity, compare.AddressRegion, compare.AddressLocality, compare.Number, compare.Text:
		return 0
	}
	return compare.KindsOf(compare.KeyExact)
}

// keyer makes the keys under which customers that may be alike meet. It depends on the
// fields and the country alone, not on a model, so that a new model needs no new index.
type keyer struct {
	fields []Field
	by     []compare.Comparator
	kinds  []compare.KeyKinds
}

func newKeyer(fields []Field, opts *Options) (*keyer, error) {
	k := &keyer{fields: fields}
	for _, f := range fields {
		c, err := opts.keyComparator(f.Type)
		if err != nil {
			return nil, &Error{Op: "describe fields", Field: f.Name, Value: string(f.Type), Remedy: "use one of compare.Types, or add it to Comparators", Err: err}
		}
		k.by = append(k.by, c)
		k.kinds = append(k.kinds, liveKinds(f.Type))
	}
	return k, nil
}

// keyComparator is the one whose keys customers are kept under. Of the types of package compare
// it is always that package's: the index outlives the comparators of one program.
func (o *Options) keyComparator(t compare.Type) (compare.Comparator, error) {
	with := compare.Options{Country: o.Country}
	if added := o.Comparators[t]; added != nil && !slices.Contains(compare.Types(), t) {
		return added(t, with)
	}
	return compare.New(t, with)
}

// version names the keys for [storage.Index].
func (k *keyer) version(country string) string {
	var b strings.Builder
	b.WriteString(keysVersion + " " + text.Fingerprint() + " " + country)
	for _, f := range k.fields {
		b.WriteString(" " + f.Name + "=" + string(f.Type))
	}
	return b.String()
}

// likeness is one key: a hash, salted by the field, and how telling its kind is.
type likeness struct {
	hash  uint64
	field int
	kind  compare.KeyKind
}

// usualKeys is how many keys a customer seldom has more than.
const usualKeys = 16

// of returns the keys of a customer, none twice.
func (k *keyer) of(c *customer.Customer) []likeness {
	all := make([]likeness, 0, usualKeys)
	field := 0
	emit := func(key compare.Key) { all = append(all, likeness{salted(key.Hash, field), field, key.Kind}) }
	for field = range k.fields {
		if k.kinds[field] == 0 {
			continue
		}
		for _, v := range k.fields[field].Values(c) {
			if v != "" {
				compare.KeysOf(k.by[field], v, k.kinds[field], emit)
			}
		}
	}
	slices.SortFunc(all, func(a, b likeness) int {
		if a.hash != b.hash {
			if a.hash < b.hash {
				return -1
			}
			return 1
		}
		return int(a.kind) - int(b.kind)
	})
	return slices.CompactFunc(all, func(a, b likeness) bool { return a.hash == b.hash })
}

// salted keeps equal values of different fields apart; 48 bits keep entries short.
func salted(hash uint64, field int) uint64 {
	return (hash ^ (uint64(field)+1)*0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9 >> 16
}

// index is the index of the customer table that the keys are in.
func (k *keyer) index(country string, live bool) *storage.Index[*customer.Customer] {
	x := &storage.Index[*customer.Customer]{ID: indexLikeness, Label: "likeness", Version: "none", Keys: func(*storage.KeySet, *customer.Customer) {}}
	if live {
		x.Version = k.version(country)
		x.Keys = func(set *storage.KeySet, c *customer.Customer) {
			if c.Status > customer.Archived {
				return
			}
			for _, l := range k.of(c) {
				set.Uint(l.hash).End()
			}
		}
	}
	return x
}
