package passage

import (
	"fmt"
	"math"
	"time"

	"gatehouse/internal/event"
)

// localTime is the clock of people at the gate, UTC+7; stored times stay UTC.
func localTime(t time.Time) string {
	return t.In(time.FixedZone("+07", 7*60*60)).Format("15:04:05")
}

// named is a device as people at the gate speak of it: what it is, and its id.
func (l *Lane) named(device string) event.Text {
	if device == visionName {
		return event.Text{VI: "phân tích ảnh", EN: "image analysis"}
	}
	d, ok := l.device(device)
	switch {
	case !ok:
		return event.Text{VI: device, EN: device}
	case d.Radiation:
		return event.Text{VI: "cổng đo phóng xạ " + device, EN: "radiation portal " + device}
	case d.Role == RolePresence:
		return event.Text{VI: "cảm biến hiện diện " + device, EN: "presence sensor " + device}
	case d.Role == RoleCamera:
		return event.Text{VI: "máy ảnh " + device, EN: "camera " + device}
	case d.Role == RoleScanner:
		return event.Text{VI: "máy soi " + device, EN: "X-ray scanner " + device}
	case d.Role == RoleScale:
		return event.Text{VI: "cân " + device, EN: "scale " + device}
	case d.Role == RoleDocument:
		return event.Text{VI: "máy đọc giấy tờ " + device, EN: "document reader " + device}
	case d.Role == RoleBarcode:
		return event.Text{VI: "máy đọc mã " + device, EN: "barcode reader " + device}
	case d.Role == RoleBarrier:
		return event.Text{VI: "thanh chắn " + device, EN: "barrier " + device}
	default:
		return event.Text{VI: "thiết bị " + device, EN: "device " + device}
	}
}

func reasonState(c condition) event.Text {
	at := localTime(c.Since)
	switch c.State {
	case event.Down:
		if c.Since.IsZero() {
			return event.Text{VI: "chưa có tín hiệu", EN: "no signal yet"}
		}
		if c.Reason == irregularRestart {
			return event.Text{VI: "hệ thống khởi động lại, mất tín hiệu từ " + at, EN: "the system restarted, no signal since " + at}
		}
		return event.Text{VI: "mất tín hiệu từ " + at, EN: "no signal since " + at}
	case event.Faulty:
		return event.Text{VI: "thiết bị báo lỗi từ " + at, EN: "the device reports a fault since " + at}
	case event.Bypassed:
		return event.Text{VI: "thiết bị bị bỏ qua từ " + at, EN: "bypassed since " + at}
	case event.InTest:
		return event.Text{VI: "thiết bị đang kiểm thử từ " + at, EN: "in test since " + at}
	default:
		return reasonNothing()
	}
}

// deviceWords say a device's state to people, as far as they are our words and
// not the device's.
func deviceWords(c condition, unheard bool) event.Text {
	switch {
	case c.State == event.Up:
		return event.Text{}
	case c.State == event.Degraded:
		at := localTime(c.Since)
		return event.Text{VI: "hoạt động hạn chế từ " + at, EN: "working with limits since " + at}
	case unheard && c.Reason == "":
		return event.Text{VI: "chưa có tín hiệu", EN: "no signal yet"}
	default:
		return reasonState(c)
	}
}

func reasonNoWeight() event.Text {
	return event.Text{VI: "không có khối lượng ổn định", EN: "no settled weight received"}
}

func reasonNoDocument() event.Text {
	return event.Text{VI: "chưa đọc giấy tờ", EN: "no document read"}
}

func reasonByHand() event.Text {
	return event.Text{VI: "lượt qua được ghi bằng tay", EN: "the passage was entered by hand"}
}

// reasonWeight says why a weight is not dependable.
func reasonWeight(doubt string) event.Text {
	switch doubt {
	case doubtOver:
		return event.Text{VI: "vượt quá khả năng cân", EN: "beyond the scale's capacity"}
	case doubtUnder:
		return event.Text{VI: "dưới khoảng cân", EN: "below the scale's range"}
	case doubtZeroed:
		return event.Text{VI: "cân chưa về không từ khi bật", EN: "the scale was not zeroed since power-up"}
	case doubtZeroBefore:
		return event.Text{VI: "cân không ở số không trước khi xe lên", EN: "the scale did not show zero before"}
	case doubtCalibration:
		return event.Text{VI: "cân hết hạn kiểm định", EN: "the scale is past its verification"}
	case doubtMotion:
		return event.Text{VI: "số cân không đứng yên", EN: "the weight did not settle"}
	default:
		return event.Text{VI: "số cân bị đánh dấu nghi ngờ", EN: "the weight is marked as doubtful"}
	}
}

// namedFields names the format of a document and the fields that are wrong.
func namedFields(format string, fields []string) event.Text {
	names := map[string]event.Text{
		"number": {VI: "số giấy tờ", EN: "number"}, "birth": {VI: "ngày sinh", EN: "date of birth"},
		"expiry": {VI: "ngày hết hạn", EN: "date of expiry"}, "personal": {VI: "số cá nhân", EN: "personal number"},
		"composite": {VI: "số kiểm tra chung", EN: "composite"}, "sex": {VI: "giới tính", EN: "sex"},
		"century": {VI: "thế kỷ sinh", EN: "century of birth"}, "birth_year": {VI: "năm sinh", EN: "year of birth"},
		"birth_date":  {VI: "ngày sinh không có thật", EN: "no such date of birth"},
		"expiry_date": {VI: "ngày hết hạn không có thật", EN: "no such date of expiry"},
	}
	out := event.Text{VI: format, EN: format}
	separator := ": "
	for _, f := range fields {
		name, ok := names[f]
		if !ok {
			name = event.Text{VI: f, EN: f}
		}
		out.VI, out.EN = out.VI+separator+name.VI, out.EN+separator+name.EN
		separator = ", "
	}
	return out
}

func reasonNothing() event.Text {
	return event.Text{VI: "không có số liệu", EN: "nothing received"}
}

func reasonNoSample() event.Text {
	return event.Text{VI: "không có mẫu đo gamma", EN: "no gamma sample received"}
}

func reasonNoPhoto() event.Text {
	return event.Text{VI: "không có ảnh chụp", EN: "no photo received"}
}

func reasonNoScan() event.Text {
	return event.Text{VI: "không có đủ ảnh soi", EN: "no complete scan received"}
}

func reasonCut() event.Text {
	return event.Text{VI: "lượt soi bị khóa an toàn ngắt giữa chừng", EN: "an interlock cut the scan off"}
}

func reasonPart(analysed float64) event.Text {
	percent := int(math.Floor(100 * analysed))
	return event.Text{
		VI: fmt.Sprintf("ảnh soi bị cắt cụt, chỉ phân tích được %d %%", percent),
		EN: fmt.Sprintf("the scan is cut off, %d %% of it was analysed", percent),
	}
}

func reasonUnreadable() event.Text {
	return event.Text{VI: "ảnh không đọc được", EN: "the image could not be read"}
}

func reasonVision() event.Text {
	return event.Text{VI: "phân tích ảnh chưa chạy", EN: "the images have not been analysed"}
}

// remedy is what the person at a device should try next.
func remedy(s event.DeviceState) event.Text {
	switch s {
	case event.Down:
		return event.Text{
			VI: "Kiểm tra nguồn điện và dây nối của thiết bị, rồi xem trang thiết bị.",
			EN: "Check the device's power and cable, then look at the device page.",
		}
	case event.Faulty, event.Degraded:
		return event.Text{
			VI: "Xem mã lỗi trên thiết bị và trong trang thiết bị, xử lý theo sổ tay của hãng.",
			EN: "See the code on the device and on the device page, and follow the maker's manual.",
		}
	case event.Bypassed, event.InTest:
		return event.Text{
			VI: "Đưa thiết bị về chế độ làm việc khi kiểm thử xong.",
			EN: "Put the device back to work when the test is over.",
		}
	default:
		return event.Text{}
	}
}
