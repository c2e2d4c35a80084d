package exchange

// What the tests outside of the package see of the readers of cells.
var (
	ParseUnits = parseUnits
	ParseDay   = parseDay
)
