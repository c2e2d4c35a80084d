package taggingtest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging/classify"
	"github.com/clientele-go/clientele/tagging/taggingtest"
)

// recorder keeps what the kit reports.
type recorder struct {
	mu    sync.Mutex
	texts []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.texts = append(r.texts, fmt.Sprintf(format, args...))
}

// caught fails unless the kit complained of what is wrong.
func caught(t *testing.T, r *recorder, want string) {
	t.Helper()
	for _, text := range r.texts {
		if strings.Contains(text, want) {
			return
		}
	}
	t.Errorf("the kit says %q, want a complaint with %q", r.texts, want)
}

func names(en, hans, hant string) customer.Names {
	return customer.Names{"en": en, "zh-Hans": hans, "zh-Hant": hant}
}

// loyalty is a classifier without faults; each test gives it one.
type loyalty struct {
	version    uint64
	facts      []string
	dimensions []classify.DimensionSpec
	classify   func(context.Context, classify.Facts) (classify.Verdict, error)
}

func (loyalty) Name() string                           { return "loyalty" }
func (l loyalty) Version() uint64                      { return l.version }
func (l loyalty) Facts() []string                      { return l.facts }
func (l loyalty) Dimensions() []classify.DimensionSpec { return l.dimensions }
func (l loyalty) Classify(ctx context.Context, f classify.Facts) (classify.Verdict, error) {
	return l.classify(ctx, f)
}

func sound() loyalty {
	return loyalty{
		version: 1,
		facts:   []string{"activity.order.last", "customer.systems"},
		dimensions: []classify.DimensionSpec{{
			Code: "loyalty", Names: names("Loyalty", "忠诚度", "忠誠度"), Exclusive: true,
			Tags: []classify.TagSpec{{Code: "regular", Names: names("Regular", "常客", "常客")}, {Code: "away", Names: names("Away", "久别", "久別")}},
		}},
		classify: judge,
	}
}

// judge calls those regular who ordered within 30 days.
func judge(_ context.Context, f classify.Facts) (classify.Verdict, error) {
	last := f.Value("activity.order.last")
	if last.Missing() {
		return classify.Verdict{}, nil
	}
	end := last.Instant().AddDate(0, 0, 30)
	if f.Now().Before(end) {
		return classify.Verdict{Tags: tag("regular"), Until: end}, nil
	}
	return classify.Verdict{Tags: tag("away")}, nil
}

func tag(code string) []classify.TagRef { return []classify.TagRef{{Dimension: "loyalty", Tag: code}} }

var (
	lastOrder = time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	facts     = map[string]classify.Value{"activity.order.last": classify.InstantValue(lastOrder), "customer.systems": classify.TextsValue("crm", "erp")}
)

func verdicts() []taggingtest.Verdict {
	return []taggingtest.Verdict{
		{Name: "five days ago", Facts: facts, Want: tag("regular"), Until: lastOrder.AddDate(0, 0, 30)},
		{Name: "long ago", Now: lastOrder.AddDate(1, 0, 0), Facts: facts, Want: tag("away")},
	}
}

func TestASoundClassifierPasses(t *testing.T) {
	taggingtest.TestClassifier(t, sound(), verdicts()...)
}

func TestBrokenClassifiersAreCaught(t *testing.T) {
	var calls atomic.Int64
	// returning has Classify change the verdict of judge.
	returning := func(change func(v *classify.Verdict, f classify.Facts)) func(*loyalty) {
		return func(l *loyalty) {
			l.classify = func(ctx context.Context, f classify.Facts) (classify.Verdict, error) {
				v, err := judge(ctx, f)
				change(&v, f)
				return v, err
			}
		}
	}
	for _, broken := range []struct {
		name   string
		mutate func(*loyalty)
		want   string
	}{
		{"version 0", func(l *loyalty) { l.version = 0 }, "count versions from 1"},
		{"no facts", func(l *loyalty) { l.facts = nil }, "no facts are declared"},
		{"a fact that is read and not declared", func(l *loyalty) { l.facts = []string{"customer.systems"} }, "which Facts doesn't list"},
		{"a fact that no book has", func(l *loyalty) { l.facts = append(l.facts, "customer.shoe_size") }, "a book can't use the classifier"},
		{"no dimensions", func(l *loyalty) { l.dimensions = nil }, "no dimensions"},
		{"a dimension that no book takes", func(l *loyalty) { l.dimensions[0].Code = "status" }, "dimension status"},
		{"a language is missing", func(l *loyalty) { delete(l.dimensions[0].Tags[0].Names, "zh-Hant") }, "no name in zh-Hant"},
		{"a tag that is not declared", func(l *loyalty) { l.dimensions[0].Tags = l.dimensions[0].Tags[:1] }, "no tag that Dimensions lists"},
		{"a dimension that is not declared", returning(func(v *classify.Verdict, _ classify.Facts) {
			v.Tags = []classify.TagRef{{Dimension: "level", Tag: "regular"}}
		}), "a dimension that Dimensions doesn't list"},
		{"two tags where one is allowed", returning(func(v *classify.Verdict, _ classify.Facts) { v.Tags = append(tag("regular"), tag("away")...) }), "2 tags of the exclusive dimension"},
		{"a tag twice", returning(func(v *classify.Verdict, _ classify.Facts) { v.Tags = append(v.Tags, v.Tags...) }), "given twice"},
		{"the wrong tag", returning(func(v *classify.Verdict, _ classify.Facts) { v.Tags = tag("regular") }), "want loyalty:away"},
		{"the clock is not told", returning(func(v *classify.Verdict, _ classify.Facts) { v.Until = time.Time{} }), "name the earlier instant in Until"},
		{"the clock is told too late", returning(func(v *classify.Verdict, _ classify.Facts) {
			if !v.Until.IsZero() {
				v.Until = v.Until.AddDate(0, 0, 1)
			}
		}), "name the earlier instant in Until"},
		{"an end in the past", returning(func(v *classify.Verdict, f classify.Facts) { v.Until = f.Now() }), "not after now"},
		{"chance", returning(func(v *classify.Verdict, _ classify.Facts) {
			if calls.Add(1)%7 == 0 {
				v.Tags = nil
			}
		}), "must depend on nothing but the facts"},
		{"a reason that counts", returning(func(v *classify.Verdict, _ classify.Facts) { v.Reason = fmt.Sprint("call ", calls.Add(1)) }), "must depend on nothing but the facts"},
		{"facts are changed", returning(func(_ *classify.Verdict, f classify.Facts) {
			if list := f.Value("customer.systems").Texts(); len(list) > 0 {
				list[0] = "changed"
			}
		}), "the facts were changed"},
		{"missing facts are an error", func(l *loyalty) {
			l.classify = func(ctx context.Context, f classify.Facts) (classify.Verdict, error) {
				if f.Value("customer.systems").Missing() {
					return classify.Verdict{}, errors.New("no systems")
				}
				return judge(ctx, f)
			}
		}, "a fact that is not known is Missing, and no error"},
		{"panic over a missing fact", func(l *loyalty) {
			l.classify = func(ctx context.Context, f classify.Facts) (classify.Verdict, error) {
				_ = f.Value("customer.systems").Texts()[0]
				return judge(ctx, f)
			}
		}, "index out of range"},
		{"hangs", func(l *loyalty) {
			l.classify = func(ctx context.Context, f classify.Facts) (classify.Verdict, error) {
				<-ctx.Done()
				return classify.Verdict{}, ctx.Err()
			}
		}, "did not return"},
		{"slow", func(l *loyalty) {
			l.classify = func(ctx context.Context, f classify.Facts) (classify.Verdict, error) {
				time.Sleep(12 * time.Millisecond)
				return judge(ctx, f)
			}
		}, "on average"},
	} {
		t.Run(broken.name, func(t *testing.T) {
			t.Parallel()
			c := sound()
			broken.mutate(&c)
			examples := verdicts()
			for i := range examples { // the mutant may change them
				examples[i].Facts = map[string]classify.Value{"activity.order.last": facts["activity.order.last"], "customer.systems": classify.TextsValue("crm", "erp")}
			}
			r := &recorder{}
			taggingtest.TestClassifier(r, c, examples...)
			caught(t, r, broken.want)
		})
	}
}

func TestAClassifierWithoutExamplesIsNotProven(t *testing.T) {
	r := &recorder{}
	taggingtest.TestClassifier(r, sound())
	caught(t, r, "there are no examples")
}
