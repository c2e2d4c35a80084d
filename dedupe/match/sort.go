package match

import "slices"

func sortUint64(s []uint64) { slices.Sort(s) }
