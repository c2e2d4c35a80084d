package match_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/dedupe/compare"
	"github.com/clientele-go/clientele/dedupe/match"
)

// A single record is scored as in the run that trained the model.
func TestModelAgreesWithItsRun(t *testing.T) {
	list := population(600)
	r := run(t, match.Options{Schema: people}, list)
	agree, seen := 0, 0
	for _, p := range r.Pairs {
		if p.Decision != match.Same {
			continue
		}
		seen++
		s := r.Model.Score(prepare(t, r.Model, list[p.A]), prepare(t, r.Model, list[p.B]))
		if s.Decision == match.Same {
			agree++
		}
	}
	if agree < seen*95/100 || seen < 100 {
		t.Errorf("the model calls %d of %d pairs the same that the run called the same", agree, seen)
	}
}

// A value that two records of the run have is as common to the model as to the run, though models
// remember only values that more have: here the names agree with one other record's, whole.
func TestModelScoresEqualValuesOfTwoAsItsRun(t *testing.T) {
	var list []match.Record
	for i := range 400 {
		name := string([]rune{'甲' + rune(i), '乙' + rune(i%20)}) + "机械有限公司"
		list = append(list, match.Record{ID: strconv.Itoa(i), Values: []string{name}})
		if i%4 == 0 {
			list = append(list, match.Record{ID: strconv.Itoa(i) + " bis", Values: []string{name}})
		}
	}
	r := run(t, match.Options{Schema: []match.Field{{Name: "name", Type: compare.OrganisationName}}}, list)
	equal := 0
	for _, p := range r.Pairs {
		a, b := list[p.A], list[p.B]
		if a.Values[0] != b.Values[0] {
			continue
		}
		equal++
		if s := r.Model.Score(prepare(t, r.Model, a), prepare(t, r.Model, b)); math.Abs(s.LogOdds-float64(p.LogOdds)) > 0.01 {
			t.Fatalf("%s twice: %.2f by the model, %.2f by its run", a.Values[0], s.LogOdds, p.LogOdds)
		}
	}
	if equal != 100 {
		t.Errorf("the run has %d pairs of equal names; want 100", equal)
	}
}

func prepare(t testing.TB, m *match.Model, r match.Record) *match.Prepared {
	t.Helper()
	p, err := m.Prepare(r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDuplicatesShareKeys(t *testing.T) {
	list := population(600)
	m := run(t, match.Options{Schema: people}, list).Model
	byID := map[string]match.Record{}
	for _, r := range list {
		byID[r.ID] = r
	}
	met, all := 0, 0
	for id, r := range byID {
		twin, ok := byID[id+" bis"]
		if !ok {
			continue
		}
		all++
		keys := map[uint64]bool{}
		for _, k := range m.Keys(prepare(t, m, r)) {
			keys[k.Hash] = true
		}
		for _, k := range m.Keys(prepare(t, m, twin)) {
			if keys[k.Hash] {
				met++
				break
			}
		}
	}
	if met < all*98/100 {
		t.Errorf("%d of %d duplicates share a key; want 98 %%", met, all)
	}
}

func TestExplanationNamesFields(t *testing.T) {
	m := starter(t)
	a := prepare(t, m, match.Record{Values: []string{"Anna", "Adler", "1980-02-03", "", "Bonn"}})
	b := prepare(t, m, match.Record{Values: []string{"Anna", "Adler", "1980-02-03", "030 123456", "Celle"}})
	s := m.Explain(a, b)
	if len(s.Fields) != len(people) {
		t.Fatalf("%d fields; want %d", len(s.Fields), len(people))
	}
	if f := s.Fields[0]; f.Field != "given" || f.A != "Anna" || f.Bits <= 0 || f.Sentence["en"] == "" || f.Sentence["zh"] == "" {
		t.Errorf("equal given names: %+v", f)
	}
	if f := s.Fields[3]; f.Level != "missing" || f.Bits != 0 {
		t.Errorf("a missing phone: %+v", f)
	}
	if f := s.Fields[4]; f.Bits >= 0 {
		t.Errorf("different cities speak for the same: %+v", f)
	}
}

// Names in Arabic letters and in Latin are not missing, and say nothing.
func TestExplanationTellsOfScripts(t *testing.T) {
	m := starter(t)
	a := prepare(t, m, match.Record{Values: []string{"Omar", "Haddad", "1980-02-03", "", ""}})
	b := prepare(t, m, match.Record{Values: []string{"عمر", "حداد", "1980-02-03", "", ""}})
	s := m.Explain(a, b)
	if f := s.Fields[0]; f.Level != "mute" || f.Bits != 0 || f.Sentence["zh"] == "" {
		t.Errorf("given names in two scripts: %+v", f)
	}
	if f := s.Fields[3]; f.Level != "missing" {
		t.Errorf("phones that are missing: %+v", f)
	}
}

func TestModelSurvivesStorage(t *testing.T) {
	list := population(600)
	m := run(t, match.Options{Schema: people}, list).Model
	stored, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	again, err := match.Load(stored, match.Options{Schema: people})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		a, b := list[i], list[(i*7+1)%len(list)]
		x, y := m.Score(prepare(t, m, a), prepare(t, m, b)), again.Score(prepare(t, again, a), prepare(t, again, b))
		if math.Abs(x.LogOdds-y.LogOdds) > 1.5 { // rare words are not stored one by one
			t.Fatalf("%v and %v: log-odds %.2f before, %.2f after", a.Values, b.Values, x.LogOdds, y.LogOdds)
		}
	}
}

func TestDamagedModelsAreRefused(t *testing.T) {
	stored, err := starter(t).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for i := range stored {
		bad := append([]byte(nil), stored...)
		bad[i] ^= 0x40
		if _, err := match.Load(bad, match.Options{}); !errors.Is(err, match.ErrModel) {
			t.Fatalf("byte %d changed: error %v; want %v", i, err, match.ErrModel)
		}
		if _, err := match.Load(stored[:i], match.Options{}); !errors.Is(err, match.ErrModel) {
			t.Fatalf("cut at %d: error %v; want %v", i, err, match.ErrModel)
		}
	}
	if _, err := match.Load(stored, match.Options{Schema: people[:2]}); !errors.Is(err, match.ErrModel) {
		t.Errorf("another schema: error %v; want %v", err, match.ErrModel)
	}
}

// What people say moves later scores their way, and a pair not unlike it too.
func TestFeedbackMovesScores(t *testing.T) {
	m := starter(t)
	a := prepare(t, m, match.Record{Values: []string{"Anna", "Adler", "1980-02-03", "", ""}})
	b := prepare(t, m, match.Record{Values: []string{"Anna", "Adler", "1981-02-03", "", ""}})
	before := m.Score(a, b).LogOdds
	var yes, no []match.Feedback
	for range 30 {
		yes = append(yes, match.Feedback{A: a, B: b, Same: true})
		no = append(no, match.Feedback{A: a, B: b, Same: false})
	}
	if after := m.Learn(yes).Score(a, b).LogOdds; after <= before {
		t.Errorf("judged the same: log-odds went from %.2f to %.2f", before, after)
	}
	if after := m.Learn(no).Score(a, b).LogOdds; after >= before {
		t.Errorf("judged different: log-odds went from %.2f to %.2f", before, after)
	}
	if again := m.Score(a, b).LogOdds; again != before {
		t.Errorf("learning changed the model itself: %.2f became %.2f", before, again)
	}
}

// Before anything was learned, numbers that differ speak against one customer, whether or
// not they have a checksum.
func TestStarterHoldsDifferentNumbersAgainstAPair(t *testing.T) {
	m, err := match.Starter(match.Options{Schema: []match.Field{{Name: "number", Type: compare.Identifier}}})
	if err != nil {
		t.Fatal(err)
	}
	for a, b := range map[string]string{"10251111": "98732222", "11010519491231002X": "440524188001010014"} {
		x, err := m.Prepare(match.Record{ID: "1", Values: []string{a}})
		if err != nil {
			t.Fatal(err)
		}
		y, err := m.Prepare(match.Record{ID: "2", Values: []string{b}})
		if err != nil {
			t.Fatal(err)
		}
		if f := m.Explain(x, y).Fields[0]; f.Bits > -4 {
			t.Errorf("%s and %s (%s) weigh %.1f bits; want -4 at most", a, b, f.Level, f.Bits)
		}
	}
}

// Models stored before sites were told apart are read as of a list without any: what was
// added since, a number after the second and one of every five of a level, is cut out here.
func TestModelsOfTheFirstVersionAreRead(t *testing.T) {
	field := match.Field{Name: "name", Type: compare.PersonName}
	m, err := match.Starter(match.Options{Schema: []match.Field{field}})
	if err != nil {
		t.Fatal(err)
	}
	stored, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	const number, levels = 8, 9
	at := 5 + 1 + 1 + len(field.Name) + 1 + len(field.Type) + 2*number
	first := slices.Delete(slices.Clone(stored[:len(stored)-4]), at, at+number)
	first[4] = 1
	at += number
	for range levels {
		at += 3 * number
		first = slices.Delete(first, at, at+number)
		at += number
	}
	first = binary.LittleEndian.AppendUint32(first, crc32.ChecksumIEEE(first))
	again, err := match.Load(first, match.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, b := match.Record{ID: "1", Values: []string{"Anna Adler"}}, match.Record{ID: "2", Values: []string{"Ana Adler"}}
	if x, y := m.Score(prepare(t, m, a), prepare(t, m, b)), again.Score(prepare(t, again, a), prepare(t, again, b)); x.LogOdds != y.LogOdds {
		t.Errorf("log-odds %v; want %v", y.LogOdds, x.LogOdds)
	}
}

// Models stored before whole names were counted go by words alone: of 400 names seven have
// each word of Alpha Beta and five both, so that both tell less than the words do.
func TestModelsOfTheSecondVersionGoByWords(t *testing.T) {
	var list []match.Record
	for i := range 400 {
		name := "Firm" + strconv.Itoa(i/2) + " Trading" + strings.Repeat(" Inc.", i%2)
		switch {
		case i < 5:
			name = "Alpha Beta"
		case i < 7:
			name = "Alpha Harbour" + strconv.Itoa(i)
		case i < 9:
			name = "Harbour" + strconv.Itoa(i) + " Beta"
		}
		list = append(list, match.Record{ID: strconv.Itoa(i), Values: []string{name}})
	}
	m := run(t, match.Options{Schema: []match.Field{{Name: "name", Type: compare.OrganisationName}}}, list).Model
	stored, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	second := slices.Clone(stored[:len(stored)-4])
	second[4] = 2
	old, err := match.Load(binary.LittleEndian.AppendUint32(second, crc32.ChecksumIEEE(second)), match.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, b := match.Record{ID: "a", Values: []string{"Alpha Beta"}}, match.Record{ID: "b", Values: []string{"Alpha Beta Inc."}}
	x, y := m.Score(prepare(t, m, a), prepare(t, m, b)), old.Score(prepare(t, old, a), prepare(t, old, b))
	if y.LogOdds <= x.LogOdds {
		t.Errorf("log-odds %.2f with words alone, %.2f with whole names; want more with words", y.LogOdds, x.LogOdds)
	}
}

// A run over too few records to compare teaches nothing: its model judges as the starter does.
func TestModelOfNobodyJudgesAsTheStarter(t *testing.T) {
	one := population(1)[0]
	one.Source = "list"
	for name, c := range map[string]struct {
		mode match.Mode
		list []match.Record
	}{
		"no record":  {match.Dedupe, nil},
		"one record": {match.Dedupe, []match.Record{one}},
		"one source": {match.Link, []match.Record{one}},
		"no source":  {match.Link, nil},
	} {
		o := match.Options{Schema: people, Mode: c.mode}
		starter, err := match.Starter(o)
		if err != nil {
			t.Fatal(err)
		}
		model := run(t, o, c.list).Model
		var scores [2]float64
		for i, m := range []*match.Model{starter, model} {
			p, err := m.Prepare(one)
			if err != nil {
				t.Fatal(err)
			}
			scores[i] = m.Score(p, p).LogOdds
		}
		if scores[1] != scores[0] || scores[1] < 0 || model.Prior() != starter.Prior() {
			t.Errorf("%s: a record and itself have the log-odds %v, the prior is %v; want %v and %v", name, scores[1], model.Prior(), scores[0], starter.Prior())
		}
	}
}
