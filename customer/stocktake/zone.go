package stocktake

import "time"

// Years, months and days are those of the definition's zone. Instants are stored and
// exported in UTC.

// location returns the definition's zone.
func (d *Definition) location(op string) (*time.Location, error) {
	if d.Zone == "" {
		return time.UTC, nil
	}
	zone, err := time.LoadLocation(d.Zone)
	if err != nil || d.Zone == "Local" { // which would be another one on another machine
		return nil, invalid(op, "Definition.Zone", d.Zone, "use a name of the IANA time zone database, such as Asia/Shanghai; where a machine has no such database, the program imports time/tzdata")
	}
	return zone, nil
}

// monthOf is the first instant of the month that an instant is in.
func monthOf(t time.Time, zone *time.Location) time.Time {
	y, m, _ := t.In(zone).Date()
	return firstOf(y, m, zone)
}

// firstOf is the first instant of a month, which may be beyond its year: not midnight where
// the clocks go forward just then, as in Asunción on October 1, 2017.
func firstOf(year int, month time.Month, zone *time.Location) time.Time {
	first := time.Date(year, month, 1, 0, 0, 0, 0, zone)
	if first.Day() != 1 { // the hour before
		_, first = first.ZoneBounds()
	}
	return first
}

// monthOf is the first instant of the month that an instant is in, in the definition's zone.
func (c *count) monthOf(t time.Time) time.Time { return monthOf(t, c.zone) }

// monthAfter is the first instant of the month after that of an instant.
func (c *count) monthAfter(t time.Time) time.Time {
	y, m, _ := t.In(c.zone).Date()
	return firstOf(y, m+1, c.zone)
}

// completeMonth numbers the last month that is over at a boundary.
func (c *count) completeMonth(b int) int {
	return monthNumber(c.journal.bounds[b].time.In(c.zone)) - 1
}

// completeForEvents numbers the last month that is over in UTC as well, by whose months
// events are kept: nothing that is recorded later is of it.
func (c *count) completeForEvents(b int) int {
	return min(c.completeMonth(b), monthNumber(c.journal.bounds[b].time.UTC())-1)
}

// monthNumber numbers the month of a time in its own location, from January of the year 0.
func monthNumber(t time.Time) int {
	y, m, _ := t.Date()
	return 12*y + int(m) - 1
}
