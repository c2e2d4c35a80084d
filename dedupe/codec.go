package dedupe

import (
	"math"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
)

// The stored records' fields. A number is never used again for another meaning.
const (
	mergeSurvivor = 1
	mergeUndo     = 2

	undoName  = 1
	undoBytes = 2

	pairLogOdds = 1
	pairWorth   = 2
	pairVerdict = 3
	pairRun     = 4

	modelRecords = 1
	modelParts   = 2

	partContent = 1

	clusteredIn = 1

	runModel     = 1
	runCustomers = 2
	runPairs     = 3
	runNew       = 4
	runClusters  = 5
	runStoring   = 6
)

func appendMerge(dst []byte, m *MergeRecord) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.Uint(mergeSurvivor, uint64(m.Survivor))
	for i := range m.undo {
		mark := w.Begin(mergeUndo)
		w.String(undoName, m.undo[i].name)
		w.Bytes(undoBytes, m.undo[i].bytes)
		w.End(mark)
	}
	w.Raw(m.rest)
	return w.Buf, nil
}

func decodeMerge(src string, loser customer.ID, meta storage.Meta) (*MergeRecord, error) {
	m := &MergeRecord{Loser: loser, Version: meta.Version, Recorded: meta.Recorded, Actor: meta.Actor, Reason: meta.Reason}
	r := record.NewReader(src)
	for r.Next() {
		switch r.Field() {
		case mergeSurvivor:
			m.Survivor = customer.ID(r.Uint())
		case mergeUndo:
			m.undo = append(m.undo, readUndo(&r))
		default:
			r.Skip()
		}
	}
	m.rest = r.Unknown()
	return m, r.Err()
}

func readUndo(outer *record.Reader) (u undo) {
	r := record.NewReader(outer.String())
	for r.Next() {
		switch r.Field() {
		case undoName:
			u.name = r.String()
		case undoBytes:
			u.bytes = []byte(r.String())
		}
	}
	if r.Err() != nil {
		outer.Fail(r.Err())
	}
	return u
}

func appendPair(dst []byte, p *Pair) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.Uint(pairLogOdds, math.Float64bits(p.LogOdds))
	w.Uint(pairWorth, math.Float64bits(p.Worth))
	w.Uint(pairVerdict, uint64(p.Verdict))
	w.Uint(pairRun, p.Run)
	w.Raw(p.rest)
	return w.Buf, nil
}

func decodePair(src string, k pairKey, meta storage.Meta) (*Pair, error) {
	p := &Pair{A: k.a, B: k.b, Version: meta.Version, Recorded: meta.Recorded, Actor: meta.Actor, Reason: meta.Reason}
	r := record.NewReader(src)
	for r.Next() {
		switch r.Field() {
		case pairLogOdds:
			p.LogOdds = math.Float64frombits(r.Uint())
		case pairWorth:
			p.Worth = math.Float64frombits(r.Uint())
		case pairVerdict:
			p.Verdict = Verdict(r.Uint())
		case pairRun:
			p.Run = r.Uint()
		default:
			r.Skip()
		}
	}
	p.rest = r.Unknown()
	return p, r.Err()
}

func appendModel(dst []byte, v *ModelVersion) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.Uint(modelRecords, uint64(v.Records))
	w.Uint(modelParts, uint64(v.Parts))
	w.Raw(v.rest)
	return w.Buf, nil
}

func decodeModel(src string, version uint64, meta storage.Meta) (*ModelVersion, error) {
	v := &ModelVersion{Version: version, Recorded: meta.Recorded, Actor: meta.Actor, Reason: meta.Reason}
	r := record.NewReader(src)
	for r.Next() {
		switch r.Field() {
		case modelRecords:
			v.Records = int(r.Uint())
		case modelParts:
			v.Parts = int(r.Uint())
		default:
			r.Skip()
		}
	}
	v.rest = r.Unknown()
	return v, r.Err()
}

func appendPart(dst []byte, p *modelPart) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.Bytes(partContent, p.bytes)
	return w.Buf, nil
}

func decodePart(src string, _ partKey, _ storage.Meta) (*modelPart, error) {
	p := &modelPart{}
	r := record.NewReader(src)
	for r.Next() {
		if r.Field() == partContent {
			p.bytes = []byte(r.String())
		}
	}
	return p, r.Err()
}

func appendClustered(dst []byte, m *clustered) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.Uint(clusteredIn, uint64(m.cluster))
	return w.Buf, nil
}

func decodeClustered(src string, id customer.ID, _ storage.Meta) (*clustered, error) {
	m := &clustered{customer: id}
	r := record.NewReader(src)
	for r.Next() {
		if r.Field() == clusteredIn {
			m.cluster = ClusterID(r.Uint())
		}
	}
	return m, r.Err()
}

func appendRun(dst []byte, run *RunRecord) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.Uint(runModel, run.Model)
	w.Uint(runCustomers, uint64(run.Customers))
	w.Uint(runPairs, uint64(run.Pairs))
	w.Uint(runNew, uint64(run.New))
	w.Uint(runClusters, uint64(run.Clusters))
	if run.storing {
		w.Uint(runStoring, 1)
	}
	w.Raw(run.rest)
	return w.Buf, nil
}

func decodeRun(src string, id uint64, meta storage.Meta) (*RunRecord, error) {
	run := &RunRecord{Run: id, Recorded: meta.Recorded, Actor: meta.Actor, Reason: meta.Reason}
	r := record.NewReader(src)
	for r.Next() {
		switch r.Field() {
		case runModel:
			run.Model = r.Uint()
		case runCustomers:
			run.Customers = int(r.Uint())
		case runPairs:
			run.Pairs = int(r.Uint())
		case runNew:
			run.New = int(r.Uint())
		case runClusters:
			run.Clusters = int(r.Uint())
		case runStoring:
			run.storing = r.Uint() != 0
		default:
			r.Skip()
		}
	}
	run.rest = r.Unknown()
	return run, r.Err()
}
