package classify

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
)

// paramPrefix begins the names of parameters.
const paramPrefix = "param."

var errMixed = errors.New("is empty or mixes types; use one type for all")

// plain returns a parameter's value as int64, float64, string, bool, []any or
// map[string]any. A JSON number without a point is an int64.
func plain(v any) (any, error) {
	switch x := v.(type) {
	case string, bool, int64, []any, map[string]any:
		return x, nil
	case int:
		return int64(x), nil
	case []string:
		return anySlice(x), nil
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, errors.New("is no finite number")
		}
		return x, nil
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return n, nil
		}
		return x.Float64()
	}
	return nil, fmt.Errorf("is of type %T; use a text, a number, a truth value, a list or an object of them", v)
}

func anySlice(list []string) []any {
	all := make([]any, len(list))
	for i, s := range list {
		all[i] = s
	}
	return all
}

// paramType is the type of a parameter's value.
func paramType(v any) (*cel.Type, error) {
	v, err := plain(v)
	if err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case string:
		return cel.StringType, nil
	case bool:
		return cel.BoolType, nil
	case int64:
		return cel.IntType, nil
	case float64:
		return cel.DoubleType, nil
	case []any:
		of, err := oneType(slices.Values(x))
		return cel.ListType(of), err
	}
	of, err := oneType(maps.Values(v.(map[string]any)))
	return cel.MapType(cel.StringType, of), err
}

func oneType(values func(func(any) bool)) (*cel.Type, error) {
	var typ *cel.Type
	for v := range values {
		t, err := paramType(v)
		if err != nil {
			return cel.DynType, err
		}
		if typ != nil && !t.IsExactType(typ) {
			return cel.DynType, errMixed
		}
		typ = t
	}
	if typ == nil {
		return cel.DynType, errMixed
	}
	return typ, nil
}

// check reports what is wrong with a parameter.
func (p Parameter) check() error {
	v, err := plain(p.Value)
	if err != nil {
		return err
	}
	if _, err := paramType(v); err != nil {
		return err
	}
	var x float64
	switch n := v.(type) {
	case int64:
		x = float64(n)
	case float64:
		x = n
	default:
		if p.Min != nil || p.Max != nil {
			return errors.New("has bounds and is no number")
		}
		return nil
	}
	if p.Min != nil && x < *p.Min {
		return fmt.Errorf("is %v; the least is %v", x, *p.Min)
	}
	if p.Max != nil && x > *p.Max {
		return fmt.Errorf("is %v; the most is %v", x, *p.Max)
	}
	return nil
}

// inliner writes parameters into expressions as literals, so that lists are searched by
// hash, patterns are compiled once and costs are known.
type inliner struct{ parameters map[string]Parameter }

// Optimize implements cel.ASTOptimizer.
func (i *inliner) Optimize(ctx *cel.OptimizerContext, a *ast.AST) *ast.AST {
	ast.PostOrderVisit(a.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		name, is := strings.CutPrefix(chainOf(e), paramPrefix)
		if p, found := i.parameters[name]; is && found {
			ctx.UpdateExpr(e, literal(ctx, p.Value))
		}
	}))
	return ctx.NewAST(a.Expr())
}

func literal(ctx *cel.OptimizerContext, v any) ast.Expr {
	v, _ = plain(v) // was checked with the types
	switch x := v.(type) {
	case []any:
		list := make([]ast.Expr, len(x))
		for i, element := range x {
			list[i] = literal(ctx, element)
		}
		return ctx.NewList(list, nil)
	case map[string]any:
		var entries []ast.EntryExpr
		for _, key := range slices.Sorted(maps.Keys(x)) {
			entries = append(entries, ctx.NewMapEntry(ctx.NewLiteral(types.String(key)), literal(ctx, x[key]), false))
		}
		return ctx.NewMap(entries)
	}
	return ctx.NewLiteral(types.DefaultTypeAdapter.NativeToValue(v))
}
