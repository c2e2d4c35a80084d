package phone_test

import (
	"fmt"

	"github.com/clientele-go/clientele/internal/phone"
)

func ExampleParse() {
	for _, raw := range []string{"(02)2531-7099", "０９３７－８４１１９８", "86-2131753698", "02-2602-6787#100", "25092188"} {
		n, err := phone.Parse(raw, "TW")
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%s %s %q\n", n.Country, n.E164, n.Extension)
	}
	// Output:
	// TW +886225317099 ""
	// TW +886937841198 ""
	// CN +862131753698 ""
	// TW +886226026787 "100"
	// phone number "25092188" for TW has no area code; write it with its area code, such as 02-2531-7099 or 0912-345-678
}
