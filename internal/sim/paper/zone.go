package paper

import (
	"fmt"
	"strings"
	"time"
)

// Formats of documents.
const (
	TD1  = "TD1"
	TD2  = "TD2"
	TD3  = "TD3"
	MRVA = "MRV-A"
	MRVB = "MRV-B"
	CCCD = "CCCD-QR"
)

// Flaws of documents.
const (
	Expired = "expired" // its last day is over
	Check   = "check"   // the check digit of its number is wrong
	OCR     = "ocr"     // one digit of a date is read as a letter that looks like it
	Extra   = "extra"   // a CCCD with the fields that newer cards append
)

// Document is a travel document.
type Document struct {
	Format  string
	Number  string // of a CCCD its twelve digits
	Nation  string // ISO 3166 alpha-3
	Surname string // upper case, Latin
	Given   string
	Full    string // as written, with its accents
	Male    bool
	Birth   time.Time
	Expiry  time.Time // zero for a CCCD-QR
	Issued  time.Time
	Address string
	Flaw    string
}

// Lines are the lines that a reader sends.
func (d Document) Lines() []string {
	switch d.Format {
	case CCCD:
		return []string{d.qr()}
	case TD1:
		return d.card()
	case TD2, MRVB:
		return d.booklet(36)
	}
	return d.booklet(44)
}

func (d Document) qr() string {
	sex := "Nữ"
	if d.Male {
		sex = "Nam"
	}
	fields := []string{d.Number, d.Number[3:12], d.Full, d.Birth.Format("02012006"), sex, d.Address, d.Issued.Format("02012006")}
	if d.Flaw == Extra {
		fields = append(fields, d.Issued.AddDate(15, 0, 0).Format("02012006"), "NGUYỄN VĂN BA", "TRẦN THỊ TƯ")
	}
	return strings.Join(fields, "|")
}

// digits is the weighted sum modulo 10 as a character: weights 7, 3, 1, digits
// as they are, letters from 10, the filler 0.
func digits(s string) string {
	sum := 0
	for i, c := range s {
		value := 0
		if c != '<' {
			value = strings.IndexRune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", c)
		}
		sum += value * [3]int{7, 3, 1}[i%3]
	}
	return fmt.Sprint(sum % 10)
}

func fill(s string, n int) string { return (s + strings.Repeat("<", n))[:n] }

func (d Document) names(n int) string {
	return fill(strings.ReplaceAll(d.Surname, " ", "<")+"<<"+strings.ReplaceAll(d.Given, " ", "<"), n)
}

func (d Document) sex() string {
	if d.Male {
		return "M"
	}
	return "F"
}

// parts are number, birth and expiry, each with its check digit, and number's
// digit spoilt where the document has that flaw.
func (d Document) parts() (number, birth, expiry string) {
	number = fill(d.Number, 9)
	cd := digits(number)
	if d.Flaw == Check {
		cd = string('0' + (cd[0]-'0'+1)%10)
	}
	number += cd
	b, e := d.Birth.Format("060102"), d.Expiry.Format("060102")
	birth, expiry = b+digits(b), e+digits(e)
	return number, birth, expiry
}

// booklet is a document of two lines.
func (d Document) booklet(width int) []string {
	number, birth, expiry := d.parts()
	head, optional := "P<", ""
	visa := d.Format == MRVA || d.Format == MRVB
	switch {
	case visa:
		head = "V<"
	case d.Format == TD2:
		head = "I<"
	}
	second := number + d.Nation + birth + d.sex() + expiry
	switch {
	case visa:
		second = fill(second, width)
	case d.Format == TD3:
		personal := fill(optional, 14)
		second += personal + "<" // an empty personal number may have no digit
		second += digits(number + birth + expiry + personal + "<")
	default:
		opt := fill(optional, width-1-len(second))
		second += opt
		second += digits(number + birth + expiry + opt)
	}
	return []string{head + d.Nation + d.names(width-5), d.misread(second)}
}

// card is a document of three lines.
func (d Document) card() []string {
	number, birth, expiry := d.parts()
	head := "I<" + d.Nation
	optional := fill("", 15)
	if d.Nation == "VNM" { // the card's number ends the twelve digits, which stand behind it
		head = "ID" + d.Nation
	}
	rest := fill("", 11)
	second := birth + d.sex() + expiry + d.Nation + rest
	second += digits(number + optional + birth + expiry + rest)
	return []string{head + number + optional, d.misread(second), d.names(30)}
}

// misread turns the first digit of the expiry date that looks like a letter
// into it.
func (d Document) misread(line string) string {
	if d.Flaw != OCR {
		return line
	}
	from, to := 21, 27
	if d.Format == TD1 {
		from, to = 8, 14
	}
	for i := from; i < to; i++ {
		if at := strings.IndexByte("01852", line[i]); at >= 0 {
			return line[:i] + string("OIBSZ"[at]) + line[i+1:]
		}
	}
	return line
}
