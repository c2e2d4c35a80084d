package orgtree

import (
	"strings"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer"
)

// accessWords are the texts about access in one language. Words in braces stand for
// values.
type accessWords struct {
	may, mayNot, hidden  string
	approved, above      string
	grant, path, masked  string
	through, book, comma string
	rights               map[customer.Right]string
	data                 [dataKinds]string
	policies             [Shared + 1]string
	orphans              map[string]string
	verdicts             [verdicts]string
	findings             [findingKinds]string
}

var english = &accessWords{
	may:    "{actor} may {right} the {data} of customer {customer}.",
	mayNot: "{actor} may not {right} the {data} of customer {customer}.",
	hidden: "Hidden: {fields}.",

	approved: "A second person must approve it first.",
	above:    "Above {amount}, a second person must approve it first.",

	grant:   "grant {grant} (role {role}) ",
	path:    ", by {path}",
	masked:  ", without {fields}",
	through: ", delegated by {from}",
	book:    "the book",
	comma:   ", ",
	data:    [...]string{"identity", "contacts", "credit data", "tags", "items"},
	policies: [...]string{
		Inherit: "inherit", Private: "private", Assigned: "assigned", SharedDown: "shared down", SharedUp: "shared up", Shared: "shared",
	},
	verdicts: [...]string{
		Grants: "gives this", Denies: "denies this", Hides: "hides {fields}", OtherRights: "has a role without this right",
		OutOfReach:    "is for other units: the customer belongs to {owner}, whose policy is {policy}",
		NotShared:     "is for a unit that the customer is assigned to, but {owner} keeps this to itself: its policy is {policy}",
		NotOwn:        "is for the holder's own customers only",
		NotInFilter:   "is for the customers of a filter, and this is none of them",
		NotInForce:    "is not in force",
		DelegationOff: "a delegation by {from} is not in force",
		NoPrincipal:   "the actor is no principal of the book",
		Disabled:      "the principal is disabled",
		NoGrants:      "nothing has been granted",
		NotEnforced:   "access is not enforced in this book",
	},
	findings: [...]string{
		Unused:     "{principal}: grant {grant} (role {role}) was not used since {since}",
		Wider:      "{principal}: of grant {grant} (role {role}) these rights were not used since {since}: {rights}",
		Expired:    "{principal}: grant {grant} (role {role}) ended on {since}",
		Orphaned:   "{principal}: grant {grant} (role {role}) has no effect: {what}",
		Conflict:   "{principal} has duties that exclude each other: {rights}",
		SelfGiven:  "{principal} gave grant {grant} (role {role}) to itself",
		Everything: "{principal}: grant {grant} (role {role}) gives every right on the whole book",
		Widened:    "{principal}: grant {grant} (role {role}) became wider on {since}, when its unit was merged: give one on less, or confirm it by giving it anew",
		Overdue:    "{principal}: the campaign {campaign} was due on {since} and is still open",
	},
}

var chinese = &accessWords{
	may:    "{actor}可以{right}客户{customer}的{data}。",
	mayNot: "{actor}不可以{right}客户{customer}的{data}。",
	hidden: "隐藏字段：{fields}。",

	approved: "须先经第二人审批。",
	above:    "超过{amount}须先经第二人审批。",

	grant:   "授权{grant}（角色{role}）",
	path:    "，路径：{path}",
	masked:  "，不含{fields}",
	through: "，由{from}委托",
	book:    "账套",
	comma:   "、",
	rights: map[customer.Right]string{
		customer.RightRead: "查看", customer.RightCreate: "新建", customer.RightUpdate: "修改", customer.RightTransfer: "转移", customer.RightTag: "打标签",
		customer.RightMerge: "合并", customer.RightArchive: "归档", customer.RightErase: "清除", customer.RightExport: "导出", customer.RightImport: "导入",
		customer.RightSetLimit: "设定额度", customer.RightReserve: "占用额度", customer.RightPost: "记账", customer.RightOverride: "越权放行",
		customer.RightApprove: "审批", customer.RightReview: "复核", customer.RightAdminister: "管理",
	},
	orphans: map[string]string{"principal disabled": "用户已停用", "unit closed": "组织已关闭"},
	data:    [...]string{"身份资料", "联系资料", "信用资料", "标签", "往来项目"},
	policies: [...]string{
		Inherit: "继承", Private: "私有", Assigned: "按分配", SharedDown: "向下共享", SharedUp: "向上共享", Shared: "全部共享",
	},
	verdicts: [...]string{
		Grants: "给予此权限", Denies: "禁止此操作", Hides: "隐藏{fields}", OtherRights: "的角色没有此权限",
		OutOfReach:    "针对其他组织：客户属于{owner}，其共享策略为{policy}",
		NotShared:     "针对客户所分配的组织，但{owner}不共享此类资料：策略为{policy}",
		NotOwn:        "仅限持有人自己的客户",
		NotInFilter:   "仅限筛选条件内的客户，该客户不在其中",
		NotInForce:    "不在有效期内",
		DelegationOff: "{from}的委托不在有效期内",
		NoPrincipal:   "操作人不是账套的用户",
		Disabled:      "用户已停用",
		NoGrants:      "没有任何授权",
		NotEnforced:   "本账套未启用访问控制",
	},
	findings: [...]string{
		Unused:     "{principal}：授权{grant}（角色{role}）自{since}以来未使用",
		Wider:      "{principal}：授权{grant}（角色{role}）的下列权限自{since}以来未使用：{rights}",
		Expired:    "{principal}：授权{grant}（角色{role}）已于{since}到期",
		Orphaned:   "{principal}：授权{grant}（角色{role}）无效：{what}",
		Conflict:   "{principal}的职责互相冲突：{rights}",
		SelfGiven:  "{principal}给自己授予了授权{grant}（角色{role}）",
		Everything: "{principal}：授权{grant}（角色{role}）给予整个账套的全部权限",
		Widened:    "{principal}：授权{grant}（角色{role}）因组织合并自{since}起范围扩大：请缩小范围，或重新授予以确认",
		Overdue:    "{principal}：复核{campaign}已于{since}到期，尚未结束",
	},
}

// wordsOf returns the texts for a language: Chinese, or else English.
func wordsOf(tag language.Tag) *accessWords {
	if base, _ := tag.Base(); base.String() == "zh" {
		return chinese
	}
	return english
}

// approval tells a rule.
func (w *accessWords) approval(r *ApprovalRule) string {
	if r.Above == nil {
		return w.approved
	}
	return w.fill(w.above, map[string]string{"amount": r.Above.text()})
}

func (w *accessWords) right(r customer.Right) string {
	if word, found := w.rights[r]; found {
		return word
	}
	return strings.ReplaceAll(string(r), "_", " ")
}

// what translates the reason of an orphaned grant.
func (w *accessWords) what(reason string) string {
	if word, found := w.orphans[reason]; found {
		return word
	}
	return reason
}

// fill puts values in the place of the words in braces.
func (w *accessWords) fill(text string, values map[string]string) string {
	pairs := make([]string, 0, 2*len(values))
	for name, value := range values {
		pairs = append(pairs, "{"+name+"}", value)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
