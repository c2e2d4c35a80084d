package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// 240 customers are dealt out to 12 branches, 20 each: a region of four has 80. Who was
// granted nothing sees nothing.
func TestTheGroupIsAsItSays(t *testing.T) {
	var out bytes.Buffer
	if err := run(context.Background(), &out, 240); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"240 customers in 12 branches of 3 regions",
		"admin           240", "auditor         240", "manager.east     80", "clerk.sha        20", "nobody.yet        0",
		"with 0 phones and 0 e-mail addresses",
		"Hangzhou saw it before: false, sees it now: true",
		"HQ       240 customers", "EAST      80 customers, 1 of them shared among its parts",
		"NKG            19", "SZV            21",
		// Invoices of 1000, 2000, 3000 and 4000 are due in 10 days and since 10, 45 and 100. The
		// customer of Nanjing, who owes 3000, went to Suzhou.
		"  in all          1000     2000     3000        0     4000    10000",
		"  NKG                0        0        0        0        0        0",
		"  SZV                0        0     3000        0     4000     7000",
		"  in all          1000        0        0        0        0     1000",
		"               not due     1–30    31–60    61–90  over 90  balance",
		"clerk.sha may not read the identity",
		"admin: grant 1 (role admin) gives every right on the whole book",
	} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("it doesn't say %q:\n%s", line, out.String())
		}
	}
}
