package stocktaketest_test

import (
	"fmt"

	"github.com/clientele-go/clientele/customer/stocktake/stocktaketest"
)

func Example() {
	r := stocktaketest.Sample(1, 1000)
	fmt.Println(r.Definition.Name, r.Reconciliation.Opening, "lacking", r.Reconciliation.Balance())
	// Output: year-end 1000 lacking 0
}
