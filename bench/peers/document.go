package main

import (
	"fmt"
	"os"
	"strings"
)

// The marks between which a document has the table.
const (
	tableBegins = "<!-- peers: begin -->"
	tableEnds   = "<!-- peers: end -->"
)

// writeDocument puts the table into a Markdown file, in the place of the one that it has.
func (t *table) writeDocument(name string) error {
	old, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	before, rest, begun := strings.Cut(string(old), tableBegins)
	_, after, ended := strings.Cut(rest, tableEnds)
	if !begun || !ended {
		return fmt.Errorf("%s has no lines %s and %s to put the table between", name, tableBegins, tableEnds)
	}
	var text strings.Builder
	if err := t.print(&text); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(before+tableBegins+"\n"+text.String()+tableEnds+after), 0o644)
}
