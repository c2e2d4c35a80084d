package credit

// cursor reads numbers from bytes. A malformed one makes it bad.
type cursor struct {
	src string
	at  int
	bad bool
}

func (c *cursor) uvarint() uint64 {
	n, at := uvarintAt(c.src, c.at)
	c.moveTo(at)
	return n
}

// moveTo goes on behind what was read.
func (c *cursor) moveTo(at int) {
	if at > len(c.src) {
		c.at, c.bad = len(c.src), true
		return
	}
	c.at = at
}

// beyond is where a malformed number ends: behind every page.
const beyond = 1 << 62

// uvarintAt returns the number at a place, and the place behind it. Readers of many
// numbers keep the place in a register, and look once whether it is still within src.
func uvarintAt(src string, at int) (n uint64, behind int) {
	if at < len(src) && src[at] < 0x80 {
		return uint64(src[at]), at + 1
	}
	if at <= len(src)-2 && src[at+1] < 0x80 {
		return uint64(src[at]&0x7f) | uint64(src[at+1])<<7, at + 2
	}
	for shift := 0; at < len(src) && shift < 64; shift += 7 {
		b := src[at]
		at++
		if shift == 63 && b > 1 {
			break // of more than 64 bits
		}
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n, at
		}
	}
	return 0, beyond
}

func unzigzag(n uint64) int64 { return int64(n>>1) ^ -int64(n&1) }

// skip passes over bytes.
func (c *cursor) skip(n uint64) {
	if n > uint64(len(c.src)-c.at) {
		c.bad = true
		n = uint64(len(c.src) - c.at)
	}
	c.at += int(n)
}

// Several numbers are read at once from a word: eight bytes, the first of them lowest. A number
// ends with a byte whose highest bit isn't set; that bit stands for the number's end.
const (
	wordBytes = 8
	oneByte   = 0x7f // the largest number of one byte
	highBits  = 0x8080808080808080
)

func wordAt(src string, at int) uint64 {
	b := src[at : at+wordBytes]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// endsIn returns the ends of the numbers in a word, the first of them lowest.
func endsIn(w uint64) uint64 { return ^w & highBits }

// bytesTo is the number of bytes up to an end and with it. A multiplication by so many in each
// byte, the other way round, takes less time than to count zeros.
func bytesTo(end uint64) int { return int(end >> 7 * 0x0102030405060708 >> 56) }

// upTo is the first number of a word, given its end.
func upTo(w, end uint64) uint64 { return sevens(w & (end<<1 - 1)) }

// between is the number behind one end and up to another.
func between(w, before, end uint64) uint64 {
	return sevens(w & (end<<1 - before<<1) >> (8 * bytesTo(before) & 63))
}

// sevens joins the low seven bits of each byte.
func sevens(w uint64) uint64 {
	w = w&0x7f007f007f007f00>>1 | w&0x007f007f007f007f
	w = w&0x3fff00003fff0000>>2 | w&0x00003fff00003fff
	return w>>32<<28 | w&0x0fffffff
}
