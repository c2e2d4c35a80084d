package exchange

import (
	"slices"
	"strings"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/text"
)

// Field is what a column of a file holds: "name", "phone", "identifier.cn.uscc",
// "attr.credit_days", "tag.region", "source.erp". Several columns may have the same one.
type Field string

// The fields of customers. A phone, an e-mail and an address may have a label behind a
// point: "phone.mobile".
const (
	Code          Field = "code"
	Name          Field = "name"
	Alias         Field = "alias"
	KindOf        Field = "kind"   // buyer, prospect, partner
	PartyOf       Field = "party"  // organisation, person
	StatusOf      Field = "status" // exported; imported customers are active
	Country       Field = "country"
	Phone         Field = "phone"
	Email         Field = "email"
	Address       Field = "address"
	Province      Field = "address.province" // put before the address, with city and district
	City          Field = "address.city"
	District      Field = "address.district"
	Postcode      Field = "address.postcode"
	ContactName   Field = "contact.name"
	ContactRole   Field = "contact.role"
	ContactPhone  Field = "contact.phone"
	ContactEmail  Field = "contact.email"
	Website       Field = "website"
	Note          Field = "note"
	Owner         Field = "owner" // a unit's code
	Rep           Field = "rep"
	AnyIdentifier Field = "identifier" // of the one scheme that it is valid in
	identifierOf        = "identifier."
	attributeOf         = "attr."
	tagOf               = "tag."
	sourceOf            = "source."
	phoneOf             = "phone."
	emailOf             = "email."
	addressOf           = "address."
)

// under returns what follows a prefix in a field's name.
func (f Field) under(prefix string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(string(f), prefix)
	return rest, ok && rest != ""
}

// plainField is a field with the headings that people give it.
type plainField struct {
	field    Field
	headings []string
}

// plainFields are the fields without a variable part, with headings that people give
// them. Headings are compared folded: letter case, width, script, spaces and punctuation
// make no difference.
var plainFields = []plainField{
	{Code, []string{"code", "customer code", "customer no", "customer number", "customer id", "account no", "account number", "account code", "client id", "no", "number",
		"客户编码", "客户编号", "客户代码", "客户代号", "客户号", "编码", "编号", "代码", "往来单位编码", "单位编码", "公司代号", "助记码", "会员号"}},
	{Name, []string{"name", "customer", "customer name", "company", "company name", "account", "account name", "full name", "client", "client name", "organisation", "organization", "legal name", "business name", "registered name",
		"客户名称", "客户", "往来单位", "往来单位名称", "单位名称", "单位", "名称", "公司名称", "公司", "企业名称", "姓名", "客户姓名", "客户全称", "全称", "户名", "购货单位", "购买方名称", "商户名称", "客户简称及全称"}},
	{Alias, []string{"alias", "short name", "abbreviation", "also known as", "aka", "trade name", "trading name", "english name", "former name",
		"简称", "客户简称", "公司简称", "单位简称", "别名", "曾用名", "英文名称", "英文简称", "英文名"}},
	{KindOf, []string{"kind", "customer kind", "relationship", "客户性质", "往来性质"}},
	{PartyOf, []string{"party", "person or organisation", "customer type", "type", "个人或单位", "客户类型", "类型", "主体类型"}},
	{StatusOf, []string{"status", "customer status", "状态", "客户状态"}},
	{Country, []string{"country", "country code", "国家", "国别", "国家地区"}},
	{Phone, []string{"phone", "telephone", "tel", "phone number", "telephone number", "contact number",
		"电话", "联系电话", "电话号码", "联系方式", "总机", "总机电话", "公司电话", "购买方电话"}},
	{"phone.mobile", []string{"mobile", "mobile phone", "cell", "cell phone", "mobile number", "手机", "手机号", "手机号码", "移动电话", "行动电话"}},
	{"phone.office", []string{"office phone", "landline", "work phone", "办公电话", "固定电话", "座机", "固话"}},
	{"phone.fax", []string{"fax", "fax number", "传真", "传真号码", "传真机号码"}},
	{Email, []string{"email", "mail", "email address", "邮箱", "电子邮箱", "电子邮件", "邮件地址", "电子邮件信箱", "电邮"}},
	{Address, []string{"address", "street address", "postal address", "full address", "street", "地址", "联系地址", "通讯地址", "详细地址", "公司地址", "住址", "单位地址", "客户地址"}},
	{"address.registered", []string{"registered address", "legal address", "注册地址", "登记地址", "营业地址"}},
	{"address.delivery", []string{"delivery address", "shipping address", "ship to", "收货地址", "送货地址"}},
	{"address.billing", []string{"billing address", "bill to", "开票地址", "账单地址"}},
	{Province, []string{"province", "state", "省", "省份", "所在省", "省市"}},
	{City, []string{"city", "town", "市", "城市", "所在市", "所在城市"}},
	{District, []string{"district", "county", "区", "区县", "县区", "区域县市"}},
	{Postcode, []string{"postcode", "zip", "zip code", "postal code", "邮编", "邮政编码", "邮递区号"}},
	{ContactName, []string{"contact", "contact name", "contact person", "attention", "chairman", "chairperson", "president", "legal representative", "director", "manager", "ceo", "联系人", "联系人姓名", "联络人", "负责人", "董事长", "总经理", "法人", "法定代表人", "法人代表"}},
	{ContactRole, []string{"contact role", "contact title", "job title", "position", "职务", "联系人职务", "职称"}},
	{ContactPhone, []string{"contact phone", "contact mobile", "联系人电话", "联系人手机", "联系人联系电话"}},
	{ContactEmail, []string{"contact email", "联系人邮箱", "联系人电子邮箱"}},
	{Website, []string{"website", "web site", "url", "homepage", "网址", "网站", "公司网址", "主页"}},
	{Note, []string{"note", "notes", "remark", "remarks", "comment", "comments", "memo", "备注", "说明", "附注", "摘要"}},
	{Owner, []string{"owner", "unit", "branch", "department", "owner unit", "所属组织", "所属部门", "部门", "分公司", "所属分公司", "组织", "归属部门"}},
	{Rep, []string{"rep", "sales rep", "representative", "salesperson", "account manager", "sales", "业务员", "销售员", "客户经理", "销售", "专管业务员", "跟进人", "业务代表"}},
	{AnyIdentifier, []string{"tax id", "tax number", "registration number", "company number", "id number", "税号", "证照号", "证件号码", "证照号码", "注册号", "购买方税号"}},
	{"identifier.cn.uscc", []string{"unified social credit code", "uscc", "social credit code", "统一社会信用代码", "社会信用代码", "信用代码", "统一信用代码", "纳税人识别号", "纳税人登记号"}},
	{"identifier.cn.resident", []string{"resident id", "identity card", "id card", "身份证", "身份证号", "身份证号码"}},
	{"identifier.tw.ubn", []string{"ubn", "unified business number", "统一编号", "营利事业统一编号", "统编"}},
	{"identifier.lei", []string{"lei", "legal entity identifier"}},
	{"identifier.eu.vat", []string{"vat", "vat number", "vat id", "vat no"}},
	{"identifier.us.ein", []string{"ein", "employer identification number"}},
	{"identifier.duns", []string{"duns", "duns number", "邓白氏编码"}},
}

// FieldSpec tells of a field that files may have in this book.
type FieldSpec struct {
	Field Field
	Names customer.Names // "en" and "zh-Hans": the heading of exports
	known []string       // folded headings
}

// Fields returns the fields that customers can be imported and exported by in this book:
// those of every customer, each identifier scheme, custom attribute and dimension of tags.
func (r *Reader) Fields() ([]FieldSpec, error) {
	list := slices.Clone(specsOf(plainFields))
	add := func(f Field, names customer.Names, headings ...string) {
		i := slices.IndexFunc(list, func(s FieldSpec) bool { return s.Field == f })
		if i < 0 {
			list = append(list, FieldSpec{Field: f})
			i = len(list) - 1
		}
		s := &list[i]
		if len(names) > 0 {
			s.Names = names
		}
		s.known = slices.Clone(s.known)
		for _, h := range headings {
			s.known = append(s.known, text.Fold(h))
		}
		for _, n := range names {
			s.known = append(s.known, text.Fold(n))
		}
	}
	for _, scheme := range r.schemes.All() {
		add(Field(identifierOf+scheme.Name), titles(scheme.Title), scheme.Name)
	}
	schema, err := r.Customers.Schema()
	if err != nil {
		return nil, err
	}
	for _, a := range schema.Attributes {
		if !a.Retired {
			add(Field(attributeOf+a.Name), titles(a.Title), a.Name, attributeOf+a.Name)
		}
	}
	dimensions, err := r.dimensions()
	if err != nil {
		return nil, err
	}
	for _, d := range dimensions {
		add(Field(tagOf+d.Code), d.Names, d.Code, tagOf+d.Code)
	}
	return list, nil
}

// titles brings titles by "zh" to those of documents, which distinguish scripts.
func titles(t map[string]string) customer.Names {
	n := customer.Names{}
	for tag, title := range t {
		if tag == "zh" {
			tag = "zh-Hans"
		}
		n[tag] = title
	}
	return n
}

// specsOf tells of fields that every book has. The first English and the first Chinese
// heading name the field.
func specsOf(fields []plainField) []FieldSpec {
	var list []FieldSpec
	for _, p := range fields {
		s := FieldSpec{Field: p.field, Names: customer.Names{}}
		for _, h := range p.headings {
			tag := "en"
			if h[0] >= 0x80 {
				tag = "zh-Hans"
			}
			if s.Names[tag] == "" {
				s.Names[tag] = h
			}
			s.known = append(s.known, text.Fold(h))
		}
		if en := s.Names["en"]; en != "" {
			s.Names["en"] = strings.ToUpper(en[:1]) + en[1:]
		}
		list = append(list, s)
	}
	return list
}
