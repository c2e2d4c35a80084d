package credit_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
)

func (d *desk) dun(id customer.ID) (l *credit.Letter) {
	d.t.Helper()
	d.do(func(tx deskTx) (err error) { l, err = tx.Dun(id, d.today()); return err })
	return l
}

func (d *desk) dunningDue() (ids []customer.ID) {
	d.t.Helper()
	d.view(func(r *credit.Reader) error {
		for id, err := range r.DunningDue(d.today(), 0) {
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	})
	return ids
}

// Due on March 2nd, 5 days of grace: level 1 from 10 days beyond it, March 17th; level 2
// from 20, March 27th, but not within 14 days of the first letter, March 31st.
func TestDunningLevels(t *testing.T) {
	d := newDesk(t, credit.Options{})
	d.policy(credit.Policy{Dunning: credit.DunningPlan{Grace: 5, Every: 14, Levels: []credit.DunningStep{
		{After: 10, Minimum: yuan(100), PayIn: 7},
		{After: 20, Fee: yuan(5), Hold: true, Terms: "PREPAID"},
	}}})
	id, small, disputed, current := d.customer(0), d.customer(0), d.customer(0), d.customer(0)
	d.limit(credit.OfCustomer(id), 10000)
	d.invoice("a", id, yuan(60), 0)
	d.invoice("b", id, yuan(50), 0)
	d.invoice("c", small, yuan(99), 0)
	quarrel := d.invoice("d", disputed, yuan(1000), 0)
	d.do(func(tx deskTx) error {
		_, err := tx.SetDispute(quarrel, credit.Dispute{Since: d.today(), Reason: "broken"})
		return err
	})
	d.invoice("e", current, yuan(1000), 300)
	for _, test := range []struct {
		day     string
		due     []customer.ID
		level   uint64
		outcome credit.Outcome
	}{
		{"2026-03-16", nil, 0, credit.Pass},
		{"2026-03-17", []customer.ID{id}, 1, credit.Pass},
		{"2026-03-17", nil, 0, credit.Pass},                  // once
		{"2026-03-30", []customer.ID{small}, 0, credit.Pass}, // whose level 2 has no minimum; it gets level 1 first
		{"2026-03-31", []customer.ID{id, small}, 2, credit.Hold},
		{"2026-04-20", []customer.ID{small}, 0, credit.Hold}, // there is no level 3
	} {
		d.setDay(test.day)
		if due := d.dunningDue(); !slices.Equal(due, test.due) {
			t.Errorf("%s: %v are due, want %v", test.day, due, test.due)
		}
		letter := d.dun(id)
		if (letter == nil) != (test.level == 0) || letter != nil && letter.Level != test.level {
			t.Errorf("%s: the letter is %v, want level %d", test.day, letter, test.level)
		}
		if got := d.decide(id, 1); got.Outcome != test.outcome {
			t.Errorf("%s: documents are %+v, want %s", test.day, got, test.outcome)
		}
	}
	d.pay("p", id, yuan(200))
	d.do(func(tx deskTx) error {
		_, err := tx.AllocateAutomatically(credit.Automatic{Customer: id, Method: credit.OldestFirst})
		return err
	})
	if letter := d.dun(id); letter != nil {
		t.Errorf("all is paid: %v", letter)
	}
	d.view(func(r *credit.Reader) error {
		got, err := r.Dunning(id)
		if err != nil || got.Level != 0 || got.Hold || got.Terms != "" || got.Letters != 2 {
			t.Errorf("after payment: %+v, %v", got, err)
		}
		return nil
	})
	if got := d.decide(id, 1); got.Outcome != credit.Pass {
		t.Errorf("after payment: %+v", got)
	}
	d.verify()
}

func TestLetterInBothLanguages(t *testing.T) {
	d := newDesk(t, credit.Options{})
	d.policy(credit.Policy{Dunning: credit.DunningPlan{Levels: []credit.DunningStep{{After: 1, Fee: yuan(20), PayIn: 7, Hold: true, Terms: "NET0"}}}})
	id := d.customer(0)
	d.invoice("INV-7", id, yuan(1234), 0)
	d.invoice("INV-8", id, money.Amount{Minor: 5000, Currency: money.JPY}, 2)
	d.setDay("2026-03-12")
	letter := d.dun(id)
	if letter == nil {
		t.Fatal("no letter")
	}
	want := credit.LetterText{
		Subject: "Payment reminder",
		Opening: "On 2026-03-12 the following items were open past their due dates. Perhaps they have escaped your notice.",
		Columns: [5]string{"Document", "Date", "Due", "Days overdue", "Open"},
		Rows: [][5]string{
			{"INV-7", "2026-03-02", "2026-03-02", "10", "1234.00 CNY"},
			{"INV-8", "2026-03-02", "2026-03-04", "8", "5000 JPY"},
		},
		Totals: []string{"Total 1234.00 CNY", "Total 5000 JPY"},
		Closing: []string{
			"Please pay by 2026-03-19.", "We charge 20.00 CNY for this letter.", "Until then we can't accept or deliver further orders.",
			"From now on the payment terms NET0 apply.", "If you have paid in the meantime, please disregard this letter.",
		},
	}
	if got := letter.Text(language.MustParse("en-GB")); !reflect.DeepEqual(got, want) {
		t.Errorf("English:\n%+v\nwant\n%+v", got, want)
	}
	chinese := letter.Text(language.MustParse("zh-CN"))
	if chinese.Subject != "付款提醒" || !strings.Contains(chinese.Opening, "2026-03-12") || chinese.Closing[0] != "请于2026-03-19前付清。" || !reflect.DeepEqual(chinese.Rows, want.Rows) {
		t.Errorf("Chinese: %+v", chinese)
	}
}

// tell delivers what is due and returns it, in order, as kind and item or scope.
func (d *desk) tell(plan credit.ReminderPlan) (told []string) {
	d.t.Helper()
	var list []*credit.Reminder
	d.view(func(r *credit.Reader) error {
		for m, err := range r.Reminders(plan) {
			if err != nil {
				return err
			}
			list = append(list, m)
		}
		return nil
	})
	for _, m := range list {
		for again := range 2 {
			var first bool
			d.do(func(tx deskTx) (err error) { first, err = tx.Remind(m); return err })
			if first != (again == 0) {
				d.t.Errorf("%s: delivery %d is the first: %t", m.Key(), again+1, first)
			}
		}
		if m.Item != 0 {
			told = append(told, fmt.Sprint(m.Kind, " ", m.Item))
		} else {
			told = append(told, fmt.Sprint(m.Kind, " ", m.Scope))
		}
	}
	return told
}

func TestRemindersComeOnce(t *testing.T) {
	d := newDesk(t, credit.Options{})
	id := d.customer(0)
	s := credit.OfCustomer(id)
	d.do(func(tx deskTx) error {
		return tx.SetLimit(s, credit.Limit{Amount: yuan(1000), Until: wantDay(t, "2026-03-31"), Review: wantDay(t, "2026-03-20")})
	})
	first, second := d.invoice("a", id, yuan(850), 7), d.invoice("b", id, yuan(100), 8)
	dueSoon, overdue := fmt.Sprint("due_soon ", first), fmt.Sprint("overdue ", first)
	for _, test := range []struct {
		what string
		day  string
		do   func()
		want []string
	}{
		{"850 and 100 are 95 percent of 1,000; the first is due in 7 days", "2026-03-02", nil, []string{dueSoon, "near_limit " + s.String()}},
		{"the same day again", "2026-03-02", nil, nil},
		{"the second is due in 7 days", "2026-03-03", nil, []string{fmt.Sprint("due_soon ", second)}},
		{"the first is due", "2026-03-09", nil, nil},
		{"the first is overdue", "2026-03-10", nil, []string{overdue}},
		{"the second is in dispute", "2026-03-11", func() {
			d.do(func(tx deskTx) error {
				_, err := tx.SetDispute(second, credit.Dispute{Since: d.today(), Reason: "x"})
				return err
			})
		}, nil},
		{"to review", "2026-03-20", nil, []string{"review_due " + s.String()}},
		{"the limit ends in 7 days", "2026-03-25", nil, []string{"limit_ending " + s.String()}},
		{"50 are paid: 90 percent is not above 90", "2026-03-26", func() { d.pay("p", id, yuan(50)) }, []string{"below_limit " + s.String()}},
		{"and used again", "2026-03-26", func() {
			if err := d.order("o", id, 10); err != nil {
				t.Fatal(err)
			}
		}, []string{"near_limit " + s.String()}},
		{"the limit's last day", "2026-03-31", nil, nil},
		{"the day after", "2026-04-01", nil, []string{"limit_ended " + s.String()}},
	} {
		d.setDay(test.day)
		if test.do != nil {
			test.do()
		}
		if got := d.tell(credit.ReminderPlan{}); !slices.Equal(got, test.want) {
			t.Errorf("%s, %s: told %q, want %q", test.day, test.what, got, test.want)
		}
	}
	d.verify()
}

// 150.00 overdue of which 60.00 are contested are 90.00, less than the level's 100.00; with
// 40.00 contested, the letter asks for 110.00.
func TestDunningAsksForWhatIsNotContested(t *testing.T) {
	d := newDesk(t, credit.Options{})
	d.policy(credit.Policy{Dunning: credit.DunningPlan{Levels: []credit.DunningStep{{After: 1, Minimum: yuan(100)}}}})
	id := d.customer(0)
	item := d.invoice("a", id, yuan(150), 0)
	contest := func(amount int64) {
		d.do(func(tx deskTx) error {
			_, err := tx.SetDispute(item, credit.Dispute{Amount: amount * 100})
			return err
		})
	}
	d.setDay("2026-03-20")
	contest(60)
	if letter := d.dun(id); letter != nil {
		t.Errorf("for 90.00: %+v", letter)
	}
	contest(40)
	letter := d.dun(id)
	if letter == nil || len(letter.Items) != 1 || letter.Items[0].Open != yuan(110) || !slices.Equal(letter.Totals, []money.Amount{yuan(110)}) {
		t.Errorf("for 110.00: %+v", letter)
	}
}
