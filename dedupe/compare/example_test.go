package compare_test

import (
	"fmt"

	"github.com/clientele-go/clientele/dedupe/compare"
)

func Example() {
	org, err := compare.New(compare.OrganisationName, compare.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, other := range []string{"台泥", "台灣水泥", "台灣水泥股份有限公司花蓮分公司", "亞洲水泥股份有限公司"} {
		a, b := org.Prepare("臺灣水泥股份有限公司"), org.Prepare(other)
		level := org.Levels()[org.Compare(a, b).Level]
		fmt.Printf("%s: %s\n", other, level.Name)
	}
	// Output:
	// 台泥: abbreviation
	// 台灣水泥: form
	// 台灣水泥股份有限公司花蓮分公司: related
	// 亞洲水泥股份有限公司: different
}

func ExampleNames() {
	names, err := compare.NewNames(compare.OrganisationName)
	if err != nil {
		fmt.Println(err)
		return
	}
	same := names.Same("中国工商银行诸暨支行", "中国工商银行股份有限公司诸暨支行") >= 0.5
	other := names.Same("中国工商银行诸暨支行", "中国工商银行海宁支行") >= 0.5
	fmt.Println(same, other)
	// Output: true false
}
