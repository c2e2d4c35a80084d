package retail

import (
	_ "embed"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging/classify"
)

//go:embed channels.json
var channels []byte

// Channels is the rule set that fills the dimension channel. Books need the attributes of
// [Attributes].
func Channels() (classify.RuleSet, error) { return classify.ParseRuleSet(channels) }

// Attributes are the custom attributes that Channels reads.
func Attributes() []customer.AttributeSpec {
	return []customer.AttributeSpec{{
		Name: "area", Type: customer.Number,
		Title: map[string]string{"en": "Sales area (m²)", "zh-Hans": "营业面积（平方米）", "zh-Hant": "營業面積（平方公尺）"},
	}}
}
