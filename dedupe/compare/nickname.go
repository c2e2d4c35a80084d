package compare

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:embed data/nicknames.txt
var nicknameText string

// nicknameTable knows given names and what they are shortened to.
type nicknameTable struct {
	of map[string]uint16 // 1 + the place of a name in groups
	// groups has for each name the numbers, in order, of the names that it is or is short
	// for. Two names that share a number may be the same person's.
	groups [][]uint16
}

var nicknames = sync.OnceValue(func() *nicknameTable {
	t := &nicknameTable{of: map[string]uint16{}}
	number := uint16(0)
	for line := range strings.Lines(nicknameText) {
		for w := range strings.FieldsSeq(line) {
			t.add(w, number)
		}
		number++
	}
	t.unite()
	for i, list := range t.groups {
		slices.Sort(list)
		t.groups[i] = slices.Compact(list)
	}
	return t
})

// unite gives spellings of one nickname, as Peggy and Peggie, what each of them stands for.
func (t *nicknameTable) unite() {
	all := map[string][]uint16{}
	for name, i := range t.of {
		if stem := petStem(name); stem != "" {
			all[stem] = append(all[stem], t.groups[i-1]...)
		}
	}
	for name, i := range t.of {
		if stem := petStem(name); stem != "" {
			t.groups[i-1] = slices.Clone(all[stem])
		}
	}
}

// petStem is a pet name without its ending, empty for a name that is none.
func petStem(name string) string {
	for _, ending := range []string{"ie", "ey", "ee", "y", "i"} {
		if stem, found := strings.CutSuffix(name, ending); found && len(stem) >= 3 {
			return stem
		}
	}
	return ""
}

// find is 1 + the place of a name, or of another spelling of it, 0 for one not known.
func (t *nicknameTable) find(name string) uint16 {
	if i := t.of[name]; i != 0 {
		return i
	}
	stem := petStem(name)
	if stem == "" {
		return 0
	}
	for _, ending := range []string{"y", "ie", "i", "ey", "ee"} {
		if i := t.of[stem+ending]; i != 0 {
			return i
		}
	}
	return 0
}

func (t *nicknameTable) add(name string, number uint16) {
	i := t.of[name]
	if i == 0 {
		t.groups = append(t.groups, nil)
		i = uint16(len(t.groups))
		t.of[name] = i
	}
	t.groups[i-1] = append(t.groups[i-1], number)
}

// related reports whether two names, by 1 + their places, may be the same person's.
func (t *nicknameTable) related(x, y uint16) bool {
	a, b := t.groups[x-1], t.groups[y-1]
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			return true
		case a[i] < b[j]:
			i++
		default:
			j++
		}
	}
	return false
}
