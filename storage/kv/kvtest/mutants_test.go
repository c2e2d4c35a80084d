package kvtest

import (
	"strings"
	"testing"
	"time"
)

// mutant is a wrong engine, and the property that says what is wrong about it.
type mutant struct {
	fault    string
	property string
	harness  Harness
}

func TestEveryMutantIsCaught(t *testing.T) {
	if testing.Short() {
		t.Skip("the suite is quicker with -short, and misses more")
	}
	for _, m := range mutants() {
		t.Run(m.property+" "+m.fault, func(t *testing.T) {
			m.harness.patience = 200 * time.Millisecond
			err := Check(m.harness, m.property)
			if err == nil {
				t.Fatalf("%s holds for an engine in which %s", m.property, m.fault)
			}
			t.Log(err)
			if strings.Contains(err.Error(), "panic:") {
				t.Fatalf("%s panics on an engine in which %s: %v", m.property, m.fault, err)
			}
		})
	}
}

// A property that no wrong engine fails proves nothing.
func TestEveryPropertyCatchesAMutant(t *testing.T) {
	catches := map[string]bool{}
	for _, m := range mutants() {
		catches[m.property] = true
	}
	for _, p := range properties() {
		if !catches[p.name] {
			t.Errorf("%s has no mutant that fails it", p.name)
		}
	}
}

func TestFailureTellsTheStepsBefore(t *testing.T) {
	for _, m := range mutants() {
		if m.fault != "ranges are not checked" {
			continue
		}
		err := Check(m.harness, "Condition/ConflictOnRange")
		for _, want := range []string{"Condition/ConflictOnRange", "want an error that wraps", "after these steps:", "take a snapshot", "if unchanged since"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the failure is\n%v\nand doesn't say %q", err, want)
			}
		}
		return
	}
	t.Fatal("no mutant without range checks")
}

func mutants() []mutant {
	var all []mutant
	for _, group := range [][]mutant{
		readMutants(), snapshotMutants(), mergeMutants(), batchMutants(), conditionMutants(), transactionMutants(),
		retryMutants(), journalMutants(), ingestMutants(), persistMutants(), copyMutants(), lifeMutants(), historyMutants(),
	} {
		all = append(all, group...)
	}
	return all
}

func wrong(property, fault string, inject func(*faulty)) mutant {
	return mutant{fault, property, faultyHarness(inject)}
}
