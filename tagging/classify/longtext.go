package classify

import (
	"fmt"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"
)

// maxMadeText is the longest text in bytes that join and replace may make. Their results
// can be as long as the product of what they are given, and CEL counts the cost of a call
// when it has made it: a few of them would fill the memory first.
const maxMadeText = 32 << 10

// boundTexts puts calls in the place of join and replace that look before they work.
func boundTexts(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	call, ok := i.(interpreter.InterpretableCall)
	if !ok {
		return i, nil
	}
	var work func(args ...ref.Val) ref.Val
	switch call.Function() {
	case "join":
		work = joinTexts
	case "replace":
		work = replaceText
	default:
		return i, nil
	}
	return interpreter.NewCall(call.ID(), call.Function(), call.OverloadID(), call.Args(), work), nil
}

func tooLong() ref.Val {
	return types.WrapErr(fmt.Errorf("%w: a text of more than %d bytes", ErrCost, maxMadeText))
}

// joinTexts is list.join() and list.join(separator).
func joinTexts(args ...ref.Val) ref.Val {
	list, ok := args[0].(traits.Lister)
	separator := types.String("")
	if len(args) > 1 && ok {
		separator, ok = args[1].(types.String)
	}
	if !ok {
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	var made strings.Builder
	for it, first := list.Iterator(), true; it.HasNext() == types.True; first = false {
		one, ok := it.Next().(types.String)
		if !ok {
			return types.MaybeNoSuchOverloadErr(args[0])
		}
		if made.Len()+len(separator)+len(one) > maxMadeText {
			return tooLong()
		}
		if !first {
			made.WriteString(string(separator))
		}
		made.WriteString(string(one))
	}
	return types.String(made.String())
}

// replaceText is text.replace(old, new), and with a fourth argument the first so many, all
// for a negative number.
func replaceText(args ...ref.Val) ref.Val {
	var parts [3]string
	for i := range parts {
		s, ok := args[i].(types.String)
		if !ok {
			return types.MaybeNoSuchOverloadErr(args[i])
		}
		parts[i] = string(s)
	}
	most := types.Int(-1)
	if len(args) > 3 {
		var ok bool
		if most, ok = args[3].(types.Int); !ok {
			return types.MaybeNoSuchOverloadErr(args[3])
		}
	}
	text, old, with := parts[0], parts[1], parts[2]
	n := strings.Count(text, old)
	if most >= 0 {
		n = int(min(types.Int(n), most))
	}
	if grown := len(text) + n*(len(with)-len(old)); grown > max(maxMadeText, len(text)) {
		return tooLong()
	}
	return types.String(strings.Replace(text, old, with, n))
}
