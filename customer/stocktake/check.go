package stocktake

import (
	"errors"
	"slices"
	"sync"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// The codes of the checks that a definition may ask for.
const (
	checkFields   = "fields"   // reads every counted record: some 10 µs each on one core
	checkStale    = "stale"    // reads the journal of the stale months
	checkSuspects = "suspects" // reads the review queue
	checkInactive = "inactive" // reads all counts of events and figures of receivables

	// Those that are always made.
	checkNoOwner = "no_owner"
	checkNoRep   = "no_rep"
	checkNoPlace = "no_place"
	checkOpening = "opening" // when an earlier run ended where this one begins
)

// CheckCodes returns the codes that Definition.Checks may name.
func CheckCodes() []string {
	return []string{checkFields, checkInactive, checkStale, checkSuspects}
}

// termCheck begins the names of the terms that are a check's findings.
const termCheck = "check."

var checkTexts = map[string]struct{ title, explanation customer.Names }{
	checkFields: {
		names("Missing or invalid fields", "字段缺失或无效"),
		names("Records that would be refused if they were entered today: a required field is missing, or a value doesn't fit its form.", "按现行规则录入会被拒绝的记录：缺少必填项，或取值不合规。"),
	},
	checkStale: {
		names("Stale records", "长期未更新"),
		names("Records that nobody has changed for the number of months that the definition states.", "在定义所设月数内无人更新的记录。"),
	},
	checkSuspects: {
		names("Suspected duplicates still open", "疑似重复未处理"),
		names("Customers in a pair of the review queue that nobody has decided: the count may be too high by one for each pair.", "审核队列中尚未判定的疑似重复：每一对都可能使盘点数多计一户。"),
	},
	checkInactive: {
		names("Customers without any transaction", "无业务往来"),
		names("Counted customers with no event up to the end of the last complete month, and no invoice, payment or other document up to the closing.", "截至上一完整月末没有任何业务记录、且截至期末没有任何开票、收款等单据的客户。"),
	},
	checkNoOwner: {names("No owning unit", "没有所属组织"), names("Customers that belong to no unit of the organisation.", "不属于任何组织的客户。")},
	checkNoRep:   {names("No sales representative", "没有业务员"), names("Customers that no representative looks after.", "没有业务员负责的客户。")},
	checkNoPlace: {names("No province", "缺少省份"), names("Customers whose first address, if any, names no province.", "首个地址没有省份的客户。")},
	checkOpening: {
		names("Opening differs from the earlier closing", "期初与上次期末不符"),
		names("Customers that count at this opening and didn't at the closing of the earlier run, or the other way round. What the definition filters by may have been erased or redefined since.", "在本期期初与上次期末之间口径不一致的客户；可能因筛选内容已被删除或重新定义。"),
	},
}

// bases are the axes that checks look at, whether tables are made by them or not.
var bases = []struct{ code, check string }{{"owner", checkNoOwner}, {"rep", checkNoRep}, {"province", checkNoPlace}}

// check makes the checks.
func (c *count) check() error {
	for _, base := range bases {
		c.found(base.check, Note, c.missing[base.code], nil)
	}
	for _, step := range []struct {
		code string
		make func() error
	}{{checkFields, c.checkFields}, {checkStale, c.checkStale}, {checkSuspects, c.checkSuspects}, {checkInactive, c.checkInactive}} {
		if !slices.Contains(c.def.Checks, step.code) {
			continue
		}
		if err := step.make(); err != nil {
			return err
		}
	}
	if err := c.checkOpening(); err != nil {
		return err
	}
	return c.findUnusual()
}

// closing is who counts at the end.
func (c *count) closing() *bitset.Set { return c.counted[len(c.counted)-1] }

// found adds a check's finding.
func (c *count) found(code string, severity Severity, set *bitset.Set, note func(customer.ID) string) {
	text := checkTexts[code]
	x := Check{Code: code, Title: text.title, Explanation: text.explanation, Severity: severity, Count: set.Len(), Of: c.closing().Len()}
	for id := range set.All() {
		if len(x.Sample) == MaxSample {
			break
		}
		s := Sample{ID: customer.ID(id)}
		if note != nil {
			s.Note = note(s.ID)
		}
		x.Sample = append(x.Sample, s)
	}
	c.result.Checks = append(c.result.Checks, x)
	c.terms[termCheck+code] = set
}

func (c *count) checkStale() error {
	stale := c.closing().Clone()
	stale.AndNot(c.journal.recent)
	c.found(checkStale, Note, stale, nil)
	return nil
}

func (c *count) checkSuspects() error {
	open, err := c.beside.Suspects.Suspected(c.universe)
	if err != nil {
		return err
	}
	open.And(c.closing())
	c.found(checkSuspects, Warning, open, nil)
	return nil
}

func (c *count) checkInactive() error {
	never := c.closing().Clone()
	never.AndNot(c.traders)
	c.found(checkInactive, Note, never, nil)
	return nil
}

// checkFields looks at every counted record, on all cores.
func (c *count) checkFields() error {
	schema, err := c.all.Schema()
	if err != nil {
		return err
	}
	versions := map[uint64]uint64{}
	for _, p := range c.past.placed {
		if p.from >= 0 {
			versions[p.id] = p.closing
		}
	}
	workers := c.session.Stocktakes.opts.Workers
	found, errs := make([]map[customer.ID]string, workers), make([]error, workers)
	sets := emptySets(workers)
	var group sync.WaitGroup
	for w := range workers {
		found[w] = map[customer.ID]string{}
		group.Go(func() {
			errs[w] = c.session.Storage.View(c.ctx, func(r *storage.Reader) error {
				v, err := c.newView(int32(w), r)
				if err != nil {
					return err
				}
				return v.checkShare(w, workers, versions, schema, sets[w], found[w])
			})
		})
	}
	group.Wait()
	all, notes := &bitset.Set{}, map[customer.ID]string{}
	for w := range workers {
		all.Or(sets[w])
		for id, note := range found[w] {
			notes[id] = note
		}
	}
	c.found(checkFields, Problem, all, func(id customer.ID) string { return notes[id] })
	return errors.Join(errs...)
}

// checkShare looks at a worker's share of the counted: every so many chunks.
func (v *view) checkShare(w, workers int, versions map[uint64]uint64, schema *customer.Schema, into *bitset.Set, notes map[customer.ID]string) error {
	hidden := v.reader.customers.Access()
	for n := uint64(w); n < v.closing().Chunks(); n += uint64(workers) {
		for low := range chunkOf(v.closing(), n).All() {
			id := n*bitset.ChunkSize + uint64(low)
			if id%256 == 0 && v.ctx.Err() != nil {
				return v.ctx.Err()
			}
			version, changed := versions[id]
			if !changed {
				version = present
			}
			s, err := v.state(id, version, present)
			if err != nil {
				return err
			}
			note := ""
			if !s.gone {
				note = fault(v.session.Customers, s.customer, schema)
			}
			if note == "" {
				continue
			}
			into.Add(id)
			if hidden != nil {
				note = "" // the field may be one that the session doesn't see
			}
			if len(notes) < MaxSample {
				notes[customer.ID(id)] = note
			}
		}
	}
	return nil
}

// fault is what is wrong with a record first, without its value; empty when it is well.
func fault(customers *customer.Store, c *customer.Customer, schema *customer.Schema) string {
	_, err := customers.Check(c.Draft(), schema)
	var wrong *customer.ValidationError
	if !errors.As(err, &wrong) || len(wrong.Problems) == 0 {
		return ""
	}
	return wrong.Problems[0].Field + ": " + string(wrong.Problems[0].Code)
}

// checkOpening compares the opening with the closing of the run that ended there.
func (c *count) checkOpening() error {
	if c.def.Version == 0 || c.reader.mayRead() != nil {
		return nil
	}
	var earlier *Run
	for run, err := range c.reader.RunsOf(c.def.Name) {
		if err != nil {
			return err
		}
		if run.Closing.Time.Equal(c.result.Opening.Time) {
			earlier = run
		}
	}
	if earlier == nil {
		return nil
	}
	differing, err := c.reader.membersOf(earlier.Digest, termClosing)
	if err != nil {
		return err
	}
	both := differing.Clone()
	both.And(c.counted[0])
	differing.Or(c.counted[0])
	differing.AndNot(both)
	c.found(checkOpening, Warning, differing, nil)
	return nil
}

// sumAging sums up what the counted owed at the closing.
func (c *count) sumAging() error {
	if !c.def.Aging {
		return nil
	}
	of := c.closing()
	if access := c.reader.customers.Access(); access != nil {
		if shown := access.WithinUnmasked("item"); shown != nil {
			of = of.Clone()
			if err := of.Keep(shown); err != nil {
				return err
			}
		}
	}
	var err error
	c.result.Aging, err = c.beside.Receivables.Aging(c.instantAt(len(c.counted)-1), of)
	return err
}
