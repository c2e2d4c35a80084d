package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clientele-go/clientele/customer"
)

// plan is what is run.
type plan struct {
	rows, rounds, gets int
	checks             int           // customers whose answers are compared, in each store
	creating           time.Duration // how long single creates are measured
	asking             time.Duration // how long one store is asked one question, in a round
	dir                string
	seed               uint64
	only               []string // kinds of work, empty for all
	stores             []string // who takes part beside Clientele, empty for all
	profile            string   // a file's name, or empty
	json               string   // a file's name, or empty
	write              string   // a file's name, or empty
}

// kinds are what -only chooses from: the kinds of work, in their order.
var kinds = []string{"load", "get", "duplicates", "create", "search", "tags", "aging"}

// does reports whether a kind of work is to be done.
func (p plan) does(kind string) bool { return len(p.only) == 0 || slices.Contains(p.only, kind) }

// admits reports whether a store takes part. Clientele does, whom the others are compared with.
func (p plan) admits(name string) bool {
	return len(p.stores) == 0 || name == clienteleName || slices.Contains(p.stores, name)
}

// run runs all rounds in a directory of its own and prints the table to out, and
// what it is doing to log.
func (p plan) run(ctx context.Context, out, log io.Writer) (err error) {
	dir, err := os.MkdirTemp(p.dir, "clientele-peers-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	g := &stage{plan: p, ctx: ctx, log: log, table: newTable(p), list: customerFile(filepath.Join(dir, "customers"))}
	fmt.Fprintln(log, "making the customers")
	if err := g.list.write(ctx, p.seed, p.rows); err != nil {
		return err
	}
	cluster, err := g.startPostgres(filepath.Join(dir, "pg"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.stop()) }()
	g.engines = slices.DeleteFunc(engines(cluster), func(e *engine) bool { return !p.admits(e.name) })
	if err := g.customers(dir, cluster); err != nil {
		return err
	}
	for _, s := range []struct {
		kind string
		run  func(*stage) error
	}{{"search", runSearch}, {"tags", runTags}, {"aging", runAging}} {
		if err := g.section(s.kind, filepath.Join(dir, s.kind), s.run); err != nil {
			return err
		}
	}
	return g.table.publish(out)
}

// startPostgres starts a cluster, if there is one and it takes part; without, it is nil.
func (g *stage) startPostgres(dir string) (*postgres, error) {
	if !g.admits(postgresName) {
		return nil, nil
	}
	cluster, err := startPostgres(g.ctx, dir)
	if errors.Is(err, errNoPostgres) {
		g.table.absent[postgresName] = err.Error()
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL: %w", err)
	}
	return cluster, nil
}

// section runs a quiz in a directory of its own.
func (g *stage) section(kind, dir string, run func(*stage) error) error {
	if !g.does(kind) {
		return nil
	}
	fmt.Fprintln(g.log, kind)
	own := *g
	own.dir = dir
	return errors.Join(run(&own), os.RemoveAll(dir))
}

// customers runs the rounds of stores of customers.
func (g *stage) customers(dir string, cluster *postgres) error {
	if !slices.ContainsFunc(kinds[:4], g.does) {
		return nil
	}
	admitted := slices.DeleteFunc(contestants(cluster), func(c contestant) bool { return !g.admits(c.name) })
	for n := range g.rounds {
		r := &round{plan: g.plan, ctx: g.ctx, log: g.log, table: g.table, list: g.list, dir: filepath.Join(dir, strconv.Itoa(n)), contestants: admitted}
		fmt.Fprintf(g.log, "round %d of %d\n", n+1, g.rounds)
		if err := r.run(n); err != nil {
			return err
		}
	}
	return nil
}

// publish prints the table, and writes it where the plan says.
func (t *table) publish(out io.Writer) error {
	err := t.print(out)
	if t.plan.json != "" {
		err = errors.Join(err, t.writeJSON(t.plan.json))
	}
	if t.plan.write != "" {
		err = errors.Join(err, t.writeDocument(t.plan.write))
	}
	return err
}

// at returns the customer at an index from 0 on.
func (p plan) at(index int) *customer.Customer { return sampleCustomer(p.seed, index) }

// round is one run of everything on every store.
type round struct {
	plan
	ctx    context.Context
	log    io.Writer
	table  *table
	list   customerFile
	dir    string
	stores []*entrant

	contestants []contestant
}

// entrant is a contestant's store in a round.
type entrant struct {
	store
	contestant
	dir     string
	created atomic.Int64
}

// run lets the stores take turns at each kind of work, every other round in reverse.
func (r *round) run(n int) (err error) {
	defer func() {
		for _, s := range r.stores {
			err = errors.Join(err, s.close())
		}
		err = errors.Join(err, os.RemoveAll(r.dir))
	}()
	for _, c := range r.contestants {
		s := &entrant{contestant: c, dir: filepath.Join(r.dir, c.name)}
		if err := os.MkdirAll(s.dir, 0o755); err != nil {
			return err
		}
		if s.store, err = c.open(r.ctx, s.dir); err != nil {
			return fmt.Errorf("%s: open: %w", c.name, err)
		}
		r.stores = append(r.stores, s)
	}
	if n%2 == 1 {
		slices.Reverse(r.stores)
	}
	for _, step := range []struct {
		kind string
		run  func() error
	}{
		{"load", func() error { return r.each("load", r.load) }}, // always: the others need it
		{"", r.checkLoaded},
		{"get", func() error { return r.each("get", r.get) }},
		{"duplicates", r.checkRepeated},
		{"duplicates", func() error { return r.each("duplicates", r.repeated) }},
		{"create", func() error { return r.each("create", r.create) }},
		{"create", r.checkCreated},
	} {
		if step.kind != "" && step.kind != "load" && !r.does(step.kind) {
			continue
		}
		if err := step.run(); err != nil {
			return err
		}
	}
	return nil
}

// each lets every store do a kind of work, one after another.
func (r *round) each(what string, work func(*entrant) error) error {
	for _, s := range r.stores {
		fmt.Fprintf(r.log, "  %s: %s\n", what, s.name)
		runtime.GC() // nobody pays for the one before
		if err := work(s); err != nil {
			return fmt.Errorf("%s: %s: %w", s.name, what, err)
		}
	}
	return nil
}

func (r *round) load(s *entrant) (err error) {
	if r.profile != "" && s.name == clienteleName {
		stop, err := profile(r.profile)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	begin, cpu := time.Now(), processorTime()
	if err := s.load(r.list.all()); err != nil {
		return err
	}
	rows := float64(r.rows)
	r.table.add(loadRate, s.name, rows/time.Since(begin).Seconds())
	if err := s.settle(); err != nil {
		return err
	}
	if !s.elsewhere {
		r.table.add(loadProcessor, s.name, float64((processorTime()-cpu).Microseconds())/rows)
	}
	if err := s.compact(); err != nil {
		return err
	}
	size, err := s.size(s.dir)
	r.table.add(diskSize, s.name, float64(size)/rows)
	return err
}

// profile writes where the processor's time goes to a file, until it is stopped.
func profile(name string) (stop func() error, err error) {
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, nil
}

// get measures lookups of customers drawn at random, the same ones for every store.
func (r *round) get(s *entrant) error {
	draw := rand.New(rand.NewPCG(r.seed, 0))
	all := make([]wanted, r.gets)
	for i := range all {
		index := draw.IntN(r.rows)
		all[i] = wanted{customer.ID(index + 1), r.at(index).Code}
	}
	byID := func(from reader, w wanted) (*customer.Customer, error) { return from.byID(w.id) }
	byCode := func(from reader, w wanted) (*customer.Customer, error) { return from.byCode(w.code) }
	for _, g := range []struct{ inView, alone get }{
		{get{byID, idInView}, get{byID, idAlone}},
		{get{byCode, codeInView}, get{byCode, codeAlone}},
	} {
		err := s.view(func(from reader) error { return r.lookUp(s.name, from, all, g.inView) })
		if err == nil {
			err = r.lookUp(s.name, s, all, g.alone)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

type wanted struct {
	id   customer.ID
	code string
}

// get is a kind of lookup and where its figures belong.
type get struct {
	one  func(reader, wanted) (*customer.Customer, error)
	line pair
}

// lookUp warms up with half the lookups, and then measures all.
func (r *round) lookUp(name string, from reader, all []wanted, g get) error {
	if _, err := r.lookUpAll(from, all[:len(all)/2], g); err != nil {
		return err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	nanoseconds, err := r.lookUpAll(from, all, g)
	if err != nil {
		return err
	}
	runtime.ReadMemStats(&after)
	r.table.add(g.line.time, name, nanoseconds)
	r.table.add(g.line.allocations, name, float64(after.Mallocs-before.Mallocs)/float64(len(all)))
	return nil
}

// lookUpAll returns what a lookup took: the median of blocks so short that few are
// interrupted, since other processes would show in a mean.
func (r *round) lookUpAll(from reader, all []wanted, g get) (nanoseconds float64, err error) {
	const block = 100
	blocks := make([]float64, 0, len(all)/block+1)
	for part := range slices.Chunk(all, block) {
		begin := time.Now()
		for _, w := range part {
			c, err := g.one(from, w)
			if err != nil {
				return 0, err
			}
			if c.ID != w.id || c.Code != w.code {
				return 0, fmt.Errorf("looked up %v, got customer %d with code %s", w, c.ID, c.Code)
			}
		}
		blocks = append(blocks, float64(time.Since(begin).Nanoseconds())/float64(len(part)))
		if err := r.ctx.Err(); err != nil {
			return 0, err
		}
	}
	return median(blocks), nil
}

// create measures single durable creates, by one writer and by sixteen.
func (r *round) create(s *entrant) error {
	for _, m := range []struct {
		lines   creation
		writers int
	}{{createAlone, 1}, {createTogether, 16}} {
		if _, err := r.createFor(s, m.writers, r.creating/10); err != nil { // warms up
			return err
		}
		before, cpu := s.created.Load(), processorTime()
		rate, err := r.createFor(s, m.writers, r.creating)
		if err != nil {
			return err
		}
		r.table.add(m.lines.rate, s.name, rate)
		if !s.elsewhere {
			created := float64(s.created.Load() - before)
			r.table.add(m.lines.processor, s.name, float64((processorTime()-cpu).Microseconds())/created)
		}
	}
	return nil
}

// createFor lets writers create customers for a time and returns how many came in a second.
func (r *round) createFor(s *entrant, writers int, d time.Duration) (rate float64, err error) {
	begin, before := time.Now(), s.created.Load()
	failed := make([]error, writers)
	var working sync.WaitGroup
	for i := range writers {
		working.Go(func() {
			for failed[i] == nil && r.ctx.Err() == nil && time.Since(begin) < d {
				failed[i] = s.create(r.at(r.rows + int(s.created.Add(1)) - 1))
			}
		})
	}
	working.Wait()
	return float64(s.created.Load()-before) / time.Since(begin).Seconds(), cmp.Or(errors.Join(failed...), r.ctx.Err())
}

// repeated measures how long it takes to find all exact duplicates by a key.
func (r *round) repeated(s *entrant) error {
	for _, q := range []struct {
		line *line
		by   lookup
	}{{repeatedPhones, byPhone}, {repeatedEmails, byEmail}} {
		var took []float64
		for range 3 {
			begin := time.Now()
			if _, err := s.repeated(q.by); err != nil {
				return err
			}
			took = append(took, float64(time.Since(begin).Microseconds())/1000)
		}
		r.table.add(q.line, s.name, median(took))
	}
	return r.ctx.Err()
}
