package enum_test

import (
	"fmt"
	"testing"

	"github.com/clientele-go/clientele/internal/enum"
)

var colours = enum.Names{"red", "green"}

func Example() {
	var colour uint8
	err := colours.Unmarshal([]byte("green"), &colour, "example", "colour")
	fmt.Println(colour, colours.Of(colour), err)
	// Output: 1 green <nil>
}

func TestValuesWithoutNamesAreRefused(t *testing.T) {
	if got := colours.Of(7); got != "unknown(7)" {
		t.Errorf("Of(7) is %q", got)
	}
	if text, err := colours.Marshal(2, "example", "colour"); err == nil {
		t.Errorf("Marshal(2) is %q", text)
	}
	value := uint8(1)
	err := colours.Unmarshal([]byte("blue"), &value, "example", "colour")
	if want := `example: "blue" is no colour; use one of [red green]`; err == nil || err.Error() != want || value != 1 {
		t.Errorf("Unmarshal: %v, value %d", err, value)
	}
}
