package match_test

import (
	"fmt"

	"github.com/clientele-go/clientele/dedupe/compare"
	"github.com/clientele-go/clientele/dedupe/match"
)

// A clerk is about to record a customer that may be there already.
func Example() {
	model, err := match.Starter(match.Options{Schema: []match.Field{
		{Name: "name", Type: compare.OrganisationName},
		{Name: "phone", Type: compare.Phone},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	known, _ := model.Prepare(match.Record{Values: []string{"臺灣水泥股份有限公司", "02-2531-7099"}})
	draft, _ := model.Prepare(match.Record{Values: []string{"台湾水泥", "(02)25317099"}})
	score := model.Explain(known, draft)
	fmt.Println(score.Decision)
	for _, f := range score.Fields {
		fmt.Printf("%s: %s\n", f.Field, f.Sentence["en"])
	}
	// Output:
	// same
	// name: the names differ in legal form, in order or by a letter
	// phone: the numbers agree
}
