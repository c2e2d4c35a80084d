package customer

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
)

func full() *Customer {
	return &Customer{
		ID: 7, Code: "C000007", Kind: Partner, Party: Person, Status: Suspended,
		Name: "王小明", Aliases: []string{"Wang Xiaoming", ""}, Country: "TW",
		Identifiers: []Identifier{{Scheme: "tw.ubn", Value: "22099131", unique: true}},
		Phones:      []Phone{{Label: "office", Number: "(02)2531-7099 分機3", E164: "+886225317099", Extension: "3"}},
		Emails:      []Email{{Label: "work", Address: "wang@example.com"}},
		Addresses:   []Address{{Label: "head office", Text: "台北市中山北路2段113號", Country: "TW", Province: "臺北市", City: "臺北市", District: "中山區", Division: "710000", Postcode: "104"}},
		Contacts:    []Contact{{Name: "李四", Role: "buyer", Phone: "0912345678", Email: "li@example.com"}},
		Website:     "https://example.com", Note: "a\nnote", Owner: 300, Rep: "rep.1",
		Attributes: []Attribute{{Name: "credit_days", Value: NumberValue(-45), indexed: true}, {Name: "vip", Value: BooleanValue(true)}, {Name: "since", Value: DateValue(time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC))}},
		SourceKeys: []SourceKey{{System: "erp", Key: "4711"}},
		Created:    time.Date(2024, 2, 29, 12, 0, 0, 123456000, time.UTC),
	}
}

func decode(t testing.TB, stored []byte, id ID) *Customer {
	t.Helper()
	c, err := decodeCustomer(string(stored), id, storage.Meta{})
	if err != nil {
		t.Fatal(err)
	}
	c.Recorded = time.Time{}
	return c
}

func TestRecordSurvivesStorage(t *testing.T) {
	for _, c := range []*Customer{full(), {ID: 1, Name: "x", Created: time.Unix(0, 0).UTC()}} {
		stored, err := appendCustomer(nil, c)
		if err != nil {
			t.Fatal(err)
		}
		if got := decode(t, stored, c.ID); !reflect.DeepEqual(got, c) {
			t.Errorf("came back as\n%+v\nwant\n%+v", got, c)
		}
	}
}

// A book written today must be read for ever, so the bytes of a record are fixed here.
// Each field is a tag (number*2, plus 1 for bytes), then its value.
func TestStoredFormIsStable(t *testing.T) {
	c := &Customer{Code: "A1", Kind: Prospect, Name: "台泥", Created: time.UnixMicro(300).UTC(), Owner: 5,
		Phones: []Phone{{Number: "1", E164: "+1"}}}
	stored, err := appendCustomer(nil, c)
	if err != nil {
		t.Fatal(err)
	}
	want := "03024131" + // 1 Code "A1"
		"0401" + // 2 Kind 1
		"0b06e58fb0e6b3a5" + // 5 Name
		"1307" + "050131" + "07022b31" + // 9 Phone: 2 Number "1", 3 E164 "+1"
		"1e05" + // 15 Owner 5
		"26d804" // 19 Created, zigzag(300) = 600
	if got := hex.EncodeToString(stored); got != want {
		t.Errorf("stored form is\n%s\nwant\n%s", got, want)
	}
}

// An older program reads what a newer one wrote, changes the name and writes it back.
func TestFieldsOfNewerProgramsSurvive(t *testing.T) {
	var w record.Writer
	w.String(fieldName, "old")
	mark := w.Begin(fieldPhone)
	w.String(2, "123")
	w.String(30, "new in phones")
	w.End(mark)
	w.Uint(90, 5)
	w.String(91, "new in customers")

	c := decode(t, w.Buf, 1)
	c.Name = "new"
	stored, err := appendCustomer(nil, c)
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range []string{"new in phones", "new in customers"} {
		if !bytes.Contains(stored, []byte(kept)) {
			t.Errorf("%q was lost", kept)
		}
	}
}

func TestRandomRecordsSurviveStorage(t *testing.T) {
	text := rapid.StringN(0, 20, -1)
	rapid.Check(t, func(t *rapid.T) {
		c := &Customer{
			ID: 1, Code: text.Draw(t, "code"), Kind: Kind(rapid.IntRange(0, 2).Draw(t, "kind")), Name: text.Draw(t, "name"),
			Owner: UnitID(rapid.Uint64().Draw(t, "owner")), Created: time.UnixMicro(rapid.Int64Range(-1<<50, 1<<50).Draw(t, "created")).UTC(),
		}
		for range rapid.IntRange(0, 4).Draw(t, "lists") {
			c.Aliases = append(c.Aliases, text.Draw(t, "alias"))
			c.Phones = append(c.Phones, Phone{Label: text.Draw(t, "label"), Number: text.Draw(t, "number")})
			c.Addresses = append(c.Addresses, Address{Text: text.Draw(t, "address"), City: text.Draw(t, "city")})
			c.Attributes = append(c.Attributes, Attribute{Name: text.Draw(t, "attribute"), Value: NumberValue(rapid.Int64().Draw(t, "n"))})
			c.Identifiers = append(c.Identifiers, Identifier{Scheme: text.Draw(t, "scheme"), Value: text.Draw(t, "value")})
		}
		stored, err := appendCustomer(nil, c)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeCustomer(string(stored), 1, storage.Meta{})
		if err != nil {
			t.Fatal(err)
		}
		got.Recorded = time.Time{}
		if !reflect.DeepEqual(got, c) {
			t.Fatalf("came back as\n%+v\nwant\n%+v", got, c)
		}
	})
}

// Whatever the bytes: an error or a record that is stored the same way twice.
func FuzzDecodeCustomer(f *testing.F) {
	stored, _ := appendCustomer(nil, full())
	f.Add(stored)
	f.Add([]byte{0x13, 0x02, 0x05})
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := decodeCustomer(string(raw), 1, storage.Meta{})
		if err != nil {
			return
		}
		once, err := appendCustomer(nil, c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeCustomer(string(once), 1, storage.Meta{})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(c, again) {
			t.Fatalf("read as\n%+v\nthen as\n%+v", c, again)
		}
	})
}

// usual is a record as most are: about 300 bytes.
func usual() *Customer {
	return &Customer{
		ID: 7, Code: "C000007", Name: "深圳市华强电子有限公司", Owner: 12, Rep: "wang.li", Country: "CN",
		Identifiers: []Identifier{{Scheme: "cn.uscc", Value: "91440300708461136T"}},
		Phones:      []Phone{{Label: "office", Number: "0755-26770000", E164: "+8675526770000"}, {Label: "mobile", Number: "13800138000", E164: "+8613800138000"}},
		Emails:      []Email{{Address: "sales@huaqiang.example.cn"}},
		Addresses:   []Address{{Text: "广东省深圳市南山区科技园科技南路55号", Country: "CN", Province: "广东省", City: "深圳市", District: "南山区", Division: "440305"}},
		Contacts:    []Contact{{Name: "李四", Role: "采购"}},
		Attributes:  []Attribute{{Name: "industry", Value: EnumValue("retail"), indexed: true}, {Name: "level", Value: EnumValue("A"), indexed: true}},
		Created:     time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC),
	}
}

func BenchmarkEncode(b *testing.B) {
	c := usual()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = appendCustomer(buf[:0], c)
	}
	b.ReportMetric(float64(len(buf)), "B/row")
}

func BenchmarkDecode(b *testing.B) {
	stored, err := appendCustomer(nil, usual())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decodeCustomer(string(stored), 1, storage.Meta{}); err != nil {
			b.Fatal(err)
		}
	}
}
