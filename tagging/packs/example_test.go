package packs_test

import (
	"fmt"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/tagging/packs"
)

func Example() {
	set, err := packs.RFM(packs.Options{
		Parameters: map[string]any{"frequency": packs.Quintiles([]int64{1, 1, 2, 3, 4, 6, 9, 12, 20, 40})},
		Facts:      map[string]string{"activity.order": "activity.invoice"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(set.Title.In(language.English))
	fmt.Println(set.Parameters["frequency"].Value)
	for _, tag := range set.Dimensions[3].Tags[:3] {
		fmt.Println(tag.Code, tag.Names.In(language.MustParse("zh-TW")))
	}
	// Output:
	// Recency, frequency, monetary value
	// [20 9 4 2]
	// champion 重要價值客戶
	// loyal 忠誠客戶
	// promising 潛力客戶
}
