package aging

import "github.com/clientele-go/clientele/credit/date"

// Snapshot is an aging that is kept, of one group of customers in one currency: what stood
// in each bucket at a date. From several follows how amounts move from bucket to bucket.
type Snapshot struct {
	AsOf    date.Date
	Buckets []int64 // minor units, not due first
	// Left is what left the last bucket since the snapshot before, by payment or as written
	// off. The last bucket has no end, so only with this can be told how much came in.
	Left int64
}
