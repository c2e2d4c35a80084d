package customer

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
)

// What a newer program wrote into a hold stays when this one changes the hold.
func TestHoldKeepsUnknownFields(t *testing.T) {
	var w record.Writer
	w.String(holdGround, "case 7")
	w.String(holdGround+7, "from the future")
	h, err := decodeHold(string(w.Buf), 1, storage.Meta{})
	if err != nil {
		t.Fatal(err)
	}
	h.Until = time.Unix(86400, 0)
	rewritten, err := appendHold(nil, h)
	if err != nil {
		t.Fatal(err)
	}
	found := ""
	r := record.NewReader(string(rewritten))
	for r.Next() {
		if r.Field() == holdGround+7 {
			found = r.String()
		}
	}
	if r.Err() != nil || found != "from the future" {
		t.Errorf("the unknown field is %q after a rewrite: %v", found, r.Err())
	}
}

// A schema is usually replaced by one that the program made itself, without what a newer
// program wrote: that stays all the same.
func TestSchemaKeepsUnknownFields(t *testing.T) {
	stored := `{
		"attributes": [{"name": "credit_days", "type": "number", "unit": "d"}, {"name": "size", "type": "text"}],
		"required": [{"any_of": [["Emails"]], "severity": "warning"}],
		"layout": {"columns": 2}
	}`
	older := &Schema{}
	if err := json.Unmarshal([]byte(stored), older); err != nil {
		t.Fatal(err)
	}
	next := &Schema{
		Attributes: []AttributeSpec{{Name: "credit_days", Type: Number, Indexed: true}, {Name: "size", Type: Text}},
		Required:   older.Required,
	}
	text, err := appendSchema(nil, next.keeping(older))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"attributes":[{"indexed":true,"name":"credit_days","type":"number","unit":"d"},{"name":"size","type":"text"}],` +
		`"layout":{"columns":2},"required":[{"any_of":[["Emails"]],"severity":"warning"}]}`
	if string(text) != want {
		t.Errorf("stored\n%s, want\n%s", text, want)
	}
	if next.rest != nil || next.Attributes[0].rest != nil {
		t.Error("the caller's schema was changed")
	}
}
