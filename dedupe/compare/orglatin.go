package compare

import (
	"math"
	"strings"

	"github.com/clientele-go/clientele/internal/text"
)

// latinOrg is the name of an organisation in another script than Chinese.
type latinOrg struct {
	bag     bag    // words without the legal form
	form    uint64 // the hash of the legal form, 0 for none
	company bool   // the legal form begins with Company or Corporation, whose initial is often in the short form
	joined  uint64 // the hash of the words without spaces
}

// orgWords are abbreviations and variants of words in the names of organisations.
var orgWords = pairsOf(`intl international int international internat international natl national nat national mfg manufacturing mfrs manufacturers mfr manufacturer
 tech technology techs technologies technologies technology svc service svcs services services service sys systems system systems assoc associates assn association assoc association
 univ university dept department govt government ctr center centre center centers center inst institute mgmt management mgt management dev development devel development
 eng engineering engr engineering engrg engineering ind industries industrial industries inds industries industry industries indus industries indl industrial labs laboratories lab laboratories laboratory laboratories
 pharm pharmaceuticals pharma pharmaceuticals pharmaceutical pharmaceuticals comm communications comms communications communication communications telecom telecommunications telecomm telecommunications telecommunication telecommunications syst systems
 bros brothers grp group hldg holdings hldgs holdings holding holdings fin financial finl financial ins insurance bk bank bancorp bancorp bancorporation bancorp natl national
 prod products prods products product products elec electric electr electric electronic electronics elecs electronics solns solutions solution solutions resource resources enterprise enterprises ent enterprises
 hosp hospital med medical amer american am american us us usa us st saint gen general genl general dist distribution distrib distribution distr distribution bldg building constr construction const construction
 transp transportation transport transportation chem chemical chems chemicals equip equipment mach machinery petr petroleum petrol petroleum invest investment investments investment props properties property properties
 restaurant restaurant rest restaurant restaurants restaurant cafe cafe caffe cafe und and et and y and e and n and
 one 1 two 2 three 3 four 4 five 5 six 6 seven 7 eight 8 nine 9 ten 10 eleven 11 twelve 12 first 1st second 2nd third 3rd fourth 4th fifth 5th`)

func pairsOf(list string) map[string]string {
	words := strings.Fields(list)
	m := make(map[string]string, len(words)/2)
	for i := 0; i+1 < len(words); i += 2 {
		m[words[i]] = words[i+1]
	}
	return m
}

func canonicalOrgWord(w string) string {
	if full, ok := orgWords[w]; ok {
		return full
	}
	return w
}

// smallWords tell nothing, and plainWords little: they stand in many names.
var (
	smallWords = wordsOf(`the of and for de la le les der die das und et y e el los las di da do a an in at on by co inc ltd llc corp corporation company limited incorporated plc gmbh ag sa srl spa`)
	plainWords = wordsOf(`international national manufacturing technology service systems association center institute management development engineering industries industrial laboratories pharmaceuticals
 communications telecommunications brothers group holdings financial insurance bank bancorp products electric electronics solutions resources enterprises medical american us general distribution construction
 transportation chemical equipment machinery petroleum investment properties restaurant cafe trading global world digital data software computer network networks health care energy power foods food consulting
 school academy hospital university community children childrens child early learning education house new first united services capital partners associates design media company hong kong china asia pacific america europe usa uk india japan taiwan singapore beijing shanghai shenzhen guangzhou york london shop store grill bar hotel church saint`)
)

func parseLatinOrg(name, key string) *latinOrg {
	core, form := text.LegalForm(name)
	if core = latinised(text.Fold(core)); core == "" {
		core = latinised(key)
	}
	words := mergeInitials(strings.Fields(core))
	o := &latinOrg{bag: newBag(words, canonicalOrgWord), form: formHash(form), company: strings.HasPrefix(text.Fold(form), "co")}
	o.joined = hashOf(KeyToken, o.together())
	return o
}

// together are the words in their canonical form without spaces: 3com for Three Com.
func (o *latinOrg) together() string {
	var b strings.Builder
	for i := range o.bag.words {
		b.WriteString(canonicalOrgWord(o.bag.words[i].text))
	}
	return b.String()
}

// tokens emits the words, and the whole where it is more than one of them.
func (o *latinOrg) tokens(emit func(uint64)) {
	o.bag.emit(emit)
	if len(o.bag.words) > 1 {
		emit(o.joined)
	}
}

// initials are the first letters of the words but the smallest.
func (o *latinOrg) initials() string {
	var b strings.Builder
	for i := range o.bag.words {
		if w := o.bag.words[i].text; !smallWords[w] {
			b.WriteString(firstRune(w))
		}
	}
	return b.String()
}

// mergeInitials writes single letters that follow one another as one word: u s a → usa.
func mergeInitials(words []string) []string {
	merged := make([]string, 0, len(words))
	for i := 0; i < len(words); {
		j := i
		for j < len(words) && len(words[j]) == 1 && words[j][0] >= 'a' && words[j][0] <= 'z' {
			j++
		}
		if j > i+1 {
			merged = append(merged, strings.Join(words[i:j], ""))
			i = j
			continue
		}
		merged = append(merged, words[i])
		i++
	}
	return merged
}

func (c *organisations) weigh(w *word, bits float32) float32 {
	if c.corpus.ready() {
		if smallWords[w.text] {
			return 0.1
		}
		return min(1.3, max(0.1, bits/9))
	}
	switch {
	case smallWords[w.text]:
		return 0.08
	case plainWords[canonicalOrgWord(w.text)]:
		return 0.4
	}
	return 1
}

func (c *organisations) compareLatin(x, y *latinOrg) (level uint8, same, bits float32) {
	o := align(&x.bag, &y.bag, c.corpus, c.weigh, alikeWords)
	if x.joined == y.joined {
		return orgSpelling, 0.97, c.wholeBits(x, max(o.bits, min(x.bag.bitsOf(c.corpus), y.bag.bitsOf(c.corpus))))
	}
	level, same = latinLevel(&o, x, y)
	if level < orgAbbreviation && (acronym(x, y) || acronym(y, x)) {
		return orgAbbreviation, 0.55, max(o.bits, min(x.bag.bitsOf(c.corpus), y.bag.bitsOf(c.corpus)))
	}
	return level, same, o.bits
}

// wholeBits is the information of a name that two records share whole, by the count of the
// names that are the same but for the legal form; where few are, so that they may all be of
// one organisation, also by its words.
func (c *organisations) wholeBits(o *latinOrg, words float32) float32 {
	if !c.corpus.ready() || c.corpus.wordsOnly {
		return words
	}
	counted := c.corpus.bits(o.joined)
	if words <= counted {
		return counted
	}
	return counted + (words-counted)*float32(math.Exp2(float64(counted-c.corpus.rare)))
}

// acronym reports whether x is the initials of y, with or without that of Company: TSMC.
func acronym(x, y *latinOrg) bool {
	if len(x.bag.words) != 1 || len(y.bag.words) < 2 {
		return false
	}
	w := x.bag.words[0].text
	if len(w) < 2 || len(w) > longestAcronym {
		return false
	}
	initials := y.initials()
	return initials == w ||
		len(w) >= 3 && len(y.bag.words) >= 3 && (strings.HasPrefix(initials, w) || y.company && initials+"c" == w)
}

const longestAcronym = 6

func latinLevel(o *overlap, x, y *latinOrg) (level uint8, same float32) {
	cosine, contained := o.cosine(), o.contained()
	v, w := &x.bag.words[0], &y.bag.words[0]
	first := v.hash == w.hash || alikeWords(v, w) >= 0.9 || smallWords[v.text] || smallWords[w.text]
	switch {
	case o.looseA && o.looseB:
		return step(cosine, 0.25, 0.45, 0.8), 0.1
	case cosine >= 0.93:
		return orgSpelling, 0.95
	case o.paired > 0 && otherBrands(o, x, y):
		return orgPart, 0.4
	case contained >= 0.85 && cosine >= 0.4 && anotherFirm(x, y, cosine):
		return orgPart, 0.45
	case contained >= 0.93 && cosine >= 0.6 && first:
		return orgContained, 0.35 + 0.6*cosine
	case cosine >= 0.84:
		return orgContained, 0.7
	case contained >= 0.93 && cosine >= 0.4, contained >= 0.85 && cosine >= 0.6:
		return orgAbbreviation, 0.2 + 0.4*cosine
	case cosine >= 0.55, contained >= 0.93:
		return orgPart, 0.3
	case cosine >= 0.35:
		return orgRelated, 0.1
	case cosine >= 0.15:
		return orgDistant, 0.03
	}
	return orgDifferent, 0.01
}

// anotherFirm reports whether of two names of which one is contained in the other each is that of
// a firm of its own, as both have a legal form: Siemens AG and Siemens Healthineers AG, MTS Inc.
// and MTS Systems Corp.
func anotherFirm(x, y *latinOrg, cosine float32) bool {
	return x.form != 0 && y.form != 0 && (cosine < 0.75 || x.form != y.form && x.form != plainCompany && y.form != plainCompany)
}

// plainCompany is the form that firms of all forms give themselves.
var plainCompany = formHash("Company")

// formHash is the hash of a legal form, 0 for none: that of its last word, as in Co., Inc., or of
// its initials.
func formHash(form string) uint64 {
	words := mergeInitials(strings.Fields(text.Fold(form)))
	if len(words) == 0 {
		return 0
	}
	w := words[len(words)-1]
	if short, ok := formWords[w]; ok {
		w = short
	}
	return hashOf(KeyToken, w)
}

// formWords are legal forms written out.
var formWords = pairsOf(`company co companies co corporation corp incorporated inc limited ltd aktiengesellschaft ag`)

// otherBrands reports whether two names are those of other brands, though the only telling word
// of one differs from the other's by a letter or two: Neogen and Nexgen, Cerner and Werner
// Enterprises. Short brands are chosen to be unlike; in a longer word a letter is an error.
func otherBrands(o *overlap, x, y *latinOrg) bool {
	switch v, w := x.brand(), y.brand(); {
	case v == w:
		return false
	case v != "" && w != "":
		return max(len(v), len(w)) <= longestBrand
	default:
		return o.same == 0 && len(v+w) <= longestBrand
	}
}

const longestBrand = 7

// brand is the only word of a name that tells something, empty if there are more.
func (o *latinOrg) brand() string {
	only := ""
	for i := range o.bag.words {
		if w := o.bag.words[i].text; !smallWords[w] {
			if only != "" {
				return ""
			}
			only = w
		}
	}
	return only
}

func (o *latinOrg) keys(e emitter) {
	for i := range o.bag.words {
		w := canonicalOrgWord(o.bag.words[i].text)
		if smallWords[w] {
			continue
		}
		e.text(KeyToken, w)
		if n := len(w); n >= 5 && n <= 14 && !plainWords[w] {
			e.deletions(w)
			e.sound(w)
		}
		if i > 0 && e.want.Has(KeyBigram) {
			e.text(KeyBigram, o.bag.words[i-1].text+o.bag.words[i].text)
		}
		e.text(KeyPinyin, w)
	}
	if e.want&KindsOf(KeyBigram, KeyInitials) == 0 {
		return
	}
	joined := o.together()
	e.text(KeyBigram, joined)
	if len(o.bag.words) == 1 && len(joined) <= longestAcronym {
		e.text(KeyInitials, joined)
		return
	}
	initials := o.initials()
	if len(initials) < 3 || len(initials) > 8 {
		return
	}
	e.text(KeyInitials, initials)
	if o.company && len(initials) < longestAcronym {
		e.text(KeyInitials, initials+"c")
	}
}
