package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging"
)

func TestRecordsSurviveTheCodec(t *testing.T) {
	for i := range 2000 {
		want := sampleCustomer(1, i)
		got, err := decodeRecord(want.ID, string(appendRecord(nil, want)))
		if err != nil {
			t.Fatal(err)
		}
		if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
			t.Fatalf("got  %s\nwant %s", g, w)
		}
	}
}

func TestMalformedRecordIsAnError(t *testing.T) {
	whole := string(appendRecord(nil, sampleCustomer(1, 0)))
	for _, src := range []string{whole[:len(whole)-1], "\xff", "\x7f\x01x"} {
		if c, err := decodeRecord(1, src); err == nil {
			t.Errorf("%q is read as %+v", src, c)
		}
	}
}

func TestCutListIsAnError(t *testing.T) {
	list := customerFile(filepath.Join(t.TempDir(), "customers"))
	if err := list.write(context.Background(), 1, 3); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(string(list))
	if err == nil {
		err = os.WriteFile(string(list), whole[:len(whole)-1], 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range contestants(nil) {
		s, err := c.open(context.Background(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.load(list.all()); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: load of a cut list: %v", c.name, err)
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}
}

// TestStoresAgreeAndLeaveNothing runs everything on a few customers.
func TestStoresAgreeAndLeaveNothing(t *testing.T) {
	p := plan{rows: 700, rounds: 1, gets: 250, checks: 50, creating: 50 * time.Millisecond, asking: 20 * time.Millisecond, dir: passable(t), seed: 1}
	var out strings.Builder
	if err := p.run(context.Background(), &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, s := range sections {
		for _, l := range s.lines {
			if !strings.Contains(out.String(), "| "+l.name+" |") {
				t.Errorf("the table has no line %q:\n%s", l.name, out.String())
			}
		}
	}
	mustBeEmpty(t, p.dir)
}

// passable is a directory that the account of PostgreSQL's server can pass through, when the
// tests are run by root; those of the testing package it can't.
func passable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "peers-")
	if err == nil {
		err = os.Chmod(dir, 0o711)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // what is left is told by mustBeEmpty
	return dir
}

func TestOnlyTheStoresAskedForTakePart(t *testing.T) {
	p := plan{rows: 300, rounds: 1, gets: 50, checks: 20, creating: 20 * time.Millisecond, asking: 10 * time.Millisecond,
		dir: passable(t), seed: 1, stores: []string{sqliteName}}
	var out strings.Builder
	if err := p.run(context.Background(), &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	heads := 0
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "| | ") {
			heads++
			if want := "| | " + clienteleName + " | " + sqliteName + " |\n"; line != want {
				t.Errorf("a table has the head %q, want %q", line, want)
			}
		}
	}
	if heads != len(sections) {
		t.Errorf("%d tables, want %d", heads, len(sections))
	}
}

func TestInterruptEndsARunAndLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	p := plan{rows: 700, rounds: 1, gets: 250, checks: 50, creating: time.Hour, asking: time.Second, dir: passable(t), seed: 1}
	log := writerFunc(func(text []byte) {
		if bytes.Contains(text, []byte("create: ")) {
			time.AfterFunc(50*time.Millisecond, cancel)
		}
	})
	if err := p.run(ctx, io.Discard, log); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted run returned %v", err)
	}
	mustBeEmpty(t, p.dir)
}

type writerFunc func([]byte)

func (f writerFunc) Write(text []byte) (int, error) { f(text); return len(text), nil }

func mustBeEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestTableIsWrittenBetweenTheMarks(t *testing.T) {
	name := filepath.Join(t.TempDir(), "page.md")
	table := newTable(plan{rows: 1000, rounds: 1})
	table.add(loadRate, clienteleName, 12345)
	for range 2 { // the second replaces the first
		if _, err := os.Stat(name); err != nil {
			if err := os.WriteFile(name, []byte("before\n"+tableBegins+"\nold\n"+tableEnds+"\nafter\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := table.writeDocument(name); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := string(got)
	if !strings.HasPrefix(text, "before\n") || !strings.HasSuffix(text, "\nafter\n") || strings.Contains(text, "old") || strings.Count(text, "12,345") != 1 {
		t.Errorf("the page is\n%s", text)
	}
}

func TestPageWithoutMarksIsRefused(t *testing.T) {
	name := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(name, []byte("a page"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := newTable(plan{}).writeDocument(name); err == nil || !strings.Contains(err.Error(), tableBegins) {
		t.Errorf("a page without marks: %v", err)
	}
}

// forger answers a question about tags otherwise.
type forger struct{ candidate[tagQuestion] }

func (f forger) ask(q tagQuestion, variant int) (string, error) {
	answer, err := f.candidate.ask(q, variant)
	return answer + "0", err
}

func (f forger) name() string { return "forger" }

func TestAQuizFailsWhereAnswersDiffer(t *testing.T) {
	set := &tagSet{rows: 200, ids: map[string]tagging.TagID{}}
	book, err := newTagBook(context.Background(), t.TempDir(), set)
	if err != nil {
		t.Fatal(err)
	}
	defer book.close()
	g := &stage{ctx: context.Background(), log: io.Discard}
	z := &quiz[tagQuestion]{stage: g, peers: []candidate[tagQuestion]{book, forger{book}}}
	if err := z.check(tagQuestions[0]); err == nil || !strings.Contains(err.Error(), "forger says") {
		t.Errorf("a wrong answer: %v", err)
	}
}

// liar answers in one place wrongly.
type liar struct {
	store
	id, code bool
	keys     lookup
	count1   int
}

func (l liar) byID(id customer.ID) (*customer.Customer, error) {
	c, err := l.store.byID(id)
	if l.id && err == nil {
		c.Addresses = nil
	}
	return c, err
}

func (l liar) byCode(code string) (*customer.Customer, error) {
	c, err := l.store.byCode(code)
	if l.code && err == nil {
		c.ID++
	}
	return c, err
}

func (l liar) holders(k key) ([]customer.ID, error) {
	ids, err := l.store.holders(k)
	if k.by == l.keys && err == nil {
		ids = append(ids, 1_000_000)
	}
	return ids, err
}

func (l liar) count() (int, error) {
	n, err := l.store.count()
	return n + l.count1, err
}

const truthful = lookup(99)

func TestWrongAnswersAreFound(t *testing.T) {
	ctx := context.Background()
	r := &round{plan: plan{rows: 300, checks: 50, seed: 1}, ctx: ctx, list: customerFile(filepath.Join(t.TempDir(), "customers"))}
	if err := r.list.write(ctx, r.seed, r.rows); err != nil {
		t.Fatal(err)
	}
	for _, c := range contestants(nil)[2:] {
		s, err := c.open(ctx, t.TempDir())
		if err == nil {
			err = s.load(r.list.all())
		}
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		r.stores = append(r.stores, &entrant{store: s, contestant: c})
	}
	if err := r.checkLoaded(); err != nil {
		t.Fatal(err)
	}
	honest := r.stores[1].store
	for name, l := range map[string]liar{
		"content":    {id: true, keys: truthful},
		"code":       {code: true, keys: truthful},
		"identifier": {keys: byIdentifier},
		"source key": {keys: bySourceKey},
		"phone":      {keys: byPhone},
		"email":      {keys: byEmail},
		"count":      {count1: -1, keys: truthful},
	} {
		l.store = honest
		r.stores[1].store = l
		if err := r.checkLoaded(); err == nil || !strings.Contains(err.Error(), r.stores[1].name) {
			t.Errorf("wrong %s: %v", name, err)
		}
	}
}

func TestRatiosAreMediansOfRounds(t *testing.T) {
	table := newTable(plan{rounds: 3})
	for _, pair := range [][2]float64{{10, 5}, {30, 10}, {12, 12}} { // 2, 3 and 1 times
		for i, figure := range pair {
			table.add(loadRate, []string{clienteleName, sqliteName}[i], figure)
			table.add(diskSize, []string{clienteleName, sqliteName}[i], figure)
		}
	}
	if got, want := table.ratio(loadRate, "SQLite"), "2.00 (1.00–3.00)"; got != want {
		t.Errorf("more is better: %s, want %s", got, want)
	}
	if got, want := table.ratio(diskSize, "SQLite"), "0.50 (0.33–1.00)"; got != want {
		t.Errorf("less is better: %s, want %s", got, want)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		figures []float64
		want    float64
	}{{nil, 0}, {[]float64{7}, 7}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 9}, 3}} {
		if got := median(c.figures); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.figures, got, c.want)
		}
	}
}

func TestGrouped(t *testing.T) {
	for want, x := range map[string]float64{"0": 0, "999": 999, "1,000": 1000, "12,345": 12345, "1,234,567": 1234567} {
		if got := grouped(x, 0); got != want {
			t.Errorf("%v is written %s", x, got)
		}
	}
	if got := grouped(1234.56, 1); got != "1,234.6" {
		t.Errorf("1234.56 is written %s", got)
	}
}

func TestWrongFlagsExplainThemselves(t *testing.T) {
	good := plan{rows: 1, rounds: 1, gets: 1, creating: 1, asking: 1}
	if err := good.check(nil); err != nil {
		t.Fatal(err)
	}
	for what, p := range map[string]plan{
		"-rows":   {rows: 10_000_000, rounds: 1, gets: 1, creating: 1},
		"-rounds": {rows: 1, gets: 1, creating: 1},
		"-for":    {rows: 1, rounds: 1, gets: 1, asking: 1},
		"-ask":    {rows: 1, rounds: 1, gets: 1, creating: 1},
		"-only":   {rows: 1, rounds: 1, gets: 1, creating: 1, asking: 1, only: []string{"load", "everything"}},
		"-stores": {rows: 1, rounds: 1, gets: 1, creating: 1, asking: 1, stores: []string{sqliteName, "Oracle"}},
	} {
		if err := p.check(nil); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%+v: %v", p, err)
		}
	}
	if err := good.check([]string{"all"}); err == nil || !strings.Contains(err.Error(), `"all"`) {
		t.Errorf("an argument: %v", err)
	}
}
