package main

import (
	"strings"
	"testing"
)

// handHeader are the columns of a report with the usual buckets.
const handHeader = "customer,currency,not_due,d1_30,d31_60,d61_90,d90_plus,unapplied,balance\n"

// Reports worked out by hand; each comment is the working.
func TestReportsWorkedByHand(t *testing.T) {
	const items, allocations = "item,customer,kind,document_date,due_date,currency,amount,recorded_at\n", "credit_item,debit_item,amount,effective_date,recorded_at\n"
	for _, c := range []struct {
		name                      string
		flags                     string
		items, allocations, rates string
		header, want              string
	}{
		// As of 2024-08-15. Due on the day itself and after it is not due: 1 + 2 = 3. One
		// day before is 1 day past due; July 16 is 30 (15 days of August, 15 of July), July
		// 15 is 31; June 16 is 60 (15 + 31 + 14), June 15 is 61; May 17 is 90 (15 + 31 + 30
		// + 14), May 16 is 91. 1–30: 4 + 8 = 12, 31–60: 16 + 32 = 48, 61–90: 64 + 128 = 192.
		{
			name: "edges of the buckets", flags: "-as-of 2024-08-15",
			items: "a,c,invoice,2024-01-01,2024-08-16,CNY,1,\nb,c,invoice,2024-01-01,2024-08-15,CNY,2,\n" +
				"d,c,invoice,2024-01-01,2024-08-14,CNY,4,\ne,c,invoice,2024-01-01,2024-07-16,CNY,8,\n" +
				"f,c,invoice,2024-01-01,2024-07-15,CNY,16,\ng,c,invoice,2024-01-01,2024-06-16,CNY,32,\n" +
				"h,c,invoice,2024-01-01,2024-06-15,CNY,64,\ni,c,invoice,2024-01-01,2024-05-17,CNY,128,\n" +
				"j,c,invoice,2024-01-01,2024-05-16,CNY,256,\n",
			want: "c,CNY,3.00,12.00,48.00,192.00,256.00,0.00,511.00\n",
		},
		// From February 29 to March 30 of 2024 are 30 days, and from January 31 they are 59, 29 of
		// February and 30 of March. February 28 of 1900 is far more than 90 days before.
		{
			name: "leap day", flags: "-as-of 2024-03-30",
			items: "a,c,invoice,2024-02-29,,USD,10,\nb,c,invoice,2024-01-31,,USD,20,\nd,c,invoice,1900-02-28,,USD,40,\n",
			want:  "c,USD,0.00,10.00,20.00,0.00,40.00,0.00,70.00\n",
		},
		// Of 1,000.00 due on June 30, 46 days before, 300.00 are settled on August 15 and
		// 100.00 on August 16, which is too late: 700.00. Of the payment of 500.00 there are
		// 200.00 left, of that of 100.00 all: −300.00. Together 400.00.
		{
			name: "settled in part", flags: "-as-of 2024-08-15",
			items:       "i,c,invoice,2024-06-01,2024-06-30,CNY,1000.00,\np,c,payment,2024-08-01,,CNY,500.00,\nq,c,payment,2024-08-15,,CNY,100.00,\n",
			allocations: "p,i,300.00,2024-08-15,\nq,i,100.00,2024-08-16,\n",
			want:        "c,CNY,0.00,0.00,700.00,0.00,0.00,-300.00,400.00\n",
		},
		// An allocation counts no earlier than its items: it is of August 1, but the payment
		// of August 10. On August 5 there is no payment, and all 90.00 are open.
		{
			name: "allocated before it was paid", flags: "-as-of 2024-08-05",
			items:       "i,c,invoice,2024-08-01,2024-08-31,CNY,90,\np,c,payment,2024-08-10,,CNY,90,\n",
			allocations: "p,i,90,2024-08-01,\n",
			want:        "c,CNY,90.00,0.00,0.00,0.00,0.00,0.00,90.00\n",
		},
		// As of July 31, known on July 31. Invoice a was recorded at 23:30 in New York (−04:00)
		// on the 31st, which is August 1 in UTC: not known. Invoice b was recorded at 07:59 in
		// Shanghai on August 1, 23:59 of the 31st in UTC: known, and 31 days overdue (due on
		// the day of its document, June 30). Its allocation was recorded in August: unknown, so
		// that the payment is unapplied too. 80.00 − 50.00 = 30.00.
		{
			name: "as known then", flags: "-as-of 2024-07-31 -known-on 2024-07-31",
			items: "a,c,invoice,2024-06-30,,CNY,70,2024-07-31T23:30:00-04:00\nb,c,invoice,2024-06-30,,CNY,80,2024-08-01T07:59:00+08:00\n" +
				"p,c,payment,2024-07-15,,CNY,50,2024-07-15T12:00:00Z\n",
			allocations: "p,b,50,2024-07-15,2024-08-02T00:00:00Z\n",
			want:        "c,CNY,0.00,0.00,80.00,0.00,0.00,-50.00,30.00\n",
		},
		// A customer whose credit note equals its invoice, not allocated, has a balance of
		// nothing and is a row all the same; one whose invoice is settled is none. Credits
		// beyond the debits make a balance below zero. B is before a, bytewise.
		{
			name: "balances of nothing and below", flags: "-as-of 2024-08-15",
			items: "i,a,invoice,2024-08-15,,EUR,5,\nn,a,credit_note,2024-08-15,,EUR,5,\n" +
				"j,b,invoice,2024-08-01,,EUR,7,\np,b,payment,2024-08-01,,EUR,7,\nq,B,payment,2024-08-01,,EUR,0.01,\n",
			allocations: "p,j,7,2024-08-01,\n",
			want:        "B,EUR,0.00,0.00,0.00,0.00,0.00,-0.01,-0.01\na,EUR,5.00,0.00,0.00,0.00,0.00,-5.00,0.00\n",
		},
		// By document, as of August 15: the day itself and up to 30 days (July 16) are 1–30, 31
		// (July 15) are 31–60, whatever the due date; nothing is not due. 1 + 2 = 3.
		{
			name: "by document date", flags: "-as-of 2024-08-15 -by document",
			items: "a,c,invoice,2024-08-15,2025-08-15,CNY,1,\nb,c,invoice,2024-07-16,2024-07-16,CNY,2,\nd,c,invoice,2024-07-15,2024-12-31,CNY,4,\n",
			want:  "c,CNY,0.00,3.00,4.00,0.00,0.00,0.00,7.00\n",
		},
		// Buckets 15 and 45: 15 days (July 31) are 1–15, 16 (July 30) are 16–45, as are 45
		// (July 1), and 46 (June 30) are more. Yen have no digits, Kuwaiti dinars three, and
		// 10¹² of them are exact: 1,000,000,000,000.001 + 0.999 = 1,000,000,000,001.000.
		{
			name: "other buckets, digits and large amounts", flags: "-as-of 2024-08-15 -buckets 15,45",
			items: "a,c,invoice,2024-07-31,,JPY,1,\nb,c,invoice,2024-07-30,,JPY,2,\nd,c,invoice,2024-07-01,,JPY,4,\ne,c,invoice,2024-06-30,,JPY,8,\n" +
				"f,c,invoice,2024-07-31,,KWD,1000000000000.001,\ng,c,invoice,2024-07-31,,KWD,0.999,\n",
			header: "customer,currency,not_due,d1_15,d16_45,d45_plus,unapplied,balance\n",
			want:   "c,JPY,0,1,6,8,0,15\nc,KWD,0.000,1000000000001.000,0.000,0.000,0.000,1000000000001.000\n",
		},
		// At 7.1250 of August 10, not the 8 of August 20: 0.02 USD not due are 0.1425, 0.14;
		// 0.04 of 1–30 days are 0.2850, half way, to the even 0.28; 0.12 of 31–60 are 0.8550,
		// to the even 0.86; −0.20 unapplied are −1.4250, to the even −1.42. And 1 JPY of 1–30
		// at 0.05 is 0.05. 1–30: 0.33. 0.14 + 0.33 + 0.86 − 1.42 = −0.09.
		{
			name: "in a base currency, half to even", flags: "-as-of 2024-08-15 -currency base -base CNY",
			items: "a,c,invoice,2024-08-15,,USD,0.02,\nb,c,invoice,2024-08-14,,USD,0.04,\nd,c,invoice,2024-07-15,,USD,0.12,\n" +
				"p,c,payment,2024-08-01,,USD,0.20,\ne,c,invoice,2024-08-14,,JPY,1,\n",
			rates: "date,currency,rate\n2024-08-20,USD,8\n2024-08-10,USD,7.1250\n2024-01-01,USD,7\n2024-08-15,JPY,0.05\n",
			want:  "c,CNY,0.14,0.33,0.86,0.00,0.00,-1.42,-0.09\n",
		},
		// First in first out: the credits of 120.00 settle what is due first. Due on May 1 are
		// 50.00 (106 days), then on July 1 two of one due day: the older document's 40.00, and
		// of the newer one's 60.00 what is left, 30.00; so 30.00 are 45 days overdue. The
		// allocation, which says otherwise, is ignored. Of the dollars 9.00 are left over.
		{
			name: "first in first out", flags: "-as-of 2024-08-15 -fifo",
			items: "new,c,invoice,2024-06-02,2024-07-01,CNY,60,\nold,c,invoice,2024-06-01,2024-07-01,CNY,40,\nfirst,c,invoice,2024-06-30,2024-05-01,CNY,50,\n" +
				"p,c,payment,2024-08-01,,CNY,100,\nn,c,credit_note,2024-08-02,,CNY,20,\nq,c,payment,2024-08-01,,USD,10,\nd,c,invoice,2024-08-01,2025-01-01,USD,1,\n",
			allocations: "p,new,60,2024-08-01,\n",
			want:        "c,CNY,0.00,0.00,30.00,0.00,0.00,0.00,30.00\nc,USD,0.00,0.00,0.00,0.00,0.00,-9.00,-9.00\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			texts := map[string]string{"items": items + c.items}
			if c.allocations != "" {
				texts["allocations"] = allocations + c.allocations
			}
			if c.rates != "" {
				texts["rates"] = c.rates
			}
			header := handHeader
			if c.header != "" {
				header = c.header
			}
			args := append(files(t, texts), strings.Fields(c.flags+" -format csv")...)
			got, err := report(args...)
			if err != nil || got != header+c.want {
				t.Errorf("%v\ngot\n%swant\n%s", err, got, header+c.want)
			}
		})
	}
}
