package classify

import (
	"errors"
	"strings"

	"github.com/clientele-go/clientele/tagging"
)

// tagFact declares the tags of a dimension, which exists or comes with a rule set.
func tagFact(b *binding, name string) (fact, bool, error) {
	code := strings.TrimPrefix(name, "tag.")
	f := fact{FactSpec: FactSpec{Name: name, Type: Texts}}
	d, err := b.tags.Dimension(code)
	if errors.Is(err, tagging.ErrUnknownDimension) {
		spec, declared := b.declared[code]
		if !declared {
			return fact{}, false, nil
		}
		d, err = &tagging.Dimension{Exclusive: spec.Exclusive}, nil
	}
	if err != nil {
		return fact{}, false, err
	}
	codes := b.codes
	held := func(l *loading) []string {
		list := []string{}
		for _, tag := range l.tagged.In(d.ID) {
			list = append(list, codes[tag])
		}
		return list
	}
	f.get = func(l *loading) (Value, error) { return sortedTexts(held(l)), nil }
	if d.Exclusive {
		f.Type, f.get = Text, func(l *loading) (Value, error) {
			if list := held(l); len(list) > 0 {
				return given(list[0]), nil
			}
			return Value{}, nil
		}
	}
	return f, true, nil
}

// tagCodes returns the codes of all tags. Those merged away are not among them: nobody
// holds them any more, as far as readers see.
func tagCodes(r *tagging.Reader) (map[tagging.TagID]string, error) {
	dimensions, err := r.Dimensions()
	if err != nil {
		return nil, err
	}
	codes := map[tagging.TagID]string{}
	for _, d := range dimensions {
		tags, err := r.Tags(d.Code)
		if err != nil {
			return nil, err
		}
		for _, t := range tags {
			codes[t.ID] = t.Code
		}
	}
	return codes, nil
}
