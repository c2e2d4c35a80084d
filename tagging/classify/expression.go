package classify

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"
	"github.com/google/cel-go/interpreter"
)

// Limits of expressions, so that one from outside costs little whatever is in it.
const (
	maxExpression = 16 << 10 // characters
	maxNesting    = 100
	// What the static estimate of cost assumes of facts: texts have at most so many
	// characters, lists so many elements.
	maxTextSize = 1000
	maxListSize = 200
)

// newLanguage returns what all expressions have in common.
func newLanguage() (*cel.Env, error) {
	options := append([]cel.EnvOption{
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.ParserRecursionLimit(maxNesting),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.HomogeneousAggregateLiterals(),
		cel.EnableMacroCallTracking(),
		ext.Strings(),
		ext.Math(),
	}, clockOptions()...)
	return cel.NewEnv(options...)
}

// expression is a compiled condition or value of a rule.
type expression struct {
	program    cel.Program
	text       string
	checked    *cel.Ast // as written
	limited    bool     // its cost is counted when it runs, since it can't be bounded before
	env        *cel.Env
	parameters map[string]Parameter
	cost       uint64
}

// names returns the facts and parameters that a parsed expression reads: of each chain
// a.b.c the longest beginning that is one. A chain that begins like a fact and is none
// is an error.
func (p *planning) names(tree *ast.AST, place RuleError) error {
	var walk func(e ast.Expr) error
	walk = func(e ast.Expr) error {
		if chain := chainOf(e); chain != "" {
			if found, err := p.name(chain); found || err != nil {
				return p.located(place, tree, e.ID(), err)
			}
			root, _, dotted := strings.Cut(chain, ".")
			if dotted && p.knownRoot(root) {
				return p.located(place, tree, e.ID(), p.unknownName(chain))
			}
		}
		for _, child := range childrenOf(e) {
			if err := walk(child); err != nil {
				return err
			}
		}
		return nil
	}
	return walk(tree.Expr())
}

// chainOf returns a.b.c for a selection of fields, and "" for anything else.
func chainOf(e ast.Expr) string {
	switch e.Kind() {
	case ast.IdentKind:
		return strings.TrimPrefix(e.AsIdent(), ".")
	case ast.SelectKind:
		if of := chainOf(e.AsSelect().Operand()); of != "" {
			return of + "." + e.AsSelect().FieldName()
		}
	}
	return ""
}

func childrenOf(e ast.Expr) []ast.Expr {
	switch e.Kind() {
	case ast.SelectKind:
		return []ast.Expr{e.AsSelect().Operand()}
	case ast.CallKind:
		if e.AsCall().IsMemberFunction() {
			return append([]ast.Expr{e.AsCall().Target()}, e.AsCall().Args()...)
		}
		return e.AsCall().Args()
	case ast.ListKind:
		return e.AsList().Elements()
	case ast.MapKind:
		var all []ast.Expr
		for _, entry := range e.AsMap().Entries() {
			all = append(all, entry.AsMapEntry().Key(), entry.AsMapEntry().Value())
		}
		return all
	case ast.StructKind:
		var all []ast.Expr
		for _, f := range e.AsStruct().Fields() {
			all = append(all, f.AsStructField().Value())
		}
		return all
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		return []ast.Expr{c.IterRange(), c.AccuInit(), c.LoopCondition(), c.LoopStep(), c.Result()}
	}
	return nil
}

// located places an error in the text of an expression.
func (p *planning) located(place RuleError, tree *ast.AST, id int64, err error) error {
	if err == nil {
		return nil
	}
	at := tree.SourceInfo().GetStartLocation(id)
	place.Line, place.Column = max(at.Line(), 0), at.Column()+1
	var rule *RuleError
	if errors.As(err, &rule) {
		place.Problem, place.Remedy, place.Err = rule.Problem, rule.Remedy, rule.Err
	} else {
		place.Problem, place.Err = err.Error(), err
	}
	return &place
}

// issue makes a RuleError of CEL's first complaint.
func issue(place RuleError, found *cel.Issues) error {
	place.Err, place.Problem = ErrInvalid, found.Err().Error()
	if list := found.Errors(); len(list) > 0 {
		place.Line, place.Column = max(list[0].Location.Line(), 0), list[0].Location.Column()+1
		place.Problem = list[0].Message
	}
	if strings.Contains(place.Problem, "has()") || strings.Contains(place.Problem, "undeclared reference") {
		place.Remedy = "whether a fact is known is written as fact != null; Rules.FactDocs lists the facts"
	}
	return &place
}

// parse reads an expression and notes what it names; an empty text is nil.
func (p *planning) parse(text string, place RuleError) (*cel.Ast, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	if len(text) > maxExpression {
		place.Problem, place.Err = fmt.Sprintf("has %d bytes; at most %d", len(text), maxExpression), ErrInvalid
		return nil, &place
	}
	parsed, found := p.language.Parse(text)
	if found.Err() != nil {
		return nil, issue(place, found)
	}
	return parsed, p.names(parsed.NativeRep(), place)
}

// compileExpression checks a parsed expression and makes it ready to run. The result is
// a bool, or with codes a text or a list of texts.
func (p *planning) compileExpression(parsed *cel.Ast, text string, codes bool, place RuleError) (*expression, error) {
	checked, found := p.env.Check(parsed)
	if found.Err() != nil {
		return nil, issue(place, found)
	}
	if err := checkResult(checked.OutputType(), codes, place); err != nil {
		return nil, err
	}
	x := &expression{text: text, checked: checked, env: p.env, parameters: p.set.stored.Parameters, cost: p.rules.cost}
	refused, err := x.compile()
	switch {
	case refused != 0:
		return nil, p.located(place, checked.NativeRep(), refused, &RuleError{Problem: clockProblem, Remedy: clockRemedy, Err: ErrClock})
	case err != nil:
		place.Problem, place.Err = err.Error(), ErrInvalid
		return nil, &place
	}
	return x, nil
}

// compile makes a checked expression ready to run. It returns the id of a part whose
// dependence on the clock can't be followed, if there is one. Only an expression whose
// cost has no static bound below the limit is counted when it runs, which makes it
// slower.
func (x *expression) compile() (refused int64, err error) {
	rewriter := &clockRewriter{}
	optimizer, err := cel.NewStaticOptimizer(&inliner{x.parameters}, rewriter)
	if err != nil {
		return 0, err
	}
	rewritten, found := optimizer.Optimize(x.env, x.checked)
	if found.Err() != nil || rewriter.refused != 0 {
		return rewriter.refused, found.Err()
	}
	estimate, err := x.env.EstimateCost(rewritten, sizes{})
	if err != nil {
		return 0, err
	}
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize), cel.CustomDecoratorV2(boundTexts)}
	if x.limited = estimate.Max > x.cost; x.limited {
		options = append(options, cel.CostLimit(x.cost))
	}
	x.program, err = x.env.Program(rewritten, options...)
	return 0, err
}

// parts returns the parts of a condition that are joined by &&, each an expression of
// its own; one that can't stand alone has no program.
func (x *expression) parts() (list []*expression) {
	var split func(e ast.Expr)
	split = func(e ast.Expr) {
		if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.LogicalAnd {
			for _, arg := range e.AsCall().Args() {
				split(arg)
			}
			return
		}
		list = append(list, x.part(e))
	}
	split(x.checked.NativeRep().Expr())
	return list
}

func (x *expression) part(e ast.Expr) *expression {
	text, err := cel.ExprToString(e, x.checked.NativeRep().SourceInfo())
	made := &expression{text: text, env: x.env, parameters: x.parameters, cost: x.cost}
	if err != nil {
		return made
	}
	checked, found := x.env.Compile(text)
	if found.Err() == nil {
		made.checked = checked
		if _, err := made.compile(); err != nil {
			made.program = nil
		}
	}
	return made
}

func checkResult(t *cel.Type, codes bool, place RuleError) error {
	want, good := "a bool", t.IsAssignableType(cel.BoolType) || t.IsExactType(cel.NullableType(cel.BoolType))
	if codes {
		want = "a tag code or a list of tag codes, that is a string or list(string)"
		good = t.IsExactType(cel.StringType) || t.IsExactType(cel.NullableType(cel.StringType)) || t.IsExactType(cel.ListType(cel.StringType)) ||
			t.IsExactType(cel.NullType) || t.IsExactType(cel.DynType)
	}
	if good {
		return nil
	}
	place.Problem, place.Remedy, place.Err = fmt.Sprintf("the result is %s, not %s", t, want), "", ErrInvalid
	return &place
}

// sizes tells CEL's estimate of cost how large facts can be.
type sizes struct{}

// EstimateSize implements checker.CostEstimator.
func (sizes) EstimateSize(n checker.AstNode) *checker.SizeEstimate {
	size := checker.SizeEstimate{Max: maxTextSize}
	switch n.Type().Kind() {
	case types.ListKind, types.MapKind:
		size.Max = maxListSize
	}
	return &size
}

// EstimateCallCost implements checker.CostEstimator.
func (sizes) EstimateCallCost(function, _ string, _ *checker.AstNode, _ []checker.AstNode) *checker.CallEstimate {
	if strings.HasPrefix(function, "@") && function != "@in" {
		return &checker.CallEstimate{CostEstimate: checker.FixedCostEstimate(1)}
	}
	return nil
}

// run evaluates an expression with the evaluator's facts. The result is missing when it
// came to nothing only because a fact is missing.
func (x *expression) run(v *evaluator) (result ref.Val, missing bool, err error) {
	v.missing = false
	result, _, err = x.program.Eval(v)
	switch {
	case err == nil:
		_, null := result.(types.Null)
		return result, null, nil
	case v.missing && strings.HasPrefix(err.Error(), noOverload):
		return nil, true, nil
	}
	var cancelled interpreter.EvalCancelledError
	if errors.As(err, &cancelled) && cancelled.Cause == interpreter.CostLimitExceeded {
		err = fmt.Errorf("%w: more than %d units", ErrCost, x.cost)
	}
	return nil, false, err
}

// noOverload begins CEL's error for an operation on a value of the wrong type, which in
// a checked expression over typed facts can only be null.
const noOverload = "no such overload"
