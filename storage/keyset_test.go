package storage

import (
	"strings"
	"testing"
)

// A form is asked once for a text that several indexes have, and again after another one.
func TestFormsAreMadeOnce(t *testing.T) {
	asked := 0
	upper := Form{Append: func(dst []byte, text string) []byte { asked++; return append(dst, strings.ToUpper(text)...) }}
	lower := Form{Append: func(dst []byte, text string) []byte { return append(dst, strings.ToLower(text)...) }}
	var set KeySet
	for i, step := range []struct {
		form  *Form
		text  string
		want  string
		asked int
	}{
		{&upper, "Ab", "AB", 1},
		{&upper, "Ab", "AB", 1},
		{&lower, "Ab", "ab", 1},
		{&upper, "Ab", "AB", 2},
		{&upper, "", "", 3},
		{&upper, "a\x00b", "A\x00B", 4},
	} {
		set.reset()
		set.Uint(7).In(step.form, step.text).End()
		if want := Key(nil).Uint(7).String(step.want); string(set.at(0)) != string(want) {
			t.Errorf("step %d: % x, want % x", i, set.at(0), want)
		}
		if asked != step.asked {
			t.Errorf("step %d: asked %d times, want %d", i, asked, step.asked)
		}
	}
}
