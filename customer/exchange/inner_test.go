package exchange

import (
	"context"
	"fmt"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/identifier"
)

// What the tests outside of the package see of the readers of cells.
var (
	ParseUnits = parseUnits
	ParseDay   = parseDay
)

// FindRepeats finds the repeats among rows of organisations with some distinct names.
func FindRepeats(ctx context.Context, memory, rows, names int) (Repeats, error) {
	schemes, err := identifier.NewSet()
	if err != nil {
		return Repeats{}, err
	}
	r := newRepeatFinder(schemes, memory)
	for i := range rows {
		if err := r.add(&line{row: i + 2, checked: &customer.Customer{Name: fmt.Sprintf("第%d有限公司", i%names)}}); err != nil {
			return Repeats{}, r.close(err)
		}
	}
	found, err := r.found(ctx)
	return found, r.close(err)
}

// ChineseRemedy is a remedy in Chinese, if it is in the list.
var ChineseRemedy = translated

// SketchOf adds half of the customers to a sketch for a file of a hundred bytes a row. It
// returns how many of them it lacks, and how many of the others it seems to have.
func SketchOf(rows int, make func(i int) *customer.Customer) (lacking, wrong int) {
	k := sketchFor(int64(100*rows), 0)
	for i := range rows {
		k.add(make(i))
	}
	for i := range rows {
		if k.lacks(make(i)) {
			lacking++
		}
		// All keys of the others are new; the row seems to be there if one is.
		if !k.lacks(make(rows + i)) {
			wrong++
		}
	}
	return lacking, wrong
}
