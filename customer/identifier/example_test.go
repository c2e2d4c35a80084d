package identifier_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/clientele-go/clientele/customer/identifier"
)

func Example() {
	// A scheme of the embedder's own beside the built-in ones.
	card := identifier.Scheme{
		Name: "shop.card", Title: map[string]string{"en": "Loyalty card"}, Unique: true,
		Parse: func(raw string) (string, error) {
			number := strings.ToUpper(strings.TrimSpace(raw))
			if !strings.HasPrefix(number, "LC") {
				return "", identifier.Invalid("doesn't begin with LC", "read it from the card's back")
			}
			return number, nil
		},
	}
	set, err := identifier.NewSet(card)
	if err != nil {
		fmt.Println(err)
		return
	}

	fmt.Println(set.Parse("tw.ubn", "２２０９ ９１３１"))
	fmt.Println(set.Parse("cn.resident", "110105491231002")) // the form before 1999
	fmt.Println(set.Parse("eu.vat", "nl 4495445 b01"))
	fmt.Println(set.Parse("shop.card", "lc7"))
	fmt.Println(set.Guess("91350100M000100Y43"))

	_, err = set.Parse("cn.uscc", "91350100M000100Y44")
	fmt.Println(errors.Is(err, identifier.ErrInvalid), err)
	// Output:
	// 22099131 <nil>
	// 11010519491231002X <nil>
	// NL004495445B01 <nil>
	// LC7 <nil>
	// [cn.uscc]
	// true identifier cn.uscc "91350100M000100Y44": fails its check digit; compare it with the document: a character is mistyped, or two are swapped
}
