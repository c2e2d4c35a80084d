package filter

import (
	goparser "go/parser"
	"strings"
	"testing"
)

const typical = "region:CN-31/* AND (level:vip OR rfm:champion) AND NOT status:dormant"

// BenchmarkParse stands beside Go's own parser on the same filter written in Go.
func BenchmarkParse(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"one", "level:vip"},
		{"typical", typical},
		{"chinese", "region：“上海市” 且 （level:重要客户 或 rfm:冠军） 且 非 status:沉睡"},
		{"list1000", "rep:(" + strings.Repeat("wang.li|", 999) + "wang.li)"},
		{"terms1000", strings.Repeat("level:vip OR ", 999) + "level:vip"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.text)))
			for b.Loop() {
				if _, err := Parse(c.text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("typical/go", func(b *testing.B) {
		const inGo = `under(region, "CN-31") && (level == "vip" || rfm == "champion") && !(status == "dormant")`
		b.ReportAllocs()
		b.SetBytes(int64(len(inGo)))
		for b.Loop() {
			if _, err := goparser.ParseExpr(inGo); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkString(b *testing.B) {
	e := parsed(b, typical)
	b.ReportAllocs()
	for b.Loop() {
		if e.String() != typical {
			b.Fatal(e)
		}
	}
}
