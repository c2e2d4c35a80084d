package filter_test

import (
	"errors"
	"fmt"

	"github.com/clientele-go/clientele/tagging/filter"
)

// Somebody in sales types a filter; the program narrows it to what it is about, and
// stores the canonical text.
func Example() {
	typed, err := filter.Parse("region：CN-31/* 且 (level:vip or level:gold)")
	if err != nil {
		fmt.Println(err)
		return
	}
	narrowed := filter.AllOf(typed, filter.Except(filter.Is("status", "dormant")))
	fmt.Println(narrowed)
	fmt.Println(filter.Fields(narrowed))
	// Output:
	// region:CN-31/* AND (level:vip OR level:gold) AND NOT status:dormant
	// [level region status]
}

func ExampleSyntaxError() {
	_, err := filter.Parse("region:North America")
	var wrong *filter.SyntaxError
	if errors.As(err, &wrong) {
		fmt.Println(wrong.Code, wrong.Column, wrong.Token)
	}
	fmt.Println(err)
	// Output:
	// operator 14 America
	// filter: line 1, column 14: "America" follows without an operator; expected AND or OR, or quotes around a value that has blanks
	// 	region:North America
	// 	             ^
}

func ExampleRewrite() {
	saved := map[string]filter.Expr{"good": filter.Is("level", "vip", "gold")}
	e, _ := filter.Parse("NOT segment:good AND has:phone")
	e, err := filter.Rewrite(e, func(e filter.Expr) (filter.Expr, error) {
		if term, is := e.(filter.Term); is && term.Op == filter.OpSegment {
			return saved[term.Values[0]], nil
		}
		return e, nil
	})
	fmt.Println(e, err)
	// Output: NOT level:(vip|gold) AND has:phone <nil>
}
