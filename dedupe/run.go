package dedupe

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe/match"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// ClusterID numbers clusters from 1. A cluster keeps its number from run to run as long
// as most of its customers stay together.
type ClusterID uint64

// RunOptions set how a run goes. The zero value works.
type RunOptions struct {
	// Model scores the pairs; nil trains one from the book, which is kept for Candidates
	// and later runs.
	Model *match.Model
	// Checkpoint names a file in which the run notes what it has done. Run again over an
	// unchanged book, one that was ended or killed goes on from there, and ends with the
	// same result. A run that ends well removes it. Empty notes nothing. The file tells of
	// customers no more than which of them are alike.
	Checkpoint string
	// Memory bounds the bytes that the keys of the run, and then its pairs, may take beside
	// the records; what doesn't fit goes to temporary files. 0 is 2 GiB.
	Memory int64
	// TempDir is the folder for temporary files; empty is [os.TempDir]. They hold hashes and
	// the numbers of rows, and go with the run however it ends.
	TempDir string
	// OneToOne is for [Store.Link]: no row has two customers and no customer two rows.
	OneToOne bool
	// Workers is how many goroutines share the work; 0 is one for each processor.
	Workers int
	// Progress is called now and then by one goroutine at a time.
	Progress func(match.Progress)
}

// RunRecord is what the book keeps of a run.
type RunRecord struct {
	Run       uint64
	Model     uint64 // version that it used, 0 for one that was given
	Customers int
	Pairs     int // found, same or possible
	New       int // of these, new in the queue or with a new score
	Clusters  int
	Recorded  time.Time
	Actor     string
	Reason    string

	storing bool // until all that it found is stored
	rest    string
}

// RunResult is what a run found.
type RunResult struct {
	RunRecord
	// Groups are the customers that are one, by cluster, ascending; each has at least two.
	Groups []Group
	Match  *match.Result
}

// Group is one cluster: customers that are likely one.
type Group struct {
	Cluster ClusterID
	Members []customer.ID // ascending
}

// runBatch bounds one transaction of a run's result.
const runBatch = 500

// Run looks for duplicates through the whole book, of customers in the statuses Active,
// Suspended and Archived: it trains a model, scores, and stores what it found: the model
// as a new version, the pairs in the review queue, the clusters. What people have decided
// is forced, and the model kept has learned from it. The result depends on the book alone. It reads one state of the book, and
// stores its result in transactions of some hundred pairs: ended by ctx or a crash, it is
// run again, and what is stored already stays; with [RunOptions.Checkpoint] it goes on where
// it was.
//
// It needs the right to review everything: the job must be of a session that sees the
// whole book and all fields that are compared, or fails with ErrDenied.
func (s *Store) Run(ctx context.Context, job Job, opts RunOptions) (*RunResult, error) {
	judged, err := s.mayRun(ctx, job)
	if err != nil {
		return nil, err
	}
	o := s.matchOptions()
	opts.apply(&o)
	o.Judged = judged
	found, err := match.Run(ctx, o, s.records(ctx, job))
	if err != nil {
		return nil, err
	}
	if opts.Model == nil {
		if found.Model, err = s.learn(ctx, job, found.Model); err != nil {
			return nil, err
		}
	}
	run := &RunResult{Match: found}
	run.Customers, run.Pairs, run.Clusters = len(found.IDs), len(found.Pairs), len(found.Clusters)
	ids, err := customerIDs(found.IDs)
	if err != nil {
		return nil, err
	}
	if err := s.beginRun(ctx, job, run, opts.Model == nil); err != nil {
		return nil, err
	}
	if err := s.storePairs(ctx, job, run, ids); err != nil {
		return nil, err
	}
	if err := s.dropStale(ctx, job, run); err != nil {
		return nil, err
	}
	if err := s.storeClusters(ctx, job, run, ids); err != nil {
		return nil, err
	}
	run.storing = false
	if err := job.update(ctx, func(tx *Tx) error { return tx.putRun(&run.RunRecord, RunEnded) }); err != nil {
		return nil, err
	}
	return run, match.RemoveCheckpoint(opts.Checkpoint)
}

// apply sets the options of package match that are a run's own.
func (opts *RunOptions) apply(o *match.Options) {
	o.Model, o.OneToOne, o.Checkpoint = opts.Model, opts.OneToOne, opts.Checkpoint
	o.Memory, o.TempDir = opts.Memory, opts.TempDir
	o.Workers, o.Progress = opts.Workers, opts.Progress
}

// matchOptions are the options of package match that follow from the book's.
func (s *Store) matchOptions() match.Options {
	return match.Options{Schema: schema(s.fields), Country: s.opts.Country, Comparators: s.opts.Comparators}
}

// mayRun checks the session and returns what people have decided.
func (s *Store) mayRun(ctx context.Context, job Job) (judged []match.Judgement, err error) {
	err = job.view(ctx, func(r *Reader) (err error) {
		if err := r.wholeBook(); err != nil {
			return err
		}
		judged, err = r.judged()
		return err
	})
	return judged, err
}

// wholeBook reports a session that may not review every customer, or from which a field
// that is compared is hidden: who is found would tell what stands in it.
func (r *Reader) wholeBook() error {
	if err := r.customers.PermitAll(customer.RightReview, customer.Identity); err != nil {
		return err
	}
	access := r.customers.Access()
	if access == nil {
		return nil
	}
	if access.Within() != nil {
		return &Error{Op: "run", Field: "Session", Remedy: "run it in a session that sees the whole book, such as the book's own", Err: ErrDenied}
	}
	for _, f := range r.store.fields {
		for _, hidden := range f.masks() {
			if access.WithinUnmasked(hidden) != nil {
				return &Error{Op: "run", Field: "Session", Value: hidden, Remedy: "run it in a session from which no field that is compared is hidden, such as the book's own", Err: ErrDenied}
			}
		}
	}
	return nil
}

// records yields the customers of one state as package match takes them.
func (s *Store) records(ctx context.Context, job Job) iter.Seq2[match.Record, error] {
	return func(yield func(match.Record, error) bool) {
		stopped := false
		err := job.view(ctx, func(r *Reader) error {
			list := customer.List{Statuses: []customer.Status{customer.Active, customer.Suspended, customer.Archived}}
			for c, err := range r.all().List(list) {
				if err != nil {
					return err
				}
				if !yield(recordOf(s.fields, c), nil) {
					stopped = true
					return nil
				}
			}
			return nil
		})
		if err != nil && !stopped {
			yield(match.Record{}, err)
		}
	}
}

func customerIDs(texts []string) ([]customer.ID, error) {
	ids := make([]customer.ID, len(texts))
	for i, t := range texts {
		n, err := strconv.ParseUint(t, 10, 64)
		if err != nil {
			return nil, err
		}
		ids[i] = customer.ID(n)
	}
	return ids, nil
}

// beginRun gives the run its number, for good by storing it, and keeps its model.
func (s *Store) beginRun(ctx context.Context, job Job, run *RunResult, trained bool) error {
	return job.update(ctx, func(tx *Tx) (err error) {
		if run.Run, err = s.runIDs.Next(tx.tx, nil); err != nil {
			return err
		}
		if trained {
			if run.Model, err = tx.saveModel(run.Match.Model, run.Customers); err != nil {
				return err
			}
		}
		run.storing = true
		return tx.putRun(&run.RunRecord, RunBegan)
	})
}

// storePairs puts what was found into the queue.
func (s *Store) storePairs(ctx context.Context, job Job, run *RunResult, ids []customer.ID) error {
	pairs := run.Match.Pairs
	for at := 0; at < len(pairs); at += runBatch {
		part := pairs[at:min(at+runBatch, len(pairs))]
		fresh := 0
		err := job.update(ctx, func(tx *Tx) error {
			fresh = 0
			for _, p := range part {
				added, err := tx.noteStanding(ids[p.A], ids[p.B], float64(p.LogOdds), run.Run)
				if err != nil {
					return err
				}
				if added {
					fresh++
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		run.New += fresh
		job.progress(at+len(part), len(pairs))
	}
	return nil
}

// noteStanding is note unless one of the two was erased or merged while the run went on.
func (tx *Tx) noteStanding(a, b customer.ID, logOdds float64, run uint64) (bool, error) {
	for _, id := range []customer.ID{a, b} {
		c, err := tx.all().Exact(id)
		if err != nil {
			return false, err
		}
		if c.Status > customer.Archived {
			return false, nil
		}
	}
	return tx.note(a, b, logOdds, run)
}

// dropStale takes out of the queue what this run didn't find any more and people never
// decided.
func (s *Store) dropStale(ctx context.Context, job Job, run *RunResult) error {
	found := map[pairKey]bool{}
	ids, err := customerIDs(run.Match.IDs)
	if err != nil {
		return err
	}
	for _, p := range run.Match.Pairs {
		found[keyOf(ids[p.A], ids[p.B])] = true
	}
	var stale []pairKey
	err = job.view(ctx, func(r *Reader) error {
		for p, err := range s.pair.Records(r.storage, kv.Range{}, false) {
			if err != nil {
				return err
			}
			if p.Verdict == Undecided && p.Run != 0 && p.Run < run.Run && !found[keyOf(p.A, p.B)] {
				stale = append(stale, keyOf(p.A, p.B))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for part := range slices.Chunk(stale, runBatch) {
		err := job.update(ctx, func(tx *Tx) error {
			for _, k := range part {
				p, err := s.pair.Get(tx.storage, k)
				if isNotFound(err) || err == nil && p.Verdict != Undecided {
					continue
				}
				if err == nil {
					err = s.pair.Delete(tx.tx, k, uint8(Found))
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// storeClusters numbers the clusters and keeps which customer is in which.
func (s *Store) storeClusters(ctx context.Context, job Job, run *RunResult, ids []customer.ID) error {
	former, err := s.formerClusters(ctx, job)
	if err != nil {
		return err
	}
	groups := make([]Group, len(run.Match.Clusters))
	for i, rows := range run.Match.Clusters {
		for _, row := range rows {
			groups[i].Members = append(groups[i].Members, ids[row])
		}
		slices.Sort(groups[i].Members)
	}
	slices.SortFunc(groups, func(a, b Group) int { return cmp.Compare(a.Members[0], b.Members[0]) })
	inherit(groups, former)
	if err := s.numberGroups(ctx, job, groups); err != nil {
		return err
	}
	now := map[customer.ID]ClusterID{}
	for _, g := range groups {
		for _, id := range g.Members {
			now[id] = g.Cluster
		}
	}
	run.Groups = groups
	slices.SortFunc(run.Groups, func(a, b Group) int { return cmp.Compare(a.Cluster, b.Cluster) })
	return s.writeClusters(ctx, job, former, now)
}

// formerClusters reads who was in which cluster.
func (s *Store) formerClusters(ctx context.Context, job Job) (map[customer.ID]ClusterID, error) {
	former := map[customer.ID]ClusterID{}
	err := job.view(ctx, func(r *Reader) error {
		for m, err := range s.cluster.Records(r.storage, kv.Range{}, false) {
			if err != nil {
				return err
			}
			former[m.customer] = m.cluster
		}
		return nil
	})
	return former, err
}

// inherit gives each group the number of the former cluster with which it has most
// customers in common, each number once, the largest overlap first.
func inherit(groups []Group, former map[customer.ID]ClusterID) {
	type claim struct {
		group, common int
		cluster       ClusterID
	}
	var claims []claim
	for i, g := range groups {
		common := map[ClusterID]int{}
		for _, id := range g.Members {
			if c := former[id]; c != 0 {
				common[c]++
			}
		}
		for c, n := range common {
			claims = append(claims, claim{i, n, c})
		}
	}
	slices.SortFunc(claims, func(a, b claim) int {
		return cmp.Or(cmp.Compare(b.common, a.common), cmp.Compare(a.cluster, b.cluster), cmp.Compare(a.group, b.group))
	})
	taken := map[ClusterID]bool{}
	for _, c := range claims {
		if groups[c.group].Cluster == 0 && !taken[c.cluster] {
			groups[c.group].Cluster, taken[c.cluster] = c.cluster, true
		}
	}
}

// numberGroups numbers the groups that have no number yet.
func (s *Store) numberGroups(ctx context.Context, job Job, groups []Group) error {
	var fresh []int
	for i := range groups {
		if groups[i].Cluster == 0 {
			fresh = append(fresh, i)
		}
	}
	for part := range slices.Chunk(fresh, 10*runBatch) {
		err := job.update(ctx, func(tx *Tx) error {
			for _, i := range part {
				n, err := s.clusterIDs.Next(tx.tx, nil)
				if err != nil {
					return err
				}
				groups[i].Cluster = ClusterID(n)
				// A number is given out for good by the transaction that stores it.
				if err := tx.setCluster(groups[i].Members[0], groups[i].Cluster); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// writeClusters stores what has changed.
func (s *Store) writeClusters(ctx context.Context, job Job, former, now map[customer.ID]ClusterID) error {
	var changed []customer.ID
	for id, c := range now {
		if former[id] != c {
			changed = append(changed, id)
		}
	}
	for id := range former {
		if now[id] == 0 {
			changed = append(changed, id)
		}
	}
	slices.Sort(changed)
	for part := range slices.Chunk(changed, runBatch) {
		err := job.update(ctx, func(tx *Tx) error {
			for _, id := range part {
				if err := tx.setCluster(id, now[id]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) setCluster(id customer.ID, c ClusterID) error {
	if c != 0 {
		return tx.store.cluster.Put(tx.tx, id, &clustered{id, c}, uint8(Found))
	}
	found, err := tx.store.cluster.Has(tx.storage, id)
	if err != nil || !found {
		return err
	}
	return tx.store.cluster.Delete(tx.tx, id, uint8(Found))
}

func (tx *Tx) putRun(run *RunRecord, action Action) error {
	session := tx.tx.Session()
	run.Recorded, run.Actor, run.Reason = tx.tx.Now(), session.Actor, session.Reason
	return tx.store.run.Put(tx.tx, run.Run, run, uint8(action))
}

// Runs yields the runs that ended, the last first. It needs the right to review.
func (r *Reader) Runs() iter.Seq2[*RunRecord, error] {
	return func(yield func(*RunRecord, error) bool) {
		if err := r.customers.PermitAll(customer.RightReview, customer.Identity); err != nil {
			yield(nil, err)
			return
		}
		for run, err := range r.store.run.Records(r.storage, kv.Range{}, true) {
			if err == nil && run.storing {
				continue
			}
			if !yield(run, err) || err != nil {
				return
			}
		}
	}
}

// ClusterOf returns the cluster in which the last run left a customer, 0 for none.
func (r *Reader) ClusterOf(id customer.ID) (ClusterID, error) {
	if err := r.visible(id); err != nil {
		return 0, err
	}
	m, err := r.store.cluster.Get(r.storage, id)
	if isNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return m.cluster, nil
}

// Members returns the customers that the last run left in a cluster, as far as the
// session sees them, ascending.
func (r *Reader) Members(c ClusterID) ([]customer.ID, error) {
	prefix := storage.Key(nil).Uint(uint64(c))
	var ids []customer.ID
	for e, err := range r.store.cluster.Entries(r.storage, r.store.byCluster, kv.Prefix(prefix), false) {
		if err != nil {
			return nil, err
		}
		id, err := e.Primary(e.Key()[len(prefix):])
		if err != nil {
			return nil, err
		}
		switch seen, err := r.customers.Visible(id); {
		case err != nil:
			return nil, err
		case seen:
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// clustered is one customer's place in a cluster.
type clustered struct {
	customer customer.ID
	cluster  ClusterID
}
