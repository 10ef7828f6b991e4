package paper

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

type name struct{ full, surname, given string }

func vietnamese() []name {
	return []name{
		{"NGUYỄN VĂN AN", "NGUYEN", "VAN AN"}, {"TRẦN THỊ BÌNH", "TRAN", "THI BINH"}, {"LÊ HOÀNG CƯỜNG", "LE", "HOANG CUONG"},
		{"PHẠM THỊ DUNG", "PHAM", "THI DUNG"}, {"HOÀNG MINH ĐỨC", "HOANG", "MINH DUC"}, {"VŨ THỊ HẠNH", "VU", "THI HANH"},
		{"ĐẶNG QUỐC KHÁNH", "DANG", "QUOC KHANH"}, {"BÙI THỊ LAN", "BUI", "THI LAN"}, {"NÔNG VĂN MẠNH", "NONG", "VAN MANH"},
		{"LÝ THỊ NGA", "LY", "THI NGA"}, {"HỨA VĂN PHÚC", "HUA", "VAN PHUC"}, {"TRIỆU THỊ QUỲNH", "TRIEU", "THI QUYNH"},
	}
}

func others() []struct{ nation, surname, given string } {
	return []struct{ nation, surname, given string }{
		{"CHN", "WEI", "JIANGUO"}, {"CHN", "HUANG", "LIHUA"}, {"CHN", "QIN", "XIAOMING"}, {"CHN", "NONG", "MEIFANG"},
		{"KOR", "KIM", "JIHOON"}, {"THA", "SRISAI", "ANONG"}, {"LAO", "PHOMMA", "BOUN"}, {"GBR", "CARTER", "EMMA JANE"},
		{"FRA", "MARTIN", "LUC"}, {"DEU", "WEBER", "ANNA"}, {"JPN", "SATO", "HIROKO"}, {"USA", "MILLER", "JOHN"},
	}
}

// Draw makes a fictional document of a format with a flaw, valid on that day
// otherwise.
func Draw(r *rand.Rand, format, flaw string, today time.Time) Document {
	d := Document{Format: format, Flaw: flaw}
	age := 18 + r.IntN(55)
	d.Birth = time.Date(today.Year()-age, time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC)
	left := time.Duration(40+r.IntN(1800)) * 24 * time.Hour
	d.Expiry = today.Add(left).Truncate(24 * time.Hour)
	if flaw == Expired {
		d.Expiry = today.Add(-time.Duration(5+r.IntN(700)) * 24 * time.Hour).Truncate(24 * time.Hour)
	}
	d.Issued = today.AddDate(-1-r.IntN(3), -r.IntN(12), 0)
	foreign := r.IntN(2) == 0 && format != CCCD || format == MRVA || format == MRVB
	if foreign {
		o := others()[r.IntN(len(others()))]
		d.Nation, d.Surname, d.Given, d.Male = o.nation, o.surname, o.given, r.IntN(2) == 0
		d.Full = o.surname + " " + o.given
	} else {
		n := vietnamese()[r.IntN(len(vietnamese()))]
		d.Nation, d.Surname, d.Given, d.Full = "VNM", n.surname, n.given, n.full
		d.Male = !strings.Contains(n.full, " THỊ ")
	}
	switch format {
	case CCCD:
		d.Number = citizen(r, d)
		d.Expiry = time.Time{}
		d.Address = []string{"Thôn Nà Làng, Xã Đồng Đăng, Tỉnh Lạng Sơn", "Phường Tam Thanh, Tỉnh Lạng Sơn", "Phường Bồ Đề, Thành phố Hà Nội"}[r.IntN(3)]
	case TD1, TD2:
		d.Number = fmt.Sprintf("%09d", r.IntN(1_000_000_000))
	default:
		d.Number = fmt.Sprintf("%c%08d", "BCEGP"[r.IntN(5)], r.IntN(100_000_000))
	}
	return d
}

// citizen is a personal number: province of birth, sex and century, year, six
// digits.
func citizen(r *rand.Rand, d Document) string {
	province := []string{"020", "001", "004", "022", "031"}[r.IntN(5)]
	era := 2 * (d.Birth.Year()/100 - 19)
	if !d.Male {
		era++
	}
	return fmt.Sprintf("%s%d%02d%06d", province, era, d.Birth.Year()%100, r.IntN(1_000_000))
}
