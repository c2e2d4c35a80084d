package orgtree

import (
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// What journal entries say happened to access; see [Action].
const (
	PrincipalSet    Action = 10
	RoleSet         Action = 11
	RoleRemoved     Action = 12
	GrantGiven      Action = 13
	GrantRevoked    Action = 14
	DelegationSet   Action = 15
	DelegationEnded Action = 16
	PolicySet       Action = 17 // enforcement switched, rules of approval set
	ApprovalAsked   Action = 18
	ApprovalDecided Action = 19
	ApprovalUsed    Action = 20
	ApprovalErased  Action = 21
	CampaignSet     Action = 22
	GrantCertified  Action = 23
)

// The ids of access in the key space.
const (
	TablePrincipal  = 24
	TableRole       = 25
	TableGrant      = 26
	TableDelegation = 27
	TablePolicy     = 28
	TableApproval   = 29
	TableCampaign   = 80
	TableCertified  = 81
	tableUse        = 82
	tablePolicyMark = 83

	sequenceGrant      = 21
	sequenceDelegation = 22
	sequenceApproval   = 23
	sequenceCampaign   = 24

	bitmapRep = 12
)

// accessTables is the stored form of who may do what.
type accessTables struct {
	principal      *storage.Table[string, *Principal]
	role           *storage.Table[string, *Role]
	grant          *storage.Table[GrantID, *Grant]
	grantPrincipal *storage.Index[*Grant]
	grantRole      *storage.Index[*Grant]
	grantUnit      *storage.Index[*Grant]
	grantIDs       *storage.Sequence
	delegation     *storage.Table[DelegationID, *Delegation]
	delegationTo   *storage.Index[*Delegation]
	delegationIDs  *storage.Sequence
	policy         *storage.Table[string, *policy]
	mark           *storage.Table[string, *policyMark]
	approval       *storage.Table[ApprovalID, *Approval]
	approvalState  *storage.Index[*Approval]
	approvalBy     *storage.Index[*Approval]
	approvalIDs    *storage.Sequence
	campaign       *storage.Table[CampaignID, *Campaign]
	campaignIDs    *storage.Sequence
	certified      *storage.Table[certifiedKey, *Certified]
	use            *storage.Table[useKey, *use]
}

func newAccessTables() *accessTables {
	t := &accessTables{
		grantPrincipal: &storage.Index[*Grant]{ID: 1, Label: "principal", Keys: func(set *storage.KeySet, g *Grant) { set.String(g.Principal).End() }},
		grantRole:      &storage.Index[*Grant]{ID: 2, Label: "role", Keys: func(set *storage.KeySet, g *Grant) { set.String(g.Role).End() }},
		grantUnit:      &storage.Index[*Grant]{ID: 3, Label: "unit", Keys: func(set *storage.KeySet, g *Grant) { set.Uint(uint64(g.Scope.Unit)).End() }},
		delegationTo:   &storage.Index[*Delegation]{ID: 1, Label: "to", Keys: func(set *storage.KeySet, d *Delegation) { set.String(d.To).End() }},
		approvalState:  &storage.Index[*Approval]{ID: 1, Label: "state", Keys: func(set *storage.KeySet, a *Approval) { set.Uint(uint64(a.State)).End() }},
		approvalBy:     &storage.Index[*Approval]{ID: 2, Label: "customer", Keys: approvalCustomerKeys},
		grantIDs:       &storage.Sequence{ID: sequenceGrant, Name: "grant id", Block: 64},
		delegationIDs:  &storage.Sequence{ID: sequenceDelegation, Name: "delegation id", Block: 16},
		approvalIDs:    &storage.Sequence{ID: sequenceApproval, Name: "approval id", Block: 16},
		campaignIDs:    &storage.Sequence{ID: sequenceCampaign, Name: "campaign id", Block: 1},
	}
	t.principal = &storage.Table[string, *Principal]{
		ID: TablePrincipal, Label: "principal", Key: storage.StringKey[string](), History: true,
		Append: appendPrincipal, Decode: decodePrincipal,
	}
	t.role = &storage.Table[string, *Role]{
		ID: TableRole, Label: "role", Key: storage.StringKey[string](), History: true, Pinned: true,
		Append: appendRole, Decode: decodeRole,
	}
	t.grant = &storage.Table[GrantID, *Grant]{
		ID: TableGrant, Label: "grant", Key: storage.UintKey[GrantID](), History: true, Numbers: t.grantIDs,
		Indexes: []*storage.Index[*Grant]{t.grantPrincipal, t.grantRole, t.grantUnit},
		Append:  appendGrant, Decode: decodeGrant,
	}
	t.delegation = &storage.Table[DelegationID, *Delegation]{
		ID: TableDelegation, Label: "delegation", Key: storage.UintKey[DelegationID](), History: true, Numbers: t.delegationIDs,
		Indexes: []*storage.Index[*Delegation]{t.delegationTo},
		Append:  appendDelegation, Decode: decodeDelegation,
	}
	t.policy = &storage.Table[string, *policy]{
		ID: TablePolicy, Label: "policy", Key: storage.StringKey[string](), History: true, Pinned: true,
		Append: appendPolicy, Decode: decodePolicy,
	}
	t.mark = &storage.Table[string, *policyMark]{
		ID: tablePolicyMark, Label: "policy_mark", Key: storage.StringKey[string](), Pinned: true,
		Append: appendPolicyMark, Decode: decodePolicyMark,
	}
	t.approval = &storage.Table[ApprovalID, *Approval]{
		ID: TableApproval, Label: "approval", Key: storage.UintKey[ApprovalID](), History: true, Numbers: t.approvalIDs,
		Indexes: []*storage.Index[*Approval]{t.approvalState, t.approvalBy},
		Append:  appendApproval, Decode: decodeApproval,
	}
	t.campaign = &storage.Table[CampaignID, *Campaign]{
		ID: TableCampaign, Label: "campaign", Key: storage.UintKey[CampaignID](), History: true, Numbers: t.campaignIDs,
		Append: appendCampaign, Decode: decodeCampaign,
	}
	t.certified = &storage.Table[certifiedKey, *Certified]{
		ID: TableCertified, Label: "certified", Key: certifiedCodec, History: true,
		Append: appendCertified, Decode: decodeCertified,
	}
	t.use = &storage.Table[useKey, *use]{
		ID: tableUse, Label: "use", Key: useCodec,
		Append: appendUse, Decode: decodeUse,
	}
	return t
}

func (t *accessTables) addTo(s *storage.Schema) {
	s.Tables = append(s.Tables, t.principal, t.role, t.grant, t.delegation, t.policy, t.mark, t.approval, t.campaign, t.certified, t.use)
	s.Sequences = append(s.Sequences, t.grantIDs, t.delegationIDs, t.approvalIDs, t.campaignIDs)
}

func approvalCustomerKeys(set *storage.KeySet, a *Approval) {
	if a.Customer != 0 {
		set.Uint(uint64(a.Customer)).End()
	}
}

// assignedRepKeys marks a customer for the representatives of its assignments in force.
func assignedRepKeys(set *storage.KeySet, p *Placement) {
	for i := range p.Assignments {
		if a := &p.Assignments[i]; a.live && a.Rep != "" {
			set.String(a.Rep).End()
		}
	}
}

// pair is a key of two parts: a number and a text.
func pairCodec[K any](split func(K) (uint64, string), join func(uint64, string) K) storage.KeyCodec[K] {
	return storage.KeyCodec[K]{
		Append: func(dst storage.Key, k K) storage.Key {
			n, s := split(k)
			return dst.Uint(n).String(s)
		},
		Decode: func(key storage.Key) (k K, err error) {
			n, rest, err := key.CutUint()
			if err != nil {
				return k, err
			}
			s, _, err := rest.CutString()
			return join(n, s), err
		},
	}
}

// useKey is a right that was used through a grant.
type useKey struct {
	grant GrantID
	right customer.Right
}

var useCodec = pairCodec(
	func(k useKey) (uint64, string) { return uint64(k.grant), string(k.right) },
	func(n uint64, s string) useKey { return useKey{GrantID(n), customer.Right(s)} },
)

// certifiedKey is a grant in a campaign.
type certifiedKey struct {
	campaign CampaignID
	grant    GrantID
}

var certifiedCodec = storage.KeyCodec[certifiedKey]{
	Append: func(dst storage.Key, k certifiedKey) storage.Key {
		return dst.Uint(uint64(k.campaign)).Uint(uint64(k.grant))
	},
	Decode: func(key storage.Key) (k certifiedKey, err error) {
		campaign, rest, err := key.CutUint()
		if err != nil {
			return k, err
		}
		grant, _, err := rest.CutUint()
		return certifiedKey{CampaignID(campaign), GrantID(grant)}, err
	},
}
