package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// errUnable is returned for a question that a peer has no way to answer.
var errUnable = errors.New("no way to answer")

// quiz asks several stores the same questions, in turns.
type quiz[Q question] struct {
	*stage
	questions []Q
	peers     []candidate[Q]
}

// question has a figure's line and comes in variants, numbered from 0, which differ in
// what is asked for.
type question interface {
	figure() *line
	variants() int
}

// candidate answers questions. Answers are texts to be compared; the whole of the
// answer has been read when ask returns.
type candidate[Q question] interface {
	name() string
	ask(q Q, variant int) (answer string, err error)
	close() error
}

// mostAsked bounds how often one store is asked one question in a round; plan.asking
// bounds how long.
const mostAsked = 200

// run checks that all answers are equal, and then measures.
func (z *quiz[Q]) run() error {
	for _, q := range z.questions {
		if err := z.check(q); err != nil {
			return err
		}
	}
	for n := range z.rounds {
		for _, q := range z.questions {
			for _, peer := range z.inTurn(n) {
				if err := z.measure(q, peer); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// inTurn are the peers in the order of a round.
func (z *quiz[Q]) inTurn(round int) []candidate[Q] {
	peers := slices.Clone(z.peers)
	if round%2 == 1 {
		slices.Reverse(peers)
	}
	return peers
}

// check finds that all peers answer all variants of a question as the first does.
func (z *quiz[Q]) check(q Q) error {
	fmt.Fprintf(z.log, "  checking: %s\n", q.figure().name)
	for v := range q.variants() {
		want, err := z.peers[0].ask(q, v)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", z.peers[0].name(), q.figure().name, err)
		}
		for _, peer := range z.peers[1:] {
			got, err := peer.ask(q, v)
			if errors.Is(err, errUnable) {
				continue
			}
			if err != nil {
				return fmt.Errorf("%s: %s: %w", peer.name(), q.figure().name, err)
			}
			if got != want {
				return fmt.Errorf("%s, variant %d: %s says %.200q, %s says %.200q", q.figure().name, v, z.peers[0].name(), want, peer.name(), got)
			}
		}
		if err := z.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// measure adds the median of what answers take, in microseconds.
func (z *quiz[Q]) measure(q Q, peer candidate[Q]) error {
	runtime.GC() // nobody pays for the one before
	var took []float64
	for began := time.Now(); len(took) < mostAsked && (len(took) < 3 || time.Since(began) < z.asking); {
		from := time.Now()
		_, err := peer.ask(q, len(took)%q.variants())
		if errors.Is(err, errUnable) {
			return nil
		}
		if err := errors.Join(err, z.ctx.Err()); err != nil {
			return fmt.Errorf("%s: %s: %w", peer.name(), q.figure().name, err)
		}
		took = append(took, float64(time.Since(from).Nanoseconds())/1000)
	}
	z.table.add(q.figure(), peer.name(), median(took))
	return nil
}

// close closes all peers.
func (z *quiz[Q]) close() error {
	var err error
	for _, p := range z.peers {
		err = errors.Join(err, p.close())
	}
	return err
}

// stage is what all sections of a run share.
type stage struct {
	plan
	ctx     context.Context
	log     interface{ Write([]byte) (int, error) }
	table   *table
	list    customerFile
	dir     string
	engines []*engine // the SQL engines that take part in questions
}
