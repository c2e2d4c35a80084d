package classify

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// clockRewriter replaces every comparison in which the clock occurs by a call that
// notes when it will come out differently:
//
//	daysSince(t) > n   is   @daysSince_gt(@clock, t, n)
//	now - t >= d       is   @now_ge(@clock, t + d)
//
// What is left of now after that can't be followed and is refused.
type clockRewriter struct {
	refused int64 // the id of an expression that was left
}

const clockRemedy = "compare it directly: daysSince(t) > 90, daysUntil(t) <= 7, monthsSince(t) >= 12, t < now, or now - t > duration(\"36h\"), with t and the other side free of now"

// Optimize implements cel.ASTOptimizer.
func (r *clockRewriter) Optimize(ctx *cel.OptimizerContext, a *ast.AST) *ast.AST {
	w := rewriting{ctx: ctx, tree: a}
	ast.PostOrderVisit(a.Expr(), ast.NewExprVisitor(w.visit))
	ast.PostOrderVisit(a.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if readsClock(e) {
			r.refused = e.ID()
		}
	}))
	return ctx.NewAST(a.Expr())
}

type rewriting struct {
	ctx  *cel.OptimizerContext
	tree *ast.AST
}

// visit rewrites one comparison. Those inside it were rewritten before.
func (w *rewriting) visit(e ast.Expr) {
	if e.Kind() != ast.CallKind {
		return
	}
	c, is := comparisonOf(e.AsCall().FunctionName())
	if !is {
		return
	}
	left, right := e.AsCall().Args()[0], e.AsCall().Args()[1]
	if w.clocked(right) {
		left, right = right, left
		c, _ = comparisonOf(c.flipped)
	}
	if !w.clocked(left) || w.clocked(right) {
		return
	}
	if replaced := w.compare(c, left, right); replaced != nil {
		w.ctx.UpdateExpr(e, replaced)
	}
}

// compare returns the call for a comparison of what grows or shrinks with time with
// what doesn't, nil when it has no form that the clock can follow.
func (w *rewriting) compare(c comparison, timed, bound ast.Expr) ast.Expr {
	if timed.Kind() == ast.IdentKind {
		return w.instant(c, bound)
	}
	if timed.Kind() != ast.CallKind {
		return nil
	}
	call := timed.AsCall()
	for _, arg := range call.Args() {
		if w.clocked(arg) && arg.Kind() != ast.IdentKind {
			return nil
		}
	}
	switch call.FunctionName() {
	case fnDaysSince, fnMonthsSince:
		return w.since(c, call.FunctionName(), call.Args()[0], bound)
	case fnDaysUntil: // grows backwards
		c, _ = comparisonOf(c.flipped)
		return w.since(c, fnDaysSince, call.Args()[0], w.ctx.NewCall(operators.Negate, bound))
	case operators.Subtract:
		return w.difference(c, call.Args()[0], call.Args()[1], bound)
	case operators.Add:
		return w.sum(c, call.Args()[0], call.Args()[1], bound)
	}
	return nil
}

func (w *rewriting) since(c comparison, fn string, t, n ast.Expr) ast.Expr {
	if w.clocked(t) {
		return nil
	}
	return w.ctx.NewCall("@"+fn+"_"+c.short, w.ctx.NewIdent(clockVariable), t, n)
}

func (w *rewriting) instant(c comparison, t ast.Expr) ast.Expr {
	return w.ctx.NewCall(fnNow+"_"+c.short, w.ctx.NewIdent(clockVariable), t)
}

// difference solves now - a op b and a - now op b for now.
func (w *rewriting) difference(c comparison, left, right, bound ast.Expr) ast.Expr {
	switch {
	case w.clocked(left) && w.clocked(right):
		return nil
	case w.clocked(left) && w.tree.GetType(right.ID()).Kind() == types.DurationKind:
		return w.instant(c, w.ctx.NewCall(operators.Add, bound, right))
	case w.clocked(left):
		return w.instant(c, w.ctx.NewCall(operators.Add, right, bound))
	}
	c, _ = comparisonOf(c.flipped)
	return w.instant(c, w.ctx.NewCall(operators.Subtract, left, bound))
}

// sum solves now + a op b and a + now op b for now.
func (w *rewriting) sum(c comparison, left, right, bound ast.Expr) ast.Expr {
	if w.clocked(left) && w.clocked(right) {
		return nil
	}
	if w.clocked(left) {
		left = right
	}
	return w.instant(c, w.ctx.NewCall(operators.Subtract, bound, left))
}

// clocked reports whether an expression still depends on the time.
func (w *rewriting) clocked(e ast.Expr) bool {
	found := false
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) { found = found || readsClock(e) }))
	return found
}

func readsClock(e ast.Expr) bool {
	switch e.Kind() {
	case ast.IdentKind:
		return e.AsIdent() == nowVariable
	case ast.CallKind:
		switch e.AsCall().FunctionName() {
		case fnDaysSince, fnDaysUntil, fnMonthsSince:
			return true
		}
	}
	return false
}

const clockProblem = "it can't be known when this changes with time"
