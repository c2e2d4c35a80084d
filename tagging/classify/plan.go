package classify

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging"
	"github.com/clientele-go/clientele/tagging/filter"
)

// plan is all active rules, compiled against one state of the definitions. It is not
// changed once made, and is shared by all evaluators.
type plan struct {
	rules  *Rules
	key    planKey
	schema *customer.Schema
	sets   []*setPlan
	stages []*stage // in order of evaluation
	slots  map[string]int
	facts  []slotFact // by slot; the first is the clock
	given  []givenFacts
	codes  map[tagging.TagID]string
	idle   sync.Pool // of evaluators
}

// planKey names the state that a plan was compiled against, apart from the schema.
type planKey struct {
	edition string // of the rule sets
	tags    [16]byte
}

// slotFact is where a value comes from.
type slotFact struct {
	fact
	given int // index in plan.given, and in its values, of a given source's fact
	index int
}

// givenFacts are the facts that one given source is asked for.
type givenFacts struct {
	source *FactSource
	want   []string
	slots  []int
}

// setPlan is one active rule set.
type setPlan struct {
	stored *storedSet
	index  int
	rules  []*rulePlan
	frozen bool // can't be evaluated here: customers keep what it gave them
}

// rulePlan is one rule, or a classifier.
type rulePlan struct {
	Rule
	set        *setPlan
	index      int    // among all rules of the plan
	version    uint64 // of the set in which the rule got its present form
	where      matcher
	filter     filter.Expr // of where, nil for everybody
	when       *expression
	value      *expression
	classifier Classifier
	dimensions []dimension
	facts      []int  // slots that the rule reads, those of tags too
	reads      uint64 // mask of sources
	readsTags  []string
	params     []string
	segments   []string
	tag        tagging.TagID
	stage      *stage
	halted     bool // in quarantine
}

// dimension is one that a rule writes.
type dimension struct {
	code      string
	id        tagging.DimensionID
	exclusive bool
	tags      map[string]tagging.TagID // by code; aliases are looked up
	retired   map[tagging.TagID]bool
}

// stage is rules that write the same dimensions, and so are evaluated together.
type stage struct {
	index      int
	rules      []*rulePlan
	dimensions []tagging.DimensionID
	codes      []string
	reads      uint64
	before     []*stage // stages whose tags this one reads
	feeds      bool     // a later stage reads this one's tags
}

// planning is the making of a plan.
type planning struct {
	binding
	*plan
	language *cel.Env
	set      *setPlan // whose expressions are being read
	env      *cel.Env // of that set
	used     []int    // slots that the present rule names
	params   []string // parameters that it names
}

// newPlan compiles rule sets, which are in order of name.
func (e *Rules) newPlan(r *storage.Reader, sets []*storedSet) (*plan, error) {
	p, err := e.newPlanning(r, sets)
	if err != nil {
		return nil, err
	}
	for i, s := range sets {
		frozen := s.broken != nil || s.Classifier && e.classifier(s.Name) == nil
		p.sets = append(p.sets, &setPlan{stored: s, index: i, frozen: frozen})
	}
	if err := p.readRules(); err != nil {
		return nil, err
	}
	faults, err := e.faults(r)
	if err != nil {
		return nil, err
	}
	for _, f := range faults {
		if rule := p.rule(f.Set, f.Rule); rule != nil && f.Version == rule.version {
			rule.halted = f.Quarantined
		}
	}
	p.gatherGiven()
	return p.plan, p.order()
}

func (e *Rules) newPlanning(r *storage.Reader, sets []*storedSet) (*planning, error) {
	customers := e.customers.Reader(r)
	tags := e.tags.Reader(r, customers)
	schema, err := customers.Schema()
	if err != nil {
		return nil, err
	}
	codes, err := tagCodes(tags)
	if err != nil {
		return nil, err
	}
	language, err := e.language()
	if err != nil {
		return nil, err
	}
	p := &planning{
		binding:  binding{schema: schema, customers: customers, tags: tags, declared: map[string]DimensionSpec{}, codes: codes},
		plan:     &plan{rules: e, schema: schema, slots: map[string]int{clockVariable: 0}, facts: []slotFact{{}}, codes: codes},
		language: language,
	}
	for _, s := range sets {
		for _, d := range s.Dimensions {
			p.declared[d.Code] = d
		}
	}
	return p, nil
}

func (p *plan) set(name string) *setPlan {
	for _, s := range p.sets {
		if s.stored.Name == name {
			return s
		}
	}
	return nil
}

func (s *setPlan) rule(name string) *rulePlan {
	for _, r := range s.rules {
		if r.Name == name {
			return r
		}
	}
	return nil
}

func (p *plan) rule(set, rule string) *rulePlan {
	if s := p.set(set); s != nil {
		return s.rule(rule)
	}
	return nil
}

func (p *plan) allRules() []*rulePlan {
	var all []*rulePlan
	for _, s := range p.sets {
		all = append(all, s.rules...)
	}
	return all
}

// pending is a rule between reading and checking.
type pending struct {
	rule        *rulePlan
	when, value *cel.Ast
}

// readRules parses all expressions, which tells the facts that there must be, and then
// checks them in one environment.
func (p *planning) readRules() error {
	var list []pending
	for _, s := range p.sets {
		p.set = s
		if s.frozen {
			continue
		}
		if s.stored.Classifier {
			if err := p.readClassifier(s, p.rules.classifier(s.stored.Name)); err != nil {
				return err
			}
			continue
		}
		for i := range s.stored.Rules {
			read, err := p.readRule(s, s.stored.Rules[i])
			if err != nil {
				return err
			}
			list = append(list, read)
		}
	}
	facts, err := p.declare()
	if err != nil {
		return err
	}
	for _, read := range list {
		if p.set != read.rule.set || p.env == nil {
			p.set = read.rule.set
			if p.env, err = p.declareParameters(facts, p.set); err != nil {
				return err
			}
		}
		if err := p.checkRule(read); err != nil {
			return err
		}
	}
	return nil
}

// declare makes an environment with all facts that were named.
func (p *planning) declare() (*cel.Env, error) {
	var options []cel.EnvOption
	for _, f := range p.facts[1:] {
		options = append(options, cel.Variable(f.Name, f.Type.cel()))
	}
	return p.language.Extend(options...)
}

// declareParameters adds the parameters of a set.
func (p *planning) declareParameters(facts *cel.Env, s *setPlan) (*cel.Env, error) {
	var options []cel.EnvOption
	for name, spec := range s.stored.Parameters {
		typ, err := paramType(spec.Value)
		if err != nil {
			return nil, at(RuleError{Set: s.stored.Name}, "parameters."+name, err)
		}
		options = append(options, cel.Variable(paramPrefix+name, typ))
	}
	return facts.Extend(options...)
}

func (p *planning) readRule(s *setPlan, spec Rule) (read pending, err error) {
	place := RuleError{Set: s.stored.Name, Rule: spec.Name}
	rule := &rulePlan{Rule: spec, set: s, index: p.ruleCount(), version: s.stored.since(spec.Name)}
	s.rules = append(s.rules, rule)
	read.rule = rule
	if err := p.readWhere(rule, place); err != nil {
		return read, err
	}
	d, err := p.dimension(spec.Dimension)
	if err != nil {
		return read, at(place, "dimension", err)
	}
	rule.dimensions = []dimension{d}
	p.used, p.params = nil, nil
	place.Field = "when"
	if read.when, err = p.parse(spec.When, place); err != nil {
		return read, err
	}
	place.Field = "value"
	if read.value, err = p.parse(spec.Value, place); err != nil {
		return read, err
	}
	p.take(rule)
	return read, p.checkTag(rule)
}

// take notes what the rule's expressions named.
func (p *planning) take(rule *rulePlan) {
	slices.Sort(p.params)
	rule.params = slices.Compact(p.params)
	slices.Sort(p.used)
	for _, slot := range slices.Compact(p.used) {
		f := p.facts[slot]
		rule.facts = append(rule.facts, slot)
		rule.reads |= 1 << f.source
		if f.source == sourceTag {
			rule.readsTags = append(rule.readsTags, strings.TrimPrefix(f.Name, "tag."))
		}
	}
}

func (p *planning) readWhere(rule *rulePlan, place RuleError) error {
	matches, reads, err := p.where(rule.Where)
	if err != nil {
		return at(place, "where", err)
	}
	rule.where, rule.segments = matches, reads.segments
	rule.reads |= reads.mask
	rule.readsTags = append(rule.readsTags, reads.dimensions...)
	if matches != nil {
		rule.filter, err = filter.Parse(rule.Where)
	}
	return err
}

// at places an error in a field of a rule.
func at(place RuleError, field string, err error) error {
	place.Field, place.Err, place.Problem = field, fmt.Errorf("%w: %w", ErrInvalid, err), err.Error()
	var syntax *filter.SyntaxError
	if errors.As(err, &syntax) {
		place.Line, place.Column, place.Problem, place.Remedy = syntax.Line, syntax.Column, syntax.Message, syntax.Expected
		if syntax.Expected != "" {
			place.Remedy = "expected " + syntax.Expected
		}
	}
	var tag *tagging.Error
	if errors.As(err, &tag) {
		place.Remedy = tag.Remedy
	}
	return &place
}

func (p *planning) ruleCount() (n int) {
	for _, s := range p.sets {
		n += len(s.rules)
	}
	return n
}

func (p *planning) dimension(code string) (dimension, error) {
	d, err := p.tags.Dimension(code)
	if err != nil {
		return dimension{}, err
	}
	made := dimension{code: code, id: d.ID, exclusive: d.Exclusive, tags: map[string]tagging.TagID{}, retired: map[tagging.TagID]bool{}}
	tags, err := p.tags.Tags(code)
	for _, t := range tags {
		made.tags[t.Code] = t.ID
		made.retired[t.ID] = t.Retired || d.Retired
	}
	return made, err
}

// checkTag finds the tag that a rule names.
func (p *planning) checkTag(rule *rulePlan) error {
	place := RuleError{Set: rule.set.stored.Name, Rule: rule.Name}
	if rule.Tag == "" {
		return nil
	}
	t, err := p.tags.Tag(rule.Dimension, rule.Tag)
	if err != nil {
		return at(place, "tag", err)
	}
	rule.tag = t.ID
	return nil
}

func (p *planning) checkRule(read pending) (err error) {
	rule := read.rule
	place := RuleError{Set: rule.set.stored.Name, Rule: rule.Name, Field: "when"}
	if read.when != nil {
		if rule.when, err = p.compileExpression(read.when, rule.When, false, place); err != nil {
			return err
		}
	}
	place.Field = "value"
	if read.value != nil {
		rule.value, err = p.compileExpression(read.value, rule.Value, true, place)
	}
	return err
}

func (p *planning) readClassifier(s *setPlan, c Classifier) error {
	rule := &rulePlan{Rule: Rule{Name: c.Name()}, set: s, index: p.ruleCount(), version: c.Version(), classifier: c}
	place := RuleError{Set: c.Name(), Rule: c.Name()}
	s.rules = append(s.rules, rule)
	for _, spec := range c.Dimensions() {
		d, err := p.dimension(spec.Code)
		if err != nil {
			return at(place, "dimension", err)
		}
		rule.dimensions = append(rule.dimensions, d)
	}
	p.used, p.params = nil, nil
	for _, name := range c.Facts() {
		found, err := p.name(name)
		if err == nil && !found {
			err = p.unknownName(name)
		}
		if err != nil {
			return at(place, "facts", err)
		}
	}
	p.take(rule)
	return nil
}

// name notes a fact or parameter that an expression names.
func (p *planning) name(name string) (found bool, err error) {
	root, of, dotted := strings.Cut(name, ".")
	if !dotted {
		return false, nil
	}
	if root+"." == paramPrefix {
		_, found = p.set.stored.Parameters[of]
		if found {
			p.params = append(p.params, of)
		}
		return found, nil
	}
	slot, known := p.slots[name]
	if !known {
		f, found, err := p.resolve(root, name)
		if err != nil || !found {
			return false, err
		}
		slot = len(p.facts)
		p.slots[name] = slot
		p.facts = append(p.facts, f)
	}
	p.used = append(p.used, slot)
	return true, nil
}

func (p *planning) resolve(root, name string) (slotFact, bool, error) {
	for i := range p.rules.sources {
		if s := &p.rules.sources[i]; s.name == root {
			f, found, err := s.resolve(&p.binding, name)
			f.source = i
			return slotFact{fact: f, given: -1}, found, err
		}
	}
	return slotFact{}, false, nil
}

func (p *planning) knownRoot(root string) bool {
	return root+"." == paramPrefix || slices.ContainsFunc(p.rules.sources, func(s source) bool { return s.name == root })
}

// unknownName says what there is instead.
func (p *planning) unknownName(name string) error {
	root, _, _ := strings.Cut(name, ".")
	var known []string
	for _, s := range p.rules.sources {
		for _, spec := range s.docs {
			if s.name == root {
				known = append(known, spec.Name)
			}
		}
	}
	for _, spec := range p.plan.schema.Attributes {
		if root == "attr" {
			known = append(known, "attr."+spec.Name)
		}
	}
	if root+"." == paramPrefix {
		for param := range p.set.stored.Parameters {
			known = append(known, paramPrefix+param)
		}
	}
	slices.Sort(known)
	return &RuleError{Problem: fmt.Sprintf("there is no fact %s", name), Remedy: "there are " + strings.Join(known, ", "), Err: ErrInvalid}
}

// gatherGiven groups the facts of each given source.
func (p *planning) gatherGiven() {
	at := map[int]int{}
	for slot := 1; slot < len(p.facts); slot++ {
		f := &p.facts[slot]
		if f.source < firstGivenSource {
			continue
		}
		i, known := at[f.source]
		if !known {
			i = len(p.given)
			at[f.source] = i
			p.given = append(p.given, givenFacts{source: p.rules.sources[f.source].given})
		}
		g := &p.given[i]
		f.given, f.index = i, len(g.want)
		g.want, g.slots = append(g.want, f.Name), append(g.slots, slot)
	}
}

// order groups the rules into stages and puts those first whose tags others read.
func (p *planning) order() error {
	of := map[string]*stage{} // by dimension
	var stages []*stage
	for _, rule := range p.allRules() {
		stages = join(stages, of, rule)
	}
	for _, s := range stages {
		s.link(of)
	}
	sorted := sorter{done: map[*stage]bool{}}
	for _, s := range stages {
		if err := sorted.visit(s, nil); err != nil {
			return err
		}
	}
	p.stages = sorted.list
	for i, s := range p.stages {
		s.index = i
		for _, rule := range s.rules {
			rule.stage = s
		}
	}
	return nil
}

// join puts a rule into the stage of its dimensions; a classifier that writes several
// makes one stage of theirs.
func join(stages []*stage, of map[string]*stage, rule *rulePlan) []*stage {
	into := &stage{}
	for _, d := range rule.dimensions {
		old := of[d.code]
		if old == nil {
			into.codes, into.dimensions = append(into.codes, d.code), append(into.dimensions, d.id)
			continue
		}
		if old != into {
			into.rules = append(into.rules, old.rules...)
			into.codes, into.dimensions = append(into.codes, old.codes...), append(into.dimensions, old.dimensions...)
			stages = slices.DeleteFunc(stages, func(s *stage) bool { return s == old })
			for _, code := range old.codes {
				of[code] = into
			}
		}
	}
	into.rules = append(into.rules, rule)
	for _, code := range into.codes {
		of[code] = into
	}
	return append(stages, into)
}

// link finds the stages that a stage depends on.
func (s *stage) link(of map[string]*stage) {
	slices.SortFunc(s.rules, func(a, b *rulePlan) int { return a.index - b.index })
	for _, rule := range s.rules {
		s.reads |= rule.reads
		for _, code := range rule.readsTags {
			if other := of[code]; other != nil && !slices.Contains(s.before, other) {
				s.before = append(s.before, other)
				other.feeds = true
			}
		}
	}
}

// sorter orders stages depth first.
type sorter struct {
	done map[*stage]bool
	list []*stage
}

func (o *sorter) visit(s *stage, path []*stage) error {
	if o.done[s] {
		return nil
	}
	if i := slices.Index(path, s); i >= 0 {
		return cycleOf(append(slices.Clone(path[i:]), s))
	}
	path = append(path, s)
	for _, other := range s.before {
		if err := o.visit(other, path); err != nil {
			return err
		}
	}
	o.done[s] = true
	o.list = append(o.list, s)
	return nil
}

// cycleOf names the rules by which each stage reads the tags of the next.
func cycleOf(path []*stage) error {
	e := &CycleError{}
	for i := range len(path) - 1 {
		for _, rule := range path[i].rules {
			if slices.ContainsFunc(rule.readsTags, func(code string) bool { return slices.Contains(path[i+1].codes, code) }) {
				e.Path = append(e.Path, CycleStep{rule.set.stored.Name, rule.Name, rule.dimensions[0].code})
				break
			}
		}
	}
	e.Path = append(e.Path, e.Path[0])
	return e
}

// form is what decides whether a rule of a new version is the same as before: what it
// says, what its parameters are, and which rules of equal priority come first.
func (rs *RuleSet) form(i int, params []string) string {
	rule := rs.Rules[i]
	rule.Title, rule.Description = nil, nil
	values := map[string]any{}
	for _, name := range params {
		values[name] = rs.Parameters[name].Value
	}
	var first []string
	for _, other := range rs.Rules[:i] {
		if other.Dimension == rule.Dimension && other.Priority == rule.Priority {
			first = append(first, other.Name)
		}
	}
	text, _ := json.Marshal([]any{rule, values, first}) // strings and JSON values: can't fail
	return string(text)
}
