package phone

import (
	"encoding/binary"
	"errors"
	"regexp/syntax"
	"slices"
	"strings"
)

// automaton decides in one pass over a number's digits which of some patterns match it: the
// deterministic form of them all (Rabin and Scott 1959). libphonenumber tries its patterns
// one after the other.
type automaton struct {
	states []state // 0 is where nothing can match any more
	start  uint32
}

type state struct {
	next    [10]uint32
	matches uint32 // bit i: pattern i, when the number ends here
}

// maxStates bounds an automaton; the largest country needs a tenth.
const maxStates = 20000

var errPattern = errors.New("pattern is not of digits alone")

// newAutomaton compiles patterns, of which an empty one matches nothing.
func newAutomaton(patterns []string) (*automaton, error) {
	n := &positions{numbers: map[string]uint32{"": 0}, a: &automaton{states: make([]state, 1)}}
	var first []position
	for i, pattern := range patterns {
		if pattern == "" || strings.ContainsAny(pattern, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") { // "NA"
			n.programs = append(n.programs, nil)
			continue
		}
		parsed, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			return nil, err
		}
		program, err := syntax.Compile(parsed.Simplify())
		if err != nil {
			return nil, err
		}
		n.programs = append(n.programs, program)
		if first, err = n.follow(first, position{pattern: i, pc: uint32(program.Start)}); err != nil {
			return nil, err
		}
	}
	n.a.start = n.number(first)
	for at := 1; at < len(n.sets); at++ { // grows meanwhile
		if len(n.sets) > maxStates {
			return nil, errPattern
		}
		if err := n.expand(uint32(at)); err != nil {
			return nil, err
		}
	}
	return n.a, nil
}

// match returns the patterns that match digits, as bits.
func (a *automaton) match(digits []byte) uint32 {
	at := a.start
	for _, c := range digits {
		at = a.states[at].next[c-'0']
	}
	return a.states[at].matches
}

// position is where in a pattern's program the match may be.
type position struct {
	pattern int
	pc      uint32
	atEnd   bool // behind a $: no digit may follow
}

// positions are the sets of positions that are the automaton's states.
type positions struct {
	programs []*syntax.Prog
	sets     [][]position // by state; of state 0 it is empty
	numbers  map[string]uint32
	a        *automaton
}

// follow adds a position to a set, with all that can be reached from it without a digit.
func (n *positions) follow(set []position, p position) ([]position, error) {
	if slices.Contains(set, p) {
		return set, nil
	}
	set = append(set, p)
	inst := &n.programs[p.pattern].Inst[p.pc]
	next := position{p.pattern, inst.Out, p.atEnd}
	switch inst.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		set, err := n.follow(set, next)
		if err != nil {
			return nil, err
		}
		return n.follow(set, position{p.pattern, inst.Arg, p.atEnd})
	case syntax.InstCapture, syntax.InstNop:
		return n.follow(set, next)
	case syntax.InstEmptyWidth:
		if syntax.EmptyOp(inst.Arg) != syntax.EmptyEndText {
			return nil, errPattern
		}
		next.atEnd = true
		return n.follow(set, next)
	}
	return set, nil
}

// number returns the state of a set of positions.
func (n *positions) number(set []position) uint32 {
	if len(n.sets) == 0 {
		n.sets = append(n.sets, nil)
	}
	var kept []position // that read a digit or end
	for _, p := range set {
		switch n.programs[p.pattern].Inst[p.pc].Op {
		case syntax.InstMatch:
			kept = append(kept, position{pattern: p.pattern, pc: p.pc})
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			if !p.atEnd {
				kept = append(kept, p)
			}
		}
	}
	slices.SortFunc(kept, func(a, b position) int { return (a.pattern-b.pattern)<<24 + int(a.pc) - int(b.pc) })
	kept = slices.Compact(kept)
	var key []byte
	for _, p := range kept {
		key = binary.BigEndian.AppendUint32(append(key, byte(p.pattern)), p.pc)
	}
	if known, found := n.numbers[string(key)]; found {
		return known
	}
	at := uint32(len(n.sets))
	n.numbers[string(key)] = at
	n.sets = append(n.sets, kept)
	s := state{}
	for _, p := range kept {
		if n.programs[p.pattern].Inst[p.pc].Op == syntax.InstMatch {
			s.matches |= 1 << p.pattern
		}
	}
	n.a.states = append(n.a.states, s)
	return at
}

// expand finds where each digit leads from a state.
func (n *positions) expand(at uint32) error {
	for digit := range rune(10) {
		var set []position
		var err error
		for _, p := range n.sets[at] {
			inst := &n.programs[p.pattern].Inst[p.pc]
			if inst.Op == syntax.InstMatch || !inst.MatchRune('0'+digit) {
				continue
			}
			if set, err = n.follow(set, position{pattern: p.pattern, pc: inst.Out}); err != nil {
				return err
			}
		}
		n.a.states[at].next[digit] = n.number(set)
	}
	return nil
}
