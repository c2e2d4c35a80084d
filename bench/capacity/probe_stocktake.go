package capacity

import (
	"context"
	"fmt"
	"time"

	"github.com/clientele-go/clientele/customer/stocktake"
)

// inventory is a stocktake of the whole book by industry and region: opening as of the
// end of the last import, closing now.
type inventory struct {
	*book
	count stocktake.Ask
}

func newStocktake(_ context.Context, b *book) (probe, error) {
	return inventory{b, stocktake.Ask{
		Definition: stocktake.Definition{Dimensions: []string{"tag.industry", "tag.region"}, CrossTabs: [][2]string{{"tag.industry", "tag.region"}}},
		Opening:    stocktake.Instant{Position: b.imported},
	}}, nil
}

func (p inventory) ask(ctx context.Context, _ int) (time.Duration, error) {
	began := time.Now()
	r, err := p.session.Stocktake().Count(ctx, p.count)
	took := time.Since(began)
	if err != nil {
		return took, err
	}
	return took, p.check(r)
}

func (p inventory) check(r *stocktake.Result) error {
	if n := len(r.CrossTabs); n != 1 {
		return wrong("the number of cross-tabs", n, 1)
	}
	table, got := &r.CrossTabs[0], map[string]int64{}
	for i, row := range table.RowKeys {
		for j, column := range table.ColumnKeys {
			got[row+" "+column] = table.Cells[i][j]
		}
	}
	for i, row := range p.expected.cells {
		for j, want := range row {
			if key := fmt.Sprintf("i%d r%d", i, j); got[key] != want {
				return wrong("the stocktake's count of "+key, got[key], want)
			}
		}
	}
	return nil
}
