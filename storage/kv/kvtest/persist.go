package kvtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

func persistProperties() []property {
	return []property{
		{"Persist/ReopenKeepsEverything", reopenKeepsEverything},
		{"Persist/PositionsGoOn", positionsGoOn},
		{"Persist/CrashKeepsWhatWasSynced", crashKeepsWhatWasSynced},
		{"Persist/CrashTakesBackNothingShown", crashTakesBackNothingShown},
		{"Persist/CrashLosesOnlyATail", crashLosesOnlyATail},
	}
}

// An orderly Close loses nothing, relaxed commits included.
func reopenKeepsEverything(t *trial) {
	s := t.open()
	s = s.reopen() // nothing yet
	s.wantState(model{})
	r := t.random(20)
	want := model{}
	var journal []string
	for round := range 3 {
		for i := range t.times(15) {
			list := randomOps(r, 1+r.IntN(5))
			journal = append(journal, fmt.Sprintf("entry %d.%d", round, i))
			s.apply(ops(list), entry(journal[len(journal)-1]), func(b *kv.Batch) { b.Durability = kv.Durability(i % 2) })
			want.do(list...)
		}
		key := fmt.Sprint("ingested", round)
		s.ingest(kv.Load{Runs: []kv.Run{keyRun(key)}, Journal: payloads(key)})
		journal = append(journal, key)
		s.apply(set("last", key), relaxed)
		want.do(op{key: key, value: "of " + key}, op{key: "last", value: key})
		s = s.reopen()
		s.wantState(want)
		if got := s.Durable(); got != kv.Position(len(journal)) {
			t.Fatalf("Durable() is %d after a reopening, want %d", got, len(journal))
		}
		s.wantJournal(journal...)
	}
}

// Positions continue after a reopening; conditions begin anew.
func positionsGoOn(t *trial) {
	s := t.open()
	for i := range 3 {
		if at := s.apply(entry("entry")); at != kv.Position(i+1) {
			t.Fatalf("Apply returned position %d, want %d", at, i+1)
		}
		s.apply(set("a", fmt.Sprint(i))) // without an entry
		s = s.reopen()
		s.settle(func(v *view) []edit { return []edit{reads(v.Stamp(), point("a")), set("b", fmt.Sprint(i))} })
		v := s.snapshot()
		s.apply(set("a", "changed"))
		s.refuse(kv.ErrConflict, reads(v.Stamp(), point("a")))
		v.Close()
	}
	s.wantJournal("entry", "entry", "entry")
}

// crashHistory commits deeds in a row and says how many were surely durable in the end.
func crashHistory(s *subject, round int, each func(payload string)) (payloads []string, synced int) {
	s.t.Helper()
	r := s.t.random(30 + round)
	for i := range 1 + r.IntN(25) {
		payload := fmt.Sprintf("%d/%d", round, i)
		edits := []edit{ops(deeds(payload)), entry(payload)}
		payloads = append(payloads, payload)
		if r.IntN(3) > 0 {
			edits = append(edits, relaxed)
		} else {
			synced = len(payloads)
		}
		s.apply(edits...)
		if each != nil {
			each(payload)
		}
	}
	return payloads, synced
}

// afterCrash checks that at least so many of the payloads came through, and returns how many.
func afterCrash(s *subject, payloads []string, least int) int {
	s.t.Helper()
	changes := s.changes(0)
	var got []string
	for _, c := range changes {
		got = append(got, string(c.Payload))
	}
	if len(got) < least || len(got) > len(payloads) || !slices.Equal(got, payloads[:len(got)]) {
		s.t.Fatalf("after a crash the journal is %s, want at least the first %d of %s", describeStrings(got), least, describeStrings(payloads))
	}
	return len(got)
}

func crashKeepsWhatWasSynced(t *trial) {
	for round := range t.times(10) {
		s := t.open()
		id := identified(kv.NewBatchID(time.Now()))
		s.apply(id, entry("with an id"))
		payloads, synced := crashHistory(s, round, nil)
		s = s.crash()
		payloads = append([]string{"with an id"}, payloads...)
		kept := afterCrash(s, payloads, synced+1)
		if at := s.apply(id, set("again", "1")); at != 1 {
			t.Fatalf("after a crash a synced batch's id returned position %d, want 1", at)
		}
		s.wantAbsent("again")
		if at := s.apply(entry("next")); at != kv.Position(kept+1) {
			t.Fatalf("after a crash the next entry got position %d, want %d", at, kept+1)
		}
		s.close()
	}
}

// A reader of the journal never learns what a crash takes back.
func crashTakesBackNothingShown(t *trial) {
	for round := range t.times(10) {
		s := t.open()
		shown := 0
		payloads, _ := crashHistory(s, 100+round, func(string) { shown = max(len(s.changes(0)), int(s.Durable())) })
		s = s.crash()
		afterCrash(s, payloads, shown)
		s.close()
	}
}

// What a crash takes back are the last commits, whole: keys and journal agree.
func crashLosesOnlyATail(t *trial) {
	for round := range t.times(10) {
		s := t.open()
		payloads, synced := crashHistory(s, 200+round, nil)
		s = s.crash()
		afterCrash(s, payloads, synced)
		s.wantState(replay(s.changes(0)))
		if round%2 == 0 {
			s.apply(entry("next")) // and it is a whole engine again
			s.ingest(kv.Load{Runs: []kv.Run{keyRun("next")}})
			kept := len(s.changes(0))
			s = s.crash()
			afterCrash(s, append(payloads[:kept-1:kept-1], "next"), kept)
			s.want("next", "of next")
		}
		s.close()
	}
}
