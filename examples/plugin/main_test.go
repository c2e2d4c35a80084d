package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// What the program must say, worked out from the shops and the plug-in's description:
// shop 3 was never visited; shops without orders are due 15 days after a visit, others 30.
func TestTheProgramShowsWhatThePluginPromises(t *testing.T) {
	var out bytes.Buffer
	if err := run(context.Background(), &out); err != nil {
		t.Fatal(err)
	}
	before, after, _ := strings.Cut(out.String(), "20 days later")
	for _, line := range []string{
		"1   hypermarket  done   浦东大卖场", "2   convenience  done   好邻居便利店", "3   supermarket  due    东方超市",
		"4   modern       done   Acme Department Store", "5   online       done   好物网", "6   -            done   王记杂货",
		"rule retail-channels/registered, version 1: applies", "customer.schemes is [gs1.gln]",
	} {
		if !strings.Contains(before, line) {
			t.Errorf("on 15 January it doesn't say %q:\n%s", line, before)
		}
	}
	for _, line := range []string{
		"the clock concerns 4 shops", "1   hypermarket  due ", "2   convenience  due ", "4   modern       done", "5   online       due ", "6   -            due ",
		"faulty/faulty, version 1", "slice bounds out of range",
	} {
		if !strings.Contains(after, line) {
			t.Errorf("on 4 February it doesn't say %q:\n%s", line, after)
		}
	}
}
