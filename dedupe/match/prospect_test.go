package match

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"testing"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// neighbourhood is people of whom every third stands there twice, with whole and parted
// names and addresses, telephones under two columns, and things left out.
func neighbourhood(n int) (schema []Field, list []Record) {
	schema = []Field{{"name", compare.Name}, {"given", compare.PersonGiven}, {"family", compare.PersonFamily}, {"phone", compare.Phone}, {"fax", compare.Phone},
		{"address", compare.Address}, {"street", compare.AddressStreet}, {"city", compare.AddressCity}, {"email", compare.Email}, {"note", compare.Text}}
	families, givens, streets := []string{"Adler", "Brandt", "Ceylan", "Dietz", "Ebert", "Falk"}, []string{"Anna", "Bert", "Clara", "Dora", "Emil"}, []string{"Main Street", "Mill Road", "High Street"}
	for i := range n {
		family, given, street := families[i/3%6], givens[i/2%5], fmt.Sprintf("%d %s", i/4%90, streets[i%3])
		phone := fmt.Sprintf("+4930%07d", 1234567+i/3*7919)
		v := []string{given + " " + family, given, family, phone, "", street + ", Berlin", street, "Berlin", given + fmt.Sprint(i/3) + "@example.com", "likes " + street}
		if i%3 == 1 {
			v[0], v[1], v[3], v[4] = family+" "+given[:1], given[:1]+".", "", phone
		}
		if i%5 == 0 {
			v[5], v[8] = "", ""
		}
		list = append(list, Record{ID: itoa(i), Values: v})
	}
	return schema, list
}

// streamOf are the first columns of records.
func streamOf(list []Record, columns int) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for _, r := range list {
			if !yield(Record{ID: r.ID, Values: r.Values[:columns]}, nil) {
				return
			}
		}
	}
}

// TestProspectScoresWhatMatters compares the score of every pair, in two schemas, with the
// one that comparing all columns gives: it must be the same, or both be too low to matter.
func TestProspectScoresWhatMatters(t *testing.T) {
	ctx := context.Background()
	schema, list := neighbourhood(900)
	for _, columns := range []int{len(schema), 1} {
		result, err := Run(ctx, Options{Schema: schema[:columns]}, streamOf(list, columns))
		if err != nil {
			t.Fatal(err)
		}
		m := result.Model
		r := &runner{o: &Options{Model: m}, p: m.p}
		if err := r.read(ctx, streamOf(list, columns)); err != nil {
			t.Fatal(err)
		}
		if err := r.prepare(ctx); err != nil {
			t.Fatal(err)
		}
		ask, early := r.asker(m.score), 0
		p := newProspect(newRowComparer(r.t), m.score, m.p)
		for _, pair := range everyPair(r.t)[:100_000] {
			got, want := p.score(pair.a, pair.b), ask(pair.a, pair.b)
			if got == want {
				continue
			}
			if early++; got > possibleAbove || got < want {
				t.Fatalf("%d columns, %v and %v: score %v; want %v", columns, list[pair.a].Values, list[pair.b].Values, got, want)
			}
		}
		if columns > 1 && early == 0 {
			t.Error("no pair was left early")
		}
	}
}

// TestStreamedPairsAreScoredAlike runs with few pairs that teach, so that the others are
// scored one part after another: from memory, from a file, and going on after a kill in every
// stage. All must find the same.
func TestStreamedPairsAreScoredAlike(t *testing.T) {
	schema, list := neighbourhood(600)
	find := func(o Options) (string, error) {
		o.Schema, o.teaching, o.TempDir = schema, 500, t.TempDir()
		r, err := Run(context.Background(), o, streamOf(list, len(schema)))
		if err != nil {
			return "", err
		}
		model, err := r.Model.MarshalBinary()
		return fmt.Sprint(r.Pairs, r.Clusters, r.Statistics.Candidates, model), err
	}
	want, err := find(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, memory := range []int64{0, 1} {
		if testing.Short() && memory == 0 {
			continue
		}
		o := Options{Memory: memory, Checkpoint: filepath.Join(t.TempDir(), "checkpoint")}
		for _, stage := range []Stage{Blocking, Comparing, Training, Scoring} {
			ctx, cancel := context.WithCancel(context.Background())
			killed := Options{Schema: schema, teaching: 500, TempDir: t.TempDir(), Memory: memory, Checkpoint: o.Checkpoint,
				Progress: func(p Progress) {
					if p.Stage == stage {
						cancel()
					}
				}}
			if _, err := Run(ctx, killed, streamOf(list, len(schema))); err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			cancel()
		}
		if got, err := find(o); got != want || err != nil {
			t.Errorf("%d bytes: other things were found, error %v", memory, err)
		}
		if got, err := find(Options{Memory: memory}); got != want || err != nil {
			t.Errorf("%d bytes, without a kill: other things were found, error %v", memory, err)
		}
	}
}
