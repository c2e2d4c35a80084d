package match_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/clientele-go/clientele/dedupe/compare"
	"github.com/clientele-go/clientele/dedupe/match"
)

var people = []match.Field{
	{Name: "given", Type: compare.PersonGiven}, {Name: "family", Type: compare.PersonFamily},
	{Name: "born", Type: compare.DateBirth}, {Name: "phone", Type: compare.Phone}, {Name: "city", Type: compare.AddressCity},
}

// population makes people, of whom every fourth stands twice: the second time with a
// typing error in one field and without another. The ids tell who is who.
func population(n int) []match.Record {
	rng := rand.New(rand.NewPCG(7, 7))
	given := strings.Fields("Anna Bertha Carl Dora Emil Frieda Gustav Hanna Ida Jakob Klara Ludwig Martha Nora Otto Paula Quirin Rosa Stefan Thea")
	family := strings.Fields("Adler Bauer Conrad Dietz Engel Fischer Graf Huber Illig Jung Keller Lang Maurer Nagel Oswald Pfeiffer Quandt Richter Sommer Thoma")
	city := strings.Fields("Aachen Bonn Celle Dresden Essen")
	var list []match.Record
	for i := range n {
		v := []string{
			given[rng.IntN(20)], family[rng.IntN(20)],
			fmt.Sprintf("%d-%02d-%02d", 1930+rng.IntN(70), 1+rng.IntN(12), 1+rng.IntN(28)),
			fmt.Sprintf("0%d", 2_000_000_000+rng.Int64N(7_000_000_000)), city[rng.IntN(5)],
		}
		list = append(list, match.Record{ID: fmt.Sprintf("%d", i), Source: "a", Values: v})
		if i%4 == 0 {
			w := slices.Clone(v)
			at := rng.IntN(2)
			w[at] = w[at][:2] + "x" + w[at][3:]
			w[3+rng.IntN(2)] = ""
			list = append(list, match.Record{ID: fmt.Sprintf("%d bis", i), Source: "b", Values: w})
		}
	}
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func stream(list []match.Record) iter.Seq2[match.Record, error] {
	return func(yield func(match.Record, error) bool) {
		for _, r := range list {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func run(t testing.TB, o match.Options, list []match.Record) *match.Result {
	t.Helper()
	r, err := match.Run(context.Background(), o, stream(list))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// quality counts pairs by ids against what population meant.
func quality(r *match.Result) (right, wrong int) {
	count := func(a, b uint32) {
		if strings.TrimSuffix(r.IDs[a], " bis") == strings.TrimSuffix(r.IDs[b], " bis") {
			right++
		} else {
			wrong++
		}
	}
	for _, c := range r.Clusters {
		for i := range c {
			for j := i + 1; j < len(c); j++ {
				count(c[i], c[j])
			}
		}
	}
	for _, l := range r.Links {
		count(l.A, l.B)
	}
	return right, wrong
}

func TestRunFindsDuplicatesWithoutThresholds(t *testing.T) {
	right, wrong := quality(run(t, match.Options{Schema: people}, population(1000)))
	if right < 240 || wrong > 5 { // of 250
		t.Errorf("found %d of 250 duplicates and %d wrong ones; want 240 and at most 5", right, wrong)
	}
}

func TestLinkFindsPartnersAcrossSources(t *testing.T) {
	r := run(t, match.Options{Schema: people, Mode: match.Link}, population(1000))
	right, wrong := quality(r)
	if right < 240 || wrong > 5 {
		t.Errorf("found %d of 250 links and %d wrong ones; want 240 and at most 5", right, wrong)
	}
	if len(r.Clusters) > 0 {
		t.Errorf("a link made %d clusters", len(r.Clusters))
	}
}

// Where the other list has a customer twice, only one of the two gets the link.
func TestOneToOneLinksOnce(t *testing.T) {
	list := population(1000)
	for _, r := range slices.Clone(list) {
		if r.Source == "b" {
			r.ID += " again"
			list = append(list, r)
		}
	}
	most := func(o match.Options) int {
		links, most := map[uint32]int{}, 0
		for _, l := range run(t, o, list).Links {
			for _, row := range []uint32{l.A, l.B} {
				links[row]++
				most = max(most, links[row])
			}
		}
		return most
	}
	if n := most(match.Options{Schema: people, Mode: match.Link}); n != 2 {
		t.Errorf("a record has %d links; want both that are in the other list", n)
	}
	if n := most(match.Options{Schema: people, Mode: match.Link, OneToOne: true}); n != 1 {
		t.Errorf("one to one, a record has %d links", n)
	}
}

// The same records in another order, or under other ids, are matched alike.
func TestRunDependsOnRecordsAlone(t *testing.T) {
	list := population(400)
	pairs := func(r *match.Result) []string {
		var found []string
		for _, c := range r.Clusters {
			var ids []string
			for _, row := range c {
				ids = append(ids, r.IDs[row])
			}
			slices.Sort(ids)
			found = append(found, strings.Join(ids, " = "))
		}
		slices.Sort(found)
		return found
	}
	first := pairs(run(t, match.Options{Schema: people, Workers: 1}, list))
	again := pairs(run(t, match.Options{Schema: people, Workers: 3}, list))
	if !slices.Equal(first, again) {
		t.Errorf("one worker found %v\nthree found %v", first, again)
	}
	slices.Reverse(list)
	if turned := pairs(run(t, match.Options{Schema: people}, list)); !slices.Equal(first, turned) {
		t.Errorf("in order found %v\nreversed %v", first, turned)
	}
}

// Columns that hardly anybody fills change nothing of what is found in a list of names: a book has
// the same columns whatever its customers were imported with.
func TestColumnsThatHardlyAnybodyFillsLeaveAListOfNames(t *testing.T) {
	trades := []string{"贸易", "物流", "食品", "建材", "电子", "化工"}
	var names []string
	for i := range 200 {
		core := string([]rune{'甲' + rune(i*7), '乙' + rune(i*13)})
		names = append(names, core+trades[i%len(trades)]+"有限公司")
		if i%20 == 0 {
			names = append(names, core+trades[i%len(trades)]+"公司")
		}
	}
	find := func(telephones int, schema ...match.Field) *match.Result {
		var list []match.Record
		for i, name := range names {
			values := make([]string, len(schema))
			if values[0] = name; i < telephones {
				values[1] = fmt.Sprintf("138%08d", i*1013)
			}
			list = append(list, match.Record{ID: name, Values: values})
		}
		return run(t, match.Options{Schema: schema, Country: "CN"}, list)
	}
	name, phone, address := match.Field{Name: "name", Type: compare.Name}, match.Field{Name: "phone", Type: compare.Phone}, match.Field{Name: "address", Type: compare.Address}
	if alone := find(0, name); len(alone.Clusters) != 10 {
		t.Fatalf("of names alone %d customers stand twice; want 10", len(alone.Clusters))
	}
	for _, telephones := range []int{0, 5} {
		if beside := find(telephones, name, phone, address); len(beside.Clusters) != 10 {
			t.Errorf("beside %d telephones %d customers stand twice; want 10", telephones, len(beside.Clusters))
		}
	}
}

func TestJudgementsAreForced(t *testing.T) {
	list := population(400)
	apart := match.Judgement{A: "0", B: "0 bis", Same: false}
	together := match.Judgement{A: "1", B: "2", Same: true}
	r := run(t, match.Options{Schema: people, Judged: []match.Judgement{apart, together, {A: "no such", B: "1", Same: true}}}, list)
	in := map[string]int{}
	for i, c := range r.Clusters {
		for _, row := range c {
			in[r.IDs[row]] = i + 1
		}
	}
	if in["0"] != 0 && in["0"] == in["0 bis"] {
		t.Error("records judged different are in one cluster")
	}
	if in["1"] == 0 || in["1"] != in["2"] {
		t.Error("records judged the same are not in one cluster")
	}
}

func TestBadInputIsRefused(t *testing.T) {
	ok := match.Record{ID: "1", Source: "a", Values: []string{"Anna", "Adler", "", "", ""}}
	long := ok
	long.ID = "a" + strings.Repeat("華", 40)
	with := func(change func(*match.Record)) []match.Record {
		r := ok
		r.Values = slices.Clone(ok.Values)
		change(&r)
		return []match.Record{r}
	}
	for name, c := range map[string]struct {
		o    match.Options
		list []match.Record
		want error
		says string
	}{
		"no schema":        {match.Options{}, nil, match.ErrSchema, "at least one field"},
		"unknown type":     {match.Options{Schema: []match.Field{{Name: "x", Type: "shoe.size"}}}, nil, match.ErrSchema, "shoe.size"},
		"field twice":      {match.Options{Schema: []match.Field{people[0], people[0]}}, nil, match.ErrSchema, "given"},
		"many fields":      {match.Options{Schema: manyFields(500)}, nil, match.ErrSchema, "at most 200"},
		"no id":            {match.Options{Schema: people}, with(func(r *match.Record) { r.ID = "" }), match.ErrRecord, "row 1"},
		"id twice":         {match.Options{Schema: people}, []match.Record{ok, ok}, match.ErrRecord, "row 1 has it too"},
		"long id twice":    {match.Options{Schema: people}, []match.Record{long, long}, match.ErrRecord, `"a` + strings.Repeat("華", 19) + `…"`},
		"too few values":   {match.Options{Schema: people}, with(func(r *match.Record) { r.Values = r.Values[:2] }), match.ErrRecord, "give 5 values"},
		"not UTF-8":        {match.Options{Schema: people}, with(func(r *match.Record) { r.Values[0] = "An\xffa" }), match.ErrRecord, "given"},
		"no source":        {match.Options{Schema: people, Mode: match.Link}, with(func(r *match.Record) { r.Source = "" }), match.ErrRecord, "source"},
		"model of another": {match.Options{Schema: people[:2], Model: starter(t)}, nil, match.ErrModel, "schema"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := match.Run(context.Background(), c.o, stream(c.list))
			var e *match.Error
			if !errors.Is(err, c.want) || !errors.As(err, &e) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v; want %v that says %q", err, c.want, c.says)
			}
		})
	}
}

func manyFields(n int) (list []match.Field) {
	for i := range n {
		list = append(list, match.Field{Name: fmt.Sprint("field ", i), Type: compare.Name})
	}
	return list
}

func starter(t testing.TB) *match.Model {
	m, err := match.Starter(match.Options{Schema: people})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestHugeAndEmptyFieldsAreNoTrouble(t *testing.T) {
	list := population(200)
	list[0].Values[1] = strings.Repeat("Łódź ", 200_000)
	list[1].Values = make([]string, len(people))
	list[2].Values = make([]string, len(people))
	if right, wrong := quality(run(t, match.Options{Schema: people}, list)); right < 40 || wrong > 3 {
		t.Errorf("found %d of 50 and %d wrong ones", right, wrong)
	}
	for n := range 3 {
		run(t, match.Options{Schema: people}, population(200)[:n])
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	o := match.Options{Schema: people, Progress: func(p match.Progress) {
		if p.Stage == match.Training {
			cancel()
		}
	}}
	if _, err := match.Run(ctx, o, stream(population(500))); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v; want %v", err, context.Canceled)
	}
	broken := errors.New("disk on fire")
	_, err := match.Run(context.Background(), o, func(yield func(match.Record, error) bool) { yield(match.Record{}, broken) })
	if !errors.Is(err, broken) {
		t.Errorf("error %v; want that of the stream", err)
	}
}
